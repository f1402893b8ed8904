"""A site with one room of each kind that is drawn, each point of it measured a moment ago: what pictures are taken of."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

import estate.bring_in
import estate.importing
import rules.packs
from ledger import conditions, readings
from ledger.records import Condition, ConditionSpec, Quality, Sample, Severity, to_ms

FILE = Path(__file__).with_name("tower.yaml")
SEED = 7
_CURVES = ("outlet_pressure", "tank_level")
_MINUTES = (*range(120), *range(150, 360))
_WHOLE = ("current_floor",)

# By the end of a point's key; what is not named is off, in its first position, or at a third of its range.
_USUAL: Mapping[str, float] = {
    "outlet_pressure": 0.36, "inlet_pressure": 0.22, "tank_level": 74, "vfd_frequency": 42, "motor_current": 9.6,
    "room_temp": 24, "room_humidity": 55, "machine_room_temp": 27, "hydrant_pressure": 0.82, "sprinkler_pressure": 0.85,
    "phase_voltage_a": 229, "phase_voltage_b": 230, "phase_voltage_c": 231, "line_voltage_ab": 397, "line_voltage_bc": 399,
    "line_voltage_ca": 398, "frequency": 50, "power_factor": 0.94, "winding_temp_a": 71, "winding_temp_b": 73,
    "winding_temp_c": 72, "core_temp": 80, "load_rate": 46, "current_floor": 12, "speed": 1.75, "mains_ok": 1,
    "power_a_ok": 1, "power_b_ok": 1, "run": 1, "occupied": 1, "car_moving": 1, "level": 78, "ats_position": 0, "online": 1, "current_a": 212, "current_b": 208, "current_c": 220,
    "residual_current": 38, "mv_voltage": 10.2, "flow_rate": 21, "free_chlorine": 0.42, "turbidity": 0.3, "ph": 7.2,
    "water_temp": 17, "cable_temp": 41, "joint_temp": 48, "sump_level": 0.6,
}  # fmt: skip
_STILL = ("jockey_pump_2.run", "hydrant_pump_1.run", "hydrant_pump_2.run", "sprinkler_pump_1.run", "sprinkler_pump_2.run",
          "diesel_pump_1.run", "pump_3.run")  # fmt: skip
# facility, part, rule
_RULES: Mapping[str, tuple[str, str | None, str, Severity]] = {
    "pressure": ("booster", None, "outlet_pressure_low", Severity.WARNING),
    "trapped": ("lift", None, "passenger_trapped_between_floors", Severity.LIFE_SAFETY),
    "feeder": ("power", "feeder_2", "breaker_trip", Severity.CRITICAL),
    "transfer": ("booster", None, "on_backup_supply", Severity.WARNING),
}

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Tower:
    id: int
    conditions: Mapping[str, Condition]


async def build(connection: Connection) -> Tower:
    """Not committed: that is the caller's."""
    now = datetime.now(UTC)
    plan = await estate.importing.plan(connection, [FILE], rules.packs.load(None))
    await estate.bring_in.bring_in(connection, plan, now)
    await connection.execute(
        "update gateway set online = true where site_id = (select id from site where key = 'tower')"
    )
    site, found = await _conditions(connection, now)
    await speak(connection)
    return Tower(site, found)


async def _conditions(connection: Connection, now: datetime) -> tuple[int, Mapping[str, Condition]]:
    cursor = await connection.execute(
        "select site.id, facility.key, facility.id, part.key, part.id from site join facility on site_id = site.id "
        "left join part on facility_id = facility.id where site.key = 'tower'"
    )
    rows = await cursor.fetchall()
    facilities = {facility: number for _, facility, number, _, _ in rows}
    parts = {(facility, part): number for _, facility, _, part, number in rows} | {
        (each, None): None for each in facilities
    }
    specs = {
        name: ConditionSpec(facilities[facility], parts[facility, part], rule, severity)
        for name, (facility, part, rule, severity) in _RULES.items()
    }
    site = int(rows[0][0])
    standing = await conditions.ensure(connection, site, list(specs.values()))
    by_place = {(each.facility_id, each.part_id, each.rule_key): each for each in standing}
    return site, {name: by_place[each.facility_id, each.part_id, each.rule_key] for name, each in specs.items()}


async def speak(connection: Connection) -> None:
    """Every point says what it usually says, now; those of `_CURVES` have said it each minute, but for half an hour."""
    now = datetime.now(UTC)
    cursor = await connection.execute(
        "select id, key, kind, coalesce(range_min, 0), coalesce(range_max, 10) from point "
        "where site_id = (select id from site where key = 'tower') and kind <> 'event'"
    )
    chance = random.Random(SEED)
    samples = [
        Sample(number, to_ms(now - timedelta(minutes=back)), _value(chance, key, kind, low, high), Quality.GOOD, 0)
        for number, key, kind, low, high in await cursor.fetchall()
        for back in (_MINUTES if key in _CURVES else (0,))
    ]
    await readings.store(connection, sorted(samples, key=lambda each: each.ts_ms))


def _value(chance: random.Random, key: str, kind: str, low: float, high: float) -> float:
    usual = _USUAL.get(key.rpartition(".")[2])
    if kind != "measure":
        return 0 if usual is None or key in _STILL else usual
    if key in _WHOLE:
        return usual or 0
    middle = low + (high - low) / 3 if usual is None else usual
    return round(middle * chance.uniform(0.97, 1.03), 3)
