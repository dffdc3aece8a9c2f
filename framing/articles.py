"""Files, folders, patterns and standard input in any supported format → a stream of articles.

A bad item becomes a `BadArticle` in its place in the stream, and the rest goes on.
"""

from __future__ import annotations

import codecs
import glob
import io
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from framing.errors import UnreadableError
from framing.formats import READERS, SUFFIXES, read_json, read_json_lines, read_text
from framing.limits import DEFAULT, Limits, over
from framing.text import replace_surrogates

#: The path that means standard input.
STDIN = "-"

#: Fields of a row that have a place of their own in the record; every other one is handed through under `meta`.
NAMED_FIELDS = ("id", "title", "url", "outlet", "date")


@dataclass(frozen=True)
class Article:
    """One article to score.

    `text` is what offsets count in. With `sentences`, it is those sentences joined by a newline and they are scored
    as given; otherwise it is split. `meta` holds the fields of the row that have no name here.
    """

    text: str
    id: str = ""
    source: str = ""
    title: str | None = None
    url: str | None = None
    outlet: str | None = None
    date: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    sentences: tuple[str, ...] | None = None


@dataclass(frozen=True)
class BadArticle:
    """An item that cannot be scored: where it stands (`source`, as `file:line` in tables), a reason code, a sentence."""

    source: str
    reason: str
    message: str
    id: str = ""
    meta: dict[str, Any] = field(default_factory=dict)


Item = Article | BadArticle


def read_articles(
    paths: Iterable[str],
    *,
    text_column: str = "text",
    stdin: BinaryIO | None = None,
    skip: Iterable[Path] = (),
    limits: Limits = DEFAULT,
) -> Iterator[Item]:
    """The articles of files, folders (searched recursively), glob patterns and `-`, one after another.

    Args:
        paths: what to read, in order; a file that is named twice is read once.
        text_column: the field of tables and JSON lines that holds the article's text.
        stdin: what `-` reads; standard input by default.
        skip: files to pass over, for an output that lies in a folder that is read.
        limits: what an item may take; one that goes over becomes a `BadArticle`.
    """
    for found in find_files(paths, skip=skip):
        if isinstance(found, BadArticle):
            yield found
        elif found == STDIN:
            yield from _read_stream("-", stdin or sys.stdin.buffer, text_column, limits)
        else:
            yield from read_file(Path(found), text_column, limits=limits)


def find_files(paths: Iterable[str], *, skip: Iterable[Path] = ()) -> Iterator[str | BadArticle]:
    """The files behind files, folders, patterns and `-` (`STDIN`), each once, in the order in which they are read."""
    seen: set[str] = {os.path.realpath(file) for file in skip}
    for path in paths:
        if path == STDIN:
            yield STDIN
            continue
        for found in _expand(path):
            if isinstance(found, BadArticle):
                yield found
            elif (real := os.path.realpath(found)) not in seen:
                seen.add(real)
                yield str(found)


def _expand(path: str) -> Iterator[Path | BadArticle]:
    """The files behind one path: itself, those of a folder (hidden ones left out), or the matches of a pattern."""
    given, shown = Path(path), replace_surrogates(path)
    try:
        if given.is_dir():
            files = list(_walk(given))
            if not files:
                suffixes = ", ".join(sorted(SUFFIXES))
                yield BadArticle(shown, "empty_folder", f"{shown}: no articles in this folder (looked for {suffixes})")
            yield from files
        elif given.exists():
            yield given
        elif glob.has_magic(path):
            matches = _matches(given)
            if not matches:
                yield BadArticle(shown, "missing", f"{shown}: no file matches this pattern")
            for match in matches:
                yield from _walk(match) if match.is_dir() else [match]
        else:
            yield BadArticle(shown, "missing", f"{shown}: no such file or folder")
    except (OSError, ValueError, RecursionError) as error:
        yield _unreadable(shown[:200], error)


def _unreadable(shown: str, error: Exception) -> BadArticle:
    return BadArticle(shown, "unreadable", f"{shown}: cannot be read ({getattr(error, 'strerror', None) or error})")


def _matches(pattern: Path) -> list[Path]:
    """What a pattern matches, hidden files left out. `**` does not follow links, so a loop of them ends."""
    fixed = next(i for i, part in enumerate(pattern.parts) if glob.has_magic(part))
    found = Path(*pattern.parts[:fixed]).glob(str(Path(*pattern.parts[fixed:])))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts[fixed:]))


def _walk(folder: Path) -> Iterator[Path | BadArticle]:
    """The files of a folder and those below it, in order; links to folders are not followed."""
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        try:
            with os.scandir(parent) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            yield _unreadable(replace_surrogates(str(parent))[:200], error)
            continue
        visible = [(parent / name, is_folder) for name, is_folder in found if not name.startswith(".")]
        yield from (path for path, is_folder in visible if not is_folder and path.suffix.lower() in SUFFIXES)
        waiting += [path for path, is_folder in reversed(visible) if is_folder]


def read_file(path: Path, text_column: str = "text", source: str | None = None, limits: Limits = DEFAULT) -> Iterator[Item]:
    """The articles of one file; its suffix says the format, and `source` what the records call it, in place of its path."""
    source = replace_surrogates(source or str(path))
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        yield BadArticle(
            source,
            "format",
            f"{source}: the format {path.suffix or '(no suffix)'} is not supported; give one of {', '.join(sorted(READERS))}",
        )
        return
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer, a device may have no end
            yield BadArticle(source, "not_a_file", f"{source}: is a pipe or a device; give it on standard input, as -")
            return
        with path.open("rb") as stream:
            yield from _items(source, reader(source, stream, limits), text_column, limits)
    except OSError as error:
        yield _unreadable(source, error)


def _read_stream(source: str, stream: BinaryIO, text_column: str, limits: Limits) -> Iterator[Item]:
    """Standard input: JSON lines where it opens with a brace, a JSON list with a bracket, one plain text otherwise."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    head = buffered.peek(4096).removeprefix(codecs.BOM_UTF8).lstrip()
    reader = read_json_lines if head.startswith(b"{") else read_json if head[:1] == b"[" and b"{" in head else read_text
    yield from _items(source, reader(source, buffered, limits), text_column, limits)


def _items(source: str, rows: Iterator[Any], text_column: str, limits: Limits) -> Iterator[Item]:
    """Rows of a reader, `(where, fields)` or `(where, UnreadableError)`, as articles."""
    try:
        for where, row in rows:
            if isinstance(row, UnreadableError):
                yield BadArticle(where, row.reason, f"{where}: {row}")
            else:
                yield to_article(where, row, text_column, limits)
    except UnreadableError as error:
        yield BadArticle(source, error.reason, f"{source}: {error}")
    except (ValueError, ArithmeticError, LookupError, TypeError, MemoryError) as error:  # what a library made of a broken file
        yield BadArticle(source, "unreadable", f"{source}: cannot be read to its end ({type(error).__name__}: {str(error)[:200]})")


def to_article(source: str, row: dict[str, Any], text_column: str = "text", limits: Limits = DEFAULT) -> Item:
    """A row of fields as an article, or as the `BadArticle` that says what is wrong with it."""
    known: dict[str, Any] = {name: _text_or_none(row.get(name)) for name in NAMED_FIELDS}
    article_id = known.pop("id") or source
    meta = {
        replace_surrogates(str(key)): value for key, value in row.items() if key not in (*NAMED_FIELDS, text_column, "sentences")
    }

    def bad(reason: str, message: str) -> BadArticle:
        where = f"{source}: " if source else ""
        return BadArticle(source, reason, replace_surrogates(where + message), article_id, meta)

    sentences = row.get("sentences")
    if sentences is not None and row.get(text_column) is None:
        if not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
            return bad("no_text", "the field 'sentences' must be a list of strings")
        if sum(map(len, sentences)) + len(sentences) > limits.article_chars:
            return bad("too_long", _too_long(limits))
        return validated(Article("", article_id, source, **known, meta=meta, sentences=tuple(sentences)))
    raw = row.get(text_column)
    if raw is None:
        fields = ", ".join(sorted(map(str, row))) or "none"
        return bad("no_text", f"no field {text_column!r} or 'sentences' (fields: {fields[:200]}); name it with --text-column")
    if not isinstance(raw, str):
        return bad("no_text", f"the field {text_column!r} holds no text but a {type(raw).__name__}")
    if len(raw) > limits.article_chars:
        return bad("too_long", _too_long(limits))
    return validated(Article(raw, article_id, source, meta=meta, **known))


def _too_long(limits: Limits) -> str:
    return str(over("too_long", f"a text of more than {limits.article_chars:,} characters", "article_chars"))


def validated(article: Article) -> Item:
    """The article fit for scoring: lone surrogates replaced, `text` the join of `sentences` where those are given.

    An article without text, or with an empty list of sentences, comes back as a `BadArticle`.
    """
    if article.sentences is None:
        empty, sentences, text = not article.text.strip(), None, replace_surrogates(article.text)
    else:
        sentences = tuple(replace_surrogates(sentence) for sentence in article.sentences)
        empty, text = not sentences, "\n".join(sentences)
    if empty:
        where = f"{article.source}: " if article.source else ""
        return BadArticle(article.source, "empty", f"{where}there is no text in it", article.id, article.meta)
    return replace(article, text=text, sentences=sentences)


def _text_or_none(value: Any) -> str | None:
    return None if value is None or value == "" else replace_surrogates(str(value))
