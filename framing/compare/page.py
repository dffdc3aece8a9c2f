"""A comparison as one page for people: no script, no network, plots as inline SVG."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from typing import IO

from framing.compare import text as compare_text
from framing.compare.comparison import UNVERIFIED, Comparison, Group, Share
from framing.labels import known_label

#: Vermilion of the palette of Okabe and Ito (2008), for the measure that is no label.
_UNVERIFIED_COLOUR = "#D55E00"

_TICKS = 4


@dataclass(frozen=True)
class Plot:
    """One measure: rows of (group, share), the largest first, on an axis from 0 to `furthest` (a share)."""

    measure: str
    colour: str
    rows: list[tuple[Group, Share]]
    furthest: float

    @property
    def ticks(self) -> list[float]:
        return [self.furthest * i / _TICKS for i in range(_TICKS + 1)]

    def place(self, share: float) -> str:
        """Where a share stands on the axis, as per cent of its length."""
        return f"{100 * share / self.furthest:.2f}%"


def write_page(comparison: Comparison, stream: IO[str]) -> None:
    """Write the page. Foreign text is escaped by the template engine, and the page's policy lets no script run."""
    import jinja2

    loader = jinja2.PackageLoader("framing.compare", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["holding"] = compare_text.holds
    environment.filters["title_of"] = lambda measure: compare_text.wording(measure).title
    style = environment.get_template("compare.css").render()
    page = environment.get_template("compare.html").render(
        comparison=comparison,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(f"\n{style}\n".encode()).digest()).decode(),
        plots=plots(comparison),
        text=compare_text,
        shown=[group for group in comparison.groups if group.enough],
    )
    stream.write(page + "\n")


def plots(comparison: Comparison) -> list[Plot]:
    """A plot for each measure, of the groups with articles enough."""
    shown = [group for group in comparison.groups if group.enough]
    result = []
    for i, measure in enumerate(comparison.measures if shown else []):
        rows = sorted(((group, group.shares[i]) for group in shown), key=lambda row: -(row[1].share or 0))
        furthest = max(share.high or share.share or 0 for _, share in rows)
        colour = _UNVERIFIED_COLOUR if measure == UNVERIFIED else known_label(measure).colour
        result.append(Plot(measure, colour, rows, _round_up(furthest)))
    return result


def _round_up(share: float) -> float:
    """The end of an axis: the next multiple of 4 per cent, or of 20 from 40 on, so that the ticks are whole numbers."""
    step = 0.04 if share <= 0.4 else 0.2
    return min(1.0, max(step, math.ceil(round(share / step, 6)) * step))
