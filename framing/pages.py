"""Web pages → the article in them, extracted by trafilatura in a process of its own.

The HTML library takes minutes for some small pages (quadratic in the attributes of a tag, for one) and cannot be
interrupted from within. So pages go to a child process that is killed when one takes too long; the next page starts a
new one. Child and parent exchange a length and that many bytes: the page as UTF-8, the article as JSON.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from typing import IO, Any

from framing.errors import UnreadableError
from framing.limits import MEGABYTE, over

#: Address space of the child, in megabytes: a page of 8 MB takes some hundreds.
_MEMORY_MB = 4_000

_COMMAND = (sys.executable, "-c", "from framing.pages import serve; serve()")


class _Extractor:
    """The child process, started with the first page and again after it was killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def extract(self, page: str, seconds: int) -> dict[str, Any] | None:
        with self._lock:
            process = self._process = self._process or _start()
            assert process.stdin is not None
            assert process.stdout is not None
            timer = threading.Timer(seconds, process.kill)
            timer.start()
            try:
                _send(process.stdin, page.encode(errors="replace"))
                answer = _receive(process.stdout)
            except OSError:
                answer = None
            finally:
                in_time = timer.is_alive()
                timer.cancel()
            if answer is None:
                self._process = None
                process.kill()
                process.communicate()
                if in_time:
                    raise UnreadableError("unreadable", "the HTML library gave up on this page")
                raise over("too_slow", f"took more than {seconds} s to extract", "page_seconds")
        found: dict[str, Any] | None = json.loads(answer)
        return found

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()


_extractor = _Extractor()
atexit.register(_extractor.stop)


def extract(page: str, seconds: int) -> dict[str, Any] | None:
    """`text`, `title`, `url`, `outlet` and `date` of the article in a page, None where none is found.

    Raises `UnreadableError` where it takes more than `seconds` or the library fails.
    """
    return _extractor.extract(page, seconds)


def _start() -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the parent, which stops this one
    )
    assert process.stdout is not None
    _receive(process.stdout)  # it says that it is ready: loading the library is not the first page's time
    return process


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    head = stream.read(8)
    size = int.from_bytes(head, "big")
    data = stream.read(size) if len(head) == 8 else b""
    return data if len(head) == 8 and len(data) == size else None


def serve() -> None:
    """The child: answer pages on standard input until it closes."""
    _limit_memory()
    import trafilatura

    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _send(answers, b"ready")
    sys.stdout = sys.stderr  # or a word that the library prints would be taken for an answer
    while (page := _receive(requests)) is not None:
        document = trafilatura.bare_extraction(page.decode(), include_comments=False, include_tables=False, with_metadata=True)
        fields = {"text": "text", "title": "title", "url": "url", "outlet": "sitename", "date": "date"}
        found = document and {name: getattr(document, field) for name, field in fields.items()}
        _send(answers, json.dumps(found or None).encode())


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MB * MEGABYTE, resource.RLIM_INFINITY))
    except (ImportError, OSError, ValueError):  # not on this system; page_mb and page_seconds hold all the same
        pass
