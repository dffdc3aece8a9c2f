"""Measure a model on labelled articles: python scripts/evaluate.py MODEL DATA.jsonl [--only t,f,u] [-o figures.json] [--plots DIR]

MODEL is a model folder (scored with ONNX Runtime, as users do) or a trained folder (scored with PyTorch). Prints a
table with 95 % bootstrap intervals by article; -o writes all figures as JSON, --plots draws reliability and
precision–recall of every label as SVG. `--only` keeps the articles whose id
starts with one of the given letters (in ../shared/data/real, t, f and u are whole articles at natural rates).
"""

import argparse
import json
import sys
from pathlib import Path

from framing.errors import run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", help="comma-separated beginnings of article ids")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here as JSON")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the plots into this folder")
    args = parser.parse_args()

    from framing.data import read_articles
    from framing.errors import FramingError
    from framing.evaluation import as_table, evaluate_classifier, open_classifier

    classifier = open_classifier(args.model)
    starts = tuple(args.only.split(",")) if args.only else ("",)
    articles = [a for a in read_articles(args.data, classifier.labels) if a.id.startswith(starts)]
    if not any(sentence.annotated for article in articles for sentence in article.sentences):
        raise FramingError(f"{args.data}: no annotated sentence to measure on")
    figures = {
        "model": classifier.model,
        "data": args.data.as_posix(),
        "only": args.only,
        **evaluate_classifier(classifier, articles),
    }
    if args.output:
        args.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if args.plots:
        from framing.plots import draw_plots

        for path in draw_plots(figures, args.plots).values():
            print(path, file=sys.stderr)
    print(as_table(figures))
    print(f"\nboilerplate F1 {figures['boilerplate_f1']:.3f}")
    if "verification_kind" in figures:
        print("verification kind, where found: " + ", ".join(f"{k} {v:.3g}" for k, v in figures["verification_kind"].items()))


if __name__ == "__main__":
    run_script(main)
