"""The live stream over a real server: hello, changes, coming back, a site of one's own, a client that does not read, the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.feed import Pace
from api.server import listening, run
from ledger import outbox, people
from ledger.pool import Pool
from settings import Settings
from tests.api.conftest import PACKS, TOKEN, Estate, StandingClock, served_from
from tests.api.employed import PASSWORD, employ
from tests.fix_wait import Eventually
from tests.small_estate import NOON, later, raise_alarm

Owner = psycopg.AsyncConnection[Any]
PACE = Pace(queue_max=16, page_max=10, heartbeat_s=20.0, hidden_poll_s=0.02, retry_s=0.05, rights_s=0.1)


@dataclass
class Served:
    url: str
    app: FastAPI
    stop: asyncio.Event
    task: "asyncio.Task[None]"

    @property
    def subscribers(self) -> int:
        return self.app.state.service.feed.subscribers


@pytest.fixture
async def served(pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setenv("TAIZHANG_API_TOKEN", TOKEN)
    app = served_from(Settings(), pool, clock, PACE)
    with listening("127.0.0.1", 0) as listener:
        stop = asyncio.Event()
        task = asyncio.create_task(run(app, listener, stop))
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1", app, stop, task)
        stop.set()
        await task


class Events:
    """A client's side of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, deadline_s: float = 30.0) -> dict[str, Any]:
        async with asyncio.timeout(deadline_s):
            event: dict[str, Any] = {}
            async for line in self._lines:
                if not line and event:
                    return event
                name, _, value = line.partition(": ")
                if name:
                    event[name] = json.loads(value) if name == "data" else value
        raise EOFError


@asynccontextmanager
async def stream(served: Served, headers: dict[str, str] | None = None, **query: Any) -> AsyncIterator[Events]:
    async with (
        httpx.AsyncClient(timeout=30, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        client.stream("GET", f"{served.url}/live", headers=headers, params=query) as response,
    ):
        yield Events(response)


async def say(owner: Owner, site_id: int, number: int, **payload: object) -> None:
    await outbox.append(owner, outbox.NewNotice(site_id, "alarm", number, 1, payload, NOON))


async def test_a_change_is_told_with_its_whole_new_state(served: Served, owner: Owner, estate: Estate) -> None:
    async with stream(served) as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        hello = await events.next()
        assert (hello["event"], hello["data"]["resumed"], hello["retry"]) == ("hello", False, "1000")
        async with owner.transaction():
            moved = await raise_alarm(owner, estate.garden.conditions["flood"])
        event = await events.next()
    assert event["event"] == "alarm"
    about = event["data"]
    assert (about["site"], about["subject"], about["version"]) == ("garden", moved.alarm_id, 1)
    assert about["body"]["rule"] == "flood"
    assert about["body"]["state"] == "UNACK"
    title = PACKS["booster_pump_room"].rules["flood"].title
    assert about["title"] == {"zh": title.zh, "en": title.en}


async def test_coming_back_with_the_last_id_leaves_no_gap(served: Served, owner: Owner, estate: Estate) -> None:
    async with stream(served) as events:
        await events.next()
        await say(owner, estate.garden.id, 1)
        seen = await events.next()
    for number in range(2, 31):
        await say(owner, estate.garden.id, number)
    for headers, query in ({"Last-Event-ID": seen["id"]}, {}), ({}, {"after": seen["id"]}):
        async with stream(served, headers, **query) as events:
            hello = await events.next()
            assert (hello["data"]["resumed"], hello["id"]) == (True, seen["id"])
            assert [(await events.next())["data"]["subject"] for _ in range(29)] == list(range(2, 31))


async def test_commits_out_of_order_arrive_whole_and_in_order(
    served: Served, database_url: str, estate: Estate
) -> None:
    async with (
        await psycopg.AsyncConnection.connect(database_url) as a,
        await psycopg.AsyncConnection.connect(database_url) as b,
        stream(served) as events,
    ):
        await events.next()
        await say(a, estate.garden.id, 1)
        await say(b, estate.garden.id, 2)
        await b.commit()
        await say(b, estate.garden.id, 3)
        await a.commit()
        assert [(await events.next())["data"]["subject"] for _ in range(2)] == [1, 2]
        await b.commit()
        assert (await events.next())["data"]["subject"] == 3


async def test_a_position_that_was_trimmed_is_a_reset(served: Served, owner: Owner, estate: Estate) -> None:
    async with stream(served) as events:
        await events.next()
        await say(owner, estate.garden.id, 1)
        position = (await events.next())["id"]
    for number in range(2, 5):
        await say(owner, estate.garden.id, number)
    await outbox.trim(owner, later(hours=1))
    async with stream(served, {"Last-Event-ID": position}) as events:
        event = await events.next()
        assert event["event"] == "reset"
        await say(owner, estate.garden.id, 5)
        assert (await events.next())["data"]["subject"] == 5


async def test_a_client_may_ask_for_one_site(served: Served, owner: Owner, estate: Estate) -> None:
    async with stream(served, site=["harbour"]) as events:
        await events.next()
        await say(owner, estate.garden.id, 1)
        await say(owner, estate.harbour.id, 2)
        assert (await events.next())["data"]["subject"] == 2


async def test_a_refusal_is_a_problem_and_not_a_broken_stream(served: Served) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for query, status in (
            ({"params": {"site": "nowhere"}}, 404),
            ({"params": {"site": "NO SUCH KEY"}}, 422),
            ({"params": {"after": "yesterday"}}, 422),
            ({"headers": {"Last-Event-ID": "yesterday"}}, 422),
            ({"headers": {"Authorization": "Bearer wrong"}}, 401),
        ):
            answer = await client.get(f"{served.url}/live", **query)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_too_many_streams_are_refused_until_one_is_gone(served: Served, eventually: Eventually) -> None:
    feed = served.app.state.service.feed
    feed.pace = replace(feed.pace, subscribers_max=1)
    async with stream(served) as events:
        await events.next()
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            answer = await client.get(f"{served.url}/live")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    await eventually(lambda: served.subscribers == 0)
    async with stream(served) as events:
        assert (await events.next())["event"] == "hello"


async def test_a_client_that_does_not_read_holds_up_nobody(
    served: Served, owner: Owner, estate: Estate, eventually: Eventually
) -> None:
    """Megabytes go past a client that stopped reading; when it reads again it gets every one of them, in order."""
    port = int(served.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
    request = f"GET /api/v1/live HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    await reader.readuntil(b"event: hello\n")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    async with stream(served) as quick:
        await quick.next()
        for number in range(400):
            await say(owner, estate.garden.id, number, ballast="x" * 20_000)
        for number in range(400):
            assert (await quick.next())["data"]["subject"] == number
    feed = served.app.state.service.feed
    assert max(len(queue.waiting) for queue in feed._queues) <= PACE.queue_max
    reader._transport.resume_reading()  # type: ignore[attr-defined]
    for number in range(400):
        line = b""
        while not line.startswith(b"data: {") or b"subject" not in line:
            line = await asyncio.wait_for(_line(reader), 30)
        assert json.loads(line[6:])["subject"] == number
    writer.close()
    await eventually(lambda: served.subscribers == 0)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """A line of any length."""
    found = b""
    while not found.endswith(b"\n"):
        try:
            found += await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            found += await reader.readexactly(error.consumed)
    return found


async def test_stopping_ends_the_streams_at_once(served: Served) -> None:
    async with stream(served) as events:
        await events.next()
        served.stop.set()
        with pytest.raises(EOFError):
            await events.next(3)
    await asyncio.wait_for(served.task, 3)


async def test_a_client_that_leaves_is_forgotten(served: Served, eventually: Eventually) -> None:
    async with stream(served) as events:
        await events.next()
        assert served.subscribers == 1
    await eventually(lambda: served.subscribers == 0)


# ------------------------------------------------------------------ what a stream may tell


@asynccontextmanager
async def browser(served: Served, login: str) -> AsyncIterator[tuple[httpx.AsyncClient, Events]]:
    """Signed in over HTTP, and listening with the cookie alone, as EventSource does."""
    async with httpx.AsyncClient(timeout=30, base_url=served.url) as client:
        answer = await client.post("/session", json={"login": login, "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        async with client.stream("GET", "/live") as response:
            events = Events(response)
            assert (await events.next())["event"] == "hello"
            yield client, events


async def test_a_stream_tells_of_the_listener_s_own_sites_only(served: Served, owner: Owner, estate: Estate) -> None:
    await employ(owner, "wang", "王工", {estate.harbour.id: ["duty_engineer"]})
    async with browser(served, "wang") as (client, events):
        await say(owner, estate.garden.id, 1)
        await say(owner, estate.harbour.id, 2)
        assert (await events.next())["data"]["subject"] == 2
        assert (await client.get("/live", params={"site": "garden"})).status_code == 404


async def test_a_stream_ends_within_seconds_when_its_session_does(served: Served, owner: Owner, estate: Estate) -> None:
    await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with browser(served, "wang") as (client, events):
        assert (await client.delete("/session")).status_code == 204
        with pytest.raises(EOFError):
            await events.next(5)


async def test_a_stream_ends_when_a_site_is_taken_from_its_listener_and_not_when_one_is_added(
    served: Served, owner: Owner, estate: Estate
) -> None:
    wang = await employ(owner, "wang", "王工", {estate.garden.id: ["duty_engineer"]})
    async with browser(served, "wang") as (_, events):
        both = [people.Membership(site.id, "duty_engineer") for site in (estate.garden, estate.harbour)]
        await put(owner, wang.id, both)
        told = None
        for number in range(1, 3_000):
            await say(owner, estate.harbour.id, number)
            await say(owner, estate.garden.id, 10_000 + number)
            told = await events.next()
            if told["data"]["site"] == "harbour":
                break
        assert told is not None
        assert told["data"]["site"] == "harbour"
        await put(owner, wang.id, both[1:])
        with pytest.raises(EOFError):
            while True:
                await events.next(5)


async def put(owner: Owner, person: int, wanted: list[people.Membership]) -> None:
    async with owner.transaction():
        await owner.execute("delete from membership where person_id = %s", [person])
        await people.put_memberships(owner, person, wanted, by="test", now=NOON)
