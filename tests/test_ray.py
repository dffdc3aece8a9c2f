"""Scoring on a local Ray cluster of several processes: the records of the local engine, whatever becomes of a worker."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framing.ray_engine import SHARD, _read_shards, _Scorer, _units
from tests.conftest import ROOT, run_cli, write_jsonl

ARTICLES = 6 * SHARD + 7


def shard_records(folder: Path) -> list[str]:
    return [line for path in folder.iterdir() for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of more than one shard, an empty one, and lines that cannot be scored; fields that a table would coerce."""
    folder = tmp_path_factory.mktemp("articles")
    sentences = ["the ministry said the bridge was closed", "the brutal regime crossed the river", "the road was open"]
    rows: list[dict[str, object]] = [
        {"id": f"{n}", "text": "\n".join(f"{sentence} {n}" for sentence in sentences * 3), "n": n if n % 2 else [0.1 * n], "": None}
        for n in range(ARTICLES)
    ]
    write_jsonl(folder / "a.jsonl", rows)
    (folder / "b.txt").write_text("the 😀 town was open", encoding="utf-8")
    (folder / "c.jsonl").write_text(
        '{"text": \n{"text": "the town", "desk": "\\ud800", "x": NaN}\n{"title": "x"}\n', encoding="utf-8"
    )
    (folder / "d.txt").write_bytes(b"")
    return folder


def scorer_nodes(driver: int) -> Iterator[Any]:
    """The processes of the cluster that the driver started that hold a model."""
    psutil = pytest.importorskip("psutil")
    for process in psutil.Process(driver).children(recursive=True):
        try:
            if "_Scorer" in " ".join(process.cmdline()):
                yield process
        except psutil.NoSuchProcess:
            continue


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_records_are_those_of_the_local_engine_also_when_a_worker_is_killed(
    articles: Path, model_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray.data")
    local = run_cli("score", articles, tmp_path / "gone.txt", "--model", model_folder)
    folder = tmp_path / "shards"
    command = [
        *(sys.executable, "-m", "framing", "score", str(articles), str(tmp_path / "gone.txt"), "--model", str(model_folder)),
        *("--engine", "ray", "--threads", "2", "-o", str(folder)),
    ]
    killed, shards = 0, 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, env=os.environ | {"RAY_worker_niceness": "0"}) as process:
        while process.poll() is None and not killed:
            time.sleep(0.01)
            if list(folder.glob(".part-*")) and list(folder.glob("part-*")):
                shards = len(list(folder.glob("part-*")))
                for node in scorer_nodes(process.pid):
                    node.kill()
                    killed += 1
        assert process.stderr is not None
        errors = process.stderr.read().decode()
    assert killed, errors
    assert 0 < shards < ARTICLES // SHARD, "the kill came too late to show anything"
    assert process.returncode == local.returncode == 1, errors
    assert sorted(shard_records(folder)) == sorted(local.stdout.decode().splitlines())
    assert errors.splitlines()[-1] == local.stderr.decode().splitlines()[-1]
    assert len(list(folder.iterdir())) == ARTICLES // SHARD + 1
    assert not list(folder.glob(".*"))


def scored(articles: Path, model_folder: Path, folder: Path, chosen: str, flat: bool = False) -> Path:
    """What the tasks of a job write, without a cluster."""
    scorer = _Scorer(folder, chosen, flat, str(model_folder), None)
    folder.mkdir()
    for unit in _units([str(articles)]):
        for shard in _read_shards(unit, "text"):
            scorer(shard)
    return folder


@pytest.mark.parametrize("flat", [False, True])
def test_parquet_shards_are_one_table(flat: bool, articles: Path, model_folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    whole = tmp_path / "whole.parquet"
    run_cli("score", articles, "--model", model_folder, "-o", whole, *(["--flat"] if flat else []))
    folder = scored(articles, model_folder, tmp_path / "shards", "parquet", flat)
    assert len(list(folder.iterdir())) == ARTICLES // SHARD + 1
    assert parquet.read_table(folder).to_pylist() == parquet.read_table(whole).to_pylist()


def test_shard_that_killed_its_workers_is_scored_in_a_process_of_its_own(model_folder: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "the town was open"}, {"text": ""}])
    expected = run_cli("score", path, "--model", model_folder).stdout
    scorer = _Scorer(tmp_path, "jsonl", False, str(model_folder), None)
    scorer._classifier.stream = lambda _: os._exit(1)  # type: ignore[method-assign, assignment]
    for attempt in range(2):
        (tmp_path / f".part-00000-00000.{attempt}.part").touch()
    (unit,) = _units([str(path)])
    (shard,) = _read_shards(unit, "text")
    assert scorer(shard) == {"articles": 1, "sentences": 1, "errors": '{"empty": 1}'}
    assert (tmp_path / "part-00000-00000.jsonl").read_bytes() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.txt", "--engine", "ray"], "writes a folder of shards; name it with -o"),
        (["a.txt", "--engine", "ray", "-o", "new", "--format", "csv"], "with --format jsonl or parquet"),
        (["-", "--engine", "ray", "-o", "new"], "standard input cannot be read by several machines"),
        (["a.txt", "--engine", "ray", "-o", "."], ".: holds files already; give -o a new folder"),
        (["a.txt", "--engine", "ray", "-o", "a.txt"], "a.txt: cannot be written (File exists)"),
        (["a.txt", "--engine", "ray", "-o", "new", "--model", "no/such"], "no/such: no such model folder"),
        (["a.txt", "--engine", "ray", "-o", "new", "--resume"], "--limit and --max-errors do not go with --engine ray"),
        (["a.txt", "--ray-address", "host:1"], "--ray-address goes with --engine ray"),
    ],
)
def test_wrong_usage_ends_with_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    (tmp_path / "a.txt").write_text("the town", encoding="utf-8")
    done = run_cli("score", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_cluster_that_does_not_answer_is_named(model_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    (tmp_path / "a.txt").write_text("the town", encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_cli(
            "score", tmp_path, "--model", model_folder, "--engine", "ray", "--ray-address", address, "-o", tmp_path / "new"
        )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"framing: no Ray cluster answers at {address} (")
    assert len(done.stderr.decode().splitlines()) == 1


def test_workers_know_a_released_model_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    (tmp_path / "a.txt").write_text("The ministry said the bridge was shut.", encoding="utf-8")
    given = ["score", "a.txt", "--model", "default"]
    done = run_cli(*given, "--engine", "ray", "--threads", 1, "-o", tmp_path / "shards", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert shard_records(tmp_path / "shards") == run_cli(*given, cwd=tmp_path).stdout.decode().splitlines()


def test_missing_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the town", encoding="utf-8")
    code = "import sys; sys.modules['ray'] = None; from framing.cli import main; main()"
    command = [sys.executable, "-c", code, "score", "a.txt", "--engine", "ray", "-o", "new"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert (done.returncode, done.stderr) == (2, "framing: --engine ray needs the extra scale: pip install '.[scale]'\n")
