"""Sentences → token ids → windows: the model input that training and scoring share.

A window is a run of consecutive sentences of one article in one sequence. Every sentence keeps its own start and
end tokens (`[CLS] … [SEP]`, as in Liu and Lapata 2019, "Text Summarization with Pretrained Encoders"), so a window of
one sentence is exactly what an ordinary sentence classifier reads, and a longer one costs no padding and gives each
sentence its neighbours as context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Characters of a sentence that the tokenizer sees for each token the model reads: ten times what a token of prose
#: takes, so that only text without words is cut by it.
_CHARS_PER_TOKEN = 50

#: Sentences tokenised at once; the tokenizer's own form of them takes several times the memory of ours.
_BATCH = 256


@dataclass(frozen=True)
class EncodedSentence:
    """Token ids of one sentence with start and end tokens, and each token's character span in the sentence.

    `offsets[i]` is `(start, end)`; special tokens have `(0, 0)`. `truncated` says that the sentence was longer than
    the model reads and its end was not read.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]
    truncated: bool


@dataclass(frozen=True)
class Window:
    """Sentences `first` to `stop` (exclusive) of an article in one sequence; those before `scored` are context only."""

    first: int
    scored: int
    stop: int


def encode_sentences(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[EncodedSentence]:
    """Tokenise sentences, each to at most `max_tokens` tokens with its start and end token.

    A sentence that is longer is cut there and marked `truncated`. Offsets are in characters of the sentence.
    """
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_tokens)
    most = max_tokens * _CHARS_PER_TOKEN
    encoded = []
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        for text, encoding in zip(batch, tokenizer.encode_batch([text[:most] for text in batch]), strict=True):
            truncated = bool(encoding.overflowing) or len(text) > most
            encoded.append(EncodedSentence(encoding.ids, encoding.offsets, truncated))
    return encoded


def make_windows(lengths: Sequence[int], max_tokens: int, context_sentences: int) -> list[Window]:
    """Cover sentences of `lengths` tokens by windows of at most `max_tokens` tokens, each sentence scored once.

    Each window after the first opens with up to `context_sentences` sentences already scored, as far as they take no
    more than a third of it, so that its first new sentence has something before it.
    """
    windows: list[Window] = []
    scored = 0
    while scored < len(lengths):
        first, room = scored, max_tokens - lengths[scored]
        while (
            first > 0
            and scored - first < context_sentences
            and lengths[first - 1] <= min(room, max_tokens // 3 - sum(lengths[first:scored]))
        ):
            first -= 1
            room -= lengths[first]
        stop = scored + 1
        while stop < len(lengths) and lengths[stop] <= room:
            room -= lengths[stop]
            stop += 1
        windows.append(Window(first, scored, stop))
        scored = stop
    return windows


def plan_windows(encoded: Sequence[EncodedSentence], context: str, max_tokens: int, context_sentences: int) -> list[Window]:
    """The windows of an article: with `context` "article" as `make_windows` cuts them, with "none" one a sentence."""
    if context == "none":
        return [Window(i, i, i + 1) for i in range(len(encoded))]
    return make_windows([len(sentence.ids) for sentence in encoded], max_tokens, context_sentences)
