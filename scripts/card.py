"""Write a model's card from its measured figures: python scripts/card.py MODEL FIGURES.json [FIGURES.json …]

FIGURES are what scripts/evaluate.py -o writes. The card goes into the model folder as README.md and, under the model's
name, into model_cards/ (or the folder given by --cards).
"""

import argparse
import json
from pathlib import Path

from framing.errors import run_script

CARDS = Path(__file__).parent.parent / "model_cards"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("figures", type=Path, nargs="+")
    parser.add_argument("--cards", type=Path, default=CARDS)
    args = parser.parse_args()

    from framing.card import write_card
    from framing.model_folder import read_settings

    figures = [json.loads(path.read_text(encoding="utf-8")) for path in args.figures]
    card = write_card(args.model, figures, CARDS / "template.md")
    target = args.cards / f"{read_settings(args.model).name}.md"
    target.write_text(card, encoding="utf-8")
    print(target)


if __name__ == "__main__":
    run_script(main)
