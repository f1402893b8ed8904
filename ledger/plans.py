"""Plans of rounds: a route in its order, when it is walked, who answers for it. What is due by them is for `inspection`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import LiteralString

from psycopg.rows import TupleRow

from ledger.errors import NotFound, Refused
from ledger.pool import Connection
from ledger.records import Grade


@dataclass(frozen=True, slots=True)
class PlanStop:
    seq: int
    facility_id: int
    facility_key: str
    facility_kind: str
    facility_type: str | None
    facility_name_zh: str
    facility_name_en: str
    location_name_zh: str
    location_name_en: str
    leg_s: int
    dwell_s: int
    facility_grade: Grade


@dataclass(frozen=True, slots=True)
class Plan:
    id: int
    site_id: int
    site_key: str
    time_zone: str
    key: str
    name_zh: str
    name_en: str
    grid: str | None
    officer: str
    substitute: str | None
    period: str
    days: Sequence[int]
    starts_at: time
    window_min: int
    ordered: bool
    made_at: datetime
    made_by: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Form:
    """A plan as it was from one change to the next. A window belongs to the form in force when the window ends."""

    period: str
    days: Sequence[int]
    starts_at: time
    window_min: int
    route: Sequence[int]  # facilities, in order
    from_at: datetime
    until_at: datetime | None  # None: in force


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan as somebody wants it."""

    site_id: int
    key: str
    name_zh: str
    name_en: str
    grid: str | None
    officer: str
    substitute: str | None
    period: str
    days: Sequence[int]
    starts_at: time
    window_min: int
    ordered: bool
    stops: Sequence[tuple[int, int, int]]  # facility, leg_s, dwell_s, in the order of the route


_COLUMNS: LiteralString = (
    "select plan.id, plan.site_id, site.key, site.time_zone, plan.key, plan.name_zh, plan.name_en, grid, officer, "
    "substitute, period, days, starts_at, window_min, ordered, made_at, made_by, retired_at "
    "from inspection_plan as plan join site on site.id = plan.site_id "
)


async def put(connection: Connection, wanted: Wanted, *, actor: str, now: datetime) -> int:
    """Make the plan, or change the one of this key; a retired one comes back. Its route is replaced as a whole.

    Raises Refused for another grid: what was walked counts for the old one.
    """
    cursor = await connection.execute(
        "insert into inspection_plan (site_id, key, name_zh, name_en, grid, officer, substitute, period, days, starts_at, "
        "window_min, ordered, made_at, made_by) values (%(site)s, %(key)s, %(zh)s, %(en)s, %(grid)s, %(officer)s, "
        "%(substitute)s, %(period)s, %(days)s, %(starts)s, %(window)s, %(ordered)s, %(now)s, %(actor)s) "
        "on conflict on constraint inspection_plan_key_unique do update set name_zh = excluded.name_zh, "
        "name_en = excluded.name_en, officer = excluded.officer, substitute = excluded.substitute, "
        "period = excluded.period, days = excluded.days, starts_at = excluded.starts_at, "
        "window_min = excluded.window_min, ordered = excluded.ordered, retired_at = null "
        "where inspection_plan.grid is not distinct from excluded.grid returning id",
        {
            "site": wanted.site_id,
            "key": wanted.key,
            "zh": wanted.name_zh,
            "en": wanted.name_en,
            "grid": wanted.grid,
            "officer": wanted.officer,
            "substitute": wanted.substitute,
            "period": wanted.period,
            "days": list(wanted.days),
            "starts": wanted.starts_at,
            "window": wanted.window_min,
            "ordered": wanted.ordered,
            "now": now,
            "actor": actor,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise Refused(
            f"plan {wanted.key} stays in its grid, for which its rounds count: retire it, and make another under a key of its own"
        )
    plan_id = int(row[0])
    await connection.execute("delete from inspection_plan_stop where plan_id = %s", [plan_id])
    await connection.cursor().executemany(
        "insert into inspection_plan_stop (site_id, plan_id, seq, facility_id, leg_s, dwell_s) "
        "values (%s, %s, %s, %s, %s, %s)",
        [
            (wanted.site_id, plan_id, seq, facility_id, leg_s, dwell_s)
            for seq, (facility_id, leg_s, dwell_s) in enumerate(wanted.stops, start=1)
        ],
    )
    await _keep_form(connection, wanted, plan_id, now)
    return plan_id


async def _keep_form(connection: Connection, wanted: Wanted, plan_id: int, now: datetime) -> None:
    """What was due before the change is reckoned by the plan as it was then."""
    route = [facility_id for facility_id, _, _ in wanted.stops]
    given = {
        "plan": plan_id,
        "site": wanted.site_id,
        "period": wanted.period,
        "days": list(wanted.days),
        "starts": wanted.starts_at,
        "window": wanted.window_min,
        "route": route,
        "now": now,
    }
    await connection.execute(
        "update inspection_plan_form set until_at = greatest(from_at, %(now)s) where plan_id = %(plan)s and until_at is null "
        "and (period, days, starts_at, window_min, route) is distinct from "
        "(%(period)s::round_period, %(days)s::int[], %(starts)s::time, %(window)s::int, %(route)s::int[])",
        given,
    )
    await connection.execute(
        "insert into inspection_plan_form (site_id, plan_id, seq, period, days, starts_at, window_min, route, from_at) "
        "select %(site)s, %(plan)s, coalesce(max(seq), 0) + 1, %(period)s, %(days)s, %(starts)s, %(window)s, %(route)s, %(now)s "
        "from inspection_plan_form where plan_id = %(plan)s having count(*) filter (where until_at is null) = 0",
        given,
    )


async def retire(connection: Connection, plan_id: int, now: datetime) -> None:
    """No more rounds from here on; those that were walked stay."""
    await connection.execute(
        "update inspection_plan set retired_at = coalesce(retired_at, %s) where id = %s", [now, plan_id]
    )
    await connection.execute(
        "update inspection_plan_form set until_at = greatest(from_at, %s) where plan_id = %s and until_at is null",
        [now, plan_id],
    )


async def of_site(connection: Connection, site_key: str | None = None, *, also_retired: bool = False) -> list[Plan]:
    """Living ones in scope, or all, in order of site and key."""
    cursor = await connection.execute(
        _COLUMNS + "where (%(retired)s or plan.retired_at is null) and (%(site)s::text is null or site.key = %(site)s) "
        "order by site.key, plan.key limit 1000",
        {"site": site_key, "retired": also_retired},
    )
    return [Plan(*row) async for row in cursor]


async def find(connection: Connection, site_key: str, key: str) -> Plan:
    """Raises NotFound; a retired one is still found."""
    cursor = await connection.execute(_COLUMNS + "where site.key = %s and plan.key = %s", [site_key, key])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("inspection plan", f"{site_key}/{key}")
    return Plan(*row)


async def forms(connection: Connection, plan_id: int, *, since: datetime) -> list[Form]:
    """Those that were in force at that time or later, in order."""
    cursor = await connection.execute(
        "select period, days, starts_at, window_min, route, from_at, until_at from inspection_plan_form "
        "where plan_id = %s and (until_at is null or until_at >= %s) order by seq",
        [plan_id, since],
    )
    return [Form(*row) async for row in cursor]


async def stops(connection: Connection, plan_id: int) -> list[PlanStop]:
    """In the order of the route. A facility that was retired meanwhile is none: nobody can walk there."""
    cursor = await connection.execute(
        "select seq, facility.id, facility.key, facility.kind, facility.type_key, facility.name_zh, facility.name_en, "
        "location.name_zh, location.name_en, leg_s, dwell_s, facility.grade from inspection_plan_stop "
        "join facility on facility.id = facility_id join location on location.id = facility.location_id "
        "where plan_id = %s and facility.retired_at is null order by seq",
        [plan_id],
    )
    return [_stop(row) async for row in cursor]


def _stop(row: TupleRow) -> PlanStop:
    return PlanStop(*row[:-1], facility_grade=Grade(row[-1]))
