"""Figures against independent computations and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from framing.calibration import best_threshold, calibrate
from framing.metrics import (
    FramingMetric,
    expected_calibration_error,
    krippendorff_alpha,
    precision_curve,
    reliability_bins,
    span_figures,
)
from framing.model_folder import LabelSettings


def test_figures_agree_with_scikit_learn_and_intervals_hold_them() -> None:
    rng = np.random.default_rng(3)
    truths = rng.random((300, 2)) < [0.4, 0.1]
    scores = np.clip(truths * 0.3 + rng.random((300, 2)) * 0.7, 0, 1)
    articles = [f"a{i // 6}" for i in range(300)]
    figures = FramingMetric(["x", "y"], [0.5, 0.6]).compute(predictions=scores, references=truths.astype(int), articles=articles)
    assert figures is not None
    for i, (label, threshold) in enumerate((("x", 0.5), ("y", 0.6))):
        row = figures["labels"][label]
        assert row["f1"] == pytest.approx(f1_score(truths[:, i], scores[:, i] >= threshold))
        assert row["average_precision"] == pytest.approx(average_precision_score(truths[:, i], scores[:, i]))
        assert row["f1_95"][0] < row["f1"] < row["f1_95"][1]
        assert row["support"] == truths[:, i].sum()
    predicted = scores >= [0.5, 0.6]
    assert figures["macro"]["f1"] == pytest.approx(f1_score(truths, predicted, average="macro"))
    assert figures["micro"]["f1"] == pytest.approx(f1_score(truths, predicted, average="micro"))
    assert (figures["sentences"], figures["articles"]) == (300, 50)


def test_a_label_nobody_carries_is_zero_not_an_error() -> None:
    figures = FramingMetric(["x"], [0.5]).compute(predictions=[[0.1], [0.2]], references=[[0], [0]], articles=["a", "b"])
    assert figures is not None
    assert figures["labels"]["x"]["f1"] == figures["labels"]["x"]["average_precision"] == 0.0


def test_span_overlap() -> None:
    figures = span_figures([[(0, 10)], []], [[(0, 5)], [(2, 4)]])
    assert figures["precision"] == 0.5
    assert figures["recall"] == 0.5
    assert span_figures([[]], [[]])["f1"] == 0.0


def test_calibration_error() -> None:
    truths = np.array([True] * 5 + [False] * 5)
    assert expected_calibration_error(np.full(10, 0.5), truths) == pytest.approx(0.0)
    assert expected_calibration_error(np.full(10, 0.9), truths) == pytest.approx(0.4)
    assert expected_calibration_error(truths.astype(float), truths) == pytest.approx(0.0)


def test_reliability_bins() -> None:
    scores = np.array([0.0, 0.05, 0.1, 0.95, 1.0])
    bins = reliability_bins(scores, np.array([False, True, True, True, True]))
    assert [b["count"] for b in bins] == [2, 1, 2]
    assert [b["score"] for b in bins] == pytest.approx([0.025, 0.1, 0.975])
    assert [b["rate"] for b in bins] == [0.5, 1.0, 1.0]


def test_precision_curve_is_that_of_the_highest_threshold_that_gets_there() -> None:
    rng = np.random.default_rng(8)
    truths = rng.random(400) < 0.1
    scores = (truths * 0.3 + rng.random(400) * 0.7).round(2)  # with ties
    points = precision_curve(scores, truths, points=11)
    expected = []
    for level in np.linspace(0, 1, 11):
        threshold = max(t for t in scores if truths[scores >= t].sum() / truths.sum() >= level)
        found = scores >= threshold
        expected.append((threshold, truths[found].mean(), truths[found].sum() / truths.sum()))
    assert points == [pytest.approx(point) for point in sorted(set(expected))]
    assert precision_curve(scores, np.zeros(400, dtype=bool)) == []


def test_krippendorffs_alpha_of_the_published_example() -> None:
    """The binary example of Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": alpha is 0.095."""
    meg = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], dtype=bool)
    owen = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    assert krippendorff_alpha(meg, owen) == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha(meg, meg) == 1.0


def test_calibrated_scores_meet_the_rates_and_the_threshold_separates() -> None:
    rng = np.random.default_rng(5)
    truths = rng.random(2000) < 0.2
    logits = rng.normal(size=2000) * 2 + truths * 5 - 1
    label = calibrate(LabelSettings(name="x"), logits, truths)
    scores = 1 / (1 + np.exp(-(label.scale * logits + label.bias)))
    assert expected_calibration_error(scores, truths) < 0.025
    best = max(f1_score(truths, scores >= t) for t in np.linspace(0.05, 0.95, 91))
    assert f1_score(truths, scores >= label.threshold) > best - 0.01
    thresholds = [point[0] for point in label.precision_curve]
    assert thresholds == sorted(thresholds)


def test_threshold_of_separable_scores_lies_between_them() -> None:
    truths = np.array([True, False] * 20)
    assert 0.3 < best_threshold(np.where(truths, 0.9, 0.1)) < 0.7


def test_few_separable_examples_do_not_make_scores_extreme() -> None:
    label = calibrate(LabelSettings(name="x"), np.array([2.0, 2.2, 2.4, -2.0, -2.1, -2.3]), np.array([True] * 3 + [False] * 3))
    assert 0.7 < 1 / (1 + np.exp(-(label.scale * 2.2 + label.bias))) < 0.9


def test_too_few_examples_leave_a_label_as_it_was() -> None:
    label = LabelSettings(name="x")
    assert calibrate(label, np.array([1.0, -1.0]), np.array([True, False])) == label
