"""Accounts of one event side by side: which sentences tell the same, and which stand in one account only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from framing.results import ArticleResult, SentenceResult
from framing.similarity import Similarity, best_first

#: Sentences at least this similar (0…1) stand in one row; the best F1 on the tuning half of the gold alignments
#: (`scripts/alignment.py`, which also says how well it does on the other half).
SENTENCE_THRESHOLD = 0.20

#: Accounts of one event share its rare words, so these weigh less than where events are told apart. Measured: with 1.0 the
#: best F1 on the tuning half is the same, with fewer pairs found on both halves.
_POWER = 0.5


@dataclass(frozen=True)
class Row:
    """Sentences that seem to tell the same: one cell an account, None where an account has no such sentence.

    `similarity` (0…1) is the mean over the pairs of the row, None for a row of one sentence.
    """

    cells: tuple[SentenceResult | None, ...]
    similarity: float | None

    @property
    def only(self) -> int | None:
        """The number of the account that stands alone in this row, if one does."""
        filled = [number for number, cell in enumerate(self.cells) if cell]
        return filled[0] if len(filled) == 1 else None


def sentence_similarity(results: Iterable[ArticleResult]) -> Similarity:
    """What `align` compares sentences by, its words weighed by all sentences of `results`: the more articles, the better."""
    return Similarity((sentence.text for result in results for sentence in result.sentences), _POWER)


def align(articles: Sequence[ArticleResult], similarity: Similarity, threshold: float = SENTENCE_THRESHOLD) -> list[Row]:
    """Rows of aligned sentences; every sentence but boilerplate stands in exactly one.

    Greedy, best pairs first: a row takes at most one sentence of an account, and sentences may stand in any order.
    Rows come in the order of the first account; a sentence that it lacks comes after the one before it in its own.

    Args:
        articles: the accounts, two or more.
        similarity: as `sentence_similarity` makes it.
        threshold: the least similarity (0…1) of sentences in one row.
    """
    sentences = [(account, s) for account, article in enumerate(articles) for s in article.sentences if not s.boilerplate]
    if not sentences:
        return []
    owners = np.array([account for account, _ in sentences])
    matrix = similarity.matrix([sentence.text for _, sentence in sentences])
    groups = best_first(matrix, threshold, owners[:, None] == owners)
    rows = []
    for members in _in_reading_order(groups, owners.tolist()):
        cells: list[SentenceResult | None] = [None] * len(articles)
        for member in members:
            account, sentence = sentences[member]
            cells[account] = sentence
        pairs = matrix[np.ix_(members, members)][np.triu_indices(len(members), 1)]
        rows.append(Row(tuple(cells), round(float(pairs.mean()), 4) if len(pairs) else None))
    return rows


def _in_reading_order(groups: list[list[int]], owners: list[int]) -> list[list[int]]:
    """Groups of sentence numbers, each behind the group of the sentence before in the account that brings it in."""
    group_of = {member: group for group in groups for member in group}
    ordered: list[list[int]] = []
    place = 0
    for member, owner in enumerate(owners):
        if member and owner != owners[member - 1]:
            place = 0
        group = group_of[member]
        if group[0] == member:  # its first member: no earlier account has brought it in
            ordered.insert(place, group)
            place += 1
        else:
            place = next(i for i, other in enumerate(ordered) if other is group) + 1
    return ordered
