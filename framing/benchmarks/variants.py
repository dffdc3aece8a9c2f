"""Ways to label the same articles, from text to labels, for the benchmark to time and score.

All use this package's sentence splitter, and all but TF-IDF the same trained weights with the same calibration and
thresholds. Those that do not read windows of an article score every sentence on its own.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from framing.articles import Article
from framing.classifier import FramingClassifier
from framing.errors import FramingError
from framing.model_folder import BOILERPLATE, ONNX, TOKENIZER, Settings, read_settings
from framing.text import split_sentences

#: Labels of each sentence of each article.
Labels = list[list[list[str]]]

#: Batch sizes that the pipeline is tried at, and the sentences it is tried on.
BATCH_SIZES, TRIAL = (1, 8, 32, 64), 128

#: Sentences in a batch of the plain ONNX Runtime loop.
_PLAIN_BATCH = 32


@dataclass(frozen=True)
class Setup:
    """What variants are made from: `model`, an exported folder; `trained`, a trained one where there is one, and `fp32`, a
    folder with its graph in full precision; the training files of TF-IDF; threads for each variant."""

    model: Path
    trained: Path | None
    fp32: Path
    train: tuple[Path, ...]
    threads: int


class Variant(ABC):
    """One way to label articles. `notes` say what a reader of the table has to know."""

    notes: tuple[str, ...] = ()

    def prepare(self, texts: Sequence[str]) -> None:
        """Take the articles that `run` labels once; not timed."""
        self._texts = texts

    def run(self) -> int:
        """Label the prepared articles, from text to labels, and return how many sentences they had; this is timed."""
        sentences = [[text[start:end] for start, end in split_sentences(text)] for text in self._texts]
        return sum(map(len, self.label(sentences)))

    @abstractmethod
    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        """Labels of articles that are already in sentences."""

    def macro_f1(self, path: Path, labels: Sequence[str]) -> float:
        """Macro F1 over the annotated sentences of a file of labelled articles."""
        from sklearn.metrics import f1_score

        from framing.data import read_articles

        articles = list(read_articles(path, labels))
        found = self.label([[sentence.text for sentence in article.sentences] for article in articles])
        pairs = [
            (set(sentence.labels), set(given))
            for article, rows in zip(articles, found, strict=True)
            for sentence, given in zip(article.sentences, rows, strict=True)
            if sentence.annotated
        ]
        truths, hits = (np.array([[label in pair[side] for label in labels] for pair in pairs]) for side in (0, 1))
        return float(f1_score(truths, hits, average="macro", zero_division=0))

    def described(self) -> str:
        return "; ".join(self.notes)

    def peak_megabytes(self) -> float:
        """Highest resident memory of the process so far."""
        return megabytes(resource.RUSAGE_SELF)


def megabytes(who: int) -> float:
    """Peak resident memory of this process or the largest of its finished children (`resource.RUSAGE_…`)."""
    peak = resource.getrusage(who).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


class ClassifierVariant(Variant):
    """`FramingClassifier` as users call it, opened anew for each round: it remembers the windows that it has seen."""

    def __init__(self, folder: Path, threads: int):
        self._open = partial(FramingClassifier.from_pretrained, folder, threads=threads)
        self._classifier = self._open()

    def prepare(self, texts: Sequence[str]) -> None:
        super().prepare(texts)
        del self._classifier
        gc.collect()  # or two would be open at once, which the peak memory would show
        self._classifier = self._open()

    def run(self) -> int:
        return sum(len(result.sentences) for result in self._classifier.stream(self._texts))

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        items = (Article("", sentences=tuple(sentences)) for sentences in articles)
        return [[sentence.labels for sentence in result.sentences] for result in self._classifier.stream(items)]


class CommandVariant(Variant):
    """`framing score in.jsonl -o out.jsonl` as a process of its own, its start included."""

    def __init__(self, folder: Path, threads: int):
        self._options = ["--model", str(folder), "--threads", str(threads)]
        self._scratch = tempfile.TemporaryDirectory()

    def prepare(self, texts: Sequence[str]) -> None:
        self._write({"text": text} for text in texts)

    def run(self) -> int:
        return sum(map(len, self._labels()))

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        self._write({"sentences": list(sentences)} for sentences in articles)
        return self._labels()

    def _write(self, rows: Iterator[dict[str, Any]]) -> None:
        with (Path(self._scratch.name) / "in.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)

    def _labels(self) -> Labels:
        source, target = (Path(self._scratch.name) / name for name in ("in.jsonl", "out.jsonl"))
        command = [sys.executable, "-m", "framing", "score", str(source), "-o", str(target), *self._options]
        subprocess.run(command, check=True, capture_output=True)
        with target.open(encoding="utf-8") as lines:
            return [[sentence["labels"] for sentence in json.loads(line)["sentences"]] for line in lines]

    def peak_megabytes(self) -> float:
        return megabytes(resource.RUSAGE_CHILDREN)


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

    def __init__(self, setup: Setup):
        from framing.benchmarks.baselines import TfidfBaseline
        from framing.data import read_articles

        labels = read_settings(setup.model).label_names
        articles = [article for path in setup.train for article in read_articles(path, labels)]
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


#: The variants in the order of the table; those after "tfidf" need a trained folder.
NAMES = {
    "classifier": "`FramingClassifier`",
    "command": "`framing score`, process start included",
    "tfidf": "scikit-learn TF-IDF + logistic regression",
    "classifier_fp32": "`FramingClassifier`, unquantised weights",
    "onnx": "plain ONNX Runtime, fp32, padded batches",
    "pipeline_1": "`transformers.pipeline`, batch size 1",
    "pipeline": "`transformers.pipeline`, best batch size",
}


def make(name: str, setup: Setup) -> Variant:
    """The variant of that name. Raises `FramingError` where it needs a trained folder and there is none."""
    if name == "classifier":
        return ClassifierVariant(setup.model, setup.threads)
    if name == "command":
        return CommandVariant(setup.model, setup.threads)
    if name == "tfidf":
        return TfidfVariant(setup)
    if setup.trained is None:
        raise FramingError(f"{name} needs the trained weights; give a folder of scripts/train.py with --trained")
    if name == "classifier_fp32":
        return ClassifierVariant(setup.fp32, setup.threads)
    if name == "onnx":
        return PlainOnnxVariant(setup.fp32, setup.threads)
    return PipelineVariant(setup.trained, setup.threads, 1 if name == "pipeline_1" else None)
