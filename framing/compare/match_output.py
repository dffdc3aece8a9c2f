"""Accounts of the same events side by side: what every output shows, as JSON, and for a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import IO, Any

from framing.compare.alignment import Row, align, sentence_similarity
from framing.compare.matching import Account, Event, Matching
from framing.errors import printable
from framing.labels import known_label
from framing.results import ArticleResult, SentenceResult, to_json

#: Columns narrower than this, in characters, are not read; the accounts then stand one below another.
_NARROWEST = 34
_WIDEST = 180
_BETWEEN = " │ "

_FOUND_BY = {"title": "titles alike", "date": "date and words alike"}


@dataclass(frozen=True)
class Band:
    """What a reader sees as one row, sentences by account: one row that is told by several (`similarity` 0…1), or the
    rows between two such, where every sentence stands in its account only (`similarity` is None)."""

    cells: list[list[SentenceResult]]
    similarity: float | None

    @property
    def label(self) -> str:
        """Which accounts tell it: "only here", "both", "2 of 3", "all 3"."""
        told, accounts = sum(map(bool, self.cells)), len(self.cells)
        if self.similarity is None:
            return "only here"
        return f"{told} of {accounts}" if told < accounts else "both" if told == 2 else f"all {told}"


@dataclass(frozen=True)
class SideBySide:
    """An event and its rows of aligned sentences."""

    event: Event
    rows: list[Row]

    def only(self, account: int) -> int:
        """How many sentences stand in this account only."""
        return sum(row.only == account for row in self.rows)

    @property
    def bands(self) -> list[Band]:
        """The rows as bands, in order."""
        found: list[Band] = []
        for row in self.rows:
            if row.similarity is not None or not found or found[-1].similarity is not None:
                found.append(Band([[] for _ in row.cells], row.similarity))
            for cell, sentence in zip(found[-1].cells, row.cells, strict=True):
                cell.extend([sentence] if sentence else [])
        return found


def side_by_side(matching: Matching, results: Sequence[ArticleResult]) -> Iterator[SideBySide]:
    """Align the accounts of every event; how much a word weighs comes from all of `results`."""
    similarity = sentence_similarity(results)
    for event in matching.events:
        yield SideBySide(event, align([account.article for account in event.accounts], similarity))


def overview(matching: Matching) -> str:
    """One sentence: how much was matched."""
    articles = sum(len(event.accounts) for event in matching.events)
    by = matching.by.removeprefix("meta.")
    found = f"{_many(len(matching.events), 'event')} told by two values of {by} or more, in {_many(articles, 'article')}."
    return found if matching.match == "event" else f"{found} Found by {_FOUND_BY[matching.match]}: see that it is one event."


def left_out(matching: Matching) -> str:
    """A sentence that says how many articles are in no event, and why; "" where none is."""
    by = matching.by.removeprefix("meta.")
    counted = [
        (matching.unmatched, f"that no other {by} matches by {matching.match}"),
        (matching.without, f"without {by} or {matching.match}" if by != matching.match else f"without {by}"),
        (matching.not_scored, "not scored or without prose"),
    ]
    reasons = ", ".join(f"{_many(count, 'article')} {why}" for count, why in counted if count)
    return reasons and f"Left out: {reasons}."


def write_json(matching: Matching, results: Sequence[ArticleResult], stream: IO[str]) -> None:
    """One object: `events`, each with `accounts` and `rows` of one cell an account, a sentence of its record or null."""
    counts = {"unmatched": matching.unmatched, "without": matching.without, "not_scored": matching.not_scored}
    events = [
        {
            "name": found.event.name,
            "accounts": [_account(account, found.only(number)) for number, account in enumerate(found.event.accounts)],
            "rows": [{"similarity": row.similarity, "cells": [cell and asdict(cell) for cell in row.cells]} for row in found.rows],
        }
        for found in side_by_side(matching, results)
    ]
    stream.write(to_json({"by": matching.by, "match": matching.match, **counts, "events": events}) + "\n")


def _account(account: Account, only: int) -> dict[str, Any]:
    article = account.article
    fields = {name: getattr(article, name) for name in ("id", "source", "title", "url", "outlet", "date", "model", "summary")}
    return {"group": account.group, **fields, "only": only}


def write_table(matching: Matching, results: Sequence[ArticleResult], stream: IO[str]) -> None:
    """For a person at a terminal: the accounts in columns where they fit, else one below another in each row."""
    width = min(shutil.get_terminal_size((120, 24)).columns, _WIDEST)
    for line in filter(None, (overview(matching), left_out(matching))):
        stream.write(textwrap.fill(printable(line), width) + "\n")
    for found in side_by_side(matching, results):
        stream.write("\n".join(_lines(found, width)) + "\n")


def _lines(found: SideBySide, width: int) -> Iterator[str]:
    accounts = found.event.accounts
    heads = [_head(account, found.only(number)) for number, account in enumerate(accounts)]
    column = (width - len(_BETWEEN) * (len(accounts) - 1)) // len(accounts)
    yield from ("", "═" * width, printable(found.event.name))
    if column < _NARROWEST:
        yield from (line for head in heads for line in _wrap(head, width))
        for band in found.bands:
            yield f"─ {_named(band)} ".ljust(width, "─")
            for account, cell in zip(accounts, band.cells, strict=True):
                yield from _wrap([f"{account.group}: {_marked(sentence)}" for sentence in cell], width)
        return
    yield from _columns(heads, column)
    for band in found.bands:
        rule = "─┼─".join("─" * column for _ in accounts)
        name = f"─ {_named(band)} "
        yield name + rule[len(name) :]
        yield from _columns([[_marked(sentence) for sentence in cell] for cell in band.cells], column)


def _named(band: Band) -> str:
    return band.label if band.similarity is None else f"{band.label}, similarity {band.similarity:.2f}"


def _columns(cells: list[list[str]], column: int) -> Iterator[str]:
    for line in zip_longest(*(list(_wrap(cell, column)) for cell in cells), fillvalue=""):
        yield _BETWEEN.join(f"{part:<{column}}" for part in line).rstrip()


def _head(account: Account, only: int) -> list[str]:
    article = account.article
    named = [part for part in (account.group, article.date) if part]
    lines = [" · ".join(named), article.title or article.id or article.source]
    if article.summary:
        total = article.summary["sentences"]
        shares = (f"{tag(label)} {figures['share']:.0%}" for label, figures in article.summary["labels"].items())
        lines.append(f"{', '.join(shares)} of {_many(total, 'sentence')}, {only} only here")
    return lines


def _marked(sentence: SentenceResult) -> str:
    """The sentence with the tags of its labels in front and its evidence in brackets."""
    text = sentence.text
    ends = sorted({(e.end - sentence.start, e.start - sentence.start) for e in sentence.evidence}, reverse=True)
    place = len(text) + 1
    for end, start in ends:
        if 0 <= start < end <= min(place, len(text)):  # evidence of two labels may overlap; the first to the right wins
            text, place = f"{text[:start]}[{text[start:end]}]{text[end:]}", start
    tags = " ".join(tag(label) for label in sentence.labels)
    return f"({tags}) {text}" if tags else text


def tag(label: str) -> str:
    """The codebook's letter of a label, or the name of a label of the user's own."""
    return known_label(label).code or label


def _wrap(paragraphs: list[str], width: int) -> Iterator[str]:
    for text in paragraphs:
        yield from textwrap.wrap(printable(" ".join(text.split())), width, subsequent_indent="  ") or [""]


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
