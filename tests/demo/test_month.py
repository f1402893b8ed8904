"""A few hours of a month, on a real ledger: it agrees with the truth, people deal with it, and it can fail."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from demo.month import account as accounts
from demo.month.account import Account, Setting
from demo.month.play import Job, Played, play
from demo.month.run import BEGUN
from ledger.lifecycle import WorkOrderState
from simulators.life import Drawn, Life, read_life
from simulators.script import Planned, parse_faults
from simulators.truth import Demand
from tests.simulators.court import demo, only

FAULTS = "door_fault@20m:jinxiu/lift_1_1, pump_failure@30m:jinxiu/booster_low, gateway_offline@70m:jinxiu/gw_lift"
HOURS = 4.0


async def played(database_url: str, faults: Sequence[Planned]) -> Played:
    (site,) = only(demo(), "jinxiu/lift_1_1", "jinxiu/booster_low").sites
    two = tuple(one.model_copy(update={"relations": {}}) for one in site.facilities if one.kind != "distribution_room")
    gateways = tuple(one for one in site.gateways if one.key != "gw_power")
    estate = demo().model_copy(update={"sites": (site.model_copy(update={"facilities": two, "gateways": gateways}),)})
    return await play(Job(estate, tuple(faults), 5, BEGUN + timedelta(hours=9), HOURS / 24, database_url, None))


def told(of: Played, life: Life | None = None) -> Account:
    begun = BEGUN + timedelta(hours=9)
    setting = Setting(
        5,
        HOURS / 24,
        bad=False,
        begun=begun,
        ended=begun + timedelta(hours=HOURS),
        facilities=3,
        stands_for=3,
        operators=1,
    )
    return accounts.account(setting, life or read_life(), Drawn((), 0), [of])


@pytest.mark.timeout(60)
async def test_some_hours_agree_with_the_truth_and_people_deal_with_them(database_url: str) -> None:
    faults = parse_faults(FAULTS, demo()).faults
    one = await played(database_url, faults)
    found = told(one)
    assert found.findings == []
    assert found.raises == found.rung == sum(each.demand is Demand.MUST for each in one.truth.declared) == 3
    assert found.figures.mix_percent == {"low": 33.33, "medium": 66.67, "high": 0.0}
    assert found.by_severity_and_grade == {"warning A": 2, "warning B": 1}
    assert {each: cause.rung for each, cause in found.causes.items()} == {
        "door_fault": 1, "pump_failure": 1, "gateway_offline": 1,
    }  # fmt: skip
    assert all(alarm.acknowledged_by == "li" and alarm.ended_at is not None for alarm in one.alarms)
    assert one.orders
    assert {order.state for order in one.orders} <= {
        WorkOrderState.RESOLVED,
        WorkOrderState.VERIFIED,
        WorkOrderState.CLOSED,
    }
    assert json.loads(found.json())["by_severity_and_grade"] == found.by_severity_and_grade
    shown = "\n".join(accounts.table(found))
    assert "pump_failure" in shown
    assert "80 +/- 10" in shown

    # A second site's happenings are counted from nought as well: its alarms belong to its own.
    elsewhere = replace(one.truth, declared=tuple(replace(each, site="twin") for each in one.truth.declared))
    twin = replace(one, truth=elsewhere, alarms=[replace(alarm, site_key="twin") for alarm in one.alarms])
    both = accounts.causes([one, twin])["door_fault"]
    assert (both.times, both.rung, both.rung_at_most) == (2, 2, 1)

    # It can fail: what is missing is told, and what nobody declared.
    silent = told(replace(one, alarms=one.alarms[1:]))
    assert len(silent.missing) == 1
    undeclared = told(replace(one, truth=replace(one.truth, declared=())))
    assert len(undeclared.unexpected) == 3
    strict = Life(habits=(), rings_at_most={"gateway_offline": 0, "door_fault": 1}, peak_10_min_max=0)
    gateway, peak = told(one, strict).over
    assert "gateway_offline: 1 alarms" in gateway
    assert "in ten minutes" in peak
