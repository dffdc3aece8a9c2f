"""The network: a pretrained encoder with a sentence head and an evidence head, over windows of several sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils import ModelOutput

from framing.errors import FramingError
from framing.model_folder import WEIGHTS

#: Marks a target that is not known: context sentences, special tokens, padding.
IGNORE = -100.0


@dataclass
class FramingOutput(ModelOutput):
    """`loss`, scalar where targets were given; `sentence_logits` (batch, sentences, outputs); `token_logits`
    (batch, tokens, labels)."""

    loss: Tensor | None = None
    sentence_logits: Tensor | None = None
    token_logits: Tensor | None = None


class FramingModel(nn.Module):
    """Scores each sentence of a window from the mean of its tokens' states, and each token as evidence.

    Args:
        encoder: any `AutoModel` whose output has `last_hidden_state`.
        outputs: number of sentence outputs: the labels first, then boilerplate and verification kinds if any.
        labels: number of labels, which is also the number of evidence outputs per token.
        dropout: probability, 0…1, in front of the sentence head.
        evidence_weight: weight of the token loss against the sentence loss.
    """

    def __init__(self, encoder: PreTrainedModel, outputs: int, labels: int, dropout: float = 0.0, evidence_weight: float = 1.0):
        super().__init__()
        hidden: int = encoder.config.hidden_size
        self.encoder: PreTrainedModel = encoder
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden, outputs)
        self.evidence = nn.Linear(hidden, labels)
        self.evidence_weight = evidence_weight

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        sentence_mask: Tensor,
        sentence_targets: Tensor | None = None,
        token_targets: Tensor | None = None,
    ) -> FramingOutput:
        """Score windows.

        Args:
            input_ids, attention_mask: (batch, tokens); no mask where nothing is padded.
            sentence_mask: (batch, sentences, tokens), 1.0 where a token belongs to a sentence; all 0 pads sentences.
            sentence_targets: (batch, sentences, outputs) in 0…1, `IGNORE` where unknown.
            token_targets: (batch, tokens, labels) in 0…1, `IGNORE` where unknown.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = sentence_mask.to(hidden.dtype)
        pooled = (mask @ hidden) / mask.sum(-1, keepdim=True).clamp(min=1)
        sentence_logits = self.classifier(self.dropout(pooled)).float()
        token_logits = self.evidence(hidden).float()
        loss = None
        if sentence_targets is not None:
            loss = masked_bce(sentence_logits, sentence_targets)
            if token_targets is not None and self.evidence_weight:
                loss = loss + self.evidence_weight * masked_bce(token_logits, token_targets)
        return FramingOutput(loss=loss, sentence_logits=sentence_logits, token_logits=token_logits)


def masked_bce(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy over the known targets: summed over outputs, averaged over the items that have any."""
    known = targets != IGNORE
    losses = functional.binary_cross_entropy_with_logits(logits, targets.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.any(-1).sum().clamp(min=1)


def build_model(folder: Path, outputs: int, labels: int, dropout: float, evidence_weight: float) -> FramingModel:
    """A model to train: the pretrained encoder of a local folder with fresh heads.

    Attention dropout is off: it rules out the fused attention kernel on CPUs, which is much faster.
    """
    config = AutoConfig.from_pretrained(folder)
    config.attention_probs_dropout_prob = 0.0
    encoder = _without_pooler(AutoModel.from_pretrained, folder, config=config, use_safetensors=True)
    return FramingModel(encoder, outputs, labels, dropout, evidence_weight)


def freeze(model: FramingModel, embeddings: bool, layers: int) -> None:
    """Keep the word vectors, and the encoder's `layers` lowest layers, as they were pretrained."""
    encoder: Any = model.encoder
    encoder.get_input_embeddings().requires_grad_(not embeddings)
    for layer in encoder.encoder.layer[:layers] if layers else []:
        layer.requires_grad_(False)


def keep_layers(model: FramingModel, layers: int) -> None:
    """Shorten the encoder to `layers` of its layers, evenly spaced and the top one among them (as in Sanh et al. 2019,
    "DistilBERT"). Raises `FramingError` where it has fewer."""
    encoder: Any = model.encoder
    total = len(encoder.encoder.layer)
    if layers > total:
        raise FramingError(f"encoder.layers is {layers}, but the encoder has {total} layers")
    kept = [round((i + 1) * total / layers) - 1 for i in range(layers)]
    encoder.encoder.layer = nn.ModuleList([encoder.encoder.layer[i] for i in kept])
    encoder.config.num_hidden_layers = layers


def _without_pooler(create: Callable[..., PreTrainedModel], *args: Any, **options: Any) -> PreTrainedModel:
    """An encoder without the pooling layer that we do not use; architectures that have none do not know the option."""
    try:
        return create(*args, **options, add_pooling_layer=False)
    except TypeError:
        return create(*args, **options)


def save_model(model: FramingModel, folder: Path, outputs: list[str]) -> None:
    """Write `model.safetensors` and `config.json`: the encoder's own config with the names of the outputs."""
    config = model.encoder.config
    config.id2label = dict(enumerate(outputs))
    config.label2id = {name: i for i, name in enumerate(outputs)}
    config.save_pretrained(folder)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)


def load_model(folder: Path) -> FramingModel:
    """A trained model from its folder, in evaluation mode. Raises `FramingError` where files are missing or do not fit."""
    with _complete(folder):
        weights = load_file(folder / WEIGHTS)
        config = AutoConfig.from_pretrained(folder)
        outputs, labels = weights["classifier.weight"].size(0), weights["evidence.weight"].size(0)
        model = FramingModel(_without_pooler(AutoModel.from_config, config), outputs, labels)
        model.load_state_dict(weights)
    return model.eval()


def load_weights(model: FramingModel, folder: Path) -> None:
    """Give a model the weights of a trained folder. Raises `FramingError` where they are missing or do not fit."""
    with _complete(folder):
        model.load_state_dict(load_file(folder / WEIGHTS))


@contextmanager
def _complete(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:160]
        raise FramingError(f"{folder}: not a complete trained folder ({reason}); make one with scripts/train.py") from None
