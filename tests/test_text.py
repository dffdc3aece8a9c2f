from __future__ import annotations

import pytest

from framing.text import inside, quotations, replace_surrogates, split_sentences


@pytest.mark.parametrize(
    "text",
    [
        "The mayor spoke. Nobody listened.",
        "One line.\r\nAnother line.\r\n\r\nA third.",
        "Emoji 😀 first. Then 👩‍👩‍👧 a family. End.",
        "Cafe\u0301 opened. Naï\u0308ve? Yes.",
        "  leading blanks. trailing blanks.  \n\t\n",
        "Old Mac\rline breaks\rhere.",
        "“What am I\xa0.\xa0.\xa0. supposed to do?” A\u3000. B",
        "Separators\u2028inside\u2029a text\x85too.",
    ],
)
def test_offsets_give_back_the_sentences_and_lose_nothing(text: str) -> None:
    spans = split_sentences(text)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert spans == sorted(spans)
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())


def test_line_breaks_end_sentences_and_missing_blanks_do_not_hide_them() -> None:
    text = "A headline\nThe ministry denied it.The mayor did not."
    assert [text[a:b] for a, b in split_sentences(text)] == ["A headline", "The ministry denied it.", "The mayor did not."]


def test_an_opening_quotation_mark_goes_with_its_sentence() -> None:
    text = "He left in 2020. “We stay,” she said."
    assert [text[a:b] for a, b in split_sentences(text)][1].startswith("“")


def test_surrogates_are_replaced_in_place() -> None:
    assert replace_surrogates("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "go now". Then', ['"go now"']),
        ("“One. Two.” Three", ["“One. Two.”"]),
        ("«Ici» or »hier«", ["«Ici»", "»hier«"]),
        ("“First paragraph.\n“Second paragraph,” he said.", ["“First paragraph.\n“Second paragraph,”"]),
        ('"First paragraph.\n"Second," he said. "Third."', ['"First paragraph.\n"Second,"', '"Third."']),
        ("a board 5'10\" long and the boys’ things", []),
        ("a mark that “never closes", []),
        ("‘Quoted’ but it’s the boys’ own", ["‘Quoted’"]),
        ('He said: "It is the so-called "reform", they say." End', ['"It is the so-called "reform"']),
    ],
)
def test_quotations(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in quotations(text)] == expected


def test_inside() -> None:
    spans = [(5, 10), (20, 30)]
    assert inside(spans, 6, 9)
    assert not inside(spans, 10, 14)
    assert inside(spans, 28, 31)
    assert not inside([], 0, 1)
