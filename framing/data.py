"""Labelled articles: reading and validating the training format, splitting by article, `datasets.DatasetDict`.

The format is JSON lines, one article a line, its sentences already segmented; the README describes every field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from framing.errors import FramingError
from framing.labels import VERIFICATION

if TYPE_CHECKING:
    from datasets import DatasetDict, Features

Kind = Literal["corroborated", "refuted", "unverified"]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class LabelledSentence(BaseModel):
    """One sentence; without `annotated` it carries no label: it is context, or, with `scores`, a teacher's alone.

    `evidence` maps a label of this sentence to character spans `[start, end)` of `text`; a span list may be empty
    (the evidence stands in another sentence). `scores`, in 0…1 and keyed by output name (see
    `framing.model_folder.output_names`), are a teacher's soft labels: the only ones of a sentence that is not annotated,
    else mixed with `labels` by `training.teacher_weight`.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)
    annotated: bool = True
    boilerplate: bool = False
    labels: list[str] = []
    verification: Kind | None = None
    evidence: dict[str, list[tuple[int, int]]] = {}
    scores: dict[str, Annotated[float, Field(ge=0, le=1)]] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> LabelledSentence:
        if not self.annotated and (self.labels or self.evidence or self.boilerplate):
            raise ValueError("a sentence with annotated: false carries a label")
        if self.boilerplate and self.labels:
            raise ValueError("a boilerplate sentence carries a label")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is given twice")
        if self.verification and VERIFICATION not in self.labels:
            raise ValueError(f"verification is set without the label {VERIFICATION}")
        for label, spans in self.evidence.items():
            if label not in self.labels:
                raise ValueError(f"evidence for {label}, which the sentence does not carry")
            for start, end in spans:
                if not 0 <= start < end <= len(self.text):
                    raise ValueError(f"evidence [{start}, {end}] of {label} is outside the sentence")
        return self


class LabelledArticle(BaseModel):
    """An article or passage. `dataset` and `article` name the source; `event` groups accounts of one event.

    `picked` keeps an article out of the validation split: its labelled sentences were picked because a model found them
    hard, and thresholds and calibration fitted on such rates would not hold elsewhere.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    dataset: Text = ""
    article: Text = ""
    event: Text = ""
    outlet: Text = ""
    style: Text = ""
    topic: Text = ""
    title: Text = ""
    date: Text = ""
    picked: bool = False
    sentences: list[LabelledSentence] = Field(min_length=1)

    @property
    def group(self) -> str:
        """What may not stand in two splits: the event where one is named, else the source article."""
        return self.event or f"{self.dataset}/{self.article or self.id}"

    @property
    def for_validation(self) -> bool:
        """Whether it may validate: something in it is annotated, and it was not picked."""
        return not self.picked and any(sentence.annotated for sentence in self.sentences)


def parse_article(line: str) -> LabelledArticle:
    """One line of the training format. Raises `FramingError` that names the field of the first error."""
    try:
        return LabelledArticle.model_validate_json(line)
    except ValidationError as error:
        raise FramingError(describe_errors(error)[0]) from None


def describe_errors(error: ValidationError) -> list[str]:
    """What a validation found, a sentence each, the field first."""
    found = []
    for one in error.errors():
        field = ".".join(str(part) for part in one["loc"])
        found.append(f"{field + ': ' if field else ''}{one['msg'].removeprefix('Value error, ')}")
    return found


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The non-empty lines of a UTF-8 file with their numbers. Raises `FramingError` where it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise FramingError(f"{path}: cannot be read ({error}); give a UTF-8 file of JSON lines") from None


def read_articles(path: str | Path, labels: Sequence[str] | None = None) -> Iterator[LabelledArticle]:
    """The articles of one JSONL file. Raises `FramingError` with file, line and field at the first bad one.

    With `labels`, a label outside that set is an error too.
    """
    path = Path(path)
    for number, line in read_lines(path):
        try:
            article = parse_article(line)
            for index, sentence in enumerate(article.sentences):
                unknown = sorted(set(sentence.labels) - set(labels)) if labels is not None else []
                if unknown:
                    raise FramingError(f"sentences.{index}: unknown label {unknown[0]!r}, the label set is {list(labels or [])}")
        except FramingError as error:
            raise FramingError(f"{path}:{number}: {error}") from None
        yield article


def in_validation(group: str, fraction: float) -> bool:
    """Whether a group of articles belongs to the validation split: a hash, so that it depends neither on the order nor on
    the seed of a training, and models of several seeds can be compared and averaged."""
    digest = hashlib.sha256(f"13:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < fraction * 2**64


def features() -> Features:
    """The declared features of the dataset: one row an article, its sentences as a list of records."""
    from datasets import Features, List, Value

    span = {"label": Value("string"), "start": Value("int32"), "end": Value("int32")}
    sentence = {
        "text": Value("string"),
        "annotated": Value("bool"),
        "boilerplate": Value("bool"),
        "labels": List(Value("string")),
        "verification": Value("string"),
        "evidence": List(span),
        "scores": List({"name": Value("string"), "value": Value("float32")}),
    }
    texts = {name: Value("string") for name in ("id", "dataset", "article", "event", "outlet", "topic")}
    return Features({**texts, "sentences": List(sentence)})


def to_row(article: LabelledArticle) -> dict[str, Any]:
    """An article as a row of `features()`: the maps `evidence` and `scores` become lists of records."""
    row = article.model_dump(include={"id", "dataset", "article", "event", "outlet", "topic", "sentences"})
    for sentence in row["sentences"]:
        sentence["evidence"] = [
            {"label": label, "start": start, "end": end} for label, spans in sentence["evidence"].items() for start, end in spans
        ]
        sentence["scores"] = [{"name": name, "value": value} for name, value in (sentence["scores"] or {}).items()]
    return row


def split(
    train: Iterable[str | Path],
    validation: Iterable[str | Path] = (),
    labels: Sequence[str] | None = None,
    validation_fraction: float = 0.1,
) -> tuple[list[LabelledArticle], list[LabelledArticle]]:
    """Read JSONL files into training and validation articles.

    Without validation files, `validation_fraction` (0…1) of the groups of the training files is held out: all
    passages of one source article, or of one event, fall on the same side.
    """
    training = [article for path in train for article in read_articles(path, labels)]
    held_out = [article for path in validation for article in read_articles(path, labels)]
    if not held_out:
        held_out = [a for a in training if a.for_validation and in_validation(a.group, validation_fraction)]
        training = [a for a in training if not (a.for_validation and in_validation(a.group, validation_fraction))]
    if not training or not held_out:
        raise FramingError("the training data leave no article to train on or none to validate on; give more articles")
    leaking = {a.group for a in training} & {a.group for a in held_out}
    if leaking:
        raise FramingError(f"article {sorted(leaking)[0]!r} stands in the training and the validation files; remove one")
    return training, held_out


def load(
    train: Iterable[str | Path],
    validation: Iterable[str | Path] = (),
    labels: Sequence[str] | None = None,
    validation_fraction: float = 0.1,
) -> DatasetDict:
    """What `split` reads, as a `DatasetDict` with the splits `train` and `validation` and the declared `features`."""
    from datasets import Dataset, DatasetDict

    training, held_out = split(train, validation, labels, validation_fraction)
    return DatasetDict(
        {
            name: Dataset.from_list([to_row(a) for a in articles], features=features())
            for name, articles in (("train", training), ("validation", held_out))
        }
    )


def write_articles(path: Path, articles: Iterable[LabelledArticle]) -> int:
    """Write articles as JSON lines that `read_articles` reads back equal; fields at their default are left out.

    Returns how many they were.
    """
    count = 0
    with path.open("w", encoding="utf-8") as lines:
        for article in articles:
            lines.write(json.dumps(article.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n")
            count += 1
    return count
