from __future__ import annotations

import pytest

from framing.evidence import evidence_spans

SENTENCE = "“The so-called regime,” it said."
# tokens:  [CLS] “ The so - called regime , ” it said . [SEP]
OFFSETS = [(0, 0), (0, 1), (1, 4), (5, 7), (7, 8), (8, 14), (15, 21), (21, 22), (22, 23), (24, 26), (27, 31), (31, 32), (0, 0)]


def spans(**scores: float) -> list[str]:
    names = ["cls", "open", "the", "so", "dash", "called", "regime", "comma", "close", "it", "said", "stop", "sep"]
    values = [scores.get(name, 0.0) for name in names]
    found = evidence_spans(SENTENCE, OFFSETS, values, 0.5)
    assert all(score == pytest.approx(max(values)) for _, _, score in found[:1])
    return [SENTENCE[start:end] for start, end, _ in found]


def test_a_word_counts_whole_with_its_best_token() -> None:
    assert spans(called=0.9) == ["so-called"]


def test_neighbours_join_and_weaker_ones_extend_a_span_but_make_none() -> None:
    assert spans(so=0.9, regime=0.6) == ["so-called regime"]
    assert spans(the=0.3, regime=0.6, so=0.3) == ["The so-called regime"]
    assert spans(the=0.3, so=0.3) == []


def test_one_weak_word_does_not_end_a_span_but_two_do() -> None:
    assert spans(the=0.9, regime=0.9) == ["The so-called regime"]
    assert spans(open=0.9, the=0.9, regime=0.3) == ["The so-called regime"]
    assert spans(so=0.9, close=0.9, it=0.9) == ["so-called", "it"]


def test_punctuation_at_the_ends_is_left_out() -> None:
    assert spans(open=0.6, the=0.9, so=0.9, regime=0.9, comma=0.9, close=0.8) == ["The so-called regime"]
    assert spans(comma=0.9, close=0.9) == []


def test_special_tokens_and_what_was_not_read_give_nothing() -> None:
    assert spans(cls=0.9, sep=0.9) == []
    assert evidence_spans("never read", [(0, 0), (0, 0)], [1.0, 1.0], 0.5) == []
