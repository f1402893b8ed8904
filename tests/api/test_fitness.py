"""What a visit changes beyond itself: the fitness of its facility, and what is thought of the visits scanned after it."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
from fastapi import FastAPI

from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.employed import employ, signed_in
from tests.api.test_inspections import all_well, dossier, issued, reasons, send, visit, with_photo
from tests.small_estate import NOON

Owner = psycopg.AsyncConnection[Any]


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
    assert await shown() is None  # one in order is newer
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
    for step, said in [
        ("dispatch", {"assignee": "张师傅"}),
        ("accept", {}),
        ("arrive", {}),
        ("plan", {"note": "换筒"}),
        ("resolve", {}),
        ("verify", {}),
    ]:
        moved = await client.post(f"/work-orders/{order}/{step}", json=said)
        assert moved.status_code == 200, moved.text
        assert await shown() == ("out_of_use", order)
    await employ(owner, "manager", "陈经理", {estate.garden.id: ["project_manager"]})
    async with signed_in(app, "manager") as manager:
        assert (await manager.post(f"/work-orders/{order}/confirm")).status_code == 200
    assert (await client.post(f"/work-orders/{order}/close", json={})).status_code == 200
    assert await shown() == ("fit", None)
    moves = [each["body"]["move"] for each in await dossier(client, "ext-1") if each["kind"] == "fitness"]
    assert moves == ["find_fault", "find_unusable", "find_fit", "find_unusable", "repair"]
    (listed,) = (await client.get("/facilities", params={"site": "garden", "words": "ext-1"})).json()["items"]
    assert listed["fitness"]["state"] == "fit"


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
