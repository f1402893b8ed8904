"""A visit among those before and after it, by the time of the scan: what arrives late changes what is thought of the later.

Phones send when they have a network, so visits arrive in any order; whoever holds one back must hide nothing by it, and
whose middle of the round was delayed has not walked it out of order. A visit somebody reviewed keeps his word.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from inspection import plausibility
from inspection.plausibility import BOUNDS, BY_EARLIER, Earlier, Means, Reason, Scan, Stop, Walk
from ledger import rounds, visits
from ledger.errors import NotFound
from ledger.pool import Connection
from ledger.visits import Entry, Later

_LOOK_BACK = timedelta(hours=2)
_LOOK_AHEAD = BOUNDS.phone_shared  # the farthest that an earlier scan speaks of a later one
_LATER_MAX = 30  # of one late visit: with more on the way each of them is judged again by those between


async def walk_of(connection: Connection, site_id: int, round_id: int, scan: Scan) -> Walk | None:
    """The round as it was walked before this scan. None: the site has no such round."""
    try:
        found = await rounds.get(connection, round_id)
    except NotFound:
        return None
    if found.site_id != site_id:
        return None
    stops = [
        Stop(each.seq, each.facility_id, timedelta(seconds=each.leg_s), timedelta(seconds=each.dwell_s))
        for each in found.stops
    ]
    before = await rounds.visited_before(connection, round_id, scan.scanned_at)
    guard = await rounds.guard_at(connection, round_id, scan.scanned_at)  # what he sends after he gave it away is his
    return Walk(guard, found.window_from, found.window_until, found.ordered, stops, before)


async def earlier_of(connection: Connection, site_id: int, visit_id: UUID, scan: Scan) -> Sequence[Earlier]:
    steps = await visits.before(
        connection,
        site_id,
        visit_id,
        phone=scan.phone,
        person=scan.person,
        at=scan.scanned_at,
        since=scan.scanned_at - _LOOK_BACK,
    )
    return [Earlier(each.facility_id, each.person, each.phone, each.scanned_at) for each in steps]


async def judge_again(connection: Connection, arrived: Entry) -> None:
    """What was scanned after the one that arrived now, by its person, its phone or on its round."""
    for each in await visits.after(connection, arrived, until=arrived.scanned_at + _LOOK_AHEAD, limit=_LATER_MAX):
        scan = _scan(each)
        walk = None if each.round_id is None else await walk_of(connection, arrived.site_id, each.round_id, scan)
        earlier = await earlier_of(connection, arrived.site_id, each.id, scan)
        reasons = [one for one in each.reasons if one not in BY_EARLIER]
        reasons += plausibility.doubts_by_earlier(scan, earlier, walk)
        if set(reasons) != set(each.reasons):
            verdict = plausibility.verdict([Reason(one) for one in reasons])
            await visits.judge_again(connection, each.id, verdict=verdict, reasons=reasons)


def _scan(later: Later) -> Scan:
    return Scan(
        facility_id=later.facility_id,
        person=later.person,
        phone=later.phone,
        means=Means(later.means),
        scanned_at=later.scanned_at,
        finished_at=later.finished_at,
        clock_offset=later.clock_offset,
    )
