"""Promise 9 over HTTP: whoever is bound to one site finds nothing of another, whatever the route."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.rights import Right
from api.secrets import digest_of
from ledger import intake, tokens, work_orders
from ledger.intake import Account, AccountKey, Refusal
from ledger.pool import Pool, transaction
from ledger.records import Deadlines, Priority
from ledger.work_orders import Act
from tests.api.conftest import Estate, client_of
from tests.api.test_permits_and_rules import PERMIT
from tests.api.test_work_orders import ORDER
from tests.small_estate import NOON, later, raise_alarm

Owner = psycopg.AsyncConnection[Any]


@pytest.fixture
async def bound(app: FastAPI, estate: Estate, pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """A client of harbour, where he may everything."""
    async with transaction(pool, sites=[estate.harbour.id], desk=True) as connection:
        await tokens.make(
            connection,
            name="harbour's",
            digest=digest_of("harbour's"),
            rights=list(Right),
            sites=[estate.harbour.id],
            made_by="test",
            made_by_id=None,
            now=NOON,
            expires_at=later(days=1),
        )
    async with client_of(app, Authorization="Bearer harbour's") as client:
        yield client


async def furnish(owner: Owner, estate: Estate) -> dict[str, int]:
    """Garden has one of everything."""
    async with owner.transaction():
        garden = estate.garden
        alarm = (await raise_alarm(owner, garden.conditions["flood"])).alarm_id
        order = await work_orders.open_order(
            owner,
            Act("rules", "at_once", NOON),
            site_id=garden.id,
            facility_id=garden.booster,
            work_class="power",
            title_zh="x",
            title_en="x",
            severity=None,
            priority=Priority.LOW,
            deadlines=Deadlines(),
        )
        key = AccountKey(NOON, "garden", "gw-1")
        await intake.add(owner, {key: Account(received=1, accepted=1)})
        await intake.quarantine(owner, [Refusal("garden", "t", "future", NOON, b"")], topics_max=9)
        await intake.quarantine(owner, [Refusal("", "t", "unknown_site", NOON, b"")], topics_max=9)
        row = await (
            await owner.execute(
                "insert into work_permit (site_id, facility_id, kind, rules, holder, reason, valid_from, valid_until, "
                "issued_by, issued_at) values (%s, %s, 'work', '{flood}', 'x', 'x', %s, %s + interval '1 hour', 'x', %s) "
                "returning id",
                [garden.id, garden.booster, NOON, NOON, NOON],
            )
        ).fetchone()
    assert alarm is not None
    assert row is not None
    return {"alarm": alarm, "order": order, "permit": row[0], "condition": garden.conditions["flood"].id}


async def test_nothing_of_another_site_is_listed(bound: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    await furnish(owner, estate)
    assert [each["key"] for each in (await bound.get("/sites")).json()["items"]] == ["harbour"]
    for path in ("/alarms", "/work-orders", "/permits", "/quarantine"):
        assert (await bound.get(path)).json()["items"] == [], path
    for path in ("/facilities", "/conditions"):
        items = (await bound.get(path, params={"limit": 500})).json()["items"]
        assert items
        assert {each.get("site") or each["facility"]["site"] for each in items} == {"harbour"}
    span = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    account = (await bound.get("/intake", params=span)).json()
    assert (account["items"], account["total"]["received"]) == ([], 0)


async def test_nothing_of_another_site_is_found(bound: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    ids = await furnish(owner, estate)
    span = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    booster = "/facilities/garden/booster-1"
    for path in (
        "/sites/garden",
        "/sites/garden/locations",
        booster,
        f"{booster}/rules",
        f"{booster}/parameters/setpoint",
        f"{booster}/dossier",
        f"{booster}/dossier/verification",
        f"{booster}/points/flood/readings",
        f"{booster}/points/flood/readings.csv",
        f"/alarms/{ids['alarm']}",
        f"/conditions/{ids['condition']}",
        f"/conditions/{ids['condition']}/journal",
        f"/work-orders/{ids['order']}",
        f"/work-orders/{ids['order']}/journal",
        f"/permits/{ids['permit']}",
        f"{booster}/grade",
        "/sites/garden/grades",
        "/sites/garden/contract",
        "/sites/garden/decisions",
    ):
        answer = await bound.get(path, params=span if "readings" in path else {})
        assert answer.status_code == 404, path


async def test_nothing_of_another_site_is_touched(bound: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    ids = await furnish(owner, estate)
    note, until = {"note": "x"}, {"until": "2026-03-01T12:30:00Z", "note": "x"}
    counted = "select (select count(*) from dossier_entry), (select sum(journal_length) from condition), (select max(revision) from site)"
    before = await (await owner.execute(counted.encode())).fetchone()
    for path, asked in (
        (f"/alarms/{ids['alarm']}/acknowledge", {}),
        (f"/alarms/{ids['alarm']}/reset", {}),
        (f"/alarms/{ids['alarm']}/shelve", until),
        (f"/alarms/{ids['alarm']}/unshelve", {}),
        (f"/alarms/{ids['alarm']}/remove-from-service", note),
        (f"/alarms/{ids['alarm']}/return-to-service", {}),
        (f"/alarms/{ids['alarm']}/notes", {"text": "x"}),
        (f"/conditions/{ids['condition']}/shelve", until),
        (f"/conditions/{ids['condition']}/unshelve", {}),
        (f"/conditions/{ids['condition']}/remove-from-service", note),
        (f"/conditions/{ids['condition']}/return-to-service", {}),
        (f"/permits/{ids['permit']}/hand-back", {}),
        (f"/permits/{ids['permit']}/extend", {"until": "2026-03-01T14:00:00Z", "reason": "x"}),
        ("/permits", PERMIT),
        ("/facilities/garden/booster-1/grade", {"grade": "C", "reason": "x"}),
        ("/sites/garden/grades", {"kind": "booster_pump_room", "grade": "C", "reason": "x"}),
        ("/sites/garden/contract", {"profile": "steward", "reason": "x"}),
        ("/sites/garden/contract/clocks",
         {"event_class": "high", "clock": "arrive_by", "value": "20m", "reason": "x"}),
        ("/work-orders", ORDER),
        ("/facilities/garden/booster-1/parameters", {"name": "setpoint", "value": 0.4, "reason": "x"}),
        (f"/work-orders/{ids['order']}/notes", {"text": "x"}),
        (f"/work-orders/{ids['order']}/dispatch", {"assignee": "x"}),
        *((f"/work-orders/{ids['order']}/{step}", note) for step in (
            "accept", "arrive", "plan", "resolve", "verify", "close", "suspend", "resume", "cancel", "reopen"
        )),
    ):  # fmt: skip
        answer = await bound.post(path, json=asked)
        assert answer.status_code == 404, path
    assert await (await owner.execute(counted.encode())).fetchone() == before


async def test_a_forgotten_scope_shows_nothing(app: FastAPI, estate: Estate) -> None:
    """Were a route to open its transaction without one, the database would show it an empty house."""
    context = app.state.service
    async with context.pool.connection() as connection:
        for table in ("site", "facility", "alarm", "condition", "work_order", "outbox", "quarantine"):
            row = await (await connection.execute(f"select count(*) from {table}")).fetchone()
            assert row == (0,), table
