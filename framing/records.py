"""Scored files read back: the records that `framing score` wrote, for reports, comparisons and corrections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from framing.errors import FramingError
from framing.results import ArticleResult


@cache
def _adapter() -> TypeAdapter[ArticleResult]:
    return TypeAdapter(ArticleResult)


def parse_record(record: Any) -> ArticleResult:
    """One record, as `ArticleResult.to_dict` makes it, as a result again. Raises `FramingError` that names the field."""
    if isinstance(record, dict) and "index" in record and "sentences" not in record:
        raise FramingError("a record of a single sentence; score again without --flat, into .jsonl or .parquet")
    try:
        result = _adapter().validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise FramingError(f"{field}: {first['msg']}; give a file that framing score wrote") from None
    for sentence in result.sentences:
        unknown = {*sentence.labels, *(evidence.label for evidence in sentence.evidence)} - set(sentence.scores)
        if unknown:
            raise FramingError(f"sentences.{sentence.index}.labels: {min(unknown)!r} has no score in this sentence")
    return result


def read_results(paths: Sequence[str | Path]) -> Iterator[ArticleResult]:
    """The articles of scored files, in order, lazily: JSON lines, or Parquet by the suffix, one record an article.

    Records of articles that were not scored come along, with their `error`. Raises `FramingError` with file and line
    at the first record that is none, or where a file cannot be read.
    """
    for path in map(Path, paths):
        for where, record in _parquet_rows(path) if path.suffix.lower() == ".parquet" else _json_rows(path):
            try:
                yield parse_record(record)
            except FramingError as error:
                raise FramingError(f"{where}: {error}") from None


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}:{number}", json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FramingError(f"{path}:{number}: not a JSON line ({reason}); give a file that framing score wrote") from None
    except OSError as error:
        raise FramingError(f"{path}: cannot be read ({error.strerror}); give a file that framing score wrote") from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise FramingError("reading Parquet needs the extra parquet: pip install '.[parquet]'") from None
    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=64):
            for row in batch.to_pylist():
                number += 1
                if "sentences" in row:
                    row["meta"] = json.loads(row.get("meta") or "{}")
                    shares = row.pop("labels", None)
                    prose = sum(not sentence["boilerplate"] for sentence in row["sentences"])
                    row["summary"] = shares and {"sentences": prose, "labels": shares}
                yield f"{path}:{number}", row
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FramingError(f"{path}: not a Parquet file of records (after row {number}: {reason})") from None
