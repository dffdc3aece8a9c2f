"""The groups of a comparison tested against each other, or each against all other articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from framing.compare.statistics import Floats, bootstrap_sums, holm, interval, permutation_test, shares, sign_flip_test

#: With more groups than this each is compared with all other articles, not with each other group.
MAX_PAIRED_GROUPS = 8

#: Draws behind an interval.
RESAMPLES = 2_000
#: At least this many shuffles; more where the correction needs smaller p-values (`_PERMUTATIONS_EACH` a comparison).
PERMUTATIONS = 9_999
_PERMUTATIONS_EACH = 40


@dataclass(frozen=True)
class Difference:
    """One test: `first` against `second`, or against all other articles where that is None.

    `difference` is the first share minus the second (-1…1), `low` and `high` its 95 % interval, uncorrected;
    `p_corrected` is `p` after Holm's correction over all tests of the comparison. In a paired test `events` counts the
    events that both report, and the shares are those of their articles on these.
    """

    measure: str
    first: str
    second: str | None
    first_share: float
    second_share: float
    difference: float
    low: float | None
    high: float | None
    p: float
    p_corrected: float
    events: int | None


@dataclass
class Sample:
    """A group's articles.

    Attributes:
        counts: (articles, measures, 2) numerators and denominators.
        events: per article its event; empty without paired tests.
        drawn: (resamples, measures, 2) bootstrap sums of a group with articles enough, else None.
    """

    counts: Floats
    events: list[str]
    drawn: Floats | None

    @property
    def enough(self) -> bool:
        return self.drawn is not None


@dataclass
class _Side:
    """One side of a comparison: (measures, 2) sums, (resamples, measures, 2) bootstrap sums, and (measures,) how many
    articles (or events) have a denominator."""

    sums: Floats
    drawn: Floats
    with_any: npt.NDArray[np.int64]


def differences(
    samples: dict[str, Sample], measures: Sequence[str], paired: bool, min_articles: int, rng: np.random.Generator
) -> tuple[list[Difference], int]:
    """Every tested difference, p-values corrected for their number, and how many shuffles each test took.

    Up to `MAX_PAIRED_GROUPS` groups with articles enough are compared each with each; more, each with all other
    articles (small groups' too). A measure is tested where both sides have `min_articles` articles, or share that many
    events, with anything to count.
    """
    enough = [name for name, sample in samples.items() if sample.enough]
    against_rest = len(enough) > MAX_PAIRED_GROUPS
    names: list[tuple[str, str | None]] = [(name, None) for name in enough] if against_rest else list(combinations(enough, 2))
    permutations = max(PERMUTATIONS, _PERMUTATIONS_EACH * len(names) * len(measures))
    found: list[Difference] = []

    def add(first: str, second: str | None, sides: tuple[_Side, _Side], p: Floats, events: int | None = None) -> None:
        left, right = (shares(side.sums) for side in sides)
        spread = shares(sides[0].drawn) - shares(sides[1].drawn)
        for i, measure in enumerate(measures):
            if min(side.with_any[i] for side in sides) >= min_articles:
                low, high = interval(spread[:, i]) or (None, None)
                figures = float(left[i]), float(right[i]), float(left[i] - right[i])
                found.append(Difference(measure, first, second, *figures, low, high, float(p[i]), float(p[i]), events))

    if paired:
        for first, second in names:
            counts = _shared_events(samples, first, second)
            if len(counts) >= min_articles:
                drawn = bootstrap_sums(counts, rng, RESAMPLES)
                p = sign_flip_test(counts[:, 0], counts[:, 1], rng, permutations)
                left, right = (_Side(counts[:, i].sum(0), drawn[:, i], _with_any(counts.min(1))) for i in (0, 1))
                add(first, second, (left, right), p, len(counts))
    elif against_rest:
        sides, everything = _strata(samples, rng)
        p = permutation_test(*everything, rng, permutations)
        for i, name in enumerate(enough):
            add(name, None, (sides[i], _all_but(sides, i)), p[i])
    else:
        for first, second in combinations(enough, 2):
            sides, everything = _strata({name: samples[name] for name in (first, second)}, rng)
            add(first, second, (sides[0], sides[1]), permutation_test(*everything, rng, permutations)[0])
    corrected = holm(np.array([difference.p for difference in found]))
    return [replace(d, p_corrected=float(p)) for d, p in zip(found, corrected, strict=True)], permutations


def _strata(samples: dict[str, Sample], rng: np.random.Generator) -> tuple[list[_Side], tuple[Floats, npt.NDArray[np.int64]]]:
    """A side for each group with articles enough and, last, one for all small groups together; then the counts of all
    articles, and the number of each one's side."""
    small = [sample.counts for sample in samples.values() if not sample.enough]
    counts = [sample.counts for sample in samples.values() if sample.enough] + ([np.concatenate(small)] if small else [])
    drawn = [sample.drawn for sample in samples.values() if sample.drawn is not None]
    drawn += [bootstrap_sums(counts[-1], rng, RESAMPLES)] if small else []
    sides = [_Side(own.sum(0), d, _with_any(own)) for own, d in zip(counts, drawn, strict=True)]
    return sides, (np.concatenate(counts), np.repeat(np.arange(len(counts)), [len(own) for own in counts]))


def _all_but(sides: list[_Side], left_out: int) -> _Side:
    """All other sides as one, each drawn within itself."""
    others = [side for i, side in enumerate(sides) if i != left_out]
    return _Side(
        np.sum([side.sums for side in others], axis=0),
        np.sum([side.drawn for side in others], axis=0),
        np.sum([side.with_any for side in others], axis=0),
    )


def _with_any(counts: Floats) -> npt.NDArray[np.int64]:
    with_any: npt.NDArray[np.int64] = (counts[..., 1] > 0).sum(0)
    return with_any


def _shared_events(samples: dict[str, Sample], first: str, second: str | None) -> Floats:
    """(events, 2, measures, 2): the articles of two groups, or of one and all others, summed over each event that both
    sides report."""
    others = [second] if second is not None else [name for name in samples if name != first]
    sides = [_by_event([samples[first]]), _by_event([samples[name] for name in others])]
    shared = sorted(sides[0].keys() & sides[1].keys())
    shape = (0, 2, *samples[first].counts.shape[1:])
    return np.array([[side[event] for side in sides] for event in shared]).reshape(
        shape if not shared else (len(shared), *shape[1:])
    )


def _by_event(samples: list[Sample]) -> dict[str, Floats]:
    sums: dict[str, Floats] = {}
    for sample in samples:
        for event, counts in zip(sample.events, sample.counts, strict=True):
            sums[event] = sums[event] + counts if event in sums else counts
    return sums
