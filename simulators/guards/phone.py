"""A guard's phone: what it saves, when it sends, and what it does when no answer comes. Over HTTP, as the patrol page does."""

import hashlib
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from PIL import Image

from simulators.errors import SimulationError
from simulators.guards.shift import Network, Shift, Shot, Visit

_BATCH_MAX = 50
_ACCURACY_M = 20.0
_GRID = (9, 8)
_WIDTH, _HEIGHT = 144, 128


@dataclass(slots=True)
class Told:
    """What the service said of each visit, by id, every time it was sent."""

    results: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    sent: int = 0

    def heard(self, visit_id: str, result: str) -> None:
        self.results.setdefault(visit_id, []).append(result)


class Phones:
    """All phones of one shift: mostly one."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Callable[[], datetime], site: str, shift: Shift, dice: random.Random
    ) -> None:
        self._client = client
        self._clock = clock
        self._site = site
        self._shift = shift
        self._dice = dice
        self._actor = {"X-Actor": quote(shift.guard)}
        self.told = Told()

    async def deliver(self, rounds: Mapping[str, int]) -> None:
        """Everything of the shift, by its kind of network. `rounds`: number of each guard's round.

        Raises SimulationError where the service says what no phone should hear.
        """
        for batch in self._batches():
            for visit in batch:
                await self._photos(visit, before=True)
            await self._send(batch, rounds)
            if self._shift.network is not Network.ONLINE and self._dice.random() < 0.5:
                await self._send(batch, rounds)  # the answer was lost on its way
            for visit in batch:
                await self._photos(visit, before=False)
        for visit in self._shift.visits:
            if visit.retold:
                await self._send([visit], rounds, note="其实都好")

    def _batches(self) -> list[list[Visit]]:
        visits = [*self._shift.visits]
        match self._shift.network:
            case Network.ONLINE:
                cut = [[each] for each in visits]
            case Network.CELLAR:
                cut = [visits]
            case Network.PATCHY:
                size = self._dice.randrange(2, 5)
                cut = [visits[at : at + size] for at in range(0, len(visits), size)]
            case Network.JUMBLED:
                third = max(1, len(visits) // 3)
                cut = [visits[:third], visits[2 * third :], visits[third : 2 * third]]
        return [part for batch in cut for part in _of_one_phone(batch)]

    async def _send(self, batch: Sequence[Visit], rounds: Mapping[str, int], note: str | None = None) -> None:
        error = self._shift.clock_error
        body = {
            "site": self._site,
            "phone": batch[0].phone,
            "sent_at": (self._clock() + error).isoformat(),
            "visits": [_written(each, error, rounds[each.round_of], note) for each in batch],
        }
        answer = await self._client.post("/inspections", json=body, headers=self._actor)
        if answer.status_code != 200:
            raise SimulationError(f"a batch of {self._shift.guard} was answered {answer.status_code}: {answer.text}")
        for item in answer.json()["items"]:
            self.told.heard(item["id"], item["result"])
        self.told.sent += len(batch)

    async def _photos(self, visit: Visit, *, before: bool) -> None:
        for shot in visit.shots:
            if shot.before == before:
                answer = await self._client.post(
                    "/inspections/photos",
                    params={"site": self._site},
                    content=picture(shot),
                    headers={**self._actor, "Content-Type": "image/jpeg"},
                )
                if answer.status_code != 201:
                    raise SimulationError(f"a photo was answered {answer.status_code}: {answer.text}")


def _of_one_phone(batch: Sequence[Visit]) -> list[list[Visit]]:
    phones = dict.fromkeys(each.phone for each in batch)
    return [[each for each in batch if each.phone == phone][:_BATCH_MAX] for phone in phones]


def picture(shot: Shot) -> bytes:
    """A scene of seventy-two patches. Squeezed, it is other bytes of the same scene."""
    dice = random.Random(shot.scene)
    patches = Image.frombytes("L", _GRID, bytes(dice.randrange(20, 236) for _ in range(_GRID[0] * _GRID[1])))
    drawn = patches.resize((_WIDTH - 16 * shot.squeezed, _HEIGHT - 12 * shot.squeezed), Image.Resampling.NEAREST)
    written = io.BytesIO()
    drawn.save(written, "JPEG", quality=85 - 15 * shot.squeezed)
    return written.getvalue()


def _written(visit: Visit, clock_error: timedelta, round_id: int, note: str | None) -> dict[str, Any]:
    answers: dict[str, Any] = dict.fromkeys(visit.stop.checks, True)
    answers |= {**visit.stop.others} | dict.fromkeys(visit.failed, False)
    return {
        "id": str(visit.id),
        "tag": visit.said,
        "facility": visit.expected,
        "means": visit.means,
        "scanned_at": _by_phone(visit.scanned_at, clock_error),
        "finished_at": _by_phone(visit.finished_at, clock_error),
        "checklist": visit.stop.checklist,
        "checklist_version": visit.version,
        "answers": answers,
        "photos": [{"sha256": hashlib.sha256(picture(each)).hexdigest(), "item": each.item} for each in visit.shots],
        "position": None
        if visit.position is None
        else {"latitude": visit.position[0], "longitude": visit.position[1], "accuracy_m": _ACCURACY_M},
        "note": note,
        "round": round_id,
    }


def _by_phone(moment: datetime, error: timedelta) -> str:
    return (moment + error).isoformat()
