"""Public benchmarks of loaded language as labelled articles: BABE, and the SemEval-2020 task 11 articles."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framing.data import LabelledArticle, LabelledSentence
from framing.errors import FramingError
from framing.text import split_sentences

BIASED = "biased"

#: Techniques of SemEval-2020 task 11 that the codebook counts as loaded terminology.
LOADED_TECHNIQUES = frozenset({"Loaded_Language", "Name_Calling,Labeling"})


def babe_articles(path: Path) -> list[LabelledArticle]:
    """BABE (Spinde et al. 2021), a sentence an article, with the label `biased` and the biased words as its evidence."""
    articles = []
    for number, row in enumerate(_rows(path), 1):
        words = ast.literal_eval(row["biased_words"]) if row["biased"] else []
        spans = sorted({match.span() for word in words for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", row["text"])})
        sentence = LabelledSentence(
            text=row["text"], labels=[BIASED] if row["biased"] else [], evidence={BIASED: spans} if row["biased"] else {}
        )
        articles.append(LabelledArticle(id=f"babe-{number}", outlet=row["outlet"], topic=row["topic"], sentences=[sentence]))
    return articles


@dataclass(frozen=True)
class PropagandaArticle:
    """An article of SemEval-2020 task 11 (Da San Martino et al. 2020): its sentences, their character offsets, and the
    spans of loaded language and name calling, in characters of each sentence."""

    id: str
    sentences: list[str]
    spans: list[list[tuple[int, int]]]


def propaganda_articles(path: Path) -> Iterator[PropagandaArticle]:
    """The articles of a file of `{"id", "text", "spans": [[technique, start, end], …]}` rows."""
    for row in _rows(path):
        bounds = split_sentences(row["text"])
        loaded = [(start, end) for technique, start, end in row["spans"] if technique in LOADED_TECHNIQUES]
        inside = [
            [(max(start, first) - first, min(end, last) - first) for start, end in loaded if start < last and end > first]
            for first, last in bounds
        ]
        yield PropagandaArticle(row["id"], [row["text"][first:last] for first, last in bounds], inside)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise FramingError(f"{path}: not a readable benchmark file ({error}); see the model card for where it comes from") from None
