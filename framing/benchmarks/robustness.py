"""Changes of a text that should not change its labels: other names for the two sides, other typography and spelling.

Counterfactual swaps as in Garg et al. 2019, "Counterfactual Fairness in Text Classification through Robustness": the
same article is told of one cast and of the cast reversed, and the labels of both tellings are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framing.augmentation import Names, renamed
from framing.classifier import FramingClassifier
from framing.data import LabelledArticle
from framing.evaluation import score_labelled
from framing.metrics import f1_from_counts

Change = Callable[[LabelledArticle], Callable[[str], str]]

#: Which names of the written corpus stand for the two sides of an event, and in which form.
SIDES = Path(__file__).parent.parent / "corpus" / "swaps.json"

_RUSSIA, _UKRAINE = {"noun": "Russia", "adjective": "Russian"}, {"noun": "Ukraine", "adjective": "Ukrainian"}
_ISRAEL, _PALESTINE = {"noun": "Israel", "adjective": "Israeli"}, {"noun": "Palestine", "adjective": "Palestinian"}
_VELDRA, _OSMUNIA = {"noun": "Veldra", "adjective": "Veldran"}, {"noun": "Osmunia", "adjective": "Osmunian"}
_REPUBLICANS = {"noun": "Republicans", "adjective": "Republican", "party": "Republican Party"}
_DEMOCRATS = {"noun": "Democrats", "adjective": "Democratic", "party": "Democratic Party"}
_CASTS: dict[str, tuple[str, Names, Names]] = {
    "Russia and Ukraine": ("states", _RUSSIA, _UKRAINE),
    "Israel and Palestine": ("states", _ISRAEL, _PALESTINE),
    "two invented states": ("states", _VELDRA, _OSMUNIA),
    "Republicans and Democrats": ("parties", _REPUBLICANS, _DEMOCRATS),
}
_OUTLETS = ("Reuters", "Russia Today")

_BRITISH = {
    r"(\w{3,})iz(e|es|ed|ing|ation|ations)\b": r"\1is\2",
    r"\b(colo|labo|hono|favo|neighbo|rumo|behavio|harbo)r": r"\1ur",
    r"\b(defen|offen|licen)se\b": r"\1ce",
    r"\b(travel|cancel|label)(ed|ing)\b": r"\1l\2",
    r"\bcenter": "centre",
    r"\bprogram\b": "programme",
    r"\bgray\b": "grey",
    r"\bskeptic": "sceptic",
}


@dataclass(frozen=True)
class Swap:
    """Outcome of one swap: changed sentences, those of them whose label set flipped, and single labels that flipped."""

    name: str
    sentences: int
    flipped: int
    labels: int
    labels_flipped: int


def swaps(classifier: FramingClassifier, articles: Sequence[LabelledArticle]) -> list[Swap]:
    """Every swap over the articles of the written corpus that it applies to."""
    sides = json.loads(SIDES.read_text(encoding="utf-8"))
    results = []
    for name, (kind, one, other) in _CASTS.items():
        told = [article for article in articles if article.event in sides[kind]]
        results.append(_swap(name, classifier, told, _cast(sides[kind], one, other), _cast(sides[kind], other, one)))
    named = [a for a in articles if a.outlet and any(a.outlet in s.text for s in a.sentences)]
    first, second = ((lambda article, to=to: lambda text: renamed(text, {article.outlet: to})) for to in _OUTLETS)
    results.append(_swap("outlet named Reuters or Russia Today", classifier, named, first, second))
    return results


def _cast(events: Mapping[str, list[Names]], one: Names, other: Names) -> Change:
    """Gives the first side of an event the names `one`, and the second the names `other`."""

    def change(article: LabelledArticle) -> Callable[[str], str]:
        forms = zip(events[article.event], (one, other), strict=True)
        names = {name: to[form] for side, to in forms for name, form in side.items()}
        return lambda text: renamed(text, names)

    return change


def _swap(name: str, classifier: FramingClassifier, articles: list[LabelledArticle], first: Change, second: Change) -> Swap:
    tellings = [[_changed(article, change(article)) for article in articles] for change in (first, second)]
    scored = [[pair for _, pairs in score_labelled(classifier, told) for pair in pairs] for told in tellings]
    pairs = [(one.labels, two.labels) for (a, one), (b, two) in zip(*scored, strict=True) if a.text != b.text]
    single = sum(len(set(one) ^ set(two)) for one, two in pairs)
    return Swap(name, len(pairs), sum(set(one) != set(two) for one, two in pairs), len(pairs) * len(classifier.labels), single)


def _changed(article: LabelledArticle, change: Callable[[str], str]) -> LabelledArticle:
    """The article with changed texts. Evidence is dropped: its offsets no longer fit."""
    sentences = [s.model_copy(update={"text": change(s.text), "evidence": {}}) for s in article.sentences]
    return article.model_copy(update={"sentences": sentences})


def _typographic(text: str) -> str:
    return re.sub(r'"([^"]*)"', "“\\1”", text).replace("'", "’")


def _straight(text: str) -> str:
    return re.sub("[“”„«»]", '"', text).replace("’", "'").replace("‘", "'")


def _british(text: str) -> str:
    for pattern, replacement in _BRITISH.items():
        text = re.sub(pattern, replacement, text)
    return text


FORMATS: dict[str, Callable[[LabelledArticle], LabelledArticle]] = {
    "as it is": lambda article: article,
    "headline in capitals": lambda article: article.model_copy(
        update={"sentences": [_changed(article, str.upper).sentences[0], *article.sentences[1:]]}
    ),
    "no punctuation": lambda article: _changed(article, lambda text: re.sub(r"[.,;:!?]+(?=\s|$)", "", text) or text),
    "typographic quotes": lambda article: _changed(article, _typographic),
    "straight quotes": lambda article: _changed(article, _straight),
    "British spelling": lambda article: _changed(article, _british),
}


def macro_f1(classifier: FramingClassifier, articles: Sequence[LabelledArticle]) -> float:
    """Mean F1 over the labels, 0…1."""
    pairs = [pair for _, pairs in score_labelled(classifier, articles) for pair in pairs]
    truths = np.array([[label in s.labels for label in classifier.labels] for s, _ in pairs])
    given = np.array([[label in r.labels for label in classifier.labels] for _, r in pairs])
    return float(f1_from_counts((truths & given).sum(0), (~truths & given).sum(0), (truths & ~given).sum(0)).mean())
