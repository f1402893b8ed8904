"""What the ledger has, held against what the devices said and what was promised. A breach is a sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from demo.chaos.devices import Device, Point, Truth
from demo.chaos.town import OVERSPEED, POWER_LOST
from ledger import alarm_list, audit, facilities, intake, journals, outbox, readings
from ledger.alarm_list import AlarmFilter
from ledger.intake import Account
from ledger.lifecycle import ACTIVE_STATES, ConditionMove
from ledger.pool import Connection
from ledger.records import Alarm, to_ms
from rules.model import ONLINE_KEY

_SHOWN = 3
_PAGE = 500
_ALL_S = 1e9  # further back than anything was said


@dataclass(frozen=True, slots=True)
class Found:
    """The ledger as it is."""

    values: dict[Point, dict[int, float]]
    statuses: int  # readings that came of statuses
    account: Account
    refusals: Counter[str]
    alarms: list[Alarm]
    unpublished: int


async def look(connection: Connection) -> Found:
    values: dict[Point, dict[int, float]] = {}
    statuses = 0
    sites = await facilities.sites(connection)
    for site in sites:
        configuration = await facilities.configuration(connection, site.id)
        keys = {each.id: each.key for each in configuration.facilities}
        points = {each.id: (site.key, keys[each.facility_id], each.key) for each in configuration.points}
        for reading in await readings.history(connection, dict.fromkeys(points, _ALL_S)):
            point = points[reading.point_id]
            if point[2] == ONLINE_KEY:
                statuses += 1
            else:
                values.setdefault(point, {})[to_ms(reading.ts)] = reading.value
    refusals: Counter[str] = Counter()
    for row in await intake.quarantined(connection, limit=_PAGE):
        refusals[row.reason] += row.count
    waiting = await outbox.unpublished(connection, [site.id for site in sites])
    account = await intake.totals(connection)
    return Found(values, statuses, account, refusals, await _alarms(connection), len(waiting))


async def _alarms(connection: Connection) -> list[Alarm]:
    alarms: list[Alarm] = []
    while page := await alarm_list.page(
        connection, AlarmFilter(), before=(alarms[-1].raised_at, alarms[-1].id) if alarms else None, limit=_PAGE
    ):
        alarms += page
    return alarms


def still_missing(truths: Sequence[Truth], found: Found) -> list[str]:
    """What has not come through yet, or not been acted on. Empty: it is time to judge."""
    missing = sum(
        len(said.keys() - found.values.get(point, {}).keys())
        for truth in truths
        for point, said in truth.values.items()
    )
    waiting = [f"{missing} values are not stored"] if missing else []
    refused = sum((truth.refused for truth in truths), Counter[str]())
    waiting += [
        f"{found.refusals[reason]} of {count} refusals for {reason}"
        for reason, count in refused.items()
        if found.refusals[reason] < count
    ]
    waiting += [
        f"the alarm {each.rule_key} of {each.site_key} still stands"
        for each in found.alarms
        if each.rule_key in (POWER_LOST, OVERSPEED) and each.ended_at is None and each.state in ACTIVE_STATES
    ]
    if found.unpublished:
        waiting.append(f"{found.unpublished} notices are not published")
    return waiting


async def judge(connection: Connection, devices: Sequence[Device], found: Found) -> list[str]:
    truths = [device.truth for device in devices]
    broken = [f"audit: {each.invariant}: {row}" for each in await audit.run(connection) for row in each.rows[:_SHOWN]]
    return [
        *broken,
        *values_broken(truths, found),
        *account_broken(truths, found),
        *[breach for device in devices for breach in await _alarms_of(connection, device, found)],
    ]


def values_broken(truths: Sequence[Truth], found: Found) -> list[str]:
    """Exactly what was said is stored, and nothing that was not."""
    said = {point: values for truth in truths for point, values in truth.values.items()}
    breaches: list[str] = []
    for point, stored in found.values.items():
        known = said.get(point, {})
        breaches += [f"{point} at {ts} was never said: {stored[ts]}" for ts in sorted(stored.keys() - known.keys())]
        wrong = [ts for ts in stored.keys() & known.keys() if stored[ts] != known[ts]]
        breaches += [f"{point} at {ts} is {stored[ts]}, said was {known[ts]}" for ts in sorted(wrong)]
    return breaches[: 4 * _SHOWN]


def account_broken(truths: Sequence[Truth], found: Found) -> list[str]:
    """A message with anything new in it is accepted once, whatever came of its further copies (promise 2). A status
    that is news is accepted too, and is a reading of its own.
    """
    account, breaches = found.account, list[str]()
    said = sum(truth.messages for truth in truths)
    if account.accepted != said + found.statuses:
        breaches.append(f"{account.accepted} messages accepted; said were {said}, and {found.statuses} statuses news")
    values = sum(len(each) for truth in truths for each in truth.values.values())
    if account.stored != values + found.statuses:
        breaches.append(
            f"{account.stored} values accounted as stored; said were {values} and {found.statuses} statuses"
        )
    if account.conflict:
        breaches.append(f"{account.conflict} conflicts; every value had a moment of its own")
    refused = sum(truth.wholly_refused for truth in truths)
    if account.quarantined < refused:
        breaches.append(f"{account.quarantined} messages quarantined; at least {refused} were poison")
    expected = {reason for truth in truths for reason in truth.refused}
    breaches += [
        f"{count} refusals for {reason}: nothing said deserved that"
        for reason, count in found.refusals.items()
        if reason not in expected
    ]
    return breaches


async def _alarms_of(connection: Connection, device: Device, found: Found) -> list[str]:
    """Alarms come of what was said and of nothing else, restarts least of all (promises 3 and 4)."""
    point, right = device.state
    said = device.truth.values.get((device.site, device.facility, point), {})
    wrong = sorted(ts for ts, value in said.items() if value != float(right))
    rule = OVERSPEED if point == "overspeed" else POWER_LOST
    alarms = [
        each
        for each in found.alarms
        if (each.site_key, each.facility_key, each.rule_key) == (device.site, device.facility, rule)
    ]
    name = f"{rule} of {device.site}"
    breaches: list[str] = []
    if alarms and not wrong:
        breaches.append(f"{name}: {len(alarms)} alarms, and nothing was wrong")
    if rule == OVERSPEED:
        breaches += await _overspeed(connection, name, wrong, alarms)
    return breaches


async def _overspeed(connection: Connection, name: str, wrong: Sequence[int], alarms: Sequence[Alarm]) -> list[str]:
    """It has no delay: raised at a moment when it was said. Whatever was said is covered by an alarm, or was counted by
    one that nobody had read.
    """
    breaches: list[str] = []
    moments, raised = set(wrong), 0
    for alarm in alarms:
        for event in await journals.of_alarm(connection, alarm.id, limit=_PAGE):
            if event.move is ConditionMove.RAISE:
                raised += 1
                if to_ms(event.at) not in moments:
                    breaches.append(f"{name}: raised at {event.at.isoformat()}, when nothing was wrong")
    spans = [(to_ms(each.began_at), _end_ms(each)) for each in alarms]
    uncovered = [ts for ts in wrong if not any(begin <= ts <= end for begin, end in spans)]
    counted = sum(each.occurrences for each in alarms) - raised
    if uncovered and not counted:
        breaches.append(f"{name}: {len(uncovered)} moments at which it was wrong have no alarm, from {uncovered[0]} on")
    return breaches


def _end_ms(alarm: Alarm) -> float:
    end = alarm.returned_at or alarm.ended_at
    return float("inf") if end is None else to_ms(end)
