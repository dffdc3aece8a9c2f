"""What Label Studio exports as JSON after people corrected the tasks of `framing.labelstudio` → labelled articles.

The format is that of https://labelstud.io/guide/export. Label Studio counts offsets in code points (seen in 1.23.2), and
in UTF-16 code units before its issue 1008 was mended; each region carries its words, which say which of the two it is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from framing.data import LabelledArticle, LabelledSentence, describe_errors
from framing.errors import FramingError
from framing.labels import VERIFICATION
from framing.labelstudio import EVIDENCE, KIND_LABELS, SENTENCE, line_spans, shown
from framing.model_folder import BOILERPLATE
from framing.text import Span


class _Value(BaseModel):
    start: Annotated[int, Field(ge=0)]
    end: int
    text: str | None = None
    labels: list[str] = []  # absent where a person took all labels away


class _Region(BaseModel):
    from_name: str
    value: _Value


class _Annotation(BaseModel):
    was_cancelled: bool = False
    created_at: str = ""
    updated_at: str = ""
    result: list[dict[str, Any]] = []


class _Article(BaseModel):
    model_config = ConfigDict(extra="allow")  # the fields of the training format

    id: str
    sentences: list[str]


class _Data(BaseModel):
    text: str
    framing: _Article


class _Task(BaseModel):
    data: _Data
    annotations: list[_Annotation]


class _UnusableError(Exception):
    def __init__(self, problems: list[str]):
        super().__init__(problems)
        self.problems = problems


@dataclass
class Corrections:
    """What an export holds: corrected articles, the number of tasks nobody has reviewed, and what was wrong where."""

    articles: list[LabelledArticle] = field(default_factory=list)
    unreviewed: int = 0
    errors: list[str] = field(default_factory=list)


def read_corrections(path: Path) -> Corrections:
    """The reviewed tasks of a JSON export as labelled articles, in order; a task with an error gives no article.

    Of several annotations of a task the one updated last counts; cancelled (skipped) ones never do, and a task with
    no other is not reviewed. Raises `FramingError` where the file is no such export.
    """
    corrections = Corrections()
    seen: dict[str, str] = {}
    for number, raw in enumerate(_tasks(path), 1):
        name = f"task {raw['id']}" if isinstance(raw, dict) and "id" in raw else f"task number {number}"
        try:
            task = _Task.model_validate(raw)
            annotations = [annotation for annotation in task.annotations if not annotation.was_cancelled]
            if not annotations:
                corrections.unreviewed += 1
                continue
            article = _corrected(task, max(annotations, key=lambda a: a.updated_at or a.created_at))
            if article.id in seen:
                raise _UnusableError([f"the article {article.id!r} was read already, from {seen[article.id]}; remove one"])
        except ValidationError as error:
            corrections.errors += [f"{path}: {name}: {problem}" for problem in describe_errors(error)]
        except _UnusableError as error:
            corrections.errors += [f"{path}: {name}: {problem}" for problem in error.problems]
        else:
            seen[article.id] = name
            corrections.articles.append(article)
    return corrections


def _tasks(path: Path) -> list[Any]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FramingError(f"{path}: cannot be read ({error.strerror}); give what Label Studio exports as JSON") from None
    except (ValueError, RecursionError) as error:
        raise FramingError(f"{path}: not JSON ({str(error)[:120]}); give what Label Studio exports as JSON") from None
    if not isinstance(tasks, list) or not tasks:
        raise FramingError(f"{path}: holds no list of tasks; give what Label Studio exports as JSON")
    if isinstance(tasks[0], dict) and "annotation_id" in tasks[0]:
        raise FramingError(f"{path}: is a JSON-MIN export; export once more, as JSON")
    return tasks


def _corrected(task: _Task, annotation: _Annotation) -> LabelledArticle:
    """The article of a task, labelled as an annotation says. Raises `_UnusableError` with all that is wrong."""
    text, texts = task.data.text, task.data.framing.sentences
    if shown(texts) != text:
        raise _UnusableError(["data.text is not the text of its sentences any more; import the exported tasks unchanged"])
    problems: list[str] = []
    labels: dict[int, list[str]] = defaultdict(list)
    evidence: dict[int, dict[str, set[Span]]] = defaultdict(lambda: defaultdict(set))
    spans = line_spans(texts)
    for region in _regions(annotation, problems):
        try:
            start, end = _located(region.value, text)
        except FramingError as error:
            problems.append(str(error))
            continue
        pieces = [(i, (max(start, s) - s, min(end, e) - s)) for i, (s, e) in enumerate(spans) if start < e and end > s]
        for index, (first, last) in pieces:
            if region.from_name == EVIDENCE:
                for label in region.value.labels:
                    evidence[index][label].add((first, last))
            elif len(pieces) == 1 or texts[index][first:last].strip() == texts[index].strip():
                labels[index] += region.value.labels
            else:
                problems.append(
                    f"{_named(index, texts)}: a region labelled {region.value.labels[0]!r} covers a part of it and of its "
                    "neighbour; mark each sentence whole"
                )
    sentences = []
    for index in range(len(texts)):
        try:
            sentences.append(_sentence(texts[index], labels[index], evidence[index]))
        except ValidationError as error:
            problems += [f"{_named(index, texts)}: {problem}" for problem in describe_errors(error)]
        except FramingError as error:
            problems.append(f"{_named(index, texts)}: {error}")
    if problems:
        raise _UnusableError(problems)
    return LabelledArticle.model_validate(task.data.framing.model_dump() | {"sentences": sentences})


def _regions(annotation: _Annotation, problems: list[str]) -> Iterator[_Region]:
    """The labelled regions; what else a project has added (comments, relations) is passed over."""
    for raw in annotation.result:
        if raw.get("type") != "labels":
            continue
        region = _Region.model_validate(raw)
        if not region.value.labels:
            continue
        if region.from_name in (SENTENCE, EVIDENCE):
            yield region
        else:
            problems.append(
                f"no control {region.from_name!r} is known, only {SENTENCE!r} and {EVIDENCE!r}; keep the exported config"
            )


def _located(value: _Value, text: str) -> Span:
    """Where a region stands in `text`, in code points, without white space around it."""
    start, end = value.start, value.end
    if value.text is not None and not _same(text[start:end], value.text):
        units = text.encode("utf-16-le")
        start, end = (len(units[: 2 * offset].decode("utf-16-le", "ignore")) for offset in (start, end))
        if not _same(text[start:end], value.text):
            raise FramingError(f"the region at {value.start} to {value.end} does not hold its words, {value.text[:60]!r}")
    words = text[start:end]
    if not words.strip():
        raise FramingError(f"the region at {value.start} to {value.end} holds no words")
    return start + len(words) - len(words.lstrip()), start + len(words.rstrip())


def _same(ours: str, theirs: str) -> bool:
    """Whether two texts have the same words: Label Studio writes a line break in a region's text as backslash and n."""
    ours, theirs = (text.replace("\\n", "\n") for text in (ours, theirs))
    return ours.split() == theirs.split()


def _sentence(text: str, given: list[str], evidence: dict[str, set[Span]]) -> LabelledSentence:
    kinds = list(dict.fromkeys(KIND_LABELS[label] for label in given if label in KIND_LABELS))
    if len(kinds) > 1:
        raise FramingError(f"two kinds of verification, {' and '.join(kinds)}; keep one")
    labels = [VERIFICATION if label in KIND_LABELS else label for label in given if label != BOILERPLATE]
    return LabelledSentence.model_validate(
        {
            "text": text,
            "boilerplate": BOILERPLATE in given,
            "labels": list(dict.fromkeys(labels)),
            "verification": kinds[0] if kinds else None,
            "evidence": {label: sorted(spans) for label, spans in evidence.items()},
        }
    )


def _named(index: int, texts: list[str]) -> str:
    return f"sentence {index + 1} ({texts[index][:60]!r})"
