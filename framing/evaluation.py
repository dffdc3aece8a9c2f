"""A classifier measured on labelled articles, as users call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framing.articles import Article
from framing.classifier import FramingClassifier
from framing.data import LabelledArticle, LabelledSentence
from framing.labels import VERIFICATION, VERIFICATION_KINDS
from framing.metrics import (
    FramingMetric,
    expected_calibration_error,
    f1_from_counts,
    precision_curve,
    reliability_bins,
    span_figures,
)
from framing.model_folder import ONNX
from framing.results import SentenceResult
from framing.torch_runtime import TorchRuntime

Pair = tuple[LabelledSentence, SentenceResult]


def open_classifier(folder: Path) -> FramingClassifier:
    """A model folder as users open it, or a trained folder that is not exported yet, through PyTorch."""
    if (folder / ONNX).exists():
        return FramingClassifier.from_pretrained(folder)
    return FramingClassifier(TorchRuntime(folder))


def score_labelled(classifier: FramingClassifier, articles: Sequence[LabelledArticle]) -> list[tuple[str, list[Pair]]]:
    """Each source article (or event) with its annotated sentences and their results; unannotated ones are scored as context."""
    items = [Article("\n".join(s.text for s in a.sentences), a.id, sentences=tuple(s.text for s in a.sentences)) for a in articles]
    return [
        (article.group, [(s, r) for s, r in zip(article.sentences, result.sentences, strict=True) if s.annotated])
        for article, result in zip(articles, classifier.stream(items), strict=True)
    ]


def evaluate_classifier(classifier: FramingClassifier, articles: Sequence[LabelledArticle]) -> dict[str, Any]:
    """All figures of a classifier on labelled articles: classification, evidence, calibration, furniture, kinds.

    Returns the dictionary of `framing.metrics.classification_figures` with, per label, `evidence` (character overlap
    on sentences that rightly carry the label), `calibration_error`, `threshold`, `reliability` (its bins) and `curve`
    (recall and precision) added, and `boilerplate_f1`, `verification_kind`.
    """
    scored = score_labelled(classifier, articles)
    pairs = [pair for _, pairs in scored for pair in pairs]
    labels = classifier.labels
    metric = FramingMetric(labels, [classifier.thresholds[label] for label in labels])
    predictions = np.array([[r.scores[label] if not r.boilerplate else 0.0 for label in labels] for _, r in pairs])
    truths = np.array([[label in s.labels for label in labels] for s, _ in pairs])
    figures: dict[str, Any] = metric.compute(
        predictions=predictions, references=truths.astype(int), articles=[name for name, pairs in scored for _ in pairs]
    )
    for i, label in enumerate(labels):
        right = [(s, r) for s, r in pairs if label in s.labels and label in r.labels]
        figures["labels"][label]["evidence"] = span_figures(
            [[(e.start - r.start, e.end - r.start) for e in r.evidence if e.label == label] for _, r in right],
            [s.evidence.get(label, []) for s, _ in right],
        )
        figures["labels"][label] |= {
            "calibration_error": expected_calibration_error(predictions[:, i], truths[:, i]),
            "threshold": classifier.thresholds[label],
            "reliability": reliability_bins(predictions[:, i], truths[:, i]),
            "curve": [(recall, p) for _, p, recall in reversed(precision_curve(predictions[:, i], truths[:, i]))],
        }
    evidence = [figures["labels"][label]["evidence"]["f1"] for label in labels]
    figures["macro"]["evidence_f1"] = float(np.mean(evidence))
    figures["boilerplate_f1"] = _f1((s.boilerplate, r.boilerplate) for s, r in pairs)
    if VERIFICATION in labels:
        figures["verification_kind"] = _kinds(pairs)
    return figures


def _f1(pairs: Iterable[tuple[bool, bool]]) -> float:
    truth, predicted = np.array(list(pairs), dtype=bool).reshape(-1, 2).T
    return float(f1_from_counts((truth & predicted).sum(), (~truth & predicted).sum(), (truth & ~predicted).sum()))


def _kinds(pairs: Sequence[Pair]) -> dict[str, float]:
    """Accuracy and F1 per kind over sentences that carry the label and were found."""
    found = [(s.verification, r.verification) for s, r in pairs if s.verification and r.verification]
    accuracy = float(np.mean([truth == kind for truth, kind in found])) if found else 0.0
    return {
        "sentences": len(found),
        "accuracy": accuracy,
        **{kind: _f1((truth == kind, guess == kind) for truth, guess in found) for kind in VERIFICATION_KINDS},
    }


def as_table(figures: dict[str, Any]) -> str:
    """The figures as a Markdown table with 95 % intervals by article."""
    head = "| label | precision | recall | F1 (95 %) | average precision (95 %) | evidence F1 | calibration error | support |"
    lines = [head, "|" + " --- |" * 8]
    for label, row in figures["labels"].items():
        lines.append(
            f"| `{label}` | {row['precision']:.3f} | {row['recall']:.3f} | {_with_interval(row, 'f1')} | "
            f"{_with_interval(row, 'average_precision')} | {row['evidence']['f1']:.3f} | "
            f"{row['calibration_error']:.3f} | {row['support']} |"
        )
    macro, micro = figures["macro"], figures["micro"]
    lines.append(
        f"| **macro** | | | {_with_interval(macro, 'f1')} | {_with_interval(macro, 'average_precision')} | "
        f"{macro['evidence_f1']:.3f} | | {figures['sentences']} sentences |"
    )
    lines.append(f"| **micro** | | | {_with_interval(micro, 'f1')} | | | | {figures['articles']} articles |")
    return "\n".join(lines)


def _with_interval(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_95"]
    return f"{row[name]:.3f} ({low:.3f}–{high:.3f})"
