"""The figures of alarm management, on lists of alarms whose figures one can count by hand."""

from datetime import UTC, datetime, timedelta

from demo.month.figures import Rung, floods, measure, most_within
from ledger.records import Priority

BEGUN = datetime(2026, 11, 1, tzinfo=UTC)
ENDED = BEGUN + timedelta(days=2)


def at(minutes: float) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


def rung(minutes: float, priority: Priority = Priority.LOW, *, source: str = "a", stands_h: float = 1) -> Rung:
    over = at(minutes) + timedelta(hours=stands_h)
    return Rung(at(minutes), source, priority, over, over)


def test_rates_are_per_day_and_per_operator() -> None:
    alarms = [rung(minutes) for minutes in (0, 30, 60, 1500)]
    figures = measure(alarms, BEGUN, ENDED, operators=2)
    assert (figures.alarms, figures.per_day, figures.per_operator_day) == (4, 2.0, 1.0)
    assert figures.busiest_day == 3
    assert (figures.peak_10_min, figures.peak_hour) == (1, 3)


def test_a_window_counts_both_its_ends() -> None:
    times = [at(0), at(4), at(10), at(10.1)]
    assert most_within(times, timedelta(minutes=10)) == 3
    assert most_within([], timedelta(minutes=10)) == 0


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    ten = [at(minute) for minute in range(10)]
    assert floods(ten, ENDED) == []
    (flood,) = floods([*ten, at(9.5)], ENDED)
    assert flood.began_at == at(9.5)
    assert flood.alarms == 11


def test_a_flood_goes_on_until_fewer_than_five_are_left() -> None:
    burst = [at(minute / 2) for minute in range(12)]  # the last at 5.5, the fifth newest at 3.5
    (flood,) = floods(burst, ENDED)
    assert flood.ended_at == at(13.5)
    (longer,) = floods([*burst, at(13)], ENDED)
    assert longer.ended_at == at(14)
    assert longer.alarms == 13
    first, second = floods([*burst, *(at(100 + minute / 2) for minute in range(12))], ENDED)
    assert first.ended_at < second.began_at == at(105)


def test_a_flood_that_outlasts_the_run_is_counted_up_to_its_end() -> None:
    burst = [at(minute / 2) for minute in range(12)]
    (flood,) = floods(burst, at(6))
    assert flood.ended_at == at(6)
    figures = measure([rung(minute / 2) for minute in range(12)], BEGUN, at(10), operators=1)
    assert figures.time_in_flood_percent == 50.0  # from the eleventh, at 5, to 10


def test_what_stands_longer_than_a_day_is_counted() -> None:
    never_over = Rung(at(0), "a", Priority.LOW, None, None)
    figures = measure([never_over, rung(0, stands_h=25), rung(0, stands_h=23)], BEGUN, ENDED, operators=1)
    assert figures.standing == 2


def test_the_mix_counts_urgent_with_high_and_knows_what_is_near() -> None:
    priorities = [Priority.LOW] * 75 + [Priority.MEDIUM] * 18 + [Priority.HIGH] * 5 + [Priority.URGENT] * 2
    figures = measure([rung(each, one) for each, one in enumerate(priorities)], BEGUN, ENDED, operators=1)
    assert figures.mix_percent == {"low": 75.0, "medium": 18.0, "high": 7.0}
    assert figures.urgent_percent == 2.0
    assert figures.mix_is_near
    worse = measure([rung(0, Priority.MEDIUM)], BEGUN, ENDED, operators=1)
    assert worse.mix_percent == {"low": 0.0, "medium": 100.0, "high": 0.0}
    assert not worse.mix_is_near
    assert not measure([], BEGUN, ENDED, operators=1).mix_is_near


def test_the_ten_worst_sources() -> None:
    alarms = [rung(0, source="worst") for _ in range(3)] + [rung(0, source=str(number)) for number in range(17)]
    assert measure(alarms, BEGUN, ENDED, operators=1).top_10_percent == 60.0
