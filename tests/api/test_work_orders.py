"""Work orders over HTTP: opened by hand, every (state, move) with its refusal, and two who dispatch at once."""

import asyncio
import itertools
from typing import Any

import httpx
import psycopg
import pytest

from ledger.lifecycle import WORK_ORDER_MOVES, WorkOrderMove, WorkOrderState, legal_work_order_moves
from tests.api.conftest import Estate, StandingClock
from tests.fix_wait import Eventually
from tests.locks import anybody_waits_for_a_lock
from tests.orders import WAY_TO

ORDER = {
    "site": "garden",
    "facility": "booster-1",
    "work_class": "water_supply",
    "title": {"zh": "泵房漏水"},
    "priority": "medium",
    "note": "巡检发现",
}
SAID = {
    WorkOrderMove.DISPATCH: {"assignee": "张师傅"},
    WorkOrderMove.PLAN: {"note": "更换密封"},
    WorkOrderMove.SUSPEND: {"note": "等配件"},
    WorkOrderMove.CANCEL: {"note": "误报"},
    WorkOrderMove.REOPEN: {"note": "又漏了"},
}


async def opened(client: httpx.AsyncClient, **changes: Any) -> int:
    answer = await client.post("/work-orders", json=ORDER | changes)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["work_order"]["id"])


async def do(client: httpx.AsyncClient, order: int, step: WorkOrderMove) -> httpx.Response:
    return await client.post(f"/work-orders/{order}/{step.value}", json=SAID.get(step, {}))


async def test_an_order_opened_by_hand_runs_against_the_contract(client: httpx.AsyncClient) -> None:
    answer = await client.post("/work-orders", json=ORDER | {"event_class": "complaint"})
    assert answer.status_code == 201
    order = answer.json()["work_order"]
    assert order["title"] == {"zh": "泵房漏水", "en": "泵房漏水"}
    assert order["open_reason"]["key"] == "by_hand"
    assert order["opened_by"] == "王班长"
    assert order["severity"] is None
    assert order["clocks"] == {
        "accept_by": "2026-03-01T12:15:00Z",
        "arrive_by": None,
        "plan_by": "2026-03-01T14:00:00Z",
        "restore_by": "2026-03-02T12:00:00Z",
    }
    assert order["legal_moves"] == ["dispatch", "suspend", "cancel"]
    assert answer.json()["journal"][0]["note"] == "巡检发现"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"work_class": "gardening"}, "body.work_class"),
        ({"event_class": "holiday"}, "body.event_class"),
        ({"priority": "whenever"}, "body.priority"),
        ({"title": {"zh": "  "}}, "body.title.zh"),
        ({"title": {"zh": "a\u0000b"}}, "body.title.zh"),
        ({"colour": "red"}, "body.colour"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await client.post("/work-orders", json=ORDER | changes)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_every_fault_of_a_request_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/work-orders", json={"site": "A B", "priority": 7, "colour": "red"})
    assert {each["field"] for each in answer.json()["errors"]} == {
        "body.site",
        "body.facility",
        "body.work_class",
        "body.title",
        "body.priority",
        "body.colour",
    }


async def test_an_order_for_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for changes in ({"site": "nowhere"}, {"facility": "nothing"}):
        answer = await client.post("/work-orders", json=ORDER | changes)
        assert answer.status_code == 404
        assert "no " in answer.json()["detail"]


@pytest.mark.parametrize("state", list(WorkOrderState))
async def test_every_move_from_every_state(client: httpx.AsyncClient, state: WorkOrderState) -> None:
    """A legal one answers with the order as it is then; an illegal one is 409, names the legal, and changes nothing."""
    for step in WorkOrderMove:
        order = await opened(client)
        for on_the_way in WAY_TO[state]:
            assert (await do(client, order, on_the_way)).status_code == 200
        before = (await client.get(f"/work-orders/{order}")).json()
        assert before["work_order"]["state"] == state
        answer = await do(client, order, step)
        after = (await client.get(f"/work-orders/{order}")).json()
        if (state, step) in WORK_ORDER_MOVES:
            assert answer.status_code == 200, (step, answer.text)
            assert answer.json() == after
            assert after["journal"][-1]["move"] == step
        else:
            assert answer.status_code == 409, (step, answer.text)
            problem = answer.json()
            assert problem["legal_moves"] == [each.value for each in legal_work_order_moves(state)]
            assert (problem["state"], problem["move"]) == (state.value, step.value)
            assert after == before


@pytest.mark.parametrize("step", list(SAID))
async def test_what_must_be_said_is_asked_for(client: httpx.AsyncClient, step: WorkOrderMove) -> None:
    answer = await client.post(f"/work-orders/{await opened(client)}/{step.value}", json={})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("body.note", "body.assignee")


async def test_suspending_says_why_and_resuming_moves_the_clocks(
    client: httpx.AsyncClient, clock: StandingClock
) -> None:
    order = await opened(client)
    suspended = (await do(client, order, WorkOrderMove.SUSPEND)).json()["work_order"]
    assert suspended["suspended"] == {"since": "2026-03-01T12:00:00Z", "state": "opened", "why": "等配件"}
    clock.advance(hours=10)
    resumed = (await do(client, order, WorkOrderMove.RESUME)).json()["work_order"]
    assert resumed["suspended"] is None
    assert resumed["clocks"]["accept_by"] == "2026-03-01T22:30:00Z"


async def test_reopening_starts_the_clocks_anew(client: httpx.AsyncClient, clock: StandingClock) -> None:
    order = await opened(client)
    for step in WAY_TO[WorkOrderState.RESOLVED]:
        await do(client, order, step)
    clock.advance(days=1)
    reopened = (await do(client, order, WorkOrderMove.REOPEN)).json()["work_order"]
    assert (reopened["state"], reopened["resolved_at"]) == ("dispatched", None)
    assert reopened["clocks"]["accept_by"] == "2026-03-02T12:30:00Z"


async def test_a_note_and_the_journal_page_by_page(client: httpx.AsyncClient) -> None:
    order = await opened(client)
    for number in range(4):
        answer = await client.post(f"/work-orders/{order}/notes", json={"text": f"第{number}条"})
        assert answer.status_code == 201
    seen: list[int] = []
    cursor = None
    for _ in range(3):
        page = (
            await client.get(
                f"/work-orders/{order}/journal", params={"limit": 2} | ({"after": cursor} if cursor else {})
            )
        ).json()
        seen += [each["seq"] for each in page["items"]]
        cursor = page["next"]
    assert seen == [5, 4, 3, 2, 1]
    assert cursor is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 3),
        ({"open": "true"}, 2),
        ({"open": "false", "state": "cancelled"}, 1),
        ({"state": ["opened", "dispatched"]}, 2),
        ({"assignee": "张师傅"}, 1),
        ({"site": "garden", "facility": "lamp-1"}, 1),
        ({"site": "harbour"}, 0),
        ({"work_class": "water_supply"}, 2),
        ({"priority": ["low", "urgent"]}, 1),
        ({"from": "2026-03-01T12:00:00Z", "until": "2026-03-01T12:00:01Z"}, 3),
        ({"until": "2026-03-01T12:00:00Z"}, 0),
    ],
)
async def test_the_list_shows_what_is_asked_for(client: httpx.AsyncClient, query: dict[str, Any], count: int) -> None:
    await do(client, await opened(client), WorkOrderMove.DISPATCH)
    await do(client, await opened(client), WorkOrderMove.CANCEL)
    await opened(client, facility="lamp-1", work_class="power", priority="low")
    answer = await client.get("/work-orders", params=query)
    assert len(answer.json()["items"]) == count


async def test_pages_of_orders(client: httpx.AsyncClient) -> None:
    ids = [await opened(client) for _ in range(5)]
    first = (await client.get("/work-orders", params={"limit": 3})).json()
    second = (await client.get("/work-orders", params={"limit": 3, "after": first["next"]})).json()
    assert [each["id"] for each in itertools.chain(first["items"], second["items"])] == ids[::-1]
    assert second["next"] is None


async def test_of_two_who_dispatch_at_once_both_are_heard_in_turn(
    client: httpx.AsyncClient, estate: Estate, database_url: str, eventually: Eventually
) -> None:
    """Dispatching again is legal: the later one wins, and the journal has both. Accepting twice is not."""
    order = await opened(client)
    async with await psycopg.AsyncConnection.connect(database_url) as gate:
        await gate.execute("select 1 from facility where id = %s for update", [estate.garden.booster])
        both = [
            asyncio.create_task(client.post(f"/work-orders/{order}/dispatch", json={"assignee": name}))
            for name in ("张师傅", "李师傅")
        ]
        await eventually(lambda: anybody_waits_for_a_lock(database_url))
        await gate.commit()
        answers = await asyncio.gather(*both)
    assert [each.status_code for each in answers] == [200, 200]
    found = (await client.get(f"/work-orders/{order}")).json()
    assert [each["move"] for each in found["journal"]] == ["open", "dispatch", "dispatch"]
    both = [asyncio.create_task(do(client, order, WorkOrderMove.ACCEPT)) for _ in range(2)]
    assert sorted(each.status_code for each in await asyncio.gather(*both)) == [200, 409]
