"""k-fold cross-validation of a training config over its own training articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from framing.benchmarks.public import babe_articles
from framing.classifier import FramingClassifier
from framing.config import Config
from framing.data import LabelledArticle, read_articles, write_articles
from framing.evaluation import Pair, score_labelled
from framing.metrics import RESAMPLES, Bools
from framing.torch_runtime import TorchRuntime
from framing.training import train

FOLDS = 5


def cross_validate(config: Config) -> dict[str, dict[str, Any]]:
    """Train on four parts of the articles of `config.data.train`, score the fifth, five times over.

    Returns, by label, `parts` (macro F1 over the two classes of each part), their `mean` and `sd`, and `macro_f1` over
    all sentences with its 95 % bootstrap interval. The trained folders lie under `config.output`.
    """
    articles = [article for path in config.data.train for article in _read(path, config.labels)]
    strata = [any(config.labels[0] in sentence.labels for sentence in article.sentences) for article in articles]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=config.seed).split(articles, strata)
    parts = [
        _score_part(config, number, [articles[i] for i in rest], [articles[i] for i in held])
        for number, (rest, held) in enumerate(folds)
    ]
    return {label: _figures(label, parts, config.seed) for label in config.labels}


def _read(path: Path, labels: Sequence[str]) -> list[LabelledArticle]:
    return babe_articles(path) if path.suffix == ".gz" else list(read_articles(path, labels))


def _score_part(config: Config, number: int, rest: list[LabelledArticle], held_out: list[LabelledArticle]) -> list[Pair]:
    folder = config.output / f"part{number}"
    folder.mkdir(parents=True, exist_ok=True)
    write_articles(folder / "train.jsonl", rest)
    data = config.data.model_copy(update={"train": [folder / "train.jsonl"], "validation": []})
    trained = folder / "trained"
    if not (trained / "history.json").exists():  # written last
        train(config.model_copy(update={"data": data, "output": trained}))
    return [pair for _, pairs in score_labelled(FramingClassifier(TorchRuntime(trained)), held_out) for pair in pairs]


def _figures(label: str, parts: Sequence[Sequence[Pair]], seed: int) -> dict[str, Any]:
    def arrays(pairs: Sequence[Pair]) -> tuple[Bools, Bools]:
        return np.array([label in s.labels for s, _ in pairs]), np.array([r.scores[label] >= 0.5 for _, r in pairs])

    values = [float(f1_score(*arrays(pairs), average="macro")) for pairs in parts]
    truths, predicted = arrays([pair for pairs in parts for pair in pairs])
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, len(truths), len(truths)) for _ in range(RESAMPLES))
    low, high = np.percentile([f1_score(truths[draw], predicted[draw], average="macro") for draw in draws], [2.5, 97.5])
    return {
        "parts": values,
        "mean": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)),
        "macro_f1": float(f1_score(truths, predicted, average="macro")),
        "macro_f1_95": [float(low), float(high)],
        "sentences": len(truths),
    }
