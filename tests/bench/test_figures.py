"""What the bench sends and reports: frames that ingest understands, packets cut whole, regressions said aloud."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench import frames, report
from bench.estates import Place, grounds
from bench.figure import Figure, Goal
from bench.load import Spec
from bench.reader import cut
from bench.run import ratios
from bench.traffic import EXCURSIONS, Excursion, blocks
from ingest import wire
from rules import packs
from settings import Settings

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
DIGITS = np.full(1 << 16, ord("7"), dtype=np.uint8)


@pytest.fixture(scope="module")
def estate():
    return grounds(packs.load(Settings().packs_dir), 20, NOW, sites=2)


def messages(stream: bytes) -> list[tuple[str, int, bytes]]:
    """Topic, packet id and payload of each whole PUBLISH."""
    found = []
    while stream:
        size, body = stream[1], 2
        if size & 0x80:
            size, body = (size & 0x7F) | stream[2] << 7, 3
        packet, stream = stream[body : body + size], stream[body + size :]
        topic_end = 2 + int.from_bytes(packet[:2], "big")
        packet_id = int.from_bytes(packet[topic_end : topic_end + 2], "big")
        found.append((packet[2:topic_end].decode(), packet_id, packet[topic_end + 2 :]))
    return found


def test_every_point_is_reported_in_turn_and_no_time_twice(estate) -> None:
    said: dict[tuple[str, str], list[int]] = {}
    for block in blocks(estate.places, estate.normal, 3):
        for _ in range(3 * len(block.variants)):
            stream, _taken = block.take(1_000, 1_763_818_200_000, 1, DIGITS)
            for topic, _id, payload in messages(stream):
                [entry] = wire.decode_telemetry(payload, bytes_max=4096, values_max=10).entries
                assert len(entry.values) == 3
                for key in entry.values:
                    said.setdefault((topic, key), []).append(entry.ts_ms)
    wanted = {(place.topic, key) for place in estate.places for key in estate.normal[place.kind]}
    assert said.keys() == wanted
    assert all(times == sorted(set(times)) for times in said.values())


def test_packet_ids_count_on_past_the_end(estate) -> None:
    block = blocks(estate.places, estate.normal, 3)[0]
    stream, taken = block.take(3, 1_763_818_200_000, 65_534, DIGITS)
    assert [packet_id for _topic, packet_id, _payload in messages(stream)] == [65_534, 65_535, 1][:taken]


def test_a_fault_is_said_while_it_lasts(estate) -> None:
    block = next(each for each in blocks(estate.places, estate.normal, 30) if each.places[0].kind == "elevator")
    fault = EXCURSIONS["elevator"][0]

    def told() -> object:
        _topic, _id, payload = messages(block.take(1, 1_763_818_200_000, 1, DIGITS)[0])[0]
        block.row = 0
        return json.loads(payload)["values"][fault.point]

    assert told() is False
    block.say(0, fault, wrong=True)
    assert told() is True
    [(_topic, _id, alone)] = messages(block.sudden(0, fault, 1_763_818_200_000, 1))
    assert json.loads(alone)["values"] == {fault.point: True}
    block.say(0, fault, wrong=False)
    assert told() is False


def test_every_fault_is_of_a_point_that_is_said(estate) -> None:
    faults: list[tuple[str, Excursion]] = [(kind, each) for kind, some in EXCURSIONS.items() for each in some]
    assert [each for kind, each in faults if estate.normal[kind].get(each.point) is not False] == []


def test_poison_is_no_telemetry_and_the_rest_is(estate) -> None:
    spoilt = total = 0
    for block in blocks(estate.places, estate.normal, 3, poison=0.5):
        stream, taken = block.take(1_000, 1_763_818_200_000, 1, DIGITS)
        total += taken
        for (_topic, _id, payload), is_poison in zip(messages(stream), block.is_poison, strict=True):
            if is_poison:
                spoilt += 1
                with pytest.raises(wire.WireError):
                    wire.decode_telemetry(payload, bytes_max=4096, values_max=10)
            else:
                wire.decode_telemetry(payload, bytes_max=4096, values_max=10)
    assert spoilt == total / 2


def test_packets_are_cut_whole_wherever_the_stream_breaks() -> None:
    small = frames.publish("tz/v1/a/b/telemetry", b"{}", 258)
    large = frames.publish("tz/v1/a/b/telemetry", b"x" * 300, 3)
    stream = small + b"\xd0\x00" + large + b"\x90\x03\x00\x01\x01" + small
    for broken_at in range(len(stream)):
        first, rest = cut(stream[:broken_at])
        second, left = cut(rest + stream[broken_at:])
        assert first + second == b"\x40\x02\x01\x02" + b"\x40\x02\x00\x03" + b"\x40\x02\x01\x02"
        assert left == b""


def test_a_spec_comes_back_as_it_went() -> None:
    spec = Spec(
        "mqtt://x", "file", [("s", "f", "elevator")], [("s", "g")], {"elevator": {"speed": 0.0, "mains_ok": True}}
    )
    assert msgspec.json.decode(msgspec.json.encode(spec), type=Spec) == spec


def test_topics_are_those_of_the_wire() -> None:
    assert wire.parse_topic(Place("bench-1", "f0001", "elevator").topic) == wire.TelemetryTopic("bench-1", "f0001")


# ------------------------------------------------------------------ the report


def a_run(commit: str, *figures: Figure, pace: float = 1.0) -> report.Run:
    machine = report.Machine(2, "a processor", 8.0, "Linux", 0.1)
    return report.Run("2026-03-01T12:00:00+00:00", commit, pace, 1_000, machine, {"python": "3.11"}, list(figures))


def throughput(value: float | None, note: str = "") -> Figure:
    return Figure("end_to_end.messages", value, "msg/s", Goal.AT_LEAST, 20_000, note)


def test_a_regression_is_said_aloud_and_a_missing_figure_with_its_reason() -> None:
    runs = [a_run("aaa", throughput(30_000)), a_run("bbb", throughput(30_000)), a_run("ccc", throughput(24_000))]
    text = report.table(runs)
    assert "| end_to_end.messages | 24,000 | msg/s | >= 20,000 | yes | -20% **worse** |" in text
    assert "the disk was full" in report.table([*runs, a_run("ddd", throughput(None, "the disk was full"))])
    assert "**no**" in report.table([a_run("eee", throughput(None))])


def test_only_runs_of_one_kind_are_compared() -> None:
    runs = [a_run("aaa", throughput(1)), a_run("bbb", throughput(2), pace=0.1), a_run("ccc", throughput(3))]
    assert [run.commit for run in report.comparable(runs)] == ["aaa", "ccc"]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    report.picture([a_run("aaa", throughput(30_000)), a_run("bbb", throughput(None))], tmp_path / "runs.png")
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")


def test_the_line_is_held_against_its_limit_and_the_yardstick() -> None:
    found = ratios([throughput(20_000), Figure("broker_limit.messages", 40_000, "msg/s")])
    assert [(each.name, each.value, each.reached) for each in found] == [("end_to_end.of_broker_limit", 0.5, True)]
