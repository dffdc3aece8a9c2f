"""Names swapped in training text, so that a side, a party or an outlet does not come to mean a label.

Counterfactual augmentation as in Lu et al. 2018, "Gender Bias in Neural Natural Language Processing": a sentence that
tells the same of the other side carries the same labels.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

Names = Mapping[str, str]

_SIDES = [
    {"Russia": "Ukraine", "Russian": "Ukrainian", "Moscow": "Kyiv", "Putin": "Zelensky"},
    {"Israel": "Palestine", "Israeli": "Palestinian"},
    {"Republicans": "Democrats", "Republican": "Democratic", "Trump": "Biden"},
    {"Syria": "Turkey", "Syrian": "Turkish"},
    {"China": "Japan", "Chinese": "Japanese", "Beijing": "Tokyo"},
    {"Iran": "Saudi Arabia", "Iranian": "Saudi", "Tehran": "Riyadh"},
]

_OUTLETS = [
    *("Reuters", "Associated Press", "AFP", "BBC", "CNN", "Fox News", "New York Times", "Washington Post", "Guardian"),
    *("Russia Today", "TASS", "Sputnik", "Xinhua", "Al Jazeera", "Breitbart", "Politico", "Bloomberg", "NBC News"),
]


def renamed(text: str, names: Names) -> str:
    """The text with every name, as a whole word or in the plural, replaced; a longer name goes first."""
    return _rename(text, names, [])[0]


def draw_names(rng: random.Random) -> dict[str, str]:
    """Swapped sides, each pair by the toss of a coin, and outlets whose names changed hands."""
    names: dict[str, str] = {}
    for side in _SIDES:
        if rng.random() < 0.5:
            names |= side | {other: name for name, other in side.items()}
    return names | dict(zip(_OUTLETS, rng.sample(_OUTLETS, len(_OUTLETS)), strict=True))


def swap_names(sentences: list[dict[str, Any]], names: Names) -> list[dict[str, Any]]:
    """Rows of sentences (see `framing.data.features`) with the names replaced and the evidence moved along."""
    changed = []
    for sentence in sentences:
        evidence = sentence["evidence"] or []
        text, moved = _rename(sentence["text"], names, [position for e in evidence for position in (e["start"], e["end"])])
        spans = [{**e, "start": moved[2 * i], "end": moved[2 * i + 1]} for i, e in enumerate(evidence)]
        changed.append({**sentence, "text": text, "evidence": spans})
    return changed


def _rename(text: str, names: Names, positions: list[int]) -> tuple[str, list[int]]:
    """The renamed text, and where characters at `positions` of the text have gone: those inside a name move to its end."""
    if not names:
        return text, positions
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pieces, moved, last = [], list(positions), 0
    for match in re.finditer(rf"\b({pattern})(?=s?\b)", text):
        name = names[match.group(1)]
        pieces += [text[last : match.start()], name]
        last = match.end()
        for i, position in enumerate(positions):
            if position >= match.end():
                moved[i] += len(name) - len(match.group(1))
            elif position > match.start():
                moved[i] += match.start() + len(name) - position
    return "".join([*pieces, text[last:]]), moved
