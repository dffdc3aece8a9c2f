"""The scripts that no other test runs: the card of a model, the agreement of the two readings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from framing.check import check_files
from framing.errors import FramingError
from tests.conftest import ROOT, run_script

CORPUS = ROOT / "framing" / "corpus"


def test_card_holds_the_measured_figures_and_the_settings(model_folder: Path, labelled: Path, tmp_path: Path) -> None:
    from framing.card import write_card

    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    figures = tmp_path / "figures.json"
    measured_now = run_script("evaluate.py", folder, labelled, "-o", figures, "--plots", tmp_path / "drawn")
    assert measured_now.returncode == 0, measured_now.stderr
    drawn = sorted((tmp_path / "drawn").iterdir())
    assert len(drawn) == 2
    done = run_script("card.py", folder, figures, "--cards", tmp_path, "--plots")
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "framing-smoke.md").read_text(encoding="utf-8")
    assert card == (folder / "README.md").read_text(encoding="utf-8")
    assert "$" not in card
    measured = json.loads(figures.read_text(encoding="utf-8"))
    assert f"| **macro** | | | {measured['macro']['f1']:.3f} (" in card
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == [measured]
    assert "share a sequence of up to 64 tokens" in card
    for path in drawn:
        assert f"](plots/framing-smoke/{path.name})" in card
        assert (tmp_path / "plots" / "framing-smoke" / path.name).read_bytes() == path.read_bytes()
        assert (folder / "plots" / "framing-smoke" / path.name).read_bytes() == path.read_bytes()
    for row in measured["labels"].values():
        del row["reliability"]
    template = ROOT / "model_cards" / "template.md"
    with pytest.raises(FramingError, match=r"measure once more with scripts/evaluate\.py -o"):
        write_card(folder, [measured], template, plots=True)
    assert "plots/" not in write_card(folder, [measured], template)


def test_agreement_of_the_shipped_readings() -> None:
    done = run_script("agreement.py")
    assert done.returncode == 0, done.stderr
    assert "133 articles, 2943 sentences" in done.stdout
    assert "| `official_claim` | 749 | 15 | 17 | 0.979 | 0.972 |" in done.stdout


def test_agreement_of_readings_made_by_hand(tmp_path: Path) -> None:
    readings = tmp_path / "readings.jsonl"
    readings.write_text('{"id": "a", "first": ["O|V+", "-", "X"], "second": ["O|V-", "O", "X"]}\n', encoding="utf-8")
    done = run_script("agreement.py", readings)
    assert "| `official_claim` | 1 | 0 | 1 | 0.667 |" in done.stdout
    assert "0 of 1 the same" in done.stdout


def test_the_shipped_corpus_is_valid_large_enough_and_its_splits_share_nothing() -> None:
    report = check_files([CORPUS / "written" / f"{name}.jsonl" for name in ("train", "validation", "test")])
    assert report.errors == []
    assert report.near_duplicates == []
    assert len(report.events) >= 45
    assert report.articles >= 120
    assert report.counts["sentences"] >= 1900
    assert report.counts["none"] * 3 >= report.counts["sentences"]
    for label in ("official_claim", "loaded_terminology", "blame_attribution"):
        assert report.counts[label] >= 350
    assert report.counts["independent_verification"] >= 260
    assert min(report.counts[kind] for kind in ("corroborated", "refuted", "unverified")) >= 70


def test_stand_off_labels_hold_no_text() -> None:
    for name in ("train", "dev"):
        for line in (CORPUS / "real" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            for sentence in json.loads(line)["sentences"]:
                assert set(sentence) <= {"index", "hash", "annotated", "boilerplate", "labels", "verification", "evidence"}
