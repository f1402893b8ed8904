"""Counters that processes of one run share: a small file that all of them map."""

import mmap
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

# BOUND: messages that may be sent and not consumed yet; RATE: messages a second. 0 is without a bound, both.
SENT, ACKNOWLEDGED, CONSUMED, STOP, RATE, STARTED, BOUND = range(7)
_COUNT = 16


class Counters:
    """Each number has one writer. Reading and writing eight aligned bytes is whole on the machines we run on."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(bytes(8 * _COUNT))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8 * _COUNT)
        self._numbers = np.frombuffer(self._map, dtype=np.int64)
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._numbers
        self._map.close()

    def __getitem__(self, which: int) -> int:
        return int(self._numbers[which])

    def __setitem__(self, which: int, number: int) -> None:
        self._numbers[which] = number
