"""The line on a real database and a real broker: a message becomes reading, alarm, order and a word to the sirens; bad
input lands where the design says and is counted; a redelivery changes nothing; the past makes no noise.
"""

import random
from datetime import timedelta
from typing import Any

from ingest import roster
from ingest.sites import JudgedSite
from tests.fix_wait import wait_until
from tests.line_rig import NOON, Line, bring, line

# Critical after a minute, security; normal again after five seconds.
OPEN = {"door_open": True}
SHUT = {"door_open": False}
RULE = "door_open_without_permit"


async def test_a_message_becomes_reading_alarm_order_and_a_word_to_the_sirens(bench: Line, eventually) -> None:
    bench.speaker.listen(f"tz/v1/{bench.site}/alarms/+")
    bench.say("pumps", OPEN, ago=90)
    bench.say("pumps", OPEN, ago=5)
    account = await bench.received()
    assert (account["accepted"], account["stored"]) == (2, 2)
    alarm = await bench.alarm(RULE, state="UNACK", priority="high", order_reason="at_once")
    assert alarm["began_at"] == NOON - timedelta(seconds=30)  # a minute after it began, in the time of the device
    assert alarm["rang_at"] == alarm["raised_at"] == NOON
    (order,) = await bench.rows("select * from work_order")
    assert [order["id"]] == alarm["orders"]
    assert (order["work_class"], order["priority"], order["severity"]) == ("security", "high", "critical")
    assert (order["accept_by"], order["plan_by"]) == (NOON + timedelta(minutes=15), NOON + timedelta(hours=1))
    readings = await bench.rows(
        "select point.key, value from reading join point on point.id = point_id order by ts, key"
    )
    assert [(row["key"], row["value"]) for row in readings] == [("door_open", 1.0)] * 2
    ((topic, told),) = await eventually(lambda: bench.speaker.heard)
    assert topic.endswith(f"/{told['condition']}")
    assert (told["alarm"], told["rule"], told["state"]) == (alarm["id"], RULE, "UNACK")
    assert told["work_orders"] == alarm["orders"]
    (gateway,) = await bench.rows("select * from gateway where key = 'gw'")
    assert gateway["heard_at"] == NOON
    assert gateway["clock_offset_ms"] == 5000


async def test_the_return_to_normal_is_told_to_alarm_order_and_sirens(bench: Line, eventually) -> None:
    bench.speaker.listen(f"tz/v1/{bench.site}/alarms/+")
    bench.say("pumps", OPEN, ago=90)
    bench.say("pumps", OPEN)
    await bench.alarm(RULE, state="UNACK")
    bench.clock.move(seconds=30)
    bench.say("pumps", SHUT)
    bench.clock.move(seconds=20)
    bench.say("pumps", SHUT)
    alarm = await bench.alarm(RULE, state="RTNUN")
    assert alarm["returned_at"] == NOON + timedelta(seconds=35)
    events = await bench.rows("select move, reason from work_order_event order by seq")
    assert [row["move"] for row in events] == ["open", "alarm_cleared"]
    await eventually(lambda: [told["state"] for _, told in bench.speaker.heard] == ["UNACK", "RTNUN"])


async def test_a_delay_runs_out_though_no_sample_comes(bench: Line) -> None:
    bench.say("pumps", OPEN)
    await bench.received()
    await bench.ticked()
    assert await bench.alarms() == []
    bench.clock.move(seconds=61)
    alarm = await bench.alarm(RULE, state="UNACK")
    assert alarm["began_at"] == NOON + timedelta(seconds=60)
    delays = await bench.rows("select rule_key from timer join condition on condition.id = condition_id")
    assert [row["rule_key"] for row in delays] == ["door_open_long"]


# ------------------------------------------------------------------ bad input


async def test_whatever_comes_in_lands_where_it_belongs_and_is_counted(bench: Line) -> None:
    site, now = bench.site, bench.clock.ms
    good = {"ts": now, "values": {"room_temp": 20}}
    bad = [
        ("bad_topic", f"{site}/pumps/telemetrie", good),
        ("bad_topic", f"{site}/pumps/deep/er/telemetry", good),
        ("bad_topic", f"{site}/Pumps/telemetry", good),
        ("unknown_facility", f"{site}/pump/telemetry", good),
        ("unknown_gateway", f"{site}/gateways/nobody/status", {"state": "online", "since": now}),
        ("oversize", f"{site}/pumps/telemetry", b" " * 300_000),
        ("not_utf8", f"{site}/pumps/telemetry", b'{"values": {"\xff": 1}}'),
        ("not_json", f"{site}/pumps/telemetry", "temperature=20"),
        ("not_json", f"{site}/pumps/telemetry", '{"values": {"room_temp": NaN}}'),
        ("not_json", f"{site}/pumps/telemetry", '{"values": {"room_temp": Infinity}}'),
        ("not_json", f"{site}/pumps/telemetry", b""),
        ("not_json", f"{site}/pumps/telemetry", b"\0"),
        ("wrong_shape", f"{site}/pumps/telemetry", "[1, 2]"),
        ("wrong_shape", f"{site}/gateways/gw/status", {"state": "up", "since": now}),
        ("empty", f"{site}/pumps/telemetry", []),
        ("too_many_values", f"{site}/pumps/telemetry", {"values": {f"p{number}": 1 for number in range(5001)}}),
        ("bad_timestamp", f"{site}/pumps/telemetry", {**good, "ts": now // 1000}),
        ("no_zone", f"{site}/pumps/telemetry", {**good, "ts": "2026-03-02T12:00:00"}),
        ("future", f"{site}/pumps/telemetry", {**good, "ts": now + 301_000}),
        ("future", f"{site}/gateways/gw/status", {"state": "online", "since": now + 301_000}),
        ("unknown_point", f"{site}/pumps/telemetry", {"ts": now, "values": {"房间": 20}}),
        ("wrong_type", f"{site}/pumps/telemetry", {"ts": now, "values": {"room_temp": "20"}}),
        ("wrong_type", f"{site}/pumps/telemetry", {"ts": now, "values": {"room_temp": [20]}}),
        ("not_finite", f"{site}/pumps/telemetry", f'{{"ts": {now}, "values": {{"room_temp": 1e999}}}}'),
        ("unknown_label", f"{site}/pumps/telemetry", {"ts": now, "values": {"ats_position": "zero\u0000"}}),
        ("bad_topic", f"{site}/pumps/tele\u7535\u6c14", good),
    ]
    for _, topic, payload in bad:
        bench.say_raw(topic, payload)
    bench.say("pumps", {"room_temp": 21, "room_humidity": "wet", "nonsense": 1})  # accepted, with two values refused
    account = await bench.received()
    assert account["received"] == len(bad) + 1
    assert (account["accepted"], account["duplicate"], account["quarantined"]) == (1, 0, len(bad))
    assert account["stored"] == 1
    assert account["values_received"] == account["stored"] + account["refused"]
    rows = await bench.rows("select * from quarantine")
    counted: dict[str, int] = {}
    for row in rows:
        counted[row["reason"]] = counted.get(row["reason"], 0) + row["count"]
    expected: dict[str, int] = {"unknown_point": 1, "wrong_type": 1}
    for reason, _, _ in bad:
        expected[reason] = expected.get(reason, 0) + 1
    assert counted == expected
    assert {row["site_key"] for row in rows} == {site}
    assert all(row["samples"][0]["detail"] for row in rows)
    (oversize,) = [row for row in rows if row["reason"] == "oversize"]
    assert oversize["samples"][0]["truncated"]
    assert "300000 bytes" in oversize["samples"][0]["detail"]
    assert await bench.alarms() == []


async def test_out_of_range_and_null_are_stored_and_not_believed(bench: Line) -> None:
    bench.say("pumps", {"room_temp": 500, "room_humidity": None, "flood": None})
    bench.say("pumps", {"room_temp": 81}, ago=100)
    account = await bench.received()
    assert (account["stored"], account["refused"]) == (4, 0)
    rows = await bench.rows(
        "select key, quality, value from reading join point on point.id = point_id order by ts, key"
    )
    assert [(row["key"], row["quality"]) for row in rows] == [
        ("room_temp", 2),
        ("flood", 1),
        ("room_humidity", 1),
        ("room_temp", 2),
    ]
    assert await bench.rows("select * from quarantine") == []


async def test_a_message_the_ledger_cannot_store_goes_alone(bench: Line, monkeypatch, caplog) -> None:
    bench.say("lamp", {"room_temp": 20}, ago=100)
    await bench.received()
    loaded: list[int] = []
    load = roster.load

    async def counted(connection: Any, site_id: int, *rest: Any, **more: Any) -> JudgedSite:
        loaded.append(site_id)
        return await load(connection, site_id, *rest, **more)

    monkeypatch.setattr(roster, "load", counted)
    async with await bench.act() as connection:
        await connection.execute("alter table reading add constraint poison check (value <> 13.25)")
    for number in range(40):
        bench.say("lamp", {"room_temp": 13.25 if number in (0, 8, 31) else number}, ago=60 - number)
    account = await bench.received(deadline_s=60)  # halving takes some thirty transactions
    assert (account["received"], account["accepted"], account["quarantined"]) == (41, 38, 3)
    assert (account["stored"], account["refused"]) == (38, 3)
    assert len(loaded) <= 3  # each bundle with one of them once, when it fails the first time; halving costs none
    (row,) = await bench.rows("select * from quarantine")
    assert (row["reason"], row["count"]) == ("unstorable", 3)
    assert "poison" in row["samples"][0]["detail"]
    assert "nor can it be stored" in caplog.text


async def test_a_reading_that_got_past_the_engine_is_still_a_duplicate(bench: Line) -> None:
    """The engine's newest is not the ledger's: so what it takes for new is refused, and tried again with what is there."""
    bench.say("lamp", {"room_temp": 20}, ago=100)
    await bench.received()
    at_ms = bench.clock.ms - 50_000
    async with await bench.act() as connection:
        await connection.execute(
            "insert into reading (point_id, ts, value, quality) select point_id, to_timestamp(%s), 21, 0 from reading",
            [at_ms / 1000],
        )
    bench.say("lamp", {"room_temp": 21}, at_ms=at_ms)
    account = await bench.received()
    assert (account["accepted"], account["duplicate"], account["quarantined"]) == (1, 1, 0)
    assert (account["stored"], account["repeated"], account["conflict"]) == (1, 1, 0)
    assert await bench.rows("select reason from quarantine") == []
    async with await bench.act() as connection:  # it came in by no account
        await connection.execute("delete from reading where ts = to_timestamp(%s)", [at_ms / 1000])


async def test_when_every_message_is_unstorable_it_is_not_the_messages(bench: Line, monkeypatch) -> None:
    monkeypatch.setattr("ingest.worker.UNSTORABLE_IN_A_ROW_MAX", 3)
    async with await bench.act() as connection:
        await connection.execute("alter table reading add constraint poison check (value < -1000)")
    for number in range(10):
        bench.say("lamp", {"room_temp": number}, ago=60 - number)
    await bench.received(3)
    async with await bench.act() as connection:
        await connection.execute("alter table reading drop constraint poison")
    account = await bench.received()
    assert (account["accepted"], account["quarantined"]) == (7, 3)


async def test_a_missing_right_of_ours_costs_no_message(bench: Line, eventually, caplog) -> None:
    async with await bench.act() as connection:
        await connection.execute("revoke insert on intake_account from taizhang_ingest")
    bench.say("lamp", {"room_temp": 20})
    await eventually(lambda: caplog.text.count("judging waits: permission denied") > 1)
    assert (await bench.account())["received"] == 0
    async with await bench.act() as connection:
        await connection.execute("grant insert on intake_account to taizhang_ingest")
    assert (await bench.received())["accepted"] == 1


# ------------------------------------------------------------------ duplicates, late, out of order


async def test_duplicates_conflicts_late_and_out_of_order(bench: Line) -> None:
    bench.say("pumps", {"room_temp": 20}, ago=50)
    bench.say("pumps", {"room_temp": 20}, ago=50)
    bench.say("pumps", {"room_temp": 99}, ago=50)
    bench.say("pumps", {"room_temp": 21}, ago=60)
    bench.say("pumps", {"room_temp": 22, "room_humidity": 40}, ago=55)
    bench.say("pumps", {"room_temp": 22, "room_humidity": 41}, ago=55)
    account = await bench.received()
    assert {key: account[key] for key in ("accepted", "duplicate", "quarantined")} == {
        "accepted": 3,
        "duplicate": 3,
        "quarantined": 0,
    }
    assert {key: account[key] for key in ("stored", "repeated", "conflict", "late")} == {
        "stored": 4,
        "repeated": 2,
        "conflict": 2,
        "late": 2,
    }
    values = await bench.rows(
        "select value from reading join point on point.id = point_id where key = 'room_temp' order by ts"
    )
    assert [row["value"] for row in values] == [21, 22, 20]


async def test_late_data_moves_nothing_but_a_latched_occurrence(bench: Line) -> None:
    bench.say("lift", {"overspeed": False}, ago=100)
    bench.say("lift", {"overspeed": False}, ago=60)
    bench.say("lift", {"overspeed": False}, ago=10)
    bench.say("lift", {"overspeed": True}, ago=50)
    bench.say("pumps", SHUT, ago=100)
    bench.say("pumps", SHUT, ago=5)
    bench.say("pumps", OPEN, ago=90)
    bench.say("pumps", OPEN, ago=20)
    await bench.received()
    alarm = await bench.alarm("overspeed", state="LATUN", late=True, order_reason="life_safety")
    assert alarm["began_at"] == NOON - timedelta(seconds=50)
    assert alarm["rang_at"] == NOON
    assert len(await bench.alarms()) == 1
    # Another one comes to light: one more occurrence of what nobody has read yet.
    bench.say("lift", {"overspeed": True}, ago=80)
    await bench.alarm("overspeed", state="LATUN", occurrences=2)


async def test_replaying_any_prefix_changes_nothing(bench: Line) -> None:
    stream = [
        ("pumps", OPEN, 100),
        ("lift", {"overspeed": False, "car_alarm_button": True}, 95),
        ("pumps_b", {"room_temp": 20, "flood": True}, 90),
        ("pumps", OPEN, 30),
        ("lift", {"overspeed": True}, 25),
        ("lift", {"car_alarm_button": True}, 24),
        ("pumps_b", {"flood": False}, 20),
        ("pumps", {**SHUT, "mains_ok": False}, 18),
        ("lift", {"overspeed": False}, 10),
        ("pumps", SHUT, 1),
    ]
    for facility, values, ago in stream:
        bench.say(facility, values, ago=ago)
    account = await bench.received()
    assert account["accepted"] == len(stream)
    await bench.ticked()
    before = await bench.everything()
    assert len(before["alarm"]) >= 3
    choose = random.Random(7)
    for length in (1, 3, len(stream)):
        for facility, values, ago in stream[:length]:
            bench.say(facility, values, ago=ago)
        for facility, values, ago in choose.sample(stream[:length], length):
            bench.say(facility, values, ago=ago)
    account = await bench.received()
    await bench.ticked()
    assert await bench.everything() == before
    assert account["duplicate"] == 2 * (1 + 3 + len(stream))
    assert account["received"] == bench.sent


async def test_missing_sequence_numbers_are_counted(bench: Line) -> None:
    for ago, seq in ((50, 1), (49, 2), (48, 5), (47, 6), (47.5, 4), (46, 1), (45, 3)):
        bench.say("pumps", {"room_temp": 20}, ago=ago, seq=seq)
    account = await bench.received()
    assert account["seq_gaps"] == 2 + 1  # 3 and 4 were missing; after it began anew with 1, 2 was
    (gateway,) = await bench.rows("select last_seq, seq_gaps from gateway where key = 'gw'")
    assert gateway == {"last_seq": 3, "seq_gaps": 3}


# ------------------------------------------------------------------ the past


async def test_what_began_and_ended_before_it_arrived_is_history(bench: Line) -> None:
    entries = [
        {"ts": bench.clock.ms - ago * 1000, "values": values}
        for ago, values in ((110, OPEN), (95, OPEN), (45, OPEN), (40, SHUT), (20, SHUT))
    ]
    bench.say_raw(f"{bench.site}/pumps/telemetry", entries)
    await bench.received()
    alarm = await bench.alarm(RULE, historical=True)
    assert alarm["ended_at"] is not None
    assert (alarm["rang_at"], alarm["orders"]) == (None, [])
    events = await bench.rows(
        "select move, actor, reason from condition_event where alarm_id = %s order by seq", alarm["id"]
    )
    assert [(row["move"], row["reason"]) for row in events] == [
        ("raise", "limit"),
        ("clear", "normal"),
        ("acknowledge", "historical"),
    ]
    assert await bench.rows("select * from work_order") == []
    assert await bench.rows("select * from outbox where topic is not null") == []


async def test_a_store_that_is_emptied_rings_only_for_what_still_stands(bench: Line) -> None:
    """An hour of the past comes in: two alarms in it, one of which is over by its end."""

    def send(facility: str, *moments: tuple[int, dict[str, object]]) -> None:
        entries = [{"ts": bench.clock.ms - ago * 1000, "values": values} for ago, values in moments]
        bench.say_raw(f"{bench.site}/{facility}/telemetry", entries)

    bench.say("pumps", SHUT)
    bench.say("lamp", SHUT)
    await bench.received()
    bench.clock.move(hours=1)
    send("pumps", (3500, OPEN), (3430, OPEN))
    send("lamp", (3400, OPEN), (3330, OPEN))
    await bench.received()
    for facility in ("pumps", "lamp"):
        raised = [each for each in await bench.alarms() if each["facility"] == facility and each["rule"] == RULE]
        assert [(each["state"], each["rang_at"]) for each in raised] == [("UNACK", None)]
    send("pumps", (3300, SHUT), (3270, SHUT))
    await bench.received()
    await bench.ticked()
    assert [each["rang_at"] for each in await bench.alarms() if each["rule"] == RULE] == [None, None]
    send("lamp", (1, OPEN))  # it has arrived in the present
    await bench.received()

    async def told() -> bool:
        over, standing = [each for each in await bench.alarms() if each["rule"] == RULE]
        assert over["historical"], over
        assert over["orders"] == []
        assert (standing["state"], standing["order_reason"]) == ("UNACK", "waits_for_round"), standing
        return bool(standing["rang_at"] == bench.clock.now)

    await wait_until(told)


# ------------------------------------------------------------------ sites


async def test_a_new_site_is_taken_on_while_at_work(database_url, broker) -> None:
    async with line(database_url, broker.url, "east", sites=()) as made:
        made.say("lamp", {"room_temp": 20})
        await made.received()
        await bring(database_url, "west")
        made.say_raw("west/lamp/telemetry", {"ts": made.clock.ms, "values": {"room_temp": 20}})
        made.say_raw("nowhere/lamp/telemetry", {"ts": made.clock.ms, "values": {"room_temp": 20}})
        account = await made.received()
        assert account["quarantined"] == 1
        sites = await made.rows("select site_key, accepted::int, quarantined::int from intake_account order by 1")
        assert [tuple(row.values()) for row in sites] == [("", 0, 1), ("east", 1, 0), ("west", 1, 0)]
        (row,) = await made.rows("select site_key, reason from quarantine")
        assert row == {"site_key": "", "reason": "unknown_site"}
