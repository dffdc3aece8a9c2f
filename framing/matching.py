"""Articles that tell the same event, among scored ones: by a field, by their titles, or by date and text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

import numpy as np
import numpy.typing as npt

from framing.results import ArticleResult
from framing.similarity import Similarity, best_first

#: Titles and texts at least this similar (0…1) tell the same event; chosen on the training part of the written corpus
#: (`scripts/alignment.py`): for texts by F1, for titles, which share few words, by precision.
TITLE_THRESHOLD, TEXT_THRESHOLD = 0.20, 0.11

#: Articles on one event are at most this many days apart.
MOST_DAYS = 7


class Match(str, Enum):
    """How articles on the same event are found."""

    event = "event"
    title = "title"
    date = "date"


@dataclass(frozen=True)
class Account:
    """One article on an event; `group` is its value of the field that is compared, as the outlet."""

    group: str
    article: ArticleResult


@dataclass(frozen=True)
class Event:
    """Accounts of one event, of two groups or more, ordered by group."""

    name: str
    accounts: list[Account]


@dataclass(frozen=True)
class Matching:
    """The events found, and how many articles are in none: because nothing matched, or because they were not scored or
    lack what matching needs (a sentence, the field that is compared, the event, title or date)."""

    events: list[Event]
    unmatched: int
    unusable: int


def match_events(results: Iterable[ArticleResult], match: Match, by: str) -> Matching:
    """Find the events that articles with at least two values of the field `by` tell.

    By `event`: the same value of that field. By `title`: titles whose words are alike. By `date`: dates at most
    `MOST_DAYS` apart and texts whose words are alike. Memory grows with the square of the number of articles.
    """
    results = list(results)
    usable = [
        Account(group, result)
        for result in results
        if not result.error and (group := field_value(result, by)) and prose(result) and _key(result, match)
    ]
    found = [sorted((usable[i] for i in members), key=lambda account: account.group) for members in _groups(usable, match)]
    events = [Event(_name(accounts, match), accounts) for accounts in found if len({a.group for a in accounts}) > 1]
    matched = sum(len(event.accounts) for event in events)
    return Matching(events, len(usable) - matched, len(results) - len(usable))


def field_value(result: ArticleResult, name: str) -> str | None:
    """A field of a record as text: one of its own, or one under `meta`; None where it is missing or empty."""
    own = name in ("id", "source", "title", "url", "outlet", "date", "model")
    value = getattr(result, name) if own else result.meta.get(name)
    return None if value is None or value == "" else str(value)


def prose(result: ArticleResult) -> str:
    """The sentences of an article that are not boilerplate, joined."""
    return "\n".join(sentence.text for sentence in result.sentences if not sentence.boilerplate).strip()


def _key(result: ArticleResult, match: Match) -> str | date | None:
    return _day(result) if match is Match.date else field_value(result, match.value)


def _day(result: ArticleResult) -> date | None:
    """The date of an article, where it opens with one as 2031-05-09."""
    try:
        return date.fromisoformat((result.date or "")[:10])
    except ValueError:
        return None


def _groups(accounts: list[Account], match: Match) -> list[list[int]]:
    articles = [account.article for account in accounts]
    if match is Match.event:
        by_event: dict[str, list[int]] = {}
        for number, article in enumerate(articles):
            by_event.setdefault(field_value(article, "event") or "", []).append(number)
        return list(by_event.values())
    if match is Match.title:
        texts, threshold = [article.title or "" for article in articles], TITLE_THRESHOLD
        apart: npt.NDArray[np.bool_] = np.zeros((len(texts), len(texts)), bool)
    else:
        texts, threshold = [prose(article) for article in articles], TEXT_THRESHOLD
        days = np.array([day.toordinal() for article in articles if (day := _day(article))], np.int64)
        apart = np.abs(days[:, None] - days) > MOST_DAYS
    return best_first(Similarity(texts).matrix(texts), threshold, apart)


def _name(accounts: list[Account], match: Match) -> str:
    first = accounts[0].article
    return (field_value(first, "event") if match is Match.event else None) or first.title or first.id or first.source
