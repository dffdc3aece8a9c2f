"""Scoring inside the workers of other programs: one function for any map over partitions, one classifier a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from framing.articles import to_article
from framing.classifier import FramingClassifier

#: One classifier for every model, number of threads and precision that a process is asked for.
cached_classifier = cache(FramingClassifier.from_pretrained)


def score_rows(
    rows: Iterable[Mapping[str, Any]],
    model: str | None = None,
    *,
    threads: int = 1,
    precision: float | None = None,
    text_column: str = "text",
) -> list[dict[str, Any]]:
    """Score rows of fields, as in a table or in JSON lines; one record each, in order, as `framing score` writes them.

    Args:
        rows: mappings with the text under `text_column`, or with `sentences`; the README names the other fields.
        model: a model folder; the shipped model without it.
        threads: as for `FramingClassifier.from_pretrained`; 1, since such programs run a process a core.
        precision: as for `FramingClassifier.from_pretrained`.

    A row without text becomes a record with `error` set. Can be sent to other processes by name.
    """
    classifier = cached_classifier(model, threads=threads, precision=precision)
    return [result.to_dict() for result in classifier.stream(to_article("", dict(row), text_column) for row in rows)]
