"""Conditions over HTTP: the list, the journal, and flags on what rings and on what does not."""

from typing import Any

import httpx
import psycopg
import pytest

from ledger import conditions
from ledger.lifecycle import ConditionMove
from tests.api.conftest import Estate
from tests.small_estate import cause, later, raise_alarm

Owner = psycopg.AsyncConnection[Any]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 11),
        ({"site": "garden"}, 6),
        ({"site": "garden", "facility": "lamp-1"}, 1),
        ({"rule": "flood"}, 2),
        ({"state": "UNACK"}, 1),
        ({"state": ["UNACK", "NORM"]}, 11),
        ({"flagged": "true"}, 1),
        ({"flagged": "false", "site": "garden"}, 5),
    ],
)
async def test_the_list_shows_what_is_asked_for(
    client: httpx.AsyncClient, owner: Owner, estate: Estate, query: dict[str, Any], count: int
) -> None:
    async with owner.transaction():
        await raise_alarm(owner, estate.garden.conditions["flood"])
        await conditions.move(owner, estate.garden.conditions["flood"].id, ConditionMove.SUPPRESS, cause())
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/conditions", params=query | {"limit": "4"} | cursor)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"after": page["next"]}
    assert len(seen) == len(set(seen)) == count
    assert seen == sorted(seen)


async def test_a_condition_tells_its_flags_and_what_is_possible(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    flood = estate.garden.conditions["flood"].id
    found = (await client.get(f"/conditions/{flood}")).json()
    assert (found["state"], found["shown"], found["alarm"]) == ("NORM", "NORM", None)
    assert found["legal_moves"] == ["shelve", "remove_from_service"]
    assert found["title"]["zh"]
    removed = await client.post(f"/conditions/{flood}/remove-from-service", json={"note": "大修"})
    assert removed.status_code == 200
    assert (removed.json()["shown"], removed.json()["out_of_service_reason"]) == ("OOSRV", "大修")
    async with owner.transaction():
        moved = await raise_alarm(owner, estate.garden.conditions["flood"])
    under = (await client.get(f"/conditions/{flood}")).json()
    assert (under["state"], under["shown"], under["alarm"]) == ("UNACK", "OOSRV", moved.alarm_id)
    back = await client.post(f"/conditions/{flood}/return-to-service")
    assert (back.json()["shown"], back.json()["out_of_service_reason"]) == ("UNACK", None)
    assert (await client.post(f"/conditions/{flood}/return-to-service")).status_code == 409


async def test_what_does_not_ring_may_be_shelved_within_the_table(
    client: httpx.AsyncClient, owner: Owner, estate: Estate
) -> None:
    lamp = estate.garden.conditions["lamp.outlet_pressure_low"].id
    too_long = await client.post(f"/conditions/{lamp}/shelve", json={"until": "2026-03-03T12:00:00Z"})
    assert (too_long.status_code, "at most 24 h" in too_long.json()["detail"]) == (403, True)
    shelved = await client.post(f"/conditions/{lamp}/shelve", json={"until": "2026-03-01T22:00:00Z"})
    assert (shelved.json()["shown"], shelved.json()["shelved_by"]) == ("SHLVD", "王班长")
    assert shelved.json()["shelving"] == {"seconds_max": 86400, "note_required": False}
    back = await client.post(f"/conditions/{lamp}/unshelve")
    assert (back.status_code, back.json()["shown"]) == (200, "NORM")
    await owner.execute("update condition set severity = 'life_safety' where id = %s", [lamp])
    never = await client.post(f"/conditions/{lamp}/shelve", json={"until": "2026-03-01T13:00:00Z", "note": "x"})
    assert (never.status_code, "never shelved" in never.json()["detail"]) == (403, True)
    assert (await client.get(f"/conditions/{lamp}")).json()["shelving"] is None


async def test_the_journal_newest_first_page_by_page(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    flood = estate.garden.conditions["flood"]
    async with owner.transaction():
        await raise_alarm(owner, flood, later(minutes=1), when="flood == 1")
        for minute, step in enumerate(
            (ConditionMove.CLEAR, ConditionMove.ACKNOWLEDGE, ConditionMove.SUPPRESS), start=2
        ):
            await conditions.move(owner, flood.id, step, cause(later(minutes=minute)))
    first = (await client.get(f"/conditions/{flood.id}/journal", params={"limit": 3})).json()
    rest = (await client.get(f"/conditions/{flood.id}/journal", params={"after": first["next"]})).json()
    moves = [each["move"] for each in first["items"] + rest["items"]]
    assert moves == ["suppress", "acknowledge", "clear", "raise"]
    assert rest["items"][0]["detail"] == {"when": "flood == 1"}
    assert rest["next"] is None
