"""Readings in the wire form of a binary COPY, and the COPY of them: what a table takes at most."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import databases

BATCH_ROWS = 6_000  # 2,000 messages of three values
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_POSTGRES_EPOCH_MS = 946_684_800_000
_ROW = np.dtype(
    [
        ("fields", ">i2"), ("point_size", ">i4"), ("point", ">i4"), ("ts_size", ">i4"), ("ts", ">i8"),
        ("value_size", ">i4"), ("value", ">f8"), ("quality_size", ">i4"), ("quality", ">i2"),
    ]
)  # fmt: skip


def batches(point_ids: NDArray[np.int32], begin_ms: int) -> Iterator[bytes]:
    """Without end, as telemetry arrives: each point in turn, time going on, values near 1."""
    random = np.random.default_rng(1)
    rows = np.zeros(BATCH_ROWS, dtype=_ROW)
    rows["fields"], rows["point_size"], rows["ts_size"] = 4, 4, 8
    rows["value_size"], rows["quality_size"] = 8, 2
    place = np.arange(BATCH_ROWS)
    while True:
        rows["point"] = point_ids[place % len(point_ids)]
        rows["ts"] = (begin_ms + place // len(point_ids) * 50 - _POSTGRES_EPOCH_MS) * 1_000
        rows["value"] = np.round(1 + random.random(BATCH_ROWS) / 100, 5)
        yield _SIGNATURE + rows.tobytes() + _END
        place += BATCH_ROWS


@dataclass(frozen=True, slots=True)
class Copied:
    rows: int
    seconds: float


async def copy(url: str, begin_ms: int, *, seconds: float = 1e9, rows_max: int = 1 << 40) -> Copied:
    """One COPY, one commit for each batch, on one connection, until the time or the rows are up."""
    async with await databases.connect(url) as opened:
        cursor = await opened.execute("select id from point order by id")
        ids = np.array([row[0] for row in await cursor.fetchall()], dtype=np.int32)
        made = batches(ids, begin_ms)
        copied, begun = 0, time.monotonic()
        while copied < rows_max and time.monotonic() - begun < seconds:
            async with opened.cursor() as writer, writer.copy(COPY) as out:
                await out.write(next(made))
            copied += BATCH_ROWS
        return Copied(copied, time.monotonic() - begun)


COPY = "copy reading (point_id, ts, value, quality) from stdin (format binary)"
