"""Formats of the output, and a writer for each."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from framing.errors import FramingError
from framing.results import ArticleResult, flatten, to_json

if TYPE_CHECKING:
    from framing.model_folder import LabelSettings

#: A cell that opens with one of these is a formula to a spreadsheet; such cells get an apostrophe in front.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

#: Rows held in memory before a Parquet row group is written.
_ROW_GROUP = 4_096


class Format(str, Enum):
    """A format of the output."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


_SUFFIXES = {".jsonl": Format.jsonl, ".ndjson": Format.jsonl, ".csv": Format.csv, ".parquet": Format.parquet}


def choose_format(output: Path | None, given: Format | None) -> Format:
    """The format asked for, else by the suffix of the output, else a summary at a terminal and JSON lines in a pipe."""
    if given:
        if given is Format.parquet and output is None:
            raise FramingError("Parquet is not for a terminal or pipe; name a file with -o")
        return given
    if output is not None:
        suffix = output.suffix.lower()
        if suffix not in _SUFFIXES:
            raise FramingError(f"{output}: name it {', '.join(_SUFFIXES)}, or say --format")
        return _SUFFIXES[suffix]
    return Format.text if sys.stdout.isatty() else Format.jsonl


class Writer(Protocol):
    """Takes results one by one; `close` completes the output."""

    def write(self, result: ArticleResult) -> None: ...
    def close(self) -> None: ...


class JsonLinesWriter:
    """One JSON object a line: an article, or with `flat` a sentence."""

    def __init__(self, stream: IO[str], flat: bool = False):
        self._stream = stream
        self._flat = flat

    def write(self, result: ArticleResult) -> None:
        record = result.to_dict()
        for row in flatten(record) if self._flat else [record]:
            self._stream.write(to_json(row) + "\n")
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class CsvWriter:
    """One row a sentence. `meta` is one column of JSON, since its fields may differ from article to article."""

    def __init__(self, stream: IO[str], labels: Sequence[str], header: bool = True):
        self._rows = csv.DictWriter(stream, flat_columns(labels), lineterminator="\n")
        self._quoted = csv.DictWriter(stream, flat_columns(labels), lineterminator="\n", quoting=csv.QUOTE_ALL)
        if header:
            self._rows.writeheader()
        self._stream = stream

    def write(self, result: ArticleResult) -> None:
        for row in table_rows(result):
            cells = {key: defuse(value) for key, value in row.items()}
            returns = any(isinstance(cell, str) and "\r" in cell for cell in cells.values())  # csv quotes only its own line end
            (self._quoted if returns else self._rows).writerow(cells)
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class ParquetWriter:
    """One row an article with nested sentences, or with `flat` one a sentence; written beside and moved into place."""

    def __init__(self, path: Path, labels: Sequence[str], flat: bool = False):
        pyarrow, parquet = import_pyarrow()
        self._path, self._flat = path, flat
        self._beside = path.with_name(path.name + ".tmp")
        self._schema = _flat_schema(pyarrow, labels) if flat else _nested_schema(pyarrow, labels)
        self._table = pyarrow.Table
        self._file = parquet.ParquetWriter(self._beside, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, result: ArticleResult) -> None:
        if self._flat:
            self._rows.extend(table_rows(result))
        else:
            record = result.to_dict()
            record["meta"] = to_json(record["meta"])
            summary = record.pop("summary")
            record["labels"] = summary["labels"] if summary else None
            self._rows.append(record)
        if len(self._rows) >= _ROW_GROUP // (1 if self._flat else 16):
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(self._table.from_pylist(self._rows, schema=self._schema))
            self._rows = []

    def close(self) -> None:
        self._flush()
        self._file.close()
        self._beside.replace(self._path)


def import_pyarrow() -> tuple[Any, Any]:
    """`pyarrow` and `pyarrow.parquet`. Raises `FramingError` where they are not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise FramingError("writing Parquet needs the extra parquet: pip install '.[parquet]'") from None
    return pyarrow, parquet


def open_writer(stream: IO[str], chosen: Format, flat: bool, labels: list[LabelSettings], begun: bool = False) -> Writer:
    """The writer of a format that goes into a stream; `begun` where the stream holds records already."""
    if chosen is Format.text:
        from framing.summary import SummaryWriter

        return SummaryWriter(stream, labels)
    if chosen is Format.csv:
        return CsvWriter(stream, [label.name for label in labels], header=not begun)
    return JsonLinesWriter(stream, flat)


def table_rows(result: ArticleResult) -> list[dict[str, Any]]:
    """Flat rows of a result whose columns are always those of `flat_columns`: `meta` is one JSON cell."""
    record = result.to_dict()
    meta = to_json(record["meta"]) if record["meta"] else ""
    return [{**row, "meta": meta} for row in flatten({**record, "meta": {}})]


def flat_columns(labels: Sequence[str]) -> list[str]:
    """The columns of flat tables, in order."""
    return [
        *("id", "source", "title", "url", "outlet", "date", "model", "index", "start", "end", "text"),
        *("boilerplate", "truncated", "labels", "verification", "evidence"),
        *(f"score_{label}" for label in labels),
        *("error", "error_reason", "meta"),
    ]


def defuse(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; anything but text is handed through."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _flat_schema(pa: Any, labels: Sequence[str]) -> Any:
    kinds = {"index": pa.int32(), "start": pa.int32(), "end": pa.int32(), "boilerplate": pa.bool_(), "truncated": pa.bool_()}
    return pa.schema([(c, pa.float32() if c.startswith("score_") else kinds.get(c, pa.string())) for c in flat_columns(labels)])


def _nested_schema(pa: Any, labels: Sequence[str]) -> Any:
    text, integer, real = pa.string(), pa.int32(), pa.float32()
    evidence = pa.struct([("label", text), ("start", integer), ("end", integer), ("text", text), ("score", real), ("voice", text)])
    sentence = pa.struct(
        [
            *(("index", integer), ("start", integer), ("end", integer), ("text", text)),
            *(("boilerplate", pa.bool_()), ("truncated", pa.bool_())),
            ("scores", pa.struct([(label, real) for label in labels])),
            *(("labels", pa.list_(text)), ("verification", text), ("evidence", pa.list_(evidence))),
        ]
    )
    share = pa.struct([("count", integer), ("share", real)])
    return pa.schema(
        [
            *((name, text) for name in ("id", "source", "title", "url", "outlet", "date", "model", "meta")),
            ("sentences", pa.list_(sentence)),
            ("labels", pa.struct([(label, share) for label in labels])),
            ("error", pa.struct([("reason", text), ("message", text)])),
        ]
    )
