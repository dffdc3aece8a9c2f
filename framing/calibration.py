"""Logits of the validation split → calibrated probabilities, thresholds and operating curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from framing.data import LabelledArticle, LabelledSentence
from framing.evidence import evidence_spans
from framing.metrics import precision_curve, span_figures
from framing.model_folder import BOILERPLATE, LabelSettings, Settings
from framing.runtime import SentenceLogits, WindowRunner

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_GRID = np.linspace(0.05, 0.95, 181)


def calibrate(label: LabelSettings, logits: Floats, truths: Bools) -> LabelSettings:
    """Fit scale and bias (Platt 1999), the threshold of the best expected F1, and a precision curve for one label.

    Args:
        logits, truths: (sentences,) of the validation split.

    With fewer than two sentences of either kind the label keeps its defaults.
    """
    positive, negative = truths.sum(), (~truths).sum()
    if min(positive, negative) < 2:
        return label
    # Platt's targets instead of 0 and 1: few sentences that happen to be separable must not make every score extreme.
    target = np.where(truths, (positive + 1) / (positive + 2), 1 / (negative + 2))
    both, weights = np.repeat([True, False], len(logits)), np.concatenate([target, 1 - target])
    fit = LogisticRegression(C=1e6).fit(np.tile(logits, 2)[:, None], both, sample_weight=weights)
    scale, bias = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if scale <= 0:  # the logit says nothing about this label, so there is nothing to calibrate
        return label
    scores = 1 / (1 + np.exp(-(scale * logits + bias)))
    return label.model_copy(
        update={
            "scale": scale,
            "bias": bias,
            "threshold": best_threshold(scores),
            "precision_curve": [tuple(round(value, 4) for value in point) for point in precision_curve(scores, truths)],
        }
    )


def best_threshold(scores: Floats) -> float:
    """The threshold with the highest F1 to be expected if the (sentences,) scores are probabilities.

    Needs no labels once scores are calibrated (Lipton, Elkan and Naryanaswamy 2014), so it does not chase the few
    sentences near it: on the development articles it was as good as the empirical optimum, and steadier. The result
    lies between 0.05 and 0.95.
    """
    fired = scores[:, None] >= _GRID
    expected = 2 * (scores[:, None] * fired).sum(0) / (fired.sum(0) + scores.sum())
    return float(np.median(_GRID[expected >= expected.max() - 1e-9]).round(3))  # the middle, where several are best


def calibrate_settings(runner: WindowRunner, articles: Sequence[LabelledArticle]) -> Settings:
    """The settings of a trained model with every scale, bias and threshold fitted on validation articles."""
    settings = runner.settings
    rows = [row for article in articles for row in _scored(runner, article)]
    logits = np.array([row.logits.sentence for row in rows], dtype=float)
    labels = []
    for column, label in enumerate(settings.labels):
        truths = np.array([label.name in row.sentence.labels for row in rows])
        fitted = calibrate(label, logits[:, column], truths)
        positive = [row for row, truth in zip(rows, truths, strict=True) if truth]
        labels.append(fitted.model_copy(update={"evidence_threshold": _evidence_threshold(positive, label.name, column)}))
    changes: dict[str, object] = {"labels": labels}
    if BOILERPLATE in settings.outputs:
        furniture = np.array([row.sentence.boilerplate for row in rows])
        scores = 1 / (1 + np.exp(-logits[:, settings.outputs.index(BOILERPLATE)]))
        changes["boilerplate_threshold"] = best_threshold(scores) if furniture.any() else 0.5
    return settings.model_copy(update=changes)


@dataclass(frozen=True)
class _Row:
    sentence: LabelledSentence
    logits: SentenceLogits


def _scored(runner: WindowRunner, article: LabelledArticle) -> Iterator[_Row]:
    futures = runner.submit([sentence.text for sentence in article.sentences])
    logits = [one for future in futures for one in future.result()]
    for sentence, one in zip(article.sentences, logits, strict=True):
        if sentence.annotated:
            yield _Row(sentence, one)


def _evidence_threshold(rows: Sequence[_Row], label: str, column: int) -> float:
    """The word threshold whose spans overlap best with the marked ones, over sentences that carry the label."""
    expected = [row.sentence.evidence.get(label, []) for row in rows]
    if not any(expected):
        return 0.5
    scores = [(1 / (1 + np.exp(-row.logits.tokens[:, column]))).tolist() for row in rows]

    def overlap(threshold: float) -> float:
        spans = [
            [(start, end) for start, end, _ in evidence_spans(row.sentence.text, row.logits.encoded.offsets, score, threshold)]
            for row, score in zip(rows, scores, strict=True)
        ]
        return span_figures(spans, expected)["f1"]

    return max((round(float(t), 2) for t in np.arange(0.1, 0.75, 0.05)), key=overlap)
