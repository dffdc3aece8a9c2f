"""The report as its readers meet it: in headless Chromium, and on disk. Records are made by hand; no model is needed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framing.errors import FramingError
from framing.records import parse_record
from framing.report import ReportWriter
from framing.report.render import link
from tests.conftest import run_cli

LABELS = ["official_claim", "independent_verification", "loaded_terminology", "blame_attribution"]


def article(number: int, sentences: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A record. A sentence is given by its text and by what differs from plain; `gap` characters lie in front of it."""
    made, place = [], 0
    for index, given in enumerate(sentences):
        sentence = {
            "boilerplate": False, "truncated": False, "scores": dict.fromkeys(LABELS, 0.02), "labels": [], "verification": None,
            "evidence": [], "gap": 1, **given,
        }  # fmt: skip
        place += sentence.pop("gap") if index else 0
        evidence = []
        for label, words, voice in sentence["evidence"]:
            start = place + sentence["text"].index(words)
            made_of = {"label": label, "start": start, "end": start + len(words), "text": words, "score": 0.9, "voice": voice}
            evidence.append(made_of)
        made.append({**sentence, "index": index, "start": place, "end": place + len(sentence["text"]), "evidence": evidence})
        place += len(sentence["text"])
    record: dict[str, Any] = {
        "id": f"a{number}", "source": "x.jsonl", "title": f"Article {number}", "url": None, "outlet": None, "date": None,
        "meta": {}, "model": "tiny 1.0", "sentences": made, "summary": None, "error": None,
    }  # fmt: skip
    return {**record, **fields}


def scores(*values: float) -> dict[str, float]:
    return dict(zip(LABELS, values, strict=True))


BRIDGE = article(
    1,
    [
        {"text": "Bridge closes", "gap": 0},
        {
            "text": "The ministry said the bridge was closed.", "gap": 2, "labels": ["official_claim"],
            "scores": scores(0.9, 0.1, 0.05, 0.3), "evidence": [("official_claim", "The ministry", "narrator")],
        },
        {"text": "It rained.", "scores": scores(0.45, 0.2, 0.05, 0.1)},
        {
            "text": "“The brutal regime did it,” the mayor said.", "gap": 2, "labels": ["official_claim", "loaded_terminology"],
            "scores": scores(0.7, 0.1, 0.8, 0.4),
            "evidence": [("official_claim", "the mayor", "narrator"), ("loaded_terminology", "brutal regime", "quoted")],
        },
        {
            "text": "Footage does not confirm that.", "labels": ["independent_verification"], "verification": "refuted",
            "scores": scores(0.2, 0.6, 0.1, 0.1), "evidence": [("independent_verification", "does not confirm", "narrator")],
        },
        {"text": "Share this brutal article", "gap": 2, "boilerplate": True, "scores": scores(0.9, 0.9, 0.9, 0.9)},
    ],
    outlet="Herald", date="2024-05-01", url="https://www.herald.example/bridge?a=1&b=2",
)  # fmt: skip
MARKET = article(
    2,
    [
        {"text": "The market was open.", "gap": 0},
        {
            "text": "The council is to blame.", "labels": ["blame_attribution"], "scores": scores(0.1, 0.1, 0.3, 0.65),
            "truncated": True,
        },
    ],
    outlet="Gazette",
)  # fmt: skip
GONE = {**article(3, []), "id": "gone.txt", "error": {"reason": "missing", "message": "gone.txt: no such file or folder"}}


def write_report(path: Path, records: list[dict[str, Any]], **limits: int) -> ReportWriter:
    with ReportWriter(path, **limits) as writer:
        for record in records:
            writer.write(parse_record(record))
        writer.close()
    return writer


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A browser page with the report of `BRIDGE`, `MARKET` and `GONE` that fails where the browser has a complaint."""
    write_report(tmp_path / "report.html", [BRIDGE, MARKET, GONE])
    yield from watched(browser, tmp_path / "report.html")


def watched(browser: Any, path: Path, **options: Any) -> Iterator[Any]:
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(120_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == []


def marked(page: Any) -> list[tuple[str, str]]:
    """Text and letters of the marked sentences, in order."""
    found = page.locator(".s").evaluate_all(
        """all => all.filter(s => s.dataset.on).map(s =>
            [s.textContent, [...s.nextElementSibling.querySelectorAll("b")].map(b => b.textContent).join("")])"""
    )
    return [(text, letters) for text, letters in found]


def figures(page: Any, selector: str) -> list[str]:
    return [text.replace("\n", " ") for text in page.locator(f"{selector} .cell").all_inner_texts()]


def test_page_shows_what_the_model_decided(page: Any) -> None:
    assert marked(page) == [
        ("The ministry said the bridge was closed.", "O"),
        ("“The brutal regime did it,” the mayor said.", "OL"),
        ("Footage does not confirm that.", "V"),
        ("The council is to blame.", "B"),
    ]
    assert figures(page, ".legend") == ["29% 2", "14% 1", "14% 1", "14% 1"]  # of seven sentences
    assert "2 articles, 7 sentences and 1 line of site furniture" in page.locator(".lede").inner_text()
    assert page.locator("#errors + ul").inner_text() == "gone.txt gone.txt: no such file or folder"
    assert page.locator("#a1 p:not(.byline)").all_inner_texts()[0] == "Bridge closes"
    assert page.locator("#a1 p:not(.byline)").count() == 4
    assert page.locator("#a1 .byline a").get_attribute("href") == "https://www.herald.example/bridge?a=1&b=2"
    assert page.locator("#a1 .byline").inner_text() == "Herald · 2024-05-01 · herald.example · 5 sentences · a1"
    assert "".join(page.locator("#a1 i").all_inner_texts()) == "“The brutal regime did it,”"
    assert page.locator("#a1 sup em").all_inner_texts() == ["refuted"]
    assert "the party that claims it" in page.locator(".legend").inner_text()


def test_evidence_is_underlined_in_a_line_of_its_own_kind(page: Any) -> None:
    lines = page.locator("#a1 .e").evaluate_all(
        "all => all.map(e => [e.textContent, getComputedStyle(e).textDecorationLine, getComputedStyle(e).textDecorationStyle])"
    )
    assert lines == [
        ["The ministry", "underline", "solid"],
        ["brutal regime", "underline", "wavy"],
        ["the mayor", "underline", "solid"],
        ["does not confirm", "underline", "double"],
    ]
    page.get_by_label("official claim").uncheck()
    assert page.locator("#a1 .e").first.evaluate("e => getComputedStyle(e).textDecorationLine") == "none"


def test_toggles_change_what_is_marked(page: Any) -> None:
    page.get_by_label("official claim").uncheck()
    assert [letters for _, letters in marked(page)] == ["L", "V", "B"]
    page.keyboard.press("3")
    assert [letters for _, letters in marked(page)] == ["V", "B"]
    page.keyboard.press("1")
    page.keyboard.press("3")
    assert [letters for _, letters in marked(page)] == ["O", "OL", "V", "B"]


def test_slider_marks_by_score_and_figures_follow(page: Any) -> None:
    slider = page.get_by_role("slider")
    assert page.locator("#threshold-text").inner_text() == "as the model decided"
    slider.fill("45")
    assert page.locator("#threshold-text").inner_text() == "score ≥ 0.45"
    assert marked(page) == [
        ("The ministry said the bridge was closed.", "O"),
        ("It rained.", "O"),
        ("“The brutal regime did it,” the mayor said.", "OL"),
        ("Footage does not confirm that.", "V"),
        ("The council is to blame.", "B"),
    ]
    assert figures(page, ".legend") == ["43% 3", "14% 1", "14% 1", "14% 1"]
    gazette = page.get_by_role("row").filter(has_text="Gazette").first
    assert [text.split()[0] for text in gazette.locator(".cell").all_inner_texts()] == ["0%", "0%", "0%", "50%"]
    slider.focus()
    page.keyboard.press("End")
    assert page.locator("#threshold-text").inner_text() == "score ≥ 0.99"
    assert marked(page) == []
    page.keyboard.press("Home")
    assert page.locator("#threshold-text").inner_text() == "as the model decided"
    assert len(marked(page)) == 4
    assert figures(page, ".legend") == ["29% 2", "14% 1", "14% 1", "14% 1"]


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_keyboard_goes_from_hit_to_hit(page: Any) -> None:
    page.keyboard.press("n")
    assert focused(page) == "The ministry said the bridge was closed."
    assert page.locator("#hits").inner_text() == "1 of 4"
    page.keyboard.press("n")
    assert focused(page).startswith("“The brutal")
    page.keyboard.press("k")
    assert focused(page) == "It rained."
    page.keyboard.press("p")
    page.keyboard.press("p")  # round the start of the page
    assert focused(page) == "The council is to blame."
    assert page.locator("#hits").inner_text() == "4 of 4"
    page.keyboard.press("Escape")
    assert page.locator("#hits").inner_text() == "4 marked"


def test_search_finds_text_and_goes_through_it(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("BRUTAL  n")  # keys that mean something elsewhere are text here
    assert page.locator("#hits").inner_text() == "0 found"
    page.locator("#search").fill("BRUTAL  re")  # case and white space do not matter, nor does mark-up in between
    assert page.locator(".s.hit").all_inner_texts() == ["“The brutal regime did it,” the mayor said."]
    assert page.evaluate("[...CSS.highlights.get('search')].map(String)") == ["brutal re"]
    page.locator("#search").fill("brutal")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("#hits").inner_text() == "2 of 2"
    assert page.locator(".s.current").inner_text() == "Share this brutal article"
    page.keyboard.press("Escape")
    assert page.locator(".s.hit").count() == 0
    assert page.locator("#hits").inner_text() == "4 marked"


def test_pointing_or_focus_shows_scores(page: Any) -> None:
    card = page.locator("#card")
    assert not card.is_visible()
    page.get_by_text("did it,").hover()
    assert " ".join(card.inner_text().split()) == (
        "O official claim 0.70 the mayor V independent verification 0.10 L loaded terminology 0.80 “brutal regime”, quoted "
        "B blame attribution 0.40"
    )
    page.get_by_text("Footage does").click()
    assert "Judges the claim: refuted." in card.inner_text()
    page.get_by_text("The council is to blame.").focus()
    assert "its end was not read" in card.inner_text()
    page.get_by_text("Share this").focus()
    assert card.inner_text().startswith("Site furniture")
    page.keyboard.press("Escape")
    assert not card.is_visible()


def test_phone_dark_and_print(browser: Any, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", [BRIDGE, MARKET])
    phone = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}
    for page in watched(browser, tmp_path / "report.html", **phone):
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(map(int, re.findall(r"\d+", dark))) < 64
        page.get_by_text("The ministry said").tap()
        assert page.locator("#card").is_visible()
        page.emulate_media(media="print")
        assert not page.locator("#controls").is_visible()
        assert not page.locator("#card").is_visible()
        assert page.get_by_text("The ministry said").is_visible()


ATTACKS = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "</style><img src=https://evil.example/x onerror='window.hacked = 1'>",
    '" onmouseover="window.hacked = 1" style="background:url(https://evil.example/x)" x=\'',
    "'><svg onload=window.hacked=1><a href=javascript:window.hacked=1>x</a>",
    "javascript:window.hacked=1",
    "<base href=https://evil.example><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "{{ 7 * 7 }}{% for x in y %} ${window.hacked = 1} <!-- ]]> &lt;script&gt;",
    "a\u202eb\u2066c\x00d\x1b[31me\ud800f\x85g",
]


HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_hostile_text_stays_text(browser: Any, tmp_path: Path) -> None:
    """Each text stands in every field of a record, and as the name of a label."""
    records = []
    for number, attack in enumerate(ATTACKS):
        sentence = {
            "text": f"{attack} “{attack}”", "gap": 0, "labels": [attack], "scores": {attack: 0.9, "official_claim": 0.2},
            "verification": attack, "evidence": [(attack, attack, attack)],
        }  # fmt: skip
        verified = {**sentence, "scores": scores(0, 0.9, 0, 0), "labels": ["independent_verification"], "evidence": []}
        fields = dict.fromkeys(("id", "source", "title", "url", "outlet", "date", "model"), attack)
        records.append(article(number, [sentence, verified], **fields, meta={attack: attack}))
        records.append(article(number, [sentence], url=f"https://{attack}"))
        records.append({**article(number, []), **fields, "error": {"reason": attack, "message": attack}})
    write_report(tmp_path / "report.html", records)
    shown = [HARMFUL.sub("\ufffd", attack) for attack in ATTACKS]
    for page in watched(browser, tmp_path / "report.html"):
        page.get_by_role("slider").fill("15")
        for attack in shown:
            page.locator("#search").fill(attack)
            assert page.locator(".s.hit").count() >= 3
            page.keyboard.press("Enter")
            assert attack in page.locator("#card").text_content()
        assert page.locator("article:nth-of-type(odd) h2").all_text_contents() == shown
        assert page.locator("article:nth-of-type(even) .s").all_text_contents() == [f"{attack} “{attack}”" for attack in shown]
        assert page.locator(".errors li").all_text_contents() == [f"{attack} {attack}" for attack in shown]
        assert page.evaluate("window.hacked") is None
        assert page.evaluate("document.scripts.length") == 1
        assert page.locator("img, iframe, object, embed, base, meta[http-equiv=refresh], [style]:not(#card)").count() == 0
        names = page.evaluate("[...new Set([...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()))]")
        assert not [name for name in names if name.startswith("on")]
        assert set(page.locator("a").evaluate_all("all => all.map(a => a.protocol)")) <= {"file:", "http:", "https:"}
        assert not HARMFUL.search(page.content().replace("\n", ""))


def test_policy_refuses_what_the_page_does_not_hold(browser: Any, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", [BRIDGE])
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    refused = page.evaluate(
        """async () => {
            const refused = [];
            document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
            try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); } catch {}
            try { await fetch("https://evil.example/"); } catch {}
            const image = document.createElement("img");
            await new Promise(done => { image.onerror = image.onload = done; image.src = "https://evil.example/x.png"; });
            return refused.sort();
        }"""
    )
    assert refused == ["connect-src", "img-src", "require-trusted-types-for"]
    context.close()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.herald.example/a", "herald.example"),
        ("http://herald.example@evil.example/", "evil.example"),
        ("https://xn--hrald-bsa.example/", "xn--hrald-bsa.example"),
        ("https://hérald.example/", "xn--hrald-bsa.example"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        (" https://herald.example", None),
        ("data:text/html,x", None),
        ("//herald.example/", None),
        ("https://", None),
        ("https://[::1", None),
        ("https://a\u202eb.example", None),
        ("https://javascript:alert(1)", None),
        ("https://" + "a" * 70 + ".example", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links_and_show_their_host(url: str | None, host: str | None) -> None:
    assert link(url) == (host and (url, host))


def test_many_articles_become_an_index_and_pages(browser: Any, tmp_path: Path) -> None:
    claim = {"gap": 0, "labels": ["official_claim"], "scores": scores(0.9, 0, 0, 0)}
    records = [article(n, [{"text": f"Sentence {n}.", **claim}]) for n in range(1, 8)]
    target = tmp_path / "my report#1.html"
    writer = write_report(target, [*records, GONE], page_articles=3)
    assert "an index of 3 pages" in str(writer)
    assert sorted(path.name for path in (tmp_path / "my report#1_pages").iterdir()) == [f"page-000{n}.html" for n in (1, 2, 3)]
    for page in watched(browser, target):
        assert "7 articles" in page.locator(".lede").inner_text()
        assert figures(page, ".legend")[0] == "100% 7"
        page.get_by_role("slider").fill("95")
        assert figures(page, ".legend")[0] == "0% 0"
        page.get_by_role("link", name="Article 5").click()
        page.wait_for_url("**/page-0002.html#a5")
        assert page.locator("article h2").all_inner_texts() == ["Article 4", "Article 5", "Article 6"]
        page.get_by_role("link", name="next page").first.click()
        page.wait_for_url("**/page-0003.html")
        assert page.locator(".s").all_inner_texts() == ["Sentence 7."]
        page.get_by_role("link", name="all articles").first.click()
        page.wait_for_url("**/my%20report%231.html")
    (tmp_path / "my report#1_pages" / "notes.txt").write_text("mine", encoding="utf-8")
    write_report(target, records[:2], page_articles=3)
    assert [path.name for path in (tmp_path / "my report#1_pages").iterdir()] == ["notes.txt"]
    assert "Sentence 2." in target.read_text(encoding="utf-8")


def test_tables_and_lists_are_bounded_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_ROWS", "MOST_OUTLETS", "MOST_ERRORS"):
        monkeypatch.setattr(f"framing.report.overview.{name}", 2)
    records = [article(n, [{"text": f"Sentence {n}.", "gap": 0}], outlet=f"Outlet {n}") for n in range(5)]
    write_report(tmp_path / "report.html", [*records, GONE, GONE, GONE])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<article ") == 5
    assert page.count('<th scope="row"><a href="#a') == 2
    assert "And 3 articles more" in page
    assert '<th scope="row">other outlets</th><td class="number">3</td>' in page
    assert "3 items not scored" in page
    assert "And 1 item more." in page


def test_a_long_article_is_not_cut_and_fills_a_page_alone(tmp_path: Path) -> None:
    long = article(2, [{"text": f"Sentence {n}.", "gap": min(n, 1)} for n in range(30)])
    write_report(tmp_path / "r.html", [BRIDGE, long, MARKET], page_sentences=10)
    pages = [path.read_text(encoding="utf-8") for path in sorted((tmp_path / "r_pages").iterdir())]
    assert [page.count(" data-on=") for page in pages] == [6, 30, 2]


def test_work_that_fails_leaves_the_earlier_report(tmp_path: Path) -> None:
    scored, target = tmp_path / "scored.jsonl", tmp_path / "report.html"
    scored.write_text("".join(json.dumps(record) + "\n" for record in (BRIDGE, MARKET)), encoding="utf-8")
    done = run_cli("report", scored, "-o", target)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"framing: {target}: 2 articles, 8 sentences\n"
    before = target.read_bytes()
    with scored.open("a", encoding="utf-8") as lines:
        lines.write("broken\n")
    done = run_cli("report", scored, "-o", target)
    assert done.returncode == 2
    assert f"{scored}:3: not a JSON line" in done.stderr.decode()
    assert target.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["report.html", "scored.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scored.jsonl", "-o", "report.txt"], "report.txt: name it .html, .htm"),
        (["scored.jsonl", "-o", "no/report.html"], "no/report.html: cannot be written"),
        (["gone.jsonl", "-o", "report.html"], "gone.jsonl: cannot be read"),
        (["scored.jsonl"], "Missing option"),
        (["a.html", "-o", "a.html"], "a.html: is an input too"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "scored.jsonl").write_text(json.dumps(BRIDGE), encoding="utf-8")
    done = run_cli("report", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1
    assert os.listdir(tmp_path) == ["scored.jsonl"]


def test_score_writes_the_page_beside_the_records(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "a.txt").write_text("the ministry said the bridge was closed\n\nthe road was open", encoding="utf-8")
    done = run_cli("score", "a.txt", "gone.txt", "--html", "report.html", "--model", model_folder, cwd=tmp_path)
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [record["id"] for record in records] == ["a.txt", "gone.txt"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the road was open" in page
    assert "no such file or folder" in page
    scored = tmp_path / "scored.jsonl"
    scored.write_bytes(done.stdout)
    run_cli("report", scored, "-o", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
    refused = run_cli("score", tmp_path, "--html", tmp_path / "report.html", "--model", model_folder)
    assert refused.returncode == 2
    assert b"give --html a place elsewhere" in refused.stderr


def test_scores_that_are_no_probabilities_do_not_break_the_page(tmp_path: Path) -> None:
    odd = article(1, [{"text": "Odd.", "gap": 0, "scores": scores(float("nan"), float("inf"), -1, 7), "labels": []}])
    odd["sentences"][0]["evidence"] = [
        {"label": LABELS[0], "start": -5, "end": 10**12, "text": "Odd.", "score": float("nan"), "voice": "narrator"}
    ]
    write_report(tmp_path / "report.html", [odd])
    assert 'data-scores="0 0 0 0"' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_report_path_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.html").mkdir()
    with pytest.raises(FramingError, match="a report is a page"):
        ReportWriter(tmp_path / "x.html")
