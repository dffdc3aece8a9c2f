"""A trained model as `transformers.pipeline("text-classification")` takes it: what most people would run it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

from framing.model import FramingModel, load_model
from framing.model_folder import TOKENIZER, read_settings


class MeanPooledClassifier(PreTrainedModel):
    """The encoder and sentence head of a trained `FramingModel`, reading one sentence: mean of its tokens' states, head."""

    _supports_sdpa = True  # PyTorch's fused attention, as the encoder alone would use it

    def __init__(self, model: FramingModel):
        super().__init__(model.encoder.config)
        self.encoder, self.classifier = model.encoder, model.classifier

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Logits (batch, outputs) of sentences whose `input_ids` and `attention_mask` are (batch, tokens)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[:, :, None].to(hidden.dtype)
        return SequenceClassifierOutput(logits=self.classifier((hidden * mask).sum(1) / mask.sum(1)))


def open_pipeline(trained: Path, threads: int) -> Any:
    """The pipeline over a trained folder; it gives the raw logit of every output of a sentence, by name."""
    torch.set_num_threads(threads)
    settings = read_settings(trained)
    model = MeanPooledClassifier(load_model(trained))  # loaded in evaluation mode
    MeanPooledClassifier.config_class = type(model.config)  # registered, or the pipeline says that it does not know the class
    AutoModelForSequenceClassification.register(type(model.config), MeanPooledClassifier, exist_ok=True)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(trained / TOKENIZER), pad_token="[PAD]")
    return pipeline(
        "text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None, function_to_apply="none",
        truncation=True, max_length=settings.max_sentence_tokens,
    )  # fmt: skip
