"""A count of articles on standard error while long work goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN = 0.5


def with_progress(items: Iterable[T], shown: bool, unit: str = "articles") -> Iterator[T]:
    """Hand the items through; where `shown`, keep a line on stderr that says how many have passed and how fast."""
    started = last = time.monotonic()
    count = 0
    try:
        for count, item in enumerate(items, 1):
            yield item
            now = time.monotonic()
            if shown and now - last > _SECONDS_BETWEEN:
                last = now
                print(f"\r{count} {unit}, {count / (now - started):.3g} a second ", end="", file=sys.stderr, flush=True)
    finally:  # an interrupt says something on this line too
        if shown and count:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)
