"""The command line: parse, call, print. Heavy imports happen inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from framing import __version__
from framing.errors import ErrorBudgetError, FramingError, Interrupted
from framing.outputs import Format

#: Typer's own usage error; which module it lives in differs between versions of typer, its subclass does not.
_UsageError: Any = typer.BadParameter.__mro__[1]

SOME_FAILED, USAGE = 1, 2

app = typer.Typer(
    name="framing",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    help="""Label the sentences of news articles by how they frame what they tell, and point at the words.

    \b
    Examples:
      framing score articles/                          a summary of every article in a folder
      framing score articles/*.txt -o scored.jsonl     one JSON record an article
      framing score table.csv --text-column body --format csv -o scored.csv
      cat article.txt | framing score - | jq .summary
      framing info                                     version, model, labels: what a bug report needs
    """,
)


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


class Engine(str, Enum):
    local = "local"
    ray = "ray"


def main() -> None:
    """Entry point. Exit status: 0 all scored, 1 some items failed, 2 wrong usage, 130 interrupted, 143 terminated."""
    warnings.showwarning = _print_warning
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except FramingError as error:
        _end(str(error), SOME_FAILED if isinstance(error, ErrorBudgetError) else USAGE)
    except _UsageError as error:
        _end(f"{error.format_message()} (see framing --help)", USAGE)
    except Interrupted as stop:
        _end(str(stop), stop.status)
    except BrokenPipeError:  # the reader of our output has gone; nothing is left to say to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(SOME_FAILED)
    except OSError as error:
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or its flush at exit fails once more
        _end(f"{error.filename or 'the output'} cannot be written ({error.strerror})", USAGE)
    sys.exit(status)


def _interrupt(number: int, _: Any) -> NoReturn:
    raise Interrupted(128 + number)


def _end(message: str, status: int) -> NoReturn:
    print(f"framing: {message}", file=sys.stderr)
    sys.exit(status)


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"framing: warning: {message}", file=sys.stderr)


ModelOption = Annotated[str | None, typer.Option("--model", metavar="DIR", help="A model folder; the shipped model without it.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads; 0 for every core this process may use.")]


@app.command()
def score(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files, folders, glob patterns, or - for standard input.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here, not to standard output.")] = None,
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="Default: by the suffix of -o; without -o, text at a terminal and jsonl in a pipe."),
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
      framing score news/ -o scored.jsonl
      framing score archive.csv --text-column body -o scored.parquet
      cat article.txt | framing score - > scored.jsonl
    """
    from framing.articles import read_articles
    from framing.batch import open_output, score_job, settings_of
    from framing.classifier import FramingClassifier
    from framing.outputs import choose_format
    from framing.progress import with_progress
    from framing.workers import WorkerPool, divide_cores

    if engine is Engine.ray:
        from framing.ray_engine import score_with_ray

        if output is None or output_format not in (None, Format.jsonl, Format.parquet):
            raise FramingError("--engine ray writes a folder of shards; name it with -o, with --format jsonl or parquet")
        if workers > 1 or resume or max_errors is not None:
            raise FramingError("--workers, --resume and --max-errors do not go with --engine ray; --threads says how many cores")
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
    chosen = choose_format(output, output_format)
    if sys.stdout is not None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    if workers > 1:
        workers, threads = divide_cores(workers, threads)
    classifier = FramingClassifier.from_pretrained(model, threads=threads, precision=precision)
    stream = WorkerPool(workers, threads, model, precision, classifier).stream if workers > 1 else classifier.stream
    settings = {"precision": precision, "text_column": text_column, "format": chosen, "flat": flat}
    made_with = settings_of(classifier, model, **settings) if output else {}
    records = open_output(output, chosen, flat, classifier.settings.labels, made_with, resume)
    items = with_progress(
        read_articles(paths, text_column=text_column, skip=output), shown=sys.stderr.isatty() and output is not None
    )
    outcome = score_job(items, stream, records, max_errors)
    if records.nothing_left:
        print(f"framing: nothing left to do: {outcome}", file=sys.stderr)
        return
    _report(outcome, output)


def _report(outcome: Any, output: Path | None) -> None:
    """Say on stderr what was done; raise the exit status where something was not scored."""
    if output is not None or outcome.errors:
        print(f"framing: {outcome}", file=sys.stderr)
    if outcome.errors or not outcome.articles:
        if not outcome.articles and not outcome.errors:
            print("framing: no articles were found in what was given", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSONL files of labelled articles; each is one split.")],
    labels: Annotated[str | None, typer.Option(help="Comma-separated label set; the codebook's four without it.")] = None,
) -> None:
    """Validate labelled articles: errors with file and line, leaks between files, near-duplicates, a balance table.

    \b
    Examples:
      framing check train.jsonl validation.jsonl
      framing check mine.jsonl --labels biased
    """
    from framing.check import check_files

    report = check_files(paths, labels.split(",") if labels else None)
    for error in report.errors:
        print(f"framing: {error}", file=sys.stderr)
    for first, second in report.near_duplicates:
        print(f"framing: near-duplicate: {first} | {second}", file=sys.stderr)
    print(report.table())
    if report.errors:
        print(f"framing: {len(report.errors)} errors", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


@app.command()
def info(model: ModelOption = None) -> None:
    """Print version, model, labels, thresholds and backend: what a bug report needs."""
    import platform

    import onnxruntime

    from framing.classifier import FramingClassifier
    from framing.runtime import available_cores

    classifier = FramingClassifier.from_pretrained(model)
    settings = classifier.settings
    print(f"framing      {__version__}")
    print(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}, {available_cores()} cores")
    print(f"backend      onnxruntime {onnxruntime.__version__}, CPU")
    print(f"model        {classifier.model}, made with framing {settings.package_version}, data {settings.data_sha256[:12]}")
    print(f"reads        sentences of {settings.max_sentence_tokens} tokens, context: {settings.context}")
    for label in settings.labels:
        print(f"label        {label.name:<26} threshold {label.threshold:.3f}  {label.definition}")


if __name__ == "__main__":
    main()
