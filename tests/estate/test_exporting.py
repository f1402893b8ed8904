"""What was imported is given back: importing an export again, here or into an empty ledger, makes no difference."""

from pathlib import Path

import openpyxl
import pytest

from estate import exporting, template
from estate.bring_in import bring_in, check, difference
from estate.difference import Change
from estate.importing import plan
from estate.reading import parse
from estate.types import shipped
from ledger import facilities
from ledger.errors import NotFound
from tests.estate.test_plan import SITE
from tests.fix_database import Connection
from tests.shipped import PACKS
from tests.small_estate import NOON

ESTATES = Path(__file__).parents[2] / "estates"
DEMO = (ESTATES / "demo.yaml", ESTATES / "demo_fire_equipment.csv")


async def recognised(connection: Connection) -> None:
    """An estate a property company would recognise: every kind of room, and the fire equipment."""
    for key in ("jinxiu", "binjiang"):
        found = await facilities.configuration_of(connection, key)
        kinds = {each.kind for each in found.facilities}
        assert {"booster_pump_room", "fire_pump_room", "fire_water_tank", "distribution_room", "generator"} <= kinds
        assert {"elevator", "drainage_sump", "extinguisher", "indoor_hydrant", "smoke_detector"} <= kinds
    every = [
        one for key in ("jinxiu", "binjiang") for one in (await facilities.configuration_of(connection, key)).facilities
    ]
    measured = [one for one in every if one.gateway_id is not None]
    walked_to = [one for one in every if one.gateway_id is None and one.kind not in ("gateway", "ingest_service")]
    assert 55 <= len(measured) <= 65
    assert len(walked_to) == 300
    assert [one.kind for one in every].count("ingest_service") == 2, "each site rings when its monitoring stops"


async def test_the_demo_estate_is_whole_and_comes_back_in_every_form(connection: Connection, tmp_path: Path) -> None:
    await bring_in(connection, await plan(connection, DEMO, PACKS), NOON)
    await recognised(connection)
    assert not (await difference(connection, await plan(connection, DEMO, PACKS))).items
    described = await exporting.describe(connection, [], PACKS)
    exporting.write(described, tmp_path / "estate.yaml", "yaml", "zh")
    exporting.write(described, tmp_path / "estate.xlsx", "xlsx", "zh")
    exporting.write(described, tmp_path / "tables", "csv", "en")
    every = (
        [tmp_path / "estate.yaml"],
        [tmp_path / "estate.xlsx"],
        sorted((tmp_path / "tables").glob("*.csv")),
    )
    for files in every:
        assert (await difference(connection, await plan(connection, files, PACKS))).items == ()


async def test_an_export_builds_the_same_estate_anew(connection: Connection, tmp_path: Path) -> None:
    """Into an empty ledger, from the workbook; then the original finds nothing to change."""
    async with connection.transaction(force_rollback=True):
        await bring_in(connection, await plan(connection, DEMO, PACKS), NOON)
        described = await exporting.describe(connection, ["binjiang"], PACKS)
        exporting.write(described, tmp_path / "estate.xlsx", "xlsx", "en")
    assert await facilities.sites(connection) == []
    await bring_in(connection, await plan(connection, [tmp_path / "estate.xlsx"], PACKS), NOON)
    again = await difference(connection, await plan(connection, DEMO, PACKS))
    assert [item for item in again.items if item.site == "binjiang"] == []
    assert again.counts()[Change.ADDED] > 100  # the other site, which was not exported


async def test_a_site_that_is_not_there_is_named(connection: Connection) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        await exporting.describe(connection, ["nowhere"], PACKS)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_template_is_read_back_with_nothing_but_its_example(
    connection: Connection, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "template.xlsx"
    types = [shipped()[key] for key in ("booster_set_3_pumps", "extinguisher_dry_powder")]
    template.write(path, types, PACKS, language)
    book = openpyxl.load_workbook(path)
    sheet = book["设备" if language == "zh" else "Facilities"]
    assert {each.type for each in sheet.data_validations.dataValidation} == {"list"}
    assert sheet["C1"].comment is not None
    sites = book["项目" if language == "zh" else "Sites"]
    sites["A2"], sites["B2"] = "garden", "花园"
    sheet.append(["garden", "1号楼", "mh-1", "灭火器", "Extinguisher", types[1].title.zh])
    book.save(path)
    found = await difference(connection, await plan(connection, [path], PACKS))
    assert [(item.subject.value, item.key) for item in found.items] == [
        ("site", "garden"),
        ("location", "b1"),
        ("facility", "mh-1"),
    ]


async def test_what_people_wrote_comes_back_letter_by_letter(connection: Connection, tmp_path: Path) -> None:
    """Full-width brackets, what a spreadsheet would run, a figure with all its digits."""
    text = (
        SITE.replace("泵组", "泵组（2 台）")
        .replace("en: Booster", "en: '=1+1'")
        .replace("setpoint: 0.4", f"setpoint: {0.1 + 0.2}")
    )
    text = text.replace("maker: M", "maker: ＡＢＣ").replace("zh: 配电房", 'zh: "\'配电房"')
    await bring_in(connection, check(parse(text, "e.yaml"), PACKS), NOON)
    described = await exporting.describe(connection, [], PACKS)
    exporting.write(described, tmp_path / "estate.xlsx", "xlsx", "zh")
    exporting.write(described, tmp_path / "tables", "csv", "zh")
    for files in ([tmp_path / "estate.xlsx"], sorted((tmp_path / "tables").glob("*.csv"))):
        assert (await difference(connection, await plan(connection, files, PACKS))).items == ()


async def test_a_maker_that_was_corrected_comes_back_once(connection: Connection, tmp_path: Path) -> None:
    """Two pieces of one place and one day would be refused by the import."""
    corrected = SITE.replace("maker: M", "maker: N")
    for text in (SITE, corrected):
        await bring_in(connection, check(parse(text, "e.yaml"), PACKS), NOON)
    exporting.write(await exporting.describe(connection, [], PACKS), tmp_path / "e.yaml", "yaml", "zh")
    assert "maker: N" in (tmp_path / "e.yaml").read_text(encoding="utf-8")
    assert (await difference(connection, await plan(connection, [tmp_path / "e.yaml"], PACKS))).items == ()
