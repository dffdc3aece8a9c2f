"""The benchmark: its variants say what the classifier says, its script runs in quick mode, its arithmetic is right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from framing.benchmarks.ceiling import arithmetic, operations_per_sentence
from framing.benchmarks.ours import ClassifierVariant
from framing.benchmarks.speed import growth
from framing.benchmarks.tables import tables
from framing.benchmarks.variant import Variant
from framing.benchmarks.variants import NAMES, Setup, make
from framing.export import write_folder
from framing.model_folder import ONNX, RELEASED
from tests.conftest import labelled_articles, run_script, write_jsonl

LABELS = ["official_claim", "independent_verification", "loaded_terminology", "blame_attribution"]
TEXTS = [
    "the ministry said the bridge was closed. the road was open in the town on monday.",
    "no evidence for the market claim\nthe brutal regime crossed the river\nshare this article",
]


@pytest.fixture(scope="module")
def setup(model_folder: Path, trained: Path, labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    fp32, padded = tmp_path_factory.mktemp("fp32"), tmp_path_factory.mktemp("padded")
    write_folder(trained, fp32)
    write_folder(trained, padded, padded=True)
    return Setup(model_folder, model_folder, trained, fp32, padded, (labelled,), 1)


def test_variants_over_the_same_weights_give_the_same_labels(setup: Setup, labelled: Path, tmp_path: Path) -> None:
    sentences = [[str(s["text"]) for s in article["sentences"]] for article in labelled_articles(3)]  # type: ignore[attr-defined]
    variants: dict[str, Variant] = {name: make(name, setup) for name in NAMES}
    found = {name: variant.label(sentences) for name, variant in variants.items()}
    assert found["command"] == found["classifier"] == found["fast"]
    assert found["pipeline"] == found["pipeline_1"] == found["onnx"]
    assert {label for rows in found["onnx"] for row in rows for label in row} == set(LABELS)
    for variant in variants.values():
        variant.prepare(TEXTS)
        assert variant.run() == 5
    assert all(variant.macro_f1(labelled, LABELS) > 0.9 for variant in variants.values())
    given = variants["onnx"].label([["it was open"]])[0][0]
    other = next(label for label in LABELS if label not in given)
    nothing_right = write_jsonl(tmp_path / "wrong.jsonl", [{"id": "w", "sentences": [{"text": "it was open", "labels": [other]}]}])
    assert variants["onnx"].macro_f1(nothing_right, LABELS) == 0
    assert "best batch size of 1, 8, 32, 64: " in variants["pipeline"].described()


def test_no_round_of_the_classifier_lives_on_the_one_before(setup: Setup) -> None:
    variant = make("classifier", setup)
    assert isinstance(variant, ClassifierVariant)
    for _ in range(2):
        variant.prepare(TEXTS)
        variant.run()
        seen = variant._classifier._runtime._logits.cache_info()
        assert (seen.hits, seen.misses) == (0, 3)  # the trial sentence of the opening, and the two texts


def test_growth_counts_what_it_repeats(setup: Setup, tmp_path: Path) -> None:
    articles = write_jsonl(tmp_path / "articles.jsonl", [{"text": text} for text in TEXTS])
    found = growth(articles, 5, setup, tmp_path)
    assert (found["articles"], found["different"]) == (5, 2)
    assert len((tmp_path / "many.scored.jsonl").read_text(encoding="utf-8").splitlines()) == 5


def test_arithmetic_counts_every_matrix_product(setup: Setup) -> None:
    layers, hidden, inner, outputs, labels = 2, 32, 64, 8, 4
    per_token = 2 * (layers * (4 * hidden**2 + 2 * hidden * inner) + hidden * (outputs + labels))
    for folder in (setup.model, setup.fp32):
        counted = arithmetic(folder / ONNX)
        assert (counted.per_token, counted.per_pair) == (per_token, layers * 4 * hidden)
        operations, tokens = operations_per_sentence(folder, ["the town"])
        assert (operations, tokens) == (4 * per_token + 16 * layers * 4 * hidden, 4)


def test_script_without_trained_weights(model_folder: Path, labelled: Path, tmp_path: Path) -> None:
    articles = write_jsonl(tmp_path / "articles.jsonl", [{"text": text} for text in TEXTS])
    done = run_script(
        "benchmark.py", "--model", model_folder, "--fast", model_folder, "--articles", articles, "--labelled", labelled,
        "--train", labelled, "--rounds", 2,
        "--threads", 1, "-o", tmp_path / "figures.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "without --trained the fp32 and PyTorch variants are left out" in done.stderr
    assert "| `FramingClassifier` | " in done.stdout
    assert str(tmp_path) not in done.stdout
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in figures["variants"]] == ["classifier", "fast", "command", "tfidf"]
    for one in figures["variants"]:
        assert (one["sentences"], len(one["seconds"])) == (5, 2)
        assert one["macro_f1"] > 0.9
        assert one["megabytes"] > 20
    assert figures["ceiling"]["int8_rate"] > 0
    assert list(figures["start_up"]["seconds"]) == ["command"]
    runs = [
        {"articles": 1_000, "different": 900, "options": ["--workers", "2"], "seconds": seconds, "megabytes": 100 + seconds}
        for seconds in (4.0, 8.0, 5.0)
    ]
    assert "| 1,000 | 900 | --workers 2 | 5.0 (4.0–8.0) | 200.0 | 108 |" in "".join(tables({**figures, "growth": runs}))
    measured = json.loads((RELEASED["default"] / "metrics.json").read_text(encoding="utf-8"))[0]
    (tmp_path / "measured.json").write_text(json.dumps(measured), encoding="utf-8")
    folder = shutil.copytree(model_folder, tmp_path / "model")
    card = run_script("card.py", folder, tmp_path / "measured.json", "--cards", tmp_path, "--benchmark", tmp_path / "figures.json")
    assert card.returncode == 0, card.stderr
    assert "## Speed" in (folder / "README.md").read_text(encoding="utf-8")
    assert done.stdout.strip() in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--model", "no/such"], "no/such: no such model folder"), (["--articles", "empty.jsonl"], "no article in it to time on")],
)
def test_script_says_what_is_wrong(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    done = run_script("benchmark.py", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
