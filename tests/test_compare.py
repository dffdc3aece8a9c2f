"""Comparisons of scored files: what is counted, found, left out and said, and that foreign text stays text."""

from __future__ import annotations

import csv
import io
import json
import random
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from framing.compare.comparison import Comparison, compare
from framing.compare.differences import Difference
from framing.compare.tallies import normalise_name, tally
from framing.compare.text import p_value, warnings
from framing.records import parse_record
from tests.conftest import run_cli

OFFICIAL, VERIFIED, LOADED, BLAME = LABELS = [
    "official_claim", "independent_verification", "loaded_terminology", "blame_attribution",
]  # fmt: skip
UNCHECKED = "unverified_claims"

#: A sentence by its label, with the words that are its evidence.
SENTENCES = {
    None: ("The bridge was open on Monday.", ""),
    OFFICIAL: ("The Harbour Ministry said the bridge was safe.", "The Harbour Ministry"),
    VERIFIED: ("No record shows that it was inspected.", "No record shows"),
    LOADED: ("The brutal regime kept it shut.", "brutal regime"),
    BLAME: ("It was the fault of the council's engineers.", "the council's engineers"),
}


def record(number: int, outlet: str | None, labels: list[str | None], **fields: Any) -> dict[str, Any]:
    """A scored article, as `framing score` writes it, one sentence a label; its first sentence makes it unlike others."""
    sentences: list[dict[str, Any]] = []
    start = 0
    for label in [None, *labels]:
        text, words = SENTENCES[label]
        text = text if sentences else f"Report {number}."
        at = start + text.find(words)
        spans = [{"label": label, "start": at, "end": at + len(words), "text": words, "score": 0.9, "voice": "narrator"}]
        sentences.append(
            {
                "index": len(sentences), "start": start, "end": start + len(text), "text": text, "boilerplate": False,
                "truncated": False, "scores": {name: 0.9 if name == label else 0.1 for name in LABELS},
                "labels": [label] if label else [], "verification": None, "evidence": spans if label else [],
            }
        )  # fmt: skip
        start += len(text) + 1
    made = {
        "id": f"a{number}", "source": "invented", "title": None, "url": None, "outlet": outlet, "date": None, "meta": {},
        "model": "tiny 0.1.0", "sentences": sentences, "summary": {"sentences": len(sentences), "labels": {}}, "error": None,
    }  # fmt: skip
    return {**made, **fields}


def sample(outlet: str, articles: int, share: float, label: str = LOADED, seed: int = 0) -> list[dict[str, Any]]:
    """Articles of 10 to 30 sentences of which about `share` carry the label."""
    rng = random.Random(f"{outlet} {seed}")
    return [
        record(1_000 * seed + i, outlet, [label if rng.random() < share else None for _ in range(rng.randint(9, 29))])
        for i in range(articles)
    ]


def compared(records: list[dict[str, Any]], by: str = "outlet", pair: str | None = None, **options: Any) -> Comparison:
    return compare(tally(map(parse_record, records), by, pair), by, pair, **options)


def difference(comparison: Comparison, measure: str) -> Difference:
    return next(d for d in comparison.differences if d.measure == measure)


def scored_file(folder: Path, records: list[dict[str, Any]]) -> Path:
    path = folder / "scored.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def test_a_planted_difference_is_found_and_only_that() -> None:
    found = compared(sample("Wire", 30, 0.05) + sample("Herald", 30, 0.2))
    loaded = difference(found, LOADED)
    assert (loaded.first, loaded.second) == ("Herald", "Wire")
    assert 0.1 < loaded.difference < 0.2
    assert loaded.low is not None
    assert loaded.high is not None
    assert 0 < loaded.low < loaded.difference < loaded.high
    assert loaded.p_corrected <= 0.01
    assert [d.measure for d in found.differences if d.p_corrected <= 0.05] == [LOADED]
    assert loaded.p_corrected == pytest.approx(loaded.p * len(found.differences))  # the smallest of Holm's


def test_no_difference_is_found_where_there_is_none() -> None:
    rejected = [
        difference(compared(sample("Wire", 15, 0.1, seed=seed) + sample("Herald", 15, 0.1, seed=seed)), LOADED).p <= 0.05
        for seed in range(1, 13)
    ]
    assert sum(rejected) <= 2


def test_counts_are_of_prose_sentences() -> None:
    article = record(1, "Wire", [OFFICIAL, OFFICIAL, LOADED, None])
    article["sentences"][1]["boilerplate"] = True
    group = compared([article, record(2, "Wire", [BLAME])]).groups[0]
    shares = {share.measure: (share.count, share.total, share.articles) for share in group.shares}
    assert shares == {OFFICIAL: (1, 6, 2), VERIFIED: (0, 6, 2), LOADED: (1, 6, 2), BLAME: (1, 6, 2), UNCHECKED: (1, 1, 1)}
    assert (group.articles, group.sentences, group.enough) == (2, 6, False)


def test_unchecked_claims_are_those_of_articles_without_any_verification() -> None:
    articles = [record(1, "Wire", [OFFICIAL] * 3), record(2, "Wire", [OFFICIAL, VERIFIED]), record(3, "Wire", [VERIFIED])]
    share = compared(articles).groups[0].shares[-1]
    assert (share.measure, share.count, share.total, share.articles, share.share) == (UNCHECKED, 3, 4, 2, 0.75)


def test_same_seed_same_figures_whatever_the_order_of_the_articles_groups() -> None:
    wire, herald = sample("Wire", 12, 0.1), sample("Herald", 12, 0.2)
    assert compared(wire + herald) == compared(herald + wire)
    assert compared(wire + herald, seed=1) != compared(wire + herald, seed=2)


def test_many_groups_are_each_compared_with_the_rest() -> None:
    records = [r for i in range(9) for r in sample(f"Paper {i}", 12, 0.4 if i == 4 else 0.1)]
    found = compared(records + sample("Tiny", 2, 0.1))
    assert {(d.first, d.second) for d in found.differences} == {(f"Paper {i}", None) for i in range(9)}
    assert [d.first for d in found.differences if d.measure == LOADED and d.p_corrected <= 0.05] == ["Paper 4"]
    assert found.permutations >= 9_999


def test_small_groups_get_no_interval_no_test_and_a_warning() -> None:
    found = compared(sample("Wire", 12, 0.1) + sample("Herald", 9, 0.5))
    herald, wire = found.groups
    assert (herald.enough, herald.shares[2].low, herald.words) == (False, None, [])
    assert wire.shares[2].low is not None
    assert found.differences == []
    assert "Too few articles to say anything (fewer than 10): Herald (9)" in warnings(found)[0]
    assert "nothing was compared" in warnings(found)[1]
    assert compared(sample("Wire", 12, 0.1) + sample("Herald", 9, 0.5), min_articles=9).differences


def test_measures_with_too_few_articles_are_not_tested() -> None:
    """Both outlets have articles enough, but official claims stand in three of them only."""
    few = [record(500 + i, "Wire", [OFFICIAL]) for i in range(3)]
    found = compared(sample("Wire", 12, 0.2) + few + sample("Herald", 12, 0.2, OFFICIAL))
    assert UNCHECKED not in {d.measure for d in found.differences}
    assert next(g for g in found.groups if g.name == "Wire").shares[-1].low is None


def test_paired_test_finds_what_articles_on_many_events_hide() -> None:
    """Every event has its own share of loaded sentences, and Herald always two sentences more."""
    records = []
    for event in range(16):
        for outlet, more in (("Wire", 0), ("Herald", 2)):
            labels: list[str | None] = [LOADED] * (event + more) + [None] * (20 - event - more)
            records.append(record(event, outlet, labels, meta={"event": f"e{event}"}))
    records.append(record(99, "Wire", [LOADED] * 20, meta={"event": "only in Wire"}))
    records.append(record(97, "Herald", [None] * 20, meta={"event": "only in Herald"}))
    records.append(record(98, "Wire", [LOADED] * 20))
    unpaired, paired = compared(records), compared(records, pair="meta.event")
    assert difference(unpaired, LOADED).p_corrected > 0.05
    found = difference(paired, LOADED)
    assert (found.events, found.first, found.p_corrected <= 0.01) == (16, "Herald", True)
    assert found.difference == pytest.approx(2 / 21)
    assert (paired.without_event, unpaired.without_event) == (1, 0)
    few = compared(records, pair="meta.event", min_articles=17)
    assert few.differences == []
    assert "1 of 1 comparisons have fewer than 17 events that both report: not tested." in warnings(few)


def test_what_is_left_out_is_counted() -> None:
    wire = sample("Wire", 12, 0.1)
    failed = {**record(77, "Wire", []), "sentences": [], "summary": None, "error": {"reason": "empty", "message": "no text"}}
    found = compared([*wire, *wire[:3], failed, record(88, None, []), record(89, "  ", [])])
    assert (found.groups[0].articles, found.duplicates, found.not_scored, found.without_field) == (12, 3, 1, 2)
    said = " ".join(warnings(found))
    assert "2 articles that have no single value in the field outlet" in said
    assert "1 article that was not scored" in said
    assert "3 articles that repeat the text of another one of the group" in said


def test_fields_of_meta_make_groups() -> None:
    rows: list[Any] = ["north", 7, True, ["a"], None]
    found = compared([record(i, None, [], meta={"desk": value}) for i, value in enumerate(rows)], by="meta.desk")
    assert [group.name for group in found.groups] == ["7", "True", "north"]
    assert found.without_field == 2


def test_several_models_are_said() -> None:
    found = compared([record(1, "Wire", []), record(2, "Wire", [], model="other 2")])
    assert any("Scored by 2 models (other 2, tiny 0.1.0)" in warning for warning in warnings(found))


def with_their_own_words() -> list[dict[str, Any]]:
    """Wire has three loaded terms an article, Herald another one, which it quotes."""
    wire = [record(i, "Wire", [LOADED] * 3 + [None] * 5) for i in range(12)]
    herald = [record(100 + i, "Herald", [LOADED, OFFICIAL] + [None] * 7) for i in range(12)]
    for article in herald:
        loaded = article["sentences"][1]
        loaded["text"] = "The so-called rescue of it failed."
        at = loaded["start"] + 4
        loaded["evidence"] = [
            {"label": LOADED, "start": at, "end": at + 16, "text": "so-called rescue", "score": 0.9, "voice": "quoted"}
        ]
    return wire + herald


def test_typical_words_are_those_of_one_group_in_several_articles() -> None:
    found = {group.name: group.words for group in compared(with_their_own_words()).groups}
    assert [word.word for word in found["Wire"]] == ["brutal", "regime"]
    assert [(word.word, word.count, word.quoted, word.articles) for word in found["Herald"]] == [
        ("rescue", 12, 12, 12), ("so-called", 12, 12, 12),
    ]  # fmt: skip
    assert all(word.z >= 1.96 and word.log_odds > 0 for words in found.values() for word in words)


def test_names_are_counted_in_their_normal_form() -> None:
    group = compared([record(1, "Wire", [OFFICIAL, OFFICIAL, BLAME]), record(2, "Wire", [OFFICIAL])]).groups[0]
    assert [(name.name, name.mentions, name.articles) for name in group.officials] == [("harbour ministry", 3, 2)]
    assert [name.name for name in group.blamed] == ["council's engineers"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The Harbour Ministry’s", "harbour ministry"),
        ("“the  police”\nhas told", "police"),
        ("a Mr. Orsic said.", "orsic"),
        ("their opponents'", "opponents"),
        ("ＴＨＥ ＡＲＭＹ", "army"),
        ("the U.S. President", "u.s. president"),
        ("Theodore", "theodore"),
        ("He", ""),
        ("they’ve", ""),
        ("the", ""),
        ("…", ""),
    ],
)
def test_normal_form_of_names(text: str, name: str) -> None:
    assert normalise_name(text) == name


# ---- the command ----


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    return scored_file(tmp_path, sample("Wire", 15, 0.05) + sample("Herald", 15, 0.3))


def test_table_leads_with_what_differs(scored: Path) -> None:
    done = run_cli("compare", scored)
    output = " ".join(done.stdout.decode().split())
    assert (done.returncode, done.stderr) == (0, b"")
    assert "30 articles with" in output
    assert "Loaded terms: They differ: in Herald " in output
    assert "after correction for 4 comparisons" in output
    assert "Herald more than Wire" in output
    assert output.index("What differs") < output.index("share of sentences that carry loaded terms")


@pytest.mark.parametrize(
    ("corrected", "p", "shown"),
    [(0.04, 0.001, "p = 0.040"), (0.04, 1 / 10_000, "p ≤ 0.040"), (4 / 10_000, 1 / 10_000, "p < 0.001"), (1.0, 1.0, "p = 1.000")],
)
def test_p_that_no_shuffle_reached_is_an_upper_bound(corrected: float, p: float, shown: str) -> None:
    assert p_value(corrected, p, permutations=9_999) == shown


def test_json_and_csv_hold_the_same_figures(tmp_path: Path) -> None:
    scored = scored_file(tmp_path, with_their_own_words())
    for suffix in ("json", "csv"):
        done = run_cli("compare", scored, "--by", "outlet", "-o", tmp_path / f"out.{suffix}")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    whole = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"))))
    shares = [row for row in rows if row["table"] == "share"]
    assert [(g["name"], s["measure"], s["count"]) for g in whole["groups"] for s in g["shares"]] == [
        (row["group"], row["measure"], int(row["count"])) for row in shares
    ]
    assert [d["p_corrected"] for d in whole["differences"]] == [
        float(row["p_corrected"]) for row in rows if row["table"] == "difference"
    ]
    words = [(g["name"], w["word"], w["count"]) for g in whole["groups"] for w in g["words"]]
    assert words == [(row["group"], row["item"], int(row["count"])) for row in rows if row["table"] == "word"]
    assert [(row["item"], row["articles"]) for row in rows if row["table"] == "official"] == [("harbour ministry", "12")]
    assert (whole["by"], whole["seed"], len(whole["differences"]), len(words)) == ("outlet", 13, 4, 4)


HOSTILE = '=1+1</td><script>alert("x")</script>\x1b[31m\u202e{{ 7*7 }}" onload="x'


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Outlet, model, field name and evidence that want to be a formula, a script, an escape sequence, a template."""
    records = sample(HOSTILE, 12, 0.1) + sample("Wire", 12, 0.3) + [record(900, f"{HOSTILE}2", [OFFICIAL, BLAME])]
    for item in records:
        item["meta"] = {HOSTILE: item.pop("outlet")}
        item["outlet"] = None
        item["model"] = HOSTILE
        for sentence in item["sentences"]:
            for evidence in sentence["evidence"]:
                evidence["text"] = f"{HOSTILE} {evidence['text']}"
    records += [
        {**r, "meta": {HOSTILE: "Wire"}, "model": "m", "id": f"b{i}"}
        for i, r in enumerate(sample("Wire", 12, 0.3, OFFICIAL, seed=3) + sample("Wire", 12, 0.3, BLAME, seed=4))
    ]
    return scored_file(tmp_path, records)


def test_hostile_text_is_inert_in_a_page(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = run_cli("compare", hostile, "--by", f"meta.{HOSTILE}", "-o", out)
    assert (done.returncode, done.stderr) == (0, b"")
    page = Page(out.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "alert" in page.text
    assert "{{ 7*7 }}" in page.text
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not [value for name, value in page.attributes if name in ("href", "src", "srcset", "style")]


def test_hostile_text_is_inert_in_a_terminal_and_in_csv(hostile: Path, tmp_path: Path) -> None:
    done = run_cli("compare", hostile, "--by", f"meta.{HOSTILE}")
    output = done.stdout.decode()
    assert "alert" in output
    assert not {"\x1b", "\u202e"} & set(output)
    run_cli("compare", hostile, "--by", f"meta.{HOSTILE}", "-o", tmp_path / "out.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"), newline="")))
    assert any("alert" in row["group"] for row in rows)
    texts = [row[column] for row in rows for column in ("table", "measure", "group", "other", "item")]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_style_of_the_page_is_the_one_its_policy_allows(scored: Path, tmp_path: Path) -> None:
    import base64
    import hashlib

    run_cli("compare", scored, "-o", tmp_path / "out.html")
    html = (tmp_path / "out.html").read_text(encoding="utf-8")
    style = html.split("<style>")[1].split("</style>")[0]
    assert f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}" in html


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "topic"], "'topic': records have the fields outlet, date"),
        (["--by", "meta."], "'meta.': records have"),
        (["--by", "meta.desk"], "none of 30 articles has a single value in the field meta.desk"),
        (["--pair", "meta.event"], "none of 30 articles has a single value in the field meta.event"),
        (["-o", "out.txt"], "out.txt: name it .html, .csv, .json"),
        (["-o", "no/out.csv"], "no/out.csv cannot be written"),
        (["--min-articles", "1"], "'--min-articles'"),
        (["gone.jsonl"], "gone.jsonl: cannot be read"),
    ],
)
def test_wrong_usage_ends_with_one_sentence(scored: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = run_cli("compare", scored, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    lines = [line for line in done.stderr.decode().splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(lines) == 1
    assert message in lines[0]


def test_an_input_is_not_overwritten(tmp_path: Path, scored: Path) -> None:
    same = scored.rename(tmp_path / "scored.json")
    before = same.read_bytes()
    done = run_cli("compare", same, "-o", same)
    assert (done.returncode, same.read_bytes()) == (2, before)


def test_only_failed_articles_is_a_mistake_in_one_sentence(tmp_path: Path) -> None:
    failed = {**record(1, "Wire", []), "sentences": [], "summary": None, "error": {"reason": "empty", "message": "no text"}}
    done = run_cli("compare", scored_file(tmp_path, [failed]))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"none of 1 articles was scored" in done.stderr
