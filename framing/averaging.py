"""Trained folders of one recipe → one trained folder whose weights are their mean.

Runs that go on from the same weights with other seeds end in one basin, where the mean of their weights is often better
than each of them and costs nothing when it is used: Wortsman et al. 2022, "Model soups".
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from framing.config import Config, dump_config, load_config
from framing.errors import FramingError
from framing.model import load_model, save_model
from framing.model_folder import CONFIG, output_names
from framing.training import calibrate


def average(folders: Sequence[Path], output: Path) -> Path:
    """Write the trained folder `output`: the mean of the weights, with thresholds from the validation split.

    Raises `FramingError` where a folder is not complete, where their configs differ in more than seed and output, or
    where `output` is there already.
    """
    configs = [load_config(folder / CONFIG) for folder in folders]
    for folder, config in zip(folders, configs, strict=True):
        if _recipe(config) != _recipe(configs[0]):
            raise FramingError(f"{folder}: made by another recipe than {folders[0]}; only the seed may differ")
    if output.exists():
        raise FramingError(f"{output}: is there already; choose another folder or delete it")
    model, *others = [load_model(folder) for folder in folders]
    with torch.no_grad():
        for name, mean in model.state_dict().items():
            mean.copy_(torch.stack([mean, *(other.state_dict()[name] for other in others)]).mean(0))
    shutil.copytree(folders[0], output, ignore=shutil.ignore_patterns("checkpoints", "history.json"))
    config = configs[0].model_copy(update={"output": output})
    save_model(model, output, output_names(config.labels, config.boilerplate, config.verification_kinds))
    calibrate(config)
    return output


def _recipe(config: Config) -> str:
    return dump_config(config.model_copy(update={"seed": 0, "output": Path()}))
