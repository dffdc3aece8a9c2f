"""What people use without this package. All but TF-IDF have the trained weights with their calibration and thresholds;
they score every sentence on its own."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from framing.benchmarks.variant import Labels, Variant
from framing.model_folder import BOILERPLATE, ONNX, TOKENIZER, Settings, read_settings
from framing.text import split_sentences

#: Batch sizes that the pipeline is tried at, and the sentences it is tried on.
BATCH_SIZES, TRIAL = (1, 8, 32, 64), 128

#: Sentences in a batch of the plain ONNX Runtime loop.
_PLAIN_BATCH = 32


class SentenceVariant(Variant):
    """Scores sentences one by one or in batches, each without its article."""

    settings: Settings

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        rows = iter(self._label_rows([sentence for sentences in articles for sentence in sentences]))
        return [[next(rows) for _ in sentences] for sentences in articles]

    def _label_rows(self, sentences: list[str]) -> list[list[str]]:
        """The calibrated labels of sentences, as the classifier gives them."""
        settings = self.settings
        logits = self._logits(sentences)
        scale, bias, threshold = (
            np.array([getattr(label, name) for label in settings.labels]) for name in ("scale", "bias", "threshold")
        )
        hits = _sigmoid(scale * logits[:, : len(threshold)] + bias) >= threshold
        if BOILERPLATE in settings.outputs:
            furniture = _sigmoid(logits[:, settings.outputs.index(BOILERPLATE)]) >= settings.boilerplate_threshold
            hits &= ~furniture[:, None]
        return [[name for name, hit in zip(settings.label_names, row, strict=True) if hit] for row in hits]

    @abstractmethod
    def _logits(self, sentences: list[str]) -> np.ndarray:
        """Raw scores (sentences, outputs)."""


class PipelineVariant(SentenceVariant):
    """`transformers.pipeline("text-classification")` over the trained weights (see `framing.benchmarks.pipeline_model`).

    Without a batch size, `prepare` tries `BATCH_SIZES` and keeps the fastest.
    """

    def __init__(self, trained: Path, threads: int, batch_size: int | None):
        from framing.benchmarks.pipeline_model import open_pipeline

        self.settings = read_settings(trained)
        self._pipeline = open_pipeline(trained, threads)
        self.notes = _alone(self.settings)
        self._batch_size = batch_size or 1
        self._choose = batch_size is None

    def prepare(self, texts: Sequence[str]) -> None:
        super().prepare(texts)
        if self._choose:
            self._choose = False
            sentences = [text[start:end] for text in texts for start, end in split_sentences(text)][:TRIAL]
            self._logits(sentences[:8])
            seconds = {size: self._seconds(sentences, size) for size in BATCH_SIZES}
            self._batch_size = min(seconds, key=seconds.__getitem__)
            self.notes += (f"best batch size of {', '.join(map(str, BATCH_SIZES))}: {self._batch_size}",)

    def _seconds(self, sentences: list[str], batch_size: int) -> float:
        self._batch_size = batch_size
        started = time.perf_counter()
        self._logits(sentences)
        return time.perf_counter() - started

    def _logits(self, sentences: list[str]) -> np.ndarray:
        rows = self._pipeline(sentences, batch_size=self._batch_size)
        by_name = [{output["label"]: output["score"] for output in row} for row in rows]
        return np.array([[row[name] for name in self.settings.outputs] for row in by_name])


class PlainOnnxVariant(SentenceVariant):
    """The graph in full precision through ONNX Runtime, batches in the order they come, padded to their longest."""

    def __init__(self, folder: Path, threads: int):
        import onnxruntime

        from framing.runtime import open_tokenizer

        self.settings = read_settings(folder)
        self._tokenizer = open_tokenizer(folder / TOKENIZER)
        self._tokenizer.enable_padding()
        self._tokenizer.enable_truncation(max_length=self.settings.max_sentence_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])
        self.notes = (*_alone(self.settings), f"batches of {_PLAIN_BATCH}")

    def _logits(self, sentences: list[str]) -> np.ndarray:
        return np.concatenate([self._batch(sentences[i : i + _PLAIN_BATCH]) for i in range(0, len(sentences), _PLAIN_BATCH)])

    def _batch(self, sentences: list[str]) -> np.ndarray:
        encodings = self._tokenizer.encode_batch(sentences)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "sentence_mask": mask[:, None].astype(np.float32)}
        logits: np.ndarray = self._session.run(["sentence_logits"], inputs)[0][:, 0]
        return logits


class TfidfVariant(Variant):
    """TF-IDF and one logistic regression per label, trained on the same articles; the cheap end of the scale."""

    def __init__(self, model: Path, train: Sequence[Path]):
        from framing.benchmarks.baselines import TfidfBaseline
        from framing.data import read_articles

        labels = read_settings(model).label_names
        articles = [article for path in train for article in read_articles(path, labels)]
        self._baseline = TfidfBaseline(labels).fit(articles)
        self.notes = (f"trained on {len(articles):,} articles; memory is with training",)

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        baseline = self._baseline
        hits = iter(baseline.predict_scores([s for sentences in articles for s in sentences]) >= baseline.thresholds)
        return [[[name for name, hit in zip(baseline.labels, next(hits), strict=True) if hit] for _ in row] for row in articles]


def _alone(settings: Settings) -> tuple[str, ...]:
    return () if settings.context == "none" else ("each sentence without its article",)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)))
