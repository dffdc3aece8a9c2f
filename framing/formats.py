"""One reader per file format: bytes → rows of fields, or an `UnreadableError` in the place of a bad row.

A reader takes `(source, stream, limits)` and yields `(where, row)`: `where` is `source`, or `source:line` in tables. It
holds no more of the stream at once than `limits` says.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import Any

from framing.decoding import Lines, check_binary, decode, read_whole
from framing.errors import UnreadableError
from framing.limits import MAX_NESTING, MEGABYTE, Limits, over
from framing.pages import extract

Row = dict[str, Any]
Rows = Iterator[tuple[str, Row | UnreadableError]]


def _check_columns(count: int, limits: Limits) -> None:
    if count > limits.columns:
        raise over("too_wide", f"{count:,} columns, more than {limits.columns:,}", "columns")


def read_text(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """Plain text: one article."""
    yield source, {"text": decode(source, read_whole(stream, "item_mb", limits.item_mb))}


def read_html(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """A web page: the article as trafilatura extracts it, with its title, date, site and address."""
    if importlib.util.find_spec("trafilatura") is None:
        raise UnreadableError("missing_extra", "reading HTML needs the extra html: pip install '.[html]'")
    found = extract(decode(source, read_whole(stream, "page_mb", limits.page_mb)), limits.page_seconds)
    if found is None or not found["text"]:
        raise UnreadableError("empty", "no article text was found in this page")
    yield source, found


def read_json_lines(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """JSON lines: an object a line; blank lines are skipped."""
    lines = Lines(source, stream, limits.item_mb)
    while True:
        lines.start_row()
        try:
            line = next(lines, None)
            if line is None:
                return
            if line.strip():
                yield f"{source}:{lines.number}", _article_object(_parse_json(line), limits)
        except UnreadableError as error:
            yield f"{source}:{lines.number}", error


def _article_object(value: Any, limits: Limits) -> Row | UnreadableError:
    if not isinstance(value, dict):
        return UnreadableError("bad_json", f"an article is a JSON object, not {_json_type(value)}")
    if len(value) > limits.columns:
        return over("too_wide", f"{len(value):,} fields, more than {limits.columns:,}", "columns")
    return value


def _parse_json(text: str) -> Any:
    """JSON as Python values; NaN and Infinity, which are not JSON, become None. Raises `UnreadableError`."""
    try:
        value = json.loads(text, parse_constant=lambda _: None)
        if text.count("[") + text.count("{") > MAX_NESTING and _deeper_than(value, MAX_NESTING):
            raise RecursionError
    except RecursionError:
        raise UnreadableError("bad_json", f"nested more than {MAX_NESTING} deep") from None
    except json.JSONDecodeError as error:
        raise UnreadableError("bad_json", f"not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except ValueError as error:  # an integer of thousands of digits
        raise UnreadableError("bad_json", f"not readable JSON ({error})") from None
    return value


def _deeper_than(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _members(outer)]
    return bool(layer)


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _json_type(value: Any) -> str:
    return {list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def read_json(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """A JSON document: one article object, or a list of them."""
    value = _parse_json(decode(source, read_whole(stream, "item_mb", limits.item_mb)))
    if isinstance(value, dict):
        yield source, _article_object(value, limits)
        return
    if not isinstance(value, list):
        raise UnreadableError("bad_json", f"expected an article object or a list of them, not {_json_type(value)}")
    for number, row in enumerate(value, 1):
        yield f"{source}:{number}", _article_object(row, limits)


def _read_delimited(source: str, stream: BufferedReader, delimiter: str, limits: Limits) -> Rows:
    csv.field_size_limit(limits.item_mb * MEGABYTE + 1)
    check_binary(stream.peek(65536)[:65536])
    lines = Lines(source, stream, limits.item_mb)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        where = f"{source}:{lines.number + 1}"
        lines.start_row()
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield where, UnreadableError("bad_row", f"not a readable row ({error})")
            continue
        except UnreadableError as error:
            yield where, error
            continue
        if cells is None:
            break
        if not header:
            _check_columns(len(cells), limits)
            header = cells
        elif len(cells) > len(header):
            yield where, UnreadableError("bad_row", f"{len(cells)} cells in a table of {len(header)} columns")
        elif any(cells):
            yield where, dict(zip(header, cells, strict=False))
    if not header:
        raise UnreadableError("empty", "the table has no header line")


def read_csv(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """A comma-separated table with a header line; `where` counts lines of the file."""
    return _read_delimited(source, stream, ",", limits)


def read_tsv(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """A tab-separated table with a header line."""
    return _read_delimited(source, stream, "\t", limits)


def read_parquet(source: str, stream: BufferedReader, limits: Limits) -> Rows:
    """A Parquet table, read in batches of 256 rows; `where` counts rows from 1.

    Strings that a dictionary repeats stay in it until their row is reached.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise UnreadableError("missing_extra", "reading Parquet needs the extra parquet: pip install '.[parquet]'") from None
    number = 0
    try:
        size = stream.seek(0, os.SEEK_END)
        metadata = parquet.read_metadata(stream)
        _check_columns(metadata.num_columns, limits)
        columns = [metadata.schema.column(i) for i in range(metadata.num_columns)]
        strings = [column.path for column in columns if column.physical_type == "BYTE_ARRAY" and column.path == column.name]
        table = parquet.ParquetFile(stream, read_dictionary=strings)
        for group in range(metadata.num_row_groups):
            _check_unpacked(metadata.row_group(group).total_byte_size, size, limits)  # of its columns pyarrow may abort
            for batch in table.iter_batches(batch_size=256, row_groups=[group]):
                for i in range(batch.num_rows):
                    number += 1
                    yield f"{source}:{number}", batch.slice(i, 1).to_pylist()[0]
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise UnreadableError("bad_table", f"not a readable Parquet file (after row {number}: {error})") from None


#: A part of a table that unpacks to over this many times the file is no text: news packs to a third or so.
_MAX_RATIO = 100


def _check_unpacked(unpacked: int, size: int, limits: Limits) -> None:
    if unpacked > limits.item_mb * MEGABYTE and unpacked > _MAX_RATIO * size:
        raise over("too_large", f"a file of {size:,} bytes that unpacks to {unpacked // MEGABYTE:,} MB", "item_mb")


READERS: dict[str, Callable[[str, BufferedReader, Limits], Rows]] = {
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
}
SUFFIXES = frozenset(READERS)
