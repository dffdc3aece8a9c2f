"""Checking labelled files: every error with file and line, leaks between files, near-duplicates, a balance table."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from framing.data import LabelledArticle, LabelledSentence, describe_errors, read_lines
from framing.labels import LABELS, VERIFICATION, VERIFICATION_KINDS
from framing.model_folder import BOILERPLATE

#: Two sentences are near-duplicates from this Jaccard similarity of their three-word shingles on.
NEAR_DUPLICATE = 0.5
_SHINGLE = 3

#: A sentence of so many characters tells where it comes from; shorter ones recur in any newspaper.
_DISTINCTIVE = 60

_WORD = re.compile(r"\w+")


@dataclass
class Report:
    """What a check found: `errors` and `warnings`, one sentence each with file and line, and counts by file."""

    labels: Sequence[str]
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: dict[Path, Counter[str]] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    near_duplicates: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """Articles, annotated sentences and the sentences of each class, over all files."""
        return sum(self.files.values(), Counter())

    @property
    def articles(self) -> int:
        return self.counts["articles"]

    def table(self) -> str:
        """The balance as text: a line per count, a column per file and their sum; of each class, its share of the
        annotated sentences."""
        columns = [*self.files.values()]
        heads = [path.name[-16:] for path in self.files]
        if len(columns) > 1:
            columns, heads = [*columns, self.counts], [*heads, "all"]
        kinds = VERIFICATION_KINDS if VERIFICATION in self.labels else ()
        rows = [("articles", "articles"), ("annotated sentences", "sentences")]
        rows += [(f"  {label}", label) for label in self.labels] + [(f"    {kind}", kind) for kind in kinds]
        rows += [("  none", "none"), ("  boilerplate", BOILERPLATE)]
        lines = [f"{'':<30}" + "".join(f"{head:>17}" for head in heads)]
        for name, key in rows:
            cells = [
                f"{column[key]}" + (f"{column[key] / max(1, column['sentences']):>8.1%}" if name[0] == " " else " " * 8)
                for column in columns
            ]
            lines.append(f"{name:<30}" + "".join(f"{cell:>17}" for cell in cells))
        lines += [f"{'events':<30}{len(self.events):>9}", f"{'near-duplicate sentences':<30}{len(self.near_duplicates):>9}"]
        return "\n".join(line.rstrip() for line in lines)


def check_files(paths: Sequence[Path], labels: Sequence[str] | None = None) -> Report:
    """Check JSONL files of labelled articles together; each file is one split, or part of one.

    Errors are: a line that does not fit the format (unknown field, evidence outside the sentence, a label on a
    sentence that is not annotated …), a label outside `labels` (the codebook's without it), an id used twice, the
    same text in two articles or half of it, an event or source article that stands in two files, a file without an
    article, and a label with no sentence. Warnings are: a label with no sentence in one of several files, and a
    verification kind, boilerplate or unlabelled sentences missing altogether.
    """
    report = Report(list(labels or [label.name for label in LABELS]))
    identities = _Identities(report.errors)
    shingles = _Shingles()
    for path in paths:
        counts = report.files.setdefault(path, Counter())
        for number, line in read_lines(path):
            where = f"{path}:{number}"
            try:
                article = LabelledArticle.model_validate_json(line)
            except ValidationError as error:
                report.errors += [f"{where}: {problem}" for problem in describe_errors(error)]
                continue
            identities.add(article, path, where)
            _count(article, where, counts, report)
            for sentence in article.sentences:
                if sentence.annotated and not sentence.boilerplate:
                    shingles.add(where, sentence.text)
    report.near_duplicates = shingles.near_duplicates()
    _check_classes(report)
    return report


def _check_classes(report: Report) -> None:
    """Classes that no sentence is of."""
    total = report.counts
    filled = {path: counts for path, counts in report.files.items() if counts["articles"]}
    report.errors += [f"{path}: no article that can be read" for path in report.files if path not in filled]
    if not filled:
        return
    first = next(iter(filled))
    for label in report.labels:
        if not total[label]:
            report.errors.append(f"{first}: no sentence carries the label {label}" + " in any file" * (len(filled) > 1))
        else:
            report.warnings += [f"{path}: no sentence carries the label {label}" for path in filled if not filled[path][label]]
    for name in (*(VERIFICATION_KINDS if total[VERIFICATION] else ()), "none", BOILERPLATE):
        if not total[name]:
            meant = {"none": "is without a label", BOILERPLATE: "is boilerplate"}.get(name, f"is of the kind {name}")
            report.warnings.append(f"{first}: no sentence {meant}" + " in any file" * (len(filled) > 1))


class _Identities:
    """Articles seen so far, to find those that stand twice."""

    def __init__(self, errors: list[str]):
        self._errors = errors
        self._ids: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._groups: dict[str, tuple[Path, str]] = {}
        self._sentences: dict[str, str] = {}

    def add(self, article: LabelledArticle, path: Path, where: str) -> None:
        digest = _digest("\n".join(sentence.text for sentence in article.sentences))
        distinctive = {_digest(s.text) for s in article.sentences if s.annotated and len(s.text) >= _DISTINCTIVE}
        shared = Counter(self._sentences[text] for text in distinctive if text in self._sentences)
        twin, common = shared.most_common(1)[0] if shared else ("", 0)
        if article.id in self._ids:
            self._errors.append(f"{where}: the id {article.id!r} was used before, at {self._ids[article.id]}")
        elif digest in self._texts:
            self._errors.append(f"{where}: the same text as the article at {self._texts[digest]}")
        elif 2 * common >= len(distinctive) > 1:
            self._errors.append(f"{where}: {common} of {len(distinctive)} long sentences stand in the article at {twin} too")
        self._ids.setdefault(article.id, where)
        self._texts.setdefault(digest, where)
        for text in distinctive:
            self._sentences.setdefault(text, where)
        first_path, first = self._groups.setdefault(article.group, (path, where))
        if first_path != path:
            self._errors.append(f"{where}: {article.group!r} stands in another split too, at {first}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _count(article: LabelledArticle, where: str, counts: Counter[str], report: Report) -> None:
    counts["articles"] += 1
    if article.event:
        report.events.add(article.event)
    for index, sentence in enumerate(article.sentences):
        if not sentence.annotated:
            continue
        counts["sentences"] += 1
        counts.update(_classes(sentence))
        for label in sentence.labels:
            if label not in report.labels:
                report.errors.append(f"{where}: sentences.{index}: unknown label {label!r}, known are {', '.join(report.labels)}")


def _classes(sentence: LabelledSentence) -> list[str]:
    if sentence.boilerplate:
        return [BOILERPLATE]
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
