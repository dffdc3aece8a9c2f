"""Scored articles → counts per group: what a comparison needs, without the texts.

An article leaves a few numbers, a hash and counts of words and names, so memory grows far slower than the input.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from framing.errors import FramingError
from framing.results import ArticleResult, SentenceResult

#: Fields of a record that can name a group; `meta.NAME` can, too.
FIELDS = ("outlet", "date", "model", "source", "title", "url", "id")

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"(?:'s|')$")
_LEADING = re.compile(r"^(?:(?:an?|the|this|that|these|those|his|her|its|their|our|my|your|mr|mrs|ms|dr)\b\.?|\W)\s*")
_TRAILING = re.compile(
    r"(?:\s(?:(?:has|have|had)\s)?(?:said|says|say|saying|told|tells|added|adds|announced|claimed|claims)|'s|\W)$"
)
_NOBODY = frozenset(
    """he she it they we you i him them us me who whom which one ones his hers its theirs their her our my your the a an this
    that these those he's she's it's they're they've they'd he'd she'd we're we've i'm i've you're""".split()  # noqa: SIM905
)


@dataclass
class Names:
    """Normalised names: how often each stands as evidence, and in how many articles."""

    mentions: Counter[str] = field(default_factory=Counter)
    articles: Counter[str] = field(default_factory=Counter)

    def add(self, found: list[str]) -> None:
        """Count what one article holds."""
        self.mentions.update(found)
        self.articles.update(set(found))


@dataclass
class Tally:
    """What one group's articles hold.

    Attributes:
        rows: article by article the number of sentences that are not boilerplate, then of those with each label.
        events: per article its event, for paired tests; empty without.
        loaded: words inside loaded terms; `quoted` those of them that stand in quotation marks.
        officials, blamed: who passes as official, who is blamed (`normalise_name`).
    """

    rows: array[int] = field(default_factory=lambda: array("q"))
    events: list[str] = field(default_factory=list)
    loaded: Names = field(default_factory=Names)
    quoted: Counter[str] = field(default_factory=Counter)
    officials: Names = field(default_factory=Names)
    blamed: Names = field(default_factory=Names)

    def counts(self, labels: int) -> npt.NDArray[np.float64]:
        """(articles, 1 + labels), as `rows`."""
        return np.array(self.rows, dtype=float).reshape(-1, 1 + labels)


@dataclass
class Tallies:
    """All groups, in order of name, and what was left out: articles that were not scored, that lack the field (or the
    event), or whose text stands in the same group before."""

    labels: list[str]
    groups: dict[str, Tally]
    models: list[str]
    words: Counter[str]
    not_scored: int = 0
    without_field: int = 0
    without_event: int = 0
    duplicates: int = 0


def tally(results: Iterable[ArticleResult], by: str, event: str | None = None) -> Tallies:
    """Count every result in the group that its field `by` names; `event` is the field that names what it reports.

    Raises `FramingError` where a field cannot exist, or where records carry different label sets.
    """
    for name in filter(None, (by, event)):
        check_field(name)
    found = Tallies([], {}, [], Counter())
    models: set[str] = set()
    seen: set[int] = set()
    for result in results:
        if result.error or not result.sentences:
            found.not_scored += 1
            continue
        group, happening = field_value(result, by), field_value(result, event) if event else ""
        if group is None or happening is None:
            found.without_field += group is None
            found.without_event += group is not None
            continue
        fingerprint = _fingerprint(group, result)
        if fingerprint in seen:
            found.duplicates += 1
            continue
        seen.add(fingerprint)
        models.add(result.model)
        _check_labels(found, result)
        own = found.groups.setdefault(group, Tally())
        _add(own, result, found)
        if event:
            own.events.append(happening)
    found.groups = dict(sorted(found.groups.items()))
    found.models = sorted(models)
    return found


def check_field(name: str) -> None:
    """Raise `FramingError` where a record cannot have a field of that name."""
    if name not in FIELDS and not (name.startswith("meta.") and len(name) > 5):
        raise FramingError(f"{name!r}: records have the fields {', '.join(FIELDS)}; others are meta.NAME, as meta.{name[:80]}")


def field_value(result: ArticleResult, name: str) -> str | None:
    """The field as text; None where it is missing, empty, or no single value."""
    value: Any = result.meta.get(name.removeprefix("meta.")) if name.startswith("meta.") else getattr(result, name)
    if value is None or isinstance(value, dict | list):
        return None
    return " ".join(str(value).split()) or None


def _fingerprint(group: str, result: ArticleResult) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for text in (group, *(sentence.text for sentence in result.sentences)):
        digest.update(text.encode("utf-8", "replace") + b"\n")
    return int.from_bytes(digest.digest(), "big")


def _check_labels(found: Tallies, result: ArticleResult) -> None:
    labels = list(result.sentences[0].scores)
    if found.labels and labels != found.labels:
        raise FramingError(
            f"{result.id}: was scored with the labels {', '.join(labels)}, articles before it with {', '.join(found.labels)};"
            " score all with one model"
        )
    found.labels = labels


def _add(own: Tally, result: ArticleResult, found: Tallies) -> None:
    prose = [sentence for sentence in result.sentences if not sentence.boilerplate]
    loaded: list[str] = []
    officials: list[str] = []
    blamed: list[str] = []
    for sentence in prose:
        for word, evidence in _words(sentence):
            found.words[word] += 1
            if evidence:
                loaded.append(word)
                own.quoted[word] += evidence == "quoted"
        for evidence_span in sentence.evidence:
            names = {"official_claim": officials, "blame_attribution": blamed}.get(evidence_span.label)
            name = normalise_name(evidence_span.text) if names is not None else ""
            if names is not None and name:
                names.append(name)
    own.rows.append(len(prose))
    own.rows.extend(sum(label in sentence.labels for sentence in prose) for label in found.labels)
    own.loaded.add(loaded)
    own.officials.add(officials)
    own.blamed.add(blamed)


def _words(sentence: SentenceResult) -> Iterable[tuple[str, str | None]]:
    """The words of a sentence, casefolded, each with the voice of the loaded term it is part of, or None."""
    spans = [(e.start, e.end, e.voice) for e in sentence.evidence if e.label == "loaded_terminology"]
    for match in _WORD.finditer(sentence.text):
        start, end = match.start() + sentence.start, match.end() + sentence.start
        voice = next((voice for first, last, voice in spans if first < end and start < last), None)
        yield _POSSESSIVE.sub("", match.group().casefold().replace("’", "'")), voice


def normalise_name(text: str) -> str:
    """Who is named, so that small differences of form count as one; "" for a pronoun or nothing.

    In this order: compatibility forms and case folded (Unicode NFKC), apostrophes made straight, white space squeezed;
    then, as long as there are any, articles, demonstratives, possessive pronouns, Mr, Mrs, Ms, Dr and punctuation
    taken from the front, and possessive 's, verbs of saying ("said", "has told") and punctuation from the end. Different
    names of one person ("Orsic", "Pavel Orsic", "the minister") are not brought together.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("’", "'").split())
    before = ""
    while name != before and name not in _NOBODY:
        before = name
        name = _TRAILING.sub("", _LEADING.sub("", name)).strip()
    return "" if name in _NOBODY else name
