"""A trained folder as a backend of the classifier: the same windows through PyTorch instead of ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from framing.model import load_model
from framing.model_folder import TOKENIZER, read_settings
from framing.runtime import WindowRunner, open_tokenizer


class TorchRuntime(WindowRunner):
    """Opens a trained folder (`model.safetensors`), for measuring, export checks and teachers; see `Runtime`.

    `bf16` computes in bfloat16: faster, good to about 0.01 in a score, so not for figures.
    """

    def __init__(self, folder: Path, bf16: bool = False):
        super().__init__(read_settings(folder), open_tokenizer(folder / TOKENIZER))
        self._model = load_model(folder)
        self._bf16 = bf16

    def _forward(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            output = self._model(attention_mask=None, **tensors)
        return output.sentence_logits.float().numpy(), output.token_logits.float().numpy()
