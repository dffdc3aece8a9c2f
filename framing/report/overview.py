"""What the top of a page says: how many, which share of them carries each label, by outlet and by article."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from framing.report.prose import ten_thousandths
from framing.results import ArticleResult

#: The slider starts here (hundredths); lower scores are in no histogram.
LOWEST_THRESHOLD = 10

#: Rows of tables and lists beyond these are counted, not shown: what a page holds stays bounded.
MOST_ROWS, MOST_OUTLETS, MOST_ERRORS = 1_000, 500, 200

OTHER_OUTLETS = "other outlets"
NO_OUTLET = "no outlet given"


@dataclass
class Share:
    """Sentences that carry a label, of `total`. `histogram` counts those with each score in hundredths, for the slider."""

    count: int = 0
    total: int = 0
    histogram: Counter[int] = field(default_factory=Counter)

    def add(self, score: float, carried: bool) -> None:
        self.count += carried
        self.total += 1
        hundredths = ten_thousandths(score) // 100
        if hundredths >= LOWEST_THRESHOLD:
            self.histogram[hundredths] += 1

    @property
    def share(self) -> float:
        """0…1; 0 of no sentences."""
        return self.count / self.total if self.total else 0.0

    @property
    def percent(self) -> str:
        """With one digit after the point below ten per cent; the script of the page writes the same."""
        value = 100 * self.share
        return f"{value:.0f}%" if value >= 9.95 or not value else f"{value:.1f}%"

    @property
    def bins(self) -> str:
        """The histogram as an attribute: `score:count`, apart by spaces."""
        return " ".join(f"{score}:{count}" for score, count in sorted(self.histogram.items()))


@dataclass
class Tally:
    """Counts over sentences. Boilerplate is counted apart and carries no label."""

    articles: int = 0
    sentences: int = 0
    boilerplate: int = 0
    shares: dict[str, Share] = field(default_factory=dict)

    def add(self, result: ArticleResult) -> None:
        self.articles += 1
        for sentence in result.sentences:
            if sentence.boilerplate:
                self.boilerplate += 1
                continue
            self.sentences += 1
            for label, score in sentence.scores.items():
                self.shares.setdefault(label, Share()).add(score, label in sentence.labels)


@dataclass(frozen=True)
class Row:
    """One article of the table; `page` is the file that holds it, "" for this one, and `anchor` its place there."""

    title: str
    outlet: str | None
    date: str | None
    page: str
    anchor: str
    tally: Tally


@dataclass
class Overview:
    """The figures over the articles of a page or of a whole report, and the articles that were not scored."""

    tally: Tally = field(default_factory=Tally)
    outlets: dict[str, Tally] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    failed: int = 0

    def add(self, result: ArticleResult, row: Row) -> None:
        self.tally.add(result)
        self.models[result.model] = None
        name = result.outlet or NO_OUTLET
        if name not in self.outlets and len(self.outlets) >= MOST_OUTLETS:
            name = OTHER_OUTLETS
        self.outlets.setdefault(name, Tally()).add(result)
        if len(self.rows) < MOST_ROWS:
            self.rows.append(row)

    def add_error(self, result: ArticleResult) -> None:
        """Note an article that was not scored: its name and why."""
        assert result.error
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append((result.id or result.source, result.error.get("message", "")))

    @property
    def named_outlets(self) -> list[tuple[str, Tally]]:
        """Outlets by name, not by share: a ranking would say more than the figures do. None where no outlet is given."""
        if self.outlets.keys() <= {NO_OUTLET}:
            return []
        return sorted(self.outlets.items(), key=lambda item: (item[0] in (NO_OUTLET, OTHER_OUTLETS), item[0].casefold()))
