"""Samples by the thousand, as arrays: what a batch brings to the engine of one site, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.records import Decision


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of one site, new to the ledger, in order of arrival; arrays of equal length. `slot` is what
    `Engine.slots` says of the point; a value is NaN where the sensor is broken.
    """

    slot: NDArray[np.int32]
    ts_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]
    received_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True, slots=True)
class BlockOutcome:
    """`decisions`: what feeding the same samples one after the other would have given, in that order. `late`: of each
    sample, whether it was late.
    """

    decisions: Sequence[Decision]
    late: NDArray[np.bool_]
