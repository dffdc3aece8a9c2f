"""The command line: parse, call, print. Heavy imports happen inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from framing import __version__
from framing.compare_command import compare
from framing.errors import SOME_FAILED, USAGE, ErrorBudgetError, FramingError, Interrupted, printable
from framing.result_commands import export, import_, report
from framing.score_command import ModelOption, score

#: Typer's own usage error; which module it lives in differs between versions of typer, its subclass does not.
_UsageError: Any = typer.BadParameter.__mro__[1]

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
      framing report scored.jsonl -o report.html       a page to read, from what was scored
      framing compare scored.jsonl --by outlet         how outlets differ
      framing export scored.jsonl -o tasks.json        tasks for Label Studio, to correct what was scored
      framing import export.json -o corrected.jsonl    its export, as data to train on
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
    print(f"framing: {printable(message)}", file=sys.stderr)
    sys.exit(status)


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"framing: warning: {printable(str(message))}", file=sys.stderr)


def check(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSONL files of labelled articles; each is one split.")],
    labels: Annotated[str | None, typer.Option(help="Comma-separated label set; the codebook's four without it.")] = None,
) -> None:
    """Validate labelled articles: errors with file and line, leaks between files, near-duplicates, a balance table.

    The exit status is 1 where there are errors; warnings and near-duplicates are for you to judge.

    \b
    Examples:
      framing check train.jsonl validation.jsonl
      framing check mine.jsonl --labels biased
    """
    from framing.check import check_files

    report = check_files(paths, labels.split(",") if labels else None)
    for error in report.errors:
        print(f"framing: {printable(error)}", file=sys.stderr)
    for warning in report.warnings:
        print(f"framing: warning: {printable(warning)}", file=sys.stderr)
    for first, second in report.near_duplicates:
        print(f"framing: near-duplicate: {printable(first)} | {printable(second)}", file=sys.stderr)
    print(report.table())
    if report.errors:
        print(f"framing: {len(report.errors)} errors", file=sys.stderr)
        raise typer.Exit(SOME_FAILED)


def info(model: ModelOption = None) -> None:
    """Print version, model, labels, thresholds and backend: what a bug report needs."""
    import platform

    import onnxruntime

    from framing.classifier import FramingClassifier
    from framing.cores import available_cores

    classifier = FramingClassifier.from_pretrained(model)
    settings = classifier.settings
    print(f"framing      {__version__}")
    print(f"python       {platform.python_version()} on {platform.system()} {platform.machine()}, {available_cores()} cores")
    print(f"backend      onnxruntime {onnxruntime.__version__}, CPU")
    print(f"model        {classifier.model}, made with framing {settings.package_version}, data {settings.data_sha256[:12]}")
    print(f"reads        sentences of {settings.max_sentence_tokens} tokens, context: {settings.context}")
    for label in settings.labels:
        print(f"label        {label.name:<26} threshold {label.threshold:.3f}  {label.definition}")


for command in (score, report, compare, export, import_, check, info):
    app.command(command.__name__.rstrip("_"))(command)


if __name__ == "__main__":
    main()
