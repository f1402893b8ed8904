"""`eventually`: wait for a condition with a deadline. The only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import pytest

T = TypeVar("T")
_POLL_S = 0.02


class Eventually(Protocol):
    async def __call__(self, predicate: Callable[[], T | Awaitable[T]], deadline_s: float = 30.0) -> T: ...


async def wait_until(predicate: Callable[[], T | Awaitable[T]], deadline_s: float = 30.0) -> T:
    """The first truthy value of `predicate`, which may be async. A failed assertion inside it means: not yet.

    At the deadline the last assertion is raised, or a failure that shows the last value.
    """
    until = time.monotonic() + deadline_s
    while True:
        doubt: AssertionError | None = None
        value: T | None = None
        try:
            answer = predicate()
            value = await answer if inspect.isawaitable(answer) else answer
        except AssertionError as error:
            doubt = error
        if value:
            return value
        if time.monotonic() > until:
            if doubt is not None:
                raise doubt
            pytest.fail(f"still {value!r} after {deadline_s} s")
        await asyncio.sleep(_POLL_S)


@pytest.fixture
def eventually() -> Eventually:
    """Call it with a predicate and a deadline in seconds, and await it."""
    return wait_until


async def loop_turns(turns: int) -> None:
    """Let everything else on the event loop go on so many steps: for what must hold at each of them."""
    for _ in range(turns):
        await asyncio.sleep(0)
