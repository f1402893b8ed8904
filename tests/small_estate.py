"""Two small sites written straight into the ledger, for tests that need something to happen to.

`garden`: a gateway, a booster set with two pumps (grade A) and a notice board's lamp (grade C); `harbour`: a gateway and
a booster set. Every facility but the gateways has conditions; nothing is wrong yet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from ledger import conditions
from ledger.conditions import Cause, Moved
from ledger.lifecycle import ConditionMove
from ledger.records import Condition, ConditionSpec, Grading, Priority, Severity

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GRADING = Grading(Priority.HIGH, "severity_and_grade")

_RULES = {
    "outlet_pressure_low": Severity.WARNING,
    "outlet_pressure_very_low": Severity.CRITICAL,
    "flood": Severity.CRITICAL,
}
_PUMP_RULES = {"pump_fault": Severity.WARNING}


@dataclass(frozen=True, slots=True)
class SmallSite:
    id: int
    key: str
    gateway: int  # id of the gateway
    room: int  # location
    booster: int
    lamp: int | None
    pump_1: int  # part of the booster
    points: dict[str, int]
    conditions: dict[str, Condition]  # 'outlet_pressure_low', 'pump_1.pump_fault', 'lamp.outlet_pressure_low'


def later(**duration: float) -> datetime:
    return NOON + timedelta(**duration)


async def one(connection: AsyncConnection[Any], statement: str, values: list[object]) -> int:
    row = await (await connection.execute(statement, values)).fetchone()
    assert row is not None
    return int(row[0])


async def build(connection: AsyncConnection[Any], key: str, name_zh: str, *, lamp: bool = False) -> SmallSite:
    """Not committed: that is the caller's."""
    site = await one(
        connection,
        "insert into site (key, name_zh, name_en, time_zone, sla_profile, created_at) "
        "values (%s, %s, %s, 'Asia/Shanghai', 'standard', %s) returning id",
        [key, name_zh, key.title(), NOON],
    )
    estate = await one(connection, _LOCATION, [site, None, "estate", name_zh, "Estate"])
    room = await one(connection, _LOCATION, [site, estate, "pump-house", "地下二层泵房", "Pump house"])
    gateway_facility = await one(
        connection, _FACILITY, [site, room, None, "gw-1", "gateway", "B", "网关一", "Gateway 1"]
    )
    gateway = await one(
        connection,
        "insert into gateway (site_id, facility_id, key, online) values (%s, %s, 'gw-1', true) returning id",
        [site, gateway_facility],
    )
    booster = await one(
        connection, _FACILITY, [site, room, gateway, "booster-1", "booster_pump_room", "A", "一号泵组", "Booster 1"]
    )
    pumps = [
        await one(
            connection,
            "insert into part (site_id, facility_id, key, kind, name_zh, name_en) "
            "values (%s, %s, %s, 'pump', %s, %s) returning id",
            [site, booster, f"pump_{number}", f"{number}号泵", f"Pump {number}"],
        )
        for number in (1, 2)
    ]
    points = await _points(connection, site, booster, pumps[0])
    specs = {rule: ConditionSpec(booster, None, rule, severity) for rule, severity in _RULES.items()}
    for number, part in enumerate(pumps, start=1):
        specs |= {
            f"pump_{number}.{rule}": ConditionSpec(booster, part, rule, severity)
            for rule, severity in _PUMP_RULES.items()
        }
    lamp_id = None
    if lamp:
        lamp_id = await one(
            connection, _FACILITY, [site, room, gateway, "lamp-1", "booster_pump_room", "C", "宣传栏灯", "Board lamp"]
        )
        specs["lamp.outlet_pressure_low"] = ConditionSpec(lamp_id, None, "outlet_pressure_low", Severity.WARNING)
    standing = await conditions.ensure(connection, site, list(specs.values()))
    found = {(each.facility_id, each.part_id, each.rule_key): each for each in standing}
    return SmallSite(
        id=site,
        key=key,
        gateway=gateway,
        room=room,
        booster=booster,
        lamp=lamp_id,
        pump_1=pumps[0],
        points=points,
        conditions={name: found[spec.facility_id, spec.part_id, spec.rule_key] for name, spec in specs.items()},
    )


async def _points(connection: AsyncConnection[Any], site: int, booster: int, pump_1: int) -> dict[str, int]:
    points = {
        name: await one(connection, _POINT, [site, booster, part, name, kind, unit, name, name])
        for name, part, kind, unit in (
            ("outlet_pressure", None, "measure", "MPa"),
            ("flood", None, "state", ""),
            ("pump_1.run", pump_1, "state", ""),
            ("ats_position", None, "enum", ""),
        )
    }
    await connection.cursor().executemany(
        "insert into point_code (site_id, point_id, code, label) values (%s, %s, %s, %s)",
        [(site, points["ats_position"], code, label) for code, label in enumerate(("main", "backup", "off"))],
    )
    return points


async def build_both(connection: AsyncConnection[Any]) -> tuple[SmallSite, SmallSite]:
    garden = await build(connection, "garden", "花园小区", lamp=True)
    return garden, await build(connection, "harbour", "海港小区")


def cause(
    at: datetime = NOON, *, actor: str = "rules", reason: str = "limit", note: str | None = None, **detail: object
) -> Cause:
    return Cause(actor, reason, at=at, now=at, note=note, detail=detail)


async def raise_alarm(
    connection: AsyncConnection[Any],
    condition: Condition,
    at: datetime = NOON,
    *,
    priority: Priority = Priority.HIGH,
    **detail: object,
) -> Moved:
    grading = Grading(priority, "severity_and_grade")
    return await conditions.move(connection, condition.id, ConditionMove.RAISE, cause(at, **detail), grading=grading)


_LOCATION = "insert into location (site_id, parent_id, key, name_zh, name_en) values (%s, %s, %s, %s, %s) returning id"
_FACILITY = (
    "insert into facility (site_id, location_id, gateway_id, key, kind, grade, name_zh, name_en) "
    "values (%s, %s, %s, %s, %s, %s, %s, %s) returning id"
)
_POINT = (
    "insert into point (site_id, facility_id, part_id, key, kind, unit, name_zh, name_en) "
    "values (%s, %s, %s, %s, %s, %s, %s, %s) returning id"
)
