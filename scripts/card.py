"""Write a model's card from its measured figures: python scripts/card.py MODEL FIGURES.json [FIGURES.json …]

FIGURES are what scripts/evaluate.py -o writes. The card goes into the model folder as README.md and, under the model's
name, into model_cards/ (or the folder given by --cards). With --benchmark it has a table of speeds. With --plots it shows
the plots of the figures, which are drawn into plots/<name>/ beside both.
"""

import argparse
import json
import shutil
from pathlib import Path

from framing.errors import run_script

CARDS = Path(__file__).parent.parent / "model_cards"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("figures", type=Path, nargs="+")
    parser.add_argument("--cards", type=Path, default=CARDS)
    parser.add_argument("--plots", action="store_true", help="show reliability and precision–recall of every label")
    parser.add_argument("--benchmark", type=Path, help="figures of scripts/benchmark.py -o, to be shown as its tables")
    args = parser.parse_args()

    from framing.benchmarks.tables import tables
    from framing.card import write_card
    from framing.model_folder import read_settings

    figures = [json.loads(path.read_text(encoding="utf-8")) for path in args.figures]
    name = read_settings(args.model).name
    speed = "\n\n".join(tables(json.loads(args.benchmark.read_text(encoding="utf-8")))) if args.benchmark else ""
    card = write_card(args.model, figures, CARDS / "template.md", plots=args.plots, speed=speed)
    target = args.cards / f"{name}.md"
    target.write_text(card, encoding="utf-8")
    if args.plots:
        shutil.copytree(args.model / "plots" / name, args.cards / "plots" / name, dirs_exist_ok=True)
    print(target)


if __name__ == "__main__":
    run_script(main)
