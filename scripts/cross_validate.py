"""Cross-validate a training config: python scripts/cross_validate.py configs/babe.yaml [training.epochs=2 …]

The articles of `data.train` are cut into five parts, stratified by their first label; each part is scored by a model
trained on the other four (which hold out their own validation part for the choice of the epoch and for calibration).
A label is given where its calibrated probability is at least 0.5. Prints, per label, the macro F1 over both classes (as
Spinde et al. 2021 report for BABE): mean and standard deviation of the parts, and over all sentences with a 95 % interval.
A file of the BABE release (.jsonl.gz) may stand in `data.train` as it is. Run again after a kill, it goes on.
"""

import argparse
import json
from pathlib import Path

from framing.errors import run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a YAML file with what differs from configs/base.yaml")
    parser.add_argument("overrides", nargs="*", help="single settings, as key.sub=value")
    args = parser.parse_args()

    from framing.benchmarks.crossvalidation import cross_validate
    from framing.config import load_config

    config = load_config(args.config, args.overrides)
    figures = cross_validate(config)
    (config.output / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for label, row in figures.items():
        low, high = row["macro_f1_95"]
        parts = ", ".join(f"{value:.3f}" for value in row["parts"])
        print(f"{label}: macro F1 {row['mean']:.3f} ± {row['sd']:.3f} over the parts ({parts}); ", end="")
        print(f"{row['macro_f1']:.3f} ({low:.3f}–{high:.3f}) over all {row['sentences']} sentences")


if __name__ == "__main__":
    run_script(main)
