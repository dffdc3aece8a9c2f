"""The examples for Spark and Dask give the records of the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, run_cli, write_jsonl

ARTICLES: list[dict[str, object]] = [
    {
        "id": f"{n}",
        "title": f"Bridge {n}",
        "text": f"the ministry said the bridge was closed\nthe road {n} was open" if n % 9 else "",
    }
    for n in range(30)
]


def by_id(lines: list[str]) -> list[dict[str, Any]]:
    """Records without what only a file can give: where a row stood in it."""
    records = [json.loads(line) for line in lines]
    for record in records:
        record.pop("source")
        if record["error"]:
            record["error"].pop("message")
    return sorted(records, key=lambda record: int(record["id"]))


@pytest.mark.parametrize(("script", "library"), [("score_spark.py", "pyspark.sql"), ("score_dask.py", "dask.bag")])
def test_records_are_those_of_the_command_line(script: str, library: str, model_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip(library)
    pytest.importorskip("pyarrow")
    if script == "score_spark.py" and not shutil.which("java"):
        pytest.skip("Spark needs Java")
    source, target = tmp_path / "articles-*.jsonl", tmp_path / "scored"
    for part in range(2):
        write_jsonl(tmp_path / f"articles-{part}.jsonl", ARTICLES[part::2])
    command = [sys.executable, str(ROOT / "scripts" / script), str(source), str(target), str(model_folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for path in target.glob("[!._]*") for line in path.read_text(encoding="utf-8").splitlines()]
    assert by_id(lines) == by_id(run_cli("score", source, "--model", model_folder).stdout.decode().splitlines())
