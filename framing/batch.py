"""Many articles: stream items through a classifier into an output, counting what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from framing.articles import Item
from framing.outputs import Writer
from framing.results import ArticleResult


class Scorer(Protocol):
    """Gives one result an item, in order: a `FramingClassifier`, or processes that hold one."""

    def stream(self, articles: Iterable[Item], /) -> Iterator[ArticleResult]: ...


@dataclass
class Outcome:
    """What a run did: articles scored, their sentences, and the articles that failed by reason code."""

    articles: int = 0
    sentences: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.articles + other.articles, self.sentences + other.sentences, self.errors + other.errors)

    def __str__(self) -> str:
        parts = [f"{self.articles} articles, {self.sentences} sentences scored"]
        if self.errors:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.errors.items()))
            parts.append(f"{self.errors.total()} not scored ({reasons})")
        return "; ".join(parts)


def score_items(items: Iterable[Item], scorer: Scorer, writer: Writer) -> Outcome:
    """Score every item and write its record as it comes, in order; a bad item becomes an error record."""
    outcome = Outcome()
    for result in scorer.stream(items):
        writer.write(result)
        if result.error:
            outcome.errors[result.error["reason"]] += 1
        else:
            outcome.articles += 1
            outcome.sentences += len(result.sentences)
    return outcome
