"""fp32 graph → int8 graph whose scores stay where they were.

Weights get one scale per output channel, activations one per run, taken as they come (dynamic quantisation). Two things
are done about what that loses: a few feed-forward neurons with very large activations hand their range over to the
weights (Xiao et al. 2023, "SmoothQuant"), and the bias of every output makes up for what is left (as in Nagel et al. 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2, here at the outputs and from data).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic

from framing.data import LabelledArticle
from framing.model_folder import TOKENIZER, read_settings
from framing.runtime import Array, WindowRunner, open_tokenizer

#: The inputs of one run of the graph, by name.
Feed = dict[str, NDArray[Any]]

#: How much of an activation's range goes over to the weights, 0…1; 0.8 drifted least of 0.35 to 1.0.
MIGRATION = 0.8

#: Bias of each output of the graph, in its order.
_BIASES = ("model.classifier.bias", "model.evidence.bias")


class _Recorder(WindowRunner):
    """Keeps what would be run."""

    def __init__(self, folder: Path):
        super().__init__(read_settings(folder), open_tokenizer(folder / TOKENIZER))
        self.feeds: list[Feed] = []

    def _forward(self, inputs: Feed) -> tuple[Array, Array]:
        self.feeds.append(inputs)
        _, sentences, tokens = inputs["sentence_mask"].shape
        sizes = (sentences, len(self.settings.outputs)), (tokens, len(self.settings.labels))
        return np.zeros((1, *sizes[0]), np.float32), np.zeros((1, *sizes[1]), np.float32)


def make_feeds(folder: Path, articles: Sequence[LabelledArticle]) -> list[Feed]:
    """The runs of the graph that the sentences of `articles` take, with the tokenizer and the settings of `folder`."""
    recorder = _Recorder(folder)
    for article in articles:
        recorder.submit([sentence.text for sentence in article.sentences])
    return recorder.feeds


def quantise_graph(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Write the int8 graph of the fp32 graph `source` to `target`; `feeds` are runs on typical text.

    Weights keep to 7 bits (`reduce_range`): without VNNI, AVX2 adds two 8-bit products in 16 bits and saturates.
    """
    smooth = target.with_name("smooth.onnx")
    onnx.save(_smooth(onnx.load(source), feeds), smooth)
    quantize_dynamic(
        smooth,
        target,
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
    smooth.unlink()
    _correct_biases(source, target, feeds)


def _smooth(model: onnx.ModelProto, feeds: Sequence[Feed]) -> onnx.ModelProto:
    """Divide what enters the outer half of each feed-forward layer by a factor per neuron, and multiply its weights by it.

    Only there: what enters the other products comes from a layer norm, and its outliers drifted little.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    narrowing = [node for node in model.graph.node if node.op_type == "MatMul" and _narrows(weights.get(node.input[1]))]
    largest = _largest([node.input[0] for node in narrowing], model, feeds)
    for i, node in enumerate(narrowing):
        weight = numpy_helper.to_array(weights[node.input[1]])
        factors = np.maximum(largest[i], 1e-3) ** MIGRATION / np.maximum(np.abs(weight).max(1), 1e-4) ** (1 - MIGRATION)
        factors /= np.exp(np.log(factors).mean())
        weights[node.input[1]].CopyFrom(numpy_helper.from_array((weight * factors[:, None]).astype(np.float32), node.input[1]))
        factor, smoothed = f"smoothing_{i}", f"smoothed_{i}"
        model.graph.initializer.append(numpy_helper.from_array((1 / factors).astype(np.float32), factor))
        model.graph.node.insert(
            list(model.graph.node).index(node), helper.make_node("Mul", [node.input[0], factor], [smoothed], name=smoothed)
        )
        node.input[0] = smoothed
    return model


def _narrows(weight: onnx.TensorProto | None) -> bool:
    """Whether a weight leads from a feed-forward layer's inner width, two to four times the outer one, back to it."""
    if weight is None or len(weight.dims) != 2:
        return False
    inner, outer = (int(size) for size in weight.dims)
    return 2 * outer <= inner <= 4 * outer and outer >= 32


def _largest(names: Sequence[str], model: onnx.ModelProto, feeds: Sequence[Feed]) -> list[Array]:
    """The largest absolute value of each channel, (channels,), of the named tensors over all runs."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    runs = [_session(watched.SerializeToString()).run(list(names), feed) for feed in feeds] if names else []
    return [np.max([np.abs(run[i]).max((0, 1)) for run in runs], axis=0) for i in range(len(names))]


def _correct_biases(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Shift each output of `target` so that its mean probability over the runs is that of `source`."""
    model = onnx.load(target)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    pairs = zip(_BIASES, _logits(source, feeds), _logits(target, feeds), strict=True)
    for name, wanted, given in pairs:
        bias = numpy_helper.to_array(weights[name]) + _shift(wanted, given)
        weights[name].CopyFrom(numpy_helper.from_array(bias.astype(np.float32), name))
    onnx.save(model, target)


def _logits(path: Path, feeds: Sequence[Feed]) -> list[Array]:
    """Each output over all runs, (items, outputs)."""
    session = _session(path.read_bytes())
    runs = [session.run(None, feed) for feed in feeds]
    return [np.concatenate([output[0] for output in outputs]) for outputs in zip(*runs, strict=True)]


def _shift(wanted: Array, given: Array) -> Array:
    """What to add to logits (items, outputs) so that their mean probabilities are those of `wanted`: Newton's method."""
    shift = np.zeros(given.shape[1])
    for _ in range(20):
        probability = 1 / (1 + np.exp(-(given + shift)))
        missing = (1 / (1 + np.exp(-wanted))).mean(0) - probability.mean(0)
        shift += np.clip(missing / (probability * (1 - probability)).mean(0).clip(1e-9), -1, 1)
    return shift.astype(np.float32)


def _session(graph: bytes) -> InferenceSession:
    return InferenceSession(graph, providers=["CPUExecutionProvider"])
