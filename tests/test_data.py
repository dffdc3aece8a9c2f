from __future__ import annotations

from pathlib import Path

import pytest

from framing.check import check_files
from framing.data import load, read_articles, split, write_articles
from framing.errors import FramingError
from tests.conftest import write_jsonl


def sentence(**fields: object) -> dict[str, object]:
    return {"text": "The mayor said so.", **fields}


def article(identifier: str = "a", **fields: object) -> dict[str, object]:
    return {"id": identifier, "sentences": [sentence()], **fields}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "a"}, "sentences: Field required"),
        ({"id": "a", "sentences": []}, "sentences"),
        (article(sentences=[sentence(label=["x"])]), "sentences.0.label: Extra inputs"),
        (article(sentences=[sentence(labels=["official_claim"], evidence={"official_claim": [[4, 40]]})]), "outside the sentence"),
        (article(sentences=[sentence(evidence={"official_claim": [[0, 2]]})]), "which the sentence does not carry"),
        (article(sentences=[sentence(annotated=False, labels=["official_claim"])]), "annotated: false"),
        (article(sentences=[sentence(boilerplate=True, labels=["official_claim"])]), "boilerplate"),
        (article(sentences=[sentence(labels=["official_claim", "official_claim"])]), "twice"),
        (article(sentences=[sentence(labels=["official_claim"], verification="refuted")]), "verification"),
        (article(sentences=[sentence(labels=["offical_claim"])]), "unknown label 'offical_claim'"),
        (article(sentences=[sentence(text="")]), "sentences.0.text"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(tmp_path: Path, row: dict[str, object], message: str) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [article("good"), row])
    with pytest.raises(FramingError, match=message) as caught:
        list(read_articles(path, ["official_claim"]))
    assert f"{path}:2: " in str(caught.value)
    report = check_files([path], ["official_claim"])
    assert any(f"{path}:2: " in error for error in report.errors)


def test_written_articles_read_back_equal(tmp_path: Path, labelled: Path) -> None:
    articles = list(read_articles(labelled))
    write_articles(tmp_path / "copy.jsonl", articles)
    assert list(read_articles(tmp_path / "copy.jsonl")) == articles


def test_no_event_or_source_article_stands_in_both_splits(tmp_path: Path) -> None:
    rows = [article(f"p{n}", dataset="d", article=f"source{n // 3}") for n in range(90)]
    rows += [article(f"e{n}", event=f"event{n // 3}") for n in range(90)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    training, held_out = split([path], validation_fraction=0.3)
    assert len(training) + len(held_out) == 180
    assert len(held_out) > 20
    assert not {a.group for a in training} & {a.group for a in held_out}
    shuffled = write_jsonl(tmp_path / "b.jsonl", rows[::-1])
    assert {a.id for a in split([shuffled], validation_fraction=0.3)[1]} == {a.id for a in held_out}


def test_dataset_has_declared_features_and_every_span(labelled: Path) -> None:
    loaded = load([labelled], validation_fraction=0.3)
    assert set(loaded) == {"train", "validation"}
    sentences = [sentence for row in loaded["train"] for sentence in row["sentences"]]
    ministry = next(sentence for sentence in sentences if sentence["text"].startswith("the ministry"))
    assert ministry["labels"] == ["official_claim"]
    assert ministry["evidence"] == [{"label": "official_claim", "start": 0, "end": 12}]
    assert loaded["train"].features == loaded["validation"].features


def test_check_counts_and_passes_good_data(labelled: Path) -> None:
    report = check_files([labelled])
    assert report.errors == []
    assert report.counts["official_claim"] == 80
    assert report.counts["refuted"] == report.counts["none"] == report.counts["boilerplate"] == 40
    assert "official_claim" in report.table()


def test_check_finds_duplicates_leaks_and_empty_classes(tmp_path: Path) -> None:
    long = "The river rose over the old bridge on Sunday and the town stood under water"
    twin = "The river rose over the old bridge on Monday and the town stood under water"
    first = write_jsonl(
        tmp_path / "a.jsonl",
        [article("1", event="flood"), article("1", sentences=[sentence(text=long)]), article("3", sentences=[sentence(text=long)])],
    )
    second = write_jsonl(tmp_path / "b.jsonl", [article("4", event="flood", sentences=[sentence(text=twin)])])
    report = check_files([first, second], ["official_claim"])
    text = "\n".join(report.errors)
    assert f"{first}:2: the id '1' was used before, at {first}:1" in text
    assert f"{first}:3: the same text as the article at {first}:2" in text
    assert f"{second}:1: 'flood' stands in another split too, at {first}:1" in text
    assert "no sentence carries the label official_claim" in text
    assert len(report.near_duplicates) == 3


def test_soft_labels_and_null_names_are_read(tmp_path: Path) -> None:
    rows = [article(outlet=None, sentences=[sentence(scores={"official_claim": 0.25})])]
    (found,) = read_articles(write_jsonl(tmp_path / "a.jsonl", rows))
    assert found.sentences[0].scores == {"official_claim": 0.25}
    assert found.outlet == ""
