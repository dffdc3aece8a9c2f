"""Several processes: the same records in the same order, whatever becomes of a process."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from framing import cores
from framing.articles import Article, BadArticle, Item, read_articles
from framing.classifier import FramingClassifier
from framing.cores import divide_cores
from framing.distributed import score_rows
from framing.errors import FramingError
from framing.results import ArticleResult
from framing.workers import WorkerPool
from tests.conftest import run_cli, start_process, write_jsonl

ITEMS: list[Item] = [
    BadArticle(f"s{number}", "empty", "there is no text in it")
    if number % 9 == 4
    else Article(f"the ministry said the road {number} was closed\n" * (1 + number % 5), f"r{number}", "s", meta={"n": [number]})
    for number in range(60)
]


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self) -> Any:
        return os._exit, (1,)


@pytest.fixture(scope="module")
def classifier(model_folder: Path) -> FramingClassifier:
    return FramingClassifier.from_pretrained(model_folder, threads=1)


def pool(count: int, threads: int, model_folder: Path, classifier: FramingClassifier) -> WorkerPool:
    return WorkerPool(count, threads, str(model_folder), None, classifier.model)


@pytest.mark.parametrize(("count", "threads"), [(1, 3), (2, 1), (4, 2)])
def test_number_of_workers_and_threads_changes_nothing(
    count: int, threads: int, model_folder: Path, classifier: FramingClassifier
) -> None:
    assert list(pool(count, threads, model_folder, classifier).stream(iter(ITEMS))) == list(classifier.stream(ITEMS))
    assert multiprocessing.active_children() == []


def test_killed_worker_costs_nothing(model_folder: Path, classifier: FramingClassifier) -> None:
    results: list[ArticleResult] = []
    for result in pool(2, 1, model_folder, classifier).stream(ITEMS):
        if len(results) in (0, 20):
            victim = multiprocessing.active_children()[0]
            victim.kill()
            victim.join()
        results.append(result)
    assert results == list(classifier.stream(ITEMS))


def test_article_that_no_worker_survives_costs_itself_only(model_folder: Path, classifier: FramingClassifier) -> None:
    items = list(ITEMS)
    items[13] = Article("the road", "bad", "file:14", meta={"deadly": Deadly()})
    results = list(pool(2, 1, model_folder, classifier).stream(items))
    error = results[13].error
    assert error is not None
    assert (results[13].id, error["reason"]) == ("bad", "worker_died")
    assert error["message"].startswith("file:14: ")
    expected = list(classifier.stream(ITEMS))
    assert results[:13] + results[14:] == expected[:13] + expected[14:]


def test_model_that_cannot_be_opened_leaves_the_output_alone(model_folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(model_folder, tmp_path / "broken")
    (broken / "model.onnx").unlink()
    articles = write_jsonl(tmp_path / "articles.jsonl", [{"text": "the town"}])
    (tmp_path / "out.jsonl").write_text("work of a night\n", encoding="utf-8")
    done = run_cli("score", articles, "-o", tmp_path / "out.jsonl", "--model", broken, "--workers", 2, "--threads", 1)
    assert (done.returncode, b"not a complete model folder" in done.stderr) == (2, True)
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "work of a night\n"


def test_model_that_cannot_be_opened_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FramingError, match=r"^no/such: no such model folder"):
        next(WorkerPool(2, 1, "no/such", None, "").stream(ITEMS))
    assert capfd.readouterr().err == ""
    assert multiprocessing.active_children() == []


def test_workers_that_cannot_start_end_the_job() -> None:
    with pytest.raises(FramingError, match="ended before they had opened the model"):
        next(WorkerPool(2, 1, Deadly(), None, "").stream(ITEMS))  # type: ignore[arg-type]
    assert multiprocessing.active_children() == []


def test_stream_that_is_left_ends_its_workers(model_folder: Path, classifier: FramingClassifier) -> None:
    results = pool(2, 1, model_folder, classifier).stream(ITEMS)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("available", "asked", "threads", "expected"),
    [(8, 2, 0, (2, 4)), (8, 3, 0, (3, 2)), (2, 2, 0, (2, 1)), (1, 4, 1, (4, 1)), (8, 2, 8, (2, 8))],
)
def test_cores_are_divided(
    available: int, asked: int, threads: int, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: available)
    assert divide_cores(asked, threads) == expected


def test_more_workers_than_cores_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 2)
    with pytest.warns(UserWarning, match="4 workers would share 2 cores"):
        assert divide_cores(4) == (2, 1)


def test_same_bytes_from_the_command_line(model_folder: Path, tmp_path: Path) -> None:
    """On a rerun, with workers, with other threads; and from files in another order, the same records in that order."""
    one = write_jsonl(
        tmp_path / "one.jsonl", [{"id": str(n), "text": f"the brutal regime crossed the road {n}"} for n in range(12)]
    )
    two = write_jsonl(tmp_path / "two.jsonl", [{"id": "x", "text": "the town"}, {"no": "text"}, {"sentences": ["police said"]}])
    options = ("--model", model_folder)
    expected = run_cli("score", one, two, *options, "--threads", 1)
    assert (expected.returncode, expected.stdout.count(b"\n")) == (1, 15)
    for others in (["--threads", 1], ["--threads", 3], ["--workers", 2, "--threads", 1]):
        done = run_cli("score", one, two, *options, *others)
        assert (done.returncode, done.stdout, done.stderr) == (1, expected.stdout, expected.stderr), others
    turned = run_cli("score", two, one, *options).stdout.splitlines()
    assert turned[3:] + turned[:3] == expected.stdout.splitlines()


def test_rows_give_the_records_of_json_lines(model_folder: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "body": "the ministry said it", "desk": 1},
        {"id": "b"},
        {"id": "c", "sentences": ["one"]},
    ]
    path = write_jsonl(tmp_path / "rows.jsonl", rows)
    classifier = FramingClassifier.from_pretrained(model_folder)
    expected = [result.to_dict() for result in classifier.stream(read_articles([str(path)], text_column="body"))]
    found = score_rows(rows, str(model_folder), text_column="body")
    for record, other in zip(found, expected, strict=True):
        if other["error"]:
            other["error"]["message"] = other["error"]["message"].removeprefix(f"{other['source']}: ")
        assert record == {**other, "source": ""}
    (bad,) = score_rows([3], str(model_folder))  # type: ignore[list-item]
    assert bad["error"]["reason"] == "bad_row"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs the list of a process's children")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGKILL", -9)])
def test_workers_end_with_the_job(name: str, status: int, model_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    options = ["--model", str(model_folder), "-o", str(output), "--workers", "2", "--threads", "1"]
    command = [sys.executable, "-m", "framing", "score", "-", *options]
    with start_process(command) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b'{"text": "the town was open"}\n' * 60)
        process.stdin.flush()
        while process.poll() is None and not (output.exists() and output.stat().st_size):
            time.sleep(0.01)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        if name == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        else:
            process.kill()
        message = process.stderr.read().decode()
    assert process.returncode == status
    assert message.count("\n") == (1 if name == "SIGINT" else 0), message
    assert len(children) >= 2
    while any(is_running(child) for child in children):  # fails by never ending
        time.sleep(0.01)


def is_running(process_id: str) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
