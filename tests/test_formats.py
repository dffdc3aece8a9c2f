"""Every format, and the bad input a user will meet: each costs its own item only and says where it stands."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from framing.articles import Article, BadArticle, read_articles


def read(*paths: object, **options: str) -> list[Article | BadArticle]:
    return list(read_articles(map(str, paths), **options))  # type: ignore[arg-type]


def reasons(*paths: object) -> list[str]:
    return [item.reason for item in read(*paths) if isinstance(item, BadArticle)]


def test_json_lines_keep_named_fields_and_hand_the_rest_through(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"id": "7", "title": "T", "url": "u", "outlet": "o", "date": "2031-01-02", "text": "A town.", "desk": {"n": [1]}}
    path.write_text(json.dumps(row) + "\n\n" + json.dumps({"sentences": ["One.", "Two"], "x": None}) + "\n", encoding="utf-8")
    first, second = read(path)
    assert first == Article("A town.", "7", f"{path}:1", "T", "u", "o", "2031-01-02", {"desk": {"n": [1]}})
    assert isinstance(second, Article)
    assert (second.text, second.sentences, second.source) == ("One.\nTwo", ("One.", "Two"), f"{path}:3")
    assert second.meta == {"x": None}


def test_broken_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n{"text": \n[1]\n{"title": "no text"}\n{"text": "six"}\n', encoding="utf-8")
    items = read(path)
    assert [item.text if isinstance(item, Article) else item.reason for item in items] == [
        "one", "two", "bad_json", "bad_json", "no_text", "six",
    ]  # fmt: skip
    broken = items[2]
    assert isinstance(broken, BadArticle)
    assert f"{path}:3" in broken.message


def test_json_document_object_or_list(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"text": "one"}', encoding="utf-8")
    (tmp_path / "list.json").write_text('[{"text": "one"}, 5, {"text": "three"}]', encoding="utf-8")
    (tmp_path / "number.json").write_text("5", encoding="utf-8")
    (tmp_path / "broken.json").write_text("[{}", encoding="utf-8")
    assert len(read(tmp_path / "one.json")) == 1
    assert [type(item) for item in read(tmp_path / "list.json")] == [Article, BadArticle, Article]
    assert reasons(tmp_path / "number.json", tmp_path / "broken.json") == ["bad_json", "bad_json"]


def test_tables(tmp_path: Path) -> None:
    csv, tsv = tmp_path / "a.csv", tmp_path / "a.tsv"
    csv.write_text('id,body,outlet,views\n1,"Two\nlines, one cell",Herald,9\n2,,Herald,8\n3,x,y,z,too,many\n', encoding="utf-8")
    tsv.write_text("text\tid\nA town.\t5\n", encoding="utf-8")
    good, empty, long = read(csv, text_column="body")
    assert isinstance(good, Article)
    assert (good.text, good.outlet, good.meta, good.source) == ("Two\nlines, one cell", "Herald", {"views": "9"}, f"{csv}:2")
    assert isinstance(empty, BadArticle)
    assert (empty.reason, empty.source, empty.id) == ("empty", f"{csv}:4", "2")
    assert isinstance(long, BadArticle)
    assert long.reason == "bad_row"
    assert [item.id for item in read(tsv)] == ["5"]
    missing = read(csv)[0]
    assert isinstance(missing, BadArticle)
    assert "--text-column" in missing.message


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"text": "one", "n": 1, "sentences": None}, {"text": None, "n": 2, "sentences": ["a", "b"]}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    first, second, broken = read(tmp_path / "a.parquet", tmp_path / "broken.parquet")
    assert isinstance(first, Article)
    assert first.meta == {"n": 1}
    assert isinstance(second, Article)
    assert second.sentences == ("a", "b")
    assert isinstance(broken, BadArticle)
    assert broken.reason == "bad_table"


def test_html_article_without_its_menus(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    body = "".join(f"<p>The harbour board met on day {n} and the pilots stayed at home all day long.</p>" for n in range(6))
    main = f"<nav>Menu</nav><article><h1>Pilots at home</h1>{body}</article>"
    page = f"<html><head><title>Pilots at home</title></head><body>{main}</body></html>"
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    (tmp_path / "empty.html").write_text("<html></html>", encoding="utf-8")
    article, empty = read(tmp_path / "a.html", tmp_path / "empty.html")
    assert isinstance(article, Article)
    assert article.title == "Pilots at home"
    assert "harbour board" in article.text
    assert "Menu" not in article.text
    assert isinstance(empty, BadArticle)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfA caf\xc3\xa9.")
    (article,) = read(tmp_path / "a.txt")
    assert isinstance(article, Article)
    assert article.text == "A café."


def test_utf16_is_read_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("A café.".encode("utf-16"))
    with pytest.warns(UserWarning, match=r"a\.txt: not UTF-8; read as UTF-16"):
        (article,) = read(tmp_path / "a.txt")
    assert isinstance(article, Article)
    assert article.text == "A café."


def test_other_encoding_is_read_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"A caf\xe9 \x93quoted\x94 \x81.")
    with pytest.warns(UserWarning, match=r"a\.txt: not UTF-8 \(byte 5\)"):
        (article,) = read(tmp_path / "a.txt")
    assert isinstance(article, Article)
    assert article.text.startswith("A café “quoted”")


def test_bad_files_are_named_and_the_others_read(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    (tmp_path / "blank.txt").write_text(" \n\t\n", encoding="utf-8")
    (tmp_path / "nul.txt").write_bytes(b"abc\0def")
    (tmp_path / "good.txt").write_text("A town.", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    paths = [
        tmp_path / n for n in ("empty.txt", "blank.txt", "nul.txt", "gone.txt", "folder", "no*.txt", "picture.png", "good.txt")
    ]
    assert reasons(*paths) == ["empty", "empty", "binary", "missing", "empty_folder", "missing", "format"]
    assert [item.id for item in read(*paths) if isinstance(item, Article)] == [str(tmp_path / "good.txt")]


def test_folders_patterns_and_repeats_read_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.txt", "a.txt", "deep/c.txt", "notes.md"):
        (tmp_path / name).write_text("A town.", encoding="utf-8")
    found = [Path(item.source).name for item in read(tmp_path, tmp_path / "*.txt", tmp_path / "a.txt")]
    assert found == ["a.txt", "b.txt", "c.txt"]


def test_a_broken_table_row_costs_that_row_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,one\n2,"He said "no" to it"\n3,three\n', encoding="utf-8")
    first, broken, last = read(path)
    assert isinstance(broken, BadArticle)
    assert (first.id, broken.reason, broken.source, last.id) == ("1", "bad_row", f"{path}:3", "3")


def test_tables_in_other_encodings_warn_once(tmp_path: Path) -> None:
    (tmp_path / "excel.tsv").write_text("id\ttext\n1\tA café.\n", encoding="utf-16")
    (tmp_path / "old.csv").write_bytes(b"id,text\n1,caf\xe9\n2,na\xefve\n")
    with pytest.warns(UserWarning, match=r"excel\.tsv: not UTF-8; read as UTF-16"):
        (excel,) = read(tmp_path / "excel.tsv")
    assert isinstance(excel, Article)
    assert excel.text == "A café."
    with pytest.warns(UserWarning, match=r"old\.csv:2: not UTF-8") as caught:
        assert [item.text for item in read(tmp_path / "old.csv") if isinstance(item, Article)] == ["café", "naïve"]
    assert len(caught) == 1


def test_hidden_folders_and_the_output_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in (".git/note.txt", "a.txt", "out.jsonl"):
        (tmp_path / name).write_text("A town.", encoding="utf-8")
    assert [Path(item.source).name for item in read_articles([str(tmp_path)], skip=[tmp_path / "out.jsonl"])] == ["a.txt"]


def test_an_article_given_in_place_of_a_path_is_one_bad_item(tmp_path: Path) -> None:
    assert reasons("The ministry said so. " * 400) == ["unreadable"]


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"A town.\nA river.", ["A town.\nA river."]),
        (b'{"text": "one"}\n{"text": "two"}', ["one", "two"]),
        (b'[{"text": "one"},\n{"text": "two"}]', ["one", "two"]),
        (b"[Photo] A town.", ["[Photo] A town."]),
    ],
)
def test_standard_input_is_text_or_json_lines(data: bytes, texts: list[str]) -> None:
    items = list(read_articles(["-"], stdin=io.BytesIO(data)))
    assert [item.text for item in items if isinstance(item, Article)] == texts


def test_sentences_must_be_strings(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"sentences": ["a", 5]}\n{"sentences": "a"}\n{"sentences": []}\n{"text": 5}\n', encoding="utf-8")
    assert reasons(path) == ["no_text", "no_text", "empty", "no_text"]
