"""What an import would change is shown before it is written; renames and removals are said, and keep the history."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from estate import wording
from estate.bring_in import bring_in, check, known, rehearse
from estate.difference import Change, Difference, Subject, unwatched
from estate.faults import EstateErrors, StillNeeded
from estate.importing import plan
from estate.reading import parse
from ledger import conditions, departures, dossier, facilities, facility_list, inventory
from ledger.errors import Conflict
from ledger.records import ConditionSpec, Severity
from tests.estate.test_bring_in import by_key, everything
from tests.estate.test_plan import PACKS, SITE
from tests.fix_database import Connection
from tests.small_estate import NOON, later, raise_alarm

WITHOUT_POWER = SITE[: SITE.index("      - key: power")].replace("        relations: {supplied_by: power}\n", "")
REMOVED = WITHOUT_POWER + "    removed: [{key: power, reason: 改造拆除}]\n"


async def seen(connection: Connection, text: str) -> Difference:
    """What a dry run tells."""
    stands = await known(connection, ["garden"])
    return await rehearse(connection, check(parse(text, "e.yaml"), PACKS, known=stands), NOON)


async def bring(connection: Connection, text: str, **duration: float) -> Difference:
    stands = await known(connection, ["garden"])
    return await bring_in(connection, check(parse(text, "e.yaml"), PACKS, known=stands), later(**duration))


def changed(*changes: tuple[str, str], text: str = SITE) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


async def test_a_new_site_is_all_new_and_afterwards_nothing_is(connection: Connection) -> None:
    shown = await seen(connection, SITE)
    assert shown.counts() == {Change.ADDED: 6, Change.CHANGED: 0, Change.RENAMED: 0, Change.REMOVED: 0}
    assert await facilities.sites(connection) == []
    assert await bring(connection, SITE) == shown
    assert (await seen(connection, SITE)).items == ()


async def test_a_dry_run_shows_what_a_real_one_does_and_writes_nothing(connection: Connection) -> None:
    await bring(connection, SITE)
    other = changed(
        ("grade: B", "grade: C"),
        ("setpoint: 0.4", "setpoint: 0.45"),
        ("[tank_level]", "[turbidity]"),
        ("zh: 地下室", "zh: 地库"),
    )
    before = await everything(connection)
    shown = await seen(connection, other)
    assert await everything(connection) == before
    fields = {
        (item.key, field.name, field.of): (field.before, field.after) for item in shown.items for field in item.fields
    }
    assert fields == {
        ("basement", "name_zh", ""): ("地下室", "地库"),
        ("booster", "points_gone", ""): ("turbidity", None),
        ("booster", "points_new", ""): (None, "tank_level"),
        ("booster", "parameter", "setpoint"): ("0.4", "0.45"),
        ("power", "grade", ""): ("B", "C"),
    }
    assert await bring(connection, other, days=1) == shown


async def test_the_difference_reads_in_both_languages(connection: Connection) -> None:
    await bring(connection, SITE)
    shown = await seen(connection, changed(("grade: B", "grade: C")))
    assert wording.difference(shown, "en", dry_run=True) == [
        "~ facility garden/power Distribution room",
        "    grade: B → C",
        "1 changed (dry run, nothing written)",
    ]
    assert wording.difference(shown, "zh", dry_run=False) == ["~ 设施 garden/power 配电房", "    等级: B → C", "变更 1"]
    assert wording.difference(Difference(()), "zh", dry_run=False) == ["没有差异"]


SERVICE = "      - {key: ingest, kind: ingest_service, name: {zh: 接入服务, en: Ingest}, location: room}\n"


async def test_a_site_where_nothing_rings_when_monitoring_stops_is_told(connection: Connection) -> None:
    async def told(text: str) -> list[str]:
        stands = await known(connection, ["garden"])
        return unwatched(check(parse(text, "e.yaml"), PACKS, known=stands), stands)

    only_told = SITE[: SITE.index("    gateways:")]
    assert await told(only_told) == [], "nothing is measured there"
    assert await told(SITE) == ["garden"]
    assert await told(SITE + SERVICE) == []
    await bring(connection, SITE)
    assert await told(only_told) == ["garden"], "what the file does not name stays"
    await bring(connection, SITE + SERVICE)
    assert await told(SITE) == []
    renamed = SERVICE.replace("key: ingest,", "key: taizhang, renamed_from: ingest,")
    assert await told(SITE + renamed) == []
    assert await told(SITE + "    removed: [{key: ingest, reason: 拆除}]\n") == ["garden"]
    await bring(connection, SITE + "    removed: [{key: ingest, reason: 拆除}]\n")
    assert await told(SITE) == ["garden"]
    (zh,), (en,) = (wording.unwatched(["garden"], language) for language in ("zh", "en"))
    assert zh.startswith("注意：garden 没有接入服务")
    assert en.startswith("Warning: garden has no facility of kind ingest_service")


async def test_a_renamed_facility_is_the_same_one(connection: Connection) -> None:
    await bring(connection, SITE)
    before = by_key(await facilities.configuration_of(connection, "garden"))
    renamed = changed(
        ("key: power\n", "key: power_1\n        renamed_from: power\n"), ("supplied_by: power", "supplied_by: power_1")
    )
    told = await bring(connection, renamed)
    assert [(item.change, item.key, item.was_key, item.fields) for item in told.items] == [
        (Change.RENAMED, "power_1", "power", ())
    ]
    after = await facilities.configuration_of(connection, "garden")
    assert by_key(after)["power_1"] == before["power"]
    assert after.relations == {(before["booster"], "supplied_by"): before["power"]}
    assert [each.kind for each in await dossier.entries(connection, before["power"])][-1] == "renamed"
    assert "MQTT topic" in "\n".join(wording.difference(told, "en", dry_run=False))
    assert (await bring(connection, renamed)).items == ()  # the old key is gone, and that is all right


async def test_a_renamed_gateway_and_place_take_what_is_theirs_along(connection: Connection) -> None:
    await bring(connection, SITE)
    renamed = changed(
        ("{key: gw,", "{key: gw_1, renamed_from: gw,"),
        ("gateway: gw\n", "gateway: gw_1\n"),
        ("{key: basement,", "{key: cellar, renamed_from: basement,"),
        ("inside: basement", "inside: cellar"),
        ("location: basement", "location: cellar"),
    )
    told = await bring(connection, renamed)
    assert {(item.change, item.subject, item.key) for item in told.items} == {
        (Change.RENAMED, Subject.GATEWAY, "gw_1"),
        (Change.RENAMED, Subject.LOCATION, "cellar"),
        (Change.CHANGED, Subject.LOCATION, "room"),
    }
    (gateway,) = (await facilities.configuration_of(connection, "garden")).gateways
    assert gateway.key == "gw_1"
    assert (await seen(connection, renamed)).items == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            changed(
                ("key: power\n", "key: power_2\n        renamed_from: nothing\n"),
                ("supplied_by: power", "supplied_by: power_2"),
            ),
            "there is no key in the ledger nothing",
        ),
        (
            changed(("key: power\n", "key: power\n        renamed_from: booster\n")),
            "booster becomes power and is named elsewhere as well",
        ),
        (
            changed(("key: booster\n", "key: power\n        renamed_from: booster\n"), text=WITHOUT_POWER),
            "booster and power are both in the ledger",
        ),
    ],
)
async def test_a_rename_that_cannot_be_is_refused(connection: Connection, text: str, told: str) -> None:
    await bring(connection, SITE)
    with pytest.raises(EstateErrors) as error:
        await seen(connection, text)
    assert told in "\n".join(error.value.errors)


async def test_what_is_removed_is_retired_and_keeps_its_history(connection: Connection) -> None:
    await bring(connection, SITE)
    power = by_key(await facilities.configuration_of(connection, "garden"))["power"]
    told = await bring(connection, REMOVED, days=30)
    assert [(item.change, item.key, item.reason) for item in told.items if item.change is Change.REMOVED] == [
        (Change.REMOVED, "power", "改造拆除")
    ]
    after = await facilities.configuration_of(connection, "garden")
    assert "power" not in by_key(after)
    assert all(point.facility_id != power for point in after.points)
    entries = await dossier.entries(connection, power)
    assert [entry.kind for entry in entries] == ["registered", "retired"]
    assert entries[-1].body == {"key": "power", "reason": "改造拆除"}
    assert (await facility_list.get(connection, "garden", "power")).id == power  # found, for its history
    assert (await bring(connection, REMOVED, days=31)).items == ()
    back = await bring(connection, SITE, days=40)
    assert "retired" in {field.name for item in back.items for field in item.fields}
    assert by_key(await facilities.configuration_of(connection, "garden"))["power"] == power


async def test_nothing_is_removed_while_it_is_in_use(connection: Connection) -> None:
    await bring(connection, SITE)
    found = await facilities.configuration_of(connection, "garden")
    site, power = found.site.id, by_key(found)["power"]
    (standing,) = await conditions.ensure(connection, site, [ConditionSpec(power, None, "flood", Severity.CRITICAL)])
    await raise_alarm(connection, standing)
    with pytest.raises(Conflict, match=r"power cannot be removed yet: 1 open alarm\(s\)"):
        async with connection.transaction():
            await bring(connection, REMOVED)
    with pytest.raises(StillNeeded, match=r"power cannot be removed yet: 1 open alarm\(s\)") as refused:
        await seen(connection, REMOVED)
    assert "1 条未结束报警" in refused.value.said[0].zh
    still_named = SITE[: SITE.index("      - key: power")] + "    removed: [{key: power, reason: x}]\n"
    with pytest.raises(EstateErrors, match="no facility of site garden power"):
        await seen(connection, still_named)
    gateway_gone = "sites: [{key: garden, removed: [{key: gw, reason: x}]}]"
    with pytest.raises(Conflict, match="gw cannot be removed: it is the gateway of booster; give booster another"):
        await bring(connection, gateway_gone)
    related = "sites: [{key: garden, removed: [{key: power, reason: x}]}]"
    with pytest.raises(Conflict, match="power cannot be removed: booster names it as supplied_by"):
        await bring(connection, related)


async def test_a_removed_row_of_a_table_needs_its_reason(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, SITE)
    box = tmp_path / "box.csv"
    box.write_text("设备编号,设备类型,位置,状态,原因\nmh-1,干粉灭火器,地下室,在用,\n", encoding="gbk")
    await bring_in(connection, await plan(connection, [box], PACKS), NOON)
    box.write_text("设备编号,设备类型,位置,状态,原因\nmh-1,干粉灭火器,地下室,报废,压力不足\n", encoding="gbk")
    told = await bring_in(connection, await plan(connection, [box], PACKS), NOON)
    assert [(item.change, item.reason) for item in told.items] == [(Change.REMOVED, "压力不足")]


async def test_a_file_may_name_only_what_changes_at_a_site_that_is_there(connection: Connection) -> None:
    await bring(connection, SITE)
    more = """\
sites:
  - key: garden
    facilities:
      - {key: box, type: extinguisher_dry_powder, name: {zh: 灭火器, en: Extinguisher}, location: room}
"""
    told = await bring(connection, more)
    assert [(item.change, item.key) for item in told.items] == [(Change.ADDED, "box")]
    entry = await facility_list.get(connection, "garden", "box")
    assert (entry.type_key, entry.gateway_key) == ("extinguisher_dry_powder", None)
    with pytest.raises(EstateErrors, match="the site other is not in the ledger yet, so it needs a name"):
        check(parse(more.replace("garden", "other"), "e.yaml"), PACKS)
    circle = "sites: [{key: garden, locations: [{key: basement, name: {zh: 地下室, en: B}, inside: room}]}]"
    with pytest.raises(EstateErrors, match="basement lies, by way of room, inside itself"):
        await seen(connection, circle)


async def test_a_part_that_is_gone_is_retired_with_what_was_installed_there(connection: Connection) -> None:
    await bring(connection, SITE)
    booster = by_key(await facilities.configuration_of(connection, "garden"))["booster"]
    one_pump = changed(
        ("{key: pump_1, kind: pump}, ", ""),
        (", pump_1.rated_current: 20", ""),
        (
            "        assets: [{part: pump_1, maker: M, model: X, manufactured_on: 2020-01-01, installed_on: 2020-02-01}]\n",
            "",
        ),
    )
    told = await bring(connection, one_pump, days=3)
    assert {(field.name, field.of) for item in told.items for field in item.fields} == {
        ("part", "pump_1"),
        ("points_gone", ""),
    }
    assert [part.key for part in await facilities.parts(connection, booster)] == ["pump_2"]
    (asset,) = await facilities.assets(connection, booster)
    assert (asset.part_key, asset.removed_on) == ("pump_1", later(days=3).date())
    assert (await seen(connection, one_pump)).items == ()
    await bring(connection, SITE, days=4)
    assert [part.key for part in await facilities.parts(connection, booster)] == ["pump_1", "pump_2"]


async def test_an_expected_end_is_written_and_shown_and_follows_a_corrected_date(connection: Connection) -> None:
    text = (
        "{key: box, type: extinguisher_co2, name: {zh: 灭火器, en: E}, location: room, assets: [{maker: M, model: X, "
    )
    box = f"    facilities:\n      - {text}manufactured_on: 2020-03-01, installed_on: 2020-05-01}}]}}\n"
    await bring(connection, changed(("    facilities:\n", box)))
    assert str((await facility_list.get(connection, "garden", "box")).expected_end_on) == "2032-03-01"
    told = await bring(connection, changed(("    facilities:\n", box.replace("2020-03-01", "2019-03-01"))))
    assert [field.name for item in told.items for field in item.fields] == ["asset"]
    entry = await facility_list.get(connection, "garden", "box")
    assert str(entry.expected_end_on) == "2031-03-01"
    assert [each.kind for each in await dossier.entries(connection, entry.id)] == [
        "registered",
        "asset_installed",
        "asset_corrected",
    ]


async def test_a_retired_gateway_speaks_for_nobody(connection: Connection) -> None:
    await bring(connection, SITE)
    found = await facilities.configuration_of(connection, "garden")
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for facility in found.facilities:
        await departures.retire_facility(connection, facility.id, now=now, today=now.date())
    after = await facilities.configuration_of(connection, "garden")
    assert (after.gateways, after.facilities, after.points) == ([], [], [])


async def test_a_point_is_put_back_as_it_was(connection: Connection) -> None:
    """Standing points and planned ones are the same values, or every import would find a difference."""
    await bring(connection, SITE)
    stands = (await known(connection, ["garden"]))["garden"]
    planned = check(parse(SITE, "e.yaml"), PACKS).sites[0].facilities[0]
    assert list(stands.facilities["booster"].points.values()) == list(planned.points)
    assert all(isinstance(each, inventory.PointEntry) for each in planned.points)
