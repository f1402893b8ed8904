"""Findings that a phone sends late: each counts in its turn, behind a visit that passed and was doubted afterwards too."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from ledger import visits
from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.test_fitness import REPAIR, Owner, close, mended, state_of
from tests.api.test_inspections import all_well, issued, send, visit, with_photo


async def test_a_finding_that_arrived_behind_a_pass_is_not_hidden_once_the_pass_is_struck(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    code, well = await issued(client), await all_well(client)
    clock.advance(minutes=20)
    passed = visit(code, well, clock.now, **await with_photo(client))
    at = clock.now - timedelta(minutes=15)
    found = visit(code, well | {"body": False}, at, **await with_photo(client))
    await send(client, passed, sent_at=clock.now.isoformat())
    await send(client, found, sent_at=clock.now.isoformat())
    assert await state_of(client, "ext-1") == "fit"
    await visits.doubt(owner, UUID(passed["id"]), "same_photo")
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        await officer.post(f"/inspections/{passed['id']}/review", json={"upheld": False, "note": "照片是别处的"})
    assert await app.state.doubt_watch.look([estate.garden.id]) == 1
    assert await state_of(client, "ext-1") == "out_of_use"


async def test_what_counts_since_the_finding_stands_though_it_arrived_behind_the_doubted_one(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    watch, scope = app.state.doubt_watch, [estate.garden.id]
    made = await mended(client, clock, "ext-1")
    mended_at = datetime.fromisoformat(made["scanned_at"])
    for minutes, failed in ((12, {}), (6, {"body": False})):
        at = mended_at - timedelta(minutes=minutes)
        late = visit(made["tag"], made["answers"] | failed, at, **await with_photo(client))
        await send(client, late, sent_at=clock.now.isoformat())
        if not failed:
            await visits.doubt(owner, UUID(made["id"]), "same_photo")
            assert (await watch.look(scope), await state_of(client, "ext-1")) == (0, "fit")
    assert (await watch.look(scope), await state_of(client, "ext-1")) == (1, "out_of_use")  # found after that one
    assert await watch.look(scope) == 0


async def test_a_finding_between_a_repair_and_a_pass_stands_when_the_pass_falls(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    watch, scope = app.state.doubt_watch, [estate.garden.id]
    code, well = await issued(client), await all_well(client)

    async def sent(minutes_ago: int = 0, **failed: bool) -> dict[str, Any]:
        at = clock.now - timedelta(minutes=minutes_ago)
        made = visit(code, well | failed, at, **await with_photo(client))
        (answer,) = await send(client, made, sent_at=clock.now.isoformat())
        return answer

    clock.advance(minutes=20)
    order = (await sent(body=False))["work_order"]["id"]
    for step, said in REPAIR:
        assert (await client.post(f"/work-orders/{order}/{step}", json=said)).status_code == 200
    await close(client, app, owner, estate, order)
    clock.advance(minutes=40)
    passed = await sent()
    await sent(50, seal_pin=False)  # of before the repair, which put it right
    await visits.doubt(owner, UUID(passed["id"]), "same_photo")
    assert (await watch.look(scope), await state_of(client, "ext-1")) == (0, "fit")
    late = (await sent(20, seal_pin=False))["work_order"]["id"]
    assert (await watch.look(scope), await state_of(client, "ext-1")) == (1, "faulty")
    assert (await client.get("/facilities/garden/ext-1")).json()["facility"]["fitness"]["work_order"] == late
    assert await watch.look(scope) == 0


@pytest.mark.parametrize(("between", "falls_to"), [(None, "out_of_use"), (25, "faulty")])
async def test_a_graver_finding_behind_a_pass_is_what_it_falls_back_to_unless_another_pass_put_it_right(
    between: int | None,
    falls_to: str,
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    code, well = await issued(client), await all_well(client)
    clock.advance(minutes=60)

    async def sent(minutes_ago: int, **failed: bool) -> str:
        at = clock.now - timedelta(minutes=minutes_ago)
        made = visit(code, well | failed, at, **await with_photo(client))
        await send(client, made, sent_at=clock.now.isoformat())
        return made["id"]

    await sent(15, seal_pin=False)
    passed = await sent(5)
    if between is not None:
        await sent(between)
    await sent(40, body=False)
    await visits.doubt(owner, UUID(passed), "same_photo")
    assert await app.state.doubt_watch.look([estate.garden.id]) == 1
    assert await state_of(client, "ext-1") == falls_to


async def test_a_graver_finding_behind_a_lesser_one_counts(
    client: httpx.AsyncClient, extinguishers: list[str], clock: StandingClock
) -> None:
    code, well = await issued(client), await all_well(client)
    clock.advance(minutes=60)
    for minutes_ago, failed in ((5, {"seal_pin": False}), (40, {"body": False})):
        at = clock.now - timedelta(minutes=minutes_ago)
        made = visit(code, well | failed, at, **await with_photo(client))
        await send(client, made, sent_at=clock.now.isoformat())
    assert await state_of(client, "ext-1") == "out_of_use"
