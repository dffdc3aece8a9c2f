"""Results as text for a person at a terminal: label shares and the strongest sentences of each article."""

from __future__ import annotations

from typing import IO

from framing.errors import printable
from framing.model_folder import LabelSettings
from framing.results import ArticleResult, SentenceResult

_BAR = 20
_STRONGEST = 3


class SummaryWriter:
    """Writes a readable summary per article. Control characters of article text are replaced: they reach a terminal."""

    def __init__(self, stream: IO[str], labels: list[LabelSettings]):
        self._stream = stream
        self._labels = labels

    def write(self, result: ArticleResult) -> None:
        self._stream.write(self._render(result))
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()

    def _render(self, result: ArticleResult) -> str:
        name = printable(result.title or result.id or result.source or "text")
        if result.error:
            return f"{name}\n  not scored: {printable(result.error['message'])}\n\n"
        assert result.summary is not None
        skipped = len(result.sentences) - result.summary["sentences"]
        furniture = f", {skipped} of site furniture" if skipped else ""
        lines = [f"{name}  ({result.summary['sentences']} sentences{furniture})"]
        for label in self._labels:
            figures = result.summary["labels"][label.name]
            bar = "█" * round(figures["share"] * _BAR)
            lines.append(f"  {label.name:<26} {bar:<{_BAR}} {figures['count']:>3} = {figures['share']:.0%}")
            lines.extend(self._sentence(label.name, sentence) for sentence in _strongest(result, label.name))
        return "\n".join(lines) + "\n\n"

    def _sentence(self, label: str, sentence: SentenceResult) -> str:
        text, shift = sentence.text, sentence.start
        for evidence in reversed([e for e in sentence.evidence if e.label == label]):
            start, end = evidence.start - shift, evidence.end - shift
            text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
        kind = f" {sentence.verification}" if sentence.verification and label == "independent_verification" else ""
        return f"      {sentence.scores[label]:.2f}{kind}  {printable(text)}"


def _strongest(result: ArticleResult, label: str) -> list[SentenceResult]:
    carrying = [s for s in result.sentences if label in s.labels]
    return sorted(carrying, key=lambda s: -s.scores[label])[:_STRONGEST]
