"""Corrections: scored articles out to Label Studio and back, on the shape of what version 1.23.2 really exports."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from framing.check import check_files
from framing.corrections import read_corrections
from framing.data import LabelledSentence, read_articles, write_articles
from framing.errors import FramingError
from framing.labels import LABELS
from framing.labelstudio import labelling_config, to_task, write_tasks
from framing.outputs import JsonLinesWriter
from framing.results import ArticleResult, Evidence, SentenceResult, summarise
from tests.conftest import ROOT, labelled_articles, run_cli, write_jsonl

NAMES = [label.name for label in LABELS]
CLAIM, CHECK, LOADED, BLAME = NAMES

Sentence = tuple[str, list[str], str | None, list[tuple[str, str]]]

#: Text, labels, kind, evidence: emoji in front of spans, markup, a line break inside, furniture, nothing.
SENTENCES: list[Sentence] = [
    ("🚢🚢 The harbour ministry said families 👩‍👩‍👧 were safe.", [CLAIM], None, [(CLAIM, "The harbour ministry")]),
    ('<script>alert("x")</script> Police & "thugs" met.', [CLAIM, LOADED], None, [(CLAIM, "Police"), (LOADED, "thugs")]),
    ("Wire could not\nverify it.", [CHECK], "unverified", [(CHECK, "could not\nverify")]),
    ("Records show it was so.", [CHECK, BLAME], "corroborated", []),
    ("It rained.", [], None, []),
    ("Share this article", ["boilerplate"], None, []),
]


def scored(
    identifier: str,
    sentences: Sequence[Sentence],
    names: list[str] = NAMES,
    **fields: Any,
) -> ArticleResult:
    """A record as `framing score` writes it, with sentences two characters apart."""
    results, start = [], 3
    for index, (text, labels, kind, evidence) in enumerate(sentences):
        own = [label for label in labels if label != "boilerplate"]
        found = []
        for label, words in evidence:
            at = start + text.index(words)
            found.append(Evidence(label, at, at + len(words), words, 0.75, "narrator"))
        scores = {name: 0.9 if name in own else 0.2 for name in names}
        boilerplate = "boilerplate" in labels
        results.append(SentenceResult(index, start, start + len(text), text, boilerplate, False, scores, own, kind, found))
        start += len(text) + 2
    texts: dict[str, Any] = dict.fromkeys(("title", "url", "outlet", "date")) | {"source": "a.txt", "meta": {}} | fields
    return ArticleResult(id=identifier, model="tiny 1", sentences=results, summary=summarise(results, names), **texts)


def labelled(sentences: Sequence[Sentence]) -> list[LabelledSentence]:
    """The same in the training format."""
    found = []
    for text, labels, kind, evidence in sentences:
        spans: dict[str, list[tuple[int, int]]] = {}
        for label, words in evidence:
            spans.setdefault(label, []).append((text.index(words), text.index(words) + len(words)))
        own = [label for label in labels if label != "boilerplate"]
        given = {"text": text, "boilerplate": "boilerplate" in labels, "labels": own, "verification": kind, "evidence": spans}
        found.append(LabelledSentence.model_validate(given))
    return found


def exported(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Label Studio exports as JSON once every prediction was submitted as it was."""
    rows = []
    for number, task in enumerate(tasks, 1):
        (prediction,) = task["predictions"]
        times = {"created_at": "2026-11-25T03:01:38.022506Z", "updated_at": "2026-11-25T03:01:38.022543Z"}
        regions = [region | {"origin": "prediction"} for region in json.loads(json.dumps(prediction["result"]))]
        for region in regions:  # the one change it makes to a region
            region["value"]["text"] = region["value"]["text"].replace("\n", "\\n")
        annotation = {
            "id": number + 100,
            "completed_by": 1, "result": regions, "was_cancelled": False, "ground_truth": False, **times,
            "lead_time": 31.5, "prediction": {"id": number}, "result_count": len(regions),
        }  # fmt: skip
        rows.append(
            {
                "id": number + 10, "annotations": [annotation], "file_upload": "1-tasks.json", "drafts": [],
                "predictions": [{"id": number, **prediction}], "data": task["data"], "meta": {}, **times, "total_annotations": 1,
            }
        )  # fmt: skip
    return rows


def corrected(tmp_path: Path, change: Callable[[dict[str, Any], list[dict[str, Any]]], None]) -> Any:
    """What is read of the export of `SENTENCES` after `change` was made to its task and the regions of its annotation."""
    (row,) = exported([to_task(scored("a", SENTENCES))])
    change(row, row["annotations"][0]["result"])
    path = tmp_path / "export.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    return read_corrections(path)


def region(row: dict[str, Any], control: str, words: str, labels: list[str], until: str | None = None) -> dict[str, Any]:
    """A region as a person draws it over `words`, or from there to the end of `until`."""
    text = row["data"]["text"]
    start = text.index(words)
    end = text.index(until or words) + len(until or words)
    value = {"start": start, "end": end, "text": text[start:end].replace("\n", "\\n"), "labels": labels}
    return {"id": "gBVZS6Pr0p", "from_name": control, "to_name": "text", "type": "labels", "origin": "manual", "value": value}


def test_round_trip_on_the_command_line_loses_nothing(tmp_path: Path) -> None:
    named: dict[str, Any] = {"title": "A <ship>", "outlet": '"X" & Y', "date": "2026-11-02", "url": "https://example.org/"}
    first = scored("ä 1", SENTENCES, meta={"event": "ship", "pages": 3}, **named)
    second = scored("2", SENTENCES[::-1])
    failed = ArticleResult("3", "b.txt", None, None, None, None, {}, "tiny 1", error={"reason": "empty", "message": "empty"})
    with (tmp_path / "scored.jsonl").open("w", encoding="utf-8") as stream:
        for result in (first, failed, second):
            JsonLinesWriter(stream).write(result)
    done = run_cli("export", tmp_path / "scored.jsonl", "--to", "labelstudio", "-o", tmp_path / "tasks.json")
    assert done.returncode == 0, done.stderr
    assert b"2 tasks" in done.stderr
    assert b"1 articles without scored sentences left out" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"scored.jsonl", "tasks.json", "tasks.xml"}

    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    for task in tasks:
        for one in task["predictions"][0]["result"]:
            value = one["value"]
            assert task["data"]["text"][value["start"] : value["end"]] == value["text"]
    (tmp_path / "export.json").write_text(json.dumps(exported(tasks)), encoding="utf-8")
    done = run_cli("import", tmp_path / "export.json", "-o", tmp_path / "corrected.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    back, other = read_articles(tmp_path / "corrected.jsonl", NAMES)
    assert back.sentences == labelled(SENTENCES)
    assert other.sentences == labelled(SENTENCES[::-1])
    assert (back.id, back.title, back.outlet, back.date, back.event) == ("ä 1", "A <ship>", '"X" & Y', "2026-11-02", "ship")


def test_training_takes_corrections_as_one_more_file(tmp_path: Path, encoder: Path) -> None:
    from framing.config import load_config
    from framing.training import train

    rows = labelled_articles(8)
    results = []
    for row in rows:
        sentences = []
        for sentence in row["sentences"]:  # type: ignore[attr-defined]
            labels = ["boilerplate"] if sentence.get("boilerplate") else sentence.get("labels", [])
            evidence = [(label, sentence["text"][a:b]) for label, spans in sentence.get("evidence", {}).items() for a, b in spans]
            sentences.append((sentence["text"], labels, sentence.get("verification"), evidence))
        results.append(scored(str(row["id"]), sentences))
    write_tasks(tmp_path / "tasks.json", results)
    export = exported(json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8")))
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    write_articles(tmp_path / "corrected.jsonl", read_corrections(tmp_path / "export.json").articles)
    assert check_files([tmp_path / "corrected.jsonl"]).errors == []
    validation = write_jsonl(
        tmp_path / "validation.jsonl", [row | {"id": f"v{row['id']}", "article": f"v{row['id']}"} for row in rows]
    )
    more = write_jsonl(tmp_path / "more.jsonl", [row | {"id": f"m{row['id']}", "article": f"m{row['id']}"} for row in rows])
    data = [f"data.train=[{more},{tmp_path / 'corrected.jsonl'}]", f"data.validation=[{validation}]"]
    options = [f"encoder.name={encoder}", f"output={tmp_path / 'run'}", "training.epochs=1"]
    folder = train(load_config(ROOT / "configs" / "smoke.yaml", [*data, *options]))
    assert (folder / "model.safetensors").exists()


def test_what_a_person_changes_comes_back(tmp_path: Path) -> None:
    def change(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        regions[:] = [r for r in regions if r["value"]["labels"] != [CLAIM] or "ship" in r["value"]["text"]]  # a claim goes
        regions += [region(row, "sentence", "It rained.", [LOADED]), region(row, "evidence", " rained", [LOADED])]
        police = next(r for r in regions if r["from_name"] == "sentence" and LOADED in r["value"]["labels"])
        police["value"]["labels"] = [LOADED, BLAME]
        checked = next(r for r in regions if r["value"]["labels"][0].endswith(": unverified"))
        checked["value"]["labels"] = [f"{CHECK}: refuted"]
        regions.append({"id": "c", "from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": ["why?"]}})
        regions.append({"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"})

    corrections = corrected(tmp_path, change)
    assert corrections.errors == []
    sentences = corrections.articles[0].sentences
    assert [s.labels for s in sentences] == [[], [LOADED, BLAME], [CHECK], [CHECK, BLAME], [LOADED], []]
    assert sentences[2].verification == "refuted"
    assert sentences[1].evidence == {LOADED: [(38, 43)]}
    assert sentences[4].evidence == {LOADED: [(3, 9)]}


def test_regions_over_several_sentences(tmp_path: Path) -> None:
    def whole(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        regions[:] = [
            region(row, "sentence", "It rained.", ["boilerplate"], until="article"),
            region(row, "sentence", "Records", [BLAME], until="so.\n"),
            region(row, "sentence", "Wire could", [BLAME], until="verify it."),
            region(row, "evidence", "verify it", [BLAME], until="Records show"),
        ]

    corrections = corrected(tmp_path, whole)
    assert corrections.errors == []
    sentences = corrections.articles[0].sentences
    assert [s.boilerplate for s in sentences] == [False, False, False, False, True, True]
    assert [s.evidence for s in sentences[2:4]] == [{BLAME: [(15, 25)]}, {BLAME: [(0, 12)]}]

    def partly(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        regions.append(region(row, "sentence", "It rained.", [BLAME], until="Share"))

    corrections = corrected(tmp_path, partly)
    assert corrections.articles == []
    (error,) = corrections.errors
    assert "export.json: task 11: sentence 6 ('Share this article'): " in error
    assert "mark each sentence whole" in error


def test_every_contradiction_is_named_with_its_sentence(tmp_path: Path) -> None:
    def change(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        regions += [
            region(row, "evidence", "rained", [LOADED]),
            region(row, "sentence", "Share this article", [CLAIM]),
            region(row, "sentence", "Records show it was so.", [f"{CHECK}: refuted"]),
            region(row, "evidences", "rained", [LOADED]),
            {"type": "labels", "from_name": "evidence", "value": {"start": 2, "end": 5, "text": "other words", "labels": [CLAIM]}},
            {"type": "labels", "from_name": "evidence", "value": {"start": 900, "end": 905, "labels": [CLAIM]}},
        ]

    errors = "\n".join(corrected(tmp_path, change).errors)
    assert f"sentence 5 ('It rained.'): evidence for {LOADED}, which the sentence does not carry" in errors
    assert "sentence 6 ('Share this article'): a boilerplate sentence carries a label" in errors
    assert "sentence 4 ('Records show it was so.'): two kinds of verification, corroborated and refuted; keep one" in errors
    assert "no control 'evidences'" in errors
    assert "the region at 2 to 5 does not hold its words, 'other words'" in errors
    assert "the region at 900 to 905 holds no words" in errors


def test_offsets_in_utf16_code_units_are_told_by_the_words(tmp_path: Path) -> None:
    def change(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        text = row["data"]["text"]
        for one in regions:
            for name in ("start", "end"):
                one["value"][name] = len(text[: one["value"][name]].encode("utf-16-le")) // 2

    corrections = corrected(tmp_path, change)
    assert corrections.errors == []
    assert corrections.articles[0].sentences == labelled(SENTENCES)


def test_backslashes_of_an_article_are_not_taken_for_line_breaks(tmp_path: Path) -> None:
    sentences: list[Sentence] = [(r"See C:\new\notes, police said.", [CLAIM], None, [(CLAIM, r"\notes, police")])]
    (row,) = exported([to_task(scored("a", sentences))])
    (tmp_path / "export.json").write_text(json.dumps([row]), encoding="utf-8")
    corrections = read_corrections(tmp_path / "export.json")
    assert corrections.errors == []
    assert corrections.articles[0].sentences == labelled(sentences)


def test_unlabelled_region_counts_for_nothing(tmp_path: Path) -> None:
    def change(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        regions.append(region(row, "sentence", "rained", [], until="Share"))
        for one in regions:
            del one["value"]["labels"]

    (article,) = corrected(tmp_path, change).articles
    assert not any(s.labels or s.boilerplate or s.evidence for s in article.sentences)


def test_latest_annotation_counts_and_skipped_ones_do_not(tmp_path: Path) -> None:
    def annotations(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        (given,) = row["annotations"]
        later = given | {"result": [region(row, "sentence", "It rained.", [BLAME])], "updated_at": "2026-11-26T00:00:00Z"}
        skipped = given | {"result": [], "was_cancelled": True, "updated_at": "2026-11-27T00:00:00Z"}
        row["annotations"] = [later, given, skipped]

    (article,) = corrected(tmp_path, annotations).articles
    assert [s.labels for s in article.sentences] == [[], [], [], [], [BLAME], []]

    def only_skipped(row: dict[str, Any], regions: list[dict[str, Any]]) -> None:
        row["annotations"][0]["was_cancelled"] = True

    corrections = corrected(tmp_path, only_skipped)
    assert (corrections.articles, corrections.unreviewed, corrections.errors) == ([], 1, [])


def test_a_bad_task_costs_only_itself(tmp_path: Path) -> None:
    good, edited, twin, unreviewed = exported([to_task(scored(name, SENTENCES)) for name in ("a", "b", "a", "c")])
    edited["data"]["text"] = edited["data"]["text"].replace("rained", "snowed")
    unreviewed["annotations"] = []
    strange = [
        {"id": 5},
        7,
        {"id": 6, "data": {"text": 1}, "annotations": []},
        {"id": 8, "data": good["data"], "annotations": [{"result": [3]}]},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps([good, edited, twin, unreviewed, *strange]), encoding="utf-8")
    done = run_cli("import", path, "-o", tmp_path / "corrected.jsonl")
    assert done.returncode == 1
    assert [article.id for article in read_articles(tmp_path / "corrected.jsonl")] == ["a"]
    errors = done.stderr.decode()
    assert "task 12: data.text is not the text of its sentences any more" in errors
    assert "task 13: the article 'a' was read already, from task 11" in errors
    assert "1 corrected articles, 1 tasks not reviewed, 8 errors" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "no list of tasks"),
        ("[]", "no list of tasks"),
        ('[{"id": 1, "text": "x", "annotation_id": 4}]', "JSON-MIN"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "export.json").write_text(content, encoding="utf-8")
    with pytest.raises(FramingError, match=message):
        read_corrections(tmp_path / "export.json")


def test_label_names_and_texts_stay_data(tmp_path: Path) -> None:
    hostile = ['"/><Label value="x', "<b>&amp;", "ü 'q'"]
    view = ElementTree.fromstring(labelling_config(hostile))
    names = {control.get("name"): [label.get("value") for label in control] for control in view.iter("Labels")}
    assert names == {"sentence": [*hostile, "boilerplate"], "evidence": hostile}
    sentences = [("={{x}} $text", [hostile[0]], None, [(hostile[0], "$text")])]
    write_tasks(tmp_path / "tasks.json", [scored("</script>", sentences, hostile, meta={"event": "\ud800"}, outlet="\x1b[2J")])
    (row,) = exported(json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8")))
    (tmp_path / "export.json").write_text(json.dumps([row]), encoding="utf-8")
    (article,) = read_corrections(tmp_path / "export.json").articles
    assert article.sentences[0].evidence == {hostile[0]: [(7, 12)]}
    assert article.event == "\ufffd"  # a lone surrogate in a task ends in Label Studio's server error


def test_export_refuses_what_it_would_mix_or_overwrite(tmp_path: Path) -> None:
    results = [scored("a", [("It rained.", [], None, [])], names) for names in (NAMES, ["biased"])]
    with pytest.raises(FramingError, match="'a' was scored for biased, those before it for official_claim"):
        write_tasks(tmp_path / "tasks.json", results)
    with pytest.raises(FramingError, match="no scored article"):
        write_tasks(tmp_path / "tasks.json", [])
    assert list(tmp_path.iterdir()) == []
    records = write_jsonl(tmp_path / "scored.json", [results[0].to_dict()])
    before = records.read_bytes()
    for output, message in ((records, b"would be overwritten"), (tmp_path / "tasks.xml", b"name it .json")):
        done = run_cli("export", records, "-o", output)
        assert (done.returncode, message in done.stderr) == (2, True)
    assert records.read_bytes() == before


def test_blank_sentences_do_not_shift_the_others(tmp_path: Path) -> None:
    sentences = [
        ("", ["boilerplate"], None, []),
        *SENTENCES[:2],
        (" ", ["boilerplate"], None, []),
        ("", [], None, []),
        *SENTENCES[2:],
    ]
    (row,) = exported([to_task(scored("a", sentences))])
    (tmp_path / "export.json").write_text(json.dumps([row]), encoding="utf-8")
    corrections = read_corrections(tmp_path / "export.json")
    assert corrections.errors == []
    assert corrections.articles[0].sentences == labelled(SENTENCES)
