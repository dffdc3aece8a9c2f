"""Commands that read scored files. `framing.cli` registers them; heavy imports happen inside the functions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from framing.errors import FramingError


def compare(
    scored: Annotated[list[Path], typer.Argument(metavar="SCORED…", help="Files that framing score wrote: JSON lines or Parquet.")],
    by: Annotated[str, typer.Option("--by", help="What makes the groups: outlet, date, model, source, or meta.NAME.")] = "outlet",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write .html, .csv or .json; a table without it.")] = None,
    pair: Annotated[
        str | None, typer.Option("--pair", help="Compare on the same events only; the field that names the event, as meta.event.")
    ] = None,
    min_articles: Annotated[int, typer.Option(min=2, help="Groups with fewer get neither interval nor test.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws behind intervals and tests.")] = 13,
) -> None:
    """Compare groups of scored articles: how often each label, which loaded words, who is blamed, who is quoted.

    Shares come with 95 % intervals, differences with a permutation test over articles, corrected for the number of
    comparisons. Articles that were not scored, or lack the field, are counted and left out.

    \b
    Examples:
      framing compare scored.jsonl --by outlet
      framing compare scored.jsonl --by outlet -o comparison.html
      framing compare monday.jsonl tuesday.jsonl --by meta.desk -o comparison.csv
      framing compare scored.jsonl --by outlet --pair meta.event
    """
    from framing import compare_output, compare_page
    from framing.compare import compare as compare_groups
    from framing.progress import with_progress
    from framing.records import read_results
    from framing.tallies import tally

    writers = {".html": compare_page.write_page, ".csv": compare_output.write_csv, ".json": compare_output.write_json}
    if output is not None:
        if output.suffix.lower() not in writers:
            raise FramingError(f"{output}: name it {', '.join(writers)}")
        if output.is_dir():
            raise FramingError(f"{output}: is a folder; give -o a file")
        if any(os.path.realpath(path) == os.path.realpath(output) for path in scored):
            raise FramingError(f"{output}: is an input too and would be overwritten; give -o another file")
    results = with_progress(read_results(scored), shown=sys.stderr.isatty())
    tallies = tally(results, by, pair)
    if not tallies.groups:
        raise FramingError(_nothing_to_compare(tallies.not_scored, tallies.without_field, tallies.without_event, by, pair))
    comparison = compare_groups(tallies, by, pair, min_articles, seed)
    if output is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        compare_output.write_table(comparison, sys.stdout)
        return
    with output.open("w", encoding="utf-8", newline="") as stream:
        writers[output.suffix.lower()](comparison, stream)


def _nothing_to_compare(not_scored: int, without_field: int, without_event: int, by: str, pair: str | None) -> str:
    if without_field or without_event:
        name = by if without_field else pair
        return f"none of {without_field + without_event} articles has a single value in the field {name}; name another with --by"
    if not_scored:
        return f"none of {not_scored} articles was scored; see the field error of the records"
    return "no articles were found in what was given"
