"""Labels that point at public text: detach labelled articles from their text, and join them with a download again.

A stand-off sentence is `{"index", "hash", …}`: its place among the sentences of the source article, and the first 16
hexadecimal digits of the SHA-256 of its text. Everything else is as in the training format, without `text`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from framing.data import LabelledArticle, LabelledSentence, describe_errors, read_lines
from framing.errors import FramingError
from framing.text import pieces as split_line


def sentence_hash(text: str) -> str:
    """What a stand-off sentence is recognised by."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cut(lines: Iterable[str]) -> list[str]:
    """Lines of a source as the annotated sentences were cut: sentencex on each line, white space squeezed."""
    squeezed = (" ".join(piece.split()) for line in lines for piece in split_line(line))
    return [piece for piece in squeezed if piece]


class Source:
    """One public dataset in a folder of downloads: gives the sentences of an article by its id there."""

    def __init__(self, root: Path, folder: str, read: Callable[[Path, str], list[str]]):
        self._path = root / folder
        self._read = read

    def sentences(self, article: str) -> list[str]:
        """The sentences of an article, in order; empty where the download does not hold it."""
        try:
            return self._read(self._path, article)
        except (FileNotFoundError, KeyError):
            return []


def _lines(text: str) -> list[str]:
    return cut(text.split("\n"))


def _allsides(path: Path, article: str) -> list[str]:
    record = json.loads((path / f"{article}.json").read_text(encoding="utf-8"))
    return [record["title"], *_lines(record["content_original"])]


@cache
def _allsides_ids_by_url(path: Path) -> dict[str, str]:
    records = (json.loads(file.read_text(encoding="utf-8")) for file in path.glob("*.json"))
    return {sentence_hash(record["url"]): record["ID"] for record in records}


def _allsides_by_url(path: Path, article: str) -> list[str]:
    """Here an article is known by its address: the address itself, or its hash in stand-off labels."""
    article = sentence_hash(article) if "/" in article else article
    return _allsides(path, _allsides_ids_by_url(path)[article])


def _newswire(path: Path, article: str) -> list[str]:
    first, _, rest = (path / article).read_text(encoding="utf-8", errors="replace").partition("\n")
    return _lines(rest if re.match(r"https?://|www\.", first.strip()) else f"{first}\n{rest}")


def _semeval(path: Path, article: str) -> list[str]:
    return _lines((path / article).read_text(encoding="utf-8"))


def _ukraine(path: Path, article: str) -> list[str]:
    record = json.loads((path / f"{article}.json").read_text(encoding="utf-8"))
    ordered = sorted(record["sentences"], key=lambda sentence: sentence["position_in_article"])
    return [" ".join(sentence["content"].split()) for sentence in ordered]


@cache
def _fa_kes_articles(path: Path) -> dict[str, str]:
    with path.open(encoding="latin-1", newline="") as rows:
        return {row["unit_id"]: row["article_content"] for row in csv.DictReader(rows)}


def _fa_kes(path: Path, article: str) -> list[str]:
    if not article:  # a passage whose article was not noted: any of them
        return [sentence for text in _fa_kes_articles(path).values() for sentence in _lines(text)]
    return _lines(_fa_kes_articles(path)[article])


@cache
def _fnc_sentences(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8", newline="") as rows:
        return tuple(sentence for row in csv.DictReader(rows) for sentence in _lines(row["articleBody"]))


def _fnc(path: Path, article: str) -> list[str]:
    return list(_fnc_sentences(path))


def sources(root: Path) -> dict[str, Source]:
    """The readable datasets below a folder of downloads, each in the layout of its public repository."""
    allsides = "Article-Bias-Prediction/data/jsons"
    return {
        "allsides": Source(root, allsides, _allsides),
        "allsides-baly": Source(root, allsides, _allsides_by_url),
        "en-foreign-newswire": Source(root, "en-foreign-newswire/original_articles", _newswire),
        "semeval2025-task10": Source(root, "semeval2025-task10/EN/raw-documents", _semeval),
        "ukraine-news-bias": Source(root, "ukraine-news-bias/all-data-as-json", _ukraine),
        "fa-kes": Source(root, "fake_news_detection/input/fakes.csv", _fa_kes),
        "fnc1": Source(root, "fnc-1/train_bodies.csv", _fnc),
    }


def detach(article: LabelledArticle, source: Source | None) -> dict[str, Any]:
    """A stand-off article: every text replaced by its hash and, where the source is at hand, its index there."""
    found = source.sentences(article.article) if source else []
    row = article.model_dump(exclude_defaults=True, exclude={"sentences"})
    if "/" in article.article:  # an address repeats the words of a headline
        row["article"] = sentence_hash(article.article)
    row["sentences"], at = [], -1
    for sentence in article.sentences:
        at = _find(found, sentence.text, at)
        fields = sentence.model_dump(exclude_defaults=True, exclude={"text"})
        row["sentences"].append({"index": at if at >= 0 else None, "hash": sentence_hash(sentence.text), **fields})
    return row


def _find(sentences: list[str], text: str, after: int) -> int:
    """Index of `text`, the first behind `after` if it stands there, else the first at all, else -1."""
    places = [i for i, sentence in enumerate(sentences) if sentence == text]
    return next((i for i in places if i > after), places[0] if places else -1)


def join(row: dict[str, Any], source: Source) -> tuple[LabelledArticle | None, int]:
    """A stand-off article with its text, and how many of its sentences were not found.

    Sentences are found by their hash, since another download may be cut differently and then the noted index does not
    hold; those that are not found are left out. None where no annotated one is left.
    """
    found = source.sentences(row.get("article", ""))
    by_hash = {sentence_hash(text): text for text in reversed(found)}
    sentences = []
    for fields in row["sentences"]:
        if fields["hash"] in by_hash:
            sentences.append(_with_labels(by_hash[fields["hash"]], fields, row["id"]))
    missing = len(row["sentences"]) - len(sentences)
    if not any(sentence.annotated for sentence in sentences):
        return None, missing
    try:
        return LabelledArticle(**{**row, "sentences": sentences}), missing
    except ValidationError as error:
        raise FramingError(f"article {row['id']}: {describe_errors(error)[0]}") from None


def annotate(article: LabelledArticle, row: dict[str, Any]) -> tuple[LabelledArticle, int]:
    """The article with a stand-off article's labels on its sentences, and how many of those were not found in it.

    Its other sentences stay as they are. A label takes the place of a teacher's scores. The article is `picked` where the
    row is.
    """
    fields = {sentence["hash"]: sentence for sentence in row["sentences"]}
    digests = [sentence_hash(sentence.text) for sentence in article.sentences]
    sentences = [
        _with_labels(sentence.text, fields[digest], article.id) if digest in fields else sentence
        for sentence, digest in zip(article.sentences, digests, strict=True)
    ]
    picked = article.picked or row.get("picked") is True
    return article.model_copy(update={"picked": picked, "sentences": sentences}), len(fields.keys() - set(digests))


def passages(article: LabelledArticle, around: int) -> list[LabelledArticle]:
    """The labelled sentences of an article with `around` neighbours on either side: one article for each run of them."""
    labelled = [i for i, sentence in enumerate(article.sentences) if sentence.annotated]
    kept = sorted({j for i in labelled for j in range(i - around, i + around + 1) if 0 <= j < len(article.sentences)})
    runs = [[j for _, j in run] for _, run in groupby(enumerate(kept), key=lambda pair: pair[1] - pair[0])]
    return [
        article.model_copy(update={"id": f"{article.id}#{run[0]}", "sentences": [article.sentences[j] for j in run]})
        for run in runs
    ]


def _with_labels(text: str, fields: dict[str, Any], article: str) -> LabelledSentence:
    """A sentence of its text and its stand-off fields. Raises `FramingError` where they do not fit it."""
    try:
        return LabelledSentence(**{**{k: v for k, v in fields.items() if k not in ("hash", "index")}, "text": text})
    except ValidationError as error:
        raise FramingError(f"article {article}, sentence {fields['hash']}: {describe_errors(error)[0]}") from None


def read_standoff(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a stand-off file. Raises `FramingError` with file and line."""
    for number, line in read_lines(path):
        try:
            row = json.loads(line)
            complete = all(isinstance(row[key], str) for key in ("id", "dataset")) and all(s["hash"] for s in row["sentences"])
        except json.JSONDecodeError as error:
            raise FramingError(f"{path}:{number}: not valid JSON ({error.msg})") from None
        except (KeyError, TypeError):
            complete = False
        if not complete:
            raise FramingError(f"{path}:{number}: not a stand-off article; it has id, dataset and sentences, each with its hash")
        yield row
