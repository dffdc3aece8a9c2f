"""A result as prose: paragraphs of sentences, each cut into runs of one voice and one set of evidence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from framing.labels import VERIFICATION
from framing.report.legend import Legend, LegendEntry
from framing.results import ArticleResult, Evidence, SentenceResult
from framing.text import Span, quotations

#: Sentences to a paragraph where the record shows no break at all: a wall of text is not read.
_SENTENCES_WITHOUT_BREAKS = 5

_SENTENCE_ENDS = (".", "!", "?", "…", ":", ";", ",", '"', "”", "’", "'", "»", ")")


@dataclass(frozen=True)
class EvidenceMark:
    """Evidence that covers a run; `number` is its place in the sentence, the same for all runs it covers."""

    slot: int
    number: int
    score: float
    voice: str


@dataclass(frozen=True)
class Run:
    """Characters of a sentence that share their voice (`quoted` or not) and their evidence."""

    text: str
    quoted: bool
    evidence: tuple[EvidenceMark, ...]


@dataclass(frozen=True)
class Sentence:
    """One sentence as the page shows it. `scores` are ten-thousandths by slot, "" for a label without a score."""

    runs: list[Run]
    labels: list[LegendEntry]
    scores: list[int | str]
    kind: str | None
    boilerplate: bool
    truncated: bool


def ten_thousandths(score: float) -> int:
    """A score (0…1) as the page holds it. Records have four digits; those of Parquet files come in single precision."""
    return round(score * 10_000) if 0 <= score <= 1 else 0


def paragraphs(result: ArticleResult, legend: Legend) -> list[list[Sentence]]:
    """The sentences of an article, in paragraphs, rebuilt from the offsets: records do not hold the white space.

    A paragraph ends where two or more characters lie between sentences, after a sentence without a closing mark (a
    headline), and where boilerplate and prose meet. An article without any such gap has lost its breaks and is cut
    every few sentences.
    """
    groups = list(_groups(result.sentences))
    quoted = quotations("\n".join(" ".join(sentence.text for sentence in group) for group in groups))
    shown: list[list[Sentence]] = []
    place = 0
    for group in groups:
        shown.append([])
        for sentence in group:
            shown[-1].append(_sentence(sentence, place, quoted, legend))
            place += len(sentence.text) + 1
    return shown


def _groups(sentences: list[SentenceResult]) -> Iterator[list[SentenceResult]]:
    has_breaks = any(after.start - before.end > 1 for before, after in pairwise(sentences))
    group: list[SentenceResult] = []
    for sentence in sentences:
        if group and (
            sentence.start - group[-1].end > 1
            or sentence.boilerplate != group[-1].boilerplate
            or not group[-1].text.rstrip().endswith(_SENTENCE_ENDS)
            or (not has_breaks and len(group) >= _SENTENCES_WITHOUT_BREAKS)
        ):
            yield group
            group = []
        group.append(sentence)
    if group:
        yield group


def _sentence(sentence: SentenceResult, place: int, quoted: list[Span], legend: Legend) -> Sentence:
    scores: list[int | str] = []
    for name, score in sentence.scores.items():
        slot = legend.entry(name).slot
        scores.extend([""] * (slot + 1 - len(scores)))
        scores[slot] = ten_thousandths(score)
    return Sentence(
        runs=_runs(sentence, place, quoted, legend),
        labels=[] if sentence.boilerplate else sorted(map(legend.entry, sentence.labels), key=lambda entry: entry.slot),
        scores=scores,
        kind=sentence.verification if VERIFICATION in sentence.labels else None,
        boilerplate=sentence.boilerplate,
        truncated=sentence.truncated,
    )


def _runs(sentence: SentenceResult, place: int, quoted: list[Span], legend: Legend) -> list[Run]:
    """Offsets count from the start of the sentence; evidence that reaches beyond it is cut to it."""
    length = len(sentence.text)
    first = max(bisect_right(quoted, place, key=lambda span: span[0]) - 1, 0)
    quotes = []
    for start, end in quoted[first:]:
        if start >= place + length:
            break
        quotes.append((max(start - place, 0), min(end - place, length)))
    evidence = [(_clip(mark, sentence), mark) for mark in sentence.evidence]
    cuts = sorted({0, length, *(cut for span in (*quotes, *(span for span, _ in evidence)) for cut in span if 0 < cut < length)})
    runs = []
    for start, end in pairwise(cuts):
        marks = tuple(
            EvidenceMark(legend.entry(mark.label).slot, number, mark.score, mark.voice)
            for number, (span, mark) in enumerate(evidence)
            if span[0] <= start and end <= span[1]
        )
        runs.append(Run(sentence.text[start:end], any(a <= start and end <= b for a, b in quotes), marks))
    return runs


def _clip(evidence: Evidence, sentence: SentenceResult) -> Span:
    length = len(sentence.text)
    return min(max(evidence.start - sentence.start, 0), length), min(max(evidence.end - sentence.start, 0), length)
