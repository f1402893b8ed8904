"""Metrics of the api: told to who may see them, by route templates, with every label bounded."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from ledger.pool import Pool
from settings import Settings
from tests.api.conftest import TOKEN, StandingClock, client_of, served_from


def root(app: FastAPI, token: str | None) -> httpx.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://taizhang.test", headers=headers)


async def samples(app: FastAPI) -> dict[tuple[str, ...], float]:
    async with root(app, TOKEN) as client:
        text = (await client.get("/metrics")).text
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


async def test_requests_are_counted_by_template_and_status(app: FastAPI) -> None:
    async with client_of(app) as client:
        for path in ("/sites/garden", "/sites/harbour", "/sites/nowhere", "/nowhere/at/all?x=1", "/health"):
            await client.get(path)
        await client.request("BREW", "/health")
    found = await samples(app)
    counted = {key[1:]: value for key, value in found.items() if key[0] == "taizhang_api_requests_total"}
    assert counted[("GET", "/sites/{site}", "200")] == 2
    assert counted[("GET", "/sites/{site}", "404")] == 1
    assert counted[("GET", "(none)", "404")] == 1
    assert counted[("GET", "/health", "200")] == 1
    assert [key for key in counted if key[0] == "other"]
    assert not [key for key in counted if "nowhere" in key[1]]
    assert found[("taizhang_api_request_seconds_count", "/sites/{site}")] == 3
    assert found[("taizhang_api_pool_connections",)] >= 1
    assert found[("process_resident_memory_bytes",)] > 0


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), (TOKEN, 200), ("only-metrics", 200)])
async def test_who_may_see_them(
    pool: Pool, clock: StandingClock, token: str | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAIZHANG_API_TOKEN", TOKEN)
    settings = Settings(metrics_token=SecretStr("only-metrics"))
    app = served_from(settings, pool, clock)
    async with root(app, token) as client:
        assert (await client.get("/metrics")).status_code == status
        assert (await client.get("/api/v1/sites")).status_code == (200 if token == TOKEN else 401)
