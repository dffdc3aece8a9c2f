"""Scoring on a Ray cluster: files → shards of articles → one model actor a core → a folder of scored shards.

A shard's name and content follow from the inputs alone, and it is written beside and moved into place. So when Ray runs
a task again, after the death of a worker, it writes the same file again: nothing is lost, nothing is doubled.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from framing.articles import STDIN, Article, BadArticle, Item, find_files, read_file
from framing.batch import Outcome
from framing.classifier import FramingClassifier
from framing.cores import available_cores
from framing.errors import FramingError
from framing.model_folder import RELEASED
from framing.outputs import Format, JsonLinesWriter, ParquetWriter, Writer
from framing.progress import with_progress
from framing.results import ArticleResult, to_json
from framing.workers import WorkerPool

#: Articles of a shard at most: what one task scores, and what is scored again when a worker dies.
SHARD = 100

#: Bytes of input after which the next file goes to another reading task.
_READ_TOGETHER = 2**26

#: Workers that may die over one shard before its articles are scored in a process of their own: Ray runs a task again
#: without end, and an article that kills every worker would never be done with.
_DEATHS = 2

Row = dict[str, Any]


def score_with_ray(
    paths: Iterable[str],
    folder: Path,
    chosen: Format,
    *,
    flat: bool = False,
    model: str | None = None,
    precision: float | None = None,
    text_column: str = "text",
    cores: int = 0,
    address: str | None = None,
) -> Outcome:
    """Score files on the cluster at `address`, or on one of processes of this machine, into shards in `folder`.

    Args:
        paths: as for `read_articles`, without standard input. Every machine must see these files, the model and
            `folder` under the same paths.
        folder: made if it is missing; one that holds anything is refused.
        chosen: JSON lines or Parquet.
        flat: one record a sentence.
        cores: model actors at most; 0 for every core of the cluster.
        address: of a running cluster, else the environment's `RAY_ADDRESS`.

    Raises `FramingError` where Ray is missing or cannot be reached, or where a task fails on every attempt.
    """
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise FramingError("--engine ray needs the extra scale: pip install '.[scale]'") from None
    units = list(_units(paths))
    FramingClassifier.from_pretrained(model, threads=1, precision=precision)  # a mistake is better found before Ray starts
    folder = _new_folder(folder)
    scorer = {
        "folder": folder,
        "chosen": chosen.value,
        "flat": flat,
        "model": model if model is None or model in RELEASED else os.path.abspath(model),
        "precision": precision,
    }
    _connect(ray, address, cores)
    actors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    actors = min(cores, actors) if cores else actors
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # a block a shard, and so a task a shard
    scored = (
        ray.data.from_items(units, override_num_blocks=max(1, len(units)))
        # The actors take every core, so reading asks for none.
        .flat_map(
            _read_shards,
            fn_kwargs={"text_column": text_column},
            compute=ray.data.TaskPoolStrategy(max(1, min(actors, len(units)))),
            num_cpus=0,
        )
        .map(
            _Scorer,
            fn_constructor_kwargs=scorer,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, initial_size=actors),
            num_cpus=1,
        )
    )
    outcome = Outcome()
    try:
        for row in with_progress(scored.iter_rows(), sys.stderr.isatty(), "shards"):
            outcome += Outcome(row["articles"], row["sentences"], Counter(json.loads(row["errors"])))
    except ray.exceptions.RayError as error:
        raise FramingError(f"the Ray job failed ({_cause(error)})") from None
    for left in folder.glob(".*.part*"):  # by workers that died
        left.unlink()
    return outcome


def _new_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FramingError(f"{folder}: holds files already; give -o a new folder")
    except OSError as error:
        raise FramingError(f"{folder}: cannot be written ({error.strerror}); give -o a new folder") from None
    return folder.resolve()


def _connect(ray: Any, address: str | None, cores: int) -> None:
    """Join the cluster, or start one on this machine that sends no usage reports and says nothing."""
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        _check_reachable(address)
    local: dict[str, Any] = {} if address else {"num_cpus": cores or available_cores(), "include_dashboard": False}
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise FramingError(f"the Ray cluster {address or 'of this machine'} cannot be used ({_first_line(error)})") from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _check_reachable(address: str) -> None:
    """Knock first: Ray tries for minutes, and noisily."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():  # a word of Ray's, as `auto`
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise FramingError(f"no Ray cluster answers at {address} ({error}); start one, or leave --ray-address out") from None


def _units(paths: Iterable[str]) -> Iterator[Row]:
    """What one task reads, as a row: consecutive files by name and absolute path, and items that are no files."""
    members: list[Any] = []
    number = size = 0
    for found in find_files(paths):
        if found == STDIN:
            raise FramingError("standard input cannot be read by several machines; give files to --engine ray")
        if isinstance(found, BadArticle):
            members.append(vars(found))
        else:
            members.append([found, os.path.abspath(found)])
            size += os.path.getsize(found)
        if len(members) == SHARD or size > _READ_TOGETHER:
            yield {"unit": number, "members": json.dumps(members)}
            members, number, size = [], number + 1, 0
    if members:
        yield {"unit": number, "members": json.dumps(members)}


def _read_shards(row: Row, text_column: str) -> Iterator[Row]:
    """The articles of a unit, in rows of up to `SHARD`; as JSON, so that no table format coerces them."""
    shard: list[Item] = []
    number = 0

    def done() -> Row:
        return {"shard": f"part-{row['unit']:05}-{number:05}", "items": to_json([vars(item) for item in shard])}

    for member in json.loads(row["members"]):
        for item in [BadArticle(**member)] if isinstance(member, dict) else read_file(Path(member[1]), text_column, member[0]):
            shard.append(item)
            if len(shard) == SHARD:
                yield done()
                shard, number = [], number + 1
    if shard:
        yield done()


class _Scorer:
    """The model actor: scores a shard's items and writes them; what it gives back is the outcome."""

    def __init__(self, folder: Path, chosen: str, flat: bool, model: str | None, precision: float | None):
        self._folder, self._parquet, self._flat = folder, chosen == Format.parquet, flat
        self._classifier = FramingClassifier.from_pretrained(model, threads=1, precision=precision)
        self._careful = WorkerPool(1, 1, model, precision, self._classifier.model)

    def __call__(self, row: Row) -> Row:
        deaths = sum(1 for _ in self._folder.glob(f".{row['shard']}.*.part"))
        scorer = self._classifier if deaths < _DEATHS else self._careful
        # A name of its own: a worker that only seemed dead may still be writing the same shard.
        part = self._folder / f".{row['shard']}.{uuid.uuid4().hex}.part"
        outcome = self._write(part, scorer.stream(_to_item(fields) for fields in json.loads(row["items"])))
        part.replace(self._folder / f"{row['shard']}.{'parquet' if self._parquet else 'jsonl'}")
        return {"articles": outcome.articles, "sentences": outcome.sentences, "errors": json.dumps(outcome.errors)}

    def _write(self, path: Path, results: Iterable[ArticleResult]) -> Outcome:
        if self._parquet:
            return _write_all(results, ParquetWriter(path, self._classifier.labels, self._flat))
        with path.open("w", encoding="utf-8") as stream:
            return _write_all(results, JsonLinesWriter(stream, self._flat))


def _write_all(results: Iterable[ArticleResult], writer: Writer) -> Outcome:
    outcome = Outcome()
    for result in results:
        writer.write(result)
        outcome.count(result)
    writer.close()
    return outcome


def _to_item(fields: Row) -> Item:
    if "reason" in fields:
        return BadArticle(**fields)
    sentences = fields.pop("sentences")
    return Article(**fields, sentences=None if sentences is None else tuple(sentences))


def _cause(error: BaseException) -> str:
    """The first line of what went wrong in the worker, under the exceptions that Ray wraps it in."""
    while (inner := getattr(error, "cause", None) or error.__cause__) is not None and inner is not error:
        error = inner
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
