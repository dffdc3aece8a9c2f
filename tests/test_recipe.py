"""The road of the released model: a teacher's scores, names swapped, a student that goes on from weights; cross-validation."""

from __future__ import annotations

import gzip
import json
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from framing.augmentation import draw_names, renamed, swap_names
from framing.benchmarks.public import babe_articles, propaganda_articles
from framing.config import load_config
from framing.data import read_articles
from tests.conftest import ROOT, labelled_articles, run_script, write_jsonl


def span(text: str, part: str, label: str = "official_claim") -> dict[str, object]:
    return {"label": label, "start": text.index(part), "end": text.index(part) + len(part)}


def test_evidence_follows_names_that_change_their_length() -> None:
    text = "Russian officials told Reuters that Ukraine, not Russia, did it."
    parts = ["Russian officials", "Reuters that Ukraine", "did it"]
    names = {"Russian": "Ukrainian", "Ukraine": "Russia", "Russia": "Ukraine", "Reuters": "Fox News"}
    changed = swap_names([{"text": text, "evidence": [span(text, part) for part in parts]}], names)[0]
    assert changed["text"] == "Ukrainian officials told Fox News that Russia, not Ukraine, did it."
    spans = [changed["text"][e["start"] : e["end"]] for e in changed["evidence"]]
    assert spans == ["Ukrainian officials", "Fox News that Russia", "did it"]


def test_names_are_whole_words_and_swaps_go_both_ways() -> None:
    assert renamed("Iranians in Iran, not Tirana", {"Iran": "Oman", "Iranian": "Omani"}) == "Omanis in Oman, not Tirana"
    for seed in range(20):
        names = draw_names(random.Random(seed))
        assert sorted(names) == sorted(names.values())


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    known = "the ministry said the bridge was closed and the road was closed too on monday"
    long = "it was monday.\n" * 17
    texts = [
        "the ministry said the bridge was closed.\n\nno evidence for the claim. it was monday.",
        known,
        "",
        f"{long}{known}\nit",
        f"it was monday.\nit was open.\n{known}",
    ]
    articles = write_jsonl(folder / "articles.jsonl", [{"id": f"p{i}", "text": text} for i, text in enumerate(texts)])
    labelled = write_jsonl(folder / "known.jsonl", [{"id": "k", "sentences": [{"text": known}]}])
    out = folder / "pool.jsonl"
    done = run_script("teach.py", f"{trained},{trained}", articles, "--known", labelled, "--sentences", 2, "-o", out)
    assert done.returncode == 0, done.stderr
    longer = run_script("teach.py", trained, articles, "--known", labelled, "--sentences", 20, "-o", folder / "longer.jsonl")
    assert longer.returncode == 0, longer.stderr
    return out


def test_teachers_score_the_start_of_unknown_readable_articles(pool: Path) -> None:
    article, long = read_articles(pool)
    assert (article.id, long.id) == ("p0", "p3")
    assert [sentence.text for sentence in long.sentences] == ["it was monday."] * 17  # a known one follows
    article_too, long_too = read_articles(pool.with_name("longer.jsonl"))
    assert [len([s for s in one.sentences if s.scores]) for one in (article, long, article_too, long_too)] == [2, 2, 3, 17]
    assert [sentence.text for sentence in article.sentences] == [
        "the ministry said the bridge was closed.",
        "no evidence for the claim.",
        "it was monday.",
    ]
    official, verification, behind = (sentence.scores or {} for sentence in article.sentences)
    assert not behind
    assert official["official_claim"] > 0.5 > official["independent_verification"]
    assert "refuted" not in official
    assert verification["independent_verification"] > 0.5
    assert verification["refuted"] > verification["corroborated"]


def test_nothing_to_teach_with_is_an_error(trained: Path, tmp_path: Path) -> None:
    empty = write_jsonl(tmp_path / "empty.jsonl", [{"id": "a", "text": ""}])
    done = run_script("teach.py", trained, empty, "-o", tmp_path / "pool.jsonl")
    assert (done.returncode, "no article in it that can be read" in done.stderr) == (2, True)


def test_a_student_goes_on_from_weights_with_soft_labels(
    tmp_path: Path, encoder: Path, trained: Path, labelled: Path, pool: Path
) -> None:
    folder = tmp_path / "student"
    overrides = [f"training.start={trained}", "training.swap_names=1", "windows.train_alone=true", "training.freeze_layers=1"]
    overrides += ["windows.scoring_tokens=56"]
    done = run_script(
        "train.py", "configs/smoke.yaml", f"encoder.name={encoder}", f"data.train=[{labelled},{pool}]", f"output={folder}",
        "training.epochs=1", "training.learning_rate=1e-5", "training.head_learning_rate=1e-5", *overrides,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "framing.json").read_text(encoding="utf-8"))["max_tokens"] == 56
    first = json.loads((folder / "history.json").read_text(encoding="utf-8"))[0]
    last = json.loads((trained / "history.json").read_text(encoding="utf-8"))[-1]
    assert first["eval_macro_average_precision"] == pytest.approx(last["eval_macro_average_precision"], abs=0.05)


def test_a_fast_student_starts_with_layers_of_the_whole_one(tmp_path: Path, encoder: Path, trained: Path, labelled: Path) -> None:
    from safetensors.numpy import load_file

    given = ["configs/smoke.yaml", f"encoder.name={encoder}", f"data.train=[{labelled}]", f"output={tmp_path / 'fast'}"]
    done = run_script(
        "train.py", *given, f"training.start={trained}", "encoder.layers=1", "training.epochs=1", "training.learning_rate=1e-9"
    )
    assert done.returncode == 0, done.stderr
    whole, fast = (load_file(folder / "model.safetensors") for folder in (trained, tmp_path / "fast"))
    name = "encoder.encoder.layer.{}.attention.self.query.weight"
    assert np.allclose(fast[name.format(0)], whole[name.format(1)], atol=1e-5)
    assert not np.allclose(whole[name.format(0)], whole[name.format(1)], atol=1e-2)
    assert name.format(1) not in fast


def test_runs_of_two_seeds_are_averaged_and_of_two_recipes_are_not(tmp_path: Path, trained: Path) -> None:
    from safetensors.numpy import load_file, save_file

    seeds = [tmp_path / "a", tmp_path / "b"]
    for seed, folder in enumerate(seeds):
        shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("checkpoints"))
        config = (folder / "config.yaml").read_text(encoding="utf-8")
        (folder / "config.yaml").write_text(config.replace("seed: 13", f"seed: {seed}"), encoding="utf-8")
    weights = load_file(seeds[0] / "model.safetensors")
    save_file({name: array * 3 for name, array in weights.items()}, seeds[1] / "model.safetensors")
    done = run_script("average.py", *seeds, "-o", tmp_path / "mean")
    assert done.returncode == 0, done.stderr
    mean = load_file(tmp_path / "mean" / "model.safetensors")
    assert all(np.allclose(mean[name], 2 * array, atol=1e-5) for name, array in weights.items())
    before, after = (json.loads((folder / "framing.json").read_text(encoding="utf-8")) for folder in (trained, tmp_path / "mean"))
    assert [label["scale"] for label in before["labels"]] != [label["scale"] for label in after["labels"]]

    other = (seeds[1] / "config.yaml").read_text(encoding="utf-8").replace("weight_decay: 0.01", "weight_decay: 0.02")
    (seeds[1] / "config.yaml").write_text(other, encoding="utf-8")
    done = run_script("average.py", *seeds, "-o", tmp_path / "other")
    assert (done.returncode, "another recipe" in done.stderr, (tmp_path / "other").exists()) == (2, True, False)


@pytest.mark.parametrize(
    ("override", "message"),
    [("encoder.layers=3", "the encoder has 2 layers"), ("training.start=gone", "gone: not a complete trained folder")],
)
def test_a_student_that_cannot_be_made_is_refused(
    tmp_path: Path, encoder: Path, labelled: Path, override: str, message: str
) -> None:
    given = ["configs/smoke.yaml", f"encoder.name={encoder}", f"data.train=[{labelled}]", f"output={tmp_path / 'run'}", override]
    done = run_script("train.py", *given)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_cross_validation_scores_every_sentence_once(tmp_path: Path, encoder: Path) -> None:
    data = write_jsonl(tmp_path / "articles.jsonl", labelled_articles(15))
    given = [
        f"encoder.name={encoder}",
        f"data.train=[{data}]",
        f"output={tmp_path / 'run'}",
        "training.epochs=1",
        "encoder.layers=1",
    ]
    done = run_script("cross_validate.py", "configs/smoke.yaml", *given)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "run" / "figures.json").read_text(encoding="utf-8"))
    assert figures["official_claim"]["sentences"] == 15 * 7
    assert len(figures["official_claim"]["parts"]) == 5
    assert done.stdout.count("over all 105 sentences") == 4


def test_public_benchmarks_are_read_with_the_spans_that_count(tmp_path: Path) -> None:
    babe = tmp_path / "babe.jsonl.gz"
    rows = [
        {"text": "A vile, vile plan for evils.", "biased": True, "biased_words": "['vile', 'evil']", "outlet": "x", "topic": "y"},
        {"text": "A plan.", "biased": False, "biased_words": "['plan']", "outlet": "x", "topic": "y"},
    ]
    babe.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    biased, plain = (article.sentences[0] for article in babe_articles(babe))
    assert biased.evidence == {"biased": [(2, 6), (8, 12)]}
    assert (plain.labels, plain.evidence) == ([], {})
    text = "First one.\n\nThe vile plan. It is calm."
    spans = [["Loaded_Language", 16, 20], ["Doubt", 27, 29]]
    article = next(propaganda_articles(write_jsonl(tmp_path / "ptc.jsonl", [{"id": "1", "text": text, "spans": spans}])))
    assert article.sentences == ["First one.", "The vile plan.", "It is calm."]
    assert article.spans == [[], [(4, 8)], []]


def test_robustness_counts_flips_and_differences(model_folder: Path, labelled: Path) -> None:
    done = run_script("robustness.py", model_folder, labelled)
    assert done.returncode == 0, done.stderr
    assert "| Russia and Ukraine | " in done.stdout
    assert "| as it is | " in done.stdout
    assert "| +0.000 |" in done.stdout


def test_the_quality_benchmark_puts_all_ways_side_by_side(
    tmp_path: Path, encoder: Path, trained: Path, model_folder: Path, labelled: Path
) -> None:
    babe = tmp_path / "babe.jsonl.gz"
    texts = ["the brutal regime crossed the road", "the road was open in the town"]
    rows = [{"text": text, "biased": "brutal" in text, "biased_words": "[]", "outlet": "", "topic": ""} for text in texts]
    babe.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    ptc = write_jsonl(tmp_path / "ptc.jsonl", [{"id": "1", "text": ". ".join(texts), "spans": [["Loaded_Language", 4, 17]]}])
    done = run_script(
        "benchmark_quality.py", labelled, labelled, trained, model_folder, "--babe", babe, "--ptc", ptc, "--encoder", encoder
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows_of_table = [line for line in done.stdout.splitlines() if line.startswith("|")][2:]
    names = [row.split("|")[1].strip().split(" (")[0] for row in rows_of_table]
    assert names[:3] == ["cue words", "TF-IDF + logistic regression", "frozen embeddings + logistic regression"]
    assert names[3:] == ["framing-smoke 0.1.0"] * 2
    assert "AUC of the loaded_terminology score 1.000 (2 sentences)" in done.stdout
    assert "AUC 1.000 by sentence" in done.stdout


def test_make_model_runs_the_recipe_with_what_there_is() -> None:
    """In the order of a fresh clone (`--always-make`), with scripts and configs that exist, each option known."""
    done = subprocess.run(["make", "--dry-run", "--always-make", "model"], cwd=ROOT, capture_output=True, text=True, check=True)
    commands = re.findall(r"\S+/python (scripts/(\w+)\.py.*)", done.stdout.replace("\\\n", ""))
    names = [name for _, name in commands]
    assert names == ["train", "train", "teach", "train", "prepare_data", "train", "train", "average", "train"]
    for command, name in commands:
        words = shlex.split(command)
        assert all((ROOT / word).exists() for word in words if word.startswith(("scripts/", "configs/", "framing/"))), command
        options = {word for word in words if word.startswith("--")}
        assert options <= set(re.findall(r"--\w+", run_script(f"{name}.py", "--help").stdout)), command
        if name == "train":
            load_config(ROOT / words[1], words[2:])
