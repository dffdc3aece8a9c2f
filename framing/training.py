"""Fine-tuning with the transformers `Trainer`: labelled articles → windows of tensors → a trained folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import EvalPrediction

from framing import __version__, data
from framing.calibration import calibrate_settings
from framing.config import Config, dump_config
from framing.cores import available_cores
from framing.encoders import find_encoder
from framing.errors import FramingError
from framing.model import IGNORE, FramingModel, build_model, freeze, keep_layers, load_weights, save_model
from framing.model_folder import CONFIG, Settings, label_settings, output_names, write_settings
from framing.targets import Collator, make_dataset
from framing.torch_runtime import TorchRuntime


def train(config: Config) -> Path:
    """Fine-tune as the config says, resuming where an earlier run of it was killed; returns the trained folder.

    The folder, `config.output`, holds the weights of the best epoch (macro average precision on the validation
    split), the tokenizer, the settings with thresholds from the validation split, and the resolved config. Raises `FramingError`
    where the data or the encoder are wrong, or where the folder holds a run of another config.

    Under `accelerate launch`, every process calls this: each trains on its part of every batch, the first one writes,
    and all return when the folder is complete. The machines share the output folder.
    """
    torch.set_num_threads(config.training.threads or max(1, available_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    set_seed(config.seed)
    splits = data.load(*_data_arguments(config))
    settings = _settings(config)
    arguments = _arguments(config)
    with arguments.main_process_first(local=False):  # so that the others find the encoder downloaded, and half a checkpoint gone
        encoder = find_encoder(config.encoder)
        resume = _claim(config, settings.data_sha256)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    outputs = output_names(config.labels, config.boilerplate, config.verification_kinds)
    windows = make_dataset(splits, tokenizer.backend_tokenizer, config, outputs)
    model = build_model(encoder, len(outputs), len(config.labels), config.training.dropout, config.training.evidence_weight)
    if config.training.start:
        load_weights(model, config.training.start)
    if config.encoder.layers:
        keep_layers(model, config.encoder.layers)
    freeze(model, config.training.freeze_embeddings, config.training.freeze_layers)
    trainer = Trainer(
        model=model,
        args=arguments,
        data_collator=Collator(tokenizer.pad_token_id or 0),
        train_dataset=windows["train"],
        eval_dataset=windows["validation"],
        compute_metrics=lambda prediction: validation_figures(prediction, config.labels),
        optimizers=(_optimizer(model, config), None),
    )
    trainer.train(resume_from_checkpoint=resume)
    if trainer.is_world_process_zero():
        save_model(model, config.output, outputs)
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.save_pretrained(config.output)
        write_settings(config.output, settings)
        calibrate(config)
        history = [row for row in trainer.state.log_history if "eval_loss" in row]
        (config.output / "history.json").write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    trainer.accelerator.wait_for_everyone()
    return config.output


def _data_arguments(config: Config) -> tuple[list[Path], list[Path], list[str], float]:
    return config.data.train, config.data.validation, config.labels, config.data.validation_fraction


def calibrate(config: Config) -> None:
    """Fit thresholds and probabilities of the trained folder `config.output` on the validation articles, and write them there."""
    _, held_out = data.split(*_data_arguments(config))
    write_settings(config.output, calibrate_settings(TorchRuntime(config.output), held_out))


def _claim(config: Config, data_sha256: str) -> str | None:
    """Make the output folder this run's, and say where to resume. The folder of another config or of other data is refused."""
    folder = config.output
    resolved = folder / CONFIG
    content = f"{dump_config(config)}# sha256 of the data files: {data_sha256}\n"
    folder.mkdir(parents=True, exist_ok=True)
    if resolved.exists() and resolved.read_text(encoding="utf-8") != content:
        raise FramingError(
            f"{folder}: holds a run of another config or other data; set output=… to another folder or delete this one"
        )
    resolved.write_text(content, encoding="utf-8")
    checkpoints = sorted((folder / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    while checkpoints and not (checkpoints[-1] / "trainer_state.json").exists():  # written last: without it, half a checkpoint
        shutil.rmtree(checkpoints.pop())
    if checkpoints:
        print(f"resuming from {checkpoints[-1]}", file=sys.stderr)
        return str(checkpoints[-1])
    return None


def _data_hash(config: Config) -> str:
    digest = hashlib.sha256()
    for path in [*config.data.train, *config.data.validation]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _arguments(config: Config) -> TrainingArguments:
    training = config.training
    return TrainingArguments(
        output_dir=str(config.output / "checkpoints"),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size * 2,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        lr_scheduler_type="linear",
        warmup_steps=training.warmup,
        max_grad_norm=1.0,
        bf16=training.bf16,
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="macro_average_precision",
        label_names=["sentence_targets"],
        remove_unused_columns=False,
        # With it on, each of several processes would draw an order of its own, and so leave out some windows and repeat others.
        accelerator_config={"use_seedable_sampler": False},
        logging_steps=50,
        report_to=[],
        seed=config.seed,
    )


def _optimizer(model: FramingModel, config: Config) -> torch.optim.Optimizer:
    """AdamW with a learning rate of their own for the fresh heads."""
    heads = {id(p) for module in (model.classifier, model.evidence) for p in module.parameters()}
    body = [p for p in model.parameters() if p.requires_grad and id(p) not in heads]
    groups = [
        {"params": body, "lr": config.training.learning_rate},
        {"params": [p for p in model.parameters() if id(p) in heads], "lr": config.training.head_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=config.training.weight_decay, fused=True)


def _settings(config: Config) -> Settings:
    return Settings(
        name=config.name,
        version=config.version,
        labels=[label_settings(name) for name in config.labels],
        boilerplate=config.boilerplate,
        verification_kinds=config.verification_kinds,
        context=config.windows.context,
        max_tokens=config.windows.scoring_tokens or config.windows.max_tokens,
        max_sentence_tokens=config.windows.max_sentence_tokens,
        context_sentences=config.windows.context_sentences,
        package_version=__version__,
        data_sha256=_data_hash(config),
    )


def validation_figures(prediction: EvalPrediction, labels: Sequence[str]) -> dict[str, float]:
    """Average precision per label and their mean, over the annotated sentences of the validation windows."""
    from sklearn.metrics import average_precision_score

    logits = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    targets = np.asarray(prediction.label_ids)
    known = targets[..., 0] != IGNORE
    figures = {}
    for i, label in enumerate(labels):
        truth = targets[known][:, i] > 0.5
        figures[f"average_precision_{label}"] = float(average_precision_score(truth, logits[known][:, i])) if truth.any() else 0.0
    return {"macro_average_precision": float(np.mean(list(figures.values()))), **figures}
