"""Cheap baselines on single sentences, to say what a model is worth: TF-IDF, frozen embeddings, a list of cue words."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from framing.calibration import Bools, Floats, calibrate
from framing.data import LabelledArticle, in_validation
from framing.errors import FramingError
from framing.labels import LABELS
from framing.model_folder import label_settings

_CODEBOOK = tuple(label.name for label in LABELS)

#: Sentences per run of the encoder, and tokens of a sentence that it reads.
_BATCH, _MAX_TOKENS = 32, 128


class LinearBaseline(ABC):
    """One logistic regression per label on features of the sentence alone.

    `thresholds` (labels,) in 0…1 are chosen as a model's are: by expected F1 on held-out articles.
    """

    def __init__(self, labels: Sequence[str] = _CODEBOOK):
        self.labels = list(labels)
        self.thresholds: Floats = np.full(len(self.labels), 0.5)

    def fit(self, articles: Sequence[LabelledArticle], validation_fraction: float = 0.1) -> LinearBaseline:
        """Train on labelled articles; the same share of them as in `framing.data.split` is kept for the thresholds."""
        held_out = [in_validation(article.group, validation_fraction) for article in articles]
        texts, truths = sentences([a for a, held in zip(articles, held_out, strict=True) if not held], self.labels)
        for name, column in zip(self.labels, truths.T, strict=True):
            if column.all() or not column.any():
                raise FramingError(f"{name}: {'every' if column.any() else 'no'} training sentence carries it; give other articles")
        features = self._fit_features(texts)
        self._models = [LogisticRegression(C=self._inverse_penalty, max_iter=1_000).fit(features, column) for column in truths.T]
        texts, truths = sentences([a for a, held in zip(articles, held_out, strict=True) if held], self.labels)
        if not texts:
            raise FramingError("no article is left to choose thresholds on; give more articles")
        logits = self._logits(texts)
        fitted = [calibrate(label_settings(name), logits[:, i], truths[:, i]) for i, name in enumerate(self.labels)]
        self._scale, self._bias = np.array([label.scale for label in fitted]), np.array([label.bias for label in fitted])
        self.thresholds = np.array([label.threshold for label in fitted])
        return self

    def predict_scores(self, texts: Sequence[str]) -> Floats:
        """Probabilities (sentences, labels) in 0…1."""
        scores: Floats = 1 / (1 + np.exp(-(self._scale * self._logits(texts) + self._bias)))
        return scores

    def _logits(self, texts: Sequence[str]) -> Floats:
        features = self._features(texts)
        return np.stack([model.decision_function(features) for model in self._models], axis=1)

    _inverse_penalty: float

    @abstractmethod
    def _fit_features(self, texts: Sequence[str]) -> Any:
        """Features (sentences, any) of the training sentences, after learning from them what features need."""

    @abstractmethod
    def _features(self, texts: Sequence[str]) -> Any:
        """Features (sentences, any) of any sentences."""


class TfidfBaseline(LinearBaseline):
    """Words and pairs of words weighted by TF-IDF: what a first attempt with scikit-learn looks like."""

    _inverse_penalty = 10.0

    def _fit_features(self, texts: Sequence[str]) -> Any:
        self._vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+|[\"“”?!]")
        return self._vectoriser.fit_transform(texts)

    def _features(self, texts: Sequence[str]) -> Any:
        return self._vectoriser.transform(texts)


class EmbeddingBaseline(LinearBaseline):
    """Sentence vectors of a frozen pretrained encoder: the mean of its tokens' last states, scaled to length 1.

    Args:
        encoder: a local folder with an encoder and its tokenizer (see `framing.encoders.find_encoder`).
    """

    _inverse_penalty = 10.0

    def __init__(self, encoder: Path, labels: Sequence[str] = _CODEBOOK):
        from transformers import AutoModel, AutoTokenizer

        super().__init__(labels)
        self._tokenizer = AutoTokenizer.from_pretrained(encoder)
        self._encoder = AutoModel.from_pretrained(encoder).eval()

    def _fit_features(self, texts: Sequence[str]) -> Any:
        return self._features(texts)

    def _features(self, texts: Sequence[str]) -> Any:
        import torch

        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = np.zeros((len(texts), self._encoder.config.hidden_size), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = self._tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
            )
            with torch.inference_mode():
                states = self._encoder(**batch).last_hidden_state
            mask = batch["attention_mask"][:, :, None]
            vectors[rows] = ((states * mask).sum(1) / mask.sum(1)).numpy()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


#: Words that speak for a label, as a careful person would list them before seeing any data. Our own choice.
CUES = {
    "official_claim": r"""
        (?=.* \b (?: minist(?:er|ry) | president | prime | spokes(?:man|woman|person) | officials? | police | army | military
          | government | governor | mayor | prosecutors? | secretary | authorities | department | commission | agency | senator
          | general | kremlin | pentagon | white\ house ) \b )
        .* \b (?: said | says | told | announced | claim(?:s|ed) | denied | denies | warned | vowed | promised | stated | insisted
          | confirmed | declared | according\ to )""",
    "independent_verification": r"""
        verif(?:y|ied|ication) | unverified | confirm(?:s|ed)?\ that | not\ be\ (?:independently\ )?confirmed | no\ evidence
          | without\ (?:providing\ )?evidence | fact[- ]check\w* | debunked | (?:false|misleading)\ claims? | analysis\ of
          | satellite\ images? | footage\ show(?:s|ed) | records\ show(?:s|ed)? | contradict(?:s|ed)? | baseless""",
    "loaded_terminology": r"""
        brutal\w* | regime | thugs? | shameful\w* | disgrac\w+ | disastrous | outrageous\w* | radical | extremists? | terrorists?
          | so-called | puppets? | slaughter\w* | massacre\w* | barbar\w+ | evil | corrupt | hysteria | cronies | notorious
          | slammed | blasted | horrif\w+ | vicious\w* | savage\w* | lies | liars?""",
    "blame_attribution": r"""
        blam(?:e|es|ed|ing) | accus(?:e|es|ed|ing) | responsib(?:le|ility)\ for | at\ fault | (?:his|her|its|their)\ failure
          | failed\ to | because\ of\ (?:his|her|its|their) | guilty\ of | caused\ by | thanks\ to | charged\ with""",
}


class CueWordBaseline:
    """A label wherever one of its `CUES` stands: no training, no thresholds to choose. Scores are 0 or 1."""

    def __init__(self) -> None:
        self.labels = list(CUES)
        self.thresholds: Floats = np.full(len(CUES), 0.5)
        self._cues = [re.compile(rf"\b(?:{cues})\b", re.IGNORECASE | re.VERBOSE) for cues in CUES.values()]

    def predict_scores(self, texts: Sequence[str]) -> Floats:
        """Scores (sentences, labels), 0 or 1."""
        return np.array([[float(bool(cue.search(text))) for cue in self._cues] for text in texts]).reshape(len(texts), -1)


def sentences(articles: Sequence[LabelledArticle], labels: Sequence[str]) -> tuple[list[str], Bools]:
    """Texts of the annotated sentences, and whether each carries each label, (sentences, labels)."""
    found = [sentence for article in articles for sentence in article.sentences if sentence.annotated]
    truths = np.array([[label in sentence.labels for label in labels] for sentence in found], dtype=bool)
    return [sentence.text for sentence in found], truths.reshape(len(found), len(labels))
