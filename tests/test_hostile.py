"""Hostile files: each costs itself, for a documented reason, and nothing else; memory and time are bounded."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framing import FramingClassifier, FramingError
from framing.articles import Article, Item, read_articles
from framing.errors import REASONS
from framing.limits import Limits
from tests.conftest import ROOT, run_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices, memory limits and odd names as Linux has them")

GOOD = "the town was open"
MEMORY = 3_000_000_000


def score(folder: Path, model: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """`framing score .` in a folder as a user runs it, with little memory and not for ever."""
    command = (
        f"ulimit -v {MEMORY // 1000}; exec {sys.executable} -m framing score . --model {model} --threads 1 {' '.join(options)}"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", command], capture_output=True, cwd=folder, env=environment, timeout=300, check=False)


def repeated(path: Path, head: str, middle: str, tail: str, size: int) -> None:
    """A file of about `size` bytes without holding it."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(head)
        for _ in range(size // 1_000_000):
            stream.write(middle * (1_000_000 // len(middle)))
        stream.write(tail)


def parquet_bomb(path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"text": [GOOD, "a" * 40_000_000]}), path, compression="zstd", use_dictionary=False)


GARBAGE = bytes(range(1, 256)) * 9
NAMES = "".join(f",c{n}" for n in range(9_999))
WIDE_ROW = json.dumps({"text": GOOD, **{f"c{n}": n for n in range(9_999)}})
DEEP = '{"text": "a", "desk": ' + "[" * 10_000 + "]" * 10_000 + "}"
ENTITIES = "".join(f"<!ENTITY e{n + 1} '{f'&e{n};' * 10}'>" for n in range(9))

#: File name → how to write it, and the reason of each of its records, None where it is scored.
HOSTILE: dict[str, tuple[Callable[[Path], object] | str | bytes, list[str | None]]] = {
    "good.txt": (GOOD, [None]),
    "single line of 200 MB.json": (lambda path: repeated(path, '{"text": "', "the town ", '"}', 200_000_000), ["too_large"]),
    "line of 40 MB.jsonl": (
        lambda path: repeated(path, '{"text": "', "the town ", f'"}}\n{{"text": "{GOOD}"}}\n', 40_000_000),
        ["too_large", None],
    ),
    "cell of 40 MB.csv": (lambda path: repeated(path, 'text\n"', "the town ", f"\n{GOOD}\n", 40_000_000), ["too_large", None]),
    "page of 9 MB.html": (lambda path: repeated(path, "<p>", "the town ", "", 9_000_000), ["too_large"]),
    "bomb.parquet": (parquet_bomb, ["too_large"]),
    "columns.csv": (f"text{NAMES}\n{GOOD}\n", ["too_wide"]),
    "fields.jsonl": (f'{WIDE_ROW}\n{{"text": "{GOOD}"}}', ["too_wide", None]),
    "deep.json": (DEEP, ["bad_json"]),
    "deep.jsonl": (f'{DEEP}\n{{"text": "{GOOD}"}}', ["bad_json", None]),
    "deep.html": ("<div>" * 100_000 + GOOD, ["empty"]),
    "entities.html": (f"<!DOCTYPE x [<!ENTITY e0 'ha'>{ENTITIES}]><html><body><p>&e9;</p></body></html>", ["empty"]),
    "quote never closed.csv": (f'text\n{GOOD}\n"the river\n{GOOD}', [None, "bad_row"]),
    "pipe.txt": (os.mkfifo, ["not_a_file"]),
    "pipe.parquet": (os.mkfifo, ["not_a_file"]),
    "device.txt": (lambda path: path.symlink_to("/dev/zero"), ["not_a_file"]),
    "link to itself.txt": (lambda path: path.symlink_to(path), ["unreadable"]),
    "link to nothing.txt": (lambda path: path.symlink_to("nothing"), ["unreadable"]),
    "link to the folder": (lambda path: path.symlink_to("."), []),
    "two\nlines.txt": (GOOD, [None]),
    "\x1b[31mred\u202e.txt": (GOOD, [None]),
    os.fsdecode(b"not UTF-8 \xff.txt"): (GOOD, [None]),
    "word of 1 MB.txt": ("a" * 1_000_000, [None]),
    "combining.txt": ("\u0301" * 200_000, [None]),
    "quotation marks.txt": ('"' * 50_000 + "“a " * 20_000, [None]),
    "wide characters.txt": ("东京。" * 10_000, [None]),
    "100,000 sentences.txt": ("The town was open.\n" * 100_000, ["too_long"]),
    "sentences.jsonl": (json.dumps({"sentences": [""] * 1_000_001}), ["too_long"]),
    "surrogates.jsonl": ('{"text": "the \\ud800 town", "\\udfff": "\\udfff"}', [None]),
    "garbage.jsonl": (GARBAGE.replace(b"\n", b" "), ["bad_json"]),
    "garbage.json": (GARBAGE, ["bad_json"]),
    "garbage.html": (b"\0" + GARBAGE, ["binary"]),
    "garbage.parquet": (GARBAGE, ["bad_table"]),
    "garbage.csv": (b"\0" + GARBAGE, ["binary"]),
}


@pytest.fixture(scope="module")
def found(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The records of one run over all of them, by file name."""
    pytest.importorskip("trafilatura")
    folder = tmp_path_factory.mktemp("hostile")
    for name, (content, _) in HOSTILE.items():
        if isinstance(content, str | bytes):
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            content(folder / name)
    done = score(folder, model_folder)
    shutil.rmtree(folder)
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr), "control characters reach the terminal"
    records: dict[str, list[dict[str, Any]]] = {}
    for record in map(json.loads, done.stdout.decode().split("\n")[:-1]):
        records.setdefault(re.sub(r":\d+\Z", "", record["source"]), []).append(record)
    return records


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_each_hostile_file_costs_itself_only(name: str, found: dict[str, list[dict[str, Any]]]) -> None:
    records = found.get(name.encode(errors="replace").decode().replace("?", "\ufffd"), [])
    reasons = [record["error"] and record["error"]["reason"] for record in records]
    assert reasons == HOSTILE[name][1]
    assert set(filter(None, reasons)) <= set(REASONS)
    assert all(record["sentences"] for record in records if not record["error"])


def test_a_page_that_takes_too_long_is_given_up(model_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    attributes = " ".join(f'a{n}="b"' for n in range(60_000))  # the HTML library takes minutes
    paragraphs = f"<p>{GOOD} and the harbour board met there on a rainy day.</p>" * 9
    (tmp_path / "a.html").write_text(f"<html><body><p {attributes}>{GOOD}</p>", encoding="utf-8")
    (tmp_path / "b.html").write_text(f"<html><body><article>{paragraphs}</article>", encoding="utf-8")
    first, second = map(json.loads, score(tmp_path, model_folder, "--limit", "page_seconds=10").stdout.splitlines())
    assert (first["error"]["reason"], second["error"]) == ("too_slow", None)


def test_limits_are_settable_and_named_in_the_error(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{GOOD}\n" * 10, encoding="utf-8")
    (record,) = map(json.loads, score(tmp_path, model_folder, "--limit", "article_chars=100").stdout.splitlines())
    assert record["error"]["reason"] == "too_long"
    assert "more than 100 characters" in record["error"]["message"]
    assert "--limit article_chars=N" in record["error"]["message"]


@pytest.mark.parametrize("setting", ["article_chars", "article_chars=", "chars=5", "article_chars=-1", "article_chars=0", "x=²"])
def test_a_limit_that_is_none_is_wrong_usage(setting: str) -> None:
    with pytest.raises(FramingError, match="article_chars"):
        Limits.parse([setting])


def test_folders_nested_deeper_than_python_recurses(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["d"] * 1_500)
    subprocess.run(["mkdir", "-p", deep], check=True)
    (deep / "a.txt").write_text(GOOD, encoding="utf-8")
    try:
        assert [type(item) for item in read_articles([str(tmp_path)])] == [Article]
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_pattern_does_not_follow_links_in_circles(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path)
    for name in ("a.txt", ".hidden.txt"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    assert [item.source for item in read_articles([f"{tmp_path}/**/*.txt"])] == [f"{tmp_path}/a.txt"]


def test_a_folder_that_cannot_be_read_is_an_error_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.txt").write_text(GOOD, encoding="utf-8")
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [getattr(item, "reason", None) for item in read_articles([str(tmp_path)])] == [None, "unreadable"]


def test_a_file_that_grows_while_it_is_read_comes_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "the town"}\n' * 3, encoding="utf-8")
    items: list[Item] = []
    for item in read_articles([str(path)]):
        items.append(item)
        assert len(items) <= 3
        with path.open("a", encoding="utf-8") as lines:
            lines.write('{"text": "the town"}\n' * 1_000)
    assert len(items) == 3


def test_output_redirected_into_the_folder_that_is_read_is_not_read(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(GOOD, encoding="utf-8")
    command = [sys.executable, "-m", "framing", "score", str(tmp_path), "--model", str(model_folder)]
    with (tmp_path / "scored.jsonl").open("wb") as output:
        subprocess.run(command, stdout=output, cwd=ROOT, check=True, timeout=300)
    assert len((tmp_path / "scored.jsonl").read_bytes().splitlines()) == 1


def change(folder: Path, **changes: object) -> None:
    path = folder / "framing.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def change_label(folder: Path, **changes: object) -> None:
    labels = json.loads((folder / "framing.json").read_text(encoding="utf-8"))["labels"]
    change(folder, labels=[{**labels[0], **changes}, *labels[1:]])


def turn_labels(folder: Path) -> None:
    labels = json.loads((folder / "framing.json").read_text(encoding="utf-8"))["labels"]
    change(folder, labels=labels[::-1])


def weights_outside(folder: Path) -> None:
    """A graph one of whose weights lies in a file outside the folder."""
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(folder / "model.onnx")
    tensor = max(graph.graph.initializer, key=lambda one: len(one.raw_data))
    (folder.parent / "weights.bin").write_bytes(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, "../weights.bin")
    tensor.ClearField("raw_data")
    (folder / "model.onnx").write_bytes(graph.SerializeToString())


def garbled_metadata(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    assert content.count(b'["official_claim') == 1
    (folder / "model.onnx").write_bytes(content.replace(b'["official_claim', b'["\x9c\x9cficial_claim'))


def replace(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


def unknown_words(folder: Path) -> None:
    """Token ids that the graph has no vectors for."""
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(
        re.sub(r'"(brutal|town|trial|one|sentence|on|##\w)": ?\d+', r'"\1": 99999999', text), "utf-8"
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: change_label(folder, threshold=float("nan")), "labels.0.threshold"),
        (lambda folder: change_label(folder, bias=float("inf")), "labels.0.bias"),
        (lambda folder: change_label(folder, name="\x1b[31m"), "labels.0.name"),
        (lambda folder: change_label(folder, definition="two\nlines"), "labels.0.definition"),
        (lambda folder: change_label(folder, **{"\x1b[31m\n": 1}), "labels.0.\ufffd[31m\ufffd"),
        (lambda folder: change(folder, name="a\u202eb"), "name"),
        (lambda folder: change(folder, max_tokens=10**30), "max_tokens"),
        (lambda folder: change(folder, max_tokens=10**9), "max_tokens"),
        (lambda folder: change(folder, labels=[]), "labels"),
        (turn_labels, "another order"),
        (replace("framing.json", b"[" * 100_000), "framing.json"),
        (replace("framing.json", b" " * 20_000_000), "no readable framing.json"),
        (replace("tokenizer.json", b"{}"), "tokenizer.json"),
        (replace("tokenizer.json", b"[" * 100_000), "tokenizer.json"),
        (replace("model.onnx", bytes(range(256)) * 40), "model.onnx"),
        (instead("framing.json", os.mkfifo), "no readable framing.json"),
        (instead("tokenizer.json", os.mkfifo), "tokenizer.json"),
        (instead("model.onnx", os.mkdir), "model.onnx"),
        (instead("tokenizer.json", lambda path: path.symlink_to("/dev/zero")), "tokenizer.json"),
        (garbled_metadata, "can't decode"),
        (weights_outside, "takes weights from other files"),
        (unknown_words, "the model could not be run"),
    ],
)
def test_hostile_model_folder_is_one_sentence(
    damage: Callable[[Path], object], message: str, model_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    damage(folder)
    with pytest.raises(FramingError) as caught:
        FramingClassifier.from_pretrained(folder)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_model_that_fails_on_an_article_costs_that_article(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(re.sub(r'"brutal": ?\d+', '"brutal": 99999999', text), encoding="utf-8")
    first, failed, last = FramingClassifier.from_pretrained(folder).score([GOOD, "the brutal regime", GOOD])
    assert failed.error is not None
    assert failed.error["reason"] == "model_failed"
    assert first == last == FramingClassifier.from_pretrained(model_folder).score(GOOD)


def test_fuzzing_for_a_moment_finds_nothing(model_folder: Path, tmp_path: Path) -> None:
    done = run_script("fuzz.py", "--minutes", "0.1", "--model", model_folder, "--findings", tmp_path / "findings")
    assert done.returncode == 0, done.stderr
    assert "0 findings" in done.stdout
    assert not (tmp_path / "findings").exists()
