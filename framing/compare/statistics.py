"""Shares over articles: bootstrap intervals, permutation tests, Holm's correction; words by weighted log-odds.

The unit that is drawn, shuffled or flipped is always the article (or the event): sentences of one article are alike,
and to treat them as independent would make every interval too narrow and every p-value too small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Random numbers drawn at a time, which bounds memory.
_CHUNK = 250_000

#: Statistics closer than this are taken for equal, or rounding would decide whether a tie counts.
_TIE = 1e-9

#: A standard error of shares below this is rounding.
_NO_ERROR = 1e-7


def shares(counts: Floats) -> Floats:
    """(…, 2) numerators and denominators → (…) shares, NaN where the denominator is 0."""
    share: Floats = np.divide(counts[..., 0], counts[..., 1], out=np.full(counts.shape[:-1], np.nan), where=counts[..., 1] > 0)
    return share


def bootstrap_sums(counts: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Sums over articles drawn anew with replacement: the cluster bootstrap (Efron and Tibshirani 1993; Davison and
    Hinkley 1997, section 3.8).

    Args:
        counts: (articles, …), at least one article.

    Returns:
        (resamples, …).
    """
    articles = len(counts)
    flat = counts.reshape(articles, -1)
    even = np.full(articles, 1 / articles)
    sums = [rng.multinomial(articles, even, size=rows) @ flat for rows in _chunks(resamples, articles)]
    return np.concatenate(sums).reshape(resamples, *counts.shape[1:])


def interval(values: Floats) -> tuple[float, float] | None:
    """The 95 % percentile interval of (resamples,) values, NaNs left out.

    None where nothing is left, or where all are the same: a sample without a single hit says nothing about its spread.
    """
    known = values[~np.isnan(values)]
    if not known.size or known.min() == known.max():
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def permutation_test(counts: Floats, groups: Ints, rng: np.random.Generator, permutations: int) -> Floats:
    """Two-sided p-values for the difference in shares of each group against all other articles.

    Articles are shuffled over the groups, whose sizes stay. The statistic is the difference in shares over its
    standard error: without the division a small group of uneven articles against a large one gives far more than 5 %
    false positives (Chung and Romano 2013). The standard error is the linearised one of a ratio (Cochran 1977,
    chapter 6). The p-value counts the observed order among the shuffled ones (Phipson and Smyth 2010), so it is never 0.

    Args:
        counts: (articles, measures, 2) numerators and denominators.
        groups: (articles,) numbers of the groups, 0…G-1, each with at least one article; G at least 2.

    Returns:
        (G, measures). With two groups both rows say the same.
    """
    numerator, denominator = counts[..., 0], counts[..., 1]
    moments = np.stack([numerator, denominator, numerator**2, numerator * denominator, denominator**2], axis=-1)
    flat, total = moments.reshape(len(moments), -1), moments.sum(0)
    sizes = np.bincount(groups)
    ends = np.cumsum(sizes)

    def statistics(order: Ints) -> Floats:
        """(rows, articles) → (rows, G, measures): the articles of a row in order, group after group."""
        sums = np.zeros((len(order), len(sizes), *total.shape))
        for group, (size, end) in enumerate(zip(sizes, ends, strict=True)):
            members = np.zeros(order.shape)
            np.put_along_axis(members, order[:, end - size : end], 1.0, axis=1)
            sums[:, group] = (members @ flat).reshape(-1, *total.shape)
        return _difference_over_error(sums, total - sums, sizes)

    observed = statistics(np.argsort(groups, kind="stable")[None])[0]
    extreme = np.ones_like(observed)
    for rows in _chunks(permutations, len(groups)):
        order = rng.permuted(np.tile(np.arange(len(groups)), (rows, 1)), axis=1)
        extreme += _as_extreme(statistics(order), observed)
    p_values: Floats = extreme / (permutations + 1)
    return p_values


def _difference_over_error(first: Floats, second: Floats, sizes: Ints) -> Floats:
    """Absolute differences of shares over their standard errors, from (rows, G, measures, 5) sums of moments.

    `sizes` (G,) counts the articles of `first`; those of `second` are the rest.
    """
    variance = np.zeros(first.shape[:-1])
    share = []
    for sums, articles in ((first, sizes), (second, sizes.sum() - sizes)):
        ratio = shares(sums)
        squares = sums[..., 2] - 2 * ratio * sums[..., 3] + ratio**2 * sums[..., 4]
        correction = (articles / np.maximum(articles - 1, 1))[None, :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            variance += np.maximum(squares, 0) / sums[..., 1] ** 2 * correction
        share.append(ratio)
    difference = np.abs(share[0] - share[1])
    error = np.sqrt(variance)
    # Where no article departs from its group's share the error is 0: any difference at all is then beyond measure. So is
    # one without a value, for want of a denominator, to be careful.
    without_error = np.where(difference <= _NO_ERROR, 0, np.inf)
    return np.where(error > _NO_ERROR, difference / np.maximum(error, _NO_ERROR), without_error)


def sign_flip_test(first: Floats, second: Floats, rng: np.random.Generator, permutations: int) -> Floats:
    """Two-sided p-values for the difference in shares of two groups that tell the same events: in each event the two
    groups swap their articles at random (the paired permutation test; Good 2005).

    Args:
        first, second: (events, measures, 2), row by row the same event.

    Returns:
        (measures,).
    """
    flat_first, swapped = first.reshape(len(first), -1), (second - first).reshape(len(first), -1)
    total = first.sum(0) + second.sum(0)
    observed = np.abs(shares(first.sum(0)) - shares(second.sum(0)))
    extreme = np.ones_like(observed)
    for rows in _chunks(permutations, len(first)):
        flips = rng.integers(0, 2, size=(rows, len(first))).astype(float)
        sums = (flat_first.sum(0) + flips @ swapped).reshape(rows, *total.shape)
        extreme += _as_extreme(np.abs(shares(sums) - shares(total - sums)), observed)
    return extreme / (permutations + 1)


def _as_extreme(shuffled: Floats, observed: Floats) -> Any:
    """How many rows are at least as extreme; one without a value (no denominator) counts as such, to be careful."""
    with np.errstate(invalid="ignore"):
        return (~(shuffled < observed * (1 - _TIE))).sum(0)


def holm(p_values: Floats) -> Floats:
    """(comparisons,) p-values corrected for their number: the step-down method of Holm (1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1, np.maximum.accumulate(p_values[order] * factors))
    return corrected


def log_odds(first: Floats, second: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """How typical each word is of the first text against the second: the log-odds ratio with an informative Dirichlet
    prior and its z-score (Monroe, Colaresi and Quinn 2008, "Fightin' Words").

    Args:
        first, second: (words,) counts; `prior` (words,) pseudo-counts, all over 0.

    Returns:
        (words,) log-odds ratios and z-scores, positive where a word is more typical of the first.
    """

    def odds(counts: Floats) -> Floats:
        smoothed = counts + prior
        result: Floats = np.log(smoothed / (smoothed.sum() - smoothed))
        return result

    ratio = odds(first) - odds(second)
    return ratio, ratio / np.sqrt(1 / (first + prior) + 1 / (second + prior))


def _chunks(rows: int, width: int) -> Iterator[int]:
    """Numbers of rows that add up to `rows`, each small enough for `_CHUNK` numbers of `width` columns."""
    step = max(1, _CHUNK // max(1, width))
    for start in range(0, rows, step):
        yield min(step, rows - start)
