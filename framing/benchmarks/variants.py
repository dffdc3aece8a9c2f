"""The variants of the benchmark by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framing.benchmarks.others import PipelineVariant, PlainOnnxVariant, TfidfVariant
from framing.benchmarks.ours import ClassifierVariant, CommandVariant
from framing.benchmarks.variant import Variant
from framing.errors import FramingError


@dataclass(frozen=True)
class Setup:
    """What variants are made from: `model`, an exported folder, and `fast`, a smaller one, where there is one; `trained`, the
    trained folder of the first where there is one, and `fp32` and `padded`, folders with its graph in full precision, the
    second for padded batches; the training files of TF-IDF; threads for each variant."""

    model: Path
    fast: Path | None
    trained: Path | None
    fp32: Path
    padded: Path
    train: tuple[Path, ...]
    threads: int

    def can_make(self, name: str) -> bool:
        """Whether the folders that a variant needs are there."""
        if name == "fast":
            return self.fast is not None
        return name in ("classifier", "command", "tfidf") or self.trained is not None


#: The variants in the order of the table; those after "tfidf" need a trained folder.
NAMES = {
    "classifier": "`FramingClassifier`",
    "fast": "`FramingClassifier`, fast model",
    "command": "`framing score`, process start included",
    "tfidf": "scikit-learn TF-IDF + logistic regression",
    "classifier_fp32": "`FramingClassifier`, unquantised weights",
    "onnx": "plain ONNX Runtime, fp32, padded batches",
    "pipeline_1": "`transformers.pipeline`, batch size 1",
    "pipeline": "`transformers.pipeline`, best batch size",
}


def make(name: str, setup: Setup) -> Variant:
    """The variant of that name. Raises `FramingError` where it needs a folder that is not there."""
    if name == "classifier":
        return ClassifierVariant(setup.model, setup.threads)
    if name == "command":
        return CommandVariant(setup.model, setup.threads)
    if name == "tfidf":
        return TfidfVariant(setup.model, setup.train)
    if name == "fast" and setup.fast:
        return ClassifierVariant(setup.fast, setup.threads)
    if name == "classifier_fp32" and setup.trained:
        return ClassifierVariant(setup.fp32, setup.threads)
    if name == "onnx" and setup.trained:
        return PlainOnnxVariant(setup.padded, setup.threads)
    if setup.trained:
        return PipelineVariant(setup.trained, setup.threads, 1 if name == "pipeline_1" else None)
    raise FramingError(f"{name} needs weights that are not here; --trained and --fast name their folders")
