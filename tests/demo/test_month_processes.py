"""What a site's process gives comes back whole, on the event loop that the command runs on; a process that dies is told."""

import os

import pytest
import uvloop

from demo.month.run import apart
from simulators.errors import SimulationError

LARGE = 5_000_000  # many times what a pipe holds


def test_a_large_answer_comes_back_whole() -> None:
    assert uvloop.run(apart("jinxiu", bytes, LARGE)) == bytes(LARGE)


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(SimulationError, match="jinxiu ended with code 3"):
        uvloop.run(apart("jinxiu", os._exit, 3))
