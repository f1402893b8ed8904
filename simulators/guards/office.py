"""What has to be there before guards can walk: tags on the wall, a plan and a begun round for each, read over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from simulators.errors import SimulationError
from simulators.guards.route import DWELL_S, LEG_S, STOPS, Route, Stop, place_of

_BY = "项目经理周岚"
_BACK = timedelta(hours=8)
_WINDOW = timedelta(hours=10)
Json = dict[str, Any]


class Office:
    """An administrator at one site. Every method raises SimulationError where the service refuses."""

    def __init__(self, client: httpx.AsyncClient, site: str) -> None:
        self._client = client
        self._site = site

    async def route(self, now: datetime) -> Route:
        """Twelve facilities with a checklist, and one more; their tags, one of them replaced; a tag of another site."""
        sites = (await self._get("/sites"))["items"]
        here = next((each for each in sites if each["key"] == self._site), None)
        other = next((each["key"] for each in sites if each["key"] != self._site), None)
        if here is None or other is None:
            raise SimulationError(
                f"guards walk at {self._site} and carry a tag of another site: one of them is not there"
            )
        due = (await self._get("/inspection-due", site=self._site, limit=STOPS + 1))["items"]
        if len(due) <= STOPS:
            raise SimulationError(f"{self._site} has {len(due)} facilities with a checklist; {STOPS + 1} are needed")
        lists = {each["kind"]: each for each in (await self._get("/checklists"))["items"]}
        retired = await self._tag(self._site, due[0]["facility"]["key"])
        await self._post(f"/tags/{retired['code']}/replace", {"reason": "lost"})
        stops = [await self._stop(at, each, lists[each["kind"]]) for at, each in enumerate(due)]
        foreign = (await self._get("/inspection-due", site=other, limit=1))["items"]
        foreign_tag = await self._tag(other, foreign[0]["facility"]["key"] if foreign else await self._any(other))
        begin = (now - _BACK).replace(second=0, microsecond=0)
        return Route(
            self._site, begin, begin + _WINDOW, stops[:STOPS], stops[STOPS], _said(retired), _said(foreign_tag)
        )

    async def begin_round(self, route: Route, guard: str, key: str, time_zone: str) -> int:
        """A plan for him alone, and its round begun by him."""
        starts = route.window_from.astimezone(ZoneInfo(time_zone))
        plan = {
            "site": route.site,
            "key": key,
            "name": {"zh": f"{guard}的一轮", "en": f"Round of {guard}"},
            "officer": _BY,
            "period": "day",
            "starts_at": f"{starts:%H:%M}",
            "window_min": int(_WINDOW / timedelta(minutes=1)),
            "ordered": True,
            "stops": [{"facility": each.facility, "leg_s": LEG_S, "dwell_s": DWELL_S} for each in route.stops],
        }
        await self._post("/inspection-plans", plan)
        begun = await self._post("/inspection-rounds", {"site": route.site, "plan": key}, actor=guard)
        return int(begun["id"])

    async def time_zone(self) -> str:
        sites = (await self._get("/sites"))["items"]
        return str(next(each["time_zone"] for each in sites if each["key"] == self._site))

    async def photos_due(self, round_id: int) -> Mapping[str, Sequence[str]]:
        """Items of each stop that are to be photographed today."""
        found = await self._get(f"/inspection-rounds/{round_id}")
        return {each["stop"]["facility"]: each["photos"] for each in found["stops"]}

    async def visits(self) -> list[Json]:
        """Every visit of the site."""
        return await self._pages("/inspections", site=self._site)

    async def dossier(self, facility: str) -> list[Json]:
        return await self._pages(f"/facilities/{self._site}/{facility}/dossier")

    async def _stop(self, at: int, due: Json, checklist: Json) -> Stop:
        facility = due["facility"]["key"]
        tag = await self._tag(self._site, facility)
        asked = [each for each in checklist["items"] if not each["optional"] and not each["types"]]
        return Stop(
            facility=facility,
            tag=_said(tag),
            checklist=checklist["kind"],
            version=checklist["version"],
            checks=[each["key"] for each in asked if each["answer"] == "check"],
            others={each["key"]: _in_order(each) for each in asked if each["answer"] != "check"},
            photos=(),
            place=place_of(at),
        )

    async def _tag(self, site: str, facility: str) -> Json:
        """The one that hangs there, or a new one."""
        living = (await self._get("/tags", site=site, facility=facility, living=True))["items"]
        if living:
            return dict(living[0])
        return dict((await self._post("/tags", {"site": site, "facility": facility}))["tag"])

    async def _any(self, site: str) -> str:
        return str((await self._get("/facilities", site=site, limit=1))["items"][0]["key"])

    async def _pages(self, path: str, **query: Any) -> list[Json]:
        items: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self._get(path, limit=100, **query, **({"after": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    async def _get(self, path: str, **query: Any) -> Json:
        return _told(await self._client.get(path, params=query, headers={"X-Actor": quote(_BY)}))

    async def _post(self, path: str, body: Json, *, actor: str = _BY) -> Json:
        return _told(await self._client.post(path, json=body, headers={"X-Actor": quote(actor)}))


def _told(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise SimulationError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    found: Json = answer.json()
    return found


def _said(tag: Json) -> str:
    """What a camera reads: the link, where there is an address for it."""
    return str(tag["link"] or tag["code"])


def _in_order(item: Json) -> float | str:
    """An answer that does not fail."""
    if item["answer"] == "reading":
        low, high = item["low"], item["high"]
        return float(low if low is not None else high if high is not None else 0)
    if item["answer"] == "choice":
        return str(next(each["key"] for each in item["choices"] if not each["fails"]))
    return "无"
