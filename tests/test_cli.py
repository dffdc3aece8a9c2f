"""The command line, run as a user runs it, its output into a pipe."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, run_cli, write_jsonl

LABELS = ["official_claim", "independent_verification", "loaded_terminology", "blame_attribution"]
ARTICLES: list[dict[str, object]] = [
    {"id": "1", "title": "Bridge", "text": "the ministry said the bridge was closed\nthe road was open", "desk": {"n": [1]}},
    {"id": "2", "outlet": "Herald", "text": "the 😀 brutal regime crossed the river"},
    {"id": "3", "sentences": ["no evidence for the claim", "share this article"]},
]


def records(output: bytes) -> list[dict[str, Any]]:
    """Standard output as strict JSON lines: any other line among them fails."""
    return [
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) for line in output.decode().split("\n")[:-1]
    ]


def rows(output: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output.decode(), newline="")))


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "articles.jsonl", ARTICLES)


def test_pipe_gets_one_json_record_an_article_in_order(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the town was open. the school was closed.", encoding="utf-8")
    done = run_cli("score", tmp_path / "a.txt", articles, "--model", model_folder)
    assert (done.returncode, done.stderr) == (0, b"")
    found = records(done.stdout)
    assert [record["id"] for record in found] == [str(tmp_path / "a.txt"), "1", "2", "3"]
    assert [len(record["sentences"]) for record in found] == [2, 2, 1, 2]
    assert found[1]["meta"] == {"desk": {"n": [1]}}
    assert "😀".encode() in done.stdout


def test_text_format_is_a_summary_without_control_characters(model_folder: Path) -> None:
    text = '{"title": "Bri\\u001b[31mdge\\u202e", "text": "the \\u001b]0;x\\u0007brutal regime crossed the river"}\n{"text": ""}'
    done = run_cli("score", "-", "--format", "text", "--model", model_folder, stdin=text.encode())
    output = done.stdout.decode()
    assert output.startswith("Bri\ufffd[31mdge\ufffd  (1 sentences)\n")
    assert all(label in output for label in LABELS)
    assert "not scored: -:2: there is no text in it" in output
    assert not {"\x1b", "\x07", "\u202e"} & set(output)


def test_flat_gives_one_record_a_sentence(articles: Path, model_folder: Path) -> None:
    nested = records(run_cli("score", articles, "--model", model_folder).stdout)
    flat = records(run_cli("score", articles, "--flat", "--model", model_folder).stdout)
    expected = [(record["id"], sentence["text"], sentence["scores"]) for record in nested for sentence in record["sentences"]]
    assert [(row["id"], row["text"], {label: row[f"score_{label}"] for label in LABELS}) for row in flat] == expected
    assert flat[0]["meta_desk"] == {"n": [1]}


def test_csv_has_the_same_columns_always_and_no_formulas(model_folder: Path, tmp_path: Path) -> None:
    named = {"id": "=cmd|' /C calc'!A0", "title": "+1", "url": "@SUM(A1)", "outlet": "-2", "date": "\t=3"}
    path = write_jsonl(
        tmp_path / "a.jsonl", [{**named, "text": '=HYPERLINK("x"), the town\nthe "river", open', "=m": "=1"}, {"text": ""}]
    )
    done = run_cli("score", path, "--format", "csv", "--model", model_folder)
    first, second, failed = rows(done.stdout)
    assert done.returncode == 1
    assert list(first) == list(failed) == [
        "id", "source", "title", "url", "outlet", "date", "model", "index", "start", "end", "text", "boilerplate", "truncated",
        "labels", "verification", "evidence", *(f"score_{label}" for label in LABELS), "error", "error_reason", "meta",
    ]  # fmt: skip
    assert not [
        cell for row in (first, second, failed) for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    ]
    assert {key: first[key] for key in named} == {key: f"'{value}" for key, value in named.items()}
    assert (first["text"], second["text"]) == ('\'=HYPERLINK("x"), the town', 'the "river", open')
    assert json.loads(first["meta"]) == {"=m": "=1"}
    assert (failed["error_reason"], failed["text"]) == ("empty", "")


def test_parquet_holds_what_json_holds(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with articles.open("a", encoding="utf-8") as lines:
        lines.write('{"id": "4", "text": " "}\n')
    expected = records(run_cli("score", articles, "--model", model_folder).stdout)
    nested, flat = tmp_path / "nested.parquet", tmp_path / "flat.parquet"
    assert run_cli("score", articles, "-o", nested, "--model", model_folder).returncode == 1
    found = parquet.read_table(nested).to_pylist()
    assert [row["id"] for row in found] == ["1", "2", "3", "4"]
    for row, record in zip(found, expected, strict=True):
        assert json.loads(row["meta"]) == record["meta"]
        assert row["error"] == record["error"]
        for sentence, other in zip(row["sentences"], record["sentences"], strict=True):
            assert sentence["scores"] == pytest.approx(other["scores"], abs=1e-6)  # stored in single precision
            assert {**sentence, "scores": 0, "evidence": 0} == {**other, "scores": 0, "evidence": 0}
            assert [e["text"] for e in sentence["evidence"]] == [e["text"] for e in other["evidence"]]
    run_cli("score", articles, "-o", flat, "--flat", "--model", model_folder)
    texts = [row["text"] for row in parquet.read_table(flat).to_pylist()]
    assert texts == [*(sentence["text"] for record in expected for sentence in record["sentences"]), None]
    assert sorted(path.suffix for path in tmp_path.glob("*.parquet*")) == [".journal", ".journal", ".parquet", ".parquet"]


@pytest.mark.parametrize(("name", "head"), [("out.jsonl", b'{"id": "1"'), ("out.CSV", b"id,source,"), ("out.Parquet", b"PAR1")])
def test_suffix_of_the_output_says_the_format(name: str, head: bytes, articles: Path, model_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    done = run_cli("score", articles, "-o", tmp_path / name, "--model", model_folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == "framing: 3 articles, 5 sentences scored\n"
    assert (tmp_path / name).read_bytes().startswith(head)


def test_output_over_an_input_does_not_destroy_it(articles: Path, model_folder: Path) -> None:
    before = articles.read_bytes()
    done = run_cli("score", articles, "-o", articles, "--model", model_folder)
    assert (done.returncode, articles.read_bytes()) == (2, before) or len(records(articles.read_bytes())) == 3


@pytest.mark.parametrize(
    ("stdin", "texts"),
    [
        (b"the town was open\nthe river", ["the town was open", "the river"]),
        (b'{"text": "one"}\n{"text": "two"}\n', ["one", "two"]),
    ],
)
def test_standard_input(stdin: bytes, texts: list[str], model_folder: Path) -> None:
    done = run_cli("score", "-", "--model", model_folder, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [sentence["text"] for record in records(done.stdout) for sentence in record["sentences"]] == texts


def test_bad_items_are_records_in_their_place(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "one"}\n{"text": \n{"title": "x"}\n{"text": "two"}\n', encoding="utf-8")
    (tmp_path / "nul.txt").write_bytes(b"a\0b")
    done = run_cli("score", tmp_path / "gone.txt", tmp_path / "bad.jsonl", tmp_path / "nul.txt", articles, "--model", model_folder)
    reasons = [record["error"] and record["error"]["reason"] for record in records(done.stdout)]
    assert reasons == ["missing", None, "bad_json", "no_text", None, "binary", None, None, None]
    assert f"{tmp_path / 'bad.jsonl'}:2" in done.stdout.decode()
    assert done.returncode == 1
    summary = "framing: 5 articles, 7 sentences scored; 4 not scored (bad_json 1, binary 1, missing 1, no_text 1)\n"
    assert done.stderr.decode() == summary


def test_nothing_to_score_is_said(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    done = run_cli("score", tmp_path / "empty.jsonl", "--model", model_folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no articles were found" in done.stderr


@pytest.mark.parametrize(
    "row",
    [
        '{"text": "the town", "desk": null, "": {}, "id": 7}',
        '{"text": "the town", "desk": "\\ud800"}',
        '{"text": "the town", "\\udc00": 1}',
        '{"text": "the town", "desk": NaN}',
        '{"text": "the town", "desk": 1e999}',
        '{"text": "the town", "desk": ' + "[" * 900 + "]" * 900 + "}",
        '{"text": "the town", "desk": ' + "1" * 5_000 + "}",
    ],
    ids=["null", "surrogate", "surrogate key", "NaN", "infinity", "deep", "long number"],
)
def test_odd_fields_cost_no_more_than_their_article(row: str, model_folder: Path) -> None:
    stdin = f'{{"id": "a", "text": "one"}}\n{row}\n{{"id": "c", "text": "two"}}\n'
    done = run_cli("score", "-", "--model", model_folder, stdin=stdin.encode())
    assert [record["id"] for record in records(done.stdout)][::2] == ["a", "c"]
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file name is always text")
def test_file_name_that_is_not_utf8(model_folder: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/a\xff.txt")).write_text("the town", encoding="utf-8")
    done = run_cli("score", tmp_path, "--model", model_folder)
    assert done.returncode == 0
    assert [record["sentences"][0]["text"] for record in records(done.stdout)] == ["the town"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "No such command 'nope'"),
        (["score"], "Missing argument"),
        (["score", "a.txt", "--nope"], "No such option"),
        (["score", "a.txt", "--format", "xml"], "'--format'"),
        (["score", "a.txt", "--threads", "-1"], "'--threads'"),
        (["score", "a.txt", "--format", "parquet"], "name a file with -o"),
        (["score", "a.txt", "-o", "."], "is a folder"),
        (["score", "a.txt", "-o", "scored.json"], "scored.json: name it .jsonl"),
        (["score", "a.txt", "--precision", "2"], "'--precision'"),
        (["score", "a.txt", "--model", "no/such"], "no/such: no such model folder"),
        (["info", "--model", "no/such"], "no/such: no such model folder"),
    ],
)
def test_wrong_usage_ends_with_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the town", encoding="utf-8")
    done = run_cli(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    lines = [line for line in done.stderr.decode().splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(lines) == 1
    assert message in lines[0]


def test_output_that_cannot_be_written(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    done = run_cli("score", articles, "-o", tmp_path / "no" / "out.csv", "--model", model_folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"framing: {tmp_path / 'no' / 'out.csv'}: cannot be written (No such file or directory)\n"


def test_info_says_what_a_bug_report_needs(model_folder: Path) -> None:
    from framing import __version__

    done = run_cli("info", "--model", model_folder)
    output = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert all(part in output for part in (__version__, "python", "onnxruntime", "framing-smoke 0.1.0", "threshold", *LABELS))


@pytest.mark.parametrize("command", [[], ["score"]])
def test_help_shows_examples(command: list[str]) -> None:
    done = run_cli(*command, "--help")
    output = done.stdout.decode()
    assert done.returncode == 0
    assert "Examples:\n" in output
    # Each example keeps a line of its own.
    assert len([line for line in output.splitlines() if line.strip().startswith("framing score ")]) >= 3


def test_reader_that_goes_away_ends_it_quietly(articles: Path, model_folder: Path) -> None:
    command = [sys.executable, "-m", "framing", "score", str(articles), "--model", str(model_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_warnings_go_to_standard_error(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"the caf\xe9")
    done = run_cli("score", "a.txt", "--model", model_folder, cwd=tmp_path)
    assert [record["sentences"][0]["text"] for record in records(done.stdout)] == ["the café"]
    assert done.returncode == 0
    assert done.stderr.decode() == "framing: warning: a.txt: not UTF-8 (byte 7); read as Windows-1252\n"


@pytest.mark.parametrize(
    "code",
    ["import framing", "import framing.cli, sys; sys.argv = ['framing', '--help']; framing.cli.main()"],
)
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    report = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run([sys.executable, "-c", report + code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stderr.split())
    assert "framing" in loaded
    assert not loaded & {"torch", "transformers", "onnxruntime", "numpy", "tokenizers", "pyarrow"}
