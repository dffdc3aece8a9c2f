"""`FramingClassifier`: the public API over a model folder."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import overload

from framing.articles import Article, BadArticle, Item, validated
from framing.errors import FramingError, UnreadableError
from framing.evidence import evidence_spans
from framing.labels import VERIFICATION, VERIFICATION_KINDS
from framing.model_folder import BOILERPLATE, Settings, find_model
from framing.results import ArticleResult, Evidence, SentenceResult, failed, summarise
from framing.runtime import Runtime, SentenceLogits, WindowRunner
from framing.text import Span, inside, quotations, split_sentences

#: Articles whose windows may be in flight at once: enough to keep every core busy, few enough to bound memory.
IN_FLIGHT = 8

#: Their characters together, unless a single one has more.
IN_FLIGHT_CHARS = 1_000_000

_Pending = tuple[Item, list[Span], list["Future[list[SentenceLogits]]"]]


class FramingClassifier:
    """Labels the sentences of news articles and points at the words that made it say so.

    >>> classifier = FramingClassifier.from_pretrained()
    >>> result = classifier.score("The ministry said the bridge was intact.")
    >>> result.sentences[0].labels
    ['official_claim']
    """

    def __init__(self, runtime: WindowRunner, thresholds: dict[str, float] | None = None):
        self._runtime = runtime
        self.settings: Settings = runtime.settings
        self._outputs = self.settings.outputs
        self.thresholds = {label.name: label.threshold for label in self.settings.labels}
        unknown = sorted(set(thresholds or {}) - set(self.thresholds))
        if unknown:
            raise FramingError(f"no label {unknown[0]!r} in this model; it has {', '.join(self.thresholds)}")
        self.thresholds |= thresholds or {}

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path | None = None,
        *,
        threads: int = 0,
        precision: float | None = None,
        thresholds: dict[str, float] | None = None,
    ) -> FramingClassifier:
        """Open a model folder, or a released model by its name; the default one without.

        Args:
            threads: windows scored at once; 0 for every core this process may use.
            precision: 0…1; take, for each label, the lowest threshold that reached this precision on the validation
                split (a label that never did is not given at all), in place of the threshold with the best F1.
            thresholds: thresholds (0…1) for single labels, over all others.

        Raises `FramingError` where the folder is missing, incomplete or does not fit together.
        """
        runtime = Runtime(find_model(folder), threads)
        chosen = {} if precision is None else {label.name: label.threshold_for(precision) for label in runtime.settings.labels}
        return cls(runtime, chosen | (thresholds or {}))

    @property
    def model(self) -> str:
        """Name and version of the model, as in the records."""
        return self.settings.title

    @property
    def labels(self) -> list[str]:
        """The model's labels, in the order of the scores."""
        return self.settings.label_names

    @overload
    def score(self, articles: str | Article) -> ArticleResult: ...
    @overload
    def score(self, articles: list[str] | list[Article] | tuple[str | Article, ...]) -> list[ArticleResult]: ...
    def score(
        self, articles: str | Article | list[str] | list[Article] | tuple[str | Article, ...]
    ) -> ArticleResult | list[ArticleResult]:
        """Score one text, or several: a list of the same type, in order. An empty text comes back with `error` set."""
        if isinstance(articles, str | Article):
            return next(self.stream([articles]))
        if not isinstance(articles, list | tuple):
            raise TypeError(f"score takes a text, an Article or a list of them, not {type(articles).__name__}")
        return list(self.stream(articles))

    def score_sentences(self, sentences: Sequence[str]) -> ArticleResult:
        """Score text that is already in sentences: exactly one result each, in order; offsets count in the sentences
        joined by a newline. A blank sentence comes back as boilerplate with all scores 0."""
        if isinstance(sentences, str):
            raise TypeError("score_sentences takes a list of sentences; score takes a text")
        return next(self.stream([Article("", sentences=tuple(sentences))]))

    def stream(self, articles: Iterable[str | Item]) -> Generator[ArticleResult, None, None]:
        """Score an iterable lazily, in order, in constant memory: a few articles are read ahead, no more."""
        pending: deque[_Pending] = deque()
        try:
            for article in articles:
                pending.append(self._start(_as_item(article)))
                while len(pending) > IN_FLIGHT or (len(pending) > 1 and sum(map(_size, pending)) > IN_FLIGHT_CHARS):
                    yield self._finish(*pending.popleft())
            while pending:
                yield self._finish(*pending.popleft())
        finally:  # abandoned half-way, or interrupted: nobody waits for the rest
            for _, _, futures in pending:
                for future in futures:
                    future.cancel()

    def _start(self, item: Item) -> _Pending:
        if isinstance(item, BadArticle):
            return item, [], []
        if item.sentences is None:
            spans = split_sentences(item.text)
        else:
            spans, start = [], 0
            for sentence in item.sentences:
                spans.append((start, start + len(sentence)))
                start += len(sentence) + 1
        texts = (item.text[start:end] for start, end in spans)
        try:
            return item, spans, self._runtime.submit([text for text in texts if text.strip()])
        except UnreadableError as error:
            return _bad(item, error), [], []

    def _finish(self, item: Item, spans: list[Span], futures: list[Future[list[SentenceLogits]]]) -> ArticleResult:
        if isinstance(item, BadArticle):
            return failed(item, self.model)
        try:
            logits = iter([sentence for future in futures for sentence in future.result()])
        except UnreadableError as error:
            return self._finish(_bad(item, error), [], [])
        quoted = quotations(item.text)
        sentences = []
        for index, (start, end) in enumerate(spans):
            if item.text[start:end].strip():
                sentences.append(self._sentence(index, item.text, (start, end), next(logits), quoted))
            else:
                sentences.append(self._blank(index, item.text, (start, end)))
        return ArticleResult(
            item.id, item.source, item.title, item.url, item.outlet, item.date, item.meta, self.model,
            sentences, summarise(sentences, self.labels),
        )  # fmt: skip

    def _blank(self, index: int, text: str, span: Span) -> SentenceResult:
        return SentenceResult(index, *span, text[span[0] : span[1]], True, False, dict.fromkeys(self.labels, 0.0), [], None, [])

    def _sentence(self, index: int, text: str, span: Span, logits: SentenceLogits, quoted: list[Span]) -> SentenceResult:
        settings = self.settings
        outputs = dict(zip(self._outputs, logits.sentence.tolist(), strict=True))
        boilerplate = BOILERPLATE in outputs and _sigmoid(outputs[BOILERPLATE]) >= settings.boilerplate_threshold
        scores = {label.name: round(_sigmoid(label.scale * outputs[label.name] + label.bias), 4) for label in settings.labels}
        labels = [] if boilerplate else [name for name, score in scores.items() if score >= self.thresholds[name]]
        kinds = [kind for kind in VERIFICATION_KINDS if kind in outputs]
        verification = max(kinds, key=outputs.__getitem__) if VERIFICATION in labels and kinds else None
        evidence = []
        for column, label in enumerate(settings.labels):
            if label.name in labels:
                sentence = text[span[0] : span[1]]
                token_scores = [_sigmoid(logit) for logit in logits.tokens[:, column].tolist()]
                for start, end, score in evidence_spans(sentence, logits.encoded.offsets, token_scores, label.evidence_threshold):
                    start, end = span[0] + start, span[0] + end
                    voice = "quoted" if inside(quoted, start, end) else "narrator"
                    evidence.append(Evidence(label.name, start, end, text[start:end], round(score, 4), voice))
        return SentenceResult(
            index, *span, text[span[0] : span[1]], boilerplate, logits.encoded.truncated, scores, labels, verification, evidence
        )


def _size(pending: _Pending) -> int:
    item = pending[0]
    return len(item.text) if isinstance(item, Article) else 0


def _bad(article: Article, error: UnreadableError) -> BadArticle:
    where = f"{article.source}: " if article.source else ""
    return BadArticle(article.source, error.reason, f"{where}{error}", article.id, article.meta)


def _as_item(article: str | Item) -> Item:
    if isinstance(article, BadArticle):
        return article
    if not isinstance(article, str | Article):
        raise TypeError(f"an article is a text or an Article, not {type(article).__name__}")
    return validated(Article(article) if isinstance(article, str) else article)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
