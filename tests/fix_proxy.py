"""A TCP proxy that breaks the cable on command, between whatever is tested and a real server."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from simulators.cable import FaultProxy

OpenProxy = Callable[[str], Awaitable[FaultProxy]]


@pytest.fixture
async def open_proxy() -> AsyncIterator[OpenProxy]:
    """Called with a URL, gives a started proxy before that server; its `url(of)` leads through it."""
    opened: list[FaultProxy] = []

    async def start(url: str) -> FaultProxy:
        opened.append(await FaultProxy.before(url))
        return opened[-1]

    yield start
    for proxy in opened:
        await proxy.stop()
