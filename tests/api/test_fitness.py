"""What a visit changes beyond itself: the fitness of its facility, and what is thought of the visits scanned after it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from api.doubt_watch import DoubtWatch
from ledger import audit, dossier, visits
from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.employed import employ, signed_in
from tests.api.test_inspection_rounds import PLAN
from tests.api.test_inspections import all_well, issued, reasons, send, visit, with_photo
from tests.api.test_inspections import dossier as dossier_of
from tests.fix_wait import Eventually
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]


REPAIR = [
    ("dispatch", {"assignee": "张师傅"}),
    ("accept", {}),
    ("arrive", {}),
    ("plan", {"note": "换筒"}),
    ("resolve", {}),
    ("verify", {}),
]


async def close(client: httpx.AsyncClient, app: FastAPI, owner: Owner, estate: Estate, order: int) -> None:
    """A repaired hazard: on the fire safety manager's word."""
    await employ(owner, "manager", "陈经理", {estate.garden.id: ["project_manager"]})
    async with signed_in(app, "manager") as manager:
        assert (await manager.post(f"/work-orders/{order}/confirm")).status_code == 200
    assert (await client.post(f"/work-orders/{order}/close", json={})).status_code == 200


async def test_a_facility_is_as_its_visits_found_it_until_it_passes_or_its_order_is_closed(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    code, well = await issued(client), await all_well(client)

    async def shown() -> tuple[str, int | None] | None:
        fitness = (await client.get("/facilities/garden/ext-1")).json()["facility"]["fitness"]
        return None if fitness is None else (fitness["state"], fitness["work_order"])

    async def looked(**changes: Any) -> dict[str, Any]:
        clock.advance(minutes=20)
        made = visit(code, well, clock.now, **await with_photo(client)) | changes
        (answer,) = await send(client, made, sent_at=clock.now.isoformat())
        return answer

    await looked()
    earlier = {"scanned_at": NOON.isoformat(), "finished_at": (NOON + timedelta(minutes=1)).isoformat()}
    assert (await looked(answers=well | {"body": False}, **earlier))["work_order"]["opened"]
    assert await shown() == ("fit", None)  # one in order is newer
    order = (await looked(answers=well | {"seal_pin": False}))["work_order"]["id"]
    assert await shown() == ("faulty", order)
    await looked(answers=well | {"body": False})
    assert await shown() == ("out_of_use", order)
    await looked(answers=well | {"seal_pin": False})
    assert await shown() == ("out_of_use", order)  # less is wrong: it was not mended
    doubted = await looked(means="typed")
    assert (doubted["outcome"], await shown()) == ("in_order", ("out_of_use", order))
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        await officer.post(f"/inspections/{doubted['id']}/review", json={"upheld": True})
    assert await shown() == ("fit", None)
    await looked(answers=well | {"body": False})
    await looked(**earlier)
    assert await shown() == ("out_of_use", order)  # an old visit that arrives late says nothing of now
    for step, said in REPAIR:
        moved = await client.post(f"/work-orders/{order}/{step}", json=said)
        assert moved.status_code == 200, moved.text
        assert await shown() == ("out_of_use", order)
    await close(client, app, owner, estate, order)
    assert await shown() == ("fit", None)
    moves = [each["body"]["move"] for each in await dossier_of(client, "ext-1") if each["kind"] == "fitness"]
    late = ["find_unusable", "find_fit"]
    assert moves == [*late, "find_fault", "find_unusable", "find_fit", "find_unusable", "repair"]
    (found,) = (await client.get("/facilities", params={"site": "garden", "words": "ext-1"})).json()["items"]
    assert found["fitness"]["state"] == "fit"


async def test_what_arrives_late_is_judged_by_its_time_and_the_later_ones_again(
    client: httpx.AsyncClient, app: FastAPI, extinguishers: list[str]
) -> None:
    well = await all_well(client)
    made = [
        visit(await issued(client, key), well, NOON - timedelta(minutes=5) + timedelta(seconds=3 * at))
        for at, key in enumerate(extinguishers)
    ]

    async def marks(of: dict[str, Any]) -> tuple[str, set[str]]:
        found = (await client.get(f"/inspections/{of['id']}")).json()
        return found["verdict"], reasons(found) - {"photo_missing"}

    (last,) = await send(client, made[2])
    assert reasons(last) - {"photo_missing"} == set()
    await send(client, made[0], phone="phone-2")
    assert await marks(made[2]) == ("to_review", {"two_phones"})  # six seconds are enough for one leg
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        await officer.post(f"/inspections/{made[2]['id']}/review", json={"upheld": True})
    (middle,) = await send(client, made[1])
    assert reasons(middle) - {"photo_missing"} == {"pace", "two_phones"}
    assert await marks(made[0]) == ("accepted", set())
    assert await marks(made[2]) == ("upheld", {"two_phones"})  # who reviewed it keeps his word


async def test_a_copied_photo_puts_nothing_right(
    client: httpx.AsyncClient, extinguishers: list[str], clock: StandingClock
) -> None:
    """It is doubted once it is kept, and not only by how it was made."""
    code, well = await issued(client), await all_well(client)
    picture = await with_photo(client)
    for answers in (well, well | {"body": False}, well):
        clock.advance(minutes=20)
        shown = picture if answers == well else await with_photo(client)
        (answer,) = await send(client, visit(code, answers, clock.now, **shown), sent_at=clock.now.isoformat())
    assert answer["outcome"] == "in_order"
    assert "same_photo" in reasons((await client.get(f"/inspections/{answer['id']}")).json())
    assert (await client.get("/facilities/garden/ext-1")).json()["facility"]["fitness"]["state"] == "out_of_use"


async def state_of(client: httpx.AsyncClient, facility: str) -> str:
    fitness = (await client.get(f"/facilities/garden/{facility}")).json()["facility"]["fitness"]
    return "null" if fitness is None else fitness["state"]


async def mended(client: httpx.AsyncClient, clock: StandingClock, key: str, **changes: Any) -> dict[str, Any]:
    """A visit that finds it unusable, and one twenty minutes later that finds all in order."""
    code, well = await issued(client, key), await all_well(client)
    for answers, more in ((well | {"body": False}, {}), (well, changes)):
        clock.advance(minutes=20)
        made = visit(code, answers, clock.now, **await with_photo(client)) | more
        (answer,) = await send(client, made, sent_at=clock.now.isoformat())
        assert answer["result"] == "kept", answer
    return made


async def test_what_is_doubted_afterwards_is_taken_back_until_somebody_upholds_it(
    client: httpx.AsyncClient, app: FastAPI, extinguishers: list[str], clock: StandingClock, estate: Estate
) -> None:
    watch, scope = app.state.doubt_watch, [estate.garden.id]
    made = await mended(client, clock, "ext-1")
    assert (await state_of(client, "ext-1"), await watch.look(scope)) == ("fit", 0)
    other = await issued(client, "ext-2")
    at = datetime.fromisoformat(made["scanned_at"]) - timedelta(seconds=10)
    early = visit(other, await all_well(client), at, **await with_photo(client))
    await send(client, early, sent_at=clock.now.isoformat(), phone="phone-2")  # two phones within seconds
    assert (await client.get(f"/inspections/{made['id']}")).json()["verdict"] == "to_review"
    assert await state_of(client, "ext-1") == "fit"
    assert await watch.look(scope) == 1
    assert (await state_of(client, "ext-1"), await watch.look(scope)) == ("out_of_use", 0)
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        await officer.post(f"/inspections/{made['id']}/review", json={"upheld": True})
    assert (await state_of(client, "ext-1"), await watch.look(scope)) == ("fit", 0)
    moves = [each["body"]["move"] for each in await dossier_of(client, "ext-1") if each["kind"] == "fitness"]
    assert moves == ["find_unusable", "find_fit", "doubt_unusable", "find_fit"]


async def test_what_another_visit_found_in_order_as_well_stands(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    made = await mended(client, clock, "ext-1")
    clock.advance(minutes=20)
    again = visit(made["tag"], made["answers"], clock.now, **await with_photo(client))
    await send(client, again, sent_at=clock.now.isoformat())
    for doubted, taken, state in ((made, 0, "fit"), (again, 1, "out_of_use")):
        await visits.doubt(owner, UUID(doubted["id"]), "same_photo")
        assert await app.state.doubt_watch.look([estate.garden.id]) == taken
        assert await state_of(client, "ext-1") == state
    for states, keys in (
        ([], 3),
        (["out_of_use", "faulty"], 1),
        (["fit"], 2),
    ):  # of the others nobody ever said anything
        found = await client.get("/facilities", params={"kind": "extinguisher", "fitness": states})
        assert len(found.json()["items"]) == keys, states


async def test_a_doubt_that_is_cleared_again_gives_back_what_the_visit_put_right(
    client: httpx.AsyncClient, app: FastAPI, extinguishers: list[str], clock: StandingClock, estate: Estate
) -> None:
    """The end of an ordered round comes first, and is doubted for its order until the middle has arrived."""
    watch, scope = app.state.doubt_watch, [estate.garden.id]
    route, well = ["ext-1", "ext-2", "lamp-1", "ext-3"], await all_well(client)
    codes = {key: await issued(client, key) for key in route}
    broken = visit(codes["ext-3"], well | {"body": False}, clock.now, **await with_photo(client))
    await send(client, broken, sent_at=clock.now.isoformat())
    clock.advance(minutes=40)
    plan = PLAN | {"ordered": True, "stops": [{"facility": key} for key in route]}
    assert (await client.post("/inspection-plans", json=plan)).status_code == 200
    number = (await client.post("/inspection-rounds", json={"site": "garden", "plan": "noon"})).json()["id"]
    begun = clock.now
    clock.advance(minutes=12)
    made = {
        key: visit(codes[key], well, begun + timedelta(minutes=2 * at), round=number, **await with_photo(client))
        for at, key in enumerate(route, 1)
    }
    answers: dict[str, dict[str, Any]] = {}
    for key in ("ext-1", "ext-3", "ext-2", "lamp-1"):
        (answers[key],) = await send(client, made[key], sent_at=clock.now.isoformat())
    assert (answers["ext-3"]["verdict"], reasons(answers["ext-3"])) == ("to_review", {"order"})
    assert (await client.get(f"/inspections/{made['ext-3']['id']}")).json()["verdict"] == "accepted"
    assert (await state_of(client, "ext-3"), await watch.look(scope)) == ("out_of_use", 1)
    assert (await state_of(client, "ext-3"), await watch.look(scope)) == ("fit", 0)


async def test_the_earlier_of_two_doubted_visits_stands_when_it_is_upheld(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    watch, scope = app.state.doubt_watch, [estate.garden.id]
    made = await mended(client, clock, "ext-1")
    clock.advance(minutes=20)
    again = visit(made["tag"], made["answers"], clock.now, **await with_photo(client))
    await send(client, again, sent_at=clock.now.isoformat())
    for each in (made, again):
        await visits.doubt(owner, UUID(each["id"]), "same_photo")
    assert (await watch.look(scope), await state_of(client, "ext-1")) == (1, "out_of_use")
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        await officer.post(f"/inspections/{again['id']}/review", json={"upheld": False, "note": "照片是别处的"})
        assert (await watch.look(scope), await state_of(client, "ext-1")) == (0, "out_of_use")
        await officer.post(f"/inspections/{made['id']}/review", json={"upheld": True})
    await watch.look(scope)
    assert (await state_of(client, "ext-1"), await watch.look(scope)) == ("fit", 0)
    assert await audit.run(owner) == []


async def test_doubts_words_and_watches_at_once_neither_wait_for_each_other_nor_lose_one(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
) -> None:
    """Two processes watch; visits of all facilities arrive late at once, each casting doubt on the others; an officer upholds."""
    scope = [estate.garden.id]
    watches = [app.state.doubt_watch, DoubtWatch(app.state.service.pool, clock)]
    made = {key: await mended(client, clock, key) for key in extinguishers}
    well = await all_well(client)
    late: list[dict[str, Any]] = []
    for key, each in made.items():
        at = datetime.fromisoformat(each["scanned_at"]) - timedelta(seconds=5)
        others = [one for one in extinguishers if one != key]
        late += [visit(await issued(client, one), well, at, **await with_photo(client)) for one in others]
    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        words = [
            asyncio.create_task(officer.post(f"/inspections/{each['id']}/review", json={"upheld": True}))
            for each in made.values()
        ]
        await asyncio.gather(
            *(send(client, each, sent_at=clock.now.isoformat(), phone=f"phone-{at}") for at, each in enumerate(late)),
            *(watch.look(scope) for watch in watches for _ in range(5)),
            *words,
        )
    assert {word.result().status_code for word in words} <= {200, 409}  # 409: it was not doubted yet
    while await watches[0].look(scope):
        pass
    cursor = await owner.execute(
        "select facility.key, state::text, exists (select from inspection_visit as visit "
        "where visit.facility_id = facility.id and outcome = 'in_order' and verdict in ('accepted', 'upheld') "
        "and scanned_at > (select max(scanned_at) from inspection_visit as finding "
        "where finding.facility_id = facility.id and outcome = 'defective')) from facility_fitness join facility on facility.id = facility_id order by 1"
    )
    rows = await cursor.fetchall()
    assert [key for key, _, _ in rows] == extinguishers
    for key, state, stands in rows:
        assert state == ("fit" if stands else "out_of_use"), key
    assert await audit.run(owner) == []


async def test_an_officers_word_and_a_visit_of_the_same_facility_take_turns(
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    eventually: Eventually,
) -> None:
    """Whoever keeps a visit has the facility's lock, and then casts doubt on the one that the officer is looking at."""
    made = visit(await issued(client), await all_well(client), clock.now, means="typed", **await with_photo(client))
    await send(client, made)

    async def somebody_waits_for_us() -> bool:
        cursor = await owner.execute(
            "select exists (select from pg_locks where pg_backend_pid() = any (pg_blocking_pids(pid)))"
        )
        row = await cursor.fetchone()
        return row == (True,)

    async with client_of(app, **{"X-Actor": quote("李工")}) as officer:
        async with owner.transaction():
            cursor = await owner.execute("select id from facility where key = 'ext-1'")
            await dossier.lock_facilities(owner, [each async for (each,) in cursor])
            word = asyncio.create_task(officer.post(f"/inspections/{made['id']}/review", json={"upheld": True}))
            await eventually(somebody_waits_for_us)
            await visits.doubt(owner, UUID(made["id"]), "two_phones")
        assert (await word).status_code == 200
    found = (await client.get(f"/inspections/{made['id']}")).json()
    assert (found["verdict"], reasons(found) & {"typed", "two_phones"}) == ("upheld", {"typed", "two_phones"})


@pytest.mark.parametrize("code", ["raise_exception", "query_canceled", "lock_not_available", "admin_shutdown"])
async def test_a_facility_that_fails_keeps_no_other_from_being_taken_back(
    code: str,
    client: httpx.AsyncClient,
    app: FastAPI,
    extinguishers: list[str],
    clock: StandingClock,
    owner: Owner,
    estate: Estate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for key in ("ext-1", "ext-2"):
        made = await mended(client, clock, key)
        await visits.doubt(owner, UUID(made["id"]), "same_photo")
    await owner.execute(
        sql.SQL("create function stays_fit() returns trigger language plpgsql as {}").format(
            f"begin raise {code} using message = 'no'; end"
        )
    )
    cursor = await owner.execute("select min(facility_id) from facility_fitness")
    ((first,),) = await cursor.fetchall()
    await owner.execute(
        sql.SQL(
            "create trigger stays_fit before update on facility_fitness for each row when (old.facility_id = {}) "
            "execute function stays_fit()"
        ).format(first)
    )
    assert await app.state.doubt_watch.look([estate.garden.id]) == 1
    assert [await state_of(client, key) for key in ("ext-1", "ext-2")] == ["fit", "out_of_use"]
    assert f"facility {first}: its fitness does not follow its doubted visits meanwhile" in caplog.text
