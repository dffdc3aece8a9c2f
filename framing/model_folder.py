"""The model folder: the one contract between training and scoring.

It holds `framing.json` (this module), `tokenizer.json`, and the weights: `model.onnx` for scoring and, in a trained
folder, `model.safetensors` with a transformers `config.json`.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from framing.errors import FramingError, printable
from framing.labels import VERIFICATION, VERIFICATION_KINDS, Label, known_label

SETTINGS = "framing.json"
TOKENIZER = "tokenizer.json"
ONNX = "model.onnx"
WEIGHTS = "model.safetensors"
CONFIG = "config.yaml"
BOILERPLATE = "boilerplate"

#: The released models, by name.
RELEASED = {folder.name: folder for folder in (Path(__file__).parent / "models").iterdir()}

#: Key of the graph's metadata that holds the names of its sentence outputs, in order, as a JSON list.
OUTPUTS = "framing_outputs"


#: `framing.json` takes some kilobytes; a longer file is not one.
_MAX_SETTINGS = 10_000_000

#: A name or a phrase that is printed: no control characters, no marks of direction.
Phrase = Annotated[str, Field(pattern=r"^\P{C}*$", max_length=1_000)]
Name = Annotated[Phrase, Field(min_length=1)]


class LabelSettings(BaseModel):
    """A label as its model knows it.

    `scale` and `bias` turn a logit into a probability, `sigmoid(scale * logit + bias)` (Platt 1999); a sentence
    carries the label from `threshold` on, a word is evidence from `evidence_threshold` on, both in 0…1.
    `precision_curve` lists `(threshold, precision, recall)` on the validation split, thresholds rising.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Name
    definition: Phrase = ""
    evidence: Phrase = ""
    colour: str = Field(default="#777777", pattern=r"^#[0-9A-Fa-f]{6}$")
    scale: float = Field(default=1.0, gt=0)
    bias: float = 0.0
    threshold: float = Field(default=0.5, ge=0, le=1)
    evidence_threshold: float = Field(default=0.5, ge=0, le=1)
    precision_curve: list[tuple[float, float, float]] = []

    def threshold_for(self, precision: float) -> float:
        """The lowest threshold from which on the curve keeps at least this precision (0…1); over 1 where none does."""
        chosen = math.inf
        for threshold, reached, _ in reversed(self.precision_curve):
            if reached < precision:
                break
            chosen = threshold
        return chosen


class Settings(BaseModel):
    """Content of `framing.json`: what a model needs to be read, beside tokenizer and weights."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    name: Name
    version: Name
    labels: list[LabelSettings] = Field(min_length=1)
    boilerplate: bool
    boilerplate_threshold: float = Field(default=0.5, ge=0, le=1)
    verification_kinds: bool
    context: str = Field(pattern="^(article|none)$")
    max_tokens: int = Field(ge=4, le=8_192)
    max_sentence_tokens: int = Field(ge=4, le=8_192)
    context_sentences: int = Field(ge=0, le=64)
    package_version: Phrase
    data_sha256: Phrase

    @model_validator(mode="after")
    def _labels_differ(self) -> Settings:
        names = [label.name for label in self.labels]
        if len(set(names)) != len(names):
            raise ValueError("a label stands twice")
        reserved = {BOILERPLATE, *VERIFICATION_KINDS} & set(names)
        if reserved:
            raise ValueError(f"{reserved.pop()!r} is the name of another output and cannot be a label")
        if self.max_sentence_tokens > self.max_tokens:
            raise ValueError("max_sentence_tokens is larger than max_tokens")
        return self

    @property
    def title(self) -> str:
        """Name and version, as in the records."""
        return f"{self.name} {self.version}"

    @property
    def label_names(self) -> list[str]:
        return [label.name for label in self.labels]

    @property
    def outputs(self) -> list[str]:
        return output_names(self.label_names, self.boilerplate, self.verification_kinds)


def output_names(labels: list[str], boilerplate: bool, verification_kinds: bool) -> list[str]:
    """Names of the sentence outputs of a model in order: labels, then `boilerplate`, then the verification kinds.

    Kinds are outputs only where `independent_verification` is a label.
    """
    kinds = list(VERIFICATION_KINDS) if verification_kinds and VERIFICATION in labels else []
    return [*labels, *([BOILERPLATE] if boilerplate else []), *kinds]


def label_settings(name: str) -> LabelSettings:
    """Fresh settings for a label, with the codebook's definition where it is one of the codebook's."""
    label: Label = known_label(name)
    return LabelSettings(name=name, definition=label.definition, evidence=label.evidence, colour=label.colour)


def read_part(path: Path, most: int) -> bytes:
    """The bytes of a file of a model folder. Raises `OSError` where it is no file, or one of more than `most` bytes."""
    if not path.is_file():
        raise OSError("no such file")
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(f"more than {most:,} bytes")
    return content


def find_model(model: str | Path | None) -> Path:
    """The folder of a released model by its name, of the default one without a name; else `model` itself, a path."""
    return RELEASED.get("default" if model is None else str(model)) or Path(str(model))


def read_settings(folder: Path) -> Settings:
    """Read and check `framing.json`. Raises `FramingError` that says what is missing or wrong."""
    path = folder / SETTINGS
    if not folder.is_dir():
        raise FramingError(f"{folder}: no such model folder; give a folder that scripts/export.py wrote")
    try:
        return Settings.model_validate_json(read_part(path, _MAX_SETTINGS))
    except OSError:
        raise FramingError(
            f"{folder}: not a model folder, it has no readable {SETTINGS}; make one with scripts/export.py"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "content"
        raise FramingError(f"{path}: {printable(field[:100])}: {printable(first['msg'][:160])}") from None


def write_settings(folder: Path, settings: Settings) -> None:
    """Write `framing.json`."""
    text = json.dumps(settings.model_dump(), indent=1, ensure_ascii=False)
    (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


def model_hash(folder: Path) -> str:
    """SHA-256, in hex, of the files that decide a model's scores."""
    digest = hashlib.sha256()
    for name in (SETTINGS, TOKENIZER, ONNX):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()
