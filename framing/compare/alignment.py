"""Accounts of one event side by side: which sentences tell the same, and which stand in one account only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from framing.compare.similarity import Similarity, best_first
from framing.results import ArticleResult, SentenceResult

#: Sentences at least this similar (0…1) stand in one row; the best F1 on the tuning half of the gold alignments
#: (`scripts/alignment.py`, which also says how well it does on the other half).
SENTENCE_THRESHOLD = 0.18

#: Accounts of one event share its rare words, so these weigh less than where events are told apart. With 1.0 F1 was
#: lower on both halves of the gold alignments.
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
    Rows are ordered by how far into their articles their sentences stand, so those of one sentence keep its article's order.

    Args:
        articles: the accounts, two or more.
        similarity: as `sentence_similarity` makes it.
        threshold: the least similarity (0…1) of sentences in one row.
    """
    sentences: list[tuple[int, SentenceResult]] = []
    depths: list[float] = []
    for account, article in enumerate(articles):
        prose = [sentence for sentence in article.sentences if not sentence.boilerplate]
        sentences.extend((account, sentence) for sentence in prose)
        depths.extend(place / len(prose) for place in range(len(prose)))
    owners, depth = np.array([account for account, _ in sentences]), np.array(depths)
    matrix = similarity.matrix([sentence.text for _, sentence in sentences])
    groups = best_first(matrix, threshold, owners[:, None] == owners)
    rows = []
    for members in sorted(groups, key=lambda members: float(depth[members].mean())):
        cells: list[SentenceResult | None] = [None] * len(articles)
        for member in members:
            account, sentence = sentences[member]
            cells[account] = sentence
        pairs = matrix[np.ix_(members, members)][np.triu_indices(len(members), 1)]
        rows.append(Row(tuple(cells), round(float(pairs.mean()), 4) if len(pairs) else None))
    return rows
