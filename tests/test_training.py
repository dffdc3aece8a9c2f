"""Training, evaluation and export, run as a user runs them."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from framing import FramingClassifier, FramingError
from framing.config import load_config
from framing.data import read_articles
from tests.conftest import ROOT, labelled_articles, run_script, write_jsonl

LABELS = ["official_claim", "independent_verification", "loaded_terminology", "blame_attribution"]

#: Runs scripts/train.py with its arguments and kills it, without a chance to tidy up, when the first checkpoint is written.
KILLED = """
import os, runpy, signal
from transformers.trainer_callback import DefaultFlowCallback
DefaultFlowCallback.on_save = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
runpy.run_path("scripts/train.py", run_name="__main__")
"""


def arguments(encoder: Path, data: Path, output: Path, *overrides: str) -> list[str]:
    rates = ["training.learning_rate=0.003", "training.head_learning_rate=0.01"]
    return ["configs/smoke.yaml", f"encoder.name={encoder}", f"data.train=[{data}]", f"output={output}", *rates, *overrides]


def history(folder: Path) -> list[dict[str, float]]:
    """The validation figures of every epoch, without what the clock says."""
    rows = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    return [{key: value for key, value in row.items() if not key.endswith(("_runtime", "_per_second"))} for row in rows]


def checkpoints(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("checkpoint-")) for path in (folder / "checkpoints").iterdir())


def moved(folder: Path, target: Path) -> Path:
    """A copy of a trained folder that passes for a run of its own."""
    shutil.copytree(folder, target)
    config = target / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(folder), str(target)), encoding="utf-8")
    return target


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that a user's mistake ends with."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


class Resumed(NamedTuple):
    folder: Path
    arguments: list[str]
    killed: int
    left: list[int]
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Resumed:
    """The run of `trained`, killed at its first checkpoint and started again."""
    folder = tmp_path_factory.mktemp("resumed") / "run"
    given = [str(trained / "config.yaml"), f"output={folder}"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *given], cwd=ROOT, capture_output=True, check=False)
    left = checkpoints(folder)
    # Retraining from scratch would end alike, so mark what the checkpoint remembers: a resumed history has the mark.
    state = folder / "checkpoints" / f"checkpoint-{left[0]}" / "trainer_state.json"
    remembered = json.loads(state.read_text(encoding="utf-8"))
    next(row for row in remembered["log_history"] if "eval_loss" in row)["mark"] = 1
    state.write_text(json.dumps(remembered), encoding="utf-8")
    return Resumed(folder, given, killed.returncode, left, run_script("train.py", *given))


def test_trained_folder_is_complete_and_holds_no_pickle(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names >= {"framing.json", "tokenizer.json", "model.safetensors", "config.json", "config.yaml", "history.json"}
    assert {path.suffix for path in trained.iterdir() if path.is_file()} == {".json", ".safetensors", ".yaml"}
    assert {path.name for path in trained.iterdir() if path.is_dir()} == {"checkpoints"}
    config = load_config(trained / "config.yaml")
    assert [row["epoch"] for row in history(trained)] == list(range(1, int(config.training.epochs) + 1))
    assert config.output == trained


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_run_goes_on_where_it_was_and_ends_as_if_never_killed(resumed: Resumed, trained: Path) -> None:
    assert resumed.killed == -signal.SIGKILL
    assert len(resumed.left) == 1
    assert resumed.done.returncode == 0, resumed.done.stderr
    first = resumed.folder / "checkpoints" / f"checkpoint-{resumed.left[0]}"
    assert f"resuming from {first}\n" in resumed.done.stderr
    found, expected = history(resumed.folder), history(trained)
    assert found[0].pop("mark") == 1
    for row, other in zip(found, expected, strict=True):
        assert row == pytest.approx(other, rel=1e-4)
    assert json.loads((resumed.folder / "framing.json").read_text()) == json.loads((trained / "framing.json").read_text())


def test_finished_run_is_not_trained_again(resumed: Resumed, tmp_path: Path) -> None:
    folder = moved(resumed.folder, tmp_path / "run")
    weights, figures, steps = (folder / "model.safetensors").read_bytes(), history(folder), checkpoints(folder)
    assert "mark" in figures[0]
    done = run_script("train.py", *resumed.arguments, f"output={folder}")
    assert done.returncode == 0, done.stderr
    assert f"resuming from {folder / 'checkpoints' / f'checkpoint-{steps[-1]}'}\n" in done.stderr
    assert (folder / "model.safetensors").read_bytes() == weights
    assert (history(folder), checkpoints(folder)) == (figures, steps)


def test_folder_of_another_config_is_refused_and_kept(resumed: Resumed) -> None:
    before = {path: path.stat().st_mtime_ns for path in resumed.folder.rglob("*")}
    message = last_line(run_script("train.py", *resumed.arguments, "training.dropout=0.3"))
    assert message.startswith(f"train.py: {resumed.folder}: holds a run of another config")
    assert {path: path.stat().st_mtime_ns for path in resumed.folder.rglob("*")} == before


def test_kill_inside_a_checkpoint_falls_back_to_the_one_before(resumed: Resumed, tmp_path: Path) -> None:
    folder = moved(resumed.folder, tmp_path / "run")
    half = folder / "checkpoints" / "checkpoint-9999"
    half.mkdir()
    shutil.copy(folder / "model.safetensors", half)
    done = run_script("train.py", *resumed.arguments, f"output={folder}")
    assert done.returncode == 0, done.stderr


def test_finished_run_on_other_data_is_refused(resumed: Resumed, labelled: Path, tmp_path: Path) -> None:
    data = tmp_path / "articles.jsonl"
    shutil.copy(labelled, data)
    folder = moved(resumed.folder, tmp_path / "run")
    config = folder / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(labelled), str(data)), encoding="utf-8")
    data.write_text("".join(data.read_text(encoding="utf-8").splitlines(keepends=True)[:30]), encoding="utf-8")
    assert str(folder) in last_line(run_script("train.py", *resumed.arguments, f"data.train=[{data}]", f"output={folder}"))


def test_another_label_set(encoder: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    for number in range(30):
        sentences: list[dict[str, object]] = [
            {"text": f"the brutal regime crossed the river {number}", "labels": ["biased"], "evidence": {"biased": [[4, 17]]}},
            {"text": f"the shameful thugs blamed the army {number}", "labels": ["biased"], "evidence": {"biased": []}},
            {"text": f"the market was open on monday {number}"},
            {"text": f"the school was closed for rain {number}"},
        ]
        rows.append({"id": f"{'ab'[number % 2]}{number}", "sentences": sentences})
    data = write_jsonl(tmp_path / "biased.jsonl", rows)
    overrides = ["labels=[biased]", "boilerplate=false", "verification_kinds=false", "windows.context=none", "training.epochs=6"]
    done = run_script("train.py", *arguments(encoder, data, tmp_path / "run", *overrides))
    assert done.returncode == 0, done.stderr
    done = run_script("export.py", tmp_path / "run", tmp_path / "model", "--data", data)
    assert done.returncode == 0, done.stderr
    classifier = FramingClassifier.from_pretrained(tmp_path / "model")
    assert classifier.labels == ["biased"]
    result = classifier.score_sentences(["the market was open on monday 99", "the brutal regime crossed the river 99"])
    assert [sentence.labels for sentence in result.sentences] == [[], ["biased"]]
    assert [(list(s.scores), s.boilerplate, s.verification) for s in result.sentences] == [(["biased"], False, None)] * 2
    done = run_script("evaluate.py", tmp_path / "model", data, "--only", "a", "-o", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert (list(figures["labels"]), figures["articles"], figures["labels"]["biased"]["support"]) == (["biased"], 15, 30)
    assert "verification_kind" not in figures


def test_evaluation_writes_figures_of_a_model_that_has_learned(model_folder: Path, labelled: Path, tmp_path: Path) -> None:
    done = run_script("evaluate.py", model_folder, labelled, "-o", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert list(figures["labels"]) == LABELS
    assert all(f"| `{label}` |" in done.stdout for label in LABELS)
    assert (figures["articles"], figures["sentences"]) == (40, 280)  # of 8 sentences, one is not annotated
    assert [row["support"] for row in figures["labels"].values()] == [80, 40, 40, 40]
    for row in figures["labels"].values():
        assert all(0 <= row[name] <= 1 for name in ("precision", "recall", "f1", "average_precision", "calibration_error"))
    for row in (*figures["labels"].values(), figures["macro"]):
        for name in ("f1", "average_precision"):
            low, high = row[f"{name}_95"]
            assert low - 0.01 <= row[name] <= high + 0.01
    assert figures["macro"]["f1"] > 0.8
    assert figures["macro"]["evidence_f1"] > 0.5


def test_exported_graph_scores_like_the_trained_model(model_folder: Path, trained: Path, labelled: Path) -> None:
    from framing.torch_runtime import TorchRuntime

    exported, original = FramingClassifier.from_pretrained(model_folder), FramingClassifier(TorchRuntime(trained))
    differences: list[float] = []
    scores: list[float] = []
    for article in read_articles(labelled):
        texts = [sentence.text for sentence in article.sentences]
        for one, other in zip(exported.score_sentences(texts).sentences, original.score_sentences(texts).sentences, strict=True):
            differences += [abs(one.scores[label] - other.scores[label]) for label in LABELS]
            scores += one.scores.values()
    assert min(scores) < 0.1 < 0.9 < max(scores), "scores that are all alike would be near each other for nothing"
    assert sum(differences) / len(differences) < 0.01
    assert max(differences) < 0.2


@pytest.mark.parametrize(
    ("output", "by"),
    [
        pytest.param(0, 3.0, id="label"),
        pytest.param(0, math.nan, id="NaN"),
        pytest.param(4, 9.0, id="boilerplate"),
        pytest.param(-1, 9.0, id="evidence"),
    ],
)
def test_export_that_drifts_is_refused(
    output: int, by: float, trained: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framing import export
    from framing.graph import write_graph

    def write_other_graph(model: Any, path: Path, outputs: list[str], padded: bool) -> None:
        bias = model.evidence.bias if output < 0 else model.classifier.bias[output : output + 1]
        bias.data.add_(by)
        write_graph(model, path, outputs, padded=padded)

    monkeypatch.setattr(export, "write_graph", write_other_graph)
    articles = list(read_articles(labelled))[:5]
    with pytest.raises(FramingError, match=r"run: (an output of the exported graph drifts|the exported graph does not work)"):
        export.export(trained, tmp_path / "model", articles, quantise=False)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "train.py: the overrides: training.epoch: unknown key"),
        ("training.epochs", "train.py: override 'training.epochs' must look like training.epochs=2"),
        ("data.train=[no/such.jsonl]", "train.py: no/such.jsonl: cannot be read"),
        ("data.train=[{bad}]", "train.py: {bad}:3: sentences.0: unknown label 'nope'"),
        ("data.train=[{broken}]", "train.py: {broken}:2: Invalid JSON"),
        ("data.validation=[{labelled}]", "train.py: article 'invented/a0' stands in the training and the validation files"),
        ("encoder.name={bad}", "train.py: the encoder {bad} was not found; tried local folder"),
        ("training.epochs=[1", "train.py: override 'training.epochs=[1'"),
    ],
)  # fmt: skip
def test_users_mistake_is_one_sentence(override: str, message: str, encoder: Path, labelled: Path, tmp_path: Path) -> None:
    first, second = (json.dumps(row) for row in labelled_articles(2))
    files = {"labelled": labelled, "bad": tmp_path / "bad.jsonl", "broken": tmp_path / "broken.jsonl"}
    nope = {"id": "x", "sentences": [{"text": "the town", "labels": ["nope"]}]}
    files["bad"].write_text(f"{first}\n{second}\n{json.dumps(nope)}\n", encoding="utf-8")
    files["broken"].write_text(f"{first}\n{second[:-9]}\n", encoding="utf-8")
    override, message = ((text.format(**files)) for text in (override, message))
    done = run_script("train.py", *arguments(encoder, labelled, tmp_path / "run", override))
    assert last_line(done).startswith(message)
    assert not (tmp_path / "run" / "model.safetensors").exists()
