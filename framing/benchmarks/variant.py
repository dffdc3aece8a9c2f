"""What the benchmark times and scores: a way to label articles, from text to labels.

All use this package's sentence splitter.
"""

from __future__ import annotations

import resource
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from framing.text import split_sentences

#: Labels of each sentence of each article.
Labels = list[list[list[str]]]


class Variant(ABC):
    """One way to label articles. `notes` say what a reader of the table has to know."""

    notes: tuple[str, ...] = ()

    def prepare(self, texts: Sequence[str]) -> None:
        """Take the articles that `run` labels once; not timed."""
        self._texts = texts

    def run(self) -> int:
        """Label the prepared articles, from text to labels, and return how many sentences they had; this is timed."""
        sentences = [[text[start:end] for start, end in split_sentences(text)] for text in self._texts]
        return sum(map(len, self.label(sentences)))

    @abstractmethod
    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        """Labels of articles that are already in sentences."""

    def macro_f1(self, path: Path, labels: Sequence[str]) -> float:
        """Macro F1 over the annotated sentences of a file of labelled articles."""
        from sklearn.metrics import f1_score

        from framing.data import read_articles

        articles = list(read_articles(path, labels))
        found = self.label([[sentence.text for sentence in article.sentences] for article in articles])
        pairs = [
            (set(sentence.labels), set(given))
            for article, rows in zip(articles, found, strict=True)
            for sentence, given in zip(article.sentences, rows, strict=True)
            if sentence.annotated
        ]
        truths, hits = (np.array([[label in pair[side] for label in labels] for pair in pairs]) for side in (0, 1))
        return float(f1_score(truths, hits, average="macro", zero_division=0))

    def described(self) -> str:
        return "; ".join(self.notes)

    def peak_megabytes(self) -> float:
        """Highest resident memory of the process so far."""
        return megabytes(resource.RUSAGE_SELF)


def megabytes(who: int) -> float:
    """Peak resident memory of this process or the largest of its finished children (`resource.RUSAGE_…`)."""
    peak = resource.getrusage(who).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
