"""The leash of a worker that somebody else started: its standard input, a pipe that the kernel closes when they are gone."""

import asyncio
import os
import sys


def hold(stop: asyncio.Event) -> None:
    """Stop when whoever holds our standard input has let go of it."""
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def look() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            stop.set()

    loop.add_reader(descriptor, look)
