"""Events side by side as people and programs meet them: terminal, JSON, and the page in headless Chromium."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from framing.compare import match_output, match_page
from framing.compare.matching import match_events
from framing.records import parse_record
from framing.results import ArticleResult
from tests.conftest import run_cli, write_jsonl
from tests.test_report import ATTACKS, HARMFUL, article

EVENT = {"meta": {"event": "quake"}}
RECORDS = [
    article(
        1,
        [
            {
                "text": "The mayor said nine people died in Torvik.", "labels": ["official_claim"],
                "evidence": [("official_claim", "The mayor", "narrator")],
            },
            {"text": "The crane fell into the sea."},
            {"text": "Share this", "boilerplate": True},
        ],
        outlet="Herald", date="2031-05-01", url="https://herald.example/x", **EVENT,
    ),
    article(
        2,
        [
            {"text": "Rescuers came by boat."},
            {
                "text": "Nine people died in Torvik, the mayor’s brutal clique says.",
                "labels": ["loaded_terminology", "official_claim"],
                "evidence": [("loaded_terminology", "brutal clique", "narrator"), ("official_claim", "mayor’s brutal", "narrator")],
            },
            {"text": "Footage refutes it.", "labels": ["independent_verification"], "verification": "refuted"},
        ],
        outlet="Gazette", **EVENT,
    ),
    article(3, [{"text": "The fair was held in Elm."}], outlet="Herald"),
    {**article(4, []), "error": {"reason": "empty", "message": "x"}},
]  # fmt: skip


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "scored.jsonl", RECORDS)


def written(writer: Any, records: list[dict[str, Any]]) -> str:
    results: list[ArticleResult] = [parse_record(record) for record in records]
    stream = io.StringIO()
    writer(match_events(results, "event", "outlet"), results, stream)
    return stream.getvalue()


def test_terminal_shows_accounts_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = written(match_output.write_table, RECORDS).splitlines()
    assert lines[0] == "1 event told by two values of outlet or more, in 2 articles."
    assert lines[1] == "Left out: 1 article without outlet or event, 1 article not scored or without prose."
    assert [part.strip() for part in lines[5].split("│")] == ["Gazette", "Herald · 2031-05-01"]
    shared = next(i for i, line in enumerate(lines) if line.startswith("─ both, similarity 0."))
    left, right = (part.strip() for part in lines[shared + 1].split("│"))
    assert left.startswith("(L O) Nine people died in Torvik")
    assert right.startswith("(O) [The mayor] said nine people died")
    (alone,) = (line.split("│") for line in lines if "crane" in line)
    assert [part.strip() for part in alone] == ["(V) Footage refutes it.", "The crane fell into the sea."]
    assert " ".join(part.strip() for part in (line.split("│")[0] for line in lines)).count("mayor’s [brutal clique] says") == 1
    assert "Share this" not in "\n".join(lines)


def test_narrow_terminals_show_accounts_one_below_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = written(match_output.write_table, RECORDS).splitlines()
    assert max(map(len, lines)) <= 60
    assert "Herald: The crane fell into the sea." in lines
    assert "Gazette: Rescuers came by boat." in lines


def test_terminal_gets_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("60", "160"):
        monkeypatch.setenv("COLUMNS", columns)
        output = written(match_output.write_table, hostile())
        assert not HARMFUL.search(output.replace("\n", ""))
        output.encode()


def test_json_holds_every_sentence_and_who_stands_alone() -> None:
    found = json.loads(written(match_output.write_json, RECORDS))
    assert {key: found[key] for key in ("by", "match", "unmatched", "without", "not_scored")} == {
        "by": "outlet", "match": "event", "unmatched": 0, "without": 1, "not_scored": 1,
    }  # fmt: skip
    (event,) = found["events"]
    assert [(account["group"], account["id"], account["only"]) for account in event["accounts"]] == [
        ("Gazette", "a2", 2),
        ("Herald", "a1", 1),
    ]
    cells = [[cell and cell["text"] for cell in row["cells"]] for row in event["rows"]]
    shared = [cell for cell in cells if None not in cell]
    assert shared == [[RECORDS[1]["sentences"][1]["text"], RECORDS[0]["sentences"][0]["text"]]]
    assert len(cells) == 4
    labelled = next(row["cells"][0] for row in event["rows"] if None not in row["cells"])
    assert labelled == RECORDS[1]["sentences"][1]


def test_page_shows_marks_and_who_stands_alone(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, RECORDS)
    assert page.locator("thead th .group").all_text_contents() == ["Gazette", "Herald"]
    assert page.locator("thead a").get_attribute("href") == "https://herald.example/x"
    assert page.locator("tr.shared td .s").all_text_contents() == [
        RECORDS[1]["sentences"][1]["text"],
        RECORDS[0]["sentences"][0]["text"],
    ]
    assert page.locator("tr.shared td").first.locator(".tag").all_text_contents() == ["O", "L"]
    assert "refuted" in page.locator("tr.only").all_text_contents()[-1]
    assert page.locator("tr.only td .s").count() == 3
    assert "only here" in page.locator("tr.only th").first.text_content()
    assert "Share this" not in page.content()
    page.get_by_label("told by two or more").check()
    assert (page.locator("tr.only").first.is_visible(), page.locator("tr.shared").first.is_visible()) == (False, True)
    page.get_by_label("only here").check()
    assert (page.locator("tr.only").first.is_visible(), page.locator("tr.shared").first.is_visible()) == (True, False)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("tr.only .who").first.is_visible()
    page.context.close()


def test_page_of_many_accounts_scrolls_inside(browser: Any, tmp_path: Path) -> None:
    many = [article(n, [{"text": f"Nine people died in Torvik, source {n} said."}], outlet=f"o{n}", **EVENT) for n in range(8)]
    page = opened(browser, tmp_path, many)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 700})
    assert page.locator("tbody th.told").first.bounding_box()["width"] >= 80
    page.context.close()


def test_page_keeps_hostile_text_as_text(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, hostile())
    shown = page.locator("tbody .s").all_text_contents()
    for attack in ATTACKS:
        assert HARMFUL.sub("\ufffd", attack) in shown
    assert page.evaluate("window.hacked") is None
    assert page.locator("script, img, iframe, object, embed, base, meta[http-equiv=refresh], [style]").count() == 0
    names = page.evaluate("[...new Set([...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()))]")
    assert not [name for name in names if name.startswith("on")]
    assert set(page.locator("a").evaluate_all("all => all.map(a => a.protocol)")) <= {"file:", "http:", "https:"}
    page.context.close()


def test_a_page_says_what_it_leaves_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_page, "MOST_EVENTS", 1)
    more = [{**record, "meta": {"event": "other"}} for record in RECORDS[:2]]
    page = written(match_page.write_page, [*RECORDS, *more])
    assert page.count("<section") == 1
    assert "And 1 event more" in page


def hostile() -> list[dict[str, Any]]:
    """Each text stands in every field of two records of one event, and as the name of a label."""
    records = []
    for number, attack in enumerate(ATTACKS):
        sentence = {
            "text": attack, "labels": [attack], "scores": {attack: 0.9}, "verification": attack,
            "evidence": [(attack, attack, attack)],
        }  # fmt: skip
        fields = dict.fromkeys(("id", "source", "title", "url", "date", "model"), attack)
        for outlet in (f"{attack} one", f"{attack} two"):
            records.append(article(number, [sentence], **fields, outlet=outlet, meta={"event": attack}))
    return records


def opened(browser: Any, folder: Path, records: list[dict[str, Any]]) -> Any:
    """The page in a tab that fails the test on an error, a message on the console or a request for anything else."""
    path = folder / "page.html"
    path.write_text(written(match_page.write_page, records), encoding="utf-8")
    page = browser.new_context().new_page()
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("request", lambda request: None if request.url == path.as_uri() else pytest.fail(request.url))
    page.goto(path.as_uri())
    return page


def test_command_writes_what_the_suffix_says(scored: Path, tmp_path: Path) -> None:
    page, data = tmp_path / "page.html", tmp_path / "page.json"
    for output in (page, data):
        done = run_cli("compare", scored, "--match", "event", "-o", output)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(data.read_text(encoding="utf-8"))["match"] == "event"
    done = run_cli("compare", scored, "--match", "event", "--by", "id")
    assert done.stdout.decode().startswith("1 event told by two values of id or more")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--match", "date"],
            "no event was found that two values of outlet tell. Left out: 1 article that no other outlet matches",
        ),
        (["--match", "event", "--pair", "meta.story"], "no event was found"),
        (["--match", "event", "-o", "x.csv"], "x.csv: name it .html, .json"),
        (["--match", "nothing"], "nothing"),
        (["--match", "event", "--by", "desk"], "as meta.desk"),
    ],
)
def test_mistakes_are_one_sentence(scored: Path, arguments: list[str], message: str) -> None:
    done = run_cli("compare", scored, *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
