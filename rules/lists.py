"""Many short lists of numbers as three arrays: what lets a question be asked of hundreds of conditions at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(slots=True)
class Lists:
    """For each of many, a list of numbers; every list has at least one."""

    begin: Numbers
    length: Numbers
    members: Numbers

    @classmethod
    def of(cls, lists: Sequence[Iterable[int]], instead: int) -> "Lists":
        filled = [list(each) or [instead] for each in lists]
        length = np.array([len(each) for each in filled], np.int64)
        members = np.array([number for each in filled for number in each], np.int64)
        return cls(np.cumsum(length) - length, length, members)

    def of_all(self, numbers: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The lists of these one behind the other, where each begins, and how long it is."""
        length = self.length[numbers]
        ends = np.cumsum(length)
        begin = ends - length
        shift: Numbers = np.repeat(begin - self.begin[numbers], length)
        places: Numbers = np.arange(int(ends[-1]), dtype=np.int64) - shift
        return self.members[places], begin, length
