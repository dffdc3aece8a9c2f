"""How well the two readings of the written corpus agree: python scripts/agreement.py [READINGS.jsonl]

One line an article, `{"id", "first": [codes a sentence], "second": [...]}` in the codes of the annotation guide, as
they stood before the disagreements were settled. Prints F1 of one against the other and Krippendorff's alpha.
"""

import argparse
import json
from pathlib import Path

from framing.errors import run_script

READINGS = Path(__file__).parent.parent / "framing" / "corpus" / "readings.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readings", type=Path, nargs="?", default=READINGS)
    args = parser.parse_args()

    import numpy as np

    from framing.labels import LABELS
    from framing.metrics import f1_from_counts, krippendorff_alpha

    articles = [json.loads(line) for line in args.readings.read_text(encoding="utf-8").splitlines()]
    pairs = [pair for a in articles for pair in zip(a["first"], a["second"], strict=True)]
    print(f"{len(articles)} articles, {len(pairs)} sentences\n")
    print("| label | both | first only | second only | F1 | Krippendorff's alpha |\n|" + " --- |" * 6)
    for name, code in [*((label.name, label.code) for label in LABELS), ("boilerplate", "X")]:
        first, second = (np.array([any(part[0] == code for part in pair[i].split("|")) for pair in pairs]) for i in (0, 1))
        both, one, other = (first & second).sum(), (first & ~second).sum(), (~first & second).sum()
        f1 = float(f1_from_counts(both, one, other))
        print(f"| `{name}` | {both} | {one} | {other} | {f1:.3f} | {krippendorff_alpha(first, second):.3f} |")
    kinds = [[next((part for part in codes.split("|") if part[0] == "V"), None) for codes in pair] for pair in pairs]
    signs = [(a, b) for a, b in kinds if a and b]
    print(f"\nkind of verification, where both saw one: {sum(a == b for a, b in signs)} of {len(signs)} the same")


if __name__ == "__main__":
    run_script(main)
