"""A job that is stopped, by whatever, goes on to the output of one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from framing.articles import Item, read_articles
from framing.batch import open_output, score_job
from framing.classifier import FramingClassifier
from framing.errors import FramingError, Interrupted
from framing.outputs import Format, choose_format
from framing.results import ArticleResult
from tests.conftest import run_cli, run_script, start_process, write_jsonl

TEXT = "the ministry said the 😀 road {} was closed\nit was open"
ROWS: list[dict[str, object]] = [
    {"id": f"r{number}", "text": "" if number % 7 == 3 else TEXT.format(number), "desk": "a\u2028b"} for number in range(20)
]
SHAPES = [("jsonl", False), ("jsonl", True), ("csv", False), ("parquet", False), ("parquet", True)]


@pytest.fixture(scope="module")
def classifier(model_folder: Path) -> FramingClassifier:
    return FramingClassifier.from_pretrained(model_folder, threads=1)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "articles.jsonl", ROWS)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def journal(output: Path) -> Path:
    return output.with_name(output.name + ".journal")


def one_sentence(done: subprocess.CompletedProcess[bytes]) -> str:
    message = done.stderr.decode()
    assert message.startswith("framing: ")
    assert message.count("\n") == 1
    return message


class Job:
    """Scoring of the articles of a file, in this process; `stop_after` so many results it ends as if it was killed."""

    def __init__(self, classifier: FramingClassifier, articles: Path):
        self.classifier, self.articles = classifier, articles

    def __call__(self, output: Path, flat: bool = False, resume: bool = True, stop_after: int | None = None, **made: Any) -> bytes:
        def stream(items: Iterable[Item]) -> Generator[ArticleResult, None, None]:
            for number, result in enumerate(self.classifier.stream(items)):
                if number == stop_after:
                    raise Interrupted(130)
                yield result
            if stop_after == len(ROWS):
                raise Interrupted(130)

        labels = self.classifier.settings.labels
        records = open_output(output, choose_format(output, None), flat, labels, {"model": "tiny", **made}, resume)
        score_job(read_articles([str(self.articles)]), stream, records)
        return output.read_bytes()


@pytest.fixture
def job(classifier: FramingClassifier, articles: Path) -> Job:
    return Job(classifier, articles)


@pytest.mark.parametrize(("suffix", "flat"), SHAPES)
def test_whatever_was_lost_is_done_again(suffix: str, flat: bool, job: Job, tmp_path: Path) -> None:
    """The file that grows and its journal are cut at moments of their own: more than any kill does."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    expected = job(tmp_path / f"whole.{suffix}", flat)
    output = tmp_path / f"cut.{suffix}"
    data = output.with_name(output.name + ".part") if suffix == "parquet" else output
    with pytest.raises(Interrupted):
        job(output, flat, stop_after=len(ROWS))
    whole, whole_journal = data.read_bytes(), journal(output).read_bytes()
    header = whole_journal.index(b"\n") + 1
    dice = random.Random(5)
    cuts = [
        (0, 0),
        (0, header // 2),
        (1, header),
        (len(whole), header),
        (len(whole) - 1, len(whole_journal)),
        (0, len(whole_journal)),
    ]
    cuts += [(dice.randrange(len(whole)), dice.randrange(header, len(whole_journal))) for _ in range(10)]
    for size, journal_size in cuts:
        output.unlink(missing_ok=True)
        data.write_bytes(whole[:size])
        journal(output).write_bytes(whole_journal[:journal_size])
        assert job(output, flat) == expected, (size, journal_size)
    assert sorted(path.name for path in tmp_path.glob("cut.*")) == [output.name, journal(output).name]


@pytest.mark.parametrize(("suffix", "flat"), SHAPES)
def test_interrupted_file_holds_whole_articles(suffix: str, flat: bool, job: Job, tmp_path: Path) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    output = tmp_path / f"out.{suffix}"
    with pytest.raises(Interrupted, match=r"interrupted: 5 articles, 10 sentences scored; 1 not scored \(empty 1\); .*--resume"):
        job(output, flat, stop_after=6)
    if suffix == "parquet":
        assert not output.exists()
    else:
        whole = job(tmp_path / f"whole.{suffix}", flat)
        assert whole.startswith(output.read_bytes())
        assert output.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("made", [{"model": "other"}, {"precision": 0.9}])
def test_other_settings_do_not_go_on(made: dict[str, Any], job: Job, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pytest.raises(Interrupted):
        job(output, stop_after=6)
    before = output.read_bytes()
    with pytest.raises(FramingError, match=f"out.jsonl: was made with {next(iter(made))}"):
        job(output, **made)
    assert output.read_bytes() == before
    assert len(lines(journal(output))) == 7


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1:],
        lambda rows: rows[:3],
        lambda rows: [{**rows[0], "text": "the town"}, *rows[1:]],
        lambda rows: [{**rows[0], "desk": "b"}, *rows[1:]],
        lambda rows: [rows[1], rows[0], *rows[2:]],
    ],
    ids=["first is gone", "too few", "other text", "other field", "other order"],
)
def test_other_inputs_do_not_go_on(change: Any, job: Job, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pytest.raises(Interrupted):
        job(output, stop_after=6)
    before = output.read_bytes()
    write_jsonl(job.articles, change(ROWS))
    with pytest.raises(FramingError, match="not those of its first 6 records"):
        job(output)
    assert output.read_bytes() == before


def test_more_articles_at_the_end_are_added(job: Job, tmp_path: Path) -> None:
    job(tmp_path / "out.jsonl")
    write_jsonl(job.articles, [*ROWS, {"id": "new", "text": "the bridge was open"}])
    assert job(tmp_path / "out.jsonl") == job(tmp_path / "anew.jsonl")
    assert len(lines(tmp_path / "out.jsonl")) == len(ROWS) + 1


def test_finished_parquet_does_not_grow(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    before = job(tmp_path / "out.parquet")
    write_jsonl(job.articles, [*ROWS, {"id": "new", "text": "the bridge was open"}])
    with pytest.raises(FramingError, match="is finished, and a Parquet file cannot grow"):
        job(tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_bytes() == before


def test_unfinished_output_is_not_overwritten(job: Job, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pytest.raises(Interrupted):
        job(output, stop_after=6)
    with pytest.raises(FramingError, match=r"unfinished, it holds 6 articles; give --resume .* or delete it"):
        job(output, resume=False)
    assert len(lines(output)) == 6
    output.unlink()
    expected = job(output, resume=False)
    assert job(output, resume=False, precision=0.9) == expected  # a finished one is


def test_file_that_nobody_knows_is_not_continued(job: Job, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("mine\n", encoding="utf-8")
    with pytest.raises(FramingError, match="has no journal"):
        job(output)
    assert output.read_text(encoding="utf-8") == "mine\n"
    output.write_text("", encoding="utf-8")  # as mktemp leaves it
    assert len(job(output).splitlines()) == len(ROWS)


def test_two_processes_do_not_write_one_output(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    output = tmp_path / "out.jsonl"
    first = open_output(output, Format.jsonl, False, job.classifier.settings.labels, {}, True)
    with pytest.raises(FramingError, match="is being written by another process"):
        job(output)
    first.close()
    job(output)


def test_finished_job_has_nothing_left_to_do(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    command = ("score", articles, "-o", tmp_path / "out.jsonl", "--model", model_folder)
    assert run_cli(*command).returncode == 1  # some articles are empty
    before = ((tmp_path / "out.jsonl").read_bytes(), journal(tmp_path / "out.jsonl").read_bytes())
    done = run_cli(*command, "--resume")
    assert done.returncode == 0
    assert one_sentence(done) == "framing: nothing left to do: 17 articles, 34 sentences scored; 3 not scored (empty 3)\n"
    assert ((tmp_path / "out.jsonl").read_bytes(), journal(tmp_path / "out.jsonl").read_bytes()) == before
    with (tmp_path / "out.jsonl").open("r+b") as stream:  # the last seconds are lost all the same
        stream.truncate(len(before[0]) - 20)
    assert run_cli(*command, "--resume").returncode == 1
    assert (tmp_path / "out.jsonl").read_bytes() == before[0]
    other = tmp_path / "other"
    shutil.copytree(model_folder, other)
    settings = json.loads((other / "framing.json").read_text(encoding="utf-8"))
    settings["labels"][0]["threshold"] = 0.123
    (other / "framing.json").write_text(json.dumps(settings), encoding="utf-8")
    done = run_cli(*command[:-1], other, "--resume")
    assert (done.returncode, "model_sha256" in one_sentence(done)) == (2, True)


def test_error_budget(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    command = ("score", articles, "--model", model_folder, "-o")
    done = run_cli(*command, tmp_path / "out.jsonl", "--max-errors", 2)
    assert done.returncode == 1
    assert one_sentence(done) == (
        "framing: stopped at 2 failed articles (--max-errors): 9 articles, 18 sentences scored; 2 not scored (empty 2); "
        "the same command with --resume goes on from there\n"
    )
    assert len(lines(tmp_path / "out.jsonl")) == 11
    run_cli(*command, tmp_path / "whole.jsonl")
    done = run_cli(*command, tmp_path / "out.jsonl", "--max-errors", 2, "--resume")
    assert done.returncode == 1
    assert one_sentence(done).startswith("framing: 17 articles")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_signal_leaves_what_can_be_continued(name: str, status: int, model_folder: Path, tmp_path: Path) -> None:
    rows = [json.dumps(row).encode() + b"\n" for row in ROWS]
    output, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    options = ["--model", model_folder, "-o"]
    command = [sys.executable, "-m", "framing", "score", "-", *map(str, options), str(output), "--resume"]
    with start_process(command) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"".join(rows[:15]))
        process.stdin.flush()
        while process.poll() is None and not (output.exists() and len(lines(output)) >= 4):
            time.sleep(0.01)
        process.send_signal(getattr(signal, name))
        message = process.stderr.read().decode()
    assert process.returncode == status
    written = output.read_bytes()
    if name != "SIGKILL":
        assert message.startswith("framing: interrupted: ")
        assert message.endswith("; the same command with --resume goes on from there\n")
        assert message.count("\n") == 1
        assert written.endswith(b"\n")
    stdin = b"".join(rows)
    run_cli("score", "-", *options, output, "--resume", stdin=stdin)
    run_cli("score", "-", *options, whole, stdin=stdin)
    assert output.read_bytes() == whole.read_bytes()
    assert whole.read_bytes().startswith(written[: written.rindex(b"\n") + 1])


def test_output_among_its_inputs(articles: Path, model_folder: Path, tmp_path: Path) -> None:
    """A pattern matches the output and its journal from the second run on."""
    command = ("score", tmp_path / "a*", "-o", tmp_path / "a.jsonl", "--model", model_folder, "--resume")
    run_cli(*command)
    assert b"nothing left to do: 17 articles" in run_cli(*command).stderr


@pytest.mark.skipif(not Path(os.devnull).is_char_device(), reason="no such device")
def test_device_takes_records_but_no_journal(articles: Path, model_folder: Path) -> None:
    command = ("score", articles, "--model", model_folder, "-o", os.devnull, "--format", "jsonl")
    assert run_cli(*command).returncode == 1
    assert not Path(os.devnull + ".journal").exists()
    done = run_cli(*command, "--resume")
    assert (done.returncode, "name it with -o" in one_sentence(done)) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_kill_script(model_folder: Path) -> None:
    done = run_script("kill_test.py", "--articles", 24, "--kills", 3, "--data", "none", "--seed", 1, "--", "--model", model_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all outputs are byte-identical" in done.stdout
    assert done.stdout.count("cannot be written") == 3
