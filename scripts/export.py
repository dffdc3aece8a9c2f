"""Turn a trained folder into a model folder: python scripts/export.py TRAINED TARGET --data LABELLED.jsonl

Writes int8 ONNX weights, tokenizer and settings, checks on the labelled articles that the scores stay with those of
the trained model, and refuses to write a folder that drifts. `--fp32` keeps full precision.
"""

import argparse
import itertools
from pathlib import Path

from framing.errors import run_script

ARTICLES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", type=Path, required=True, help=f"labelled articles to compare on (the first {ARTICLES})")
    parser.add_argument("--fp32", action="store_true", help="do not quantise")
    args = parser.parse_args()

    from framing.data import read_articles
    from framing.export import export
    from framing.model_folder import ONNX

    articles = list(itertools.islice(read_articles(args.data), ARTICLES))
    drift = export(args.trained, args.target, articles, quantise=not args.fp32)
    size = (args.target / ONNX).stat().st_size / 1e6
    print(f"{args.target}: {size:.1f} MB, mean drift {drift:.5f}")


if __name__ == "__main__":
    run_script(main)
