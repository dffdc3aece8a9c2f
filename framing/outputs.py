"""Writers for programs: results → JSON lines, CSV, Parquet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from framing.errors import FramingError
from framing.results import ArticleResult, flatten, to_json

#: A cell that opens with one of these is a formula to a spreadsheet; such cells get an apostrophe in front.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

#: Rows held in memory before a Parquet row group is written.
_ROW_GROUP = 4_096


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

    def __init__(self, stream: IO[str], labels: Sequence[str]):
        self._rows = csv.DictWriter(stream, flat_columns(labels), lineterminator="\n")
        self._quoted = csv.DictWriter(stream, flat_columns(labels), lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._rows.writeheader()
        self._stream = stream

    def write(self, result: ArticleResult) -> None:
        for row in table_rows(result):
            cells = {key: _defuse(value) for key, value in row.items()}
            returns = any(isinstance(cell, str) and "\r" in cell for cell in cells.values())  # csv quotes only its own line end
            (self._quoted if returns else self._rows).writerow(cells)
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class ParquetWriter:
    """One row an article with nested sentences, or with `flat` one a sentence; written beside and moved into place."""

    def __init__(self, path: Path, labels: Sequence[str], flat: bool = False):
        try:
            import pyarrow
            from pyarrow import parquet
        except ModuleNotFoundError:
            raise FramingError("writing Parquet needs the extra parquet: pip install '.[parquet]'") from None
        self._path, self._flat = path, flat
        self._part = path.with_name(path.name + ".part")
        self._schema = _flat_schema(pyarrow, labels) if flat else _nested_schema(pyarrow, labels)
        self._table = pyarrow.Table
        self._file = parquet.ParquetWriter(self._part, self._schema)
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
        self._part.replace(self._path)


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


def _defuse(value: Any) -> Any:
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
