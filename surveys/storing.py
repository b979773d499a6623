"""Runs the reads and writes of the answering pages so that none of them holds up another.

On SQLite one thread writes, and commits everything that waits together: one sync of the disk for many submissions.
Nobody is told that something is stored before its COMMIT has returned.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from data.store.engine import Connection, Engine, StoreError, impatient, reading, single_looks, writing

Found = TypeVar("Found")
MOST_TOGETHER = 64
TRIES = 2
MOST_WAITS = 20  # commits one after another that a reader lets pass


class Storing:
    """One store as the pages use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._looks = single_looks(engine)
        self._at_once = impatient(engine)
        self._open: Connection | None = None
        self._together = Together(engine) if self._at_once is not None else None

    async def read(self, work: Callable[[Connection], Found]) -> Found:
        """What `work` finds: in this thread where the store answers at once, else in one that may wait."""
        if self._at_once is not None and self._together is not None:
            for _ in range(TRIES):
                await self._together.until_committed()
                try:
                    return self._read_at_once(self._at_once, work)
                except StoreError:  # locked by somebody's commit, or a trouble that the patient look will name
                    continue
            self._close()
        return await run_in_threadpool(self._read, work)

    async def write(self, work: Callable[[Connection], Found]) -> Found:
        """What `work` says, once its transaction has committed; it does nothing but write."""
        if self._together is not None:
            return await self._together.write(work)
        return await run_in_threadpool(self._write, work)

    def dispose(self) -> None:
        """Wait for what is still being written, then let go of the store."""
        if self._together is not None:
            self._together.finish()
        self._close()
        if self._at_once is not None:
            self._at_once.dispose()

    def _read_at_once(self, engine: Engine, work: Callable[[Connection], Found]) -> Found:
        if self._open is None:
            self._open = engine.connect()
        return work(self._open)

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def _read(self, work: Callable[[Connection], Found]) -> Found:
        with reading(self._looks) as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], Found]) -> Found:
        with writing(self.engine) as connection:
            return work(connection)


@dataclass
class Waiting:
    """One write that somebody waits for, and what came of it."""

    work: Callable[[Connection], Any]
    told: "asyncio.Future[Any]"
    found: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.told.done():  # who waited has gone
            return
        if self.error is not None:
            self.told.set_exception(self.error)
        else:
            self.told.set_result(self.found)


class Together:
    """The one writer of a SQLite store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._is_committing = False
        self._readers: list[asyncio.Future[None]] = []

    async def write(self, work: Callable[[Connection], Found]) -> Found:
        if self._thread is None:  # not earlier: a server's worker is forked
            self._thread = Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()
        waiting = Waiting(work, asyncio.get_running_loop().create_future())
        self._queue.put(waiting)
        found: Found = await waiting.told
        return found

    async def until_committed(self) -> None:
        """A rollback journal shuts readers out while it commits: wait for that instead of running into it."""
        for _ in range(MOST_WAITS):
            if not self._is_committing:
                return
            reader = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            await reader

    def finish(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        ends = False
        while not ends:
            batch, ends = self._next_batch()
            if batch:
                commit(self._engine, batch, self._commits)
                self._is_committing = False
                batch[0].told.get_loop().call_soon_threadsafe(self._tell, batch)

    def _next_batch(self) -> tuple[list[Waiting], bool]:
        """Everything that waits by now, at least one; true with the last batch."""
        batch: list[Waiting] = []
        following = self._queue.get()
        while following is not None:
            batch.append(following)
            if len(batch) == MOST_TOGETHER:
                return batch, False
            try:
                following = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commits(self) -> None:
        self._is_committing = True

    def _tell(self, batch: list[Waiting]) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)
        for waiting in batch:
            waiting.tell()


def commit(engine: Engine, batch: list[Waiting], commits: Callable[[], None] = lambda: None) -> None:
    """Do these writes in one transaction. Who fails in it fails alone: the others are done again without."""
    left = batch
    while left:
        culprit: Waiting | None = None
        try:
            with writing(engine) as connection:
                for culprit in left:
                    culprit.found = culprit.work(connection)
                culprit = None
                commits()
            return
        except Exception as error:
            # BEGIN or COMMIT failed: nobody can know of any of them, so none is called stored.
            failed = [culprit] if culprit is not None else left
            for each in failed:
                each.error = error
            left = [each for each in left if each not in failed]
