"""People for tests of the API: made straight in the ledger, and signed in over HTTP as anybody is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI

from ledger import passwords, people
from ledger.people import Membership, Person
from tests.api.conftest import HASHER, anonymous
from tests.small_estate import NOON

PASSWORD = "a password of this test"
_HASHED = HASHER.hash(PASSWORD)


async def employ(
    owner: psycopg.AsyncConnection[Any],
    login: str,
    name: str,
    roles: Mapping[int | None, Sequence[str]],
    *,
    must_change: bool = False,
) -> Person:
    """With PASSWORD. Roles by site; None: at all sites."""
    async with owner.transaction():
        made = await people.add(owner, login=login, name=name, language="zh", created_by="test", now=NOON)
        await passwords.put(owner, made.id, _HASHED, must_change=must_change, now=NOON)
        wanted = [Membership(site, role) for site, some in roles.items() for role in some]
        await people.put_memberships(owner, made.id, wanted, by="test", now=NOON)
    return made


@asynccontextmanager
async def signed_in(app: FastAPI, login: str, password: str = PASSWORD) -> AsyncIterator[httpx.AsyncClient]:
    """A browser after signing in: it has the cookie and sends the CSRF token."""
    async with anonymous(app) as client:
        answer = await client.post("/session", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client
