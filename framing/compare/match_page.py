"""Accounts of the same events side by side as one page for people: no script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from framing.compare.match_output import SideBySide, left_out, overview, side_by_side
from framing.compare.matching import Account, Matching
from framing.report.legend import Legend
from framing.report.overview import Tally
from framing.report.prose import Sentence, paragraphs
from framing.report.render import harmless, label_styles, link, policy_hash
from framing.results import ArticleResult

#: Events beyond these are counted, not shown: a page must still open.
MOST_EVENTS = 200


@dataclass(frozen=True)
class Column:
    """One account on the page: whose it is, its figures, its address (text, host) and sentences that stand in it alone."""

    account: Account
    tally: Tally
    link: tuple[str, str] | None
    only: int


@dataclass(frozen=True)
class ShownBand:
    """A row of the table: which accounts tell it, how alike the sentences are (0…1), and the sentences by column."""

    label: str
    similarity: float | None
    cells: list[list[Sentence]]


@dataclass(frozen=True)
class ShownEvent:
    """An event as the page shows it."""

    name: str
    columns: list[Column]
    bands: list[ShownBand]

    @property
    def shared(self) -> int:
        """Rows that two accounts or more tell."""
        return sum(band.similarity is not None for band in self.bands)


def write_page(matching: Matching, results: Sequence[ArticleResult], stream: IO[str]) -> None:
    """Write the page. Foreign text is escaped by the template engine, and the page's policy lets no script run."""
    import jinja2

    legend = Legend()
    events = [_shown(found, legend) for found in islice(side_by_side(matching, results), MOST_EVENTS)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("framing.compare", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("match.css").render() + label_styles(legend)
    page = environment.get_template("match.html").render(
        by=matching.by.removeprefix("meta."),
        overview=overview(matching),
        left_out=left_out(matching),
        events=events,
        more=len(matching.events) - len(events),
        models=sorted({account.article.model for event in matching.events for account in event.accounts}),
        legend=legend.entries,
        style=style,
        style_hash=policy_hash(style),
    )
    stream.write(page + "\n")


def _shown(found: SideBySide, legend: Legend) -> ShownEvent:
    columns: list[Column] = []
    sentences: list[dict[int, Sentence]] = []
    for number, account in enumerate(found.event.accounts):
        article = account.article
        tally = Tally()
        tally.add(article)
        columns.append(Column(account, tally, link(article.url), found.only(number)))
        shown = (sentence for paragraph in paragraphs(article, legend) for sentence in paragraph)
        sentences.append({id(result): sentence for result, sentence in zip(article.sentences, shown, strict=True)})
    bands = [
        ShownBand(
            band.label,
            band.similarity,
            [[of[id(result)] for result in cell] for cell, of in zip(band.cells, sentences, strict=True)],
        )
        for band in found.bands
    ]
    return ShownEvent(found.event.name, columns, bands)
