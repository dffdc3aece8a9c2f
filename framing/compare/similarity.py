"""How alike texts are in their words, TF-IDF cosine in plain numpy, and groups of those that are alike."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_WORD = re.compile(r"\w+")

#: Words that say nothing of the matter. In a few texts their rarity does not show, so they are named.
_FUNCTION_WORDS = frozenset(
    """a about after again all also am an and any are as at be been before being but by can could did do does each for from had
    has have having he her here hers him his how i if in into is it its just may me might more most must my no nor not of on
    one only or other our out over own said same say says shall she should so some such than that the their them then there
    these they this those to under up us very was we were what when where which who whom whose why will with would you
    your""".split()  # noqa: SIM905
)

#: Letters of a word that count: a crude stem, so that "bombed" and "bombing" are one term.
_STEM = 5

#: Terms multiplied at once, which bounds memory whatever the vocabulary.
_BLOCK = 4_096


def terms(text: str) -> list[str]:
    """The words of a text but function words, case folded, each cut to its first five letters."""
    return [word[:_STEM] for word in _WORD.findall(text.casefold()) if word not in _FUNCTION_WORDS]


class Similarity:
    """Cosine of TF-IDF vectors (Salton and Buckley 1988) whose document frequencies come from the given texts.

    A term that is in `df` of `n` texts weighs (ln((1 + n) / (1 + df)) + 1) ** `power` for each time it occurs: the smoothed
    weight of scikit-learn's `TfidfVectorizer`, so that what is in all of a few texts still counts. No model: names, figures
    and rare words, which carry the facts, weigh most.

    Args:
        texts: read once, for the document frequencies.
        power: 1 sets apart texts of different matters by their rare words; below 1 those weigh less, for texts of one
            matter, which all hold the same rare words.
    """

    def __init__(self, texts: Iterable[str], power: float = 1.0):
        self._power = power
        self._texts = 0
        self._frequency: Counter[str] = Counter()
        for text in texts:
            self._texts += 1
            self._frequency.update(set(terms(text)))

    def matrix(self, texts: Sequence[str]) -> Matrix:
        """Similarity of each text to each, shape [texts, texts], 0…1. A text without a word that weighs is like none."""
        counts = [Counter(terms(text)) for text in texts]
        columns = {term: number for number, term in enumerate(dict.fromkeys(term for count in counts for term in count))}
        rows, places, weights = [], [], []
        for row, count in enumerate(counts):
            for term, times in count.items():
                rows.append(row)
                places.append(columns[term])
                weights.append(times * self._weight(term))
        row_of, place_of, weight = np.array(rows, np.int64), np.array(places, np.int64), np.array(weights, np.float32)
        norms = np.sqrt(np.bincount(row_of, weight**2, len(texts))).astype(np.float32)
        weight /= np.where(norms, norms, 1)[row_of]
        products = np.zeros((len(texts), len(texts)), np.float32)
        for start in range(0, len(columns), _BLOCK):
            here = (place_of >= start) & (place_of < start + _BLOCK)
            block = np.zeros((len(texts), _BLOCK), np.float32)
            block[row_of[here], place_of[here] - start] = weight[here]
            products += block @ block.T
        return products

    def _weight(self, term: str) -> float:
        return math.pow(math.log((1 + self._texts) / (1 + self._frequency[term])) + 1, self._power)


def best_first(similarity: Matrix, threshold: float, apart: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Groups of items that are alike, one item alone among them; ordered by their first member, members in order.

    Goes through the pairs from the most similar down to `threshold` and joins the groups of the two, unless a pair
    across them is `apart` (shape [items, items]) or the mean similarity across is below the threshold.
    """
    groups = [[item] for item in range(len(similarity))]
    pairs = np.argwhere(np.triu((similarity >= threshold) & ~apart, 1))
    order = np.argsort(-similarity[pairs[:, 0], pairs[:, 1]], kind="stable")
    for one, other in pairs[order].tolist():
        first, second = groups[one], groups[other]
        if first is not second:
            across = np.ix_(first, second)
            if not apart[across].any() and similarity[across].mean() >= threshold:
                first.extend(second)
                for item in second:
                    groups[item] = first
    return sorted({id(group): sorted(group) for group in groups}.values())
