"""Token scores → the words that carry a label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")

#: A span reaches as far as its words keep this share of the threshold that its best word passes: two thresholds, as in
#: Canny (1986). On the validation split it gave more character overlap for every label than one threshold.
_EXTEND = 0.5

#: Words or punctuation marks in a row, weaker than that, which do not end a span: one gave more character overlap on the
#: validation split than none, and fewer spans fall into pieces.
_BRIDGED = 1


def evidence_spans(
    sentence: str, offsets: Sequence[tuple[int, int]], scores: Sequence[float], threshold: float
) -> list[tuple[int, int, float]]:
    """Runs of whole words that hold one whose score reaches `threshold`, as `(start, end, score)` in characters.

    A word's score is the highest of its tokens', a run's the highest of its words'. A single weak word does not end a
    run. Punctuation at either end of a run is left out.

    Args:
        offsets: character span of each token in the sentence, `(0, 0)` for special tokens.
        scores: (tokens,) in 0…1, one label's token scores.
    """
    runs: list[tuple[int, int, float]] = []
    missed = 0
    for start, end, score in _words(sentence, offsets, scores):
        if score < threshold * _EXTEND:
            missed += 1
            continue
        if runs and missed <= _BRIDGED:
            first, _, best = runs[-1]
            runs[-1] = (first, end, max(best, score))
        else:
            runs.append((start, end, score))
        missed = 0
    return [trimmed for run in runs if run[2] >= threshold and (trimmed := _trim(sentence, run))]


def _words(sentence: str, offsets: Sequence[tuple[int, int]], scores: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """Each word with the highest score of the tokens that overlap it; 0 where the model did not read it."""
    token = 0
    for match in _WORD.finditer(sentence):
        start, end = match.span()
        while token < len(offsets) and offsets[token][1] <= start:
            token += 1
        last = token
        while last < len(offsets) and (offsets[last][0] < end or offsets[last][1] == 0):
            last += 1
        inside = [scores[i] for i in range(token, last) if offsets[i][1] > start]
        yield start, end, max(inside, default=0.0)


def _trim(sentence: str, run: tuple[int, int, float]) -> tuple[int, int, float] | None:
    start, end, score = run
    words = re.search(r"\w(?:.*\w)?", sentence[start:end], re.DOTALL)
    return (start + words.start(), start + words.end(), score) if words else None
