"""Counts per group → what differs between the groups, with intervals, tests and typical words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from framing.compare.differences import RESAMPLES, Difference, Sample, differences
from framing.compare.statistics import Floats, bootstrap_sums, interval, log_odds, shares
from framing.compare.tallies import Names, Tallies
from framing.labels import VERIFICATION

#: A group (or, in a paired test, the events shared by two) below this gets neither interval nor test. Even at 10 the
#: 95 % intervals are somewhat narrow: simulated, they missed the true difference in 8 to 14 of 100 cases.
MIN_ARTICLES = 10

#: The prior of the word comparison: this share of the counts of all groups' loaded terms together, so that it pulls every
#: group towards the others. A prior from all prose made "the" typical of each group that has few loaded terms.
PRIOR_WEIGHT = 0.1

#: How many words and names a group's lists hold at most.
TOP = 10

#: A word is listed as typical from this z-score on, if this many articles of the group use it in a loaded term and this
#: share of its uses in all prose is in loaded terms ("of" and "on" stay below it).
MIN_Z = 1.96
MIN_WORD_ARTICLES = 3
MIN_LOADED_RATE = 0.05

#: The share of official claims that stand in an article without any `independent_verification` sentence.
UNVERIFIED = "unverified_claims"
_OFFICIAL = "official_claim"


@dataclass(frozen=True)
class Share:
    """`count` of `total` sentences (for `unverified_claims`: of official claims) in `articles` articles that have any.

    `share` is in 0…1, None without a total; `low` and `high` are its 95 % interval, None with too few articles or where
    the share is 0 or 1.
    """

    measure: str
    count: int
    total: int
    articles: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Word:
    """A word of loaded terms that is typical of a group against all others: log-odds ratio and z-score, `count` in
    `articles` of the group's articles, `quoted` of them inside quotation marks."""

    word: str
    count: int
    quoted: int
    articles: int
    log_odds: float
    z: float


@dataclass(frozen=True)
class Name:
    """A normalised name and how often, and in how many articles, the group's evidence holds it."""

    name: str
    mentions: int
    articles: int


@dataclass(frozen=True)
class Group:
    """One value of the field. `enough` says whether it has articles enough for intervals and tests."""

    name: str
    articles: int
    sentences: int
    enough: bool
    shares: list[Share]
    words: list[Word]
    officials: list[Name]
    blamed: list[Name]


@dataclass(frozen=True)
class Comparison:
    """All that is known of the groups, in order of name, and what the figures rest on."""

    by: str
    pair: str | None
    measures: list[str]
    groups: list[Group]
    differences: list[Difference]
    models: list[str]
    not_scored: int
    without_field: int
    without_event: int
    duplicates: int
    min_articles: int
    seed: int
    resamples: int
    permutations: int


def measure_counts(rows: Floats, labels: Sequence[str]) -> tuple[list[str], Floats]:
    """The measures' names, and (articles, measures, 2) numerators and denominators of (articles, 1 + labels) counts.

    Every label's sentences among all, and `unverified_claims`, where the labels allow it: official claims of articles
    in which no sentence says whether a claim stands up, whatever it says, among all official claims.
    """
    names = list(labels)
    measures = [np.stack([rows[:, 1 + i], rows[:, 0]], axis=-1) for i in range(len(labels))]
    if {_OFFICIAL, VERIFICATION} <= set(labels):
        official, verified = rows[:, 1 + names.index(_OFFICIAL)], rows[:, 1 + names.index(VERIFICATION)]
        names.append(UNVERIFIED)
        measures.append(np.stack([official * (verified == 0), official], axis=-1))
    return names, np.stack(measures, axis=1)


def compare(tallies: Tallies, by: str, pair: str | None = None, min_articles: int = MIN_ARTICLES, seed: int = 13) -> Comparison:
    """Shares per group with intervals, tested differences, typical loaded words, and who is blamed or passes as official.

    Args:
        by: the field that made the groups; `pair` the one that named the events, for paired tests.
        min_articles: see `MIN_ARTICLES`; at least 2.
        seed: of all random draws; the same input and seed give the same figures.
    """
    rng = np.random.default_rng(seed)
    measures: list[str] = []
    samples: dict[str, Sample] = {}
    for name, own in tallies.groups.items():
        measures, counts = measure_counts(own.counts(len(tallies.labels)), tallies.labels)
        drawn = bootstrap_sums(counts, rng, RESAMPLES) if len(counts) >= min_articles else None
        samples[name] = Sample(counts, own.events, drawn)
    found, permutations = differences(samples, measures, pair is not None, min_articles, rng)
    words = _typical_words(tallies, [name for name, sample in samples.items() if sample.enough])
    return Comparison(
        by=by,
        pair=pair,
        measures=measures,
        groups=[
            Group(
                name=name,
                articles=len(sample.counts),
                sentences=int(sample.counts[:, 0, 1].sum()),
                enough=sample.enough,
                shares=_shares(sample, measures, min_articles),
                words=words.get(name, []),
                officials=_most_named(tallies.groups[name].officials),
                blamed=_most_named(tallies.groups[name].blamed),
            )
            for name, sample in samples.items()
        ],
        differences=found,
        models=tallies.models,
        not_scored=tallies.not_scored,
        without_field=tallies.without_field,
        without_event=tallies.without_event,
        duplicates=tallies.duplicates,
        min_articles=min_articles,
        seed=seed,
        resamples=RESAMPLES,
        permutations=permutations,
    )


def _shares(sample: Sample, measures: list[str], min_articles: int) -> list[Share]:
    sums, articles = sample.counts.sum(0), (sample.counts[..., 1] > 0).sum(0)
    known = shares(sums)
    result = []
    for i, measure in enumerate(measures):
        bounds = interval(shares(sample.drawn)[:, i]) if sample.drawn is not None and articles[i] >= min_articles else None
        low, high = bounds or (None, None)
        share = None if np.isnan(known[i]) else float(known[i])
        result.append(Share(measure, int(sums[i, 0]), int(sums[i, 1]), int(articles[i]), share, low, high))
    return result


def _typical_words(tallies: Tallies, enough: list[str]) -> dict[str, list[Word]]:
    """For each group the words of loaded terms that it uses more than all others do (`log_odds`), the surest first."""
    pooled = sum((own.loaded.mentions for own in tallies.groups.values()), Counter())
    vocabulary = sorted(pooled)
    total = np.array([pooled[word] for word in vocabulary], dtype=float)
    loaded_rate = total / np.array([tallies.words[word] for word in vocabulary], dtype=float)
    result: dict[str, list[Word]] = {}
    for name in enough if len(tallies.groups) > 1 and vocabulary else []:
        own = tallies.groups[name]
        counts = np.array([own.loaded.mentions[word] for word in vocabulary], dtype=float)
        ratio, z = log_odds(counts, total - counts, PRIOR_WEIGHT * total)
        typical = (z >= MIN_Z) & (loaded_rate >= MIN_LOADED_RATE)
        words = [
            Word(word, int(counts[i]), own.quoted[word], own.loaded.articles[word], float(ratio[i]), float(z[i]))
            for i in np.argsort(-z, kind="stable")
            if typical[i] and own.loaded.articles[word := vocabulary[i]] >= MIN_WORD_ARTICLES
        ]
        result[name] = words[:TOP]
    return result


def _most_named(names: Names) -> list[Name]:
    ranked = sorted(names.mentions.items(), key=lambda item: (-names.articles[item[0]], -item[1], item[0]))
    return [Name(name, mentions, names.articles[name]) for name, mentions in ranked[:TOP]]
