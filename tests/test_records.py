"""Scored files read back: equal to what was scored, whatever the format; a foreign file is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framing import FramingClassifier
from framing.errors import FramingError
from framing.records import read_results
from tests.conftest import run_cli

TEXTS = [
    "The ministry said the bridge was closed.\n\nNo evidence for the claim.",
    "The brutal regime crossed the river. 🧨 It said.",
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_records_come_back_as_they_were_scored(tmp_path: Path, model_folder: Path, suffix: str) -> None:
    for number, text in enumerate(TEXTS):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "2.txt").write_text(" ")
    scored = tmp_path / f"scored.{suffix}"
    assert run_cli("score", *sorted(tmp_path.glob("*.txt")), "-o", scored, "--model", model_folder).returncode == 1
    results = list(read_results([scored]))
    expected = FramingClassifier.from_pretrained(model_folder).score(TEXTS)
    assert [result.error and result.error["reason"] for result in results] == [None, None, "empty"]
    for found, wanted in zip(results, expected, strict=False):
        assert [s.labels for s in found.sentences] == [s.labels for s in wanted.sentences]
        assert [s.text for s in found.sentences] == [s.text for s in wanted.sentences]
        assert [[(e.start, e.end, e.voice) for e in s.evidence] for s in found.sentences] == [
            [(e.start, e.end, e.voice) for e in s.evidence] for s in wanted.sentences
        ]
        assert found.sentences[0].scores == pytest.approx(wanted.sentences[0].scores, abs=1e-6)
        assert found.summary is not None
        assert wanted.summary is not None
        assert found.summary["labels"].keys() == wanted.summary["labels"].keys()
        assert found.summary["sentences"] == wanted.summary["sentences"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "not a JSON line"),
        ("[1]", "record"),
        ('{"id": "a"}', "source"),
        (json.dumps({"id": "a", "index": 0, "text": "x"}), "without --flat"),
    ],
)
def test_a_foreign_line_is_refused_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "scored.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(FramingError, match=rf"scored\.jsonl:2: .*{message}"):
        list(read_results([path]))


def test_a_label_without_a_score_is_refused(tmp_path: Path, model_folder: Path) -> None:
    record: dict[str, Any] = FramingClassifier.from_pretrained(model_folder).score(TEXTS[0]).to_dict()
    record["sentences"][0]["labels"] = ["invented"]
    (tmp_path / "scored.jsonl").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(FramingError, match=r":1: sentences.0.labels: 'invented' has no score"):
        list(read_results([tmp_path / "scored.jsonl"]))
