"""Results → a report on disk: one page, or for many articles an index with pages beside it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePath
from types import TracebackType
from urllib.parse import quote

from markupsafe import Markup

from framing.errors import FramingError
from framing.report.legend import Legend
from framing.report.overview import Overview, Row, Tally
from framing.report.render import Page, render_article, render_page
from framing.results import ArticleResult

#: A page takes so many articles and sentences; where there are more, the report is an index and pages beside it.
#: A browser opens such a page at once, also on a phone.
PAGE_ARTICLES, PAGE_SENTENCES = 250, 10_000

_PAGE_NAME = re.compile(r"page-\d{4,}\.html")


class ReportWriter:
    """Takes results one by one and holds no more than one page of them; `close` puts the report in its place.

    Until then everything is written beside it under names that end in `.part`. As a context manager it takes these
    away where the work ended early.
    """

    def __init__(self, path: Path, page_articles: int = PAGE_ARTICLES, page_sentences: int = PAGE_SENTENCES):
        """Raises `FramingError` where `path` is no name for a page or cannot be written."""
        if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
            raise FramingError(f"{path}: a report is a page; name a file that ends in .html")
        self._path, self._page_articles, self._page_sentences = path, page_articles, page_sentences
        self._part = path.with_name(path.name + ".part")
        self._folder = path.with_name(f"{path.stem}_pages")
        self._folder_part = path.with_name(self._folder.name + ".part")
        shutil.rmtree(self._folder_part, ignore_errors=True)  # of a run that was killed
        try:
            self._part.touch()
        except OSError as error:
            raise FramingError(f"{path}: cannot be written ({error.strerror})") from None
        self._legend = Legend()
        self._all, self._page = Overview(), Overview()
        self._articles: list[Markup] = []
        self.pages = 0  #: pages beside the index; 0 for a report of one page

    def __enter__(self) -> ReportWriter:
        return self

    def __str__(self) -> str:
        tally = self._all.tally
        what = f"{self._path}: {tally.articles} articles, {tally.sentences + tally.boilerplate} sentences"
        if not self.pages:
            return what
        limit = f"a page takes {self._page_articles} articles or {self._page_sentences} sentences"
        return f"{what}; an index of {self.pages} pages in {self._folder}/, to be kept beside it ({limit})"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._part.unlink(missing_ok=True)
        shutil.rmtree(self._folder_part, ignore_errors=True)

    def write(self, result: ArticleResult) -> None:
        if result.error:
            self._all.add_error(result)
            return
        sentences = self._page.tally.sentences + self._page.tally.boilerplate
        full = len(self._articles) >= self._page_articles or sentences + len(result.sentences) > self._page_sentences
        if full and self._articles:
            self._write_page(last=False)
        tally = Tally()
        tally.add(result)
        row = Row(
            result.title or PurePath(result.id).name or "untitled", result.outlet, result.date,
            page=_page_name(self.pages + 1), anchor=f"a{self._all.tally.articles + 1}", tally=tally,
        )  # fmt: skip
        for name in tally.shares:
            self._legend.entry(name)
        self._articles.append(render_article(result, row, self._legend))
        self._page.add(result, row)
        self._all.add(result, row)

    def close(self) -> None:
        if self.pages:
            self._write_page(last=True)
            folder = quote(self._folder.name)
            pages = [f"{folder}/{_page_name(number)}" for number in range(1, self.pages + 1)]
            self._write(self._part, Page("Framing report", self._all, pages=pages, folder=folder))
        else:
            self._write(self._part, Page("Framing report", self._all, self._articles))
        self._publish()

    def _write_page(self, last: bool) -> None:
        """The articles at hand become a page of their own."""
        self._folder_part.mkdir(exist_ok=True)
        number = self.pages = self.pages + 1
        turn = [("‹ page before", _page_name(number - 1))] if number > 1 else []
        turn.append(("all articles", f"../{quote(self._path.name)}"))
        turn += [] if last else [("next page ›", _page_name(number + 1))]
        page = Page(f"Framing report, page {number}", self._page, self._articles, turn)
        self._write(self._folder_part / _page_name(number), page)
        self._page, self._articles = Overview(), []

    def _write(self, path: Path, page: Page) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(render_page(page, self._legend))

    def _publish(self) -> None:
        """Move everything into its place, the index last; pages of an earlier, longer report go."""
        for page in sorted(self._folder_part.glob("*.html")) if self.pages else []:
            self._folder.mkdir(exist_ok=True)
            page.replace(self._folder / page.name)
        for page in self._folder.glob("page-*.html"):
            if _PAGE_NAME.fullmatch(page.name) and int(page.stem.removeprefix("page-")) > self.pages:
                page.unlink()
        self._part.replace(self._path)
        shutil.rmtree(self._folder_part, ignore_errors=True)


def _page_name(number: int) -> str:
    return f"page-{number:04}.html"
