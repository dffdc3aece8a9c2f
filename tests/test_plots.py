from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from framing.plots import draw_plots

BINS = [{"count": 7131, "score": 0.04, "rate": 0.02}, {"count": 13, "score": 0.95, "rate": 1.0}]
ROW = {
    "precision": 0.5, "recall": 0.25, "average_precision": 0.612, "support": 40, "calibration_error": 0.0213,
    "threshold": 0.37, "reliability": BINS, "curve": [(0.1, 1.0), (0.5, 0.4), (1.0, 0.1)],
}  # fmt: skip
EMPTY = ROW | {"precision": 0.0, "recall": 0.0, "support": 0, "reliability": [], "curve": []}


def figures(**labels: Any) -> dict[str, Any]:
    return {"model": "tiny 1", "data": "../data/real/dev.jsonl", "only": "t,f", "labels": labels}


def texts(path: Path) -> list[str]:
    return [text for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text") if (text := element.text)]


def test_plots_show_every_label_its_counts_and_its_threshold(tmp_path: Path) -> None:
    files = draw_plots(figures(official_claim=ROW, absent=EMPTY, third=ROW), tmp_path / "new" / "folder")
    assert sorted(path.name for path in files.values()) == ["real_dev_t_f_precision_and_recall.svg", "real_dev_t_f_reliability.svg"]
    reliability, curve = (texts(files[title]) for title in ("Reliability", "Precision and recall"))
    for shown in (reliability, curve):
        assert {"official_claim", "absent", "third"} <= set(shown)
        assert shown.count("threshold 0.37") == 3
    assert (reliability.count("7131"), reliability.count("13")) == (2, 2)
    assert "calibration error 0.021" in reliability
    assert "average precision 0.612, 40 sentences" in curve
    assert all(path.stat().st_size < 60_000 for path in files.values())


@pytest.mark.parametrize("name", ["$\\frac$", "</text><script>alert(1)</script>", "ü 'q' 🚢"])
def test_label_names_stay_text(tmp_path: Path, name: str) -> None:
    for path in draw_plots(figures(**{name: ROW}), tmp_path).values():
        assert name in texts(path)
        assert not list(ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}script"))


def test_the_same_figures_make_the_same_files(tmp_path: Path) -> None:
    first, second = (draw_plots(figures(official_claim=ROW), tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in second.values()]
