"""Time this package against what people use today: python scripts/benchmark.py [--trained DIR] [--full] [-o figures.json]

In one run, on the same articles and the same trained weights, from text to labels: `FramingClassifier`, the command line
as a process, TF-IDF with logistic regression, and with `--trained` (a folder of scripts/train.py; the released weights
are int8 only) also the unquantised weights, plain ONNX Runtime and `transformers.pipeline` at batch size 1 and at its
best. Rounds are interleaved; beside every speed stands the macro F1 of that variant on the same labelled sentences. Then
start-up, and what this machine's matrix products would allow. Prints Markdown tables; -o writes all figures as JSON.

A run takes about five minutes on two cores. `--full` adds the command line's memory and time as articles grow to 10,000
and its worker processes (about an hour). The real articles are `../shared/data` of the project's own machines; without
them the shipped samples and the written test articles are taken, and the table says so.
"""

import argparse
import dataclasses
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from framing.errors import FramingError, run_script

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
ARTICLES = (SHARED / "unlabelled" / "articles.jsonl.gz", ROOT / "framing" / "samples")
LABELLED = (SHARED / "real" / "dev.jsonl", ROOT / "framing" / "corpus" / "written" / "test.jsonl")
WRITTEN = ROOT / "framing" / "corpus" / "written" / "train.jsonl"

#: Articles that the command line's memory and time are measured at, with further options; one process and two in turns
#: (whose threads divide the cores, which `--threads 0` asks for).
GROWTH: list[tuple[Any, ...]] = [(100,), *3 * [(1_000,), (1_000, "--workers", "2", "--threads", "0")], (5_000,), (10_000,)]

#: The shortest article above this many characters is the one for start-up.
SHORT = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "framing" / "models" / "default", help="a model folder")
    parser.add_argument("--fast", type=Path, help="the folder of a smaller model; the released one with the default model")
    parser.add_argument("--trained", type=Path, help="the trained folder it was exported from")
    parser.add_argument("--articles", type=Path, help="articles to time on: what `framing score` reads, or .jsonl.gz")
    parser.add_argument("--labelled", type=Path, help="labelled articles for macro F1")
    parser.add_argument("--train", type=Path, action="append", help="training file of TF-IDF, in place of the model's own")
    parser.add_argument("--count", type=int, default=16, help="articles in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="threads of each variant; 0 for every core this process may use")
    parser.add_argument("--full", action="store_true", help="also memory and time from 100 to 10,000 articles, and two workers")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here as JSON")
    args = parser.parse_args()

    from framing.benchmarks import speed as benchmark
    from framing.benchmarks.tables import tables
    from framing.benchmarks.variants import NAMES, Setup
    from framing.cores import available_cores
    from framing.model_folder import RELEASED, read_settings

    settings = read_settings(args.model)
    articles = args.articles or next(path for path in ARTICLES if path.exists())
    labelled = args.labelled or next(path for path in LABELLED if path.exists())
    train = args.train or training_files(args.model)
    fast = args.fast or (RELEASED.get("fast") if args.model == RELEASED["default"] else None)
    texts = list(itertools.islice(benchmark.read_texts(articles), args.count))
    if not texts:
        raise FramingError(f"{articles}: no article in it to time on")
    if args.trained is None:
        print("benchmark.py: without --trained the fp32 and PyTorch variants are left out", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        setup = Setup(
            args.model, fast, args.trained, scratch / "fp32", scratch / "padded", tuple(train), args.threads or available_cores()
        )
        for target, padded in ((setup.fp32, False), (setup.padded, True)) if args.trained else ():
            target.mkdir()
            benchmark.in_child("framing.export", "write_folder", args.trained, target, padded)
        names = [name for name in NAMES if setup.can_make(name)]
        measured = benchmark.measure(names, setup, texts, labelled, settings.label_names, args.rounds)
        shortest = min((text for text in texts if len(text) > SHORT), key=len, default=texts[0])
        figures: dict[str, Any] = {
            "model": f"{settings.name} {settings.version}, context: {settings.context}",
            "machine": benchmark.machine(setup.threads),
            "data": {
                "articles": shown(articles),
                "count": len(texts),
                "labelled": shown(labelled),
                "train": [shown(path) for path in train],
            },
            "variants": [dataclasses.asdict(one) for one in measured],
            "start_up": benchmark.start_up(shortest, setup, scratch, max(3, args.rounds)),
            "ceiling": benchmark.in_child("framing.benchmarks.ceiling", "ceiling", args.model, texts, setup.threads),
        }
        if args.full:
            figures["growth"] = [
                benchmark.in_child("framing.benchmarks.speed", "growth", articles, count, setup, scratch, *options)
                for count, *options in GROWTH
            ]
    print("\n\n".join(tables(figures)))
    if args.output:
        args.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def training_files(model: Path) -> list[Path]:
    """The files the model was trained on, by the settings in its folder; the written corpus where they are not here."""
    from framing.config import load_config
    from framing.model_folder import CONFIG

    try:
        named = load_config(model / CONFIG).data.train
    except FramingError:
        named = []
    found = [path if path.is_absolute() else ROOT / path for path in named]
    return found if found and all(path.exists() for path in found) else [WRITTEN]


def shown(path: Path) -> str:
    """A path as the table names it: without the folders of this machine."""
    for root, name in ((ROOT, ""), (SHARED, "../shared/data")):
        if path.absolute().is_relative_to(root):
            return (Path(name) / path.absolute().relative_to(root)).as_posix()
    return path.name


if __name__ == "__main__":
    run_script(main)
