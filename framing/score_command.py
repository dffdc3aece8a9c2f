"""`framing score`: articles in, records out. Heavy imports happen inside."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, nullcontext
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framing.errors import SOME_FAILED, FramingError
from framing.outputs import Format

if TYPE_CHECKING:
    from framing.articles import Item
    from framing.batch import Outcome
    from framing.results import ArticleResult

    Score = Callable[[Iterable[Item]], Generator[ArticleResult, None, None]]


class Engine(str, Enum):
    """What runs a job."""

    local = "local"
    ray = "ray"


ModelOption = Annotated[str | None, typer.Option("--model", metavar="MODEL", help="A released model by name, or a model folder.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads; 0 for every core this process may use.")]


def score(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files, folders, glob patterns, or - for standard input.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here, not to standard output.")] = None,
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="Default: by the suffix of -o; without -o, text at a terminal and jsonl in a pipe."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="PAGE", help="Write a page to read, too, as framing report.")
    ] = None,
    flat: Annotated[bool, typer.Option("--flat", help="One record a sentence; CSV always is.")] = False,
    model: ModelOption = None,
    text_column: Annotated[str, typer.Option(help="Field of tables and JSON lines that holds the text.")] = "text",
    precision: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Give only labels this likely to be right, as 0.9: fewer, for quoting single sentences."),
    ] = None,
    threads: ThreadsOption = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the cores are divided among them.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a file that an interrupted run has left.")] = False,
    max_errors: Annotated[int | None, typer.Option(min=1, help="Stop when so many articles have failed.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="NAME=N", help="Raise a limit that an error record names, as article_chars=5000000."),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option("--engine", help="ray: many machines; -o is then a new folder for shards, JSON lines or Parquet."),
    ] = Engine.local,
    ray_address: Annotated[
        str | None,
        typer.Option("--ray-address", metavar="HOST:PORT", help="A running Ray cluster; one on this machine without it."),
    ] = None,
) -> None:
    """Label every sentence of the given articles.

    Reads .txt, .html, .jsonl, .ndjson, .json, .csv, .tsv and .parquet. At a terminal it prints a summary per article;
    into a pipe or a file it writes JSON lines. An item that cannot be read becomes an error record, and the exit
    status is 1.

    \b
    Examples:
      framing score article.txt
      framing score news/ -o scored.jsonl --html report.html
      framing score archive.csv --text-column body -o scored.parquet
      cat article.txt | framing score - > scored.jsonl
    """
    from framing.articles import read_articles
    from framing.batch import open_output, output_files, score_job, settings_of
    from framing.limits import Limits
    from framing.model_folder import find_model, read_settings
    from framing.outputs import choose_format
    from framing.progress import with_progress

    if engine is Engine.ray:
        from framing.ray_engine import score_with_ray

        if output is None or output_format not in (None, Format.jsonl, Format.parquet):
            raise FramingError("--engine ray writes a folder of shards; name it with -o, with --format jsonl or parquet")
        if workers > 1 or resume or html or limit or max_errors is not None:
            raise FramingError(
                "--workers, --resume, --html, --limit and --max-errors do not go with --engine ray; --threads says how many cores"
            )
        shards = Format.parquet if Format.parquet in (output_format, output.suffix[1:]) else Format.jsonl
        outcome = score_with_ray(
            paths, output, shards, flat=flat, model=model, precision=precision, text_column=text_column, cores=threads,
            address=ray_address,
        )  # fmt: skip
        _report(outcome, output)
        return
    if ray_address:
        raise FramingError("--ray-address goes with --engine ray")
    if sys.stdout is None and output is None:
        raise FramingError("standard output is closed; name a file with -o")
    if output and output.is_dir():
        raise FramingError(f"{output}: is a folder; give -o a file")
    if output and any(path != "-" and os.path.realpath(path) == os.path.realpath(output) for path in paths):
        raise FramingError(f"{output}: is an input too and would be overwritten; give -o another file")
    if html and resume:
        raise FramingError("--html would show the rest only; make the page afterwards, with framing report")
    chosen = choose_format(output, output_format)
    limits = Limits.parse(limit or [])
    if sys.stdout is not None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    if workers > 1:
        from framing.cores import divide_cores

        workers, threads = divide_cores(workers, threads)
    folder = find_model(model)
    stream: Score
    if workers > 1:  # this process opens no model
        from framing.workers import WorkerPool

        settings = read_settings(folder)
        pool = WorkerPool(workers, threads, model, precision, settings.title)
        pool.open()  # before the output: a model that cannot be opened must not cost an old one
        stream = pool.stream
    else:
        from framing.classifier import FramingClassifier

        classifier = FramingClassifier.from_pretrained(model, threads=threads, precision=precision)
        settings, stream = classifier.settings, classifier.stream
    options = {"precision": precision, "text_column": text_column, "format": chosen, "flat": flat, **asdict(limits)}
    made_with = settings_of(folder, settings.title, **options) if output else {}
    records = open_output(output, chosen, flat, settings.labels, made_with, resume)
    items = with_progress(
        read_articles(
            paths, text_column=text_column, skip=output_files(output) if output else [Path("/dev/stdout")], limits=limits
        ),
        shown=sys.stderr.isatty() and output is not None,
    )
    with _open_page(html, paths) if html else nullcontext() as page:
        outcome = score_job(items, _showing(stream, page) if page else stream, records, max_errors)
        if page:
            page.close()
            print(f"framing: {page}", file=sys.stderr)
    if records.nothing_left:
        print(f"framing: nothing left to do: {outcome}", file=sys.stderr)
        return
    _report(outcome, output)


def _report(outcome: Outcome, output: Path | None) -> None:
    """Say on stderr what was done; raise the exit status where something was not scored."""
    if output is not None or outcome.errors:
        print(f"framing: {outcome}", file=sys.stderr)
    if outcome.errors or not outcome.articles:
        if not outcome.articles and not outcome.errors:
            print("framing: no articles were found in what was given", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


def _showing(score: Score, page: Any) -> Score:
    """`score`, its results written on a page as they pass."""

    def shown(items: Iterable[Item]) -> Generator[ArticleResult, None, None]:
        with closing(score(items)) as results:
            for result in results:
                page.write(result)
                yield result

    return shown


def _open_page(html: Path, paths: list[str]) -> Any:
    """A writer of the page that `--html` asks for; pages are a format that is read, so it must not lie among the input."""
    from framing.report import ReportWriter

    real = Path(os.path.realpath(html))
    for path in paths:
        read = Path(os.path.realpath(path))
        if path != "-" and (read == real or read in real.parents):
            raise FramingError(f"{html}: {path} is read, so the page would be taken for an article; give --html a place elsewhere")
    return ReportWriter(html)
