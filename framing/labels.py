"""The label set of the codebook: names, definitions, what the evidence of each is, and a colour.

Everything else derives from `LABELS`; a model carries its own label set in its folder (see `framing.model_folder`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One label a sentence can carry.

    Attributes:
        name: identifier used in data, configs and records.
        code: one letter of the annotation line in the codebook.
        definition: what a sentence with this label does, in one line.
        evidence: what the marked words of such a sentence are.
        colour: hexadecimal RGB, from the colour-blind-safe palette of Okabe and Ito (2008).
    """

    name: str
    code: str = ""
    definition: str = ""
    evidence: str = ""
    colour: str = "#777777"


LABELS: tuple[Label, ...] = (
    Label(
        "official_claim",
        "O",
        "passes on what a public authority says: a claim, denial, warning, promise or figure",
        "who says it",
        "#0072B2",
    ),
    Label(
        "independent_verification",
        "V",
        "says whether a claim stands up, judged by someone other than the party that claims it",
        "the words that say so",
        "#009E73",
    ),
    Label(
        "loaded_terminology",
        "L",
        "uses charged words where plain ones were at hand, in the outlet's voice or a quoted one",
        "the charged words",
        "#E69F00",
    ),
    Label(
        "blame_attribution",
        "B",
        "makes someone responsible for a harm, crime, failure or escalation",
        "who is blamed",
        "#CC79A7",
    ),
)

#: How an `independent_verification` sentence judges the claim, with its sign in the annotation line.
VERIFICATION_KINDS: dict[str, str] = {"corroborated": "+", "refuted": "-", "unverified": "?"}

#: The label that carries a verification kind.
VERIFICATION = "independent_verification"

#: The label that public benchmarks of biased and loaded language measure too.
LOADED = "loaded_terminology"


def known_label(name: str) -> Label:
    """The codebook's label of that name, or a bare `Label(name)` for a label set of the user's own."""
    return next((label for label in LABELS if label.name == name), Label(name))
