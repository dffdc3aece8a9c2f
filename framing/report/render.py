"""HTML of pages and articles. Everything that comes from an article passes `harmless` and is escaped on its way in."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from framing.report.legend import Legend
from framing.report.overview import LOWEST_THRESHOLD, Overview, Row
from framing.report.prose import paragraphs, ten_thousandths
from framing.results import ArticleResult

#: What may not reach a page: control characters, which HTML forbids, those that turn the direction of the text around
#: them, and lone surrogates, which UTF-8 cannot carry. Each becomes U+FFFD, so that one sees that something was there.
_HARMFUL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Page:
    """What a page is made of.

    Attributes:
        articles: rendered; none on an index.
        turn: links (text, address) to the page before, the index and the page after.
        pages: on an index, the addresses of its pages.
        folder: on an index, the address of the folder that holds them.
    """

    title: str
    overview: Overview
    articles: list[Markup] = field(default_factory=list)
    turn: list[tuple[str, str]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    folder: str = ""

    def address(self, row: Row) -> str:
        """Where an article of the table stands."""
        return f"{self.folder}/{row.page}#{row.anchor}" if self.folder else f"#{row.anchor}"


def render_page(page: Page, legend: Legend) -> Iterator[str]:
    """A whole page, piece by piece. Its policy lets nothing load and runs only the script that stands in it."""
    style = Markup(_asset("page.css") + label_styles(legend))
    script = Markup(_asset("page.js"))
    policy = (
        f"default-src 'none'; script-src '{policy_hash(script)}'; style-src '{policy_hash(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    template = _environment().get_template("page.html.jinja")
    return template.generate(
        page=page, overview=page.overview, legend=legend.entries, style=style, script=script, policy=policy, lowest=LOWEST_THRESHOLD
    )


def render_article(result: ArticleResult, row: Row, legend: Legend) -> Markup:
    """One article as prose, as it stands in a page."""
    template = _environment().get_template("article.html.jinja")
    shown = paragraphs(result, legend)
    return Markup(template.render(result=result, row=row, paragraphs=shown, legend=legend.entries, link=link(result.url)))


def link(url: str | None) -> tuple[str, str] | None:
    """Address and host of a link that may be followed, http or https; None for everything else."""
    if url is None or _HARMFUL.search(url) or re.search(r"\s", url):
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()  # look-alike letters show as xn--…
        valid = parts.scheme in ("http", "https") and host != "" and parts.port != 0
    except ValueError:  # of a host or a port that is none
        return None
    return (url, host.removeprefix("www.")) if valid else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("framing.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ten_thousandths"] = ten_thousandths
    return environment


def harmless(value: Any) -> Any:
    """Foreign text without what may not reach a page; anything but text is handed through."""
    return _HARMFUL.sub("\ufffd", value) if type(value) is str else value


@cache
def _asset(name: str) -> str:
    return resources.files("framing.report").joinpath(name).read_text(encoding="utf-8")


def label_styles(legend: Legend) -> str:
    """The rules that differ from label to label; an underline of its own keeps each apart without its colour."""
    lines = ("solid", "double", "wavy", "dashed", "dotted")
    return "".join(
        f'[data-slot="{entry.slot}"],.s[data-on~="{entry.slot}"]{{--c:{entry.colour}}}\n'
        f'.s[data-on~="{entry.slot}"] .e[data-slot="{entry.slot}"],.sample[data-slot="{entry.slot}"]'
        f"{{text-decoration-line:underline;text-decoration-style:{lines[entry.slot % len(lines)]}}}\n"
        for entry in legend.entries
    )


def policy_hash(content: str) -> str:
    """What a Content-Security-Policy calls a style or script that it allows."""
    return f"sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
