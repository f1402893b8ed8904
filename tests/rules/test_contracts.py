"""The brief's contracts disagree, and each of its promises is to be had: one line for every figure of domain 7.

The figures are written here as the brief has them, and not read from the file that is tested.
"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from ledger.lifecycle import WorkOrderClock
from ledger.records import Grade, Site
from rules import response
from rules.response_table import Target
from rules.spans import out_of_order, span

TABLE = response.load()
SITE = Site(1, "east", "东苑", "East", "Asia/Shanghai", time(8, 0), "standard", 1, {})
OPENED = datetime(2025, 11, 20, 6, 0, tzinfo=UTC)  # a Thursday, 14:00 in Shanghai
AT_ONCE = timedelta(minutes=1)  # "immediately" without a figure; [E]
WEEK_LATER = timedelta(days=7)  # five working days from a Thursday
MIDNIGHT = timedelta(hours=10)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def days(count: int) -> timedelta:
    return timedelta(days=count)


PROMISES = [
    ("S000 l.21 owner complaint, answered", "steward", "complaint", "accept_by", minutes(15)),
    ("S000 l.21 owner complaint, first solution", "steward", "complaint", "plan_by", hours(2)),
    ("S000 l.21 ordinary complaint, settled", "steward", "complaint", "restore_by", hours(24)),
    ("S000 l.345 premium steward, at once", "premium_steward", "inquiry", "accept_by", AT_ONCE),
    ("S000 l.345 premium steward, at once", "premium_steward", "general_repair", "accept_by", AT_ONCE),
    ("S000 l.398 elderly emergency call, at once", "steward", "elderly_call", "accept_by", AT_ONCE),
    ("S000 l.398 first responder on the spot [E]", "steward", "elderly_call", "arrive_by", minutes(10)),
    ("S001 l.39 repair", "repair_service", "general_repair", "accept_by", hours(4)),
    ("S001 l.39 report, inquiry", "repair_service", "inquiry", "accept_by", hours(4)),
    ("S001 l.39 urgent repair", "repair_service", "urgent_repair", "arrive_by", minutes(30)),
    ("S001 l.41 owner complaint, on site", "repair_service", "complaint", "arrive_by", hours(1)),
    ("S001 l.41 owner complaint, feedback", "repair_service", "complaint", "plan_by", hours(4)),
    ("S001 l.45 ordinary complaint", "repair_service", "complaint", "restore_by", hours(8)),
    ("S001 l.45 serious complaint", "repair_service", "serious_complaint", "restore_by", WEEK_LATER),
    ("S001 l.59 lift, power, water fault", "repair_service", "utility_fault", "restore_by", minutes(30)),
    ("S001 l.61 public lighting", "repair_service", "lighting", "restore_by", hours(8)),
    ("S001 l.61 public lighting, complex", "repair_service", "lighting_complex", "restore_by", hours(48)),
    ("S001 l.320 service centre", "service_centre", "inquiry", "accept_by", minutes(15)),
    ("S001 l.320 service centre", "service_centre", "general_repair", "accept_by", minutes(15)),
    ("S001 l.322 urgent repair", "service_centre", "urgent_repair", "accept_by", minutes(30)),
    ("S001 l.415 basic property service", "basic_service", "general_repair", "accept_by", hours(24)),
    ("S001 l.415 basic property service", "basic_service", "inquiry", "accept_by", hours(24)),
    ("S002 l.50 general repair", "red_channel", "general_repair", "restore_by", hours(24)),
    ("S002 l.50 urgent repair", "red_channel", "urgent_repair", "arrive_by", minutes(30)),
    ("S002 l.320 red channel, answered", "red_channel", "utility_fault", "accept_by", minutes(15)),
    ("S002 l.320 red channel, solution", "red_channel", "utility_fault", "plan_by", hours(1)),
    ("S002 l.320 red channel, an urgent alarm", "red_channel", "urgent", "accept_by", minutes(15)),
    ("S002 l.320 red channel, an urgent alarm", "red_channel", "urgent", "plan_by", hours(1)),
    ("S002 l.340 suggestion", "red_channel", "suggestion", "accept_by", hours(24)),
    ("S003 first contact, answered", "first_contact", "general_repair", "accept_by", minutes(3)),
    ("S003 first contact, at the spot", "first_contact", "general_repair", "arrive_by", minutes(3)),
    ("S003 first contact, feedback", "first_contact", "general_repair", "plan_by", days(2)),
    ("S003 first contact, normally at most", "first_contact", "general_repair", "restore_by", days(7)),
    ("S003 first contact, a complaint", "first_contact", "complaint", "plan_by", days(2)),
    ("S004 each with a reply", "no_overnight", "complaint", "accept_by", MIDNIGHT),
    ("S004 no overnight", "no_overnight", "complaint", "restore_by", MIDNIGHT),
    ("R29 entrapment, in a city", "standard", "entrapment", "arrive_by", minutes(30)),
    ("R29 entrapment, elsewhere", "standard", "entrapment_outside_city", "arrive_by", hours(1)),
    ("domain 8 grade A, respond", "standard", "high", "accept_by", minutes(15)),
    ("domain 8 grade A, on site", "standard", "high", "arrive_by", minutes(30)),
    ("domain 8 grade A, plan", "standard", "high", "plan_by", hours(1)),
    ("domain 8 grade B, respond", "standard", "medium", "accept_by", minutes(30)),
    ("domain 8 grade B, on site", "standard", "medium", "arrive_by", hours(2)),
    ("domain 8 grade B, resolve", "standard", "medium", "restore_by", hours(24)),
    ("domain 8 grade C, respond", "standard", "low", "accept_by", hours(4)),
    ("domain 8 grade C, on site", "standard", "low", "arrive_by", hours(24)),
    ("domain 8 grade C, resolve", "standard", "low", "restore_by", hours(48)),
]
# What a contract must not promise, where another one does.
NO_PROMISE = [
    ("S001 l.39 repair: answered, and no word of when it is done", "repair_service", "general_repair", "restore_by"),
    ("S002 l.50 general repair: done in 24 h, and no word of an answer", "red_channel", "general_repair", "accept_by"),
    ("S001 l.322 urgent repair: answered", "service_centre", "urgent_repair", "arrive_by"),
    ("S002 l.320: a solution, not the repair", "red_channel", "utility_fault", "restore_by"),
]


@pytest.mark.parametrize(("row", "profile", "event_class", "clock", "figure"), PROMISES)
def test_a_promise_of_the_brief(row: str, profile: str, event_class: str, clock: str, figure: timedelta) -> None:
    assert event_class in TABLE.profiles[profile].classes, row
    promised = response.deadlines(TABLE, replace(SITE, sla_profile=profile), event_class, OPENED)
    moment = promised.of(WorkOrderClock(clock))
    assert moment is not None, row
    assert moment - OPENED == figure, row


@pytest.mark.parametrize(("row", "profile", "event_class", "clock"), NO_PROMISE)
def test_what_a_contract_does_not_promise(row: str, profile: str, event_class: str, clock: str) -> None:
    promised = response.deadlines(TABLE, replace(SITE, sla_profile=profile), event_class, OPENED)
    assert promised.of(WorkOrderClock(clock)) is None, row


def test_every_contract_is_tried_and_speaks_both_languages() -> None:
    assert {profile for _, profile, *_ in PROMISES} == TABLE.profiles.keys()
    for profile in TABLE.profiles.values():
        assert profile.title.zh, profile.key
        assert profile.title.en, profile.key
        assert profile.source, profile.key


def test_the_targets_beside_the_clocks() -> None:
    targets = {profile.key: dict(profile.targets) for profile in TABLE.profiles.values() if profile.targets}
    assert targets == {
        "service_centre": {Target.AVAILABILITY: 98},  # S001 l.322
        "repair_service": {Target.LIGHTS_WORKING: 99, Target.FIRE_WATER_WORKING: 100},  # S001 l.59
        "red_channel": {  # S002 l.15-16, l.342
            Target.AVAILABILITY: 99,
            Target.COMPLAINTS_IN_TIME: 100,
            Target.SATISFACTION: 90,
            Target.CALL_BACK: 100,
        },
    }


@pytest.mark.parametrize(
    ("grade", "least", "most", "round_en", "evidence_en"),
    [
        (Grade.A, 30, 60, "Daily", "engineer of our own is present"),
        (Grade.B, 60, 300, "Weekly or monthly", "contractor's report"),
        (Grade.C, None, None, "Monthly", "photograph"),
    ],
)
def test_what_a_grade_asks_for(
    grade: Grade, least: int | None, most: int | None, round_en: str, evidence_en: str
) -> None:
    duties = TABLE.grades[grade]
    interval = None if least is None or most is None else (timedelta(seconds=least), timedelta(seconds=most))
    assert duties.scan_interval == interval
    assert round_en in duties.check_round.en
    assert evidence_en in duties.upkeep_evidence.en
    for title in (duties.means, duties.check_round, duties.upkeep_evidence, duties.keeper):
        assert any("一" <= letter <= "鿿" for letter in title.zh)


# ---------------------------------------------------------------------- how long a clock runs


@pytest.mark.parametrize(
    ("text", "opened", "ends"),
    [
        ("90s", "2025-11-20T14:00:00+08:00", "2025-11-20T14:01:30+08:00"),
        ("48h", "2025-11-20T14:00:00+08:00", "2025-11-22T14:00:00+08:00"),
        ("7d", "2025-11-20T14:00:00+08:00", "2025-11-27T14:00:00+08:00"),
        ("1wd", "2025-11-20T14:00:00+08:00", "2025-11-21T14:00:00+08:00"),
        ("1wd", "2025-11-21T14:00:00+08:00", "2025-11-24T14:00:00+08:00"),  # Friday to Monday
        ("1wd", "2025-11-22T14:00:00+08:00", "2025-11-24T14:00:00+08:00"),  # a Saturday is no working day
        ("5wd", "2025-11-23T14:00:00+08:00", "2025-11-28T14:00:00+08:00"),  # Sunday: the week that follows
        ("5wd", "2025-11-24T00:30:00+08:00", "2025-12-01T00:30:00+08:00"),  # Monday here, still Sunday in Greenwich
        ("same_day", "2025-11-20T23:59:00+08:00", "2025-11-21T00:00:00+08:00"),
        ("same_day", "2025-11-20T00:00:00+08:00", "2025-11-21T00:00:00+08:00"),
    ],
)
def test_when_a_clock_ends(text: str, opened: str, ends: str) -> None:
    site = replace(SITE, clocks={"complaint.restore_by": text})
    promised = response.deadlines(TABLE, site, "complaint", datetime.fromisoformat(opened))
    assert promised.restore_by == datetime.fromisoformat(ends)
    assert str(span(text)) == text


@pytest.mark.parametrize("text", ["", "0m", "15", "-5m", "1.5h", "91d", "46wd", "100000m", "same day", 15, None])
def test_what_is_no_time_for_a_clock(text: object) -> None:
    with pytest.raises(ValueError, match=r"is no time for a clock|longer than 90 days"):
        span(text)


def test_clocks_that_contradict_each_other() -> None:
    arrive, restore = WorkOrderClock.ARRIVE_BY, WorkOrderClock.RESTORE_BY
    assert (
        str(out_of_order({arrive: span("2h"), restore: span("1h")}))
        == "arrive_by after 2h is later than restore_by after 1h"
    )
    assert out_of_order({arrive: span("1h"), restore: span("1h")}) is None
    assert out_of_order({arrive: span("2h"), restore: span("same_day")}) is None  # that depends on when it is opened
