"""Conditions as people look them up: which rules watch a facility, in which state, under which flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import TupleRow

from ledger.errors import NotFound
from ledger.lifecycle import ConditionState, ShownState, shown_state
from ledger.pool import Connection
from ledger.records import Grade, Severity


@dataclass(frozen=True, slots=True)
class ConditionEntry:
    """A condition with its place and its flags, and the alarm that stands for it now."""

    id: int
    site_key: str
    facility_id: int
    facility_key: str
    facility_kind: str
    facility_name_zh: str
    facility_name_en: str
    grade: Grade
    part_key: str | None
    rule_key: str
    severity: Severity
    state: ConditionState
    state_since: datetime | None
    suppressed: bool
    out_of_service: bool
    out_of_service_reason: str | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelved_one_shot: bool
    alarm_id: int | None

    @property
    def shown(self) -> ShownState:
        return shown_state(
            self.state,
            out_of_service=self.out_of_service,
            suppressed=self.suppressed,
            shelved=self.shelved_until is not None,
        )


@dataclass(frozen=True, slots=True)
class ConditionFilter:
    """What to show. None or empty: do not ask."""

    site: str | None = None
    facility: str | None = None
    rule: str | None = None
    states: Sequence[ConditionState] = ()
    flagged: bool | None = None  # out of service, suppressed or shelved


_COLUMNS = (
    "select condition.id, site.key, facility.id, facility.key, facility.kind, facility.name_zh, facility.name_en, "
    "grade, part.key, rule_key, condition.severity, state, state_since, suppressed, out_of_service, "
    "out_of_service_reason, shelved_until, shelved_by, shelved_one_shot, "
    "(select alarm.id from alarm where alarm.condition_id = condition.id and alarm.ended_at is null) "
    "from condition join facility on facility.id = condition.facility_id join site on site.id = condition.site_id "
    "left join part on part.id = condition.part_id "
)


async def get(connection: Connection, condition_id: int) -> ConditionEntry:
    """Raises NotFound; a retired one is still found, for its journal."""
    cursor = await connection.execute(_COLUMNS + "where condition.id = %s", [condition_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("condition", condition_id)
    return _entry(row)


async def by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, ConditionEntry]:
    """Those in scope of them; retired ones are still found."""
    cursor = await connection.execute(_COLUMNS + "where condition.id = any(%s)", [list(ids)])
    return {row[0]: _entry(row) async for row in cursor}


async def page(
    connection: Connection, wanted: ConditionFilter, *, after_id: int = 0, limit: int = 100
) -> list[ConditionEntry]:
    """Living conditions in scope, in order of id."""
    cursor = await connection.execute(
        _COLUMNS + "where condition.retired_at is null and condition.id > %(after)s "
        "and (%(site)s::text is null or site.key = %(site)s) "
        "and (%(facility)s::text is null or facility.key = %(facility)s) "
        "and (%(rule)s::text is null or rule_key = %(rule)s) "
        "and (%(states)s::condition_state[] is null or state = any(%(states)s)) "
        "and (%(flagged)s::boolean is null "
        "or (suppressed or out_of_service or shelved_until is not null) = %(flagged)s) "
        "order by condition.id limit %(limit)s",
        {
            "after": after_id,
            "site": wanted.site,
            "facility": wanted.facility,
            "rule": wanted.rule,
            "states": [each.value for each in wanted.states] or None,
            "flagged": wanted.flagged,
            "limit": limit,
        },
    )
    return [_entry(row) async for row in cursor]


def _entry(row: TupleRow) -> ConditionEntry:
    fields = list(row)
    fields[7] = Grade(row[7])
    fields[10] = Severity(row[10])
    fields[11] = ConditionState(row[11])
    return ConditionEntry(*fields)
