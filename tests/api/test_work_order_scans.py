"""Maintenance by scan: arriving and witnessing take the tag that hangs at the order's facility, and no other."""

from urllib.parse import quote

import httpx

from ledger.lifecycle import WorkOrderState
from tests.api.conftest import Estate
from tests.api.test_inspections import issued
from tests.api.test_work_orders import do, opened
from tests.orders import WAY_TO

STOOD_BY = {"X-Actor": quote("李工")}


async def test_arrival_and_witness_are_scans_at_the_facility(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    facility = (await client.get(f"/work-orders/{order}")).json()["work_order"]["facility"]["key"]
    here, elsewhere = await issued(client, facility), await issued(client, "gw-1")
    retired = await issued(client, facility)
    assert (await client.post(f"/tags/{retired}/retire", json={"reason": "damaged"})).status_code == 200
    for step in WAY_TO[WorkOrderState.ACCEPTED]:
        assert (await do(client, order, step)).status_code == 200

    async def scanned(path: str, tag: str, **headers: str) -> httpx.Response:
        body = {"tag": tag, "means": "camera"}
        return await client.post(f"/work-orders/{order}/{path}", json=body, headers=headers)

    for tag, said in ((elsewhere, "网关"), (retired, "retired"), ("https://elsewhere.example/t/x", "no tag of ours")):
        refused = await scanned("arrival-scan", tag)
        assert refused.status_code == 409
        assert said in refused.json()["detail"]
        assert "一号泵组" in refused.json()["text"]["zh"]  # where to scan, in the reader's language
    assert (
        (await scanned("witness-scan", here, **STOOD_BY)).json()["type"].endswith("illegal_move")
    )  # nobody has arrived
    arrived = (await scanned("arrival-scan", here)).json()
    assert arrived["work_order"]["state"] == "arrived"
    assert arrived["journal"][-1]["detail"] == {"tag": here[-4:], "means": "camera"}
    witnessed = await scanned("witness-scan", here, **STOOD_BY)
    assert witnessed.status_code == 201
    last = witnessed.json()["journal"][-1]
    assert (last["move"], last["actor"], last["detail"]) == ("witness", "李工", {"tag": here[-4:], "means": "camera"})
    again = await scanned("witness-scan", here, **STOOD_BY)
    assert again.status_code == 201
    assert len(again.json()["journal"]) == len(witnessed.json()["journal"])  # he stood by once
    dossier = (await client.get(f"/facilities/garden/{facility}/dossier")).json()["items"]
    assert dossier[-1]["body"]["move"] == "witness"
    assert here not in str(dossier)


async def test_nobody_witnesses_work_that_nobody_came_for(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    facility = (await client.get(f"/work-orders/{order}")).json()["work_order"]["facility"]["key"]
    body = {"tag": await issued(client, facility), "means": "camera"}
    assert (await client.post(f"/work-orders/{order}/suspend", json={"note": "等配件"})).status_code == 200
    refused = await client.post(f"/work-orders/{order}/witness-scan", json=body)
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("illegal_move")


async def test_whose_work_it_is_does_not_witness_it(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    facility = (await client.get(f"/work-orders/{order}")).json()["work_order"]["facility"]["key"]
    body = {"tag": await issued(client, facility), "means": "camera"}
    assert (await client.post(f"/work-orders/{order}/dispatch", json={"assignee": "李工"})).status_code == 200
    await client.post(f"/work-orders/{order}/accept", json={})
    assert (await client.post(f"/work-orders/{order}/arrival-scan", json=body)).status_code == 200
    for headers in ({}, STOOD_BY):  # who arrived, and whose it is
        refused = await client.post(f"/work-orders/{order}/witness-scan", json=body, headers=headers)
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("own_work")
