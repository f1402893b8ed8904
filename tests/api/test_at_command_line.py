"""What `admin create` and `token` do in the ledger: they work before the service ever ran, and are in the audit log."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI

from api import at_command_line
from api.rights import Right
from ledger.errors import Conflict, Invalid, NotFound
from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.employed import signed_in

Owner = psycopg.AsyncConnection[Any]


async def test_the_first_administrator_signs_in_and_is_one_everywhere(
    app: FastAPI, database_url: str, owner: Owner, clock: StandingClock
) -> None:
    made = ("chen", "陈工", "en", "a long enough one", clock.now)
    await at_command_line.create_administrator(database_url, *made)
    async with signed_in(app, "chen", "a long enough one") as client:
        me = (await client.get("/session")).json()
        assert (me["everywhere"], [each["site"] for each in me["sites"]]) == (["administrator"], ["garden", "harbour"])
        entry = (await client.get("/audit-log", params={"operation": "add_person"})).json()["items"][0]
    assert (entry["actor"], entry["person"], entry["asked"]) == (
        "command line",
        None,
        {"login": "chen", "role": "administrator"},
    )
    with pytest.raises(Conflict, match="somebody has this login already"):
        await at_command_line.create_administrator(database_url, *made)
    with pytest.raises(Invalid, match="at least 10 characters"):
        await at_command_line.create_administrator(database_url, "li", "李", "zh", "short", clock.now)


async def test_a_token_is_made_listed_and_revoked(
    app: FastAPI, database_url: str, estate: Estate, clock: StandingClock
) -> None:
    make = at_command_line.create_token
    secret = await make(database_url, "看板", [Right.READ], ["garden"], 30, clock.now)
    async with client_of(app, Authorization=f"Bearer {secret}") as machine:
        assert [each["key"] for each in (await machine.get("/sites")).json()["items"]] == ["garden"]
        listed = await at_command_line.listed_tokens(database_url, clock.now)
        used = f"used {clock.now:%Y-%m-%d %H:%M}Z"
        assert listed == [f"看板: read at garden; until 2026-03-31; {used}; made by command line"]
        assert "expired" in (await at_command_line.listed_tokens(database_url, clock.now + timedelta(days=31)))[0]
        with pytest.raises(Conflict, match="a token of this name is in use"):
            await make(database_url, "看板", [Right.READ], None, 30, clock.now)
        await at_command_line.revoke_token(database_url, "看板", clock.now)
        assert (await machine.get("/sites")).status_code == 401
    assert "revoked" in (await at_command_line.listed_tokens(database_url, clock.now))[0]
    with pytest.raises(NotFound):
        await at_command_line.revoke_token(database_url, "看板", clock.now)
    with pytest.raises(NotFound, match="nowhere"):
        await make(database_url, "x", [Right.READ], ["nowhere"], 30, clock.now)


def test_sites_are_named_or_all_of_them_on_purpose() -> None:
    assert at_command_line.sites_asked(None, all_sites=True) is None
    assert at_command_line.sites_asked(["garden"], all_sites=False) == ["garden"]
    for keys, all_sites in ((None, False), ([], False), (["garden"], True)):
        with pytest.raises(Invalid, match="--all-sites"):
            at_command_line.sites_asked(keys, all_sites=all_sites)
