"""A trained model as an fp32 ONNX graph of one window a run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from framing.model import FramingModel
from framing.model_folder import OUTPUTS

_PACKED = "framing_packed"


class _Graph(torch.nn.Module):
    """The model with its two outputs as a plain tuple, as the exporter wants it."""

    def __init__(self, model: FramingModel):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, sentence_mask: Any, attention_mask: Any = None) -> tuple[Any, Any]:
        output = self.model(input_ids, attention_mask, sentence_mask)
        return output.sentence_logits, output.token_logits


def write_graph(model: FramingModel, path: Path, outputs: Sequence[str], *, padded: bool = False) -> None:
    """The fp32 graph, with free batch, sentence and token dimensions; it notes the names of its sentence outputs.

    Inputs are `input_ids` (batch, tokens) and `sentence_mask` (batch, sentences, tokens). Windows are run without padding, so
    there is no mask of attention, which would take time; with `padded` there is one, `attention_mask` (batch, tokens).
    """
    tokens, sentences = 24, 3
    mask = torch.zeros(2, sentences, tokens)
    for i in range(sentences):
        mask[:, i, i * 8 : i * 8 + 8] = 1.0
    batch, length, count = (torch.export.Dim(name) for name in ("batch", "tokens", "sentences"))
    inputs = {"input_ids": torch.ones(2, tokens, dtype=torch.long), "sentence_mask": mask}
    if padded:  # a tensor of its own: the exporter takes the same one twice for one input
        inputs["attention_mask"] = torch.ones(2, tokens, dtype=torch.long)
    shapes = {"input_ids": {0: batch, 1: length}, "sentence_mask": {0: batch, 1: count, 2: length}}
    shapes["attention_mask"] = shapes["input_ids"]
    if not padded and model.encoder._supports_attention_backend:
        AttentionInterface.register(_PACKED, _packed_attention)
        AttentionMaskInterface.register(_PACKED, sdpa_mask)
        model.encoder.config._attn_implementation = _PACKED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(model).eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=["sentence_logits", "token_logits"],
            dynamic_shapes={name: shapes[name] for name in inputs},
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


def _packed_attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float, **_: Any
) -> tuple[Any, None]:
    """Attention as one operator on (batch, tokens, hidden), which spares the transpositions to and from one axis of heads."""
    batch, heads, tokens, width = query.shape
    packed = [states.transpose(1, 2).reshape(batch, tokens, heads * width) for states in (query, key, value)]
    attributes = {"q_num_heads": heads, "kv_num_heads": heads, "scale": float(scaling)}
    out = torch.onnx.ops.symbolic("Attention", packed, attributes, dtype=query.dtype, shape=packed[0].shape, version=23)
    return out.reshape(batch, tokens, heads, width), None
