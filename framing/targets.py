"""Labelled articles → windows with targets, and batches of them: what `FramingModel.forward` takes in training."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from framing.augmentation import draw_names, swap_names
from framing.config import Config
from framing.labels import VERIFICATION, VERIFICATION_KINDS
from framing.model import IGNORE
from framing.model_folder import BOILERPLATE
from framing.windows import EncodedSentence, encode_sentences, plan_windows

Sentence = dict[str, Any]


def make_dataset(splits: DatasetDict, tokenizer: Tokenizer, config: Config, outputs: Sequence[str]) -> DatasetDict:
    """Windows with their targets, one row each; those in which nothing is annotated are left out."""

    rng = random.Random(config.seed)

    def windows_of(split: Dataset, contexts: Sequence[str], swapped: float) -> Iterator[dict[str, Any]]:
        for row in split:
            names = draw_names(rng) if rng.random() < swapped else {}
            sentences = swap_names(row["sentences"], names)
            for context in contexts:
                yield from article_windows(sentences, tokenizer, config, outputs, context)

    context = config.windows.context
    both = ["none", "article"] if config.windows.train_alone and context == "article" else [context]
    train = list(windows_of(splits["train"], both, config.training.swap_names))
    validation = list(windows_of(splits["validation"], [context], 0))
    return DatasetDict({"train": Dataset.from_list(train), "validation": Dataset.from_list(validation)})


def article_windows(
    sentences: list[Sentence], tokenizer: Tokenizer, config: Config, outputs: Sequence[str], context: str
) -> Iterator[dict[str, Any]]:
    """The windows of one article as the model's inputs and targets (see `FramingModel.forward`)."""
    settings = config.windows
    encoded = encode_sentences(tokenizer, [sentence["text"] for sentence in sentences], settings.max_sentence_tokens)
    windows = plan_windows(encoded, context, settings.max_tokens, settings.context_sentences)
    for window in windows:
        if not any(s["annotated"] or s["scores"] for s in sentences[window.scored : window.stop]):
            continue
        row: dict[str, Any] = {"input_ids": [], "sentence_lengths": [], "sentence_targets": [], "token_targets": []}
        for i in range(window.first, window.stop):
            scored = i >= window.scored
            row["sentence_lengths"].append(len(encoded[i].ids))
            row["input_ids"] += encoded[i].ids
            row["sentence_targets"].append(sentence_targets(sentences[i], outputs, config) if scored else [IGNORE] * len(outputs))
            row["token_targets"] += token_targets(sentences[i], encoded[i], config.labels, scored and sentences[i]["annotated"])
        yield {**row, "length": len(row["input_ids"])}


def sentence_targets(sentence: Sentence, outputs: Sequence[str], config: Config) -> list[float]:
    """Targets of one sentence, by output: 1 or 0, mixed with a teacher's scores where it has them.

    A sentence that is not annotated has the teacher's scores alone. A verification kind is known only where the
    sentence is a verification of a known kind.
    """
    labels, kind = sentence["labels"], sentence["verification"]
    soft = {score["name"]: score["value"] for score in sentence["scores"]}
    if not sentence["annotated"]:
        return [soft.get(output, IGNORE) for output in outputs]
    weight = config.training.teacher_weight
    targets = []
    for output in outputs:
        if output in VERIFICATION_KINDS:
            hard = float(output == kind) if VERIFICATION in labels and kind else IGNORE
        else:
            hard = float(sentence["boilerplate"] if output == BOILERPLATE else output in labels)
        if output in soft and hard != IGNORE:
            targets.append(weight * soft[output] + (1 - weight) * hard)
        else:
            targets.append(hard)
    return targets


def token_targets(sentence: Sentence, encoded: EncodedSentence, labels: Sequence[str], known: bool) -> list[list[float]]:
    """Evidence targets of one sentence: (tokens, labels), `IGNORE` for special tokens and for what is not known."""
    spans = {label: [(e["start"], e["end"]) for e in sentence["evidence"] or [] if e["label"] == label] for label in labels}
    return [
        [float(any(start < b and end > a for a, b in spans[label])) for label in labels]
        if known and end > start
        else [IGNORE] * len(labels)
        for start, end in encoded.offsets
    ]


class Collator:
    """Pads windows to the longest of the batch."""

    def __init__(self, pad_token_id: int):
        self.pad_token_id = pad_token_id

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Tensors for `FramingModel.forward`."""

        def padded(name: str, fill: float, dtype: torch.dtype) -> torch.Tensor:
            tensors = [torch.tensor(row[name], dtype=dtype) for row in rows]
            return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill)

        ids = padded("input_ids", self.pad_token_id, torch.long)
        lengths = torch.tensor([len(row["input_ids"]) for row in rows])
        return {
            "input_ids": ids,
            "attention_mask": (torch.arange(ids.size(1)) < lengths[:, None]).long(),
            "sentence_mask": sentence_masks([row["sentence_lengths"] for row in rows], ids.size(1)),
            "sentence_targets": padded("sentence_targets", IGNORE, torch.float32),
            "token_targets": padded("token_targets", IGNORE, torch.float32),
        }


def sentence_masks(lengths: Sequence[Sequence[int]], tokens: int) -> torch.Tensor:
    """(batch, sentences, tokens) with 1.0 where a token belongs to a sentence, from the sentences' lengths in tokens."""
    masks = torch.zeros(len(lengths), max(map(len, lengths)), tokens)
    for mask, row in zip(masks, lengths, strict=True):
        start = 0
        for sentence, length in enumerate(row):
            mask[sentence, start : start + length] = 1.0
            start += length
    return masks
