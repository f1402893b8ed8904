"""Alarms as people and machines see them. Their life follows their condition's (conditions.py)."""

from collections.abc import Sequence

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ledger.errors import NotFound
from ledger.lifecycle import ConditionState, shown_state
from ledger.pool import Connection
from ledger.records import Alarm, Grade, Priority, Severity

ALARM_COLUMNS = (
    "select alarm.id, alarm.site_id, site.key, alarm.facility_id, facility.key, facility.name_zh, facility.name_en, "
    "facility.grade, part.key, condition.id, condition.rule_key, alarm.severity, alarm.priority, alarm.priority_reason, "
    "condition.state, condition.out_of_service, condition.suppressed, condition.shelved_until, "
    "alarm.began_at, alarm.raised_at, alarm.rang_at, alarm.returned_at, alarm.acknowledged_at, alarm.acknowledged_by, "
    "alarm.ended_at, alarm.occurrences, alarm.late, alarm.historical, alarm.order_reason, "
    "array(select work_order_id from work_order_alarm where work_order_alarm.alarm_id = alarm.id order by 1), "
    "alarm.explanation, alarm.version, facility.kind "
    "from alarm join condition on condition.id = alarm.condition_id join facility on facility.id = alarm.facility_id "
    "join site on site.id = alarm.site_id left join part on part.id = condition.part_id "
)


async def ask(connection: Connection, alarm_ids: Sequence[int]) -> AsyncCursor[TupleRow]:
    """Rows of ALARM_COLUMNS, in order of id; those that are not there are left out."""
    return await connection.execute(ALARM_COLUMNS + "where alarm.id = any(%s) order by alarm.id", [list(alarm_ids)])


async def get(connection: Connection, alarm_id: int) -> Alarm:
    """Raises NotFound."""
    cursor = await connection.execute(ALARM_COLUMNS + "where alarm.id = %s", [alarm_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("alarm", alarm_id)
    return alarm_from_row(row)


async def waiting_to_ring(connection: Connection, site_ids: Sequence[int], *, limit: int = 500) -> list[Alarm]:
    """Alarms nobody has been told of, that somebody should be: open, not yet rung, under no flag that silences them."""
    cursor = await connection.execute(
        ALARM_COLUMNS + "where alarm.site_id = any(%s) and alarm.rang_at is null and alarm.ended_at is null "
        "and not condition.suppressed and not condition.out_of_service and condition.shelved_until is null "
        "order by alarm.id limit %s",
        [list(site_ids), limit],
    )
    return [alarm_from_row(row) async for row in cursor]


async def open_at(connection: Connection, condition_id: int) -> Alarm | None:
    """The open alarm of a condition."""
    cursor = await connection.execute(
        ALARM_COLUMNS + "where alarm.condition_id = %s and alarm.ended_at is null", [condition_id]
    )
    row = await cursor.fetchone()
    return alarm_from_row(row) if row else None


def alarm_from_row(row: TupleRow) -> Alarm:
    """A row of ALARM_COLUMNS. An ended alarm is NORM, whatever its condition has done since."""
    ended = row[24] is not None
    state = ConditionState.NORM if ended else ConditionState(row[14])
    shown = shown_state(
        state,
        out_of_service=row[15] and not ended,
        suppressed=row[16] and not ended,
        shelved=row[17] is not None and not ended,
    )
    return Alarm(
        id=row[0],
        site_id=row[1],
        site_key=row[2],
        facility_id=row[3],
        facility_key=row[4],
        facility_name_zh=row[5],
        facility_name_en=row[6],
        grade=Grade(row[7]),
        part_key=row[8],
        condition_id=row[9],
        rule_key=row[10],
        severity=Severity(row[11]),
        priority=Priority(row[12]),
        priority_reason=row[13],
        state=state,
        shown=shown,
        shelved_until=None if ended else row[17],
        began_at=row[18],
        raised_at=row[19],
        rang_at=row[20],
        returned_at=row[21],
        acknowledged_at=row[22],
        acknowledged_by=row[23],
        ended_at=row[24],
        occurrences=row[25],
        late=row[26],
        historical=row[27],
        order_reason=row[28],
        work_order_ids=tuple(row[29]),
        explanation=row[30],
        version=row[31],
        facility_kind=row[32],
    )
