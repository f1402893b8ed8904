"""A whole run on a real broker: what the truth says was published is what a listener heard."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from estate.description import EstateDescription
from settings import Clock
from simulators.auditor import read_truth
from simulators.errors import BrokerUnreachable, ScriptError, SimulationError
from simulators.run import simulate
from simulators.truth import Truth
from tests.fix_proxy import OpenProxy
from tests.fix_wait import Eventually
from tests.mqtt_device import Device
from tests.simulators.court import demo, only

ORIGIN = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
def small(unique_key: Callable[[str], str]) -> EstateDescription:
    """One site of a name nobody used: brokers keep what is retained."""
    estate = only(demo(), "binjiang/booster_main", "binjiang/lift_1")
    site = estate.sites[0].model_copy(update={"key": unique_key("site")})
    return estate.model_copy(update={"sites": (site,)})


async def listener(url: str, estate: EstateDescription, eventually: Eventually) -> Device:
    device = await Device(url, f"ear-{estate.sites[0].key}").connect(eventually)
    assert await device.subscribe(f"tz/v1/{estate.sites[0].key}/#", eventually)
    return device


async def run(
    estate: EstateDescription, url: str, faults: str, truth: Path, *, minutes: float = 12, speed: float = 600.0
) -> Truth:
    await simulate(
        estate=estate,
        mqtt_url=url,
        clock=Clock(origin=ORIGIN, started=datetime.now(tz=UTC), speed=speed),
        seed=1,
        faults=faults,
        duration_s=minutes * 60,
        truth_file=truth,
        stop=asyncio.Event(),
    )
    return read_truth(truth)


def entries(device: Device) -> list[tuple[str, int, dict[str, object]]]:
    """What came, list or not, in order of arrival."""
    told: list[tuple[str, int, dict[str, object]]] = []
    for topic, payload in device.heard:
        if topic.endswith("/telemetry"):
            parsed = json.loads(payload)
            told += [(topic, one["ts"], one["values"]) for one in (parsed if isinstance(parsed, list) else [parsed])]
    return told


def not_in_order(told: list[tuple[str, int, dict[str, object]]]) -> int:
    """Values older than one of their own point that came before, or as old."""
    newest: dict[tuple[str, str], int] = {}
    late = 0
    for topic, ts, values in told:
        for key in values:
            late += ts <= newest.get((topic, key), 0)
            newest[topic, key] = max(ts, newest.get((topic, key), 0))
    return late


async def test_what_was_published_was_heard(
    small: EstateDescription, mqtt_url: str, tmp_path: Path, eventually: Eventually
) -> None:
    ear = await listener(mqtt_url, small, eventually)
    truth = await run(small, mqtt_url, "pump_failure@2m", tmp_path / "truth.json")
    await eventually(lambda: len(ear.heard) == truth.published)
    told = entries(ear)
    assert len(told) == truth.traffic.messages
    assert sum(len(values) for _, _, values in told) == truth.traffic.values > 500
    assert not_in_order(told) == 0
    assert truth.ended_at - truth.started_at == timedelta(minutes=12)
    assert [one.fault for one in truth.happened] == ["pump_failure"]
    statuses = [json.loads(payload)["state"] for topic, payload in ear.heard if topic.endswith("/status")]
    assert sorted(statuses) == ["offline", "offline", "online", "online"]
    ear.leave()


async def test_network_faults_reach_the_wire(
    small: EstateDescription, mqtt_url: str, tmp_path: Path, eventually: Eventually
) -> None:
    site = small.sites[0].key
    ear = await listener(mqtt_url, small, eventually)
    faults = f"late_burst@2m:{site}/gw_basement, duplicate_burst@3m:{site}/gw_lift, gateway_offline@5m:{site}/gw_lift"
    truth = await run(small, mqtt_url, faults, tmp_path / "truth.json", minutes=16)
    await eventually(lambda: len(ear.heard) >= truth.published)
    told = entries(ear)
    traffic = truth.traffic
    assert traffic.publishes_repeated > 0
    once = {(topic, ts): values for topic, ts, values in told}
    # What a gateway had sent when its power went, and nobody had acknowledged, may have been heard all the same.
    assert traffic.messages <= len(once) <= traffic.messages + traffic.publishes_lost
    assert len(told) >= traffic.messages + traffic.publishes_repeated
    assert not_in_order([(topic, ts, values) for (topic, ts), values in once.items()]) == 0  # of what came first
    lists = [payload for _, payload in ear.heard if payload.startswith(b"[")]
    assert len(lists) > 2
    basement = [json.loads(payload)["state"] for topic, payload in ear.heard if topic.endswith("gw_basement/status")]
    assert basement == ["online", "offline", "online", "offline"]
    ear.leave()


async def test_a_broken_network_delays_and_loses_nothing(
    small: EstateDescription, mqtt_url: str, tmp_path: Path, open_proxy: OpenProxy, eventually: Eventually
) -> None:
    ear = await listener(mqtt_url, small, eventually)
    proxy = await open_proxy(mqtt_url)
    playing = asyncio.create_task(run(small, proxy.url(mqtt_url), "none", tmp_path / "truth.json", minutes=40))
    await eventually(lambda: len(ear.heard) > 50)
    await proxy.cut()
    truth = await playing
    assert truth.traffic.publishes_lost == truth.traffic.messages_dropped == 0
    await eventually(lambda: len({(topic, ts) for topic, ts, _ in entries(ear)}) == truth.traffic.messages)
    ear.leave()


async def test_it_stops_when_told(small: EstateDescription, mqtt_url: str, tmp_path: Path) -> None:
    stop = asyncio.Event()
    playing = asyncio.create_task(
        simulate(
            estate=small,
            mqtt_url=mqtt_url,
            clock=Clock(origin=ORIGIN, started=datetime.now(tz=UTC), speed=60.0),
            seed=1,
            faults="random",
            duration_s=None,
            truth_file=tmp_path / "truth.json",
            stop=stop,
        )
    )
    stop.set()
    await asyncio.wait_for(playing, 30.0)
    assert read_truth(tmp_path / "truth.json").traffic.statuses == 4


async def test_what_cannot_be_played_is_refused_before_anything_is_sent(
    small: EstateDescription, mqtt_url: str, tmp_path: Path, open_proxy: OpenProxy
) -> None:
    nobody = await open_proxy(mqtt_url)
    await nobody.refuse()
    with pytest.raises(ScriptError, match="no such file"):
        await run(small, mqtt_url, "storm.yaml", tmp_path / "truth.json")
    with pytest.raises(SimulationError, match="must look like"):
        await run(small, "http://here", "none", tmp_path / "truth.json")
    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{nobody.port}"):
        await run(small, nobody.url(mqtt_url), "none", tmp_path / "truth.json")
