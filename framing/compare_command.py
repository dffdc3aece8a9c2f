"""`framing compare`: groups of scored articles, or accounts of one event, beside each other. Heavy imports happen inside."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from framing.errors import FramingError
from framing.result_commands import ScoredArgument, check_output

if TYPE_CHECKING:
    from framing.results import ArticleResult

#: Writes a result in the format of a suffix, a table for "".
Write = Callable[[str, IO[str]], None]


class Match(str, Enum):
    EVENT = "event"
    TITLE = "title"
    DATE = "date"


def compare(
    scored: ScoredArgument,
    by: Annotated[str, typer.Option("--by", help="What makes the groups: outlet, date, model, source, or meta.NAME.")] = "outlet",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write .html, .csv (without --match) or .json; a table without it.")
    ] = None,
    match: Annotated[
        Match | None, typer.Option("--match", help="Set articles on the same event side by side instead; how to find them.")
    ] = None,
    pair: Annotated[
        str | None, typer.Option("--pair", help="Compare on the same events only; the field that names the event, as meta.event.")
    ] = None,
    alike: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="How alike texts or titles must be to match; lower finds more, and more wrong."),
    ] = None,
    min_articles: Annotated[int, typer.Option(min=2, help="Groups with fewer get neither interval nor test.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws behind intervals and tests.")] = 13,
) -> None:
    """Compare groups of scored articles: how often each label, which loaded words, who is blamed, who is quoted.

    Shares come with 95 % intervals, differences with a permutation test over articles, corrected for the number of
    comparisons. Articles that were not scored, or lack the field, are counted and left out.

    With --match, articles on the same event stand side by side instead, sentences that tell the same in one row: matched by
    event (the field meta.event, or what --pair names), by title (at most two days apart where dated), or by date (at most two
    days apart, and texts of the same words).

    \b
    Examples:
      framing compare scored.jsonl --by outlet
      framing compare scored.jsonl --by outlet -o comparison.html
      framing compare monday.jsonl tuesday.jsonl --by meta.desk -o comparison.csv
      framing compare scored.jsonl --by outlet --pair meta.event
      framing compare scored.jsonl --by outlet --match date -o side-by-side.html
    """
    from framing.progress import with_progress
    from framing.records import read_results

    if output is not None:
        check_output(output, [".html", ".json"] if match else [".html", ".csv", ".json"], scored)
    results = with_progress(read_results(scored), shown=sys.stderr.isatty())
    write = _side_by_side(results, by, match, pair, alike) if match else _compared(results, by, pair, min_articles, seed)
    if output is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        write("", sys.stdout)
        return
    with output.open("w", encoding="utf-8", newline="") as stream:
        write(output.suffix.lower(), stream)


def _compared(results: Iterable[ArticleResult], by: str, pair: str | None, min_articles: int, seed: int) -> Write:
    from framing.compare import output as outputs
    from framing.compare import page as pages
    from framing.compare.comparison import compare as compare_groups
    from framing.compare.tallies import tally

    tallies = tally(results, by, pair)
    if not tallies.groups:
        raise FramingError(_nothing_to_compare(tallies.not_scored, tallies.without_field, tallies.without_event, by, pair))
    comparison = compare_groups(tallies, by, pair, min_articles, seed)
    writers = {
        "": outputs.write_table,
        ".html": pages.write_page,
        ".csv": outputs.write_csv,
        ".json": outputs.write_json,
    }
    return lambda suffix, stream: writers[suffix](comparison, stream)


def _side_by_side(results: Iterable[ArticleResult], by: str, match: Match, pair: str | None, alike: float | None) -> Write:
    from framing.compare import match_output, match_page
    from framing.compare.matching import EVENT_FIELD, match_events

    results = list(results)
    matching = match_events(results, match.value, by, pair or EVENT_FIELD, alike)
    if not matching.events:
        raise FramingError(f"no event was found that two values of {by} tell. {match_output.left_out(matching) or 'No articles.'}")
    writers = {"": match_output.write_table, ".html": match_page.write_page, ".json": match_output.write_json}
    return lambda suffix, stream: writers[suffix](matching, results, stream)


def _nothing_to_compare(not_scored: int, without_field: int, without_event: int, by: str, pair: str | None) -> str:
    if without_field or without_event:
        name = by if without_field else pair
        return f"none of {without_field + without_event} articles has a single value in the field {name}; name another with --by"
    if not_scored:
        return f"none of {not_scored} articles was scored; see the field error of the records"
    return "no articles were found in what was given"
