"""Maintenance by scan: arriving and witnessing take the tag that hangs at the order's facility, and no other."""

import httpx

from ledger.lifecycle import WorkOrderState
from tests.api.conftest import Estate
from tests.api.test_inspections import issued
from tests.api.test_work_orders import do, opened
from tests.orders import WAY_TO


async def test_arrival_and_witness_are_scans_at_the_facility(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    facility = (await client.get(f"/work-orders/{order}")).json()["work_order"]["facility"]["key"]
    here, elsewhere = await issued(client, facility), await issued(client, "gw-1")
    retired = await issued(client, facility)
    assert (await client.post(f"/tags/{retired}/retire", json={"reason": "damaged"})).status_code == 200
    for step in WAY_TO[WorkOrderState.ACCEPTED]:
        assert (await do(client, order, step)).status_code == 200

    async def scanned(path: str, tag: str) -> httpx.Response:
        return await client.post(f"/work-orders/{order}/{path}", json={"tag": tag, "means": "camera"})

    for tag, said in ((elsewhere, "网关"), (retired, "retired"), ("https://elsewhere.example/t/x", "no tag of ours")):
        refused = await scanned("arrival-scan", tag)
        assert refused.status_code == 409
        assert said in refused.json()["detail"]
    assert (await scanned("witness-scan", here)).json()["type"].endswith("illegal_move")  # nobody has arrived
    arrived = (await scanned("arrival-scan", here)).json()
    assert arrived["work_order"]["state"] == "arrived"
    assert arrived["journal"][-1]["detail"] == {"tag": here[-4:], "means": "camera"}
    witnessed = await scanned("witness-scan", here)
    assert witnessed.status_code == 201
    last = witnessed.json()["journal"][-1]
    assert (last["move"], last["actor"], last["detail"]) == ("witness", "王班长", {"tag": here[-4:], "means": "camera"})
    dossier = (await client.get(f"/facilities/garden/{facility}/dossier")).json()["items"]
    assert dossier[-1]["body"]["move"] == "witness"
    assert here not in str(dossier)


async def test_whose_work_it_is_does_not_witness_it(client: httpx.AsyncClient, estate: Estate) -> None:
    order = await opened(client)
    facility = (await client.get(f"/work-orders/{order}")).json()["work_order"]["facility"]["key"]
    tag = await issued(client, facility)
    assert (await client.post(f"/work-orders/{order}/dispatch", json={"assignee": "王班长"})).status_code == 200
    await client.post(f"/work-orders/{order}/accept", json={})
    body = {"tag": tag, "means": "camera"}
    assert (await client.post(f"/work-orders/{order}/arrival-scan", json=body)).status_code == 200
    refused = await client.post(f"/work-orders/{order}/witness-scan", json=body)
    assert refused.status_code == 409
    assert "does not witness" in refused.json()["detail"]
