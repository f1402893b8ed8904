"""What a transaction has to say of its subjects, kept until its end (`ledger.closing`) and said once there.

One that moves an alarm four times would else read it four times, and tell four times what nobody sees before it commits.
Where nothing is gathered, everything is written at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ledger.pool import Connection


@dataclass(frozen=True, slots=True)
class GatheredEntry:
    """An entry of a facility's dossier."""

    site_id: int
    facility_id: int
    kind: str
    body: Mapping[str, object]
    now: datetime


@dataclass(slots=True)
class Gathered:
    """Of one transaction, in the order in which it came."""

    entries: list[GatheredEntry] = field(default_factory=list[GatheredEntry])
    alarms: dict[int, datetime] = field(default_factory=dict[int, datetime])  # changed, and when
    work_orders: dict[int, datetime] = field(default_factory=dict[int, datetime])
    moves: list[AsyncCursor[TupleRow]] = field(
        default_factory=list[AsyncCursor[TupleRow]]
    )  # each made, if it has a row


_gathering: WeakKeyDictionary[Connection, Gathered] = WeakKeyDictionary()


def of(connection: Connection) -> Gathered | None:
    """None: whatever is to be written is written at once."""
    return _gathering.get(connection)


def begin(connection: Connection) -> Gathered:
    assert connection not in _gathering, "a transaction gathers once"
    gathered = _gathering[connection] = Gathered()
    return gathered


def end(connection: Connection) -> None:
    del _gathering[connection]
