"""The one exception that users meet, and how a program ends on it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path


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
    """Raised by a reader: this item is bad, for the given reason code, and the rest goes on."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


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
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        print(f"{Path(sys.argv[0]).name}: {error.name} is not installed; run: pip install -e '.[train]'", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"{Path(sys.argv[0]).name}: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
