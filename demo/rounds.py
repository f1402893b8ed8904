"""The demo's rounds: tags on everything that is looked at, the plans of estates/demo_rounds.yaml, a sheet to scan from.

Done over HTTP as an administrator would. What is there already is left as somebody may have changed it.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from rules import yaml_loader

PLANS = Path(__file__).resolve().parent.parent / "estates" / "demo_rounds.yaml"
_BY = "项目经理周岚"
_PATIENCE_S = 120.0


async def bring_in(url: str, token: str, directory: Path, trusted: ssl.SSLContext | None = None) -> Path:
    """Make what is missing; gives the sheet of tags of the first plan's route. Raises httpx.HTTPError."""
    described: Any = yaml_loader.load(PLANS.read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {token}", "X-Actor": quote(_BY)}
    # Its links name the address, which another run may have to change.
    sheet = directory / f"tags_{url.rpartition('/')[2].replace(':', '_')}.pdf"
    verify = True if trusted is None else trusted
    async with httpx.AsyncClient(
        base_url=f"{url}/api/v1", headers=headers, timeout=_PATIENCE_S, verify=verify
    ) as client:
        for site in (await _get(client, "/sites"))["items"]:
            await _tag_all(client, site["key"])
        known = {(each["site"], each["key"]) for each in (await _get(client, "/inspection-plans"))["items"]}
        for plan in described["plans"]:
            if (plan["site"], plan["key"]) not in known:
                (await client.post("/inspection-plans", json=plan)).raise_for_status()
        if not sheet.exists():
            draft = sheet.with_suffix(".new")
            draft.write_bytes(await _sheet(client, described["plans"][0]))
            draft.replace(sheet)
    return sheet


async def _tag_all(client: httpx.AsyncClient, site: str) -> None:
    more = True
    while more:
        answer = await client.post("/tags/bulk", json={"site": site})
        answer.raise_for_status()
        more = answer.json()["more"]


async def _sheet(client: httpx.AsyncClient, plan: Mapping[str, Any]) -> bytes:
    codes: list[str] = []
    for stop in plan["stops"]:
        asked = {"site": plan["site"], "facility": stop["facility"], "living": True}
        codes += [each["code"] for each in (await _get(client, "/tags", **asked))["items"]]
    answer = await client.post("/tag-sheets", json={"codes": codes, "sheet": "a4_21"})
    answer.raise_for_status()
    return answer.content


async def _get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
