"""How each label looks on the page: its number, letter and colour, given as labels are met in the results."""

from __future__ import annotations

from dataclasses import dataclass

from framing.labels import LABELS, VERIFICATION, Label, known_label

#: What the codebook leaves of the palette of Okabe and Ito (2008), for labels of the user's own.
_SPARE_COLOURS = ("#56B4E9", "#D55E00", "#F0E442", "#777777")


@dataclass(frozen=True)
class LegendEntry:
    """One label on the page; `slot` is its number in attributes, styles and keys, `letter` the tag behind a sentence."""

    slot: int
    letter: str
    colour: str
    label: Label

    @property
    def title(self) -> str:
        """The name as people write it."""
        return self.label.name.replace("_", " ")

    @property
    def judges(self) -> bool:
        """Whether sentences with this label carry a kind of verification."""
        return self.label.name == VERIFICATION


class Legend:
    """The labels met so far, in the order of the scores of the first article that has them."""

    def __init__(self) -> None:
        self._entries: dict[str, LegendEntry] = {}

    @property
    def entries(self) -> list[LegendEntry]:
        return list(self._entries.values())

    def entry(self, name: str) -> LegendEntry:
        """The entry of a label, made where the label is new."""
        if name not in self._entries:
            label = known_label(name)
            colour = label.colour if label in LABELS else _SPARE_COLOURS[len(self._entries) % len(_SPARE_COLOURS)]
            self._entries[name] = LegendEntry(len(self._entries), self._free_letter(label), colour, label)
        return self._entries[name]

    def _free_letter(self, label: Label) -> str:
        taken = {entry.letter for entry in self._entries.values()}
        letters = label.code or "".join(c for c in label.name.upper() if c.isascii() and c.isalpha())
        return next((letter for letter in letters if letter not in taken), str(len(taken) + 1))
