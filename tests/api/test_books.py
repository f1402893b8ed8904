"""The books over HTTP: dossier and its chain, intake account, quarantine, health and readiness, vocabulary."""

from typing import Any

import httpx
import psycopg
from fastapi import FastAPI

from ledger import beats, intake
from ledger.intake import Account, AccountKey, Refusal
from tests.api.conftest import Estate, client_of
from tests.small_estate import later, raise_alarm

Owner = psycopg.AsyncConnection[Any]
DOSSIER = "/facilities/garden/booster-1/dossier"


async def test_the_dossier_page_by_page_and_its_chain(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    empty = (await client.get(DOSSIER, params={"verify": "true"})).json()
    assert empty == {"items": [], "next": None, "chain": {"length": 0, "head": None, "holds": True, "broken_at": None}}
    async with owner.transaction():
        for rule in ("flood", "outlet_pressure_low", "outlet_pressure_very_low"):
            await raise_alarm(owner, estate.garden.conditions[rule])
    first = (await client.get(DOSSIER, params={"limit": 2})).json()
    rest = (await client.get(DOSSIER, params={"limit": 2, "after": first["next"], "verify": "true"})).json()
    entries = first["items"] + rest["items"]
    assert [each["seq"] for each in entries] == [1, 2, 3]
    assert entries[0]["body"]["rule"] == "flood"
    assert first["chain"] is None
    assert rest["chain"] == {"length": 3, "head": entries[-1]["hash"], "holds": True, "broken_at": None}
    assert (await client.get(f"{DOSSIER}/verification")).json() == rest["chain"]


async def test_a_broken_chain_says_where(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    async with owner.transaction():
        for rule in ("flood", "outlet_pressure_low", "outlet_pressure_very_low"):
            await raise_alarm(owner, estate.garden.conditions[rule])
        await owner.execute("set local session_replication_role = replica")
        await owner.execute("update dossier_entry set body = '{}', hash = sha256(previous_hash || '{}') where seq = 2")
    found = (await client.get(f"{DOSSIER}/verification")).json()
    assert (found["holds"], found["broken_at"]) == (False, 3)


async def test_the_account_of_what_came_in(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    async with owner.transaction():
        await intake.add(
            owner,
            {
                AccountKey(later(minutes=minute), site, "gw-1" if site else ""): Account(
                    received=2, accepted=1, quarantined=1, values_received=3, stored=3, late=1
                )
                for minute in (0, 1, 61)
                for site in ("garden", "harbour", "")
            },
        )
    span = {"from": "2026-03-01T12:00:00Z", "until": "2026-03-01T14:00:00Z"}
    first = (await client.get("/intake", params=span | {"limit": "4"})).json()
    rest = (await client.get("/intake", params=span | {"after": first["next"]})).json()
    rows = [(each["begin"], each["site"], each["counts"]["received"]) for each in first["items"] + rest["items"]]
    noon, one = "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"
    assert rows == [(noon, "", 4), (noon, "garden", 4), (noon, "harbour", 4), (one, "", 2), (one, "garden", 2), (one, "harbour", 2)]  # fmt: skip
    assert first["total"] == rest["total"]
    assert (first["total"]["received"], first["total"]["stored"]) == (18, 27)
    garden = (await client.get("/intake", params=span | {"site": "garden", "bucket": "1m"})).json()
    assert [each["counts"]["late"] for each in garden["items"]] == [1, 1, 1]
    for wrong in ({"until": "2026-03-01T12:00:00Z"}, {"bucket": "7m"}, {"until": "2028-03-01T12:00:00Z"}):
        assert (await client.get("/intake", params=span | wrong)).status_code == 422


async def test_the_quarantine_says_what_and_why(client: httpx.AsyncClient, owner: Owner, estate: Estate) -> None:
    async with owner.transaction():
        for minute, (site, reason, payload) in enumerate(
            (("garden", "not_json", b"{"), ("garden", "future", b"{}"), ("", "unknown_site", b"\xff"))
        ):
            refusal = Refusal(site, f"tz/v1/{site}/x", reason, later(minutes=minute), payload, "why")
            await intake.quarantine(owner, [refusal], topics_max=10)
    first = (await client.get("/quarantine", params={"limit": 2})).json()
    rest = (await client.get("/quarantine", params={"after": first["next"]})).json()
    found = first["items"] + rest["items"]
    assert [each["reason"]["key"] for each in found] == ["unknown_site", "future", "not_json"]
    assert found[0]["reason"]["zh"] == "未知项目"
    assert found[0]["samples"][0]["encoding"] == "base64"
    assert found[2]["samples"] == [
        {"at": "2026-03-01T12:00:00Z", "detail": "why", "payload": "{", "encoding": "text", "truncated": False}
    ]
    only = (await client.get("/quarantine", params={"site": "garden", "reason": "future"})).json()["items"]
    assert len(only) == 1


async def test_alive_needs_no_token(app: FastAPI) -> None:
    async with client_of(app) as client:
        del client.headers["Authorization"]
        assert (await client.get("/health")).json() == {"status": "alive"}


async def test_ready_lagging_and_degraded_by_what_ingest_says_of_itself(
    app: FastAPI, estate: Estate, owner: Owner
) -> None:
    async with client_of(app) as client:
        del client.headers["Authorization"]

        async def state() -> str:
            answer = await client.get("/readiness")
            assert answer.status_code == 200
            return str(answer.json()["state"])

        nothing = (await client.get("/readiness")).json()
        assert nothing["state"] == "degraded"
        assert nothing["checks"]["ingest"] == {"result": "failing", "detail": "no site has been judged yet"}
        for site in (estate.garden, estate.harbour):
            await beats.put(owner, site.id, "worker", broker_connected=True, lag_s=0.0)
        ready = (await client.get("/readiness")).json()
        assert ready["state"] == "ready"
        assert {each["result"] for each in ready["checks"].values()} == {"passing"}
        await beats.put(owner, estate.garden.id, "worker", broker_connected=True, lag_s=61.0)
        assert await state() == "lagging"
        await beats.put(owner, estate.garden.id, "worker", broker_connected=False, lag_s=61.0)
        assert await state() == "degraded"
        await beats.put(owner, estate.garden.id, "worker", broker_connected=True, lag_s=0.0)
        await owner.execute(
            "update ingest_beat set beat_at = beat_at - interval '31 s' where site_id = %s", [estate.harbour.id]
        )
        assert await state() == "degraded"


async def test_not_ready_while_a_migration_is_missing_or_strange(client: httpx.AsyncClient, owner: Owner) -> None:
    await owner.execute("delete from schema_migration where version = (select max(version) from schema_migration)")
    answer = await client.get("/readiness")
    assert (answer.status_code, answer.json()["state"]) == (503, "not_ready")
    assert "not applied yet" in answer.json()["checks"]["migrations"]["detail"]
    await owner.execute("update schema_migration set sha256 = 'other' where version = 1")
    answer = await client.get("/readiness")
    assert answer.status_code == 503
    assert "was changed after it was applied" in answer.json()["checks"]["migrations"]["detail"]


async def test_not_ready_without_the_database(client: httpx.AsyncClient, app: FastAPI) -> None:
    await app.state.service.pool.close()
    answer = await client.get("/readiness")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["result"] == "failing"


async def test_the_vocabulary_has_the_words_for_every_key(client: httpx.AsyncClient) -> None:
    found = (await client.get("/vocabulary")).json()
    assert found["words"]["condition_state"]["RTNUN"]["zh"] == "已恢复未确认"
    booster = found["kinds"]["booster_pump_room"]
    assert booster["rules"]["outlet_pressure_low"]["title"]["zh"] == "出水压力低"
    assert booster["points"]["outlet_pressure"]["en"] == "Outlet pressure"
    assert "any" in found["kinds"]
