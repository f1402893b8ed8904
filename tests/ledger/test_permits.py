"""A work permit is issued, handed back or overrun, once; the rules see it for exactly the time it stood."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ledger import dossier, facilities, outbox, permits, timers
from ledger.errors import Invalid, NotFound, Refused
from ledger.permits import Request, WorkPermit
from ledger.pool import API_ROLE, open_pool, transaction
from ledger.records import PermitKind, TimerKind, to_ms
from tests.fix_database import Connection
from tests.fix_wait import Eventually, wait_until
from tests.locks import anybody_waits_for_a_lock
from tests.small_estate import NOON, SmallSite, build, later


@pytest.fixture
async def site(connection: Connection) -> SmallSite:
    built = await build(connection, "garden", "花园")
    await connection.commit()
    return built


async def issue(connection: Any, site: SmallSite, **changes: Any) -> WorkPermit:
    values: dict[str, Any] = {
        "facility_id": site.booster,
        "kind": PermitKind.WORK,
        "rules": ["pump_fault", "flood"],
        "holder": "张师傅",
        "reason": "换轴承",
        "valid_from": NOON,
        "valid_until": later(hours=4),
    }
    now = changes.pop("now", NOON)
    return await permits.issue(connection, Request(**values | changes), issued_by="李工", now=now)


async def seen_by_rules(connection: Connection, site: SmallSite) -> list[tuple[int, int]]:
    return [(one.from_ms, one.until_ms) for one in (await facilities.configuration(connection, site.id)).permits]


async def kinds_in_dossier(connection: Connection, facility_id: int) -> list[object]:
    entries = await dossier.entries(connection, facility_id)
    return [entry.body["step"] for entry in entries if entry.kind == "permit"]


async def test_issuing_is_on_record_and_ingest_hears_of_it(connection: Connection, site: SmallSite) -> None:
    permit = await issue(connection, site, part_id=site.pump_1, rules=["flood", "pump_fault", "flood"])
    assert permit.rules == ["flood", "pump_fault"]
    assert await permits.standing(connection, site.id) == [permit]
    configuration = await facilities.configuration(connection, site.id)
    assert configuration.site.revision == 1
    (judged,) = configuration.permits
    assert (judged.part_id, judged.rules) == (site.pump_1, frozenset(permit.rules))
    (timer,) = await timers.due(connection, [site.id], later(hours=4))
    assert (timer.kind, timer.permit_id, timer.facility_id) == (TimerKind.PERMIT, permit.id, site.booster)
    assert await kinds_in_dossier(connection, site.booster) == ["issued"]
    await connection.commit()
    # Transactions of other databases of the same server hold it back.
    notices = await wait_until(lambda: outbox.after(connection, outbox.Position(0, 0)))
    assert [(notice.kind, notice.subject_id, notice.version) for notice in notices] == [("permit", permit.id, 1)]


async def test_handing_back_ends_it_for_the_rules_at_that_moment(connection: Connection, site: SmallSite) -> None:
    permit = await issue(connection, site)
    back = await permits.hand_back(connection, permit.id, actor="张师傅", now=later(hours=1))
    assert (back.ended_at, back.ended_by, back.overrun) == (later(hours=1), "张师傅", False)
    assert await permits.standing(connection, site.id) == []
    assert await timers.due(connection, [site.id], later(days=9)) == []
    # What a gateway stored while it stood may still arrive.
    assert await seen_by_rules(connection, site) == [(to_ms(NOON), to_ms(later(hours=1)))]
    assert await kinds_in_dossier(connection, site.booster) == ["issued", "handed_back"]
    with pytest.raises(Refused, match="was handed back by 张师傅 at"):
        await permits.hand_back(connection, permit.id, actor="李工", now=later(hours=2))


async def test_one_that_never_began_is_nothing_to_the_rules(connection: Connection, site: SmallSite) -> None:
    permit = await issue(connection, site, valid_from=later(hours=2))
    assert len(await seen_by_rules(connection, site)) == 1
    await permits.hand_back(connection, permit.id, actor="张师傅", now=later(hours=1))
    assert await seen_by_rules(connection, site) == []


async def test_its_end_without_a_word_is_an_overrun(connection: Connection, site: SmallSite) -> None:
    permit = await issue(connection, site)
    assert await permits.expire(connection, permit.id, later(hours=3)) is None
    over = await permits.expire(connection, permit.id, later(hours=5))
    assert over is not None
    assert (over.ended_at, over.ended_by, over.overrun) == (later(hours=4), "clock", True)
    assert await permits.expire(connection, permit.id, later(hours=6)) is None
    assert await seen_by_rules(connection, site) == [(to_ms(NOON), to_ms(later(hours=4)))]
    assert await kinds_in_dossier(connection, site.booster) == ["issued", "overrun"]


async def test_an_overrun_is_settled_by_a_person_once(connection: Connection, site: SmallSite) -> None:
    permit = await issue(connection, site)
    await permits.expire(connection, permit.id, later(hours=5))
    assert [one.id for one in await permits.page(connection)] == [permit.id]
    (unsettled,) = (await facilities.configuration(connection, site.id)).permits
    assert unsettled.settled_ms is None
    over = await permits.hand_back(connection, permit.id, actor="张师傅", now=later(hours=6), note="已恢复")
    assert (over.ended_at, over.ended_by, over.overrun) == (later(hours=4), "clock", True)
    assert (over.settled_at, over.settled_by) == (later(hours=6), "张师傅")
    (settled,) = (await facilities.configuration(connection, site.id)).permits
    assert settled.settled_ms == to_ms(later(hours=6))
    assert await kinds_in_dossier(connection, site.booster) == ["issued", "overrun", "settled"]
    with pytest.raises(Refused, match="expired and was settled by 张师傅 at"):
        await permits.hand_back(connection, permit.id, actor="李工", now=later(hours=7))


async def test_an_overrun_that_nobody_settled_is_seen_by_the_rules_however_old(
    connection: Connection, site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facilities, "_ENDED_PERMITS_MAX", 2)
    forgotten = await issue(connection, site)
    await permits.expire(connection, forgotten.id, later(hours=4))
    for hours in range(5, 9):
        other = await issue(connection, site, valid_from=later(hours=hours), valid_until=later(hours=hours + 1))
        await permits.hand_back(connection, other.id, actor="张师傅", now=later(hours=hours, minutes=30))
    seen = (await facilities.configuration(connection, site.id)).permits
    assert [one.settled_ms is None for one in seen] == [True, False, False]


async def test_a_permit_that_goes_on_from_one_that_stands_ends_it(connection: Connection, site: SmallSite) -> None:
    first = await issue(connection, site)
    begin = later(hours=3)
    second = await issue(connection, site, extends_id=first.id, valid_from=begin, valid_until=later(hours=8), now=begin)
    ended = await permits.get(connection, first.id)
    assert (ended.ended_at, ended.ended_by, ended.overrun) == (begin, "李工", False)
    assert second.extends_id == first.id
    assert [one.id for one in await permits.standing(connection, site.id)] == [second.id]
    assert await seen_by_rules(connection, site) == [(to_ms(NOON), to_ms(begin)), (to_ms(begin), to_ms(later(hours=8)))]
    assert await kinds_in_dossier(connection, site.booster) == ["issued", "extended", "issued"]


async def test_a_permit_that_goes_on_from_an_overrun_settles_it(connection: Connection, site: SmallSite) -> None:
    first = await issue(connection, site)
    await permits.expire(connection, first.id, later(hours=4))
    begin = later(hours=5)
    await issue(connection, site, extends_id=first.id, valid_from=begin, valid_until=later(hours=8), now=begin)
    settled = await permits.get(connection, first.id)
    assert (settled.overrun, settled.settled_at, settled.settled_by) == (True, begin, "李工")


async def test_a_chain_of_extensions_has_an_end(connection: Connection, site: SmallSite) -> None:
    """However small the steps: twelve hours after the first one began it is over, until somebody asks anew."""
    last, asked = await issue(connection, site), {"lasts_in_all": timedelta(hours=12)}
    for hours in (3, 6, 9):
        begin = later(hours=hours)
        last = await issue(
            connection,
            site,
            extends_id=last.id,
            valid_from=begin,
            valid_until=later(hours=hours + 3),
            now=begin,
            **asked,
        )
    further = {"valid_from": later(hours=10), "now": later(hours=10)}
    with pytest.raises(Refused, match=r"lasts 12 h at most.*issue a new one"):
        await issue(connection, site, extends_id=last.id, valid_until=later(hours=12, minutes=1), **further, **asked)
    assert [each.id for each in await permits.standing(connection, site.id)] == [last.id], "it stands as it stood"
    await permits.hand_back(connection, last.id, actor="张师傅", now=later(hours=10))
    assert (await issue(connection, site, valid_until=later(hours=14), **further)).extends_id is None


async def test_nothing_is_extended_twice_or_elsewhere(connection: Connection, site: SmallSite) -> None:
    first = await issue(connection, site)
    assert site.lamp is None
    later_on = {"valid_from": later(hours=1), "valid_until": later(hours=8), "now": later(hours=1)}
    harbour = await build(connection, "harbour", "海港")
    with pytest.raises(Invalid, match="is of another facility"):
        await issue(connection, harbour, extends_id=first.id, **later_on)
    await issue(connection, site, extends_id=first.id, **later_on)
    with pytest.raises(Refused, match="nothing is left to extend"):
        await issue(connection, site, extends_id=first.id, **later_on)
    with pytest.raises(NotFound):
        await issue(connection, site, extends_id=9999, **later_on)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules": []}, "1 to 50, not 0"),
        ({"rules": [str(n) for n in range(51)]}, "1 to 50, not 51"),
        ({"holder": " "}, "neither may be empty"),
        ({"reason": ""}, "neither may be empty"),
        ({"valid_until": NOON}, "ends after it begins"),
        ({"valid_until": later(days=8)}, "at most 7 days later"),
        ({"valid_from": later(hours=-3), "valid_until": later(hours=-1)}, "cannot end in the past"),
    ],
)
async def test_what_is_no_permit_is_refused(
    connection: Connection, site: SmallSite, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        await issue(connection, site, **changes)


async def test_what_is_not_there(connection: Connection, site: SmallSite) -> None:
    with pytest.raises(NotFound):
        await issue(connection, site, facility_id=9999)
    with pytest.raises(NotFound):
        await permits.hand_back(connection, 9999, actor="x", now=NOON)


async def test_pages_follow_each_other(connection: Connection, site: SmallSite) -> None:
    issued = [(await issue(connection, site)).id for _ in range(5)]
    first = await permits.page(connection, limit=2)
    rest = await permits.page(connection, before_id=first[-1].id, facility_id=site.booster, site_id=site.id)
    assert [permit.id for permit in first + rest] == issued[::-1]


async def test_person_and_clock_at_once_end_it_once(
    database_url: str, connection: Connection, site: SmallSite, eventually: Eventually
) -> None:
    permit = await issue(connection, site)
    await connection.commit()
    async with open_pool(database_url, role=API_ROLE) as pool:

        async def expire() -> WorkPermit | None:
            async with transaction(pool, sites=[site.id]) as clock:
                return await permits.expire(clock, permit.id, later(hours=4))

        async with transaction(pool, sites=[site.id]) as person:
            await permits.hand_back(person, permit.id, actor="张师傅", now=later(hours=4))
            expiring = asyncio.create_task(expire())
            await eventually(lambda: anybody_waits_for_a_lock(database_url))
        assert await expiring is None
    assert await kinds_in_dossier(connection, site.booster) == ["issued", "handed_back"]
