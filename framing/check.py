"""Checking labelled files: every error with file and line, leaks between files, near-duplicates, a balance table."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framing.data import LabelledArticle, LabelledSentence, parse_article, read_lines
from framing.errors import FramingError
from framing.labels import LABELS, VERIFICATION, VERIFICATION_KINDS

#: Two sentences are near-duplicates from this Jaccard similarity of their three-word shingles on.
NEAR_DUPLICATE = 0.5
_SHINGLE = 3
_WORD = re.compile(r"\w+")


@dataclass
class Report:
    """What a check found: `errors`, one sentence each with file and line, and counts over all files."""

    labels: Sequence[str]
    errors: list[str] = field(default_factory=list)
    articles: int = 0
    events: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    near_duplicates: list[tuple[str, str]] = field(default_factory=list)

    def table(self) -> str:
        """The balance as text: a line per count, label positives with their share of the annotated sentences."""
        total = max(1, self.counts["sentences"])
        rows = [("articles", self.articles), ("events", len(self.events)), ("annotated sentences", self.counts["sentences"])]
        rows += [(f"  {label}", self.counts[label]) for label in self.labels]
        rows += [(f"    {kind}", self.counts[kind]) for kind in VERIFICATION_KINDS if VERIFICATION in self.labels]
        rows += [("  none", self.counts["none"]), ("  boilerplate", self.counts["boilerplate"])]
        lines = [f"{name:<30}{count:>7}" + (f"{count / total:>8.1%}" if name.startswith(" ") else "") for name, count in rows]
        return "\n".join([*lines, f"{'near-duplicate sentences':<30}{len(self.near_duplicates):>7}"])


def check_files(paths: Sequence[Path], labels: Sequence[str] | None = None) -> Report:
    """Check JSONL files of labelled articles together; each file is one split, or part of one.

    Errors are: a line that does not fit the format (unknown field, evidence outside the sentence, a label on a
    sentence that is not annotated …), a label outside `labels` (the codebook's without it), an id used twice, the
    same text in two articles, an event or source article that stands in two files, and a label with no sentence.
    """
    report = Report(list(labels or [label.name for label in LABELS]))
    ids: dict[str, str] = {}
    texts: dict[str, str] = {}
    groups: dict[str, tuple[Path, str]] = {}
    shingles = _Shingles()
    for path in paths:
        for number, line in read_lines(path):
            where = f"{path}:{number}"
            try:
                article = parse_article(line)
            except FramingError as error:
                report.errors.append(f"{where}: {error}")
                continue
            _check_identity(article, where, path, ids, texts, groups, report.errors)
            _count(article, where, report)
            for sentence in article.sentences:
                if sentence.annotated and not sentence.boilerplate:
                    shingles.add(where, sentence.text)
    report.near_duplicates = shingles.near_duplicates()
    if report.articles:
        report.errors += [
            f"{paths[0]}: no sentence carries the label {label}" for label in report.labels if not report.counts[label]
        ]
    else:
        report.errors.append(f"{paths[0]}: no article that can be read")
    return report


def _check_identity(
    article: LabelledArticle,
    where: str,
    path: Path,
    ids: dict[str, str],
    texts: dict[str, str],
    groups: dict[str, tuple[Path, str]],
    errors: list[str],
) -> None:
    digest = hashlib.sha256("\n".join(s.text for s in article.sentences).encode("utf-8", "surrogatepass")).hexdigest()
    if article.id in ids:
        errors.append(f"{where}: the id {article.id!r} was used before, at {ids[article.id]}")
    elif digest in texts:
        errors.append(f"{where}: the same text as the article at {texts[digest]}")
    ids.setdefault(article.id, where)
    texts.setdefault(digest, where)
    first_path, first = groups.setdefault(article.group, (path, where))
    if first_path != path:
        errors.append(f"{where}: {article.group!r} stands in another split too, at {first}")


def _count(article: LabelledArticle, where: str, report: Report) -> None:
    report.articles += 1
    if article.event:
        report.events.add(article.event)
    for index, sentence in enumerate(article.sentences):
        if not sentence.annotated:
            continue
        report.counts["sentences"] += 1
        report.counts.update(_classes(sentence))
        for label in sentence.labels:
            if label not in report.labels:
                report.errors.append(f"{where}: sentences.{index}: unknown label {label!r}, known are {', '.join(report.labels)}")


def _classes(sentence: LabelledSentence) -> list[str]:
    if sentence.boilerplate:
        return ["boilerplate"]
    return [*sentence.labels, *([sentence.verification] if sentence.verification else [])] or ["none"]


class _Shingles:
    """Sentences by their three-word shingles, to find pairs that share half of them or more (Broder 1997)."""

    def __init__(self) -> None:
        self._by_shingle: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._sentences: list[tuple[str, frozenset[tuple[str, ...]]]] = []

    def add(self, where: str, text: str) -> None:
        words = [word.lower() for word in _WORD.findall(text)]
        own = frozenset(tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1))
        for shingle in own:
            self._by_shingle[shingle].append(len(self._sentences))
        self._sentences.append((f"{where}: {text}", own))

    def near_duplicates(self) -> list[tuple[str, str]]:
        shared: Counter[tuple[int, int]] = Counter()
        for members in self._by_shingle.values():
            for i, first in enumerate(members[:50]):
                for second in members[i + 1 : 50]:
                    shared[first, second] += 1
        pairs = []
        for (first, second), common in sorted(shared.items()):
            (text_a, a), (text_b, b) = self._sentences[first], self._sentences[second]
            if common / (len(a) + len(b) - common) >= NEAR_DUPLICATE:
                pairs.append((text_a, text_b))
        return pairs
