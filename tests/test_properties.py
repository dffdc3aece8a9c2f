"""Properties that hold for every text, file and record: hypothesis looks for one that breaks them."""

from __future__ import annotations

import csv
import io
import json
import string
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framing import text as text_module
from framing.articles import Article, BadArticle, read_file
from framing.errors import REASONS, printable
from framing.model_folder import LabelSettings
from framing.outputs import CsvWriter, JsonLinesWriter
from framing.records import parse_record
from framing.results import ArticleResult, Evidence, SentenceResult, summarise, to_json
from framing.summary import SummaryWriter
from framing.text import MAX_QUOTATION, inside, pieces, quotations, replace_surrogates, split_sentences

settings.register_profile("framing", max_examples=100, deadline=None, derandomize=True, database=None)
settings.load_profile("framing")

LABELS = ["official_claim", "a label"]
SIGNS = ".!?…\"'“”‘’«»„ \n\r\t\u2028\u00a0\u3000\u200d\u0301\u202e\ufeff\x00\x1b=+-@,;|😀東éA1a"
WORDS = ["Mr. ", "U.S. ", "e.g. ", "the town", "said: “", ".”", "...", "http://a.b/c. "]
#: Texts of every kind, lone surrogates among them.
TEXTS = st.lists(st.one_of(st.sampled_from(SIGNS), st.sampled_from(WORDS), st.characters()), max_size=60).map("".join)
CLEAN = TEXTS.map(replace_surrogates)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CLEAN, inner, max_size=4),
    max_leaves=12,
)
META = st.dictionaries(CLEAN, JSON, max_size=3)


@st.composite
def sentence_results(draw: st.DrawFn) -> SentenceResult:
    text = draw(CLEAN)
    scores = {label: draw(st.floats(0, 1)) for label in LABELS}
    start = draw(st.integers(0, 9))
    evidence = [
        Evidence(label, start, start + len(text), text, draw(st.floats(0, 1)), draw(st.sampled_from(["narrator", "quoted"])))
        for label in LABELS
    ]
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True))
    kind = draw(st.none() | st.just("refuted"))
    return SentenceResult(
        0, start, start + len(text), text, draw(st.booleans()), draw(st.booleans()), scores, labels, kind, evidence
    )


@st.composite
def article_results(draw: st.DrawFn) -> ArticleResult:
    title, url, outlet, date = (draw(st.none() | CLEAN) for _ in range(4))
    sentences = draw(st.lists(sentence_results(), max_size=3))
    error = draw(st.none() | st.builds(lambda message: {"reason": "empty", "message": message}, CLEAN))
    return ArticleResult(
        draw(CLEAN), draw(CLEAN), title, url, outlet, date, draw(META), draw(CLEAN),
        [] if error else sentences, None if error else summarise(sentences, LABELS), error,
    )  # fmt: skip


@given(TEXTS, st.sampled_from([3, 20, 40_000]))
@example("“What am I\xa0.\xa0.\xa0. supposed to do?” A\u3000. B", 40_000)
def test_sentences_are_where_they_say_in_order_and_nothing_is_lost(text: str, block: int) -> None:
    text = replace_surrogates(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_BLOCK", block)
        spans = split_sentences(text)
        assert "".join(pieces(text)) == text
    end = 0
    for start, stop in spans:
        assert end <= start < stop
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert "".join("".join(text[start:stop] for start, stop in spans).split()) == "".join(text.split())


@given(CLEAN)
def test_quotations_are_ordered_marked_and_apart(text: str) -> None:
    end = 0
    spans = quotations(text)
    for start, stop in spans:
        assert end <= start < stop - 1
        assert stop - start <= MAX_QUOTATION + 1
        assert text[start] in '"“„«»‘'
        assert text[stop - 1] in '"”“»«’'
        assert inside(spans, start, stop)
        end = stop


BYTES = st.one_of(
    st.binary(max_size=300),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: replace_surrogates(text).encode("utf-16")),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(TEXTS, max_size=6).map(lambda cells: ("text,b\n" + ",".join(cells)).encode("utf-8", "replace")),
)


@given(BYTES, st.sampled_from([".txt", ".json", ".jsonl", ".csv", ".tsv", ".parquet"]))
def test_any_bytes_give_articles_or_error_records(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    assert_readable(tmp_path_factory.getbasetemp() / f"any{suffix}", content)


@settings(max_examples=20)
@given(BYTES)
def test_any_bytes_as_a_page(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    pytest.importorskip("trafilatura")
    assert_readable(tmp_path_factory.getbasetemp() / "any.html", b"<p>" + content)


def assert_readable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*not UTF-8")
        for item in read_file(path):
            assert isinstance(item, Article) or item.reason in REASONS
            json.loads(to_json(item.meta)), item.source.encode()


@given(st.lists(st.tuples(TEXTS, META), max_size=4))
def test_json_lines_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, Any]]) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    taken = {"text", "sentences", "id", "title", "url", "outlet", "date"}
    rows = [(text, {key: value for key, value in meta.items() if key not in taken}) for text, meta in rows]
    path.write_text("".join(json.dumps({"text": text, **meta}) + "\n" for text, meta in rows), encoding="utf-8")
    items = list(read_file(path))
    assert [item.meta for item in items] == [meta for _, meta in rows]
    for item, (text, _) in zip(items, rows, strict=True):
        if text.strip():
            assert isinstance(item, Article)
            assert item.text == replace_surrogates(text)
        else:
            assert isinstance(item, BadArticle)
            assert item.reason == "empty"


@given(st.lists(article_results(), max_size=3))
def test_records_come_back_equal(results: list[ArticleResult]) -> None:
    stream = io.StringIO(newline="")
    writer = JsonLinesWriter(stream)
    for result in results:
        writer.write(result)
    lines = stream.getvalue().encode().decode().split("\n")[:-1]
    assert [parse_record(json.loads(line)) for line in lines] == results


@given(st.lists(article_results(), max_size=3))
def test_csv_comes_back_and_holds_no_formula(results: list[ArticleResult]) -> None:
    stream = io.StringIO(newline="")
    writer = CsvWriter(stream, LABELS)
    for result in results:
        writer.write(result)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline=""), strict=True))
    assert all(None not in (*row, *row.values()) for row in rows)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    texts = [text for result in results for text in ([s.text for s in result.sentences] if not result.error else [""])]
    assert [row["text"].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]


@given(TEXTS)
def test_printable_keeps_the_length_and_no_control(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert not {*"\x00\x07\x1b\x7f\x9b\n\r\u202e\u2066"} & set(shown)
    assert printable(string.printable[:95]) == string.printable[:95]
    shown.encode()


@given(article_results())
def test_a_summary_steers_no_terminal(result: ArticleResult) -> None:
    stream = io.StringIO(newline="")
    SummaryWriter(stream, [LabelSettings(name=label) for label in LABELS]).write(result)
    assert all(line == printable(line) for line in stream.getvalue().split("\n"))
