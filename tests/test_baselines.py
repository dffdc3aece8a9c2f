"""The cheap baselines on invented articles: they learn what is there to learn, and score a sentence the same anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from framing.benchmarks.baselines import CueWordBaseline, EmbeddingBaseline, LinearBaseline, TfidfBaseline, sentences
from framing.data import LabelledArticle
from framing.errors import FramingError
from tests.conftest import labelled_articles

ARTICLES = [LabelledArticle.model_validate({**article, "outlet": ""}) for article in labelled_articles(60)]


@pytest.fixture(params=["tfidf", "embeddings"])
def make(request: pytest.FixtureRequest) -> Callable[[], LinearBaseline]:
    if request.param == "tfidf":
        return TfidfBaseline
    encoder: Path = request.getfixturevalue("encoder")
    return lambda: EmbeddingBaseline(encoder)


def test_trained_baseline_finds_the_labels_of_other_articles(make: Callable[[], LinearBaseline]) -> None:
    baseline = make().fit(ARTICLES[:50])
    texts, truths = sentences(ARTICLES[50:], baseline.labels)
    scores = baseline.predict_scores(texts)
    assert scores.shape == truths.shape == (70, 4)  # the seven annotated sentences of ten articles
    assert ((scores >= baseline.thresholds) == truths).mean() > 0.95
    alone = np.concatenate([baseline.predict_scores([text]) for text in texts])
    assert alone == pytest.approx(scores, abs=1e-4)


def test_label_that_no_training_sentence_carries_is_said() -> None:
    with pytest.raises(FramingError, match="biased: no training sentence"):
        TfidfBaseline(["official_claim", "biased"]).fit(ARTICLES)


def test_cue_words_need_whole_words() -> None:
    baseline = CueWordBaseline()
    texts = ["The mayor said the road was open.", "Sayings of mayors.", "The regimen worked.", "He blamed the regime.", ""]
    found = baseline.predict_scores(texts) >= baseline.thresholds
    assert [[label for label, hit in zip(baseline.labels, row, strict=True) if hit] for row in found] == [
        ["official_claim"], [], [], ["loaded_terminology", "blame_attribution"], [],
    ]  # fmt: skip
