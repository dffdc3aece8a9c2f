"""Kill a scoring job again and again and resume it: python scripts/kill_test.py [--articles 500] [--kills 20]

Scores the articles once undisturbed. Then, and each time the output must end byte-identical:
- with SIGKILL at random moments, resumed after each;
- on a disk that is full after a quarter, a half and three quarters of the output, resumed after each: a limit on the
  size of files, or with --tmpfs, for root on Linux, a small file system of its own;
- into a pipe whose reader goes away: what it read must be the beginning of the undisturbed output.

Takes real articles from --data where that file exists, the shipped samples otherwise, over and over. Linux and macOS.
"""

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from framing.errors import FramingError, run_script

ROOT = Path(__file__).parent.parent
LIMITS = (0.25, 0.5, 0.75)


def write_articles(data: Path, count: int, path: Path) -> None:
    """The first `count` articles of JSON lines, or so many of the shipped samples, as JSON lines with ids."""
    if data.exists():
        with gzip.open(data, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in islice(lines, count)]
    else:
        texts = [sample.read_text(encoding="utf-8") for sample in sorted((ROOT / "framing" / "samples").glob("*.txt"))]
    rows = ({"id": str(number), "text": text} for number, text in enumerate(islice(cycle(texts), count)))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise FramingError(f"FAILED: {what}")


def kill_and_resume(command: list[str], output: Path, kills: int, journal_size: int) -> None:
    """Start the job `kills` times; kill it while it starts, or when its journal has grown by a random part."""
    journal = output.with_name(output.name + ".journal")
    for number in range(1, kills + 1):
        job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        if random.random() < 0.2:
            time.sleep(random.random())
        else:
            before = journal.stat().st_size if journal.exists() else 0
            goal = before + random.uniform(0, 2 * journal_size / kills)
            while job.poll() is None and not (journal.exists() and journal.stat().st_size > goal):
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.05))
        job.kill()
        errors = job.communicate()[1]
        expect(job.returncode in (0, 1, -9), f"the job ended by itself with {job.returncode}: {errors}")
        lines = journal.read_text(encoding="utf-8").count("\n") if journal.exists() else 0
        print(f"kill {number}: {'it had ended' if job.returncode >= 0 else f'{max(0, lines - 1)} articles in the journal'}")


def fill_and_resume(command: list[str], folder: Path, size: int, is_mounted: bool) -> None:
    """Run the job where ever larger parts of the `size` bytes of the output fit, then lift the limit."""
    for part in LIMITS:
        limit = int(part * size)
        if is_mounted:
            subprocess.run(["mount", "-o", f"remount,size={limit}", folder], check=True)
        limited = None if is_mounted else partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        job = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited)
        expect(job.returncode == 2 and job.stderr.count("\n") == 1, f"status {job.returncode} on a full disk: {job.stderr}")
        print(f"full at {part:.0%}: {job.stderr.strip()}")
    if is_mounted:
        subprocess.run(["mount", "-o", "remount,size=50%", folder], check=True)


def close_pipe(command: list[str], undisturbed: bytes) -> None:
    """Read about half of what the job writes into a pipe, and close it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        read = job.stdout.read(len(undisturbed) // 2)
        job.stdout.close()
        errors = job.stderr.read()
    expect(job.returncode == 1 and not errors, f"status {job.returncode} at a closed pipe: {errors.decode()}")
    expect(undisturbed.startswith(read), "what the pipe carried is not the beginning of the undisturbed output")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "unlabelled" / "articles.jsonl.gz")
    parser.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl")
    parser.add_argument("--tmpfs", action="store_true", help="fill a file system of its own; needs the right to mount")
    parser.add_argument("--seed", type=int, help="of the random moments")
    parser.add_argument("options", nargs="*", help="after --: options of framing score, as --model DIR or --workers 2")
    args = parser.parse_args()
    random.seed(args.seed)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        articles = folder / "articles.jsonl"
        write_articles(args.data, args.articles, articles)
        score = [sys.executable, "-m", "framing", "score", str(articles), *args.options]

        def finish(command: list[str], output: Path) -> bytes:
            job = subprocess.run(command, capture_output=True, text=True)
            expect(job.returncode in (0, 1), f"status {job.returncode}: {job.stderr}")
            print(f"to the end: {job.stderr.strip()}")
            return output.read_bytes()

        name = f"scored.{args.format}"
        started = time.monotonic()
        expected = finish([*score, "-o", str(folder / name)], folder / name)
        journal_size = (folder / f"{name}.journal").stat().st_size
        print(f"undisturbed: {len(expected)} bytes in {time.monotonic() - started:.0f} s")

        killed = folder / f"killed.{args.format}"
        command = [*score, "--resume", "-o", str(killed)]
        kill_and_resume(command, killed, args.kills, journal_size)
        expect(finish(command, killed) == expected, "the killed job's output differs")
        expect(b"nothing left to do" in subprocess.run(command, capture_output=True).stderr, "a finished job went on")

        filled = folder / "disk" / name
        command = [*score, "--resume", "-o", str(filled)]
        filled.parent.mkdir()
        if args.tmpfs:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", filled.parent], check=True)
        try:
            fill_and_resume(command, filled.parent, len(expected), args.tmpfs)
            expect(finish(command, filled) == expected, "the output on the full disk differs")
        finally:
            if args.tmpfs:
                subprocess.run(["umount", filled.parent], check=True)

        if args.format != "parquet":
            close_pipe([*score, "--format", args.format], expected)
            print("closed pipe: a quiet end, and nothing wrong in what was read")
        print("all outputs are byte-identical to the undisturbed one")


if __name__ == "__main__":
    run_script(main)
