"""Figures of an evaluation → plots people can look at: reliability and precision–recall, a panel per label, as SVG."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from framing.labels import known_label

#: Panels beside each other, and the size of one in inches.
_COLUMNS, _WIDTH, _HEIGHT = 2, 3.6, 3.2

_TICKS = (0, 0.25, 0.5, 0.75, 1)

#: The same figures make the same file: no date, fixed identifiers; text stays text, and a label is not a formula.
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "framing",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_plots(figures: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Draw what `scripts/evaluate.py` measured; returns the files by what they show, `Reliability` and `Precision and recall`.

    The files are named after the data, so that several measurements fit into one folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(figures["data"])
    name = re.sub(r"\W+", "_", f"{data.parent.name} {data.stem} {figures['only'] or ''}").strip("_")
    panels: dict[str, Callable[[Axes, dict[str, Any], str], None]] = {
        "Reliability": _reliability,
        "Precision and recall": _precision_recall,
    }
    files = {}
    for title, panel in panels.items():
        files[title] = folder / f"{name}_{title.lower().replace(' ', '_')}.svg"
        _draw(figures, title, panel, files[title])
    return files


def _draw(figures: dict[str, Any], title: str, panel: Callable[[Axes, dict[str, Any], str], None], path: Path) -> None:
    labels = figures["labels"]
    rows = math.ceil(len(labels) / _COLUMNS)
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # whoever shows the SVG has the fonts, or not
        figure = Figure(figsize=(_COLUMNS * _WIDTH, rows * _HEIGHT + 0.4), layout="constrained")
        figure.suptitle(f"{title}: {figures['model']} on {figures['data']} {figures['only'] or ''}".strip(), fontsize=9)
        for number, (label, row) in enumerate(labels.items(), 1):
            axes = figure.add_subplot(rows, _COLUMNS, number)
            axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.08), title=label, aspect="equal", xticks=_TICKS, yticks=_TICKS)
            axes.grid(alpha=0.25, linewidth=0.5)
            panel(axes, row, known_label(label).colour)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _reliability(axes: Axes, row: dict[str, Any], colour: str) -> None:
    """The share of sentences that carry the label among those scored alike, with their number; the diagonal is honest."""
    bins = row["reliability"]
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    axes.axvline(row["threshold"], color="#333333", linewidth=0.8, linestyle=":")
    axes.text(row["threshold"] + 0.01, 1.04, f"threshold {row['threshold']:.2f}", fontsize=6.5, color="#333333")
    axes.plot([b["score"] for b in bins], [b["rate"] for b in bins], color=colour, marker="o", markersize=4, linewidth=1.2)
    for b in bins:
        at = (b["score"], b["rate"])
        axes.annotate(f"{b['count']}", at, (5, -3), textcoords="offset points", va="center", fontsize=6.5, color="#333333")
    axes.set(xlabel="score (mean of ten equal bins)", ylabel="share that carries the label")
    axes.text(1, 0.12, f"calibration error {row['calibration_error']:.3f}", ha="right", fontsize=6.5, color="#333333")


def _precision_recall(axes: Axes, row: dict[str, Any], colour: str) -> None:
    """Precision at every recall, and where the threshold stands."""
    axes.plot([r for r, _ in row["curve"]], [p for _, p in row["curve"]], color=colour, linewidth=1.4)
    axes.plot(row["recall"], row["precision"], color="#333333", marker="D", markersize=5)
    axes.annotate(
        f"threshold {row['threshold']:.2f}", (row["recall"], row["precision"]), (6, 5), textcoords="offset points",
        fontsize=6.5, color="#333333",
    )  # fmt: skip
    axes.text(
        0.02, 0.02, f"average precision {row['average_precision']:.3f}, {row['support']} sentences", fontsize=6.5, color="#333333"
    )
    axes.set(xlabel="recall", ylabel="precision")
