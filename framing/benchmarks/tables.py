"""The figures of a benchmark run as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from framing.benchmarks.speed import PACKAGES
from framing.benchmarks.variants import NAMES

#: The variant that the others are compared with.
REFERENCE = "pipeline"


def tables(figures: dict[str, Any]) -> Iterator[str]:
    """Paragraphs and tables: the setting, speed and quality, start-up, growth where it was measured, the ceiling."""
    yield _setting(figures)
    yield _speed(figures["variants"])
    yield _start_up(figures["start_up"])
    if "growth" in figures:
        yield _growth(figures["growth"])
    yield _ceiling(figures)


def _setting(figures: dict[str, Any]) -> str:
    machine, data = figures["machine"], figures["data"]
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", *PACKAGES))
    return (
        f"{machine['processor']} ({', '.join(machine['instructions'])}), {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['system']}; {versions}. {figures['model']}. Timed on {data['count']} articles of "
        f"{data['articles']}; macro F1 on {data['labelled']}; TF-IDF trained on {', '.join(data['train'])}. "
        "Median (range) of the rounds."
    )


def _speed(variants: Sequence[dict[str, Any]]) -> str:
    rates = {one["name"]: [one["sentences"] / seconds for seconds in one["seconds"]] for one in variants}
    lines = ["| variant | sentences a second | times the pipeline | macro F1 | peak memory, MB | note |", "|" + " --- |" * 6]
    for one in variants:
        ratios = "–"
        if REFERENCE in rates:
            ratios = spread([rate / other for rate, other in zip(rates[one["name"]], rates[REFERENCE], strict=True)], 2)
        lines.append(
            f"| {NAMES[one['name']]} | {spread(rates[one['name']])} | {ratios} | {one['macro_f1']:.3f} | "
            f"{one['megabytes']:.0f} | {one['note']} |"
        )
    return "\n".join(lines)


def _start_up(start_up: dict[str, Any]) -> str:
    named = {"command": "`framing score one.txt`", "pipeline": "a `transformers.pipeline` script"}
    parts = [f"{named[name]} {spread(seconds, 2)} s" for name, seconds in start_up["seconds"].items()]
    times = ""
    if "pipeline" in start_up["seconds"]:
        ratio = statistics.median(start_up["seconds"]["pipeline"]) / statistics.median(start_up["seconds"]["command"])
        times = f", {ratio:.1f} times as long"
    return f"One article of {start_up['characters']} characters, process start included: {'; '.join(parts)}{times}."


def _growth(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each number of articles with its options, however often it was run."""
    lines = [
        "| articles | different | options | seconds | articles a second | peak memory of a process, MB |",
        "|" + " --- |" * 6,
    ]
    runs: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
    for row in rows:
        runs.setdefault((row["articles"], row["different"], " ".join(row["options"])), []).append(row)
    for (articles, different, options), same in runs.items():
        seconds = [row["seconds"] for row in same]
        lines.append(
            f"| {articles:,} | {different:,} | {options} | {spread(seconds, 1)} | "
            f"{articles / statistics.median(seconds):.1f} | {max(row['megabytes'] for row in same):.0f} |"
        )
    return "\n".join(lines)


def _ceiling(figures: dict[str, Any]) -> str:
    ceiling = figures["ceiling"]
    lines = [
        f"The ceiling: a sentence takes {ceiling['tokens_per_sentence']:.1f} tokens and "
        f"{ceiling['operations_per_sentence'] / 1e9:.2f} billion operations in matrix products, context included."
    ]
    first = figures["variants"][0]
    rate = statistics.median(first["sentences"] / seconds for seconds in first["seconds"])
    for kind in ("fp32", "int8"):
        limit = ceiling[f"{kind}_sentences_per_second"]
        lines.append(
            f"This machine multiplies large matrices in {kind} at {ceiling[f'{kind}_rate'] / 1e9:.0f} billion operations a second, "
            f"which would allow {limit:.0f} sentences a second; {NAMES[first['name']]} reaches {rate / limit:.0%} of it."
        )
    return " ".join(lines)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median with the range, where there are several."""
    low, middle, high = min(values), statistics.median(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
