"""The end of a transaction that moves many things: the dossier's entries in one piece, each alarm and order told once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby

from ledger import dossier, gathering, notices
from ledger.gathering import Gathered, GatheredEntry
from ledger.pool import Connection


@asynccontextmanager
async def gathered(connection: Connection) -> AsyncGenerator[None]:
    """Dossier entries and notices of what happens inside are written on leaving: the entries in their order, of each
    alarm and order one notice that says how it stands then. Nothing, if leaving by an error: there is no commit then.
    """
    kept = gathering.begin(connection)
    try:
        yield
    finally:
        gathering.end(connection)
    await _write(connection, kept)


async def _write(connection: Connection, kept: Gathered) -> None:
    for made in kept.moves:
        assert await made.fetchone() is not None, "the facility's lock keeps a condition from moving under us"
    asked = await notices.ask(connection, kept.alarms, kept.work_orders)
    for (site_id, now), entries in groupby(kept.entries, key=_of_one_piece):
        named = [dossier.NewEntry(each.facility_id, each.kind, each.body) for each in entries]
        await dossier.append_all(connection, site_id, named, now)
    await notices.tell(connection, asked)


def _of_one_piece(entry: GatheredEntry) -> tuple[int, datetime]:
    return entry.site_id, entry.now
