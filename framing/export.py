"""A trained folder → a model folder with an int8 ONNX graph, refused where its scores drift."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from framing.data import LabelledArticle
from framing.errors import FramingError
from framing.graph import write_graph
from framing.labels import VERIFICATION_KINDS
from framing.model import load_model
from framing.model_folder import CONFIG, ONNX, SETTINGS, TOKENIZER, read_settings, write_settings
from framing.quantisation import make_feeds, quantise_graph
from framing.runtime import Array, Runtime, WindowRunner
from framing.torch_runtime import TorchRuntime

#: Largest mean difference of an output's probability, int8 against the trained model, that is let through.
MAX_MEAN_DRIFT = 0.03


def export(trained: Path, target: Path, articles: Sequence[LabelledArticle], *, quantise: bool = True) -> float:
    """Write the model folder `target` from the folder `trained`, int8 with `quantise`, else fp32.

    `articles` are scored by both; returns their `drift` and raises `FramingError`, writing nothing, where it is over
    `MAX_MEAN_DRIFT`. The int8 graph is adjusted to them too: labels are not looked at.
    """
    if not articles:
        raise FramingError("no labelled article to compare the exported graph on")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_folder(trained, folder)
        try:
            if quantise:
                (folder / ONNX).rename(folder / "fp32.onnx")
                quantise_graph(folder / "fp32.onnx", folder / ONNX, make_feeds(folder, articles))
            difference = drift(TorchRuntime(trained), Runtime(folder), articles)
        except FramingError as error:
            raise FramingError(
                f"{trained}: the exported graph does not work ({str(error).partition(': ')[2]}); not written"
            ) from None
        if not difference <= MAX_MEAN_DRIFT:  # NaN does not pass either
            raise FramingError(
                f"{trained}: an output of the exported graph drifts by {difference:.4f} on average, "
                f"over {MAX_MEAN_DRIFT}; not written"
            )
        target.mkdir(parents=True, exist_ok=True)
        for name in (TOKENIZER, ONNX, SETTINGS):
            shutil.copy(folder / name, target / name)
        shutil.copy(trained / CONFIG, target / CONFIG)
    return difference


def write_folder(trained: Path, folder: Path, padded: bool = False) -> None:
    """Write tokenizer, settings and fp32 graph (`padded` as in `write_graph`) into an existing `folder`, unchecked."""
    shutil.copy(trained / TOKENIZER, folder / TOKENIZER)
    settings = read_settings(trained)
    write_settings(folder, settings)
    write_graph(load_model(trained), folder / ONNX, settings.outputs, padded=padded)


def drift(first: WindowRunner, second: WindowRunner, articles: Sequence[LabelledArticle]) -> float:
    """How far two backends differ on `articles`: the mean absolute difference of probabilities (0…1) of the label, the
    boilerplate or the evidence output that differs most. Kinds of verification say nothing on most sentences and are
    left out."""

    def probabilities(runner: WindowRunner, article: LabelledArticle) -> list[Array]:
        futures = runner.submit([sentence.text for sentence in article.sentences])
        logits = [one for future in futures for one in future.result()]
        outputs = [name for name in runner.settings.outputs if name not in VERIFICATION_KINDS]
        return [
            _sigmoid(np.stack([one.sentence[: len(outputs)] for one in logits])),
            _sigmoid(np.concatenate([one.tokens for one in logits])),
        ]

    differences = [
        [np.abs(a - b) for a, b in zip(probabilities(first, article), probabilities(second, article), strict=True)]
        for article in articles
    ]
    return float(max(np.concatenate(part).mean(0).max() for part in zip(*differences, strict=True)))


def _sigmoid(logits: Array) -> Array:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
