"""Bytes → text, whole or line by line, within the limits."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper

from framing.errors import UnreadableError, warn
from framing.limits import MEGABYTE, over

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

#: Read at a time from a line that is passed over.
_CHUNK = 1 << 16


def decode(source: str, data: bytes) -> str:
    """Bytes as text: UTF-8 with or without BOM; with a warning UTF-16 with BOM, anything else as Windows-1252."""
    if data.startswith(_UTF16):
        warn(f"{source}: not UTF-8; read as UTF-16")
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        warn(f"{source}: not UTF-8 (byte {error.start}); read as Windows-1252")
        return data.decode("cp1252", errors="replace")


class Lines(Iterator[str]):
    """The lines of a table or of JSON lines, decoded like `decode` but one by one, with one warning a file.

    `number` counts them from 1. The lines of one row take no more than `megabytes`: the line that goes over is
    passed over with an `UnreadableError`, and the next one follows. A file is read as far as it reached when it was
    opened, so that one that grows comes to an end.
    """

    def __init__(self, source: str, stream: BufferedReader, megabytes: int):
        self.number = 0
        self._source, self._megabytes = source, megabytes
        self._utf16 = TextIOWrapper(stream, "utf-16", errors="replace", newline="") if _starts(stream, _UTF16) else None
        self._stream = self._utf16 or stream
        self._size, self._read = _size(stream), 0
        self._warned = False
        self.start_row()
        if self._utf16:
            warn(f"{source}: not UTF-8; read as UTF-16")

    def start_row(self) -> None:
        """The next line begins a row."""
        self._room = self._megabytes * MEGABYTE

    def __next__(self) -> str:
        if self._size is not None and self._read >= self._size:
            raise StopIteration
        line = self._stream.readline(self._room + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._room -= len(line)
        self._read += len(line)
        if self._room < 0:
            self._pass_over(line)
            raise over("too_large", f"a row of more than {self._megabytes} MB", "item_mb")
        return line if isinstance(line, str) else self._decode(line)

    def _pass_over(self, line: str | bytes) -> None:
        end = "\n" if isinstance(line, str) else b"\n"
        while line and not line.endswith(end):  # type: ignore[arg-type]
            line = self._stream.readline(_CHUNK)
            self._read += len(line)

    def _decode(self, line: bytes) -> str:
        try:
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            if not self._warned:
                warn(f"{self._source}:{self.number}: not UTF-8; such lines are read as Windows-1252")
            self._warned = True
            return line.decode("cp1252", errors="replace")


def _starts(stream: BufferedReader, beginnings: tuple[bytes, ...]) -> bool:
    return stream.peek(2).startswith(beginnings)


def _size(stream: BufferedReader) -> int | None:
    """Bytes of a file; None for a pipe, or where a stream is UTF-16 and so counted in characters."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # not a file at all, but bytes in memory
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) and not _starts(stream, _UTF16) else None


def read_whole(stream: BufferedReader, name: str, limit: int) -> bytes:
    """All bytes of a text, no more than the limit `name` of `limit` megabytes."""
    data = stream.read(limit * MEGABYTE + 1)
    if len(data) > limit * MEGABYTE:
        raise over("too_large", f"more than {limit} MB in one piece", name)
    check_binary(data[:65536])
    return data


def check_binary(data: bytes) -> None:
    if b"\0" in data and not data.startswith(_UTF16):
        raise UnreadableError("binary", "holds NUL bytes, so it is not a text file")
