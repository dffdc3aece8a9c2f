"""Timing the ways to label articles against each other, start-up, memory and growth, and what the machine could do.

Each variant lives in a process of its own, so that its peak memory is its own, and waits there for its turn: rounds
are interleaved, and whatever else the machine does meets all of them alike. This module stays light, since a child's
peak memory cannot be less than that of the process it came from.
"""

from __future__ import annotations

import gzip
import itertools
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from framing.errors import FramingError

#: Packages whose versions stand beside the figures.
PACKAGES = ("onnxruntime", "tokenizers", "torch", "transformers", "scikit-learn", "numpy")


@dataclass
class Measured:
    """One variant: seconds of each round for `sentences` sentences, peak megabytes, macro F1 on the labelled set."""

    name: str
    sentences: int = 0
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    macro_f1: float = 0.0
    note: str = ""


class Worker:
    """A variant in a process of its own."""

    def __init__(self, name: str, setup: Any):
        context = multiprocessing.get_context("spawn")
        self._end, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, name, setup), daemon=False)
        self._process.start()
        there.close()

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the variant there. Raises `FramingError` where it fails."""
        try:
            self._end.send((method, arguments))
            answer, error = self._end.recv()
        except (EOFError, BrokenPipeError):
            raise FramingError("a variant of the benchmark ended before its time; its own message stands above") from None
        if error:
            raise FramingError(error)
        return answer

    def close(self) -> None:
        self._end.close()
        self._process.join()


def _serve(connection: Connection, name: str, setup: Any) -> None:
    from framing.benchmarks.variants import make

    variant: Any = None
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            variant = variant or make(name, setup)
            connection.send((_timed_run(variant) if method == "run" else getattr(variant, method)(*arguments), None))
        except FramingError as error:
            connection.send((None, str(error)))


def _timed_run(variant: Any) -> tuple[float, int]:
    started = time.perf_counter()
    sentences = variant.run()
    return time.perf_counter() - started, sentences


def in_child(module: str, function: str, *arguments: Any) -> Any:
    """Call a function of another module in a process of its own, so that what it loads does not stay with this one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_call, module, function, arguments).result()


def _call(module: str, function: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(import_module(module), function)(*arguments)


def measure(
    names: Sequence[str], setup: Any, texts: Sequence[str], labelled: Path, labels: Sequence[str], rounds: int
) -> list[Measured]:
    """Time the variants on `texts` in interleaved rounds after one that does not count, then score each on `labelled`."""
    found = [Measured(name) for name in names]
    workers = [Worker(name, setup) for name in names]
    try:
        for worker, one in zip(workers, found, strict=True):
            progress(f"{one.name}: opening, first round")
            worker.ask("prepare", texts)
            _, one.sentences = worker.ask("run")
        for number in range(rounds):
            for worker, one in zip(workers, found, strict=True):
                progress(f"round {number + 1} of {rounds}: {one.name}")
                worker.ask("prepare", texts)
                one.seconds.append(worker.ask("run")[0])
        for worker, one in zip(workers, found, strict=True):
            progress(f"{one.name}: macro F1")
            one.megabytes = worker.ask("peak_megabytes")
            one.macro_f1 = worker.ask("macro_f1", labelled, labels)
            one.note = worker.ask("described")
    finally:
        for worker in workers:
            worker.close()
    return found


def run_command(arguments: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in megabytes of a command. Raises `FramingError` where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        message = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise FramingError(f"{' '.join(arguments[:4])} … failed: {message.strip()[-300:]}")
    return seconds, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def framing_command(source: Path, target: Path, setup: Any, *options: str) -> list[str]:
    """The command line that scores `source` into `target` with the model and the threads of `setup`."""
    model = ["--model", str(setup.model), "--threads", str(setup.threads)]
    return [sys.executable, "-m", "framing", "score", str(source), "-o", str(target), *model, *options]


#: What somebody who has transformers would write to label one file.
_PIPELINE_SCRIPT = """
import sys
from pathlib import Path
from framing.benchmarks.pipeline_model import open_pipeline
from framing.text import split_sentences
text = Path(sys.argv[1]).read_text(encoding="utf-8")
print(open_pipeline(Path(sys.argv[2]), int(sys.argv[3]))([text[start:end] for start, end in split_sentences(text)]))
"""


def start_up(text: str, setup: Any, scratch: Path, runs: int) -> dict[str, Any]:
    """Seconds from the shell for one short article, process start included: the command line, and a pipeline script."""
    article = scratch / "one.txt"
    article.write_text(text, encoding="utf-8")
    commands = {"command": framing_command(article, scratch / "one.jsonl", setup)}
    if setup.trained:
        commands["pipeline"] = [sys.executable, "-c", _PIPELINE_SCRIPT, str(article), str(setup.trained), str(setup.threads)]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        progress(f"start-up: run {number} of {runs}")
        for name, command in commands.items():
            taken, _ = run_command(command)
            if number:  # the first run fills the file cache
                seconds[name].append(taken)
    return {"characters": len(text), "seconds": seconds}


def growth(articles: Path, count: int, setup: Any, scratch: Path, *options: str) -> dict[str, Any]:
    """Seconds and peak memory of the command line on `count` articles of a file, again from its start where it ends.

    `different` says how many of them differ: windows seen shortly before are not run again.
    """
    progress(f"growth: {count} articles {' '.join(options)}")
    source, target = scratch / "many.jsonl", scratch / "many.scored.jsonl"
    written = different = 0
    with source.open("w", encoding="utf-8") as lines:
        while written < count:
            for text in itertools.islice(read_texts(articles), count - written):
                lines.write(json.dumps({"text": text}) + "\n")
                written += 1
            different = different or written
    seconds, peak = run_command(framing_command(source, target, setup, *options))
    return {"articles": count, "different": different, "options": list(options), "seconds": seconds, "megabytes": peak}


def read_texts(path: Path) -> Iterator[str]:
    """The texts of the articles of a file or folder: what `framing score` reads, or `.jsonl.gz` with `text`."""
    from framing.articles import Article, read_articles

    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line)["text"] for line in lines)
    else:
        yield from (item.text for item in read_articles([str(path)]) if isinstance(item, Article))


def machine(threads: int) -> dict[str, Any]:
    """Processor, cores, threads used, system and versions."""
    from framing.cores import available_cores

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return {
        "processor": model,
        "instructions": [name for name in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8") if name in flags],
        "cores": available_cores(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def progress(message: str) -> None:
    """A line on standard error that says what is being measured."""
    print(message, file=sys.stderr, flush=True)
