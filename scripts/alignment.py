"""How well articles are matched and sentences aligned, on the written corpus: python scripts/alignment.py [--encoder]

Matching: which pairs of articles tell the same event, against the field `event`. Alignment: which pairs of sentences
tell the same, against a reading of two accounts each of twelve events (`framing/corpus/alignments.jsonl`); one half of
them chose the threshold. `--encoder` (the train extra) measures the encoder of `configs/base.yaml`, too.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from framing.compare.alignment import SENTENCE_THRESHOLD, align, sentence_similarity
from framing.compare.matching import TEXT_THRESHOLD, TITLE_THRESHOLD, Match, match_events
from framing.compare.similarity import Matrix, Similarity
from framing.errors import run_script
from framing.results import ArticleResult, SentenceResult

CORPUS = Path(__file__).parent.parent / "framing" / "corpus"
MATCHES: dict[Match, float] = {"title": TITLE_THRESHOLD, "date": TEXT_THRESHOLD}
THRESHOLDS = [round(float(t), 2) for t in np.arange(0.05, 0.71, 0.01)]


@dataclass(frozen=True)
class Gold:
    """Two accounts of an event and the pairs of sentence numbers that tell the same; `split` is `tune` or `report`."""

    split: str
    accounts: list[ArticleResult]
    pairs: set[tuple[int, int]]


@dataclass
class Counts:
    """What alignment found: pairs right, found and wanted; sentences it left alone, and how many rightly."""

    right: int = 0
    found: int = 0
    wanted: int = 0
    alone: int = 0
    rightly_alone: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.found + self.wanted)


class Encoder(Similarity):
    """Cosine of the mean-pooled vectors of a sentence encoder, in the place of TF-IDF."""

    def __init__(self) -> None:
        from transformers import AutoModel, AutoTokenizer

        from framing.config import BASE, load_config
        from framing.encoders import find_encoder

        folder = find_encoder(load_config(BASE).encoder)
        self._tokenizer, self._model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

        self._known: dict[str, Matrix] = {}

    def matrix(self, texts: Sequence[str]) -> Matrix:
        key = "\0".join(texts)  # asked again with every threshold
        if key not in self._known:
            self._known[key] = self._compute(texts)
        return self._known[key]

    def _compute(self, texts: Sequence[str]) -> Matrix:
        import torch

        with torch.inference_mode():
            batch = self._tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1)
            vectors = (self._model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
            vectors = torch.nn.functional.normalize(vectors, dim=1)
            return np.asarray(vectors @ vectors.T, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", action="store_true", help="measure the encoder, too")
    args = parser.parse_args()

    parts = {part: list(read(CORPUS / "written" / f"{part}.jsonl")) for part in ("train", "validation", "test")}
    print("| articles matched | similarity | articles | precision | recall | F1 |\n|" + " --- |" * 6)
    for match, used in MATCHES.items():
        best = max(THRESHOLDS[::4], key=lambda threshold: matched(parts["train"], match, threshold)[2])
        for threshold, name in ((used, "in use"), (best, "best on train")):
            for part, articles in (("train", parts["train"]), ("validation and test", parts["validation"] + parts["test"])):
                shares = " | ".join(f"{figure:.2f}" for figure in matched(articles, match, threshold))
                print(f"| by {match}, {part} | {threshold:.2f} ({name}) | {len(articles)} | {shares} |")

    by_id = {article.id: article for part in parts.values() for article in part}
    gold = list(read_gold(CORPUS / "alignments.jsonl", by_id))
    whole = sentence_similarity(by_id.values())
    print("\n| sentences aligned by | threshold | pairs | precision | recall | F1 | alone | rightly |\n|" + " --- |" * 8)
    best = best_threshold(gold, whole)
    print_alignment(f"words, weighed by {len(by_id)} articles", gold, whole, SENTENCE_THRESHOLD)
    print_alignment("words, weighed by the two", gold, None, SENTENCE_THRESHOLD)
    if args.encoder:
        encoder = Encoder()
        print_alignment("encoder", gold, encoder, best_threshold(gold, encoder))
    print(f"\nwords: the best threshold on the tuning half is {best:.2f}, in use is {SENTENCE_THRESHOLD:.2f}")
    reporting = [g for g in gold if g.split == "report"]
    most = sum(min(len({pair[side] for pair in g.pairs}) for side in (0, 1)) for g in reporting)
    wanted = sum(len(g.pairs) for g in reporting)
    told = sum(len({pair[side] for pair in g.pairs}) for g in reporting for side in (0, 1))
    sentences = sum(not s.boilerplate for g in reporting for article in g.accounts for s in article.sentences)
    print(f"reporting half: one sentence to one at most, so no more than {most} of the {wanted} pairs can be found;")
    print(f"{sentences - told} of {sentences} sentences ({1 - told / sentences:.2f}) stand rightly alone")


def read(path: Path) -> Iterator[ArticleResult]:
    """Articles of the written corpus as results without scores, which matching and alignment do not look at."""
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        sentences = [
            SentenceResult(number, 0, 0, s["text"], s.get("boilerplate", False), False, {}, [], None, [])
            for number, s in enumerate(row["sentences"])
        ]
        meta = {"event": row["event"]}
        yield ArticleResult(row["id"], "", row["title"], None, row["outlet"], row["date"], meta, "", sentences)


def read_gold(path: Path, articles: dict[str, ArticleResult]) -> Iterator[Gold]:
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        yield Gold(row["split"], [articles[name] for name in row["articles"]], {(one, other) for one, other in row["pairs"]})


def matched(articles: list[ArticleResult], match: Match, threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of articles."""
    wanted = {frozenset((a.id, b.id)) for a, b in combinations(articles, 2) if a.meta["event"] == b.meta["event"]}
    events = match_events(articles, match, "id", alike=threshold).events
    found = {frozenset((a.article.id, b.article.id)) for event in events for a, b in combinations(event.accounts, 2)}
    right = len(wanted & found)
    return right / max(len(found), 1), right / len(wanted), 2 * right / (len(found) + len(wanted))


def print_alignment(name: str, gold: list[Gold], similarity: Similarity | None, threshold: float) -> None:
    for split, half in (("tune", "tuning"), ("report", "reporting")):
        c = count([g for g in gold if g.split == split], similarity, threshold)
        shares = f"{c.right / max(c.found, 1):.2f} | {c.right / c.wanted:.2f} | {c.f1:.2f}"
        print(f"| {name}, {half} half | {threshold:.2f} | {c.wanted} | {shares} | {c.alone} | {c.rightly_alone / c.alone:.2f} |")


def best_threshold(gold: list[Gold], similarity: Similarity) -> float:
    tuning = [g for g in gold if g.split == "tune"]
    return max(THRESHOLDS, key=lambda threshold: count(tuning, similarity, threshold).f1)


def count(gold: list[Gold], similarity: Similarity | None, threshold: float) -> Counts:
    """Align every event; without `similarity` words are weighed by the two accounts alone."""
    counts = Counts()
    for g in gold:
        own = similarity or sentence_similarity(g.accounts)
        rows = [row.cells for row in align(g.accounts, own, threshold)]
        found = {(one.index, other.index) for one, other in rows if one and other}
        matched = [{pair[side] for pair in g.pairs} for side in (0, 1)]
        alone = [(side, s.index) for cells in rows if None in cells for side, s in enumerate(cells) if s]
        counts.right += len(found & g.pairs)
        counts.found += len(found)
        counts.wanted += len(g.pairs)
        counts.alone += len(alone)
        counts.rightly_alone += sum(index not in matched[side] for side, index in alone)
    return counts


if __name__ == "__main__":
    run_script(main)
