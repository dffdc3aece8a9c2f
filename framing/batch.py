"""Many articles: from the results of a classifier to the records of an output, which survives a kill."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from framing import __version__
from framing.articles import Item
from framing.errors import ErrorBudgetError, FramingError, Interrupted
from framing.journal import Journal
from framing.model_folder import LabelSettings, model_hash
from framing.outputs import Format, ParquetWriter, import_pyarrow, open_writer
from framing.records import read_results
from framing.results import ArticleResult


@dataclass
class Outcome:
    """What an output holds: articles scored, their sentences, and the articles that failed by reason code."""

    articles: int = 0
    sentences: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.articles + other.articles, self.sentences + other.sentences, self.errors + other.errors)

    def count(self, result: ArticleResult) -> None:
        if result.error:
            self.errors[result.error["reason"]] += 1
        else:
            self.articles += 1
            self.sentences += len(result.sentences)

    def __str__(self) -> str:
        parts = [f"{self.articles} articles, {self.sentences} sentences scored"]
        if self.errors:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.errors.items()))
            parts.append(f"{self.errors.total()} not scored ({reasons})")
        return "; ".join(parts)


def output_files(path: Path) -> tuple[Path, Path, Path]:
    """The file that an output path means, and those that may lie beside it: records before they become a table, journal."""
    real = os.path.realpath(path)
    return Path(real), Path(real + ".part"), Path(real + ".journal")


class StreamOutput:
    """Records into what nobody can go back in: standard output where there is no path, a device, a named pipe."""

    hint = ""
    nothing_left = False

    def __init__(self, path: Path | None, chosen: Format, flat: bool, labels: list[LabelSettings]):
        self.name = str(path) if path else "the output"
        self.outcome = Outcome()
        self._stream = path.open("w", encoding="utf-8", newline="") if path else sys.stdout
        self._writer = open_writer(self._stream, chosen, flat, labels)

    def remaining(self, items: Iterable[Item]) -> Iterable[Item]:
        return items

    def write(self, result: ArticleResult) -> None:
        self._writer.write(result)
        self.outcome.count(result)

    def finish(self) -> None:
        self._writer.close()

    def close(self) -> None:
        if self._stream is not sys.stdout:
            self._stream.close()


class FileOutput:
    """Records into a file with a journal beside it; where the job stops early, the file holds whole articles.

    Parquet is written as a whole: until the job is done, its records wait as JSON lines in `OUT.part`.

    `nothing_left` says, when the job is done, that an earlier one had done it all.

    Args:
        made_with, resume: as in `Journal`, which also raises.
    """

    hint = "; the same command with --resume goes on from there"
    nothing_left = False

    def __init__(
        self, path: Path, chosen: Format, flat: bool, labels: list[LabelSettings], made_with: dict[str, Any], resume: bool
    ):
        if chosen is Format.parquet:
            import_pyarrow()  # a night's work must not end on its absence
        self.name = str(path)
        self._path, part, journal = output_files(path)
        self._chosen, self._flat, self._labels = chosen, flat, labels
        self._data = part if chosen is Format.parquet else self._path
        self._journal = Journal(journal, self._path, self._data, made_with, resume)
        done = self._journal.progress
        self.outcome = Outcome(**{**done.counts, "errors": Counter(done.counts.get("errors"))})
        self._stream: IO[str] | None = None
        if done.finished and not self._data.exists():  # a Parquet file, in its place
            return
        if done.bytes and self._data.stat().st_size > done.bytes:
            os.truncate(self._data, done.bytes)
        self._stream = self._data.open("a" if done.bytes else "w", encoding="utf-8", newline="")
        growing, nested = (Format.jsonl, False) if chosen is Format.parquet else (chosen, flat)
        self._writer = open_writer(self._stream, growing, nested, labels, begun=bool(done.bytes))

    def remaining(self, items: Iterable[Item]) -> Iterator[Item]:
        return self._journal.remaining(items)

    def write(self, result: ArticleResult) -> None:
        if self._stream is None:
            raise FramingError(f"{self._path}: is finished, and a Parquet file cannot grow; give -o another file")
        self._writer.write(result)
        self.outcome.count(result)
        self._journal.wrote(os.fstat(self._stream.fileno()).st_size, {**vars(self.outcome), "errors": dict(self.outcome.errors)})

    def finish(self) -> None:
        self.nothing_left = self._journal.progress.finished
        if self._stream is None:
            return
        self._writer.close()
        os.fsync(self._stream.fileno())
        if self._chosen is Format.parquet:
            table = ParquetWriter(self._path, [label.name for label in self._labels], self._flat)
            for result in read_results([self._data]):
                table.write(result)
            table.close()
        self._journal.finish()
        if self._chosen is Format.parquet:
            self._data.unlink()

    def close(self) -> None:
        """Close the file, cut to whole articles where an article was under way."""
        if self._stream is not None:
            with suppress(OSError):  # what did not fit on the disk does not fit now
                self._stream.close()
            if not self._journal.progress.finished:
                with suppress(OSError):  # resuming does it, too
                    os.truncate(self._data, self._journal.progress.bytes)
        self._journal.close()


Output = StreamOutput | FileOutput


def open_output(
    path: Path | None, chosen: Format, flat: bool, labels: list[LabelSettings], made_with: dict[str, Any], resume: bool
) -> Output:
    """The output for a path, standard output without one. Raises `FramingError` where it cannot be written or continued."""
    try:
        if path is not None and (path.is_file() or not path.exists()):
            return FileOutput(path, chosen, flat, labels, made_with, resume)
        if resume:
            raise FramingError("--resume needs a file to go on with; name it with -o")
        return StreamOutput(path, chosen, flat, labels)
    except OSError as error:
        raise FramingError(f"{path}: cannot be written ({error.strerror})") from None


def settings_of(model: Path, title: str, **settings: Any) -> dict[str, Any]:
    """What decides the records of a job: the model in a folder and its title, libraries, and `settings` by name."""
    return {
        "framing": __version__,
        **{library: version(library) for library in ("onnxruntime", "sentencex", "tokenizers")},
        "model": title,
        "model_sha256": model_hash(model),
        **settings,
    }


def score_job(
    items: Iterable[Item],
    score: Callable[[Iterable[Item]], Generator[ArticleResult, None, None]],
    output: Output,
    max_errors: int | None = None,
) -> Outcome:
    """Score the items that are not in the output yet and write their records, in order; then complete and close it.

    Args:
        score: `stream` of a classifier or of a `WorkerPool`.
        max_errors: articles that may fail in this run; the last of them ends it.

    Raises `ErrorBudgetError`, `Interrupted`, or `FramingError` where the output cannot be written; what was written till then
    stays.
    """
    failed = 0
    try:
        with closing(score(output.remaining(items))) as results:
            for result in results:
                with _writing(output):
                    output.write(result)
                failed += result.error is not None
                if failed == max_errors:
                    raise ErrorBudgetError(f"stopped at {failed} failed articles (--max-errors): {output.outcome}{output.hint}")
        with _writing(output):
            output.finish()
    except Interrupted as stop:
        raise Interrupted(stop.status, f"interrupted: {output.outcome}{output.hint}") from None
    finally:
        output.close()
    return output.outcome


@contextmanager
def _writing(output: Output) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FramingError(f"{output.name}: cannot be written ({error.strerror}){output.hint}") from None
