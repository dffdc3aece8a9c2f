"""Soft labels: the mean scores of teachers on unlabelled articles, in the training format.

Knowledge distillation over unlabelled text, as in Hinton et al. 2015, "Distilling the Knowledge in a Neural Network":
the small model learns the teachers' probabilities, which say more of a sentence than a label does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import takewhile

import numpy as np

from framing.articles import Article, Item
from framing.data import LabelledArticle, LabelledSentence
from framing.errors import FramingError
from framing.labels import VERIFICATION, VERIFICATION_KINDS
from framing.runtime import WindowRunner
from framing.text import split_sentences

#: An article with a known sentence among so many is a known one.
_START = 16


def teach(
    items: Iterable[Item], teachers: Sequence[WindowRunner], sentences: int, known: Collection[str] = ()
) -> Iterator[LabelledArticle]:
    """Each readable article with the teachers' mean scores (0…1, by output name) for its first `sentences` sentences.

    The sentences behind those have no scores; training passes them over unless somebody labels them. What stands behind
    the first one in `known` (the labelled ones) is left out. A verification kind is given where the teachers call the
    sentence a verification. Articles that cannot be read, and those with a known sentence near their start, are passed
    over. Raises `FramingError` where the teachers' outputs differ.
    """
    outputs = teachers[0].settings.outputs
    if any(teacher.settings.outputs != outputs for teacher in teachers):
        raise FramingError("the teachers have different labels; train them with the same label set")
    for item in items:
        if not isinstance(item, Article):
            continue
        texts = [text for start, end in split_sentences(item.text) if (text := item.text[start:end]).strip()]
        unknown = list(takewhile(lambda text: text not in known, texts))
        if texts and len(unknown) >= min(len(texts), _START):
            head, tail = unknown[:sentences], unknown[sentences:]
            scores = np.mean([_probabilities(teacher, head) for teacher in teachers], axis=0)
            yield LabelledArticle(
                id=item.id,
                outlet=item.outlet or "",
                sentences=[
                    *(
                        LabelledSentence(text=text, annotated=False, scores=_named(outputs, row))
                        for text, row in zip(head, scores, strict=True)
                    ),
                    *(LabelledSentence(text=text, annotated=False) for text in tail),
                ],
            )


def _probabilities(teacher: WindowRunner, texts: Sequence[str]) -> np.ndarray:
    logits = [sentence.sentence for future in teacher.submit(texts) for sentence in future.result()]
    return 1 / (1 + np.exp(-np.stack(logits)))


def _named(outputs: Sequence[str], row: np.ndarray) -> dict[str, float]:
    scores = {name: round(float(score), 4) for name, score in zip(outputs, row, strict=True)}
    if scores.get(VERIFICATION, 0) < 0.5:
        scores = {name: score for name, score in scores.items() if name not in VERIFICATION_KINDS}
    return scores
