"""What exists is read as of one moment; parameters and gateways change as they should and ingest hears of it."""

import asyncio

import pytest

from ledger import dossier, facilities, parameters
from ledger.errors import Invalid, NotFound, Unavailable
from ledger.facilities import Heard
from ledger.pool import API_ROLE, INGEST_ROLE, open_pool, transaction
from tests.fix_database import Connection
from tests.small_estate import NOON, SmallSite, build, build_both, later


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    built = await build(connection, "garden", "花园", lamp=True)
    await connection.commit()
    return built


async def test_the_configuration_of_a_site_is_its_own(connection: Connection) -> None:
    garden, harbour = await build_both(connection)
    configuration = await facilities.configuration(connection, garden.id)
    assert configuration == await facilities.configuration_of(connection, "garden")
    assert [facility.key for facility in configuration.facilities] == ["gw-1", "booster-1", "lamp-1"]
    assert {part.key for part in configuration.parts} == {"pump_1", "pump_2"}
    points = {point.key: point for point in configuration.points}
    assert points["ats_position"].codes == {"main": 0, "backup": 1, "off": 2}
    assert points["pump_1.run"].part_id == garden.pump_1
    other = await facilities.configuration(connection, harbour.id)
    assert {each.id for each in other.facilities}.isdisjoint(each.id for each in configuration.facilities)


async def test_what_is_retired_is_not_judged(connection: Connection, site: SmallSite) -> None:
    await connection.execute("update facility set retired_at = %s where id = %s", [NOON, site.lamp])
    await connection.execute("update point set retired_at = %s where key = 'flood'", [NOON])
    configuration = await facilities.configuration(connection, site.id)
    assert "lamp-1" not in {facility.key for facility in configuration.facilities}
    assert "flood" not in {point.key for point in configuration.points}
    assert (await facilities.facility(connection, site.lamp or 0)).key == "lamp-1"


async def test_what_is_not_there(connection: Connection) -> None:
    for asked in (facilities.configuration(connection, 9), facilities.configuration_of(connection, "none"),
                  facilities.site(connection, 9), facilities.facility(connection, 9),
                  facilities.bump_revision(connection, 9)):  # fmt: skip
        with pytest.raises(NotFound):
            await asked


async def test_a_change_that_commits_while_the_configuration_is_read_is_in_it_whole(
    database_url: str, site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction sets two parameters between two statements of the reader."""
    read_points = facilities.points
    async with open_pool(database_url, role=INGEST_ROLE) as ingest, open_pool(database_url, role=API_ROLE) as api:
        left = 2

        async def points_after_a_change(*asked: object) -> object:
            nonlocal left
            if left:
                left -= 1
                async with transaction(api, sites=[site.id]) as person:
                    await set_both(person, site, float(left))
            return await read_points(*asked)  # type: ignore[arg-type]

        monkeypatch.setattr(facilities, "points", points_after_a_change)
        async with transaction(ingest) as connection:
            configuration = await facilities.configuration(connection, site.id)
    assert set(configuration.parameters.values()) == {0.0}
    assert configuration.site.revision == 4


async def test_a_site_that_never_stands_still_is_not_read_for_ever(
    connection: Connection, site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_points = facilities.points

    async def points_and_a_change(*asked: object) -> object:
        await facilities.bump_revision(connection, site.id)
        return await read_points(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(facilities, "points", points_and_a_change)
    with pytest.raises(Unavailable, match="was changed while it was read"):
        await facilities.configuration(connection, site.id)


async def set_both(connection: Connection, site: SmallSite, value: float) -> None:
    for name in ("setpoint", "pump_1.rated_current"):
        await parameters.set_value(connection, site.booster, name, value, author="li", reason="test", now=NOON)  # type: ignore[arg-type]


# -- parameters


async def test_the_newest_setting_is_in_force_and_the_others_are_its_history(
    connection: Connection, site: SmallSite
) -> None:
    await set_both(connection, site, 1.0)
    newest = await parameters.set_value(
        connection, site.booster, "setpoint", 2.0, author="wang", reason="winter", now=later(hours=-1)
    )  # a clock that was put back does not put the newest setting out of force
    assert {one.name: one.value for one in await parameters.in_force(connection, site.booster)} == {
        "setpoint": 2.0,
        "pump_1.rated_current": 1.0,
    }
    history = await parameters.history(connection, site.booster, "setpoint")
    assert [(one.value, one.author) for one in history] == [(2.0, "wang"), (1.0, "li")]
    assert await parameters.history(connection, site.booster, "setpoint", before_id=newest.id, limit=1) == history[1:]
    assert (await facilities.revisions(connection, [site.id])) == {site.id: 3}
    entries = await dossier.entries(connection, site.booster)
    assert entries[-1].kind == "parameter"
    assert entries[-1].body == {"name": "setpoint", "value": 2.0, "author": "wang", "reason": "winter"}


@pytest.mark.parametrize(("author", "reason"), [("", "why"), ("li", " ")])
async def test_nobody_sets_a_parameter_for_no_reason(
    connection: Connection, site: SmallSite, author: str, reason: str
) -> None:
    with pytest.raises(Invalid, match="author and reason must not be empty"):
        await parameters.set_value(connection, site.booster, "x", 1, author=author, reason=reason, now=NOON)
    with pytest.raises(NotFound):
        await parameters.set_value(connection, 999, "x", 1, author="li", reason="why", now=NOON)


# -- gateways


async def test_what_is_heard_of_gateways_adds_up(connection: Connection) -> None:
    garden, harbour = await build_both(connection)
    await facilities.gateways_heard(connection, [])
    await facilities.gateways_heard(
        connection,
        [Heard(harbour.gateway, NOON, 250, 7, 2), Heard(garden.gateway, later(seconds=5))],
    )
    await facilities.gateways_heard(connection, [Heard(harbour.gateway, later(seconds=-1), None, None, 3)])
    (found,) = await facilities.gateways(connection, harbour.id)
    assert (found.heard_at, found.clock_offset_ms, found.last_seq) == (NOON, 250, 7)
    (other,) = await facilities.gateways(connection, garden.id)
    assert (other.heard_at, other.clock_offset_ms, other.last_seq) == (later(seconds=5), None, None)
    cursor = await connection.execute("select seq_gaps from gateway order by id")
    assert await cursor.fetchall() == [(0,), (5,)]


@pytest.mark.parametrize(
    ("told", "taken", "online"),
    [
        ([(True, 0)], [True], True),
        ([(True, 0), (True, 0)], [True, False], True),
        ([(True, 0), (False, 0)], [True, True], False),  # the last will of that connection
        ([(True, 0), (False, 0), (True, 0)], [True, True, False], False),  # delivered again
        ([(True, 5), (False, 0)], [True, False], True),  # the will of the connection before
        ([(False, 5), (True, 0)], [True, False], False),
        ([(False, 0), (True, 5)], [True, True], True),
    ],
)
async def test_an_older_status_never_overrules_a_newer_one(
    connection: Connection, site: SmallSite, told: list[tuple[bool, int]], taken: list[bool], *, online: bool
) -> None:
    await connection.execute("update gateway set online = null, online_since = null")
    answers = [
        await facilities.gateway_status(connection, site.gateway, online=state, since=later(seconds=since))
        for state, since in told
    ]
    assert answers == taken
    (gateway,) = await facilities.gateways(connection, site.id)
    assert gateway.online is online


async def test_two_batches_that_heard_the_same_gateways_do_not_wait_in_a_circle(
    database_url: str, connection: Connection
) -> None:
    garden, harbour = await build_both(connection)
    await connection.commit()
    async with open_pool(database_url, role=INGEST_ROLE) as pool:

        async def hear(order: tuple[int, ...]) -> None:
            for _ in range(30):
                async with transaction(pool) as one:
                    await facilities.gateways_heard(one, [Heard(number, NOON, seq_gaps=1) for number in order])

        await asyncio.gather(hear((garden.gateway, harbour.gateway)), hear((harbour.gateway, garden.gateway)))
    cursor = await connection.execute("select seq_gaps from gateway")
    assert await cursor.fetchall() == [(60,), (60,)]
