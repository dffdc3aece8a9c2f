"""Feed broken files to the readers and to the model folder loader: python scripts/fuzz.py --minutes 20

Every case is one valid file with seeded random damage. A reader must give articles or error records, the loader a model
that scores or a `FramingError` of one line; an exception, a crash, more than --seconds or more than 4 GB is a finding.
Each is written into --findings as the file that did it, beside a text that says what happened. Cases run in a child
process; --seed and a case's number give the same case again. Exit status 1 where there are findings.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from framing.errors import run_script

SHIPPED = Path(__file__).parent.parent / "framing" / "models" / "default"
CASES_PER_CHILD = 500
MEMORY = 4_000_000_000

TEXT = "The ministry said: “The bridge is shut.” No evidence, the mayor’s office\nsaid. Cafe\u0301 😀 closed at 9 a.m. (see p. 4)."
ROWS = [
    {"id": "1", "title": "T", "url": "u", "date": "2031-01-02", "text": TEXT, "n": 1, "x": None},
    {"id": "2", "title": "", "url": "u", "date": "", "text": 'It "was", he said.', "n": -2.5e3, "x": "y"},
]
TOKENS = [
    *(
        b'"',
        b"'",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[" * 300,
        b",",
        b":",
        b"\n",
        b"\r",
        b"\t",
        b"<",
        b">",
        b"&#0;",
        b"<![CDATA[",
        b"\0",
    ),
    *(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f", b"\\ud800", b"\\u0000", b"\xe2\x80\xa8", b"\x1b]0;"),
    *(
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-1",
        b"0",
        b"9" * 400,
        b"4294967296",
        b"18446744073709551616",
        b"null",
        b"true",
        b'""',
        b"{}",
    ),
    *(b"\xff" * 8, b"\x80" * 9 + b"\x01", b"\x7f\xff\xff\xff", b"..", b"../../etc/hostname", b"a" * 5000, "\u0301".encode() * 300),
]


def seeds(model: Path) -> dict[str, bytes]:
    """One valid file of each kind, by its name."""
    table = 'id,text,n\n1,"The town\nsaid ""no"".",2\n2,The river,3\n'
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    paragraphs = "".join(f"<p>{TEXT} On day {n} the pilots stayed at home &amp; slept.</p>" for n in range(6))
    page = f'<html><head><title>T</title><meta property="og:url" content="http://a.b/"></head><body><article>{paragraphs}</article>'
    found = {
        "a.txt": TEXT.encode(),
        "b.txt": TEXT.encode("utf-16"),
        "a.jsonl": lines.encode(),
        "b.jsonl": lines.encode("utf-16"),
        "a.json": json.dumps(ROWS).encode(),
        "a.csv": table.encode(),
        "b.csv": table.encode("utf-16"),
        "a.tsv": table.replace(",", "\t").encode(),
        "a.html": page.encode(),
    }
    try:
        import pyarrow as pa
        from pyarrow import parquet

        settings: list[dict[str, Any]] = [{}, {"use_dictionary": False, "compression": "none"}, {"compression": "gzip"}]
        for number, options in enumerate(settings):
            sink = io.BytesIO()
            parquet.write_table(pa.Table.from_pylist([{**row, "s": ["a", "b"], "n": 1.5} for row in ROWS * 9]), sink, **options)
            found[f"{number}.parquet"] = sink.getvalue()
    except ModuleNotFoundError:
        pass
    return found | {name: (model / name).read_bytes() for name in ("framing.json", "tokenizer.json", "model.onnx")}


def make_case(seed: int, number: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Name and content of case `number`."""
    chance = random.Random(f"{seed}:{number}")
    name = chance.choice(sorted(files))
    if chance.random() < 0.02:
        return name, chance.randbytes(chance.randrange(2_000))
    content = files[name]
    for _ in range(chance.choice([1, 1, 2, 3, 6, 20])):
        content = damage(chance, content, files)
    return name, content


def damage(chance: random.Random, content: bytes, files: dict[str, bytes]) -> bytes:
    """`content` with one piece of it changed; in long files half the time near an end, where their structure is."""
    reach = len(content) if len(content) < 20_000 or chance.random() < 0.5 else 4_000
    start = chance.randrange(reach + 1)
    start = start if chance.random() < 0.5 else len(content) - start
    stop = min(len(content), start + chance.choice([0, 1, 1, 4, 40, 400]))
    piece = content[start:stop]
    kind = chance.randrange(7)
    if kind == 0:
        piece = bytes(byte ^ (1 << chance.randrange(8)) for byte in piece)
    elif kind == 1:
        piece = chance.choice(TOKENS)
    elif kind == 2:
        piece *= chance.choice([0, 2, 3, 50])
    elif kind == 3:
        piece = chance.randbytes(len(piece))
    elif kind == 4:
        other = files[chance.choice(sorted(files))][:100_000]
        at = chance.randrange(len(other))
        piece = other[at : at + chance.choice([4, 40, 400])]
    elif kind == 5 and chance.random() < 0.3:
        return content[:start]
    elif kind == 6 and len(content) < 2_000_000:
        numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?", content))
        if numbers:
            start, stop = chance.choice(numbers).span()
            piece = chance.choice([b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"1e308", b"2147483648", b'"1"', b"null", b"[]"])
    return content[:start] + piece + content[stop:]


def run_case(name: str, content: bytes, model: Path, scratch: Path) -> None:
    """Raise where something else comes of the file than an article, an error record, a model or a `FramingError`."""
    from framing.articles import Article, read_file
    from framing.classifier import FramingClassifier
    from framing.errors import REASONS, FramingError
    from framing.records import parse_record
    from framing.results import to_json
    from framing.text import quotations, split_sentences

    if name in ("framing.json", "tokenizer.json", "model.onnx"):
        for other in ("framing.json", "tokenizer.json", "model.onnx"):
            (scratch / other).unlink(missing_ok=True)
            if other != name:
                (scratch / other).symlink_to(model.resolve() / other)
        (scratch / name).write_bytes(content)
        try:
            classifier = FramingClassifier.from_pretrained(scratch, threads=1)
        except FramingError as error:
            if len(str(error).splitlines()) != 1:
                raise RuntimeError("an error of more than one line") from error
            return
        for result in classifier.score([TEXT, "No evidence 😀 " * 200]):
            assert result.error or parse_record(json.loads(to_json(result.to_dict()))), "no record"
        return
    path = scratch / name
    path.write_bytes(content)
    for item in itertools.islice(read_file(path), 300):
        json.loads(to_json(item.meta))
        if isinstance(item, Article):
            spans, words = split_sentences(item.text), "".join(item.text.split())
            assert "".join("".join(item.text[a:b] for a, b in spans).split()) == words, "words lost"
            quotations(item.text)
        else:
            assert item.reason in REASONS, item.reason


def serve(arguments: argparse.Namespace) -> None:
    """The child: say the number of each case before it and what it raised after it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    progress = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no progress
    files = seeds(arguments.model)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(arguments.first, arguments.first + CASES_PER_CHILD):
            print(number, file=progress, flush=True)
            try:
                run_case(*make_case(arguments.seed, number, files), arguments.model, Path(scratch))
            except Exception:
                print(json.dumps(traceback.format_exc()), file=progress, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=60, help="longest a case may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a small model makes it faster")
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.first is not None:
        serve(arguments)
        return
    files, end, number, found = seeds(arguments.model), time.monotonic() + 60 * arguments.minutes, 0, Counter[str]()
    done = Counter[str]()
    while time.monotonic() < end:
        command = [sys.executable, __file__, *sys.argv[1:], "--first", str(number)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert child.stdout is not None
        slow = threading.Timer(arguments.seconds, child.kill)
        slow.start()
        for line in child.stdout:
            slow.cancel()
            if line.startswith('"'):
                report(arguments, number - 1, files, json.loads(line), found)
            else:
                done[make_case(arguments.seed, int(line), files)[0]] += 1
                number = int(line) + 1
            if time.monotonic() > end:
                child.kill()
                break
            slow = threading.Timer(arguments.seconds, child.kill)
            slow.start()
        in_time = slow.is_alive() or time.monotonic() > end
        slow.cancel()
        status = child.wait()
        if status and time.monotonic() < end:
            report(arguments, number - 1, files, f"ended with status {status}" if in_time else "too slow", found)
        print(f"{number} cases, {found.total()} findings", file=sys.stderr, flush=True)
    print(f"{number} cases ({', '.join(f'{name} {count}' for name, count in sorted(done.items()))})")
    print(f"{found.total()} findings {dict(found)}")
    sys.exit(1 if found else 0)


def report(arguments: argparse.Namespace, number: int, files: dict[str, bytes], what: str, found: Counter[str]) -> None:
    """Write the case into the findings, with what came of it."""
    name, content = make_case(arguments.seed, number, files)
    found[f"{name}: {what.strip().splitlines()[-1][:100]}"] += 1
    arguments.findings.mkdir(parents=True, exist_ok=True)
    (arguments.findings / f"{arguments.seed}-{number}-{name}").write_bytes(content)
    (arguments.findings / f"{arguments.seed}-{number}.log").write_text(what, encoding="utf-8")
    print(f"case {number}, {name}: {what.strip().splitlines()[-1][:200]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_script(main)
