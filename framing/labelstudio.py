"""Scored articles → tasks that people correct in Label Studio (`framing.corrections` reads what comes back).

One task is one article, because a sentence is judged in its article. The text of a task is the article's sentences, one
a line; the labels of a sentence are a region over it (control `sentence`), its evidence are regions inside it (control
`evidence`). So the article is read as it runs, a correction is a click on a region or a stroke over words, and both
are plain `Labels` on `Text`, which every version of Label Studio has. A task also carries its sentences as a list, which
nobody can edit: segmentation comes back as it went. The kind of a verification is part of its region's label
(`independent_verification: refuted`), so that the two cannot contradict each other.

The format is that of https://labelstud.io/guide/predictions, and was tried with Label Studio 1.23.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from framing.errors import FramingError
from framing.labels import VERIFICATION, VERIFICATION_KINDS, known_label
from framing.model_folder import BOILERPLATE
from framing.results import ArticleResult, SentenceResult, to_json
from framing.text import LINE_BREAK, Span, replace_surrogates

#: Names of the two controls of the labelling config.
SENTENCE, EVIDENCE = "sentence", "evidence"

#: The key of a task's data under which the article travels: fields of the training format, `sentences` as texts.
ARTICLE = "framing"

#: Fields of a record's `meta` that the training format knows.
_META_FIELDS = ("dataset", "article", "event", "style", "topic")

#: What a region of the control `sentence` is labelled for a verification of a known kind.
KIND_LABELS = {f"{VERIFICATION}: {kind}": kind for kind in VERIFICATION_KINDS}
_SEPARATOR = "\n"


def labelling_config(labels: Sequence[str]) -> str:
    """The labelling config of a project for tasks with these labels, as XML."""
    view = ElementTree.Element("View")
    palette = ElementTree.SubElement(
        view, "View", style="position: sticky; top: 0; z-index: 1; background: var(--color-neutral-background, white)"
    )
    ElementTree.SubElement(palette, "Header", value="The sentence: mark it whole", size="5")
    sentence = ElementTree.SubElement(palette, "Labels", name=SENTENCE, toName="text", choice="multiple")
    for label in labels:
        for value in [label, *(KIND_LABELS if label == VERIFICATION else [])]:
            _add_label(sentence, value, known_label(label).definition, known_label(label).colour)
    _add_label(sentence, BOILERPLATE, "site furniture: a menu, a byline, an invitation to share", "#777777")
    ElementTree.SubElement(palette, "Header", value="Its evidence: mark the words", size="5")
    evidence = ElementTree.SubElement(palette, "Labels", name=EVIDENCE, toName="text")
    for label in labels:
        _add_label(evidence, label, known_label(label).evidence, known_label(label).colour)
    ElementTree.SubElement(view, "Text", name="text", value="$text", valueType="text", showLabels="true")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _add_label(parent: ElementTree.Element, value: str, hint: str, colour: str) -> None:
    ElementTree.SubElement(parent, "Label", value=value, hint=hint, background=colour)


def to_task(result: ArticleResult) -> dict[str, Any]:
    """A scored article as a task whose prediction is what the model said.

    Offsets are code points of the task's `text`. A region's `score` is that of its evidence, or the lowest of its
    sentence's labels; the prediction's is the mean certainty, `max(p, 1 - p)`, of all scores, to sort tasks by.
    """
    sentences = [sentence for sentence in result.sentences if sentence.text.strip()]  # nothing to mark in a blank one
    regions = []
    starts = [start for start, _ in line_spans([sentence.text for sentence in sentences])]
    for sentence, start in zip(sentences, starts, strict=True):
        if sentence.labels or sentence.boilerplate:
            score = min((sentence.scores[label] for label in sentence.labels), default=None)
            span = (start, start + len(sentence.text))
            regions.append((SENTENCE, span, _sentence_labels(sentence), score))
        for evidence in sentence.evidence:
            shift = start - sentence.start
            regions.append((EVIDENCE, (evidence.start + shift, evidence.end + shift), [evidence.label], evidence.score))
    certainty = [max(score, 1 - score) for sentence in sentences for score in sentence.scores.values()]
    named = {"title": result.title, "outlet": result.outlet, "date": result.date}
    meta = {name: replace_surrogates(value) for name in _META_FIELDS if isinstance(value := result.meta.get(name), str)}
    text = shown([sentence.text for sentence in sentences])
    return {
        "data": {
            "text": text,
            **named,
            "url": result.url,
            ARTICLE: {"id": result.id, **meta, **named, "sentences": [sentence.text for sentence in sentences]},
        },
        "predictions": [
            {
                "model_version": result.model,
                "score": sum(certainty) / len(certainty) if certainty else 1.0,
                "result": [
                    {
                        "id": f"{control}-{number}",
                        "from_name": control,
                        "to_name": "text",
                        "type": "labels",
                        "value": {"start": start, "end": end, "text": text[start:end], "labels": names},
                        **({} if score is None else {"score": score}),
                    }
                    for number, (control, (start, end), names, score) in enumerate(regions)
                ],
            }
        ],
    }


def _sentence_labels(sentence: SentenceResult) -> list[str]:
    if sentence.boilerplate:
        return [BOILERPLATE]
    kind = f"{VERIFICATION}: {sentence.verification}"
    return [kind if label == VERIFICATION and sentence.verification else label for label in sentence.labels]


def shown(sentences: Iterable[str]) -> str:
    """The text of a task: one sentence a line; a line break inside a given sentence shows as a space."""
    return _SEPARATOR.join(LINE_BREAK.sub(" ", sentence) for sentence in sentences)


def line_spans(sentences: Iterable[str]) -> list[Span]:
    """Where each sentence stands in the text of `shown`, in code points."""
    spans, start = [], 0
    for sentence in sentences:
        spans.append((start, start + len(sentence)))
        start += len(sentence) + len(_SEPARATOR)
    return spans


def write_tasks(path: Path, results: Iterable[ArticleResult]) -> tuple[int, int]:
    """Write the tasks of scored articles to a JSON file, and the labelling config beside it with the suffix `.xml`.

    Returns how many tasks were written and how many articles left out, because they were not scored or hold no text.
    Raises `FramingError` where articles differ in their labels, or where there is none; then nothing is written.
    """
    labels: list[str] = []
    tasks = left_out = 0
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            for result in results:
                if result.error or not any(sentence.text.strip() for sentence in result.sentences):
                    left_out += 1
                    continue
                own = list(result.sentences[0].scores)
                if labels and own != labels:
                    raise FramingError(
                        f"article {result.id!r} was scored for {', '.join(own)}, those before it for {', '.join(labels)}; "
                        "export articles of different models apart"
                    )
                labels = own
                stream.write((",\n" if tasks else "[\n") + to_json(to_task(result)))
                tasks += 1
            stream.write("\n]\n")
        if not tasks:
            raise FramingError("no scored article to export; give files that framing score wrote")
        path.with_suffix(".xml").write_text(labelling_config(labels), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return tasks, left_out
