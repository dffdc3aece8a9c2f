"""The physical limit: a model's arithmetic per sentence against the rate at which this machine multiplies matrices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from framing.model_folder import ONNX, TOKENIZER, read_settings
from framing.runtime import open_tokenizer
from framing.text import split_sentences
from framing.windows import encode_sentences, plan_windows

#: Side of the square matrices that are multiplied to find the rate; large enough that memory is not what limits.
SIDE = 1_536

_PRODUCTS = {"MatMul", "Gemm", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
_ATTENTION = {"Softmax", "Attention", "MultiHeadAttention"}  # one of these a layer


@dataclass(frozen=True)
class Arithmetic:
    """What a graph computes in matrix products: for each token `per_token` operations, and for each pair of tokens of a
    window `per_pair` (attention). A multiplication and an addition count as two."""

    per_token: int
    per_pair: int

    def window(self, tokens: int) -> int:
        """Operations of a window of that many tokens."""
        return self.per_token * tokens + self.per_pair * tokens**2


def arithmetic(path: Path) -> Arithmetic:
    """Count the matrix products of an ONNX graph; everything else in it (norms, activations) is left out."""
    graph = onnx.load(path, load_external_data=False).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    matrices = [shape for shape in shapes.values() if len(shape) == 2]
    hidden = max(matrices, key=prod)[1]  # the word vectors are the largest table
    per_token = per_pair = 0
    for node in graph.node:
        weights = [shapes[name] for name in node.input if len(shapes.get(name, ())) == 2]
        if node.op_type in _PRODUCTS and weights:
            per_token += 2 * prod(weights[0])
        elif node.op_type in _ATTENTION:  # queries by keys, and the result by values
            per_pair += 4 * hidden
    return Arithmetic(per_token, per_pair)


def operations_per_sentence(folder: Path, texts: Sequence[str]) -> tuple[float, float]:
    """Mean matrix operations, and mean tokens, that the model spends on a sentence of these articles, context included."""
    settings, tokenizer, counted = read_settings(folder), open_tokenizer(folder / TOKENIZER), arithmetic(folder / ONNX)
    operations = tokens = sentences = 0
    for text in texts:
        encoded = encode_sentences(tokenizer, [text[a:b] for a, b in split_sentences(text)], settings.max_sentence_tokens)
        sentences += len(encoded)
        for window in plan_windows(encoded, settings.context, settings.max_tokens, settings.context_sentences):
            length = sum(len(sentence.ids) for sentence in encoded[window.first : window.stop])
            tokens += length
            operations += counted.window(length)
    return operations / sentences, tokens / sentences


def product_rate(threads: int, integer: bool, seconds: float = 1.0) -> float:
    """Operations a second that ONNX Runtime reaches on a large matrix product, in fp32 or int8: the best run of several."""
    kind = TensorProto.INT32 if integer else TensorProto.FLOAT
    rng = np.random.default_rng(13)
    shape = (SIDE, SIDE)
    left = rng.integers(0, 255, shape, dtype=np.uint8) if integer else rng.standard_normal(shape, dtype=np.float32)
    right = rng.integers(-63, 63, shape, dtype=np.int8) if integer else rng.standard_normal(shape, dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger" if integer else "MatMul", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8 if integer else TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("product", kind, shape)],
        [onnx.numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    best, ends = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < ends or best == float("inf"):
        started = time.perf_counter()
        session.run(None, {"left": left})
        best = min(best, time.perf_counter() - started)
    return 2 * SIDE**3 / best


def ceiling(folder: Path, texts: Sequence[str], threads: int) -> dict[str, float]:
    """Operations and tokens a sentence, product rates, and the sentences a second that these rates would allow."""
    operations, tokens = operations_per_sentence(folder, texts)
    fp32, int8 = product_rate(threads, False), product_rate(threads, True)
    return {
        "operations_per_sentence": operations,
        "tokens_per_sentence": tokens,
        "fp32_rate": fp32,
        "int8_rate": int8,
        "fp32_sentences_per_second": fp32 / operations,
        "int8_sentences_per_second": int8 / operations,
    }
