"""Training settings: one commented `configs/base.yaml` that shows every key, files that hold what differs, overrides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from framing.errors import FramingError
from framing.labels import VERIFICATION_KINDS
from framing.model_folder import BOILERPLATE

#: The file that shows every key with its default. Training runs from a clone, where it lies beside the package.
BASE = Path(__file__).parent.parent / "configs" / "base.yaml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _label_name(name: str) -> str:
    if name in (BOILERPLATE, *VERIFICATION_KINDS):
        raise ValueError(f"{name!r} is the name of another output and cannot be a label")
    return name


LabelName = Annotated[str, AfterValidator(_label_name)]


class EncoderConfig(_Section):
    name: str
    revision: str | None
    sha256: str | None
    layers: int | None = Field(ge=1)


class DataConfig(_Section):
    train: list[Path] = Field(min_length=1)
    validation: list[Path]
    validation_fraction: float = Field(gt=0, lt=1)


class WindowConfig(_Section):
    context: Literal["article", "none"]
    max_tokens: int = Field(ge=16, le=8192)
    scoring_tokens: int | None = Field(ge=16, le=8192)
    max_sentence_tokens: int = Field(ge=8, le=8192)
    context_sentences: int = Field(ge=0, le=8)
    train_alone: bool


class TrainingConfig(_Section):
    start: Path | None
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    head_learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    warmup: float = Field(ge=0, lt=1)
    dropout: float = Field(ge=0, lt=1)
    freeze_embeddings: bool
    freeze_layers: int = Field(ge=0)
    swap_names: float = Field(ge=0, le=1)
    evidence_weight: float = Field(ge=0)
    teacher_weight: float = Field(ge=0, le=1)
    bf16: bool
    threads: int = Field(ge=0)


class Config(_Section):
    """Every setting of a training run; `configs/base.yaml` says what each means."""

    name: str
    version: str
    seed: int
    labels: list[LabelName] = Field(min_length=1)
    boilerplate: bool
    verification_kinds: bool
    output: Path
    encoder: EncoderConfig
    data: DataConfig
    windows: WindowConfig
    training: TrainingConfig

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: a label stands twice")
        windows = self.windows
        if windows.max_sentence_tokens > min(windows.max_tokens, windows.scoring_tokens or windows.max_tokens):
            raise ValueError("windows.max_sentence_tokens is larger than windows.max_tokens or windows.scoring_tokens")
        return self


def _merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FramingError(f"{path}: the config cannot be read ({error}); give a YAML file such as {BASE.name}") from None
    except yaml.YAMLError as error:
        raise FramingError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise FramingError(f"{path}: a config is a mapping of keys to values")
    return content


def load_config(path: Path, overrides: list[str] | None = None) -> Config:
    """The settings of `configs/base.yaml`, changed by the file at `path`, then by overrides like `training.epochs=2`.

    Override values are read as YAML. Raises `FramingError` for an unknown key or a value out of range, naming it.
    """
    values = _read_yaml(BASE)
    if path.resolve() != BASE.resolve():
        values = _merge(values, _read_yaml(path))
    for override in overrides or []:
        key, separator, value = override.partition("=")
        if not separator or not key:
            raise FramingError(f"override {override!r} must look like training.epochs=2")
        try:
            change: Any = yaml.safe_load(value)
        except yaml.YAMLError:
            raise FramingError(f"override {override!r}: the value is not valid YAML") from None
        for part in reversed(key.split(".")):
            change = {part: change}
        values = _merge(values, change)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        where = "the overrides" if any(o.partition("=")[0] == key for o in overrides or []) else str(path)
        raise FramingError(f"{where}: {key + ': ' if key else ''}{message}; {BASE.name} shows every key") from None


def dump_config(config: Config) -> str:
    """The resolved settings as YAML that `load_config` reads back."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text
