"""This package as its users run it, in their own process and from the shell."""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from framing.articles import Article
from framing.benchmarks.variant import Labels, Variant, megabytes
from framing.classifier import FramingClassifier


class ClassifierVariant(Variant):
    """`FramingClassifier` as users call it, opened anew for each round: it remembers the windows that it has seen."""

    def __init__(self, folder: Path, threads: int):
        self._open = partial(FramingClassifier.from_pretrained, folder, threads=threads)
        self._classifier = self._open()

    def prepare(self, texts: Sequence[str]) -> None:
        super().prepare(texts)
        del self._classifier
        gc.collect()  # or two would be open at once, which the peak memory would show
        self._classifier = self._open()

    def run(self) -> int:
        return sum(len(result.sentences) for result in self._classifier.stream(self._texts))

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        items = (Article("", sentences=tuple(sentences)) for sentences in articles)
        return [[sentence.labels for sentence in result.sentences] for result in self._classifier.stream(items)]


class CommandVariant(Variant):
    """`framing score in.jsonl -o out.jsonl` as a process of its own, its start included."""

    def __init__(self, folder: Path, threads: int):
        self._options = ["--model", str(folder), "--threads", str(threads)]
        self._scratch = tempfile.TemporaryDirectory()

    def prepare(self, texts: Sequence[str]) -> None:
        self._write({"text": text} for text in texts)

    def run(self) -> int:
        return sum(map(len, self._labels()))

    def label(self, articles: Sequence[Sequence[str]]) -> Labels:
        self._write({"sentences": list(sentences)} for sentences in articles)
        return self._labels()

    def _write(self, rows: Iterator[dict[str, Any]]) -> None:
        with (Path(self._scratch.name) / "in.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)

    def _labels(self) -> Labels:
        source, target = (Path(self._scratch.name) / name for name in ("in.jsonl", "out.jsonl"))
        command = [sys.executable, "-m", "framing", "score", str(source), "-o", str(target), *self._options]
        subprocess.run(command, check=True, capture_output=True)
        with target.open(encoding="utf-8") as lines:
            return [[sentence["labels"] for sentence in json.loads(line)["sentences"]] for line in lines]

    def peak_megabytes(self) -> float:
        return megabytes(resource.RUSAGE_CHILDREN)
