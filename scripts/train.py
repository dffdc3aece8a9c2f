"""Fine-tune a model: python scripts/train.py configs/minilm.yaml [training.epochs=2 …]

Writes the trained folder that the config names as `output`: weights, tokenizer, settings with thresholds from the
validation split, the resolved config, validation figures. Run again after a kill, it resumes at the last epoch.
On several devices: accelerate launch scripts/train.py configs/minilm.yaml; training.batch_size is then that of each device.
Next: scripts/evaluate.py to measure it, scripts/export.py to make a model folder of it.
"""

import argparse
import os
from pathlib import Path

from framing.errors import run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a YAML file with what differs from configs/base.yaml")
    parser.add_argument("overrides", nargs="*", help="single settings, as key.sub=value")
    args = parser.parse_args()

    from framing.config import load_config
    from framing.training import train

    config = load_config(args.config, args.overrides)
    folder = train(config)
    if os.environ.get("RANK", "0") == "0":  # the first process of those that `accelerate launch` started
        print(folder)


if __name__ == "__main__":
    run_script(main)
