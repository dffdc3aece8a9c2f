from __future__ import annotations

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from framing.windows import encode_sentences, make_windows


@pytest.mark.parametrize("seed", range(20))
def test_every_sentence_is_scored_once_and_windows_keep_their_size(seed: int) -> None:
    rng = random.Random(seed)
    lengths = [rng.randint(3, 60) for _ in range(rng.randint(1, 40))]
    for context in (0, 1, 3):
        windows = make_windows(lengths, 64, context)
        assert [i for w in windows for i in range(w.scored, w.stop)] == list(range(len(lengths)))
        assert all(sum(lengths[w.first : w.stop]) <= 64 for w in windows)
        assert all(w.scored - w.first <= context for w in windows)


def test_context_is_taken_where_there_is_room() -> None:
    assert [(w.first, w.scored, w.stop) for w in make_windows([10, 10, 10, 10], 30, 1)] == [(0, 0, 3), (2, 3, 4)]
    assert [(w.first, w.scored, w.stop) for w in make_windows([25, 25], 30, 1)] == [(0, 0, 1), (1, 1, 2)]


def test_no_sentence_no_window() -> None:
    assert make_windows([], 64, 1) == []


def test_a_long_sentence_is_cut_and_says_so(encoder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    short, long = encode_sentences(tokenizer, ["the bridge", "the bridge " * 50], 16)
    assert not short.truncated
    assert long.truncated
    assert len(long.ids) == 16
    assert long.offsets[1] == (0, 3)
