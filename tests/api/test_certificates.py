"""Certificates over HTTP: registered, replaced, withdrawn, never removed; their pages; what ends soon; who may."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.transport import bytes_max_of
from inspection.photo_store import PhotoStore
from ledger import certificates
from tests.api.conftest import Estate, StandingClock, client_of
from tests.api.employed import employ, signed_in
from tests.api.test_work_order_papers import camera

WATER = {"kind": "water_quality_test", "number": "WQ-117", "issuer": "市疾控中心", "issued_on": "2026-02-01"}
AT = "/facilities/garden/booster-1/certificates"
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"


@pytest.fixture
async def client(app: FastAPI, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """With a directory of its own for pages."""
    app.state.service = replace(app.state.service, photo_store=PhotoStore(tmp_path / "photos"))
    async with client_of(app) as found:
        yield found


async def registered(client: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    answer = await client.post(AT, json={**WATER, **said})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get(AT)).json()["items"]


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["field"]: each["text"]["en"] for each in answer.json()["errors"]}


async def test_a_new_one_replaces_the_old_and_what_is_withdrawn_gives_it_back(client: httpx.AsyncClient) -> None:
    old = await registered(client, valid_until="2026-03-20")
    assert (old["counts"], old["days_left"], old["expiry"]) == (True, 19, "within_30_days")
    new = await registered(client, number="WQ-203", valid_until="2027-02-01", replaces=old["id"])
    assert [(each["number"], each["counts"], each["replaced_by"]) for each in await listed(client)] == [
        ("WQ-203", True, None),
        ("WQ-117", False, new["id"]),
    ]
    again = await client.post(AT, json={**WATER, "number": "WQ-204", "replaces": old["id"]})
    assert (again.status_code, "counts no longer" in again.json()["detail"]) == (409, True)
    gone = await client.post(f"/certificates/{new['id']}/withdraw", json={"note": "录错设施"})
    assert (gone.json()["counts"], gone.json()["withdrawn_why"]) == (False, "录错设施")
    assert (await client.post(f"/certificates/{new['id']}/withdraw", json={"note": "x"})).status_code == 409
    assert [(each["number"], each["counts"]) for each in await listed(client)] == [("WQ-117", True), ("WQ-203", False)]
    entries = (await client.get("/facilities/garden/booster-1/dossier", params={"newest_first": True})).json()["items"]
    assert [each["body"]["move"] for each in entries if each["kind"] == "certificate"] == ["withdraw", "add", "add"]
    assert entries[0]["body"]["note"] == "录错设施"


async def test_a_chain_is_withdrawn_from_its_newest_end(client: httpx.AsyncClient) -> None:
    first = await registered(client, number="WQ-1")
    second = await registered(client, number="WQ-2", replaces=first["id"])
    third = await registered(client, number="WQ-3", replaces=second["id"])
    for older in (first, second):
        refused = await client.post(f"/certificates/{older['id']}/withdraw", json={"note": "录错"})
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "superseded")
        assert "先撤回新的" in refused.json()["text"]["zh"]
    assert [each["number"] for each in await listed(client) if each["counts"]] == ["WQ-3"]
    for newest, counts in ((third, ["WQ-2"]), (second, ["WQ-1"]), (first, [])):
        answer = await client.post(f"/certificates/{newest['id']}/withdraw", json={"note": "录错"})
        assert answer.status_code == 200, answer.text
        assert [each["number"] for each in await listed(client) if each["counts"]] == counts


async def test_what_is_wrong_stands_beside_its_field(client: httpx.AsyncClient) -> None:
    assert "after today" in faults(await client.post(AT, json=WATER | {"issued_on": "2026-03-02"}))["body.issued_on"]
    ended = faults(await client.post(AT, json=WATER | {"valid_until": "2026-01-31"}))
    assert "before it was issued" in ended["body.valid_until"]
    assert "what it certifies" in faults(await client.post(AT, json=WATER | {"kind": "other"}))["body.note"]
    assert "body.kind" in faults(await client.post(AT, json=WATER | {"kind": "poster"}))
    await registered(client)
    assert "registered here already" in faults(await client.post(AT, json=WATER))["body.number"]
    other_kind = await client.post(AT, json=WATER | {"kind": "acceptance", "replaces": (await listed(client))[0]["id"]})
    assert other_kind.status_code == 409
    assert (await client.post(AT, json=WATER | {"replaces": 4711})).status_code == 404
    assert len(await listed(client)) == 1


async def test_what_ends_soon_at_a_site_is_listed_the_first_first(
    client: httpx.AsyncClient, clock: StandingClock
) -> None:
    for number, until in (("far", "2026-06-01"), ("soon", "2026-03-05"), ("ended", "2026-02-27"), ("open", None)):
        await registered(client, number=number, valid_until=until)
    renewed = await registered(client, number="renewed", valid_until="2026-03-04")
    await registered(client, number="renewal", valid_until="2028-03-04", replaces=renewed["id"])
    asked: dict[str, Any] = {"site": "garden"}
    items = (await client.get("/certificates", params=asked)).json()["items"]
    assert [(each["number"], each["days_left"], each["expiry"]) for each in items] == [
        ("ended", -2, "ended"),
        ("soon", 4, "within_7_days"),
    ]
    assert len((await client.get("/certificates", params=asked | {"days": 0})).json()["items"]) == 1
    page = (await client.get("/certificates", params=asked | {"days": 366, "limit": 2})).json()
    rest = (await client.get("/certificates", params=asked | {"days": 366, "after": page["next"]})).json()
    assert [each["number"] for each in rest["items"]] == ["far"]
    clock.advance(hours=4)  # midnight in Shanghai
    assert (await client.get("/certificates", params=asked)).json()["items"][1]["days_left"] == 3
    assert [each["number"] for each in await listed(client)] == ["ended", "soon", "far", "renewal", "open", "renewed"]


async def test_pages_are_kept_once_and_given_back(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = (await registered(client))["id"]
    pages = f"/certificates/{number}/pages"
    photo = camera()
    for data in (PDF, photo, PDF):
        assert (await client.post(pages, content=data)).status_code == 201
    kept = (await listed(client))[0]["pages"]
    assert sorted(each["media_type"] for each in kept) == ["application/pdf", "image/jpeg"]
    by_type = {each["media_type"]: each["sha256"] for each in kept}
    given = await client.get(f"{pages}/{by_type['application/pdf']}")
    assert (given.content, given.headers["content-type"]) == (PDF, "application/pdf")
    assert given.headers["content-disposition"].startswith("attachment")
    small = await client.get(f"{pages}/{by_type['image/jpeg']}", params={"small": True})
    assert (small.headers["content-type"], len(small.content) < len(photo)) == ("image/jpeg", True)
    assert (await client.get(f"{pages}/{'0' * 64}")).status_code == 404
    for wrong in (b"", b"<html>", PDF[:-8], b"%PDF-" + bytes(2000)):
        assert (await client.post(pages, content=wrong)).json()["type"] == "urn:taizhang:problem:no_picture"
    assert (await client.post(pages, content=bytes((bytes_max_of(f"/api/v1{pages}") or 0) + 1))).status_code == 413
    monkeypatch.setattr(certificates, "PAGES_MAX", 2)
    lying = sorted((tmp_path / "photos").rglob("*"))
    assert (await client.post(pages, content=camera(form="PNG"))).status_code == 409
    assert sorted((tmp_path / "photos").rglob("*")) == lying, "what is refused is not kept"
    assert (await client.post(pages, content=PDF)).status_code == 201, "it is there already"
    cursor = await owner.execute("select count(*) from certificate_page")
    assert await cursor.fetchone() == (2,)


async def test_pages_count_among_the_pictures_of_the_site(app: FastAPI, client: httpx.AsyncClient) -> None:
    number = (await registered(client))["id"]
    assert (await client.post(f"/certificates/{number}/pages", content=PDF)).status_code == 201
    app.state.service = replace(app.state.service, photos_site_bytes_max=len(PDF) + 10)
    assert (await client.post(f"/certificates/{number}/pages", content=PDF)).status_code == 201
    assert (await client.post(f"/certificates/{number}/pages", content=PDF + b"%%EOF\n")).status_code == 507
    assert (await client.post("/inspections/photos", params={"site": "garden"}, content=camera())).status_code == 507


async def test_who_may_register(app: FastAPI, owner: psycopg.AsyncConnection[Any], estate: Estate) -> None:
    for role, status in (("project_manager", 201), ("duty_engineer", 403), ("auditor", 403)):
        await employ(owner, role, role, {estate.garden.id: [role]})
        async with signed_in(app, role) as anybody:
            assert (await anybody.post(AT, json=WATER)).status_code == status
            assert len((await anybody.get(AT)).json()["items"]) == 1
            assert (await anybody.get("/certificates", params={"site": "harbour"})).status_code == 404


async def test_a_stranger_is_not_given_a_page_that_lies_on_the_disk(
    app: FastAPI, client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any], estate: Estate, tmp_path: Path
) -> None:
    number = (await registered(client))["id"]
    photo = camera()
    answer = await client.post(f"/certificates/{number}/pages", content=photo)
    sha256 = answer.json()["pages"][0]["sha256"]
    at = f"/certificates/{number}/pages/{sha256}"
    assert any(path.read_bytes() == photo for path in (tmp_path / "photos").rglob("*") if path.is_file())
    for login, site, status in (("member", estate.garden, 200), ("stranger", estate.harbour, 404)):
        await employ(owner, login, login, {site.id: ["project_manager"]})
        async with signed_in(app, login) as anybody:
            assert (await anybody.get(at)).status_code == status
            assert (await anybody.get(at, params={"small": True})).status_code == status


async def test_the_audit_log_says_of_what_kind_and_size_a_page_was(client: httpx.AsyncClient) -> None:
    number = (await registered(client))["id"]
    for data, media_type in ((PDF, "application/pdf"), (camera(), "image/jpeg")):
        assert (await client.post(f"/certificates/{number}/pages", content=data)).status_code == 201
        newest = (await client.get("/audit-log", params={"operation": "add_certificate_page"})).json()["items"][0]
        sha256 = hashlib.sha256(data).hexdigest()
        assert newest["asked"] == {"media_type": media_type, "bytes": len(data), "sha256": sha256}


async def test_what_is_withdrawn_takes_no_pages(client: httpx.AsyncClient, tmp_path: Path) -> None:
    number = (await registered(client))["id"]
    assert (await client.post(f"/certificates/{number}/withdraw", json={"note": "录错"})).status_code == 200
    for refused in (
        await client.post(f"/certificates/{number}/pages", content=camera()),
        await client.post(f"/certificates/{number}/withdraw", json={"note": "录错"}),
    ):
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:taizhang:problem:withdrawn")
        assert "已撤回" in refused.json()["text"]["zh"]
    assert not [path for path in (tmp_path / "photos").rglob("*") if path.is_file()], "what is refused is not kept"


async def test_nothing_new_is_certified_of_what_is_retired_and_what_was_stays(
    client: httpx.AsyncClient, owner: psycopg.AsyncConnection[Any]
) -> None:
    number = (await registered(client))["id"]
    await owner.execute("update facility set retired_at = now() where key = 'booster-1'")
    refused = await client.post(AT, json=WATER | {"number": "WQ-2"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:taizhang:problem:retired")
    assert "退出台账" in refused.json()["text"]["zh"]
    assert [each["id"] for each in await listed(client)] == [number]
    assert (await client.post(f"/certificates/{number}/pages", content=PDF)).status_code == 201, "an old paper, found"
    assert (await client.post(f"/certificates/{number}/withdraw", json={"note": "录错"})).status_code == 200


async def test_what_counts_is_bounded_and_so_is_what_is_on_record(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "CERTIFICATES_MAX", 2)
    monkeypatch.setattr(certificates, "EVER_MAX", 5)
    first = await registered(client, number="1")
    second = await registered(client, number="2")
    assert (await client.post(AT, json=WATER | {"number": "3"})).status_code == 409
    assert (await client.post(f"/certificates/{first['id']}/withdraw", json={"note": "录错"})).status_code == 200
    await registered(client, number="3")
    assert (await client.post(AT, json=WATER | {"number": "4"})).status_code == 409
    for number in ("2b", "2c"):  # in place of another there is always room
        second = await registered(client, number=number, replaces=second["id"])
    last = await client.post(AT, json=WATER | {"number": "2d", "replaces": second["id"]})
    assert (last.status_code, "on record" in last.json()["detail"]) == (409, True)
    assert len(await listed(client)) == 5
