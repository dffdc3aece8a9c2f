"""What int8 weights may cost: scores of the exported graph against those of the trained model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from framing.data import read_articles


def test_one_neuron_of_huge_activations_does_not_cost_the_others(trained: Path, labelled: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from framing.export import export

    folder = tmp_path / "outlier"
    shutil.copytree(trained, folder)
    weights = load_file(trained / "model.safetensors")
    for name in [name for name in weights if name.endswith("intermediate.dense.bias")]:
        weights[name][0] = 300.0  # one scale for all activations of a layer: 300 / 255 would swallow the other neurons
        weights[name.replace("intermediate.dense.bias", "output.dense.weight")][:, 0] = 1e-3
    save_file(weights, folder / "model.safetensors")
    assert export(folder, tmp_path / "model", list(read_articles(labelled))[:20]) < 0.01


def test_outputs_keep_their_mean_probability(trained: Path, labelled: Path, tmp_path: Path) -> None:
    from framing import quantisation
    from framing.export import write_folder
    from framing.model_folder import ONNX

    write_folder(trained, tmp_path)
    feeds = quantisation.make_feeds(tmp_path, list(read_articles(labelled))[:20])
    assert sum(feed["sentence_mask"].shape[1] for feed in feeds) > 20
    target = tmp_path / "int8.onnx"
    quantisation.quantise_graph(tmp_path / ONNX, target, feeds)

    def means(path: Path) -> np.ndarray:
        return np.concatenate([(1 / (1 + np.exp(-logits))).mean(0) for logits in quantisation._logits(path, feeds)])

    assert means(target) == pytest.approx(means(tmp_path / ONNX), abs=1e-5)
