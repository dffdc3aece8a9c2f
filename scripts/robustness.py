"""How much names, typography and spelling move the labels: python scripts/robustness.py MODEL [DATA.jsonl]

Swaps the names of the two sides in the written corpus (all of it, what the model was trained on too) and counts labels
that flip; then changes headlines, punctuation, quotation marks and spelling of labelled articles (DATA; the written test
articles without it) and measures macro F1 again.
"""

import argparse
from pathlib import Path

from framing.errors import run_script

CORPUS = Path(__file__).parent.parent / "framing" / "corpus" / "written"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model folder")
    parser.add_argument("data", type=Path, nargs="?", default=CORPUS / "test.jsonl", help="labelled articles")
    args = parser.parse_args()

    from framing.benchmarks.robustness import FORMATS, macro_f1, swaps
    from framing.classifier import FramingClassifier
    from framing.data import read_articles

    classifier = FramingClassifier.from_pretrained(args.model)
    written = [article for path in sorted(CORPUS.glob("*.jsonl")) for article in read_articles(path)]
    print("| names swapped | sentences | label set flips | single labels flip |\n| --- | --- | --- | --- |")
    for swap in swaps(classifier, written):
        sets, labels = swap.flipped / swap.sentences, swap.labels_flipped / swap.labels
        print(f"| {swap.name} | {swap.sentences} | {swap.flipped} ({sets:.1%}) | {swap.labels_flipped} ({labels:.1%}) |")
    print(f"\n| changed in {args.data.name} | macro F1 | difference |\n| --- | --- | --- |")
    articles = list(read_articles(args.data, classifier.labels))
    plain = 0.0
    for name, change in FORMATS.items():
        f1 = macro_f1(classifier, [change(article) for article in articles])
        plain = plain or f1
        print(f"| {name} | {f1:.3f} | {f1 - plain:+.3f} |")


if __name__ == "__main__":
    run_script(main)
