"""The chaos run before it runs: a seed's plan can be had again, and the verdict sees what is missing, doubled or made up."""

from collections import Counter
from dataclasses import replace

import pytest

from demo.chaos import plan, verdict
from demo.chaos.devices import Truth
from demo.chaos.plan import Kind
from demo.chaos.verdict import Found
from ingest.wire import Reason
from ledger.intake import Account

POINT = ("site_1", "pumps", "room_temp")


def test_a_seed_gives_the_same_plan_again() -> None:
    first = plan.draw(7, 120, list(Kind))
    assert first == plan.draw(7, 120, list(reversed(Kind)))
    assert first != plan.draw(8, 120, list(Kind))
    assert all(0 < strike.at_s < 120 and strike.hold_s >= 0 for strike in first)


def test_every_kind_is_dealt_before_any_comes_again() -> None:
    kinds = [strike.kind for strike in plan.draw(1, 600, list(Kind))]
    assert set(kinds[: len(Kind)]) == set(Kind)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    assert plan.draw(3, 300, list(Kind))[:10] == plan.draw(3, 60, list(Kind))[:10]


def told() -> Truth:
    truth = Truth(messages=2, refused=Counter({Reason.NOT_JSON: 1}), wholly_refused=1)
    for ts, value in ((1000, 20.0), (2000, 21.0)):
        truth.say(*POINT[:2], ts, {POINT[2]: value})
    return truth


def sound() -> Found:
    account = Account(received=5, accepted=3, duplicate=1, quarantined=1, values_received=4, stored=3, repeated=1)
    return Found({POINT: {1000: 20.0, 2000: 21.0}}, 1, account, Counter({"not_json": 1}), [], 0)


def breaches(found: Found) -> list[str]:
    truths = [told()]
    return [
        *verdict.still_missing(truths, found),
        *verdict.values_broken(truths, found),
        *verdict.account_broken(truths, found),
    ]


def test_what_was_said_and_nothing_else_is_sound() -> None:
    assert breaches(sound()) == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({1000: 20.0}, "1 values are not stored"),
        ({1000: 20.0, 2000: 21.0, 3000: 1.0}, "never said"),
        ({1000: 20.0, 2000: 20.0}, "said was 21.0"),
    ],
)
def test_a_value_lost_made_up_or_changed_is_seen(values: dict[int, float], word: str) -> None:
    (breach,) = breaches(replace(sound(), values={POINT: values}))
    assert word in breach


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"accepted": 4}, "4 messages accepted"),
        ({"accepted": 2}, "2 messages accepted"),
        ({"stored": 4}, "4 values accounted"),
        ({"conflict": 1}, "conflicts"),
        ({"quarantined": 0}, "at least 1 were poison"),
    ],
)
def test_an_account_that_does_not_come_out_even_is_seen(change: dict[str, int], word: str) -> None:
    (breach,) = breaches(replace(sound(), account=replace(sound().account, **change)))
    assert word in breach


def test_a_good_message_in_quarantine_is_seen() -> None:
    (breach,) = breaches(replace(sound(), refusals=Counter({"not_json": 1, "unstorable": 2})))
    assert "unstorable" in breach
    assert breaches(replace(sound(), refusals=Counter[str]())) == ["0 of 1 refusals for not_json"]


def test_a_notice_that_nobody_was_told_is_seen() -> None:
    assert breaches(replace(sound(), unpublished=1)) == ["1 notices are not published"]
