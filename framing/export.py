"""A trained folder → a model folder with an int8 ONNX graph, refused where its scores drift."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from framing.data import LabelledArticle
from framing.errors import FramingError
from framing.labels import VERIFICATION_KINDS
from framing.model import FramingModel, load_model
from framing.model_folder import CONFIG, ONNX, OUTPUTS, SETTINGS, TOKENIZER, read_settings, write_settings
from framing.quantisation import make_feeds, quantise_graph
from framing.runtime import Array, Runtime, WindowRunner
from framing.torch_runtime import TorchRuntime

#: Largest mean difference of an output's probability, int8 against the trained model, that is let through.
MAX_MEAN_DRIFT = 0.03


class _Graph(torch.nn.Module):
    """The model with its two outputs as a plain tuple, as the exporter wants it."""

    def __init__(self, model: FramingModel):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any, sentence_mask: Any) -> tuple[Any, Any]:
        output = self.model(input_ids, attention_mask, sentence_mask)
        return output.sentence_logits, output.token_logits


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


def write_folder(trained: Path, folder: Path) -> None:
    """Write tokenizer, settings and fp32 graph into an existing `folder`, unchecked."""
    shutil.copy(trained / TOKENIZER, folder / TOKENIZER)
    settings = read_settings(trained)
    write_settings(folder, settings)
    write_graph(load_model(trained), folder / ONNX, settings.outputs)


def write_graph(model: FramingModel, path: Path, outputs: Sequence[str]) -> None:
    """The fp32 graph, with free batch, sentence and token dimensions; it notes the names of its sentence outputs."""
    tokens, sentences = 24, 3
    mask = torch.zeros(2, sentences, tokens)
    for i in range(sentences):
        mask[:, i, i * 8 : i * 8 + 8] = 1.0
    batch, length, count = (torch.export.Dim(name) for name in ("batch", "tokens", "sentences"))
    ids = {0: batch, 1: length}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(model).eval(),
            (torch.ones(2, tokens, dtype=torch.long), torch.ones(2, tokens, dtype=torch.long), mask),
            str(path),
            input_names=["input_ids", "attention_mask", "sentence_mask"],
            output_names=["sentence_logits", "token_logits"],
            dynamic_shapes={"input_ids": ids, "attention_mask": ids, "sentence_mask": {0: batch, 1: count, 2: length}},
            dynamo=True,
            opset_version=23,  # the first with an operator for attention; spelled out, its guard against NaN alone costs much
            external_data=False,
            verbose=False,
        )
    exported = onnx.load(path)
    for node in exported.graph.node:  # the exporter notes the source lines of this machine
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.helper.set_model_props(exported, {OUTPUTS: json.dumps(list(outputs))})
    onnx.save(exported, path)


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
