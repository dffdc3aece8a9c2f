"""Score JSON lines with Dask: python scripts/score_dask.py 'articles/*.jsonl' scored [model folder]

An example to adapt. It needs dask, and framing on every machine; `scored` becomes a folder of JSON lines.
"""

import json
import sys
from typing import Any

import dask.bag

from framing.distributed import score_rows
from framing.results import to_json


def parse(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line  # `score_rows` makes an error record of what is no row


if __name__ == "__main__":  # Dask's processes import this file
    source, target, *model = sys.argv[1:]
    rows = dask.bag.read_text(source, blocksize="1MiB").map(parse)
    rows.map_partitions(score_rows, *model).map(to_json).to_textfiles(f"{target}/*.jsonl")
