"""Figures that put different ways of labelling side by side, and a model on public benchmarks it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from sklearn.metrics import roc_auc_score

from framing.benchmarks.baselines import sentences
from framing.benchmarks.public import BIASED, babe_articles, propaganda_articles
from framing.classifier import FramingClassifier
from framing.data import LabelledArticle
from framing.evaluation import score_labelled
from framing.labels import LOADED
from framing.metrics import Floats, classification_figures, span_figures


class Baseline(Protocol):
    """Scores single sentences: `labels`, `thresholds` (labels,) and probabilities (sentences, labels)."""

    labels: list[str]
    thresholds: Floats

    def predict_scores(self, texts: Sequence[str]) -> Floats: ...


def baseline_figures(baseline: Baseline, articles: Sequence[LabelledArticle]) -> dict[str, Any]:
    """What `framing.metrics.classification_figures` says of a baseline on the annotated sentences of articles."""
    texts, truths = sentences(articles, baseline.labels)
    groups = [article.group for article in articles for sentence in article.sentences if sentence.annotated]
    return classification_figures(baseline.labels, baseline.predict_scores(texts), truths, baseline.thresholds, groups)


def model_figures(classifier: FramingClassifier, articles: Sequence[LabelledArticle]) -> dict[str, Any]:
    """The same of a classifier, as users call it."""
    rows = [(name, s, r) for name, pairs in score_labelled(classifier, articles) for s, r in pairs]
    scores = np.array([[0.0 if r.boilerplate else r.scores[label] for label in classifier.labels] for _, _, r in rows])
    truths = np.array([[label in s.labels for label in classifier.labels] for _, s, _ in rows])
    thresholds = np.array([classifier.thresholds[label] for label in classifier.labels])
    return classification_figures(classifier.labels, scores, truths, thresholds, [name for name, _, _ in rows])


def row(name: str, figures: dict[str, Any]) -> str:
    """One line of the Markdown table: F1 per label, macro F1 with its interval."""
    low, high = figures["macro"]["f1_95"]
    cells = [f"{label['f1']:.3f}" for label in figures["labels"].values()]
    return f"| {' | '.join([name, *cells])} | {figures['macro']['f1']:.3f} ({low:.3f}–{high:.3f}) |"


def babe_auc(classifier: FramingClassifier, path: Path) -> tuple[float, int]:
    """Area under the ROC curve of the loaded_terminology score for `biased` over the sentences of BABE, and their number."""
    pairs = [pair for _, pairs in score_labelled(classifier, babe_articles(path)) for pair in pairs]
    return float(roc_auc_score([BIASED in s.labels for s, _ in pairs], [r.scores[LOADED] for _, r in pairs])), len(pairs)


def propaganda_figures(classifier: FramingClassifier, path: Path) -> tuple[float, dict[str, float]]:
    """Area under the ROC curve by sentence, and `framing.metrics.span_figures` of the loaded_terminology evidence over all
    sentences, against the spans of loaded language and name calling of SemEval-2020 task 11."""
    marked, scores, predicted, expected = [], [], [], []
    for article in propaganda_articles(path):
        results = classifier.score_sentences(article.sentences).sentences
        for result, spans in zip(results, article.spans, strict=True):
            marked.append(bool(spans))
            scores.append(result.scores[LOADED])
            predicted.append([(e.start - result.start, e.end - result.start) for e in result.evidence if e.label == LOADED])
            expected.append(spans)
    return float(roc_auc_score(marked, scores)), span_figures(predicted, expected)
