"""An estate comes in from the spreadsheet a property company has; what is wrong with it is named by its cell, all at once."""

import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from estate.bring_in import bring_in, difference
from estate.difference import Change, Difference
from estate.faults import EstateErrors
from estate.importing import Options, plan
from estate.sheets import COLUMNS_MAX, ROWS_MAX, safe, unsafe
from ledger import facilities
from ledger.records import SiteConfiguration
from tests.estate.test_plan import PACKS, SITE
from tests.fix_database import Connection
from tests.small_estate import NOON

SITES = "项目编号,项目名称,英文名称\ngarden,花园,Garden\n"
HEADER = "项目,楼栋/位置,设备编号,设备名称,设备类型,等级,品牌,型号,出厂编号,出厂日期,安装日期,状态,原因"
ROWS = (
    "花园,1号楼/3层,MH-1-03-01,3层灭火器,干粉灭火器,B,淮海,MFZ/ABC4,H1,2021-03,2021/5/1,在用,",
    "garden,１号楼／３层,mh-1-03-02,,灭火器箱(2具干粉),,,,,,,,",
)


def written(directory: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = directory / name
    path.write_bytes(text.encode(encoding))
    return path


def table(
    directory: Path, *rows: str, header: str = HEADER, name: str = "equipment.csv", encoding: str = "utf-8"
) -> Path:
    return written(directory, name, "\n".join((header, *rows)) + "\n", encoding)


def book(directory: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    path = directory / "estate.xlsx"
    made.save(path)
    return path


async def bring(connection: Connection, *files: Path) -> Difference:
    return await bring_in(connection, await plan(connection, files, PACKS), NOON)


async def faults(connection: Connection, *files: Path) -> list[str]:
    with pytest.raises(EstateErrors) as error:
        await plan(connection, files, PACKS)
    return [fault.text("en") for fault in error.value.faults]


async def configuration(connection: Connection) -> SiteConfiguration:
    return await facilities.configuration_of(connection, "garden")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
async def test_a_sheet_of_equipment_goes_in_and_the_second_time_changes_nothing(
    connection: Connection, tmp_path: Path, encoding: str
) -> None:
    files = written(tmp_path, "sites.csv", SITES, encoding), table(tmp_path, *ROWS, encoding=encoding)
    assert (await bring(connection, *files)).counts()[Change.ADDED] == 5  # site, building, floor, two extinguishers
    assert not (await bring(connection, *files)).items
    found = await configuration(connection)
    assert [(each.key, each.kind, each.name_zh, each.gateway_id) for each in found.facilities] == [
        ("mh-1-03-01", "extinguisher", "3层灭火器", None),
        ("mh-1-03-02", "extinguisher", "灭火器箱（2 具干粉）", None),
    ]
    assert [part.key for part in found.parts] == ["cylinder_1", "cylinder_2"]
    (asset,) = await facilities.assets(connection, found.facilities[0].id)
    assert (asset.maker, str(asset.manufactured_on), str(asset.installed_on)) == ("淮海", "2021-03-01", "2021-05-01")
    assert str(asset.expected_end_on) == "2031-03-01"
    places = await facilities.locations(connection, found.site.id)
    assert [(place.key, place.name_zh, place.name_en) for place in places] == [
        ("b1", "1号楼", "Building 1"),
        ("b1-f3", "3层", "Floor 3"),
    ]


async def test_a_workbook_of_several_sheets_goes_in_with_dates_figures_and_merged_cells(
    connection: Connection, tmp_path: Path
) -> None:
    path = book(
        tmp_path,
        项目=[("项目编号", "项目名称"), ("garden", "花园")],
        网关=[("项目", "网关编号", "网关名称", "安装位置"), ("garden", "GW1", "泵房网关", "地下一层/泵房")],
        设备=[
            ("花园设备台账",),
            (),
            ("楼栋/位置", "设备编号", "设备名称", "设备类型", "网关", "序号", "品牌", "型号", "安装日期"),
            ("地下一层/泵房", "booster", "泵组", "生活泵组(3泵)", "gw1", 1, None, None, None),
            (None, "xf-01", "消火栓", "室内消火栓", None, 2, "M", 100, 43952),
        ],
        参数=[("设备编号", "参数", "值"), ("booster", "setpoint", 0.4)],
        填写说明=[("随便写点什么",)],
    )
    made = openpyxl.load_workbook(path)
    made["设备"].merge_cells("A4:A5")
    made.create_sheet("旧数据").append(["项目", "设备编号", "设备类型"])
    made["旧数据"].sheet_state = "hidden"
    made.save(path)
    await bring(connection, path)
    found = await configuration(connection)
    by_key = {each.key: each for each in found.facilities}
    assert by_key.keys() == {"gw1", "booster", "xf-01"}
    assert by_key["booster"].location_id == by_key["xf-01"].location_id
    assert by_key["booster"].gateway_id is not None
    assert found.parameters == {(by_key["booster"].id, "setpoint"): 0.4}
    (asset,) = await facilities.assets(connection, by_key["xf-01"].id)
    assert (asset.model, str(asset.installed_on)) == ("100", "2020-05-01")


async def test_a_row_changes_only_what_its_columns_say(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, written(tmp_path, "e.yaml", SITE))
    before = await configuration(connection)
    changed = await bring(connection, table(tmp_path, "booster,A泵组,B", header="设备编号,设备名称,等级"))
    assert [(item.key, [field.name for field in item.fields]) for item in changed.items] == [
        ("booster", ["name_zh", "grade"])
    ]
    after = await configuration(connection)
    assert (after.points, after.parts, after.relations, after.parameters) == (
        before.points,
        before.parts,
        before.relations,
        before.parameters,
    )


async def test_a_sheet_may_stand_beside_a_yaml_file_and_use_its_places(connection: Connection, tmp_path: Path) -> None:
    row = table(tmp_path, "花园,地下室/泵房,mh-1,,干粉灭火器", header="小区,位置,编号,名称,类型")
    await bring(connection, written(tmp_path, "e.yaml", SITE), row)
    found = await configuration(connection)
    room = next(each for each in await facilities.locations(connection, found.site.id) if each.key == "room")
    assert next(each for each in found.facilities if each.key == "mh-1").location_id == room.id


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        (HEADER, "花园,1号楼,mh 1,,干粉灭火器,,,,,,,,", 'equipment.csv:2 column C "设备编号": the key mh 1 may hold'),
        (HEADER, "花园,1号楼,mh1,,干粉灭火机,,,,,,,,", "there is no facility type 干粉灭火机; `taizhang types` lists them (did you mean"),
        (HEADER, "花元,1号楼,mh1,,干粉灭火器,,,,,,,,", 'column A "项目": there is no site 花元'),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,甲,,,,,,,", 'column F "等级": the grade 甲 must be A, B or C'),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,M,X,,2021-02-30,2021-05-01,,", 'column J "出厂日期": there is no day 2021-02-30'),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,M,X,,01/05/2021,2021-05-01,,", "01/05/2021 is no date"),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,M,X,,2021-06-01,2021-05-01,,", "it was installed before it was made"),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,M,X,,,,,", "needs the day it was installed"),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,,,,,,停用,", 'column L "状态": the state 停用 is not clear'),
        (HEADER, "花园,1号楼,mh1,,干粉灭火器,,,,,,,报废,", "what is removed needs a reason"),
        (HEADER, "花园,1号楼,nobody,,,,,,,,,报废,漏气", "there is no facility of site garden in the ledger nobody"),
        (HEADER, "花园,1号楼,m1,,干粉灭火器,,,,,,,,\n花园,1号楼,M1,,干粉灭火器,,,,,,,,", 'equipment.csv:3 column C "设备编号": facility m1 stands'),
        (HEADER, "花园,1号楼,,,干粉灭火器,,,,,,,,", "Key (设备编号) is empty"),
        (HEADER, "花园,,mh1,,干粉灭火器,,,,,,,,", "a new facility needs a location"),
        (HEADER, "花园,1号楼,mh1,,,,,,,,,,", "a new facility needs a type"),
        (HEADER, "花园,1号楼,bz1,,生活泵组(2泵),,,,,,,,", "is measured, so it needs a `gateway`"),
        (HEADER, "花园,=A1,mh1,,干粉灭火器,,,,,,,,", "column B: is a formula, =A1"),
        ("设备编号,设备名称,设备类型,位子", "mh1,,干粉灭火器,1号楼", 'column D "位子": unknown header'),
        ("设备编号,设备类型,类型", "mh1,干粉灭火器,干粉灭火器", 'column C "类型": the same as column B: both are Type'),
        ("设备名称,设备类型,位置", "a,干粉灭火器,1号楼", "no header is found; a table of facilities needs at least"),
    ],
)  # fmt: skip
async def test_a_fault_is_named_with_its_cell(
    connection: Connection, tmp_path: Path, header: str, row: str, told: str
) -> None:
    found = await faults(connection, written(tmp_path, "sites.csv", SITES), table(tmp_path, row, header=header))
    assert any(told in each for each in found), found


async def test_ten_thousand_rows_with_three_hundred_faults_are_told_at_once_and_nothing_is_written(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [
        f"花园,{number % 9 + 1}号楼/{number % 30 + 1}层,mh-{number},灭火器 {number},干粉灭火器,B,M,X,S{number},2021-03-01,2021-05-01,,"
        for number in range(10_000)
    ]
    for number in range(0, 9_000, 30):
        rows[number] = rows[number].replace("干粉灭火器", "干粉灭火机").replace("2021-03-01", "2021-13-01", number % 60)
    files = written(tmp_path, "sites.csv", SITES), table(tmp_path, *rows, encoding="gbk")
    begun_s = time.process_time()
    found = await faults(connection, *files)
    assert time.process_time() - begun_s < 10, "of this process: nothing here waits for anybody"
    assert len({each.partition(" ")[0] for each in found}) == 300
    assert all("equipment.csv:" in each for each in found)
    assert await facilities.sites(connection) == []


async def test_text_that_went_through_the_wrong_encoding_is_named(connection: Connection, tmp_path: Path) -> None:
    text = "\n".join((HEADER, *ROWS))
    lost = text.encode("gbk").decode("utf-8", errors="replace")
    (told,) = await faults(connection, written(tmp_path, "lost.csv", lost))
    assert "this was GBK read as UTF-8 and saved: its characters are lost" in told
    swapped = text.encode("gbk").decode("latin-1")
    (told,) = await faults(connection, written(tmp_path, "swapped.csv", swapped))
    assert "went through the wrong encoding" in told
    assert "设备编号" in told
    (told,) = await faults(connection, written(tmp_path, "wide.csv", text, "utf-16"))
    assert "this is UTF-16" in told


async def test_a_formula_in_a_workbook_is_refused_by_its_cell(connection: Connection, tmp_path: Path) -> None:
    rows = [("项目", "位置", "设备编号", "设备类型"), ("garden", "1号楼", "=CONCATENATE(A2,1)", "干粉灭火器")]
    path = book(tmp_path, 项目=[("项目编号", "项目名称"), ("garden", "花园")], 设备=rows)
    (told,) = await faults(connection, path)
    assert told.endswith("estate.xlsx:设备!C2: is a formula, =CONCATENATE(A2,1); copy it and paste it as values")


async def test_what_unfolds_without_end_or_is_no_workbook_is_refused(connection: Connection, tmp_path: Path) -> None:
    path = book(tmp_path, 设备=[("设备编号", "设备类型")])
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]>'
    parts["xl/worksheets/sheet1.xml"] = bomb + parts["xl/worksheets/sheet1.xml"].partition(b"?>")[2]
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    (told,) = await faults(connection, path)
    assert "defines a document type or entities" in told
    path.write_bytes(b"PK\x03\x04 nothing")
    (told,) = await faults(connection, path)
    assert "not an xlsx workbook, or damaged" in told
    (told,) = await faults(connection, written(tmp_path, "old.xls", "x"))
    assert "the old xls format" in told


async def test_too_many_rows_are_named(connection: Connection, tmp_path: Path) -> None:
    rows = ["a,b"] * (ROWS_MAX + 5)
    found = await faults(connection, table(tmp_path, *rows, header="设备编号,设备类型"))
    assert any(f"more than {ROWS_MAX} rows" in each for each in found)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_stands_past_the_last_column_is_named_once(
    connection: Connection, tmp_path: Path, form: str
) -> None:
    wide = ["mh1", "干粉灭火器", *[""] * (COLUMNS_MAX - 2), "不见了"]
    lines = [["设备编号", "设备类型"], ["mh0", "干粉灭火器", *[""] * COLUMNS_MAX], wide, wide]
    file = tmp_path / f"wide.{form}"
    if form == "csv":
        file.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for line in lines:
            book.worksheets[0].append([cell or None for cell in line])
        book.save(file)
    (told,) = [each for each in await faults(connection, file) if f"past column {COLUMNS_MAX}" in each]
    assert "3" in told, "the row is named"


async def test_columns_named_by_the_caller_are_left_alone(connection: Connection, tmp_path: Path) -> None:
    files = (
        written(tmp_path, "sites.csv", SITES),
        table(tmp_path, "mh1,干粉灭火器,1号楼,红", header="设备编号,设备类型,位置,颜色"),
    )
    with pytest.raises(EstateErrors, match="unknown header"):
        await plan(connection, files, PACKS)
    found = await difference(connection, await plan(connection, files, PACKS, Options(ignored=("颜色",))))
    assert found.counts()[Change.ADDED] == 3


@pytest.mark.parametrize("value", ["=1+1", "+86", "-5", "@x", "'quoted", "'=x", "plain", "-", ""])
def test_what_a_spreadsheet_would_run_is_quoted_and_read_back(value: str) -> None:
    assert not safe(value).startswith(("=", "+", "-", "@"))
    assert unsafe(safe(value)) == value


HEADS = ("项目", "位置", "设备编号", "设备名称", "设备类型")


def saved(directory: Path, made: openpyxl.Workbook) -> Path:
    path = directory / "estate.xlsx"
    made.save(path)
    return path


async def test_a_header_in_two_rows_with_marks_is_found(connection: Connection, tmp_path: Path) -> None:
    made = openpyxl.load_workbook(
        book(
            tmp_path,
            设备=[
                ("*项目", "位置（必填）", "设备信息", None, None),
                (None, None, "*设备\n编号", "设备名称", "设备类型"),
                ("花园", "1号楼", 7, "灭火器", "干粉灭火器"),
            ],
        )
    )
    for block in ("A1:A2", "B1:B2", "C1:E1"):
        made["设备"].merge_cells(block)
    made["设备"]["C3"].number_format = "000"
    found = await plan(connection, (written(tmp_path, "sites.csv", SITES), saved(tmp_path, made)), PACKS)
    assert [each.key for each in found.sites[0].facilities] == ["007"], "as it is shown, and as it hangs on the wall"


@pytest.mark.parametrize("size", ["A1", "A1:XFD1048576"])
async def test_what_a_sheet_says_of_its_size_is_not_believed(connection: Connection, tmp_path: Path, size: str) -> None:
    rows = [("花园", "1号楼", f"mh-{number}", "灭火器", "干粉灭火器") for number in range(5)]
    path = book(tmp_path, 设备=[HEADS, *rows])
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert b'<dimension ref="A1:E6"' in sheet
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'"A1:E6"', f'"{size}"'.encode())
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    begun = time.monotonic()
    found = await plan(connection, (written(tmp_path, "sites.csv", SITES), path), PACKS)
    assert len(found.sites[0].facilities) == 5
    assert time.monotonic() - begun < 5


async def test_a_file_that_is_empty_or_something_else_is_named(connection: Connection, tmp_path: Path) -> None:
    (told,) = await faults(connection, written(tmp_path, "empty.csv", "\n\n"))
    assert "empty.csv: there is nothing in it" in told
    workbook = book(tmp_path, 设备=[HEADS])
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(workbook.read_bytes())
    old = tmp_path / "old.xlsx"
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    found = await faults(connection, renamed, old)
    assert ["this is a workbook, not CSV" in found[0], "a workbook with a password" in found[1]] == [True, True], found


async def test_a_quote_that_is_never_closed_swallows_no_rows(connection: Connection, tmp_path: Path) -> None:
    rows = ('花园,1号楼,mh1,干粉灭火器,"5寸', "花园,1号楼,mh2,干粉灭火器,")
    path = table(tmp_path, *rows, header="项目,位置,设备编号,设备类型,备注")
    (told,) = await faults(connection, written(tmp_path, "sites.csv", SITES), path)
    assert "equipment.csv:2: not CSV: unexpected end of data" in told


@pytest.mark.parametrize("column", ["设备名称", "品牌"])
async def test_what_the_ledger_cannot_hold_is_told_before_it_is_written(
    connection: Connection, tmp_path: Path, column: str
) -> None:
    path = table(tmp_path, "1号楼,mh1,干粉灭火器,2024-05-01,a\0b", header=f"位置,设备编号,设备类型,安装日期,{column}")
    (told,) = await faults(connection, written(tmp_path, "sites.csv", SITES), path)
    assert "holds a control character" in told
