"""Commands over scored files: what people do with results, without the model."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from framing.errors import SOME_FAILED, FramingError, printable

ScoredArgument = Annotated[
    list[Path], typer.Argument(metavar="SCORED…", help="Files that framing score wrote: .jsonl or .parquet, one record an article.")
]


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

    check_output(output, [".html", ".htm"], scored)
    with ReportWriter(output) as writer:
        for result in read_results(scored):
            writer.write(result)
        writer.close()
    print(f"framing: {writer}", file=sys.stderr)


class Tool(str, Enum):
    labelstudio = "labelstudio"


def export(
    scored: ScoredArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .json file of tasks; the labelling config goes beside it, as .xml.")
    ],
    tool: Annotated[Tool, typer.Option("--to", help="The annotation tool.")] = Tool.labelstudio,
) -> None:
    """Write scored articles as tasks for people to correct, with what the model said filled in.

    In Label Studio: create a project, paste the .xml into Settings > Labeling Interface > Code, import the .json.

    \b
    Examples:
      framing export scored.jsonl --to labelstudio -o tasks.json
    """
    from framing.labelstudio import write_tasks
    from framing.records import read_results

    check_output(output, [".json"], scored)
    written, left_out = write_tasks(output, read_results(scored))
    skipped = f"; {left_out} articles without scored sentences left out" if left_out else ""
    print(f"framing: {written} tasks in {output}, labelling config in {output.with_suffix('.xml')}{skipped}", file=sys.stderr)


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What Label Studio exports as JSON.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write labelled articles here, as .jsonl.")],
) -> None:
    """Turn corrected tasks into labelled articles, which scripts/train.py takes as data.

    Tasks nobody has reviewed are left out. Of several annotations of a task the latest counts.

    \b
    Examples:
      framing import project-1.json -o corrected.jsonl
      framing check corrected.jsonl
      python scripts/train.py configs/minilm.yaml "data.train=[real_train.jsonl,corrected.jsonl]"
    """
    from framing.corrections import read_corrections
    from framing.data import write_articles

    check_output(output, [".jsonl"], [path])
    corrections = read_corrections(path)
    write_articles(output, corrections.articles)
    for error in corrections.errors:
        print(f"framing: {printable(error)}", file=sys.stderr)
    counts = f"{len(corrections.articles)} corrected articles, {corrections.unreviewed} tasks not reviewed"
    print(f"framing: {counts}, {len(corrections.errors)} errors", file=sys.stderr)
    if corrections.errors or not corrections.articles:
        raise typer.Exit(SOME_FAILED)


def check_output(output: Path, suffixes: Sequence[str], inputs: Sequence[Path]) -> None:
    """Raises `FramingError` where an output has another suffix, is a folder, or an input that would be overwritten."""
    if output.suffix.lower() not in suffixes:
        raise FramingError(f"{output}: name it {', '.join(suffixes)}")
    if output.is_dir():
        raise FramingError(f"{output}: is a folder; give -o a file")
    if any(os.path.realpath(path) == os.path.realpath(output) for path in inputs):
        raise FramingError(f"{output}: is an input too and would be overwritten; give -o another file")
