"""A stopped run gives its seat up at once, whatever its thread still waits for."""

import asyncio
import threading
from collections.abc import Iterator

from ui.runs import Run, Seats


class Slow:
    """Gives one value, then waits as long as a model reads its prompt."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.closed = threading.Event()

    def __call__(self) -> Iterator[str]:
        try:
            yield "first"
            assert self.go.wait(20)
            yield "second"
        finally:
            self.closed.set()


def at_once() -> Iterator[str]:
    yield "answer"


def test_the_next_question_does_not_wait_for_a_stopped_one() -> None:
    slow = Slow()

    async def scenario() -> list[str | None]:
        seats = Seats(1, 4)
        stopped = Run(seats, slow)
        async for value in stopped.values():
            assert value in ("first", None)
            if value:
                break
        waiting = Run(seats, at_once)
        await asyncio.sleep(0)
        assert waiting.place == 1
        stopped.stop()
        async with asyncio.timeout(20):
            return [value async for value in waiting.values()]

    assert [value for value in asyncio.run(scenario()) if value] == ["answer"]
    assert not slow.closed.is_set(), "its thread has not come back yet"
    slow.go.set()
    assert slow.closed.wait(20)


def test_stopping_again_and_again_never_asks_more_than_twice_as_many_models() -> None:
    made: list[Slow] = []

    def make() -> Iterator[str]:
        made.append(Slow())
        return made[-1]()

    async def scenario() -> None:
        seats = Seats(2, 20)
        for _ in range(12):
            run = Run(seats, make)
            await asyncio.sleep(0.02)
            run.stop()
        assert len(made) == 4
        for slow in made[:4]:
            slow.go.set()
        async with asyncio.timeout(20):
            last = Run(seats, at_once)
            assert [value async for value in last.values() if value] == ["answer"]

    asyncio.run(scenario())


def test_a_stop_in_the_line_leaves_the_line() -> None:
    slow = Slow()

    async def scenario() -> int:
        seats = Seats(1, 4)
        first, second = Run(seats, slow), Run(seats, slow)
        await asyncio.sleep(0.05)
        second.stop()
        await asyncio.sleep(0.05)
        first.stop()
        return seats.waiting

    assert asyncio.run(scenario()) == 0
    slow.go.set()
