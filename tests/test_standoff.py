"""Labels without text, and text joined again from an invented stand-in for the public datasets."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from framing.data import LabelledSentence, read_articles
from framing.standoff import sentence_hash
from tests.conftest import run_script, write_jsonl

BODY = "The mayor  opened the bridge.It was closed again on Monday.\n\nThe council blamed the mayor."


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """One article in each dataset's own layout."""
    root = tmp_path / "downloads"
    files = {
        "Article-Bias-Prediction/data/jsons/abc.json": json.dumps(
            {"ID": "abc", "url": "http://news.invalid/bridge", "title": "Bridge  closed. Again", "content_original": BODY}
        ),
        "en-foreign-newswire/original_articles/x_1.txt": f"http://news.invalid/x\n{BODY}",
        "semeval2025-task10/EN/raw-documents/EN_1.txt": BODY,
        "ukraine-news-bias/all-data-as-json/article_1.json": json.dumps(
            {
                "sentences": [
                    {"position_in_article": 1, "content": "Second. Still second."},
                    {"position_in_article": 0, "content": "First"},
                ]
            }
        ),
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    for name, header, row in (
        ("fake_news_detection/input/fakes.csv", ["unit_id", "article_content"], ["77", "The café mayor spoke. " + BODY]),
        ("fnc-1/train_bodies.csv", ["Body ID", "articleBody"], ["5", BODY]),
    ):
        (root / name).parent.mkdir(parents=True)
        encoding = "latin-1" if "fakes" in name else "utf-8"
        with (root / name).open("w", encoding=encoding, newline="") as stream:
            csv.writer(stream).writerows([header, row])
    return root


def labelled(dataset: str, article: str, *texts: str) -> dict[str, object]:
    sentences: list[dict[str, object]] = [{"text": text} for text in texts]
    sentences[-1] |= {"labels": ["official_claim"], "evidence": {"official_claim": [[0, 3]]}}
    return {"id": f"{dataset}-1", "dataset": dataset, "article": article, "sentences": sentences}


ROWS = [
    labelled("allsides", "abc", "Bridge  closed. Again", "The mayor opened the bridge.", "It was closed again on Monday."),
    labelled("allsides-baly", "http://news.invalid/bridge", "The council blamed the mayor."),
    labelled("en-foreign-newswire", "x_1.txt", "The mayor opened the bridge.", "The council blamed the mayor."),
    labelled("semeval2025-task10", "EN_1.txt", "It was closed again on Monday."),
    labelled("ukraine-news-bias", "article_1", "First", "Second. Still second."),
    labelled("fa-kes", "77", "The café mayor spoke."),
    labelled("fnc1", "", "The council blamed the mayor."),
]


def test_detach_and_join_give_the_labelled_articles_back(tmp_path: Path, downloads: Path) -> None:
    source = write_jsonl(tmp_path / "labelled.jsonl", ROWS)
    detached, joined = tmp_path / "standoff.jsonl", tmp_path / "joined.jsonl"
    done = run_script("prepare_data.py", source, downloads, "-o", detached, "--detach")
    assert done.returncode == 0, done.stderr
    content = detached.read_text(encoding="utf-8")
    assert "mayor" not in content
    assert "news.invalid" not in content
    done = run_script("prepare_data.py", detached, downloads, "-o", joined)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("100.00%") == 7
    before, after = list(read_articles(source)), list(read_articles(joined))
    assert [a.sentences for a in after] == [a.sentences for a in before]


def test_what_is_missing_is_reported_and_the_rest_joined(tmp_path: Path, downloads: Path) -> None:
    source = write_jsonl(tmp_path / "labelled.jsonl", [*ROWS, labelled("allsides", "gone", "Not there.")])
    detached, joined = tmp_path / "standoff.jsonl", tmp_path / "joined.jsonl"
    run_script("prepare_data.py", source, downloads, "-o", detached, "--detach")
    path = downloads / "semeval2025-task10/EN/raw-documents/EN_1.txt"
    path.write_text(BODY.replace("Monday", "Sunday"), encoding="utf-8")
    done = run_script("prepare_data.py", detached, downloads, "-o", joined)
    assert done.returncode == 0, done.stderr
    assert "75.00%" in done.stdout  # three of four allsides sentences
    assert "0.00%" in done.stdout
    assert [a.dataset for a in read_articles(joined)] == [str(r["dataset"]) for r in ROWS if r["dataset"] != "semeval2025-task10"]


def test_labels_take_the_place_of_a_teachers_scores_and_the_rest_stays(tmp_path: Path, downloads: Path) -> None:
    labels, pool, out = tmp_path / "standoff.jsonl", tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    rows = [{**ROWS[0], "id": "x", "picked": True}, {**ROWS[1], "id": "gone"}]
    run_script("prepare_data.py", write_jsonl(tmp_path / "labelled.jsonl", rows), downloads, "-o", labels, "--detach")
    scored = [
        {"text": text, "annotated": False, "scores": {"official_claim": 0.4}}
        for text in (BODY[:10], "It was closed again on Monday.")
    ]
    write_jsonl(pool, [{"id": "other", "sentences": scored}, {"id": "x", "sentences": scored}])
    done = run_script("prepare_data.py", labels, pool, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "not found: 1 articles, 2 sentences" in done.stdout
    before, after = list(read_articles(pool)), list(read_articles(out))
    assert (after[0], after[1].sentences[0]) == (before[0], before[1].sentences[0])
    assert (after[0].picked, after[1].picked) == (False, True)
    assert after[1].sentences[1] == LabelledSentence(
        text="It was closed again on Monday.", labels=["official_claim"], evidence={"official_claim": [(0, 3)]}
    )


def test_labelled_sentences_are_kept_with_their_neighbours(tmp_path: Path) -> None:
    texts = [f"Sentence {n}." for n in range(9)]
    fields = [{"hash": sentence_hash(texts[n]), "labels": ["official_claim"]} for n in (0, 4, 6, 8)]
    labels = write_jsonl(tmp_path / "labels.jsonl", [{"id": "x", "dataset": "d", "picked": True, "sentences": fields}])
    unlabelled = [{"text": text, "annotated": False} for text in texts]
    pool = write_jsonl(tmp_path / "pool.jsonl", [{"id": name, "sentences": unlabelled} for name in ("x", "other")])
    done = run_script("prepare_data.py", labels, pool, "--around", 1, "-o", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    passages = list(read_articles(tmp_path / "out.jsonl"))
    kept = [[(s.text, s.annotated) for s in passage.sentences] for passage in passages]
    assert kept == [[(texts[n], n in (0, 4, 6, 8)) for n in run] for run in ((0, 1), (3, 4, 5, 6, 7, 8))]
    assert [(passage.id, passage.picked) for passage in passages] == [("x#0", True), ("x#3", True)]


def test_mistakes_are_one_sentence(tmp_path: Path, downloads: Path) -> None:
    unknown = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "dataset": "nope", "sentences": []}])
    done = run_script("prepare_data.py", unknown, downloads, "-o", tmp_path / "x")
    assert (done.returncode, "unknown dataset 'nope'" in done.stderr) == (2, True)
    done = run_script("prepare_data.py", unknown, tmp_path / "none", "-o", tmp_path / "x")
    assert (done.returncode, "no such folder" in done.stderr) == (2, True)
    pool = write_jsonl(tmp_path / "pool.jsonl", [{"id": "1", "sentences": [{"text": "It is."}]}])
    beyond = {"hash": sentence_hash("It is."), "labels": ["official_claim"], "evidence": {"official_claim": [[0, 9]]}}
    for sentence, message in (({"index": 0}, "a.jsonl:1: not a stand-off article"), (beyond, "outside the sentence")):
        broken = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "dataset": "fnc1", "sentences": [sentence]}])
        done = run_script("prepare_data.py", broken, pool, "-o", tmp_path / "x")
        assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    found = {"index": 0, "hash": sentence_hash("The mayor opened the bridge.")}
    row = {"id": "1", "dataset": "semeval2025-task10", "article": "EN_1.txt", "title": 5, "sentences": [found]}
    done = run_script("prepare_data.py", write_jsonl(tmp_path / "a.jsonl", [row]), downloads, "-o", tmp_path / "x")
    assert (done.returncode, "article 1: title: " in done.stderr, "Traceback" in done.stderr) == (2, True, False)
