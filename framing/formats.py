"""One reader per file format: bytes → rows of fields, or an `UnreadableError` in the place of a bad row.

A reader takes `(source, stream)` and yields `(where, row)`: `where` is `source`, or `source:line` in tables.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import Any

from framing.errors import UnreadableError, warn

Row = dict[str, Any]
#: JSON nested deeper than this is refused: other programs that read our records would fail on it.
MAX_NESTING = 64

Rows = Iterator[tuple[str, Row | UnreadableError]]


def decode(source: str, data: bytes) -> str:
    """Bytes as text: UTF-8 with or without BOM, UTF-16 with BOM, anything else as Windows-1252 with a warning."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        warn(f"{source}: not UTF-8 (byte {error.start}); read as Windows-1252")
        return data.decode("cp1252", errors="replace")


def _text_lines(source: str, stream: BufferedReader) -> Iterator[str]:
    """The lines of a table or of JSON lines, decoded like `decode` but one by one, with one warning a file."""
    if stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield from io.TextIOWrapper(stream, "utf-16", errors="replace", newline="")
        return
    warned = False
    for number, raw in enumerate(stream, 1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            if not warned:
                warn(f"{source}:{number}: not UTF-8; such lines are read as Windows-1252")
            warned = True
            yield raw.decode("cp1252", errors="replace")


def _check_binary(data: bytes) -> None:
    if b"\0" in data and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableError("binary", "holds NUL bytes, so it is not a text file")


def read_text(source: str, stream: BufferedReader) -> Rows:
    """Plain text: one article."""
    data = stream.read()
    _check_binary(data[:65536])
    yield source, {"text": decode(source, data)}


def read_html(source: str, stream: BufferedReader) -> Rows:
    """A web page: the article as trafilatura extracts it, with its title, date, site and address."""
    try:
        import trafilatura
    except ModuleNotFoundError:
        raise UnreadableError("missing_extra", "reading HTML needs the extra html: pip install '.[html]'") from None
    data = stream.read()
    _check_binary(data[:65536])
    document = trafilatura.bare_extraction(decode(source, data), include_comments=False, include_tables=False, with_metadata=True)
    if document is None or not document.text:
        raise UnreadableError("empty", "no article text was found in this page")
    yield (
        source,
        {
            "text": document.text,
            "title": document.title,
            "url": document.url,
            "outlet": document.sitename,
            "date": document.date,
        },
    )


def read_json_lines(source: str, stream: BufferedReader) -> Rows:
    """JSON lines: an object a line; blank lines are skipped."""
    for number, line in enumerate(_text_lines(source, stream), 1):
        if line.strip():
            try:
                yield f"{source}:{number}", _article_object(_parse_json(line))
            except UnreadableError as error:
                yield f"{source}:{number}", error


def _article_object(value: Any) -> Row | UnreadableError:
    if isinstance(value, dict):
        return value
    return UnreadableError("bad_json", f"an article is a JSON object, not {_json_type(value)}")


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


def read_json(source: str, stream: BufferedReader) -> Rows:
    """A JSON document: one article object, or a list of them."""
    value = _parse_json(decode(source, stream.read()))
    if isinstance(value, dict):
        yield source, value
        return
    if not isinstance(value, list):
        raise UnreadableError("bad_json", f"expected an article object or a list of them, not {_json_type(value)}")
    for number, row in enumerate(value, 1):
        yield f"{source}:{number}", _article_object(row)


def _read_delimited(source: str, stream: BufferedReader, delimiter: str) -> Rows:
    csv.field_size_limit(2**31 - 1)
    _check_binary(stream.peek(65536)[:65536])
    rows = csv.reader(_text_lines(source, stream), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        where = f"{source}:{rows.line_num + 1}"
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield where, UnreadableError("bad_row", f"not a readable row ({error})")
            continue
        if cells is None:
            break
        if not header:
            header = cells
        elif len(cells) > len(header):
            yield where, UnreadableError("bad_row", f"{len(cells)} cells in a table of {len(header)} columns")
        elif any(cells):
            yield where, dict(zip(header, cells, strict=False))
    if not header:
        raise UnreadableError("empty", "the table has no header line")


def read_csv(source: str, stream: BufferedReader) -> Rows:
    """A comma-separated table with a header line; `where` counts lines of the file."""
    return _read_delimited(source, stream, ",")


def read_tsv(source: str, stream: BufferedReader) -> Rows:
    """A tab-separated table with a header line."""
    return _read_delimited(source, stream, "\t")


def read_parquet(source: str, stream: BufferedReader) -> Rows:
    """A Parquet table, read in batches of 256 rows; `where` counts rows from 1."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise UnreadableError("missing_extra", "reading Parquet needs the extra parquet: pip install '.[parquet]'") from None
    number = 0
    try:
        for batch in parquet.ParquetFile(stream).iter_batches(batch_size=256):
            for row in batch.to_pylist():
                number += 1
                yield f"{source}:{number}", row
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise UnreadableError("bad_table", f"not a readable Parquet file (after row {number}: {error})") from None


READERS: dict[str, Callable[[str, BufferedReader], Rows]] = {
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
