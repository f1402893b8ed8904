"""An estate over HTTP: shown with every fault and its place, then written as it was shown, for the sites one may change."""

import base64
import io
import zipfile
from typing import Any

import httpx
import openpyxl
import psycopg
import pytest
from fastapi import FastAPI

from ledger import audit
from tests.api.conftest import Estate
from tests.api.employed import employ, signed_in

BOOSTER = """
sites:
  - key: {site}
    locations:
      - {{key: pump_room, name: {{zh: 泵房, en: Pump room}}}}
    facilities:
      - {{key: booster-9, type: {type}, name: {{zh: 九号泵组, en: Booster 9}}, location: pump_room, gateway: gw-1}}
"""


def yaml(site: str = "garden", of: str = "booster_set_3_pumps") -> bytes:
    return BOOSTER.format(site=site, type=of).encode()


def files(content: bytes, name: str = "estate.yaml", **more: Any) -> dict[str, Any]:
    return {"files": [{"name": name, "content": base64.b64encode(content).decode()}], **more}


async def bring_in(client: httpx.AsyncClient, content: bytes, name: str = "estate.yaml") -> httpx.Response:
    shown = (await client.post("/estate/preview", json=files(content, name))).json()
    assert shown["faults"] == [], shown
    return await client.post("/estate/import", json=files(content, name, shown=shown["digest"]))


async def test_what_is_shown_is_what_is_written(client: httpx.AsyncClient, estate: Estate) -> None:
    shown = (await client.post("/estate/preview", json=files(yaml()))).json()
    assert shown["difference"]["counts"] == {"added": 2, "changed": 0, "renamed": 0, "removed": 0}
    assert "+ 设施 garden/booster-9 九号泵组" in shown["difference"]["zh"]
    assert "+ facility garden/booster-9 Booster 9" in shown["difference"]["en"]
    assert shown["difference"]["en"][-1].endswith("(dry run, nothing written)")
    assert "ingest_service" in shown["warnings"][0]["en"]
    assert (await client.get("/facilities/garden/booster-9")).status_code == 404
    answer = await client.post("/estate/import", json=files(yaml(), shown=shown["digest"]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["difference"]["zh"][:2] == shown["difference"]["zh"][:2]
    assert (await client.get("/facilities/garden/booster-9")).json()["facility"]["name"]["zh"] == "九号泵组"
    again = (await client.post("/estate/preview", json=files(yaml()))).json()
    assert again["difference"]["zh"] == ["没有差异（试运行，未写入）"]


async def imports(client: httpx.AsyncClient) -> dict[str, Any]:
    """What the audit log has of them, by site; the newest."""
    found = (await client.get("/audit-log", params={"operation": "import_estate"})).json()["items"]
    return {each["site"]: each["asked"].get("before") for each in reversed(found)}


async def test_what_an_import_changed_is_told_in_the_log_of_each_site(
    client: httpx.AsyncClient, estate: Estate
) -> None:
    both = yaml() + yaml("harbour").split(b"sites:")[1]
    assert (await bring_in(client, both)).status_code == 200
    assert await imports(client) == {"garden": None, "harbour": None}, "what is added was nothing before"
    moved = both.replace("九号泵组".encode(), "高区泵组".encode(), 1).replace("泵房".encode(), "水泵房".encode(), 1)
    assert (await bring_in(client, moved)).status_code == 200
    assert await imports(client) == {
        "garden": {
            "changes": [
                {"location": "pump_room", "particulars": {"name_zh": "泵房"}},
                {"facility": "booster-9", "particulars": {"name_zh": "九号泵组"}},
            ],
        },
        "harbour": None,
    }
    renamed = yaml().replace(b"key: booster-9", b"key: booster-10, renamed_from: booster-9")
    assert (await bring_in(client, renamed)).status_code == 200
    (_, facility) = (await imports(client))["garden"]["changes"]
    assert facility == {"facility": "booster-10", "particulars": {"key": "booster-9", "name_zh": "高区泵组"}}


async def test_what_was_not_shown_is_not_written(client: httpx.AsyncClient, estate: Estate) -> None:
    shown = (await client.post("/estate/preview", json=files(yaml()))).json()
    other = yaml().replace("九号".encode(), "十号".encode())
    answer = await client.post("/estate/import", json=files(other, shown=shown["digest"]))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:taizhang:problem:conflict")
    assert (await client.get("/facilities/garden/booster-9")).status_code == 404


async def test_every_fault_has_its_place_and_what_was_perhaps_meant(client: httpx.AsyncClient, estate: Estate) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "设备"
    for row in (
        ["项目", "位置", "设备编号", "设备名称", "设备类型"],
        ["garden", "地下二层泵房", "mh-1", "一号灭火器", "干粉灭火机"],
        ["garden", "地下二层泵房", "m h 2", "二号灭火器", "干粉灭火器"],
        ["garden", "地下二层泵房", "mh-3", "=A2", "干粉灭火器"],
    ):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    shown = (await client.post("/estate/preview", json=files(out.getvalue(), "equipment.xlsx"))).json()
    assert (shown["difference"], shown["digest"]) == (None, None)
    places = {(each["file"], each["sheet"], each["row"], each["column"]) for each in shown["faults"]}
    assert {("equipment.xlsx", "设备", 2, "E"), ("equipment.xlsx", "设备", 4, "D")} <= places
    wrong_type = next(each for each in shown["faults"] if each["row"] == 2)
    assert "干粉灭火器" in wrong_type["nearest"]
    assert wrong_type["header"] == "设备类型"
    assert wrong_type["said"]["zh"] != wrong_type["said"]["en"]
    refused = await client.post("/estate/import", json=files(out.getvalue(), "equipment.xlsx", shown="0" * 64))
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:taizhang:problem:estate_faulty")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("sites: []".encode("utf-16"), "estate.yaml", "UTF-16"),
        (b"PK\x03\x04 not a workbook", "estate.xlsx", "xlsx"),
        (b"sites: [", "estate.yml", "not YAML"),
        (b"", "estate.csv", "nothing"),
        (yaml("atlantis"), "estate.yaml", "atlantis"),
        (yaml(of="booster_set_3_pump"), "estate.yaml", "booster_set_3_pump"),
    ],
)
async def test_what_cannot_be_read_is_told_and_not_a_failure(
    client: httpx.AsyncClient, estate: Estate, content: bytes, name: str, said: str
) -> None:
    answer = await client.post("/estate/preview", json=files(content, name))
    assert answer.status_code == 200, answer.text
    (fault, *_) = answer.json()["faults"]
    assert (fault["file"], answer.json()["digest"]) == (name, None)
    assert said in fault["said"]["en"]


@pytest.mark.parametrize("name", ["../../etc/passwd.yaml", "a/b.csv", "estate.exe", ".yaml/", "x" * 200 + ".csv"])
async def test_a_name_that_is_no_file_s_is_refused(client: httpx.AsyncClient, estate: Estate, name: str) -> None:
    answer = await client.post("/estate/preview", json=files(yaml(), name))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.files.0.name"


@pytest.mark.parametrize("form", ["yaml", "xlsx", "csv"])
async def test_what_is_given_back_brings_in_no_difference(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], estate: Estate, form: str
) -> None:
    answer = await bring_in(client, yaml())
    assert answer.status_code == 200, answer.text
    given = await client.get("/estate/export", params={"site": "garden", "form": form})
    assert given.status_code == 200
    assert "garden" in given.headers["content-disposition"]
    asked = files(given.content, f"garden.{form}")
    if form == "csv":
        with zipfile.ZipFile(io.BytesIO(given.content)) as archive:
            parts = [files(archive.read(each), each)["files"][0] for each in archive.namelist()]
            # A table without rows is told as an empty file is; a person leaves it out.
            asked = {"files": [part for part in parts if base64.b64decode(part["content"]).count(b"\n") > 1]}
    shown = (await client.post("/estate/preview", json=asked)).json()
    assert shown["faults"] == []
    only_of_the_rig = [line for line in shown["difference"]["en"] if "booster-9" in line]
    assert only_of_the_rig == []
    assert await audit.run(owner) == []


async def test_a_template_can_be_fetched(client: httpx.AsyncClient, estate: Estate) -> None:
    answer = await client.get("/estate/template")
    assert "设备" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames


async def test_who_may_change_one_site_brings_in_no_other(
    app: FastAPI, client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], estate: Estate
) -> None:
    await employ(owner, "zhou", "周岚", {estate.garden.id: ["project_manager"], estate.harbour.id: ["auditor"]})
    async with signed_in(app, "zhou") as manager:
        assert (await bring_in(manager, yaml())).status_code == 200
        shown = (await manager.post("/estate/preview", json=files(yaml("harbour")))).json()
        assert "harbour" in shown["faults"][0]["said"]["zh"]
        assert (await manager.get("/estate/export", params={"site": "harbour"})).status_code == 404
    await employ(owner, "li", "李强", {estate.garden.id: ["patrol_guard"]})
    async with signed_in(app, "li") as guard:
        assert (await guard.post("/estate/preview", json=files(yaml()))).status_code == 403
