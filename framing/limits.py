"""How much is read at once: bounds that keep memory and time in hand whatever a file holds.

An honest article stays far below all of them. What goes over one becomes an error record with a reason of
`framing.errors.REASONS` and costs nothing else. `--limit NAME=N` of the command line sets one, `Limits` in code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from framing.errors import FramingError, UnreadableError

#: Levels of lists and objects in a row. Not to be set: programs that read our records would fail on more.
MAX_NESTING = 64

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds on one item; each a whole number above 0.

    Attributes:
        article_chars: characters of one article's text (`too_long`). Memory of scoring grows with it.
        item_mb: megabytes held at once: a text file, a `.json` document, a line of JSON lines, a row of a table
            (`too_large`). Raise it for a long `.json` list; JSON lines and tables of any length need no more.
        page_mb: megabytes of one web page (`too_large`).
        page_seconds: time to extract one web page (`too_slow`); a page takes a tenth of a second or so.
        columns: columns of a table and fields of a JSON object (`too_wide`).
    """

    article_chars: int = 1_000_000
    item_mb: int = 32
    page_mb: int = 8
    page_seconds: int = 60
    columns: int = 1_000

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise FramingError(f"the limit {field.name} must be a whole number above 0")

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Limits:
        """Limits from `NAME=N` settings, defaults for the rest. Raises `FramingError` that names the setting."""
        names = [field.name for field in fields(cls)]
        values: dict[str, int] = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in names or not value.isascii() or not value.isdigit() or len(value) > 12:
                raise FramingError(f"--limit {setting}: give NAME=N, with NAME one of {', '.join(names)}")
            values[name] = int(value)
        return cls(**values)


DEFAULT = Limits()


def over(reason: str, what: str, name: str) -> UnreadableError:
    """The error of an item that goes over the limit `name`, with the setting that would let it through."""
    return UnreadableError(reason, f"{what}; leave it out, or raise the limit with --limit {name}=N")
