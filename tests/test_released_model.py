"""What only the shipped model can show: it finds in the sample articles what a reader finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from framing import ArticleResult, FramingClassifier, SentenceResult
from framing.model_folder import RELEASED
from tests.conftest import ROOT, run_cli, run_script

SAMPLES = ROOT / "framing" / "samples"


@pytest.fixture(scope="module")
def results() -> dict[str, ArticleResult]:
    classifier = FramingClassifier.from_pretrained()
    return {path.stem: classifier.score(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("*.txt")}


def sentences(results: dict[str, ArticleResult], article: str, words: str) -> Iterator[SentenceResult]:
    found = [sentence for sentence in results[article].sentences if words in sentence.text]
    assert found, f"{words!r} is not in {article}"
    yield from found


@pytest.mark.parametrize(
    ("article", "words", "label", "evidence"),
    [
        ("agency_wire", "said in a statement", "official_claim", "Interior Ministry"),
        ("agency_wire", "provided no evidence", "independent_verification", "no evidence"),
        ("agency_wire", "maintenance log", "independent_verification", "contradicting"),
        ("state_broadcaster", "cowardly terrorists", "loaded_terminology", "cowardly terrorists"),
        ("state_broadcaster", "so-called Tarn Council", "blame_attribution", "Tarn Council"),
        ("state_broadcaster", "described the crime", "official_claim", "Radan Volk"),
        ("tabloid", "union blamed", "blame_attribution", "Selmere Bulk"),
        ("tabloid", "Heartless bosses", "loaded_terminology", "Heartless"),
        ("watchdog_bulletin", "holds Selmere Bulk responsible", "blame_attribution", "Selmere Bulk"),
        ("watchdog_bulletin", "gate's own register", "independent_verification", "contradicted"),
    ],
)
def test_a_reader_finds_the_label_and_its_words(
    results: dict[str, ArticleResult], article: str, words: str, label: str, evidence: str
) -> None:
    for sentence in sentences(results, article, words):
        assert label in sentence.labels
        assert any(evidence in one.text for one in sentence.evidence if one.label == label)


def test_kinds_of_verification(results: dict[str, ArticleResult]) -> None:
    assert [s.verification for s in sentences(results, "agency_wire", "provided no evidence")] == ["unverified"]
    assert [s.verification for s in sentences(results, "watchdog_bulletin", "gate's own register")] == ["refuted"]


def test_furniture_is_flagged_and_prose_is_not(results: dict[str, ArticleResult]) -> None:
    for article, words in (("tabloid", "Share this article"), ("watchdog_bulletin", "Donate to support")):
        assert all(sentence.boilerplate for sentence in sentences(results, article, words))
    assert not any(s.boilerplate for s in sentences(results, "agency_wire", "ministry"))


def test_plain_reports_carry_nothing(results: dict[str, ArticleResult]) -> None:
    assert [s.labels for s in sentences(results, "agency_wire", "40,000 tonnes of wheat")] == [[]]
    assert [s.labels for s in sentences(results, "watchdog_bulletin", "Eleven workers")] == [[]]


@pytest.mark.parametrize("model", sorted(RELEASED))
def test_release_is_complete_and_small(model: str) -> None:
    folder = RELEASED[model]
    names = {path.name for path in folder.iterdir()}
    assert names == {"framing.json", "tokenizer.json", "model.onnx", "config.yaml", "metrics.json", "README.md", "plots"}
    assert (folder / "model.onnx").stat().st_size < 30e6
    name = json.loads((folder / "framing.json").read_text(encoding="utf-8"))["name"]
    assert (ROOT / "model_cards" / f"{name}.md").read_text(encoding="utf-8") == (folder / "README.md").read_text(encoding="utf-8")


def test_released_model_is_named_on_the_command_line(tmp_path: Path) -> None:
    by_name, unnamed = (run_cli("score", SAMPLES / "tabloid.txt", *given) for given in (["--model", "default"], []))
    assert by_name.stdout == unnamed.stdout != b""
    (tmp_path / "default").mkdir()
    done = run_cli("info", "--model", "./default", cwd=tmp_path)
    assert (done.returncode, b"default: not a model folder" in done.stderr) == (2, True)


def test_evaluation_of_the_release_writes_its_figures(tmp_path: Path) -> None:
    data, figures = "framing/corpus/written/validation.jsonl", tmp_path / "figures.json"
    done = run_script("evaluate.py", RELEASED["default"], data, "-o", figures)
    assert done.returncode == 0, done.stderr
    assert json.loads(figures.read_text(encoding="utf-8"))["macro"]["f1"] > 0.6
