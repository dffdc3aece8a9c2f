"""Scoring as plain functions of a batch, for processes that are not ours: our workers, Ray, Spark, Dask.

Both functions can be sent to another process. Each process opens a model once and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from framing.articles import BadArticle, Item, to_article
from framing.classifier import FramingClassifier
from framing.results import ArticleResult


@cache
def open_classifier(model: str | None = None, threads: int = 1, precision: float | None = None) -> FramingClassifier:
    """The classifier of this process for these settings, as `FramingClassifier.from_pretrained` opens it."""
    return FramingClassifier.from_pretrained(model, threads=threads, precision=precision)


def score_batch(
    items: Iterable[Item], model: str | None = None, *, threads: int = 1, precision: float | None = None
) -> list[ArticleResult]:
    """One result an article, in order; those of bad articles carry `error`. Arguments as in `from_pretrained`."""
    return list(open_classifier(model, threads, precision).stream(items))


def score_rows(
    rows: Iterable[Mapping[str, Any]],
    model: str | None = None,
    *,
    threads: int = 1,
    precision: float | None = None,
    text_column: str = "text",
) -> list[dict[str, Any]]:
    """One record a row, in order: rows as in JSON lines, records as `framing score` writes them, with `source` empty.

    >>> score_rows([{"id": "a", "text": "The ministry said the bridge was intact."}])[0]["sentences"][0]["labels"]
    ['official_claim']

    A row that cannot be scored gives a record with `error` set.
    """
    items = (
        to_article("", dict(row), text_column)
        if isinstance(row, Mapping)
        else BadArticle("", "bad_row", f"a row is a mapping of fields, not a {type(row).__name__}")
        for row in rows
    )
    return [result.to_dict() for result in score_batch(items, model, threads=threads, precision=precision)]
