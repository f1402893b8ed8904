"""An estate is brought in as often as one likes: the second time changes nothing, and a person's word stands."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from estate.bring_in import EstateErrors, bring_in, check, known, read
from estate.reading import parse
from ledger import dossier, facilities, grades, parameters, site_settings, timers
from ledger.errors import Conflict
from ledger.records import Delay, Grade, PointKind, SiteConfiguration, TimerKind, to_ms
from tests.estate.test_plan import PACKS, SITE
from tests.fix_database import Connection
from tests.small_estate import NOON, later

DEMO = Path(__file__).parents[2] / "estates/demo.yaml"


async def bring(connection: Connection, *changes: tuple[str, str], text: str = SITE) -> SiteConfiguration:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    await bring_in(connection, check(parse(text, "e.yaml"), PACKS), NOON)
    return await facilities.configuration_of(connection, "garden")


async def everything(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    cursor = await connection.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
    found: dict[str, list[tuple[object, ...]]] = {}
    for (table,) in await cursor.fetchall():
        query = psycopg.sql.SQL("select * from {} order by 1, 2, 3").format(psycopg.sql.Identifier(str(table)))
        found[str(table)] = await (await connection.execute(query)).fetchall()
    return found


def by_key(configuration: SiteConfiguration) -> Mapping[str, int]:
    return {facility.key: facility.id for facility in configuration.facilities}


def graded(configuration: SiteConfiguration) -> Mapping[str, Grade]:
    return {facility.key: facility.grade for facility in configuration.facilities}


async def test_the_configuration_is_what_the_file_says(connection: Connection) -> None:
    found = await bring(connection)
    ids = by_key(found)
    assert ids.keys() == {"gw", "booster", "power"}
    (gateway,) = found.gateways
    assert gateway.facility_id == ids["gw"]
    assert {facility.key: facility.gateway_id for facility in found.facilities} == {
        "gw": None,
        "booster": gateway.id,
        "power": gateway.id,
    }
    assert found.relations == {(ids["booster"], "supplied_by"): ids["power"]}
    assert found.parameters == {(ids["booster"], "setpoint"): 0.4, (ids["booster"], "pump_1.rated_current"): 20.0}
    enumeration = next(point for point in found.points if point.codes)
    assert sorted(enumeration.codes.values()) == list(range(len(enumeration.codes)))
    part_of = {part.id: part.key for part in found.parts}
    points = {(point.facility_id, point.key): point for point in found.points}
    assert part_of[points[ids["booster"], "pump_2.run"].part_id or 0] == "pump_2"
    room = next(each for each in await facilities.locations(connection, found.site.id) if each.key == "room")
    assert room.parent_id is not None


async def test_the_second_time_changes_nothing(connection: Connection) -> None:
    plan = check(read(DEMO), PACKS)
    await bring_in(connection, plan, NOON)
    before = await everything(connection)
    await bring_in(connection, plan, later(days=1))
    assert await everything(connection) == before


async def test_new_and_changed_facilities_have_it_in_their_dossier(connection: Connection) -> None:
    ids = by_key(await bring(connection))
    entries = await dossier.entries(connection, ids["booster"])
    assert [entry.kind for entry in entries] == ["registered", "asset_installed", "parameter", "parameter"]
    before = (await bring(connection)).site.revision
    after = await bring(connection, ("grade: B", "grade: A"))
    assert after.site.revision == before + 1
    assert [entry.kind for entry in await dossier.entries(connection, ids["power"])] == ["registered", "grade"]


async def test_what_a_person_has_set_stands_until_the_file_says_something_new(connection: Connection) -> None:
    booster = by_key(await bring(connection))["booster"]
    await parameters.set_value(connection, booster, "setpoint", 0.5, author="li", reason="summer", now=NOON)
    assert (await bring(connection)).parameters[booster, "setpoint"] == 0.5
    assert (await bring(connection, ("setpoint: 0.4", "setpoint: 0.45"))).parameters[booster, "setpoint"] == 0.45


async def test_a_grade_that_a_person_set_stands_until_the_file_says_another(connection: Connection) -> None:
    found = await bring(connection)
    power = next(each for each in found.facilities if each.key == "power")
    assert power.grade is Grade.B  # as the file says
    await grades.set_for_facility(
        connection, power, Grade.C, default=Grade.A, author="li", reason="spare room", now=NOON
    )
    assert graded(await bring(connection))["power"] is Grade.C
    assert graded(await bring(connection, ("grade: B", "grade: A")))["power"] is Grade.A
    unsaid = await bring(connection, ("grade: B", ""))
    assert graded(unsaid)["power"] is Grade.A, "what the file does not name is left alone"


async def test_a_new_facility_is_graded_as_its_kind_is_at_the_site(connection: Connection) -> None:
    site_id = (await bring(connection)).site.id
    changed = await grades.set_for_kind(
        connection, site_id, "booster_pump_room", Grade.C, default=Grade.A, author="li", reason="two feeds", now=NOON
    )
    assert [each.key for each in changed] == ["booster"]
    another = "  - {key: second, kind: booster_pump_room, name: {zh: 二, en: Two}, location: room, gateway: gw}\n"
    indented = "".join(f"    {line}\n" for line in another.splitlines())
    after = graded(await bring(connection, text=SITE.rstrip("\n") + "\n" + indented))
    assert (after["second"], after["booster"], after["power"]) == (Grade.C, Grade.C, Grade.B)


async def test_a_contract_that_a_person_chose_stands_until_the_file_says_another(connection: Connection) -> None:
    site = (await bring(connection)).site
    await site_settings.set_profile(connection, site.id, "steward", author="li", reason="new contract", now=NOON)
    assert (await bring(connection)).site.sla_profile == "steward"
    other = ("sla_profile: standard", "sla_profile: red_channel")
    assert (await bring(connection, other)).site.sla_profile == "red_channel"


async def test_a_point_that_is_no_longer_there_is_retired_and_comes_back_as_itself(connection: Connection) -> None:
    without = ("[tank_level]", "[tank_level, inlet_pressure]")
    first = await bring(connection)
    second = await bring(connection, without)
    third = await bring(connection)
    gone = {point.id for point in first.points} - {point.id for point in second.points}
    assert [point.key for point in first.points if point.id in gone] == ["inlet_pressure"]
    assert {point.id for point in third.points} == {point.id for point in first.points}
    assert first.site.revision < second.site.revision < third.site.revision


async def test_a_retired_event_holds_nothing_any_more(connection: Connection) -> None:
    text = SITE.replace("kind: distribution_room", "kind: elevator").replace("{supplied_by: power}", "{}")
    site = await bring(connection, text=text)
    lift = by_key(site)["power"]
    event = next(point for point in site.points if point.kind is PointKind.EVENT and point.facility_id == lift)
    delay = Delay(TimerKind.EVENT_HOLD, None, event.id, to_ms(NOON), to_ms(later(seconds=30)), None)
    await timers.keep_delays(connection, site.site.id, [delay])
    pack = PACKS["elevator"]
    packs = {**PACKS, "elevator": replace(pack, points={k: v for k, v in pack.points.items() if k != event.key})}
    await bring_in(connection, check(parse(text, "e.yaml"), packs), NOON)
    assert await timers.delays(connection, site.site.id) == []


async def test_relations_that_are_no_longer_there_go(connection: Connection) -> None:
    assert (await bring(connection, ("        relations: {supplied_by: power}\n", ""))).relations == {}
    assert len((await bring(connection)).relations) == 1
    assert (await bring(connection, ("        relations: {supplied_by: power}\n", ""))).relations == {}


async def test_a_key_cannot_change_its_kind(connection: Connection) -> None:
    await bring(connection)
    other = ("kind: distribution_room", "kind: elevator"), ("        relations: {supplied_by: power}\n", "")
    with pytest.raises(
        Conflict, match="facility power is a distribution_room in the ledger and cannot become a elevator"
    ):
        await bring(connection, *other)


async def test_labels_keep_their_codes_and_new_ones_are_appended(connection: Connection) -> None:
    found = await bring(connection)
    before = next(point for point in found.points if point.codes)
    pack = next(pack for pack in PACKS.values() if any(before.key == point.name for point in pack.points.values()))
    kind = pack.points[before.key]
    more = replace(kind, values=("brand_new", *reversed(kind.values)))
    packs = {**PACKS, pack.kind: replace(pack, points={**pack.points, before.key: more})}
    await bring_in(connection, check(parse(SITE, "e.yaml"), packs), NOON)
    after = next(
        point for point in (await facilities.configuration_of(connection, "garden")).points if point.id == before.id
    )
    assert after.codes == {**before.codes, "brand_new": len(before.codes)}


async def test_a_point_cannot_change_its_unit(connection: Connection) -> None:
    await bring(connection)
    pack = PACKS["booster_pump_room"]
    other = replace(pack.points["outlet_pressure"], unit="bar")
    packs = {**PACKS, pack.kind: replace(pack, points={**pack.points, "outlet_pressure": other})}
    with pytest.raises(
        Conflict, match="outlet_pressure is a measure MPa in the ledger and cannot become a measure bar"
    ):
        await bring_in(connection, check(parse(SITE, "e.yaml"), packs), NOON)


async def test_a_swapped_asset_ends_the_one_before_it(connection: Connection) -> None:
    newer = "installed_on: 2020-02-01}, {part: pump_1, maker: N, model: Y, installed_on: 2024-05-06}"
    older = "installed_on: 2020-02-01}, {part: pump_1, maker: O, model: W, installed_on: 2015-05-06}"
    booster = by_key(await bring(connection))["booster"]
    await bring(connection, ("installed_on: 2020-02-01}", newer))
    await bring(connection, ("installed_on: 2020-02-01}", older))
    found = await facilities.assets(connection, booster)
    assert [(asset.maker, str(asset.installed_on), str(asset.removed_on)) for asset in found] == [
        ("N", "2024-05-06", "None"),
        ("M", "2020-02-01", "2024-05-06"),
        ("O", "2015-05-06", "2020-02-01"),
    ]


TAKEN = "is named elsewhere as well"


@pytest.mark.parametrize(
    ("facilities_and_more", "told"),
    [
        ("[{key: x, renamed_from: power}, {key: y, renamed_from: power}]", TAKEN),
        ("[{key: x, renamed_from: power}, {key: power}]", TAKEN),
        ("[{key: x, renamed_from: power}]\n    removed: [{key: power, reason: gone}]", TAKEN),
        ("[]\n    removed: [{key: power, reason: gone}, {key: power, reason: y}]", "second time"),
    ],
)
async def test_a_key_cannot_become_two_things(connection: Connection, facilities_and_more: str, told: str) -> None:
    await bring(connection)
    rest = "kind: distribution_room, name: {zh: 房, en: Room}, location: room, gateway: gw}"
    text = f"sites:\n  - key: garden\n    facilities: {facilities_and_more}\n"
    text = (
        text.replace("power}", f"power, {rest}")
        .replace("x}", f"x, {rest}")
        .replace("{key: power}", f"{{key: power, {rest}")
    )
    stands = await known(connection, ["garden"])
    with pytest.raises(EstateErrors, match=told):
        check(parse(text, "e.yaml"), PACKS, known=stands)
