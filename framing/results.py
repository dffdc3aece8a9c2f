"""Result types: what the classifier returns and what a record of the output holds."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from framing.articles import BadArticle


@dataclass(frozen=True)
class Evidence:
    """Words that carry a label. `start` and `end` are characters of the article's text; `voice` is `quoted` where the
    words stand inside quotation marks, else `narrator`; `score` in 0…1."""

    label: str
    start: int
    end: int
    text: str
    score: float
    voice: str


@dataclass(frozen=True)
class SentenceResult:
    """One sentence. `scores` are probabilities by label, in label order; `labels` those at or over their threshold.

    `verification` is the kind of an `independent_verification` sentence (corroborated, refuted, unverified), else
    None. `truncated` says that the model did not read the sentence to its end.
    """

    index: int
    start: int
    end: int
    text: str
    boilerplate: bool
    truncated: bool
    scores: dict[str, float]
    labels: list[str]
    verification: str | None
    evidence: list[Evidence]


@dataclass(frozen=True)
class ArticleResult:
    """One article; with `error` (`reason` and `message`) it was not scored and has no sentences."""

    id: str
    source: str
    title: str | None
    url: str | None
    outlet: str | None
    date: str | None
    meta: dict[str, Any]
    model: str
    sentences: list[SentenceResult] = field(default_factory=list)
    summary: dict[str, Any] | None = None
    error: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values, keys in the documented order; `meta` is handed through as it is.

        Scores, labels and summary are this result's own, not copies, which `dataclasses.asdict` would take a while to make.
        """
        sentences = [{**vars(one), "evidence": [{**vars(words)} for words in one.evidence]} for one in self.sentences]
        return {**vars(self), "sentences": sentences}


def failed(item: BadArticle, model: str) -> ArticleResult:
    """The result of an item that could not be scored by `model` (name and version)."""
    error = {"reason": item.reason, "message": item.message}
    return ArticleResult(item.id or item.source, item.source, None, None, None, None, item.meta, model, error=error)


def to_json(value: Any) -> str:
    """JSON of a record or a part of it, always valid UTF-8: where foreign fields hold lone surrogates they are
    escaped, NaN and infinities become null, and dates and the like become text."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
        text.encode()
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, default=str)
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def summarise(sentences: list[SentenceResult], labels: list[str]) -> dict[str, Any]:
    """Number of sentences that are not boilerplate and, per label, how many of them carry it and their share (0…1)."""
    prose = [sentence for sentence in sentences if not sentence.boilerplate]
    counts = {label: sum(label in sentence.labels for sentence in prose) for label in labels}
    return {
        "sentences": len(prose),
        "labels": {label: {"count": n, "share": round(n / len(prose), 4) if prose else 0.0} for label, n in counts.items()},
    }


def flatten(record: dict[str, Any]) -> list[dict[str, Any]]:
    """One flat row per sentence of a record, or one row for an article that was not scored.

    Scores become columns `score_<label>`; labels and evidence are joined by ` | `.
    """
    shared = {key: record[key] for key in ("id", "source", "title", "url", "outlet", "date", "model")}
    meta = {f"meta_{key}": value for key, value in record["meta"].items()}
    error = record["error"]
    if error:
        return [{**shared, "index": None, "error": error["message"], "error_reason": error["reason"], **meta}]
    return [
        {
            **shared,
            **{key: sentence[key] for key in ("index", "start", "end", "text", "boilerplate", "truncated")},
            "labels": " | ".join(sentence["labels"]),
            "verification": sentence["verification"],
            "evidence": " | ".join(f"{e['label']}: {e['text']}" for e in sentence["evidence"]),
            **{f"score_{label}": score for label, score in sentence["scores"].items()},
            "error": None,
            "error_reason": None,
            **meta,
        }
        for sentence in record["sentences"]
    ]
