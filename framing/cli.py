"""The command line: parse, call, print. Heavy imports happen inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import os
import sys
import warnings
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from framing import __version__
from framing.errors import FramingError, printable

#: Typer's own usage error; which module it lives in differs between versions of typer, its subclass does not.
_UsageError: Any = typer.BadParameter.__mro__[1]

SOME_FAILED, USAGE, INTERRUPTED = 1, 2, 130

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


class Format(str, Enum):
    text = "text"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


def main() -> None:
    """Entry point. Exit status: 0 all scored, 1 some items failed, 2 wrong usage, 130 interrupted."""
    warnings.showwarning = _print_warning
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except FramingError as error:
        _end(str(error), USAGE)
    except _UsageError as error:
        _end(f"{error.format_message()} (see framing --help)", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        _end("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone; nothing is left to say to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(SOME_FAILED)
    except OSError as error:
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or its flush at exit fails once more
        _end(f"{error.filename or 'the output'} cannot be written ({error.strerror})", USAGE)
    sys.exit(status)


def _end(message: str, status: int) -> NoReturn:
    print(f"framing: {printable(message)}", file=sys.stderr)
    sys.exit(status)


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"framing: warning: {printable(str(message))}", file=sys.stderr)


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
    limit: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="NAME=N", help="Raise a limit that an error record names, as article_chars=5000000."),
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
    from framing.batch import score_items
    from framing.classifier import FramingClassifier
    from framing.limits import Limits
    from framing.progress import with_progress

    if sys.stdout is None and output is None:
        raise FramingError("standard output is closed; name a file with -o")
    if output and output.is_dir():
        raise FramingError(f"{output}: is a folder; give -o a file")
    if output and any(path != "-" and os.path.realpath(path) == os.path.realpath(output) for path in paths):
        raise FramingError(f"{output}: is an input too and would be overwritten; give -o another file")
    chosen = _choose_format(output, output_format)
    limits = Limits.parse(limit or [])
    classifier = FramingClassifier.from_pretrained(model, threads=threads, precision=precision)
    items = with_progress(
        read_articles(paths, text_column=text_column, skip=output or Path("/dev/stdout"), limits=limits),
        shown=sys.stderr.isatty() and output is not None,
    )
    writer, stream = _open_writer(output, chosen, flat, classifier)
    try:
        outcome = score_items(items, classifier, writer)
        writer.close()
    finally:
        if stream is not sys.stdout:
            stream.close()
    if output is not None or outcome.errors:
        print(f"framing: {outcome}", file=sys.stderr)
    if outcome.errors or not outcome.articles:
        if not outcome.articles and not outcome.errors:
            print("framing: no articles were found in what was given", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


_SUFFIXES = {".jsonl": Format.jsonl, ".ndjson": Format.jsonl, ".csv": Format.csv, ".parquet": Format.parquet}


def _choose_format(output: Path | None, given: Format | None) -> Format:
    """The format asked for, else by the suffix of the output, else a summary at a terminal and JSON lines in a pipe."""
    if given:
        if given is Format.parquet and output is None:
            raise FramingError("Parquet is not for a terminal or pipe; name a file with -o")
        return given
    if output is not None:
        suffix = output.suffix.lower()
        if suffix not in _SUFFIXES:
            raise FramingError(f"{output}: name it {', '.join(_SUFFIXES)}, or say --format")
        return _SUFFIXES[suffix]
    return Format.text if sys.stdout.isatty() else Format.jsonl


def _open_writer(output: Path | None, chosen: Format, flat: bool, classifier: Any) -> tuple[Any, Any]:
    from framing import outputs, summary

    labels = classifier.labels
    if sys.stdout is not None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        if chosen is Format.parquet:
            assert output is not None
            return outputs.ParquetWriter(output, labels, flat), sys.stdout
        stream = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
    except OSError as error:
        raise FramingError(f"{output}: cannot be written ({error.strerror})") from None
    if chosen is Format.text:
        return summary.SummaryWriter(stream, classifier.settings.labels), stream
    if chosen is Format.csv:
        return outputs.CsvWriter(stream, labels), stream
    return outputs.JsonLinesWriter(stream, flat), stream


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
