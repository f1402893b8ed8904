"""The estate that is attacked: a few sites, each a pump room and a lift behind gateways of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from demo.chaos.devices import Device
from estate.description import EstateDescription
from rules.model import Pack

PUMPS, LIFT = "pumps", "lift"
POWER_LOST, OVERSPEED = "power_lost", "overspeed"  # the rules that the devices give reason to
_KEPT = {"booster_pump_room": ("mains_ok",), "elevator": ("overspeed", "machine_room_temp")}
_PARTS = {"booster_pump_room": ("pump", "sump_pump"), "elevator": ()}


def keys(count: int) -> tuple[str, ...]:
    return tuple(f"site_{number}" for number in range(1, count + 1))


def description(sites: Sequence[str], packs: Mapping[str, Pack]) -> EstateDescription:
    return EstateDescription.model_validate({"sites": [_site(each, packs) for each in sites]})


def devices(url: str, sites: Sequence[str], *, now_ms: Callable[[], int], seed: int) -> list[Device]:
    def device(site: str, key: str, facility: str, measures: tuple[str, ...], state: tuple[str, bool]) -> Device:
        return Device(url, site, key, facility, measures, state, now_ms=now_ms, seed=f"{seed} {site} {key}")

    pumps = [device(each, "gw_pumps", PUMPS, ("room_temp", "room_humidity"), ("mains_ok", True)) for each in sites]
    lifts = [device(each, "gw_lift", LIFT, ("machine_room_temp",), ("overspeed", False)) for each in sites]
    return [*pumps, *lifts]


def _site(key: str, packs: Mapping[str, Pack]) -> dict[str, Any]:
    return {
        "key": key,
        "name": _named(key),
        "locations": [{"key": "house", "name": _named("house")}],
        "gateways": [{"key": each, "name": _named(each), "location": "house"} for each in ("gw_pumps", "gw_lift")],
        "facilities": [
            _facility(PUMPS, "booster_pump_room", "gw_pumps", packs),
            _facility(LIFT, "elevator", "gw_lift", packs),
        ],
    }


def _facility(key: str, kind: str, gateway: str, packs: Mapping[str, Pack]) -> dict[str, Any]:
    """With what its devices speak of, and nothing else that the pack calls optional."""
    optional = (name for name, point in packs[kind].points.items() if point.optional and name not in _KEPT[kind])
    return {
        "key": key,
        "kind": kind,
        "name": _named(key),
        "location": "house",
        "gateway": gateway,
        "parts": [{"key": f"{part}_1", "kind": part} for part in _PARTS[kind]],
        "without": [_numbered(name) for name in optional],
    }


def _numbered(point: str) -> str:
    """`pump.run` of the pack is `pump_1.run` of the one pump there is."""
    part, dot, name = point.partition(".")
    return f"{part}_1.{name}" if dot else point


def _named(word: str) -> dict[str, str]:
    return {"zh": f"{word}号", "en": word}
