"""Intervals, tests and corrections against scipy, statsmodels and worked examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from framing.compare.statistics import Floats, bootstrap_sums, holm, interval, log_odds, permutation_test, shares, sign_flip_test


def articles(number: int, length: int, share: float, evenness: float, seed: int) -> Floats:
    """(articles, 1, 2): hits and sentences of articles whose own share scatters around `share`, less with `evenness`."""
    rng = np.random.default_rng(seed)
    sentences = rng.poisson(length, number) + 3
    hits = rng.binomial(sentences, rng.beta(share * evenness, (1 - share) * evenness, number))
    return np.stack([hits, sentences], axis=-1)[:, None].astype(float)


def studentised(first: Any, second: Any, lengths: dict[float, float]) -> Any:
    """The statistic written out anew for scipy: `lengths` leads from a coded article to its sentences."""

    def part(codes: Any) -> tuple[float, float]:
        hits, sentences = np.floor(codes), np.vectorize(lengths.get)(codes)
        ratio = hits.sum() / sentences.sum()
        residuals = hits - ratio * sentences
        return ratio, len(codes) / (len(codes) - 1) * (residuals**2).sum() / sentences.sum() ** 2

    (ratio1, variance1), (ratio2, variance2) = part(first), part(second)
    return abs(ratio1 - ratio2) / np.sqrt(variance1 + variance2)


def test_interval_is_that_of_scipys_bootstrap() -> None:
    counts = articles(40, 20, 0.2, 8, seed=1)
    found = interval(shares(bootstrap_sums(counts, np.random.default_rng(2), 20_000))[:, 0])
    expected = stats.bootstrap(
        (counts[:, 0, 0], counts[:, 0, 1]), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, method="percentile",
        n_resamples=20_000, rng=np.random.default_rng(3),
    ).confidence_interval  # fmt: skip
    assert found == pytest.approx((expected.low, expected.high), abs=0.002)


@pytest.mark.parametrize(("share", "seed"), [(0.3, 1), (0.3, 2), (0.6, 3)])
def test_permutation_test_is_scipys_exact_one(share: float, seed: int) -> None:
    first, second = articles(6, 15, 0.3, 10, seed), articles(5, 8, share, 10, seed + 10)
    groups = np.repeat([0, 1], [6, 5])
    found = permutation_test(np.concatenate([first, second]), groups, np.random.default_rng(0), 20_000)
    codes, lengths = [], {}
    for number, (hits, sentences) in enumerate(np.concatenate([first, second])[:, 0]):
        codes.append(hits + (number + 1) / 100)
        lengths[codes[-1]] = sentences
    exact = stats.permutation_test(
        (codes[:6], codes[6:]), lambda a, b: studentised(a, b, lengths), vectorized=False, n_resamples=np.inf, alternative="greater"
    )
    assert found[:, 0] == pytest.approx([exact.pvalue] * 2, abs=0.015)


def test_each_group_against_the_rest_is_the_test_of_two() -> None:
    parts = [articles(12, 20, share, 10, seed) for seed, share in enumerate([0.2, 0.3, 0.35])]
    everything = np.concatenate(parts)
    groups = np.array([2] * 12 + [0] * 12 + [1] * 12)  # neither in order nor numbered by appearance
    found = permutation_test(everything, groups, np.random.default_rng(0), 4_000)
    for group in range(3):
        alone = permutation_test(everything, (groups == group).astype(int), np.random.default_rng(1), 4_000)
        assert found[group, 0] == pytest.approx(alone[1, 0], abs=0.03)


def test_small_uneven_groups_do_not_differ_too_often() -> None:
    """Without dividing by the standard error this design gives more than 20 % false positives."""
    groups = np.repeat([0, 1], [20, 100])
    found = [
        permutation_test(
            np.concatenate([articles(20, 30, 0.08, 5, seed), articles(100, 30, 0.08, 60, 10_000 + seed)]), groups,
            np.random.default_rng(seed), 199,
        )[0, 0]
        for seed in range(300)
    ]  # fmt: skip
    assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.14


def test_groups_without_any_spread() -> None:
    even = np.array([[[1.0, 10.0]]] * 8 + [[[3.0, 10.0]]] * 8)
    groups = np.repeat([0, 1], 8)
    assert permutation_test(even, groups, np.random.default_rng(0), 999)[0, 0] < 0.005
    assert permutation_test(even[:8], groups[::2], np.random.default_rng(0), 999)[0, 0] == 1


def test_paired_test_is_scipys_exact_one() -> None:
    first, second = articles(9, 20, 0.4, 10, seed=4), articles(9, 12, 0.25, 10, seed=5)
    found = sign_flip_test(first, second, np.random.default_rng(0), 20_000)
    # scipy swaps numbers, so each article becomes the number of its place in a table.
    table = np.concatenate([first, second])[:, 0]

    def difference(a: Any, b: Any) -> float:
        (hits1, sentences1), (hits2, sentences2) = table[a.astype(int)].sum(0), table[b.astype(int)].sum(0)
        return abs(float(hits1 / sentences1 - hits2 / sentences2))

    exact = stats.permutation_test(
        (np.arange(9.0), np.arange(9.0) + 9), difference, permutation_type="samples", vectorized=False, n_resamples=np.inf,
        alternative="greater",
    )  # fmt: skip
    assert found[0] == pytest.approx(exact.pvalue, abs=0.015)


def test_holm_is_that_of_statsmodels() -> None:
    for p_values in ([0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.9], [0.02], [0.001, 0.001, 0.2, 1.0]):
        assert holm(np.array(p_values)) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert holm(np.array([])).size == 0


def test_log_odds_by_hand() -> None:
    """Two words, 3 and 1 times in the first text, 2 and 4 times in the second, prior 1 and 3."""
    ratio, z = log_odds(np.array([3.0, 1.0]), np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    # ln(4/4) − ln(3/7), and its variance 1/4 + 1/3
    assert ratio[0] == pytest.approx(0.8472979)
    assert z[0] == pytest.approx(0.8472979 / 0.7637626)
    assert ratio[1] == pytest.approx(-ratio[0])


def test_log_odds_of_a_published_example() -> None:
    """The example in the documentation of the package fightin_words: two texts of nine words, five of them in both (one
    twice), three only in the one and three only in the other, prior 0.05: z = ±0.6894227886807968."""
    shared, own, none = [2, 1, 1, 1, 1], [1, 1, 1], [0, 0, 0]
    _, z = log_odds(np.array([*shared, *own, *none], dtype=float), np.array([*shared, *none, *own], dtype=float), np.full(11, 0.05))
    assert z == pytest.approx([0] * 5 + [0.6894227886807968] * 3 + [-0.6894227886807968] * 3)


def test_shares_without_a_denominator_are_left_out() -> None:
    assert np.isnan(shares(np.array([0.0, 0.0])))
    assert interval(np.array([np.nan, np.nan])) is None
    assert interval(np.array([np.nan, 0.5, 0.5])) == interval(np.array([0.5, 0.5])) is None
    assert interval(np.array([np.nan, *np.linspace(0, 1, 41)])) == pytest.approx((0.025, 0.975))
