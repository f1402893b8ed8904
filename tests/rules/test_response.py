"""The whole response table, joining, shelving, and rounds across summer time."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ledger.lifecycle import UNRESOLVED_STATES, WorkOrderClock, WorkOrderState
from ledger.records import Grade, Priority, Severity, Site, WorkOrder
from rules import response
from rules.response import AlarmFacts, OrderAction, OrderReason
from rules.spans import span

TABLE = response.load()
NOW = datetime(2025, 11, 22, 3, 4, 5, tzinfo=UTC)  # 11:04:05 in Shanghai
SITE = Site(1, "east", "东苑", "East", "Asia/Shanghai", time(8, 0), "standard", 1, {})
W, C, L = Severity.WARNING, Severity.CRITICAL, Severity.LIFE_SAFETY
A, B, G = Grade.A, Grade.B, Grade.C  # G: grade C, so that C stays critical
NEXT_MORNING = datetime(2025, 11, 23, 0, 0, tzinfo=UTC)


def m(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def h(hours: float) -> timedelta:
    return timedelta(hours=hours)


def facts(severity=C, grade=A, work_class="water_supply", **more) -> AlarmFacts:
    return AlarmFacts(severity, grade, facility_id=7, work_class=work_class, **more)


def order(number: int, *, work_class="water_supply", state=WorkOrderState.OPENED, facility_id=7) -> WorkOrder:
    suspended = state is WorkOrderState.SUSPENDED
    return WorkOrder(
        id=number,
        site_id=1,
        site_key="east",
        facility_id=facility_id,
        facility_key="pumps",
        facility_name_zh="泵房",
        facility_name_en="Pumps",
        grade=Grade.A,
        work_class=work_class,
        title_zh="低压",
        title_en="low",
        severity=None,
        priority=Priority.LOW,
        state=state,
        suspended_from=WorkOrderState.ARRIVED if suspended else None,
        suspended_at=NOW if suspended else None,
        suspended_reason="parts" if suspended else None,
        opened_at=NOW,
        opened_by="rules",
        open_reason="at_once",
        assignee=None,
        accept_by=None,
        arrive_by=None,
        plan_by=None,
        restore_by=None,
        accepted_at=None,
        arrived_at=None,
        planned_at=None,
        resolved_at=None,
        ended_at=None,
        alarm_ids=(),
    )


def decide(alarm: AlarmFacts, *orders: WorkOrder, site: Site = SITE, now: datetime = NOW) -> response.OrderDecision:
    return response.decide_order(TABLE, alarm, orders, site, now)


# severity, grade: priority, its reason, what happens to an order at once, accept / arrive / plan / restore, shelving
WHOLE_TABLE = [
    (W, A, "medium", "warning_at_grade_a", m(10), (m(30), h(2), None, h(24)), h(1)),
    (W, B, "low", "severity", None, (h(4), h(24), None, h(48)), h(8)),
    (W, G, "low", "severity", None, (h(4), h(24), None, h(48)), h(24)),
    (C, A, "high", "grade_floor", m(0), (m(15), m(30), h(1), None), h(1)),
    (C, B, "medium", "severity", m(10), (m(30), h(2), None, h(24)), h(8)),
    (C, G, "medium", "severity", None, (m(30), h(2), None, h(24)), h(24)),
    (L, A, "urgent", "life_safety", m(0), (m(15), m(30), h(1), None), None),
    (L, B, "urgent", "life_safety", m(0), (m(15), m(30), h(1), None), None),
    (L, G, "high", "life_safety", m(0), (m(15), m(30), h(1), None), None),
]


@pytest.mark.parametrize(("severity", "grade", "priority", "because", "after", "clocks", "shelving"), WHOLE_TABLE)
def test_the_whole_table(severity, grade, priority, because, after, clocks, shelving) -> None:
    grading = response.grade_alarm(TABLE, severity, grade)
    assert (grading.priority, grading.reason) == (priority, because)
    decided = decide(facts(severity, grade))
    assert decided.priority == priority
    promised = decided.deadlines
    assert [
        moment and moment - NOW
        for moment in (promised.accept_by, promised.arrive_by, promised.plan_by, promised.restore_by)
    ] == list(clocks)
    if after is None:
        assert (decided.action, decided.reason) == (OrderAction.WAIT, OrderReason.WAITS_FOR_ROUND)
        assert decided.due_at == NEXT_MORNING
    elif after:
        assert (decided.action, decided.reason) == (OrderAction.WAIT, OrderReason.WAITS_TO_STAND)
        assert decided.due_at == NOW + after
    else:
        assert decided.action is OrderAction.OPEN
        assert decided.due_at is None
    shelve = TABLE.grading[severity, grade].shelve
    assert (shelve and shelve.at_most) == shelving
    assert TABLE.grading[severity, grade].tell


def test_a_warning_that_can_wait_is_low_at_grade_a_and_waits_for_the_round() -> None:
    grading = response.grade_alarm(TABLE, W, A, can_wait=True)
    assert (grading.priority, grading.reason) == ("low", "can_wait")
    decided = decide(facts(W, A, can_wait=True))
    assert (decided.action, decided.reason) == (OrderAction.WAIT, OrderReason.WAITS_FOR_ROUND)
    assert (decided.priority, decided.due_at) == ("low", NEXT_MORNING)
    assert decided.deadlines == decide(facts(W, B)).deadlines
    assert decide(facts(W, A, can_wait=True), order(3)).action is OrderAction.JOIN, "it joins as any other does"


@pytest.mark.parametrize(("severity", "grade"), [row[:2] for row in WHOLE_TABLE if row[:2] != (W, A)])
def test_where_there_is_nothing_to_wait_with_can_wait_changes_nothing(severity, grade) -> None:
    assert response.grade_alarm(TABLE, severity, grade, can_wait=True) == response.grade_alarm(TABLE, severity, grade)
    assert decide(facts(severity, grade, can_wait=True)) == decide(facts(severity, grade))


def test_the_table_above_is_whole() -> None:
    assert {(row[0], row[1]) for row in WHOLE_TABLE} == {(s, g) for s in Severity for g in Grade}


@pytest.mark.parametrize(("severity", "grade"), [(W, A), (W, B), (C, B), (C, G)])
def test_an_order_is_opened_when_the_alarm_stood_long_enough(severity, grade) -> None:
    decided = decide(facts(severity, grade, waited=True))
    assert (decided.action, decided.reason) == (OrderAction.OPEN, OrderReason.STOOD_LONG_ENOUGH)


# ------------------------------------------------------------------ joining


@pytest.mark.parametrize("state", sorted(UNRESOLVED_STATES))
def test_an_alarm_joins_an_unresolved_order_of_the_same_work(state) -> None:
    decided = decide(facts(W, G), order(3, state=state))
    assert (decided.action, decided.order_id) == (OrderAction.JOIN, 3)
    resumes = state is WorkOrderState.SUSPENDED
    assert decided.reason is (OrderReason.RESUMES_SUSPENDED if resumes else OrderReason.SAME_FACILITY_AND_WORK)


@pytest.mark.parametrize("state", sorted(set(WorkOrderState) - UNRESOLVED_STATES))
def test_a_resolved_order_is_not_joined(state) -> None:
    assert decide(facts(C, A), order(3, state=state)).action is OrderAction.OPEN


@pytest.mark.parametrize("other", [{"work_class": "power"}, {"facility_id": 8}])
def test_other_work_and_other_facilities_are_not_joined(other) -> None:
    assert decide(facts(C, A), order(3, **other)).action is OrderAction.OPEN


def test_the_oldest_that_is_worked_on_is_joined() -> None:
    orders = [order(3, state=WorkOrderState.SUSPENDED), order(4), order(5)]
    assert decide(facts(C, A), *orders).order_id == 4
    assert decide(facts(C, A), orders[0]).order_id == 3


def test_an_alarm_with_an_unresolved_order_needs_no_other() -> None:
    decided = decide(facts(C, A, order_ids=(3,)), order(3))
    assert (decided.action, decided.reason) == (OrderAction.NOTHING, OrderReason.HAS_ORDER)
    again = decide(facts(C, A, order_ids=(3,)), order(3, state=WorkOrderState.RESOLVED))
    assert again.action is OrderAction.OPEN  # resolved, and yet it is back


def test_life_safety_opens_its_own_order_linked_to_the_others() -> None:
    alone = decide(facts(L, A))
    assert (alone.action, alone.reason) == (OrderAction.OPEN, OrderReason.LIFE_SAFETY)
    decided = decide(facts(L, A), order(3), order(4, work_class="power"), order(5, facility_id=8))
    assert (decided.action, decided.reason) == (OrderAction.OPEN_LINKED, OrderReason.LIFE_SAFETY_LINKED)
    assert decided.linked_ids == (3, 4)
    assert decided.order_id is None


def test_a_linked_order_of_other_work_is_not_the_order_of_a_life_safety_alarm() -> None:
    """Its own order is closed and it is back: somebody must be sent, though a linked order is still open."""
    decided = decide(facts(L, A, order_ids=(3,)), order(3, work_class="power"))
    assert (decided.action, decided.linked_ids) == (OrderAction.OPEN_LINKED, (3,))
    own = replace(order(3), severity=L)
    assert decide(facts(L, A, order_ids=(3,)), own).action is OrderAction.NOTHING


def test_the_order_of_another_accident_is_not_that_of_a_life_safety_alarm_that_comes_again() -> None:
    """The lift ran too fast (3); then somebody was shut in (4, linked to 3), was freed, and is shut in once more."""
    first, own = replace(order(3), severity=L), replace(order(4), severity=L)
    again = facts(L, A, order_ids=(3, 4))
    assert decide(again, first, own).action is OrderAction.NOTHING
    decided = decide(again, first, replace(own, state=WorkOrderState.RESOLVED))
    assert (decided.action, decided.linked_ids) == (OrderAction.OPEN_LINKED, (3,))


def test_life_safety_joins_the_life_safety_order_of_one_cause_and_nothing_else() -> None:
    grave, suspended = replace(order(3), severity=L), replace(order(5, state=WorkOrderState.SUSPENDED), severity=L)
    kin = facts(L, A, kin_order_ids=(3, 5))
    joined = decide(kin, order(2), grave)
    assert (joined.action, joined.reason, joined.order_id) == (OrderAction.JOIN, OrderReason.SAME_CAUSE, 3)
    assert joined.deadlines == decide(facts(L, A)).deadlines
    assert decide(kin, suspended).order_id == 5
    for other in (order(3), replace(grave, work_class="power"), replace(grave, facility_id=8), replace(grave, id=4)):
        assert decide(kin, other).action in (OrderAction.OPEN_LINKED, OrderAction.OPEN)
    done = replace(grave, state=WorkOrderState.RESOLVED)
    assert decide(kin, done).action is OrderAction.OPEN, "somebody must be sent again"


# ------------------------------------------------------------------ contracts and shelving


def test_a_contract_makes_its_own_promises() -> None:
    site = replace(SITE, sla_profile="repair_service")
    assert decide(facts(C, A), site=site).deadlines.restore_by == NOW + m(30)
    assert decide(facts(C, A), site=site).deadlines.plan_by is None
    unknown = replace(SITE, sla_profile="nobody_wrote_this")
    assert decide(facts(C, A), site=unknown).deadlines == decide(facts(C, A)).deadlines


def test_profiles_have_what_they_do_not_state_from_the_one_they_are_like() -> None:
    red_channel = replace(SITE, sla_profile="red_channel")
    assert response.deadlines(TABLE, red_channel, "lighting", NOW).restore_by == NOW + h(8)
    assert response.deadlines(TABLE, SITE, "lighting_complex", NOW).restore_by == NOW + h(48)
    unheard_of = response.deadlines(TABLE, SITE, "unheard_of", NOW)
    assert unheard_of == response.deadlines(TABLE, SITE, "low", NOW)


def test_a_clock_that_people_set_at_the_site_counts_in_place_of_the_contracts() -> None:
    site = replace(SITE, clocks={"high.arrive_by": "20m", "low.restore_by": "5wd"})
    decided = decide(facts(C, A), site=site).deadlines
    assert (decided.accept_by, decided.arrive_by, decided.plan_by) == (NOW + m(15), NOW + m(20), NOW + h(1))
    assert decide(facts(C, B), site=site).deadlines == decide(facts(C, B)).deadlines  # medium: nobody touched it
    assert response.clocks_of(TABLE, site, "unheard_of")[WorkOrderClock.RESTORE_BY] == span("5wd")


@pytest.mark.parametrize(
    ("severity", "grade", "lasts", "note", "allowed"),
    [
        (L, G, m(1), "why", False),
        (C, A, h(1), "why", True),
        (C, A, h(1) + m(1), "why", False),
        (C, A, m(10), None, False),
        (C, A, m(10), "  ", False),
        (W, B, h(8), "why", True),
        (W, B, h(9), "why", False),
        (W, G, h(24), None, True),
        (W, G, m(0), None, False),
        (W, G, m(-5), None, False),
    ],
)
def test_shelving_is_bounded_and_says_why_not(severity, grade, lasts, note, allowed) -> None:
    refusal = response.may_shelve(TABLE, severity, grade, until=NOW + lasts, now=NOW, note=note)
    assert (refusal is None) is allowed
    if refusal is not None:
        assert refusal.text
        assert (refusal.at_most is None) is (severity is L)


# ------------------------------------------------------------------ rounds


@pytest.mark.parametrize(
    ("zone", "round_at", "now", "expected"),
    [
        ("Asia/Shanghai", time(8), "2025-11-22T07:59:59+08:00", "2025-11-22T08:00:00+08:00"),
        ("Asia/Shanghai", time(8), "2025-11-22T08:00:00+08:00", "2025-11-23T08:00:00+08:00"),
        ("Asia/Shanghai", time(8), "2025-11-22T23:59:00+08:00", "2025-11-23T08:00:00+08:00"),
        # Summer time begins: 02:30 does not exist on 30 March 2025, and that day is an hour shorter.
        ("Europe/Berlin", time(2, 30), "2025-03-29T12:00:00+01:00", "2025-03-30T03:30:00+02:00"),
        ("Europe/Berlin", time(8), "2025-03-29T08:00:00+01:00", "2025-03-30T08:00:00+02:00"),
        # It ends: 02:30 comes twice on 26 October 2025; the round is held the first time, and only then.
        ("Europe/Berlin", time(2, 30), "2025-10-26T02:00:00+02:00", "2025-10-26T02:30:00+02:00"),
        ("Europe/Berlin", time(2, 30), "2025-10-26T02:30:00+02:00", "2025-10-27T02:30:00+01:00"),
        ("Pacific/Kiritimati", time(0), "2025-12-31T23:59:59+14:00", "2026-01-01T00:00:00+14:00"),
        ("Pacific/Pago_Pago", time(23, 59), "2026-01-01T00:00:00-11:00", "2026-01-01T23:59:00-11:00"),
    ],
)
def test_the_next_round(zone, round_at, now, expected) -> None:
    site = replace(SITE, time_zone=zone, round_at=round_at)
    assert response.next_round(site, datetime.fromisoformat(now)) == datetime.fromisoformat(expected)


@given(
    st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2027-01-01")),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
)
def test_the_next_round_is_after_now_and_within_a_day_and_an_hour(naive, zone, round_at) -> None:
    site, now = replace(SITE, time_zone=zone, round_at=round_at), naive.replace(tzinfo=UTC)
    coming = response.next_round(site, now)
    assert now < coming <= now + h(25)
    local = coming.astimezone(ZoneInfo(zone))
    skipped = datetime.combine(local.date(), round_at, ZoneInfo(zone))
    assert local.time() == round_at or skipped.astimezone(UTC).astimezone(ZoneInfo(zone)) == local


# ------------------------------------------------------------------ the file


def faults_of(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "response.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(response.ResponseErrors) as caught:
        response.load(path)
    return caught.value.faults


def broken(tmp_path: Path, change) -> tuple[str, ...]:
    document = yaml.safe_load(response.FILE.read_text(encoding="utf-8"))
    change(document)
    return faults_of(tmp_path, yaml.safe_dump(document))


def test_all_faults_of_a_file_are_told_at_once(tmp_path) -> None:
    def change(document) -> None:
        document["grading"]["warning"]["A"]["order"] = "after dinner"
        document["grading"]["critical"]["B"]["priority"] = "huge"
        document["grading"]["critical"]["C"]["shelve"] = {"by": ["duty_engineer"], "at_most": "soon", "note": "maybe"}
        document["profiles"]["standard"]["classes"]["urgent"]["sing_by"] = "5m"
        document["surprise"] = 1

    told = "\n".join(broken(tmp_path, change))
    for place in ("warning.A.order", "critical.B.priority", "critical.C.shelve", "urgent.sing_by", "surprise"):
        assert place in told, told


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d["grading"]["warning"].pop("B"), "grading.warning.B: missing"),
        (lambda d: d["grading"]["life_safety"]["A"].update(order="after 10m"), "grading.life_safety.A.order"),
        (lambda d: d["grading"]["life_safety"]["C"].update(shelve=d["grading"]["warning"]["C"]["shelve"]), "never"),
        (
            lambda d: d["grading"]["critical"]["A"].update(can_wait=d["grading"]["warning"]["A"]["can_wait"]),
            "grading.critical.A.can_wait: only a warning can wait",
        ),
        (lambda d: d["profiles"].pop("standard"), "standard"),
        (lambda d: d["profiles"]["steward"].update(like="nobody"), "profiles.steward.like"),
        (lambda d: d["profiles"]["steward"].update(like="red_channel"), "profiles.steward.like"),
        (lambda d: d["profiles"]["standard"]["classes"].pop("high"), "classes.high: missing"),
        (lambda d: d["grades"].pop("B"), "grades.B: missing"),
        (lambda d: d["grades"]["A"].update(scan_interval=["60s", "30s"]), "grades.A.scan_interval"),
        (
            lambda d: d["profiles"]["steward"]["classes"]["medium"].update(arrive_by="10m"),
            "profiles.steward.classes.medium: accept_by after 15m is later than arrive_by after 10m",
        ),
    ],
)
def test_what_the_shape_cannot_say_is_checked(tmp_path, change, place) -> None:
    assert any(place in fault for fault in broken(tmp_path, change))


@pytest.mark.parametrize("text", ["", "[]", "grading: 5", "a: [", "grading: {}\ngrading: {}\nprofiles: {}"])
def test_what_is_no_table_is_refused(tmp_path, text) -> None:
    assert faults_of(tmp_path, text)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(response.ResponseErrors, match="absent"):
        response.load(tmp_path / "absent.yaml")
