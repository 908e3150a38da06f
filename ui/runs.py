"""Work for a request: a bounded number at once, each in a thread, stopped when nobody listens.

`Run` works an iterator of the product off in a thread and hands its newest value to the event
loop. Values replace each other (an `Answer` holds all text so far), so a slow reader costs no
memory. The thread that opened the iterator closes it, which is what stops a language model.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from statistics import median
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rag.errors import RagError
from ui import api_texts
from ui.api_errors import RETRY_SECONDS, ApiError

logger = logging.getLogger(__name__)

T = TypeVar("T")
# How often a silent run is looked at: is the client still there, is a sign of life due.
PULSE_SECONDS = 0.5
# A stream's headers wait this long for the first words, so that a model that is down is still
# told by the status code.
_OPENING_SECONDS = 5.0
_REMEMBERED_RUNS = 20


class Seats:
    """At most ``running`` at once and ``waiting`` behind them, first come first served."""

    def __init__(self, running: int, waiting: int) -> None:
        self._seats = asyncio.Semaphore(running)
        self._running = running
        self._most = waiting
        self._line: list[object] = []
        self._left = 0
        self._durations: deque[float] = deque(maxlen=_REMEMBERED_RUNS)

    async def take(self, ticket: object) -> None:
        """Wait for a seat; ``ticket`` stands for who waits.

        Raises:
            ApiError: 429, the queue is full.
        """
        if self._seats.locked() and len(self._line) >= self._most:
            message = api_texts.BUSY.format(seconds=RETRY_SECONDS)
            raise ApiError(429, "queue_full", message)
        self._line.append(ticket)
        try:
            await self._seats.acquire()
        finally:
            self._line.remove(ticket)

    def give(self, seconds: float | None) -> None:
        """Leave a seat that was taken for ``seconds``; None where that was no whole run."""
        if seconds is not None:
            self._durations.append(seconds)
        self._seats.release()

    def leave(self) -> bool:
        """Whether a seat may be left before its thread has come back: of as many as there are
        seats, so that stopping never multiplies what a model has to do."""
        if self._left >= self._running:
            return False
        self._left += 1
        return True

    def come_back(self) -> None:
        """A thread whose seat was left has ended."""
        self._left -= 1

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return len(self._line)

    def place(self, ticket: object) -> int:
        """Where in the line a ticket stands, from 1; 0 when it does not wait."""
        return self._line.index(ticket) + 1 if ticket in self._line else 0

    def expected_seconds(self, place: int) -> float | None:
        """How long a place in the line still has to wait, by the latest runs; None before any."""
        if not self._durations:
            return None
        return median(self._durations) * place / self._running


class Run(Generic[T]):
    """Works ``make()`` off from the moment it is created; needs a running event loop."""

    def __init__(self, seats: Seats, make: Callable[[], Iterator[T]]) -> None:
        self._seats = seats
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._newest: T | None = None
        self._news = asyncio.Event()
        self._stopped = threading.Event()
        self._is_seated = self._has_left = self._is_back = False
        self._task = asyncio.create_task(self._work())
        self._task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Give up the seat (see `Seats.leave`), or the place in the line, at once; the thread
        closes the iterator at its next value, which a model that still reads its prompt may take
        long to give."""
        self._stopped.set()
        if self._is_seated and not self._is_back and not self._task.done():
            self._has_left = self._has_left or self._seats.leave()
            if not self._has_left:
                return
        self._task.cancel()

    async def opened(self, seconds: float = _OPENING_SECONDS) -> None:
        """Wait for the first value, at most ``seconds``.

        Raises:
            ApiError, RagError: the run failed before it gave anything.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        if self._newest is None and self._task.done():
            self._result()

    async def ended(self, seconds: float = _OPENING_SECONDS) -> None:
        """Wait for the end, at most ``seconds``.

        Raises:
            ApiError, RagError: the run failed by then.
        """
        if (await asyncio.wait({self._task}, timeout=seconds))[0]:
            self._result()

    async def values(self) -> AsyncIterator[T | None]:
        """The newest value whenever there is one, None after every `PULSE_SECONDS` without.

        Raises:
            ApiError, RagError: the run failed.
        """
        while True:
            try:
                async with asyncio.timeout(PULSE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                yield None
                continue
            self._news.clear()
            newest, self._newest = self._newest, None
            if newest is not None:
                yield newest
            if self._task.done() and self._newest is None:
                self._result()
                return

    async def last(self, request: Request) -> T:
        """The last value; the run stops when the client goes away.

        Raises:
            ApiError, RagError: the run failed, or nobody is left to hear it (499).
        """
        last: T | None = None
        try:
            async for value in self.values():
                last = last if value is None else value
                if not self._task.done() and await request.is_disconnected():
                    break
            else:
                if last is not None:
                    return last
        finally:
            self.stop()
        raise ApiError(499, "client_closed_request", api_texts.CLIENT_GONE)

    @property
    def place(self) -> int:
        """Where in the line the run waits, from 1; 0 once it has a seat."""
        return self._seats.place(self)

    async def _work(self) -> None:
        await self._seats.take(self)
        self._is_seated = True
        started = time.monotonic()
        try:
            # A thread of anyio does not hold up the end of the process.
            await anyio.to_thread.run_sync(
                self._iterate, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
            )
        finally:
            seconds = None if self._stopped.is_set() else time.monotonic() - started
            self._stopped.set()
            self._seats.give(seconds)

    def _iterate(self) -> None:
        try:
            if self._stopped.is_set():
                return
            steps: Any = self._make()
            with closing(steps):
                for step in steps:
                    if self._stopped.is_set():
                        return
                    self._tell(self._put, step)
        except Exception:
            if self._has_left:  # nobody else hears of it
                logger.exception("a stopped question's run failed")
            raise
        finally:
            self._tell(self._come_back)

    def _tell(self, listener: Callable[..., None], *values: T) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server ends
            self._loop.call_soon_threadsafe(listener, *values)

    def _come_back(self) -> None:
        self._is_back = True
        if self._has_left:
            self._seats.come_back()

    def _result(self) -> None:
        """Raise what the run failed with; a stopped one has not failed."""
        if not self._task.cancelled():
            self._task.result()

    def _put(self, value: T) -> None:
        self._newest = value
        self._news.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._news.set()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, RagError):
            logger.warning("question not answered: %s", type(error).__name__)
        elif error is not None and not isinstance(error, ApiError):
            logger.error("a question's run failed", exc_info=error)


class EventStream(StreamingResponse):
    """Server-sent events of a run, which stops when they are over or the client is gone."""

    media_type = "text/event-stream"

    def __init__(self, run: Run[Any], events: AsyncIterator[str]) -> None:
        # X-Accel-Buffering: nginx would hold the events back.
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._run.stop()
