"""Commands over scored files: what people do with results, without the model."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from framing.errors import FramingError

results_app = typer.Typer()

ScoredArgument = Annotated[
    list[Path], typer.Argument(metavar="SCORED…", help="Files that framing score wrote: .jsonl or .parquet, one record an article.")
]


@results_app.command()
def report(
    scored: ScoredArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write, .html.")],
) -> None:
    """Make one page of scored articles, to read in any browser, without a network: figures, and every article marked.

    Many articles become an index, and pages in a folder beside it.

    \b
    Examples:
      framing score news/ -o scored.jsonl
      framing report scored.jsonl -o report.html
    """
    from framing.records import read_results
    from framing.report import ReportWriter

    if any(os.path.realpath(path) == os.path.realpath(output) for path in scored):
        raise FramingError(f"{output}: is an input too and would be overwritten; give -o another file")
    with ReportWriter(output) as writer:
        for result in read_results(scored):
            writer.write(result)
        writer.close()
    print(f"framing: {writer}", file=sys.stderr)
