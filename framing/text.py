"""Text → sentences with character offsets, and which characters stand inside quotation marks."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, pairwise

from sentencex import segment

from framing.errors import rust_panics_caught

Span = tuple[int, int]

#: Marks looked at for the one that closes a quotation.
_MAX_MARKS = 40

#: A quotation longer than this, in characters, is taken for a stray mark that never closed.
MAX_QUOTATION = 2_000

#: Characters of one line that are cut into sentences at once.
_BLOCK = 40_000

_BREAKS = r"\r\n\v\f\x1c-\x1e\x85\u2028\u2029"

#: A character that ends a line.
LINE_BREAK = re.compile(f"[{_BREAKS}]")

_LINE = re.compile(f"[^{_BREAKS}]+")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"\s")
_LEFT_BEHIND = re.compile(r"\s[\"“„«‘]\Z")
_MARK = re.compile(r"[\"“”„«»]|(?<!\w)‘|’(?!\w)")
_CLOSING = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "‘": "’"}


def split_sentences(text: str) -> list[Span]:
    """Character spans `[start, end)` of the sentences of `text`, in order, without the white space around them.

    Line breaks always end a sentence; within a line `sentencex` decides, as in the training data. `text` must hold
    no lone surrogate (see `replace_surrogates`).
    """
    spans: list[Span] = []
    for line in _LINE.finditer(text):
        start = line.start()
        for piece in pieces(line.group()):
            stripped = piece.strip()
            if stripped:
                begin = start + len(piece) - len(piece.lstrip())
                spans.append((begin, begin + len(stripped)))
            start += len(piece)
    return _move_opening_marks(text, spans)


def pieces(line: str) -> list[str]:
    """The sentences of one line as `sentencex` cuts them, white space included: joined they are the line again.

    A long line is read in blocks, each from the start of the last sentence of the one before: the time that
    `sentencex` takes grows with the square of the length on quotation marks or wide characters.
    """
    ends, start = [], 0
    while start < len(line):
        block = line[start : start + _BLOCK]
        cuts = [start + cut for cut in accumulate(map(len, _segment(block)))]
        if start + len(block) < len(line):
            cuts.pop()  # the last sentence may go on in the next block
        ends += cuts
        start = cuts[-1] if cuts and cuts[-1] > start + _BLOCK // 2 else start + len(block)
    return [line[begin:end] for begin, end in pairwise([0, *ends])]


def _segment(block: str) -> list[str]:
    """`sentencex` 1.0.32 panics on a wide space in front of a full stop, so it sees plain ones; where it panics on
    something else, the block stays whole."""
    try:
        with rust_panics_caught():
            return list(segment("en", _SPACE.sub(" ", block)))
    except RuntimeError:
        return [block]


def _move_opening_marks(text: str, spans: list[Span]) -> list[Span]:
    """`sentencex` leaves an opening quotation mark at the end of the sentence before; it goes with what it opens."""
    for i in range(len(spans) - 1):
        (start, end), (_, next_end) = spans[i], spans[i + 1]
        if _LEFT_BEHIND.search(text, start, end) and "\n" not in text[end : spans[i + 1][0]]:
            kept = text[start : end - 1].rstrip()
            if kept:
                spans[i], spans[i + 1] = (start, start + len(kept)), (end - 1, next_end)
    return spans


def replace_surrogates(text: str) -> str:
    """`text` with each lone surrogate, which no encoding can carry, replaced by U+FFFD; the length is unchanged."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def quotations(text: str) -> list[Span]:
    """Spans of `text` inside quotation marks, marks included: straight, curly, low and guillemets, in order.

    A quotation may run over sentences and paragraphs; an opening mark inside it, as at the start of each further
    paragraph, continues it. A mark that does not close within `MAX_QUOTATION` characters is ignored.
    """
    spans: list[Span] = []
    marks = list(_MARK.finditer(text))
    opens = [_opens(text, mark) for mark in marks]
    closers: dict[str, list[int]] = {sign: [] for sign in "".join(_CLOSING.values())}
    for i, mark in enumerate(marks):
        if mark.group() in closers and not (mark.group() == '"' and opens[i]):
            closers[mark.group()].append(i)
    i = 0
    while i < len(marks):
        end = _closing_index(text, marks, closers, i) if opens[i] else None
        if end is None:
            i += 1
            continue
        spans.append((marks[i].start(), marks[end].end()))
        i = end + 1
    return spans


def _opens(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark can open a quotation: a straight one only in front of a character and not behind a word."""
    if mark.group() not in _CLOSING:
        return False
    before = text[mark.start() - 1 : mark.start()]
    after = text[mark.end() : mark.end() + 1]
    if mark.group() == '"':
        return not after.isspace() and after != "" and not before.isalnum()
    if mark.group() == "»":  # closes «French» quotations; opens »German« ones
        return after.isalnum() and not before.isalnum()
    return True


def _closing_index(text: str, marks: list[re.Match[str]], closers: dict[str, list[int]], i: int) -> int | None:
    """Index in `marks` of the mark that closes the quotation opened by `marks[i]`, or None; `closers` holds the indices
    of the marks that can close one, by sign."""
    opening, begin = marks[i].group(), marks[i].start()
    j = len(marks)
    for places in map(closers.__getitem__, _CLOSING[opening]):
        next_one = bisect_right(places, i)
        j = min([j, *places[next_one : next_one + 1]])
    if j == len(marks) or j > i + _MAX_MARKS or marks[j].start() - begin > MAX_QUOTATION:
        return None
    if opening == "‘" and "\n" in text[begin : marks[j - 1].start()]:
        return None  # an apostrophe in front of a word ('em), far more often than a quotation over lines
    return j


def inside(spans: list[Span], start: int, end: int) -> bool:
    """Whether the middle of `[start, end)` falls in one of the ordered, disjoint `spans`."""
    middle = (start + end) // 2
    i = bisect_right(spans, middle, key=lambda span: span[0]) - 1
    return i >= 0 and spans[i][0] <= middle < spans[i][1]
