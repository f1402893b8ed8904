"""A gateway whose clock is wrong is told to people, through the whole line: set back by a day, or ahead of what is taken."""

from tests.fix_wait import wait_until
from tests.line_rig import Line

RULE = "gateway_clock_wrong"
DAY_S = 86_400


async def half_minutes(bench: Line, count: int, ago: int) -> None:
    """Messages by a clock that is so far behind, and the ticks between them."""
    for step in range(count):
        bench.clock.move(seconds=30)
        bench.say("pumps", {"room_temp": 20 + step / 10}, ago=ago)
        await bench.received()
        await bench.ticked(1)


async def test_a_clock_set_back_by_a_day_rings_and_is_over_when_it_is_set_right(bench: Line) -> None:
    await half_minutes(bench, 2, ago=1)
    await half_minutes(bench, 15, ago=DAY_S)
    alarm = await bench.alarm(RULE, state="UNACK")
    assert alarm["facility"] == "gw"
    assert (await bench.account())["late"] == 15  # stored, and judged by latched rules alone
    (gateway,) = await bench.rows("select clock_offset_ms from gateway where key = 'gw'")
    assert gateway["clock_offset_ms"] == DAY_S * 1000
    await half_minutes(bench, 4, ago=1)
    await bench.alarm(RULE, state="RTNUN")


async def test_a_clock_ahead_of_what_is_taken_rings(bench: Line) -> None:
    await half_minutes(bench, 2, ago=1)
    await half_minutes(bench, 14, ago=-3600)
    await bench.alarm(RULE, state="UNACK")
    refused = await wait_until(lambda: bench.rows("select count from quarantine where reason = 'future'"))
    assert sum(row["count"] for row in refused) == 14
    assert [each["rule"] for each in await bench.alarms() if each["rule"] == "gateway_silent"] == []
