"""The public API over the tiny model: what a result holds, and which texts and folders could break it."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from framing import Article, ArticleResult, FramingClassifier, FramingError
from framing.classifier import IN_FLIGHT
from framing.model_folder import read_settings, write_settings
from framing.runtime import Runtime
from tests.conftest import labelled_articles

LABELS = ["official_claim", "independent_verification", "loaded_terminology", "blame_attribution"]
SENTENCES = [str(sentence["text"]) for article in labelled_articles(6) for sentence in article["sentences"]]  # type: ignore[attr-defined]
#: Longer than several windows of the tiny model, which reads 64 tokens at once.
LONG = "\n".join(SENTENCES)
TEXTS = [LONG, "the brutal regime crossed the bridge.", "share this article", "\n".join(reversed(SENTENCES)), "no evidence"]


def read_labels(folder: Path) -> list[dict[str, object]]:
    labels: list[dict[str, object]] = json.loads((folder / "framing.json").read_text(encoding="utf-8"))["labels"]
    return labels


def change_settings(folder: Path, **changes: object) -> None:
    path = folder / "framing.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


@pytest.fixture(scope="module")
def classifier(model_folder: Path) -> FramingClassifier:
    return FramingClassifier.from_pretrained(model_folder)


@pytest.fixture(scope="module")
def eager(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FramingClassifier:
    """The same weights with thresholds of 0: every sentence carries every label, with all its words as evidence."""
    folder = tmp_path_factory.mktemp("eager") / "model"
    shutil.copytree(model_folder, folder)
    labels = json.loads((folder / "framing.json").read_text(encoding="utf-8"))["labels"]
    change_settings(
        folder, labels=[{**label, "threshold": 0, "evidence_threshold": 0} for label in labels], boilerplate_threshold=1
    )
    return FramingClassifier.from_pretrained(folder)


def assert_offsets(result: ArticleResult, text: str) -> None:
    """Sentences and evidence are where they say they are."""
    end = 0
    for index, sentence in enumerate(result.sentences):
        assert sentence.index == index
        assert end <= sentence.start <= sentence.end
        assert text[sentence.start : sentence.end] == sentence.text
        for evidence in sentence.evidence:
            assert sentence.start <= evidence.start < evidence.end <= sentence.end
            assert text[evidence.start : evidence.end] == evidence.text == evidence.text.strip()
        end = sentence.end


def test_one_text_and_a_list_of_it_score_alike(classifier: FramingClassifier) -> None:
    one = classifier.score(LONG)
    (listed,) = classifier.score([LONG])
    assert isinstance(one, ArticleResult)
    assert type(listed) is type(one)
    assert listed == one
    assert one.sentences
    assert classifier.score([]) == []


def test_scores_do_not_depend_on_company_order_or_threads(classifier: FramingClassifier, model_folder: Path) -> None:
    alone = [classifier.score(text) for text in TEXTS]
    for threads, step in ((1, 1), (4, 1), (4, -1)):
        fresh = FramingClassifier.from_pretrained(model_folder, threads=threads)  # one that has seen none of them
        assert fresh.score(TEXTS[::step]) == alone[::step]


def test_record_has_the_documented_keys(classifier: FramingClassifier, eager: FramingClassifier) -> None:
    article = Article("the bridge was closed", "7", "a.jsonl:1", "T", "u", "o", "2031-01-02", {"desk": {"n": [1]}})
    record = eager.score(article).to_dict()
    assert list(record) == ["id", "source", "title", "url", "outlet", "date", "meta", "model", "sentences", "summary", "error"]
    assert [record[key] for key in list(record)[:7]] == ["7", "a.jsonl:1", "T", "u", "o", "2031-01-02", {"desk": {"n": [1]}}]
    assert (record["model"], record["error"]) == ("framing-smoke 0.1.0", None)
    (sentence,) = record["sentences"]
    assert list(sentence) == [
        "index", "start", "end", "text", "boilerplate", "truncated", "scores", "labels", "verification", "evidence",
    ]  # fmt: skip
    assert list(sentence["scores"]) == classifier.labels == LABELS
    assert all(list(evidence) == ["label", "start", "end", "text", "score", "voice"] for evidence in sentence["evidence"])
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_labels_follow_thresholds_and_boilerplate_carries_none(model_folder: Path) -> None:
    every = FramingClassifier(Runtime(model_folder), thresholds=dict.fromkeys(LABELS, 0.0)).score("\n".join(SENTENCES[:8]))
    furniture = [sentence for sentence in every.sentences if sentence.boilerplate]
    prose = [sentence for sentence in every.sentences if not sentence.boilerplate]
    assert [sentence.text for sentence in furniture] == ["share this article"]
    assert all(sentence.labels == LABELS and sentence.verification == "refuted" for sentence in prose)
    assert all(sentence.labels == [] == sentence.evidence and sentence.verification is None for sentence in furniture)
    shares = {label: {"count": len(prose), "share": 1.0} for label in LABELS}
    assert every.summary == {"sentences": len(prose), "labels": shares}


def test_threshold_of_one_label_leaves_the_others(classifier: FramingClassifier, model_folder: Path) -> None:
    changed = FramingClassifier(Runtime(model_folder), thresholds={"official_claim": 1.01})
    assert changed.thresholds == {**classifier.thresholds, "official_claim": 1.01}
    before, after = classifier.score(LONG), changed.score(LONG)
    assert before.summary is not None
    assert before.summary["labels"]["official_claim"]["count"] > 0
    for old, new in zip(before.sentences, after.sentences, strict=True):
        assert new.scores == old.scores
        assert new.labels == [label for label in old.labels if label != "official_claim"]


@pytest.mark.parametrize(
    "text",
    [
        "Emoji 😀 first. Then 👩‍👩‍👧 a family and 🇫🇷 a flag. The end 😀",
        "One line.\r\nthe brutal regime\r\n\r\nA third.\r\n",
        "Cafe\u0301 opened. Naï\u0308ve mayor? the bruta\u0301l re\u0301gime.",
        "\ufeff  “the town”…\u2028the river\u00a0\u3000\n\tpolice  told   reporters",
        "Ελλάδα 東京。 İstanbul ﬁne ẞ",
        "a\0 town \0was\x1b[31m open",
    ],
)
def test_offsets_point_at_the_text(text: str, classifier: FramingClassifier, eager: FramingClassifier) -> None:
    for one in (classifier, eager):
        result = one.score(text)
        assert result.error is None
        assert "".join("".join(s.text for s in result.sentences).split()) == "".join(text.split()), "no word is lost"
        assert_offsets(result, text)
    # Thresholds of 0 leave no sentence with a word in it without evidence.
    assert all(s.evidence for s in eager.score(text).sentences if any(c.isalnum() for c in s.text))


def test_lone_surrogates_are_replaced_and_keep_offsets(classifier: FramingClassifier) -> None:
    result = classifier.score("the \ud800 town.\nthe \udfff river")
    assert [sentence.text for sentence in result.sentences] == ["the \ufffd town.", "the \ufffd river"]
    assert_offsets(result, "the \ufffd town.\nthe \ufffd river")
    json.dumps(result.to_dict(), ensure_ascii=False).encode()


def test_voice_is_quoted_inside_quotation_marks(eager: FramingClassifier) -> None:
    text = "“the brutal regime crossed the bridge”\nthe road was open\n“the town was closed.\nthe train was open,”\nthe mayor said"
    voices = [{evidence.voice for evidence in sentence.evidence} for sentence in eager.score(text).sentences]
    assert voices == [{"quoted"}, {"narrator"}, {"quoted"}, {"quoted"}, {"narrator"}]


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "\u2028"])
def test_empty_text_gives_an_error_and_the_others_are_scored(text: str, classifier: FramingClassifier) -> None:
    first, empty, last = classifier.score(["the town", text, "the town"])
    assert empty.error is not None
    assert empty.error["reason"] == "empty"
    assert (empty.sentences, empty.summary) == ([], None)
    assert first == last == classifier.score("the town")


@pytest.mark.parametrize(
    "article", [Article("", "7"), Article("the \ud800 town", "7"), Article("the \ud800", "7", sentences=("the \ud800",))]
)
def test_articles_made_by_hand_are_checked_like_texts(article: Article, classifier: FramingClassifier) -> None:
    result, following = classifier.score((article, "the town"))
    assert result.id == "7"
    assert (result.error is None) == bool(article.text)
    assert following == classifier.score("the town")


@pytest.mark.parametrize(
    "sentences",
    [
        ["the town was open.", "the road"],
        ["", "a town"],
        ["a town", " ", "\t\n", "the river"],
        ["two\nlines. two sentences.", "c\r\nd", "  leading and trailing  "],
        ["the \ud800 town", "😀", "\0"],
        SENTENCES,
        [" "],
        ["", ""],
    ],
)
def test_each_given_sentence_has_one_result(sentences: list[str], classifier: FramingClassifier, eager: FramingClassifier) -> None:
    for one in (classifier, eager):
        result = one.score_sentences(sentences)
        expected = [sentence.replace("\ud800", "\ufffd") for sentence in sentences]
        assert [sentence.text for sentence in result.sentences] == expected
        assert_offsets(result, "\n".join(expected))
        assert all(list(sentence.scores) == LABELS for sentence in result.sentences)


def test_sentence_longer_than_the_model_reads_is_flagged_and_scored(classifier: FramingClassifier) -> None:
    text = ("the ministry said " * 3_000)[:50_000].strip()
    long, short = classifier.score(f"{text}\nthe town").sentences
    assert (len(long.text), long.truncated, short.truncated) == (len(text), True, False)
    assert list(long.scores) == LABELS
    # The end that was not read changes nothing.
    assert classifier.score(text[:2_000].strip()).sentences[0].scores == classifier.score(text).sentences[0].scores


def test_stream_reads_only_a_few_articles_ahead(classifier: FramingClassifier) -> None:
    pulled = 0

    def endless() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield "the town" if pulled % 2 else "the river"

    results = classifier.stream(endless())
    assert pulled == 0
    texts = [next(results).sentences[0].text]
    assert pulled <= IN_FLIGHT + 1
    texts += [result.sentences[0].text for result in itertools.islice(results, 30)]
    assert pulled <= IN_FLIGHT + 31
    assert texts == (["the town", "the river"] * 16)[:31]


def truncate_graph(folder: Path) -> None:
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (shutil.rmtree, ""),
        (lambda folder: (folder / "framing.json").unlink(), ""),
        (lambda folder: (folder / "framing.json").write_text('{"name": ', encoding="utf-8"), "framing.json"),
        (lambda folder: (folder / "framing.json").write_bytes(b"\xff\xfe\0"), "framing.json"),
        (lambda folder: change_settings(folder, context="page"), "framing.json"),
        (lambda folder: change_settings(folder, boilerplate=False), ""),
        (lambda folder: change_settings(folder, labels=read_labels(folder)[:-1]), ""),
        (lambda folder: (folder / "tokenizer.json").unlink(), ""),
        (lambda folder: (folder / "tokenizer.json").write_text("garbage", encoding="utf-8"), "tokenizer.json"),
        (lambda folder: (folder / "tokenizer.json").write_bytes(b"\xff\xfe\0garbage"), "tokenizer.json"),
        (lambda folder: (folder / "model.onnx").unlink(), ""),
        (truncate_graph, "model.onnx"),
        (lambda folder: (folder / "model.onnx").write_bytes(b""), "model.onnx"),
    ],
)
def test_broken_model_folder_is_named(damage: Callable[[Path], object], named: str, model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(model_folder, folder)
    FramingClassifier.from_pretrained(folder)
    damage(folder)
    with pytest.raises(FramingError) as caught:
        FramingClassifier.from_pretrained(folder)
    assert str(folder / named) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_wanted_precision_raises_thresholds_and_an_unreached_one_silences_a_label(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "model")
    settings = read_settings(model_folder)
    curves = [[(0.2, 0.5, 1.0), (0.6, 0.95, 0.8), (0.7, 0.8, 0.7), (0.8, 0.9, 0.5)], [(0.3, 0.4, 1.0)], [], []]
    labels = [label.model_copy(update={"precision_curve": curve}) for label, curve in zip(settings.labels, curves, strict=True)]
    write_settings(tmp_path / "model", settings.model_copy(update={"labels": labels}))
    chosen = FramingClassifier.from_pretrained(tmp_path / "model", precision=0.9, thresholds={LABELS[3]: 0.25}).thresholds
    assert chosen == {LABELS[0]: 0.8, LABELS[1]: math.inf, LABELS[2]: math.inf, LABELS[3]: 0.25}


class CountingRuntime(Runtime):
    """Counts the windows that were really run."""

    runs = 0

    def _forward(self, inputs: dict[str, Any]) -> tuple[Any, Any]:
        self.runs += 1
        return super()._forward(inputs)


def test_window_seen_before_is_not_run_again_and_gives_the_same(model_folder: Path) -> None:
    runtime = CountingRuntime(model_folder, threads=1)
    classifier = FramingClassifier(runtime)
    first = classifier.score(TEXTS)
    runs = runtime.runs
    assert classifier.score(TEXTS + TEXTS) == first + first
    assert runtime.runs == runs
    spaced = "THE   ministry said the bridge was closed"  # other characters, the same tokens: evidence has other offsets
    classifier.score("the ministry said the bridge was closed")
    runs = runtime.runs
    assert classifier.score(spaced) == FramingClassifier.from_pretrained(model_folder).score(spaced)
    assert runtime.runs == runs
