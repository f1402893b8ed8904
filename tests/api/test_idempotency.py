"""A request with a key is done once: repeated, raced from two connections, taken for another, refused and tried again."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from ledger import idempotency
from tests.api.conftest import Estate, client_of
from tests.api.test_work_orders import ORDER
from tests.fix_wait import Eventually
from tests.locks import anybody_waits_for_a_lock
from tests.small_estate import NOON

KEY = {"Idempotency-Key": "b7b1f9c5-0001"}


async def count(owner: psycopg.AsyncConnection[Any], table: str = "work_order") -> int:
    row = await (await owner.execute(f"select count(*) from {table}")).fetchone()
    assert row is not None
    return row[0]


async def test_the_same_again_is_answered_the_same_and_done_once(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]
) -> None:
    first = await client.post("/work-orders", json=ORDER, headers=KEY)
    again = await client.post("/work-orders", json=ORDER, headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(owner) == 1


async def test_without_a_key_everything_is_done(client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]) -> None:
    for _ in range(2):
        await client.post("/work-orders", json=ORDER)
    assert await count(owner) == 2
    assert await count(owner, "idempotency") == 0


async def test_another_request_with_the_key_is_refused(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]
) -> None:
    order = (await client.post("/work-orders", json=ORDER, headers=KEY)).json()["work_order"]["id"]
    for path, body in (
        ("/work-orders", ORDER | {"note": "别的"}),
        (f"/work-orders/{order}/dispatch", {"assignee": "张师傅"}),
        ("/work-orders?x=1", ORDER),
    ):
        answer = await client.post(path, json=body, headers=KEY)
        assert answer.status_code == 422
        assert "was used for another request" in answer.json()["detail"]
    assert await count(owner) == 1


async def test_a_key_is_its_sender_s_own(
    app: FastAPI, client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]
) -> None:
    await client.post("/work-orders", json=ORDER, headers=KEY)
    async with client_of(app, **{"X-Actor": "li"}) as other:
        answer = await other.post("/work-orders", json=ORDER, headers=KEY)
    assert answer.status_code == 201
    assert await count(owner) == 2


async def test_a_refusal_is_not_kept(client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]) -> None:
    """Nothing was done, so the same may be tried again when it has become possible."""
    order = (await client.post("/work-orders", json=ORDER)).json()["work_order"]["id"]
    refused = await client.post(f"/work-orders/{order}/accept", headers=KEY)
    assert refused.status_code == 409
    assert await count(owner, "idempotency") == 0
    await client.post(f"/work-orders/{order}/dispatch", json={"assignee": "张师傅"})
    assert (await client.post(f"/work-orders/{order}/accept", headers=KEY)).status_code == 200


async def test_of_two_at_once_one_acts_and_both_are_answered_the_same(
    client: httpx.AsyncClient,
    owner: psycopg.AsyncConnection[Any],
    estate: Estate,
    database_url: str,
    eventually: Eventually,
) -> None:
    """Both are inside the database at the same time: one waits at the facility, the other for the first one's key."""
    async with await psycopg.AsyncConnection.connect(database_url) as gate:
        await gate.execute("select 1 from facility where id = %s for update", [estate.garden.booster])
        both = [asyncio.create_task(client.post("/work-orders", json=ORDER, headers=KEY)) for _ in range(2)]
        await eventually(lambda: two_wait(database_url))
        await gate.commit()
        answers = await asyncio.gather(*both)
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert await count(owner) == 1


async def test_when_the_first_of_two_fails_the_second_acts(
    client: httpx.AsyncClient,
    owner: psycopg.AsyncConnection[Any],
    database_url: str,
    eventually: Eventually,
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as gate:
        await gate.execute("select set_config('taizhang.sites', '0', true)")
        await gate.execute(
            "insert into idempotency (key, actor, request_hash, created_at) values (%s, 'operator 王班长', '', now())",
            [KEY["Idempotency-Key"]],
        )
        waiting = asyncio.create_task(client.post("/work-orders", json=ORDER, headers=KEY))
        await eventually(lambda: anybody_waits_for_a_lock(database_url))
        await gate.rollback()
        answer = await waiting
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert await count(owner) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "ключ".encode()])
async def test_a_key_is_short_and_plain(client: httpx.AsyncClient, key: str | bytes) -> None:
    answer = await client.post("/work-orders", json=ORDER, headers=[("Idempotency-Key", key)])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.idempotency-key"


async def test_old_keys_are_forgotten(client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]) -> None:
    await client.post("/work-orders", json=ORDER, headers=KEY)
    assert await idempotency.trim(owner, NOON) == 0
    assert await idempotency.trim(owner, NOON + timedelta(seconds=1)) == 1


async def two_wait(database_url: str) -> bool:
    async with await psycopg.AsyncConnection.connect(database_url) as onlooker:
        row = await (
            await onlooker.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
        ).fetchone()
        return row is not None and row[0] == 2
