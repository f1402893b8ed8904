"""A site as this worker knows it: configuration, addresses, rules, engine, and what it last heard of each gateway.

It runs ahead of the ledger from the moment its engine is told something until the transaction commits. When that fails,
the whole is thrown away and loaded again, which gives exactly what the ledger holds: delays are rows, values are
readings, states are conditions. A transaction that fails before its engine was told anything costs no loading.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ingest.addresses import SiteAddresses, addresses
from ledger import conditions, dossier, facilities, readings, timers
from ledger.conditions import Cause
from ledger.lifecycle import ConditionMove
from ledger.pool import Connection
from ledger.records import (
    Condition,
    ConditionReason,
    ConditionSpec,
    Facility,
    Part,
    Site,
    SiteConfiguration,
    TimerKind,
    to_ms,
)
from rules.binding import conditions_for
from rules.company import kin
from rules.engine import Engine
from rules.links import Tuning
from rules.model import ANY_KIND, Pack, Rule

Packs = Mapping[str, Pack]


@dataclass(slots=True)
class GatewayMemory:
    """What was last heard of a gateway."""

    status: tuple[bool, int] | None = None  # online, and since when
    online_ms: int | None = None  # time of the newest reading of its `online` point
    seq: int | None = None
    seq_ms: int | None = None  # device time of the entry that bore it


class SlotTable:
    """Points to their places in the engine's arrays, many at a time."""

    def __init__(self, slots: Mapping[int, int]) -> None:
        self._point_ids = np.array(sorted(slots), np.int32)
        self._slots = np.array([slots[point_id] for point_id in sorted(slots)], np.int32)

    def of(self, point_id: NDArray[np.int32]) -> NDArray[np.int32]:
        """-1 for a point that the engine does not know."""
        if not len(self._point_ids):
            return np.full(len(point_id), -1, np.int32)
        place = np.searchsorted(self._point_ids, point_id)
        place[place == len(self._point_ids)] = 0
        return np.where(self._point_ids[place] == point_id, self._slots[place], np.int32(-1))


@dataclass(slots=True)
class JudgedSite:
    site: Site
    facilities: Mapping[int, Facility]
    parts: Mapping[int, Part]
    conditions: Mapping[int, Condition]  # as they were when this was loaded: who and where, not their state now
    addresses: SiteAddresses
    engine: Engine
    slots: SlotTable
    told_since_ms: int  # the engine is told everything that came in since then, and nothing from before
    packs: Packs
    memories: dict[int, GatewayMemory]
    is_ahead: bool = field(default=True)  # it has moved, or was made, in a transaction that has not committed yet
    is_out_of_step: bool = field(default=False)  # the ledger refused a decision: load again

    def rule(self, facility_kind: str, rule_key: str) -> Rule | None:
        """None: the rule has left its pack since the condition was made."""
        for kind in (facility_kind, ANY_KIND):
            pack = self.packs.get(kind)
            if pack is not None and rule_key in pack.rules:
                return pack.rules[rule_key]
        return None

    def kin(self, facility_kind: str, rule_key: str) -> frozenset[str]:
        """The rules that tell of one cause with this one."""
        pack = self.packs.get(facility_kind)
        return frozenset() if pack is None else kin(pack.rules, rule_key)

    def draining(self, facility_id: int, now_ms: int) -> bool:
        """Whether the facility's gateway is sending what it had stored: what it says now may long be over."""
        gateway_id = self.addresses.gateway_of.get(facility_id)
        return gateway_id is not None and self.engine.draining(gateway_id, now_ms)


async def load(
    connection: Connection,
    site_id: int,
    packs: Packs,
    tuning: Tuning,
    *,
    now: datetime,
    heard_ms: int,
    before: JudgedSite | None = None,
) -> JudgedSite:
    """The site as the ledger has it. Makes and retires conditions so that they are those of the rules.

    `heard_ms`: since when everything that came in will be told to it. `before` is the same site as this process knew it
    until now: what was heard since then stays heard.
    """
    configuration = await facilities.configuration(connection, site_id)
    living = await _make_conditions(connection, configuration, packs, now)
    delays, moved_ms = await timers.delays(connection, site_id), await conditions.moved_ms(connection, site_id)
    # Thousands of rules are bound: beside the loop, so that the broker is heard meanwhile.
    engine = await asyncio.to_thread(Engine, configuration, packs, living, delays, tuning, moved_ms)
    await asyncio.to_thread(engine.warm, await readings.history(connection, engine.lookback_s()))
    if before is not None:
        engine.go_on_from(before.engine)
    found = addresses(configuration)
    return JudgedSite(
        site=configuration.site,
        facilities={each.id: each for each in configuration.facilities},
        parts={each.id: each for each in configuration.parts},
        conditions={each.id: each for each in living},
        addresses=found,
        engine=engine,
        slots=SlotTable(engine.slots()),
        told_since_ms=heard_ms if before is None else before.told_since_ms,
        packs=packs,
        memories=await _memories(connection, configuration, found),
    )


async def _memories(
    connection: Connection, configuration: SiteConfiguration, found: SiteAddresses
) -> dict[int, GatewayMemory]:
    points = {each.id: each.online_point_id for each in found.gateways.values() if each.online_point_id is not None}
    newest = await readings.latest(connection, list(points.values()))
    memories: dict[int, GatewayMemory] = {}
    for gateway in configuration.gateways:
        reading = newest.get(points.get(gateway.id, 0))
        known = gateway.online is not None and gateway.online_since is not None
        memories[gateway.id] = GatewayMemory(
            status=(bool(gateway.online), to_ms(gateway.online_since)) if known and gateway.online_since else None,
            online_ms=None if reading is None else to_ms(reading.ts),
            seq=gateway.last_seq,
        )
    return memories


async def _make_conditions(
    connection: Connection, configuration: SiteConfiguration, packs: Packs, now: datetime
) -> list[Condition]:
    """Conditions whose rule, part or facility is gone end first, or their alarms would stand for ever."""
    site_id = configuration.site.id
    specs = await asyncio.to_thread(conditions_for, configuration, packs)
    standing = await conditions.standing(connection, site_id)
    specs += _of_the_calendar(configuration, packs, standing)
    named = {(spec.facility_id, spec.part_id, spec.rule_key) for spec in specs}
    leaving = [each for each in standing if (each.facility_id, each.part_id, each.rule_key) not in named]
    if leaving:
        await dossier.lock_facilities(connection, [each.facility_id for each in leaving])
    for each in leaving:
        await _end(connection, each, now)
    await conditions.retire(connection, [each.id for each in leaving], now)
    return await conditions.ensure(connection, site_id, specs)


def _of_the_calendar(
    configuration: SiteConfiguration, packs: Packs, standing: Sequence[Condition]
) -> list[ConditionSpec]:
    """Conditions that the api's watch over rounds has made: as long as facility and rule are there, they stay."""
    there = {each.id for each in configuration.facilities}
    rules: Mapping[str, Rule] = packs[ANY_KIND].rules if ANY_KIND in packs else {}
    return [
        ConditionSpec(each.facility_id, each.part_id, each.rule_key, each.severity)
        for each in standing
        if each.facility_id in there and each.rule_key in rules and rules[each.rule_key].by_calendar
    ]


async def _end(connection: Connection, leaving: Condition, now: datetime) -> None:
    """Its process counts as normal from now on. What people have not seen yet, they still have to acknowledge."""
    for kind in (TimerKind.ON_DELAY, TimerKind.OFF_DELAY):
        await timers.stop(connection, kind, condition_id=leaving.id)
    if (await conditions.get(connection, leaving.id)).active:
        gone = Cause("rules", ConditionReason.CONFIGURATION_CHANGED, at=now, now=now)
        await conditions.move(connection, leaving.id, ConditionMove.CLEAR, gone)
