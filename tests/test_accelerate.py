"""Training on several devices through `accelerate launch`, here two CPU processes, against one process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT, labelled_articles, write_jsonl
from tests.test_training import arguments, history

EPOCHS = 3

#: Runs scripts/train.py and writes down every window that the model trains on, one file a process.
RECORDING = """
import json, os, runpy
from framing.model import FramingModel

forward = FramingModel.forward

def recording(self, **inputs):
    if self.training:
        with open(f"{os.environ['SEEN']}.{os.environ.get('RANK', 0)}", "a") as seen:
            windows = zip(inputs["input_ids"].tolist(), inputs["attention_mask"].sum(-1).tolist())
            seen.write(json.dumps([ids[:length] for ids, length in windows]) + "\\n")
    return forward(self, **inputs)

FramingModel.forward = recording
runpy.run_path("scripts/train.py", run_name="__main__")
"""

ACCELERATE = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
OPTIONS = ["--mixed_precision", "no", "--dynamo_backend", "no"]


def two_processes() -> list[str]:
    """The launcher, on a port that nobody listens on: `--main_process_port 0` hangs in accelerate 1.3."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return [*ACCELERATE, *OPTIONS, "--main_process_port", str(probe.getsockname()[1])]


def run(launcher: list[str], script: Path, given: list[str], seen: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SEEN": str(seen), "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, *launcher, str(script), *given]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def windows_of_epochs(seen: Path) -> list[Counter[str]]:
    """How often each window was trained on, by epoch, over all processes."""
    processes = [path.read_text().splitlines() for path in sorted(seen.parent.glob(f"{seen.name}.*"))]
    steps = len(processes[0]) // EPOCHS
    assert all(len(process) == steps * EPOCHS for process in processes), "a process took fewer steps than another"
    return [
        Counter(
            str(window) for process in processes for step in process[e * steps : (e + 1) * steps] for window in json.loads(step)
        )
        for e in range(EPOCHS)
    ]


@pytest.mark.skipif(os.name == "nt", reason="torch has no launcher for it there")
def test_two_processes_see_every_window_in_every_epoch_and_end_like_one(encoder: Path, tmp_path: Path) -> None:
    script, articles = tmp_path / "recording.py", write_jsonl(tmp_path / "articles.jsonl", labelled_articles(24))
    script.write_text(RECORDING, encoding="utf-8")
    one, two = tmp_path / "one", tmp_path / "two"
    common = [f"training.epochs={EPOCHS}"]
    alone = run([], script, arguments(encoder, articles, one, "training.batch_size=4", *common), tmp_path / "seen_one")
    assert alone.returncode == 0, alone.stderr
    both = run(
        two_processes(),
        script,
        arguments(encoder, articles, two, "training.batch_size=2", *common),
        tmp_path / "seen_two",
    )
    assert both.returncode == 0, both.stderr
    assert both.stdout.splitlines().count(str(two)) == 1

    assert len(list(tmp_path.glob("seen_two.*"))) == 2
    expected = windows_of_epochs(tmp_path / "seen_one")[0]
    assert set(expected.values()) == {1}
    for epoch in windows_of_epochs(tmp_path / "seen_two"):
        assert set(epoch) == set(expected)
        assert epoch.total() - len(expected) < 4, "no more is repeated than fills the last step"

    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}
    assert [row["epoch"] for row in history(two)] == [1, 2, 3]
    for row, other in zip(history(two), history(one), strict=True):
        assert row["eval_loss"] == pytest.approx(other["eval_loss"], rel=0.05)
        assert row["eval_macro_average_precision"] == pytest.approx(other["eval_macro_average_precision"], abs=0.1)


@pytest.mark.skipif(os.name == "nt", reason="torch has no launcher for it there")
def test_mistake_ends_all_processes(encoder: Path, tmp_path: Path) -> None:
    given = arguments(encoder, tmp_path / "gone.jsonl", tmp_path / "run")
    done = run(two_processes(), ROOT / "scripts" / "train.py", given, tmp_path / "seen")
    assert done.returncode != 0
    assert f"train.py: {tmp_path / 'gone.jsonl'}: cannot be read" in done.stderr
    assert not (tmp_path / "run").exists()
