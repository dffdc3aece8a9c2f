"""The journal of an output file: what made it, and after every article how far it has come.

`OUT.journal` holds JSON lines. The first says which model and settings make the records. Each other one was written
after the records of an article had reached the file that grows. So a kill at any moment leaves at most one article
there that the journal does not know, and resuming cuts it off. Writes are handed to the operating system at once, and
synced to the disk when the job is done: a loss of power can cost the last seconds of work, which are then done again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from framing.articles import Item
from framing.errors import FramingError
from framing.results import to_json


@dataclass(frozen=True)
class Progress:
    """A line of the journal.

    `articles` whose records take up the first `bytes` of the file, what they came to in `counts`, the SHA-256 of these
    articles as they were read (`inputs`), and whether the job was done (`finished`).
    """

    articles: int = 0
    bytes: int = 0
    inputs: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    finished: bool = False


class Journal:
    """Keeps at `path` the journal of `output`, whose records grow in `data`: the same file, or one beside it until the end.

    Args:
        made_with: model and settings, JSON values by name; an output is continued with the same ones only.
        resume: go on where the journal and `data` agree. Otherwise begin anew.

    Raises `FramingError` where the output cannot be continued, where an unfinished one would be overwritten, and where
    another process is writing it; `OSError` where the journal cannot be written.
    """

    def __init__(self, path: Path, output: Path, data: Path, made_with: dict[str, Any], resume: bool):
        self._output = output
        self._inputs = hashlib.sha256()
        self._read: deque[bytes] = deque()  # hashes of the articles that were read and are not written yet
        self._lines = path.open("a+b")
        try:
            self._lock()
            self.progress = self._begin(data, made_with, resume)
        except BaseException:
            self._lines.close()
            raise

    def _lock(self) -> None:
        try:
            import fcntl
        except ModuleNotFoundError:  # Windows
            return
        try:
            fcntl.flock(self._lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FramingError(f"{self._output}: is being written by another process") from None

    def _begin(self, data: Path, made_with: dict[str, Any], resume: bool) -> Progress:
        before, progress, end = self._last(data)
        if progress.articles and not resume and not progress.finished:
            raise FramingError(
                f"{data}: unfinished, it holds {progress.articles} articles; give --resume to go on, or delete it first"
            )
        if resume and before is None and self._output.exists() and self._output.stat().st_size:
            raise FramingError(f"{self._output}: has no journal that says what made it; give -o another file")
        if not progress.articles or not resume:
            self._lines.truncate(0)
            self._add(made_with)
            return Progress()
        for key, value in json.loads(to_json(made_with)).items():
            if before is None or before.get(key) != value:
                was = None if before is None else before.get(key)
                raise FramingError(f"{self._output}: was made with {key} {was}, not {value}; give the same, or -o another file")
        self._lines.truncate(end)
        return progress

    def _last(self, data: Path) -> tuple[dict[str, Any] | None, Progress, int]:
        """The first line, the last progress that `data` still holds, and where its line ends in the journal."""
        size = data.stat().st_size if data.exists() else 0
        moved = not data.exists() and self._output.exists()  # to its place, when the job was done
        made_with, last, last_end, end = None, Progress(), 0, 0
        self._lines.seek(0)
        for line in self._lines:
            end += len(line)
            try:
                entry = json.loads(line)
                if made_with is None:
                    made_with = dict(entry)
                    continue
                progress = Progress(**entry)
            except (ValueError, TypeError):  # torn by a kill, with what follows
                break
            if line.endswith(b"\n") and (progress.bytes <= size or (moved and progress.finished)):
                last, last_end = progress, end
        return made_with, last, last_end

    def _add(self, line: dict[str, Any]) -> None:
        self._lines.write(to_json(line).encode() + b"\n")
        self._lines.flush()

    def remaining(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items that are not in the output yet. Raises `FramingError` where the others are not those it was made from."""
        done, number = self.progress.articles, 0
        for number, item in enumerate(items, 1):
            digest = _digest(item)
            if number > done:
                self._read.append(digest)
                yield item
                continue
            self._inputs.update(digest)
            if number == done:
                self._check_inputs()
        if number < done:
            self._check_inputs()

    def _check_inputs(self) -> None:
        if self._inputs.hexdigest() != self.progress.inputs:
            raise FramingError(
                f"{self._output}: the articles given are not those of its first {self.progress.articles} records; "
                "give the same inputs in the same order, or -o another file"
            )

    def wrote(self, end: int, counts: dict[str, Any]) -> None:
        """The records of the next item are in the file, which now has `end` bytes; `counts` cover all articles so far."""
        self._inputs.update(self._read.popleft())
        progress = Progress(self.progress.articles + 1, end, self._inputs.hexdigest(), counts)
        self._add(asdict(progress))
        self.progress = progress  # last and in one step: an interrupt before it leaves the article to the next run

    def finish(self) -> None:
        """The job is done."""
        if not self.progress.finished:
            self.progress = replace(self.progress, finished=True)
            self._add(asdict(self.progress))
            os.fsync(self._lines.fileno())

    def close(self) -> None:
        self._lines.close()


def _digest(item: Item) -> bytes:
    content = [asdict(replace(item, meta={})), item.meta]
    return hashlib.sha256(to_json(content).encode()).digest()
