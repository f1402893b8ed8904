"""Rounds: started once for each window, every move by who may make it, two guards at once."""

from datetime import datetime, time
from typing import Any

import pytest

from ledger import plans, rounds
from ledger.errors import Conflict, IllegalMove, Invalid, NotFound
from ledger.round_lifecycle import ROUND_MOVES, RoundMove, RoundState, legal_round_moves
from tests.fix_database import Connection
from tests.small_estate import NOON, SmallSite, build, later

GUARD, OTHER = "王班长", "小李"
WINDOW = (NOON, later(hours=1))


@pytest.fixture
async def garden(connection: Connection) -> SmallSite:
    return await build(connection, "garden", "花园小区", lamp=True)


async def planned(connection: Any, site: SmallSite) -> int:
    assert site.lamp is not None
    stops = [(site.booster, 5, 5), (site.lamp, 30, 5)]
    wanted = plans.Wanted(
        site.id, "night", "夜巡", "Night round", "一网格", "李工", None, "day", (), time(20), 60, True, stops
    )
    return await plans.put(connection, wanted, actor="李工", now=NOON)


async def started(connection: Any, site: SmallSite, guard: str = GUARD, now: datetime = NOON) -> int:
    plan = await planned(connection, site)
    return await rounds.start(connection, site_id=site.id, plan_id=plan, window=WINDOW, guard=guard, now=now)


async def test_started_twice_by_its_guard_it_is_the_same_and_by_another_refused(
    connection: Any, garden: SmallSite
) -> None:
    first = await started(connection, garden)
    assert await started(connection, garden, now=later(minutes=3)) == first
    with pytest.raises(Conflict, match=GUARD):
        await started(connection, garden, OTHER)
    found = await rounds.get(connection, first)
    assert [each.facility_key for each in found.stops] == ["booster-1", "lamp-1"]
    assert [each.move for each in await rounds.events(connection, first)] == [RoundMove.START]


async def test_a_plan_changed_is_the_same_plan_with_another_route(connection: Any, garden: SmallSite) -> None:
    plan = await planned(connection, garden)
    assert await planned(connection, garden) == plan
    assert len(await plans.stops(connection, plan)) == 2


async def test_handed_over_and_taken_over_the_guard_is_another(connection: Any, garden: SmallSite) -> None:
    number = await started(connection, garden)
    found = await rounds.move(connection, number, RoundMove.HAND_OVER, actor=GUARD, note=None, now=NOON, to=OTHER)
    assert (found.guard, found.state) == (OTHER, RoundState.WALKING)
    with pytest.raises(Conflict, match="only 小李"):
        await rounds.move(connection, number, RoundMove.FINISH, actor=GUARD, note=None, now=NOON)
    found = await rounds.move(connection, number, RoundMove.TAKE_OVER, actor=GUARD, note="小李崴了脚", now=NOON)
    assert found.guard == GUARD
    journal = await rounds.events(connection, number)
    assert [(each.move.value, each.guard) for each in journal] == [
        ("start", GUARD),
        ("hand_over", OTHER),
        ("take_over", GUARD),
    ]


@pytest.mark.parametrize("end", [RoundMove.FINISH, RoundMove.ABANDON])
async def test_what_has_ended_moves_no_more(connection: Any, garden: SmallSite, end: RoundMove) -> None:
    number = await started(connection, garden)
    found = await rounds.move(connection, number, end, actor=GUARD, note="没电了", now=later(minutes=30))
    assert found.ended_at == later(minutes=30)
    assert legal_round_moves(found.state) == ()
    for step in RoundMove:
        with pytest.raises(IllegalMove):
            await rounds.move(connection, number, step, actor=GUARD, note="x", now=NOON, to=OTHER)
    with pytest.raises(Conflict, match=found.state):
        await started(connection, garden)


@pytest.mark.parametrize(
    ("step", "actor", "note", "to"),
    [
        (RoundMove.HAND_OVER, GUARD, None, ""),
        (RoundMove.HAND_OVER, GUARD, None, GUARD),
        (RoundMove.TAKE_OVER, GUARD, "x", ""),
        (RoundMove.TAKE_OVER, OTHER, None, ""),
        (RoundMove.TAKE_OVER, OTHER, "\u200b", ""),
        (RoundMove.ABANDON, GUARD, None, ""),
    ],
)
async def test_a_move_without_what_it_needs_is_refused(
    connection: Any, garden: SmallSite, step: RoundMove, actor: str, note: str | None, to: str
) -> None:
    number = await started(connection, garden)
    with pytest.raises(Invalid):
        await rounds.move(connection, number, step, actor=actor, note=note, now=NOON, to=to)
    assert len(await rounds.events(connection, number)) == 1


async def test_a_round_nobody_has_is_not_found(connection: Any, garden: SmallSite) -> None:
    with pytest.raises(NotFound):
        await rounds.move(connection, 4711, RoundMove.FINISH, actor=GUARD, note=None, now=NOON)


def test_only_a_start_comes_from_nowhere() -> None:
    assert [move for (state, move) in ROUND_MOVES if state is None] == [RoundMove.START]
    assert {move for (_, move) in ROUND_MOVES} == set(RoundMove)
