"""The one exception that users meet, and how a program ends on it."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Exit statuses: some items failed, or the command was used wrongly.
SOME_FAILED, USAGE = 1, 2

#: The reason codes of error records: why an item was not scored.
REASONS = {
    "bad_json": "not valid JSON, not an object, or nested too deep",
    "bad_row": "a row of a table that cannot be read or has more cells than the header",
    "bad_table": "not a readable Parquet file",
    "binary": "holds NUL bytes, so it is not a text",
    "empty": "no text in it",
    "empty_folder": "no file of a known format in the folder",
    "format": "the file's suffix is not one of the formats",
    "missing": "no such file or folder, or nothing matches the pattern",
    "missing_extra": "the format needs an extra that is not installed",
    "model_failed": "the model could not be run on it",
    "no_text": "no field with text, or the field holds no text",
    "not_a_file": "a pipe, a device or a socket; only standard input is read from one",
    "too_large": "over the limit item_mb or page_mb",
    "too_long": "over the limit article_chars",
    "too_slow": "over the limit page_seconds",
    "too_wide": "over the limit columns",
    "worker_died": "the process that scored it died twice, as for want of memory",
    "unreadable": "the file system or a library refused to read it",
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class FramingError(Exception):
    """A mistake in what the user gave. Its text is one sentence fit for a terminal, without a traceback."""


class ErrorBudgetError(FramingError):
    """More articles failed than the user allows."""


class Interrupted(BaseException):
    """Somebody stopped the program. `status` is what it ends with: 130 for Ctrl-C, 143 for SIGTERM."""

    def __init__(self, status: int, message: str = "interrupted"):
        super().__init__(message)
        self.status = status


class UnreadableError(Exception):
    """This item cannot be scored, for one of `REASONS`, and the rest goes on."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def printable(text: str) -> str:
    """`text` fit for one line of a terminal: characters that steer it (controls, line breaks, direction marks) and
    lone surrogates become U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


def in_short(error: BaseException) -> str:
    """The first line of a library's error, short and fit for a terminal."""
    lines = str(error).strip().splitlines()
    return printable(lines[0][:160]) if lines else type(error).__name__


@contextmanager
def rust_panics_caught() -> Iterator[None]:
    """Turn the panic of a library written in Rust, which is no `Exception`, into a `RuntimeError`."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # it has no name to import
            raise
        raise RuntimeError(in_short(error)) from None


def warn(message: str) -> None:
    """Tell the caller something that does not stop the work; the command line prints it on stderr."""
    warnings.warn(message, stacklevel=3)


def run_script(main: Callable[[], None]) -> None:
    """Run a script of the project: a user's mistake, or a file that cannot be used, is one sentence and exit status 2.

    The script's own folder leaves the import path first: there, `evaluate.py` would hide the library of that name.
    """
    folder = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    try:
        main()
    except FramingError as error:
        print(f"{Path(sys.argv[0]).name}: {printable(str(error))}", file=sys.stderr)
        sys.exit(USAGE)
    except ModuleNotFoundError as error:
        print(f"{Path(sys.argv[0]).name}: {error.name} is not installed; run: pip install -e '.[train]'", file=sys.stderr)
        sys.exit(USAGE)
    except OSError as error:
        print(f"{Path(sys.argv[0]).name}: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(130)
