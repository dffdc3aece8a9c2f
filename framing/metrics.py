"""Measuring: precision, recall, F1 and average precision per label with bootstrap intervals, evidence, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_curve

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Spans = Sequence[tuple[int, int]]

#: Resamples of articles behind a 95 % interval.
RESAMPLES = 1_000

#: Fewer for average precision, which is slow to compute.
AP_RESAMPLES = 200


class FramingMetric(evaluate.Metric):  # type: ignore[misc]
    """Multi-label figures by label name, as a local `evaluate.Metric` (no download).

    `compute(predictions=…, references=…, articles=…)` takes one row a sentence: scores in 0…1 and truths 0/1, both
    (labels,), and the id of its article. Thresholds and label names are given to the constructor.
    """

    def __init__(self, labels: Sequence[str], thresholds: Sequence[float], **options: Any):
        super().__init__(**options)
        self.labels, self.thresholds = list(labels), np.asarray(thresholds)

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.Sequence(datasets.Value("float64")),
            "references": datasets.Sequence(datasets.Value("int8")),
            "articles": datasets.Value("string"),
        }
        return evaluate.MetricInfo(
            description="Multi-label sentence classification with intervals by article.",
            citation="",
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Any, references: Any, articles: Any) -> dict[str, Any]:
        scores, truths = np.asarray(predictions, dtype=float), np.asarray(references, dtype=bool)
        return classification_figures(self.labels, scores, truths, self.thresholds, list(articles))


def f1_from_counts(tp: npt.NDArray[Any], fp: npt.NDArray[Any], fn: npt.NDArray[Any]) -> Floats:
    """F1 from counts of any shape; 0 where nothing is predicted and nothing true."""
    f1: Floats = np.divide(2 * tp, 2 * tp + fp + fn, out=np.zeros(np.shape(tp)), where=(2 * tp + fp + fn) > 0)
    return f1


def classification_figures(
    labels: Sequence[str], scores: Floats, truths: Bools, thresholds: Floats, articles: Sequence[str], seed: int = 13
) -> dict[str, Any]:
    """Figures of scored sentences.

    Args:
        scores: (sentences, labels) in 0…1; `truths` (sentences, labels); `thresholds` (labels,).
        articles: the article of each sentence; the bootstrap draws whole articles (Efron and Tibshirani 1993).

    Returns:
        `labels` → name → precision, recall, f1, average_precision, support, each interval as `…_95`; `macro`, `micro`.
    """
    predicted = scores >= thresholds
    _, group = np.unique(np.asarray(articles), return_inverse=True)
    counts = np.zeros((group.max() + 1, 3, len(labels)))
    for row, hits in enumerate((predicted & truths, predicted & ~truths, ~predicted & truths)):
        np.add.at(counts[:, row], group, hits)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=RESAMPLES)
    resampled = f1_from_counts(*np.moveaxis(np.einsum("ra,acl->rcl", draws, counts), 1, 0))
    micro = f1_from_counts(*np.einsum("ra,ac->cr", draws, counts.sum(-1)))
    ap = [_average_precision(truths[:, i], scores[:, i]) for i in range(len(labels))]
    ap_draws = np.array(
        [
            [_average_precision(truths[:, i], scores[:, i], draw[group].astype(float)) for i in range(len(labels))]
            for draw in draws[:AP_RESAMPLES]
        ]
    )
    tp, fp, fn = counts.sum(0)
    f1 = f1_from_counts(tp, fp, fn)
    per_label = {
        label: {
            "precision": float(tp[i] / max(1, tp[i] + fp[i])),
            "recall": float(tp[i] / max(1, tp[i] + fn[i])),
            "f1": float(f1[i]),
            "f1_95": _interval(resampled[:, i]),
            "average_precision": ap[i],
            "average_precision_95": _interval(ap_draws[:, i]),
            "support": int(tp[i] + fn[i]),
        }
        for i, label in enumerate(labels)
    }
    return {
        "labels": per_label,
        "macro": {
            "f1": float(f1.mean()),
            "f1_95": _interval(resampled.mean(1)),
            "average_precision": float(np.mean(ap)),
            "average_precision_95": _interval(ap_draws.mean(1)),
        },
        "micro": {"f1": float(f1_from_counts(tp.sum(), fp.sum(), fn.sum())), "f1_95": _interval(micro)},
        "sentences": len(scores),
        "articles": len(counts),
    }


def _average_precision(truth: Bools, score: Floats, weight: Floats | None = None) -> float:
    present = truth.any() if weight is None else weight[truth].any()
    return min(1.0, float(average_precision_score(truth, score, sample_weight=weight))) if present else 0.0  # it rounds above 1


def _interval(values: Floats) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


def span_figures(predicted: Sequence[Spans], expected: Sequence[Spans]) -> dict[str, float]:
    """Precision, recall and F1 of spans by character overlap, over aligned lists of sentences.

    As in SemEval-2020 task 11 (Da San Martino et al. 2020): each span counts by the share of it that is covered.
    """

    def covered(spans: Spans, by: Spans) -> list[float]:
        inside = {i for start, end in by for i in range(start, end)}
        return [len(inside.intersection(range(start, end))) / (end - start) for start, end in spans]

    precision = [share for p, e in zip(predicted, expected, strict=True) for share in covered(p, e)]
    recall = [share for p, e in zip(predicted, expected, strict=True) for share in covered(e, p)]
    mean_precision = float(np.mean(precision)) if precision else 0.0
    mean_recall = float(np.mean(recall)) if recall else 0.0
    total = mean_precision + mean_recall
    f1 = 2 * mean_precision * mean_recall / total if total else 0.0
    return {"precision": mean_precision, "recall": mean_recall, "f1": f1, "predicted": len(precision), "expected": len(recall)}


def reliability_bins(scores: Floats, truths: Bools, bins: int = 10) -> list[dict[str, float]]:
    """(sentences,) scores in equal-width bins: the `count` of each that is not empty, its mean `score`, and the `rate`
    of those that are true."""
    index = np.minimum((scores * bins).astype(int), bins - 1)
    members = [index == b for b in np.unique(index)]
    return [{"count": int(m.sum()), "score": float(scores[m].mean()), "rate": float(truths[m].mean())} for m in members]


def expected_calibration_error(scores: Floats, truths: Bools) -> float:
    """Mean distance between score and truth rate over `reliability_bins`, weighted by size (Naeini et al. 2015; Guo et
    al. 2017)."""
    return sum(abs(b["score"] - b["rate"]) * b["count"] for b in reliability_bins(scores, truths)) / len(scores)


def precision_curve(scores: Floats, truths: Bools, points: int = 51) -> list[tuple[float, float, float]]:
    """`(threshold, precision, recall)` of the highest threshold that reaches each of evenly spread recalls, thresholds
    rising; empty where nothing is true."""
    if not truths.any():
        return []
    precision, recall, threshold = precision_recall_curve(truths, scores)  # recall falls from 1 to a last, empty prediction's 0
    reached = {int(np.flatnonzero(recall[:-1] >= level)[-1]) for level in np.linspace(0, 1, points)}
    return [(float(threshold[i]), float(precision[i]), float(recall[i])) for i in sorted(reached)]


def krippendorff_alpha(first: Bools, second: Bools) -> float:
    """Krippendorff's alpha of two complete readings of the same (sentences,) yes-or-no question (Krippendorff 2011,
    nominal metric): 1 for perfect agreement, 0 for what chance gives, below that for less."""
    values = np.concatenate([first, second])
    total, positive = len(values), int(values.sum())
    if positive in (0, total):
        return 1.0
    observed = np.mean(first != second)
    expected = 2 * positive * (total - positive) / (total * (total - 1))
    return float(1 - observed / expected)
