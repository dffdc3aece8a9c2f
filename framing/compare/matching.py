"""Articles that tell the same event, among scored ones: by a field, by their titles, or by date and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from framing.compare.similarity import Similarity, best_first
from framing.compare.tallies import check_field, field_value
from framing.results import ArticleResult

#: The field that names the event, where the user names no other.
EVENT_FIELD = "meta.event"

#: Texts and titles at least this similar (0…1) tell the same event. Real news shares names and topics for months, so these
#: are above what finds most of the invented events of the written corpus (`scripts/alignment.py`): lower, groups of real
#: articles were topics, not events.
TEXT_THRESHOLD, TITLE_THRESHOLD = 0.25, 0.40

#: Articles on one event are at most this many days apart.
MOST_DAYS = 2

#: How articles on the same event are found.
Match = Literal["event", "title", "date"]


@dataclass(frozen=True)
class Account:
    """One article on an event; `group` is its value of the field that is compared, as the outlet."""

    group: str
    article: ArticleResult


@dataclass(frozen=True)
class Event:
    """Accounts of one event by two groups or more, in order of group."""

    name: str
    accounts: list[Account]


@dataclass(frozen=True)
class Matching:
    """The events found, and how many articles are in none of them.

    Attributes:
        unmatched: articles for which there is none of another group on the same event.
        without: articles that lack the field that is compared, or the event, title or date to match by.
        not_scored: articles with an error, or without a sentence that is not boilerplate.
    """

    by: str
    match: Match
    events: list[Event]
    unmatched: int
    without: int
    not_scored: int


def match_events(
    results: Sequence[ArticleResult], match: Match, by: str, event: str = EVENT_FIELD, alike: float | None = None
) -> Matching:
    """Find the events that articles with at least two values of the field `by` tell.

    By `event`: the same value of the field `event`. By `title`: titles whose words are alike, `date`: texts whose words are
    alike, with dates at most `MOST_DAYS` apart; titles match without dates, too. Time and memory grow with the square of
    the number of articles.

    Args:
        alike: the least similarity (0…1) of titles or texts, in place of the threshold for each.

    Raises `FramingError` where a field cannot exist.
    """
    check_field(by)
    check_field(event)
    field = event if match == "event" else match
    scored = [result for result in results if not result.error and prose(result)]
    usable = [Account(group, r) for r in scored if (group := field_value(r, by)) is not None and field_value(r, field) is not None]
    if match == "date":
        usable = [account for account in usable if _day(account.article)]
    articles = [account.article for account in usable]
    found = _same_value(articles, event) if match == "event" else _alike(articles, match, alike)
    events = []
    for members in found:
        accounts = sorted((usable[member] for member in members), key=lambda account: account.group)
        if len({account.group for account in accounts}) > 1:
            events.append(Event(_name(accounts[0].article, event if match == "event" else "title"), accounts))
    matched = sum(len(event.accounts) for event in events)
    return Matching(by, match, events, len(usable) - matched, len(scored) - len(usable), len(results) - len(scored))


def prose(result: ArticleResult) -> str:
    """The sentences of an article that are not boilerplate, joined."""
    return "\n".join(sentence.text for sentence in result.sentences if not sentence.boilerplate).strip()


def _same_value(articles: list[ArticleResult], field: str) -> list[list[int]]:
    groups: dict[str | None, list[int]] = {}
    for number, article in enumerate(articles):
        groups.setdefault(field_value(article, field), []).append(number)
    return list(groups.values())


def _alike(articles: list[ArticleResult], match: Match, alike: float | None) -> list[list[int]]:
    if match == "title":
        texts, threshold = [article.title or "" for article in articles], TITLE_THRESHOLD
    else:
        texts, threshold = [prose(article) for article in articles], TEXT_THRESHOLD
    days = np.array([day.toordinal() if (day := _day(article)) else np.nan for article in articles], np.float64)
    apart = np.abs(days[:, None] - days) > MOST_DAYS  # an undated article is apart from none
    return best_first(Similarity(texts).matrix(texts), threshold if alike is None else alike, apart)


def _day(result: ArticleResult) -> date | None:
    """The date of an article, where it opens with one as 2031-05-09."""
    try:
        return date.fromisoformat((result.date or "")[:10])
    except ValueError:
        return None


def _name(article: ArticleResult, field: str) -> str:
    return field_value(article, field) or article.id or article.source
