"""Average the weights of runs that differ in their seed: python scripts/average.py RUN RUN… -o OUT

    python scripts/train.py configs/student.yaml
    python scripts/train.py configs/student.yaml seed=14 output=runs/student14
    python scripts/average.py runs/student runs/student14 -o runs/averaged

Writes a trained folder, with thresholds and probabilities fitted anew on the validation split of the runs' config.
"""

import argparse
from pathlib import Path

from framing.errors import run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()

    from framing.averaging import average

    print(average(args.runs, args.output))


if __name__ == "__main__":
    run_script(main)
