"""The model beside simpler and dearer ways, on the same test articles:

    python scripts/benchmark_quality.py TRAIN.jsonl TEST.jsonl MODEL… [--babe FILE] [--ptc FILE]

Cue words, TF-IDF with logistic regression and frozen sentence embeddings with logistic regression are trained on TRAIN
(single sentences); every MODEL is a model folder or a trained folder. Macro F1 has a 95 % interval by article. With the
files of BABE and of SemEval-2020 task 11, which nothing here was trained on: how the loaded_terminology score of the
last MODEL ranks their sentences (area under the ROC curve), and how its evidence overlaps the spans marked there.
"""

import argparse
import sys
from pathlib import Path

from framing.errors import run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--babe", type=Path)
    parser.add_argument("--ptc", type=Path)
    parser.add_argument("--encoder", type=Path, help="folder of the encoder of the frozen embeddings; that of base.yaml without it")
    args = parser.parse_args()

    from framing.benchmarks import baselines, quality
    from framing.config import BASE, load_config
    from framing.data import read_articles
    from framing.encoders import find_encoder
    from framing.evaluation import open_classifier

    train, test = (list(read_articles(path)) for path in (args.train, args.test))
    print("| on " + args.test.name + " | official | verification | loaded | blame | macro F1 (95 %) |\n|" + " --- |" * 6)
    print(quality.row("cue words", quality.baseline_figures(baselines.CueWordBaseline(), test)))
    for name, baseline in (
        ("TF-IDF + logistic regression", baselines.TfidfBaseline()),
        (
            "frozen embeddings + logistic regression",
            baselines.EmbeddingBaseline(args.encoder or find_encoder(load_config(BASE).encoder)),
        ),
    ):
        print(quality.row(name, quality.baseline_figures(baseline.fit(train), test)))
    for folder in args.models:
        classifier = open_classifier(folder)
        print(quality.row(f"{classifier.model} ({folder.name})", quality.model_figures(classifier, test)))
        sys.stdout.flush()
    if args.babe:
        auc, count = quality.babe_auc(classifier, args.babe)
        print(f"\nBABE, not trained on: AUC of the loaded_terminology score {auc:.3f} ({count} sentences)")
    if args.ptc:
        auc, spans = quality.propaganda_figures(classifier, args.ptc)
        print(f"SemEval-2020 task 11, not trained on: AUC {auc:.3f} by sentence; spans by character overlap: ", end="")
        print(", ".join(f"{name} {spans[name]:.3f}" for name in ("precision", "recall", "f1")))


if __name__ == "__main__":
    run_script(main)
