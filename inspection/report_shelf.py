"""Files drawn of issued reports, kept in memory: what was issued never changes, and a long one takes seconds to draw."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

BYTES_MAX = 64 * 2**20  # [E]: some hundred ordinary reports; the longest that there can be is 3 MB


class Shelf:
    """The least asked for goes first. Used from several threads."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def drawn(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """As it lies there; else drawn and laid there. Who waited while another drew it finds it."""
        found = self.get(key)
        if found is not None:
            return found
        made = draw()
        with self._lock:
            if key not in self._kept and len(made) <= self._bytes_max:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._bytes_max:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone)
        return made
