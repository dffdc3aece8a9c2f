from __future__ import annotations

from pathlib import Path

import pytest

from framing.check import check_files
from framing.data import load, read_articles, split, write_articles
from framing.errors import FramingError
from tests.conftest import run_cli, write_jsonl


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


def test_picked_articles_never_validate(tmp_path: Path) -> None:
    rows = [article(f"whole{n}") for n in range(40)] + [article(f"picked{n}", picked=True) for n in range(40)]
    training, held_out = split([write_jsonl(tmp_path / "a.jsonl", rows)], validation_fraction=0.5)
    assert {a.id[:5] for a in held_out} == {"whole"}
    assert sum(a.id.startswith("picked") for a in training) == 40


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


def test_check_reports_every_error_of_a_line_and_escapes_what_steers_a_terminal(tmp_path: Path) -> None:
    bad = sentence(labels=["official_claim"], evidence={"official_claim": [[4, 40]]})
    path = write_jsonl(
        tmp_path / "a.jsonl", [article("\x1b[2J"), article("\x1b[2J", sentences=[bad, sentence(text=""), {"\x1b]0;x": 1}])]
    )
    done = run_cli("check", path)
    assert done.returncode == 1
    shown = done.stderr.decode()
    for part in (
        "sentences.0: evidence [4, 40] of official_claim is outside",
        "sentences.1.text: ",
        "sentences.2.text: Field required",
    ):
        assert f"{path}:2: {part}" in shown
    assert "\x1b" not in shown


def test_check_names_the_empty_classes_of_each_file(tmp_path: Path) -> None:
    verified = sentence(text="Footage shows it was so.", labels=["independent_verification"], verification="refuted")
    names = ("official_claim", "loaded_terminology", "blame_attribution")
    full = article("a", sentences=[verified, *(sentence(text=f"{name} said so.", labels=[name]) for name in names)])
    first = write_jsonl(tmp_path / "a.jsonl", [full])
    second = write_jsonl(tmp_path / "b.jsonl", [article("b", sentences=[verified | {"text": "Records show it."}])])
    (tmp_path / "c.jsonl").write_text("\n")
    report = check_files([first, second, tmp_path / "c.jsonl"])
    assert report.errors == [f"{tmp_path / 'c.jsonl'}: no article that can be read"]
    assert report.warnings == [
        *(f"{second}: no sentence carries the label {name}" for name in names),
        f"{first}: no sentence is of the kind corroborated in any file",
        f"{first}: no sentence is of the kind unverified in any file",
        f"{first}: no sentence is without a label in any file",
        f"{first}: no sentence is boilerplate in any file",
    ]
    head, articles, sentences, claim, *_ = report.table().splitlines()
    assert head.split() == ["a.jsonl", "b.jsonl", "c.jsonl", "all"]
    assert (articles.split()[1:], sentences.split()[2:]) == (["1", "1", "0", "2"], ["4", "1", "0", "5"])
    assert claim.split()[1:] == ["1", "25.0%", "0", "0.0%", "0", "0.0%", "1", "20.0%"]


def test_check_finds_articles_that_share_half_of_their_sentences(tmp_path: Path) -> None:
    texts = [f"On day {day} the river rose over the old bridge and the town council met in the school." for day in range(6)]
    whole = article("a", sentences=[sentence(text=text) for text in texts])
    cut = article(
        "b",
        sentences=[
            sentence(text=text)
            for text in (*texts[:3], "A new end.", "It rained on the market square all through the week, they said.")
        ],
    )
    context = article("c", sentences=[*(sentence(text=text, annotated=False) for text in texts), sentence(text="It was over.")])
    other = article("d", sentences=[sentence(text=texts[0]), *(sentence(text=text.upper()) for text in texts)])
    path = write_jsonl(tmp_path / "a.jsonl", [whole, cut, context, other])
    errors = [error for error in check_files([path]).errors if "label" not in error]
    assert errors == [f"{path}:2: 3 of 4 long sentences stand in the article at {path}:1 too"]
