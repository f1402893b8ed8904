"""Rows whose equal words and numbers are one object: a site names some hundred rules in some ten thousand conditions."""

from collections.abc import Callable, Sequence
from typing import Any

_SHARED = (str, int, float)


def sharing() -> Callable[[Sequence[object]], list[Any]]:
    """For the rows of one reading: each as a list, its words and numbers those of earlier rows where they are equal."""
    known: dict[tuple[type[object], object], object] = {}

    def shared(row: Sequence[object]) -> list[Any]:
        # By type as well, for 1 == True == 1.0.
        return [known.setdefault((type(each), each), each) if type(each) in _SHARED else each for each in row]

    return shared
