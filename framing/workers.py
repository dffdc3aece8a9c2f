"""Scoring in several processes of one machine: the same results in the same order, whatever becomes of a process."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait

from framing.articles import BadArticle, Item
from framing.errors import FramingError
from framing.results import ArticleResult, failed

#: Articles that go to a worker at once.
_BATCH = 4

#: Batches read ahead per worker: what waits for a slow one must not grow.
_AHEAD = 3

#: Workers that may die one after another before any of them is ready.
_FAILED_STARTS = 3


@dataclass(eq=False)
class _Job:
    """A batch of articles; its results stand in the order of the input, so a batch that is scored anew is split in place."""

    items: list[Item]
    results: list[ArticleResult] | None = None
    second_try: bool = False


class _Worker:
    """A process that opens the model, says that it is ready, and then answers each batch with its results."""

    def __init__(self, model: str | None, threads: int, precision: float | None):
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks, but not the threads
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, model, threads, precision), daemon=True)
        with _interrupts_blocked():
            self.process.start()
        theirs.close()  # or the end of the process would not end the pipe
        self.ready = False
        self.job: _Job | None = None

    def take(self, jobs: deque[_Job]) -> bool:
        """Start on the first of the jobs; False where this worker has died, perhaps of it, if not before."""
        self.job = jobs.popleft()
        try:
            self.connection.send(self.job.items)
        except ConnectionError:
            return False
        return True

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process that is started here never sees Ctrl-C: the one that started it ends it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # or it starts inside, with the first process, and lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, model: str | None, threads: int, precision: float | None) -> None:
    """The worker's side; it ends when the other side of the pipe does, also where that was killed."""
    from framing.distributed import score_batch  # here: the process that only starts others needs no runtime

    try:
        try:
            score_batch([], model, threads=threads, precision=precision)
        except FramingError as error:
            connection.send(error)
            return
        connection.send(None)
        while True:
            connection.send(score_batch(connection.recv(), model, threads=threads, precision=precision))
    except (EOFError, ConnectionError):
        return


class WorkerPool:
    """Scores articles in several processes; this one opens no model.

    Args:
        workers, threads: processes, and windows scored at once in each (1 or more).
        model, precision: as in `FramingClassifier.from_pretrained`.
        title: the model's, for the records of articles that no worker survives.
    """

    def __init__(self, workers: int, threads: int, model: str | None, precision: float | None, title: str):
        self._settings = (model, threads, precision)
        self._count = workers
        self._title = title
        self._workers: list[_Worker] = []
        self._pending: deque[_Job] = deque()  # in the order of the input
        self._unstarted: deque[_Job] = deque()
        self._failed_starts = 0

    def open(self) -> None:
        """Start the workers and wait until one of them has opened the model; `stream` does it where it was not done.

        Raises `FramingError` where the model cannot be opened, or workers die before they have opened it.
        """
        self._failed_starts = 0
        try:
            self._workers = [_Worker(*self._settings) for _ in range(self._count)]
            while not any(worker.ready for worker in self._workers):
                self._hear()
        except BaseException:
            self._close()
            raise

    def stream(self, items: Iterable[Item]) -> Generator[ArticleResult, None, None]:
        """Score an iterable lazily, in order, in constant memory. Raises as `open` does; the workers end with the stream.

        The articles of a worker that dies are scored once more, each alone; one whose worker dies again becomes a
        result with the error `worker_died`.
        """
        if not self._workers:
            self.open()
        remaining = iter(items)
        try:
            while True:
                while len(self._pending) < self._count * _AHEAD and (batch := list(islice(remaining, _BATCH))):
                    self._pending.append(_Job(batch))
                    self._unstarted.append(self._pending[-1])
                if not self._pending:
                    return
                self._give_out()
                if self._pending[0].results is not None:  # the workers are busy meanwhile
                    yield from self._pending.popleft().results or []
                else:
                    self._hear()
        finally:
            self._close()

    def _close(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []
        self._pending.clear()
        self._unstarted.clear()

    def _give_out(self) -> None:
        for position, worker in enumerate(self._workers):
            if worker.ready and worker.job is None and self._unstarted and not worker.take(self._unstarted):
                self._replace(position)

    def _hear(self) -> None:
        """Wait until a worker has something to say or dies, which costs it its place."""
        answers = wait([worker.connection for worker in self._workers if worker.job or not worker.ready])
        for position, worker in enumerate(self._workers):
            if worker.connection in answers and not self._receive(worker):
                self._replace(position)

    def _receive(self, worker: _Worker) -> bool:
        """Take what the worker has to say; False where it has died."""
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            return False
        if isinstance(answer, FramingError):
            raise answer
        if worker.job is None:
            worker.ready, self._failed_starts = True, 0
        else:
            worker.job.results, worker.job = answer, None
        return True

    def _replace(self, position: int) -> None:
        dead = self._workers[position]
        dead.end()
        if not dead.ready:
            self._failed_starts += 1
            if self._failed_starts == _FAILED_STARTS:
                raise FramingError(
                    f"{_FAILED_STARTS} worker processes ended before they had opened the model, perhaps for want of memory; "
                    "use fewer of them"
                )
        elif dead.job and dead.job.second_try:
            dead.job.results = [self._gave_up(item) for item in dead.job.items]
        elif dead.job:
            again = [_Job([item], second_try=True) for item in dead.job.items]
            place = self._pending.index(dead.job)
            self._pending.remove(dead.job)
            for job in reversed(again):
                self._pending.insert(place, job)
                self._unstarted.appendleft(job)
        self._workers[position] = _Worker(*self._settings)

    def _gave_up(self, item: Item) -> ArticleResult:
        where = f"{item.source}: " if item.source else ""
        message = f"{where}the process that scored it ended twice, perhaps for want of memory"
        bad = item if isinstance(item, BadArticle) else BadArticle(item.source, "worker_died", message, item.id, item.meta)
        return failed(bad, self._title)
