"""A comparison for a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any

from framing.compare.comparison import Comparison, Group, Name, Share, Word
from framing.compare.text import (
    REST,
    field_name,
    finding,
    method,
    orderings,
    overview,
    percent_interval,
    short,
    warnings,
    wording,
)
from framing.errors import printable
from framing.outputs import defuse
from framing.results import to_json

_WIDTH = 100
_PLOT = 30
_SHOWN = 5

COLUMNS = (
    *("table", "measure", "group", "other", "item", "count", "total", "articles", "share", "other_share", "difference"),
    *("low", "high", "p", "p_corrected", "log_odds", "z", "quoted", "events"),
)


def write_json(comparison: Comparison, stream: IO[str]) -> None:
    """One object: the fields of `framing.compare.comparison.Comparison`."""
    stream.write(to_json(asdict(comparison)) + "\n")


def write_csv(comparison: Comparison, stream: IO[str]) -> None:
    """One table whose column `table` says what a row is: share, difference, word, official, blamed or input."""
    rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows({key: defuse(value) for key, value in row.items()} for row in _rows(comparison))


def _rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for group in comparison.groups:
        for share in group.shares:
            yield {"table": "share", "group": group.name, **asdict(share)}
    for difference in comparison.differences:
        row = asdict(difference)
        names = {"group": row.pop("first"), "other": row.pop("second") or REST}
        shares = {"share": row.pop("first_share"), "other_share": row.pop("second_share")}
        yield {"table": "difference", **names, **shares, **row}
    for group in comparison.groups:
        for word in group.words:
            row = asdict(word)
            yield {"table": "word", "measure": "loaded_terminology", "group": group.name, "item": row.pop("word"), **row}
        for table, measure, names_ in (
            ("official", "official_claim", group.officials),
            ("blamed", "blame_attribution", group.blamed),
        ):
            for name in names_:
                found = {"item": name.name, "count": name.mentions, "articles": name.articles}
                yield {"table": table, "measure": measure, "group": group.name, **found}
    for item in ("not_scored", "without_field", "without_event", "duplicates", "min_articles", "seed", "resamples", "permutations"):
        yield {"table": "input", "item": item, "count": getattr(comparison, item)}


def write_table(comparison: Comparison, stream: IO[str]) -> None:
    """For a person at a terminal: findings in sentences, shares as dots with intervals, words and names, warnings."""
    stream.write("\n".join(_lines(comparison)) + "\n")


def _lines(comparison: Comparison) -> Iterator[str]:
    yield from _wrap(overview(comparison), "")
    for warning in warnings(comparison):
        yield from _wrap(f"! {warning}", "")
    if comparison.differences:
        yield from ("", "What differs")
        for measure in comparison.measures:
            yield from _wrap(f"- {wording(measure).title}: {finding(measure, comparison)}")
    shown = [group for group in comparison.groups if group.enough]
    for i, measure in enumerate(comparison.measures):
        words = wording(measure)
        if shown:
            yield from ("", f"{words.title}: share of {words.unit} that {words.verb} (95 % interval)")
            yield from _plot(shown, i)
            yield from (line for ordering in orderings(measure, comparison) for line in _wrap(f"→ {ordering}"))
    for title, items in (
        (
            f"Loaded words typical of each {field_name(comparison.by)} against all others",
            [(g, list(map(_word, g.words))) for g in shown],
        ),
        ("Most often the source of official claims", [(g, list(map(_name, g.officials[:_SHOWN]))) for g in shown]),
        ("Most often blamed", [(g, list(map(_name, g.blamed[:_SHOWN]))) for g in shown]),
    ):
        if any(listed for _, listed in items):
            yield from ("", title)
            for group, listed in items:
                yield from _wrap(f"{short(group.name)}: {', '.join(listed) or 'none'}")
    yield ""
    for line in method(comparison):
        yield from _wrap(line, "")


def _plot(groups: list[Group], i: int) -> Iterator[str]:
    ordered = sorted(groups, key=lambda group: -(group.shares[i].share or 0))
    furthest = max((share.high or share.share or 0 for share in (group.shares[i] for group in groups)), default=0) or 1
    width = max(len(short(group.name)) for group in groups)
    for group in ordered:
        share = group.shares[i]
        bar = _dot_and_interval(share, furthest)
        yield printable(
            f"  {short(group.name):<{width}}  {bar}  {percent_interval(share):<16} {share.count:,} of {share.total:,}"
            f" {wording(share.measure).unit} in {share.articles:,} articles"
        )


def _dot_and_interval(share: Share, furthest: float) -> str:
    cells = [" "] * (_PLOT + 1)
    if share.share is not None:
        if share.low is not None and share.high is not None:
            for cell in range(round(share.low / furthest * _PLOT), round(share.high / furthest * _PLOT) + 1):
                cells[cell] = "─"
        cells[round(share.share / furthest * _PLOT)] = "●"
    return "".join(cells)


def _word(word: Word) -> str:
    quoted = f", {word.quoted} quoted" if word.quoted else ""
    return f"{short(word.word)} (z {word.z:.1f}, {word.count} times in {word.articles} articles{quoted})"


def _name(name: Name) -> str:
    articles = "1 article" if name.articles == 1 else f"{name.articles} articles"
    return f"{short(name.name)} ({articles})"


def _wrap(text: str, indent: str = "  ") -> list[str]:
    hanging = f"{indent}  "
    return textwrap.wrap(printable(text), _WIDTH, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)
