"""Two engines on one bench: one is fed sample by sample, the other whole blocks; they must never differ.

What happens is drawn from a seed: steady values with noise, excursions, repeats, silence, late and broken samples, ticks,
gateways that go and come back, restarts. Blocks end anywhere.
"""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np

from ledger.records import Decision, PointKind, Sample
from rules.block import Block
from rules.engine import Engine
from rules.model import ANY_KIND, GATEWAY_KIND, Pack
from tests.rules.rig import GATEWAY, Plan, Rig, Value

OTHER_GATEWAY = "gx"


def block_of(engine: Engine, samples: Sequence[Sample]) -> Block:
    slots = engine.slots()
    return Block(
        np.array([slots[each.point_id] for each in samples], np.int32),
        np.array([each.ts_ms for each in samples], np.int64),
        np.array([each.value for each in samples], np.float64),
        np.array([int(each.quality) for each in samples], np.int16),
        np.array([each.received_ms for each in samples], np.int64),
    )


class Pair:
    """The same happens to both."""

    def __init__(self, packs: Mapping[str, Pack], plans: Mapping[str, Plan], seed: int) -> None:
        self.one, self.other = Rig(packs, plans), Rig(packs, plans)
        self.random = Random(seed)
        self.now_s = 0.0
        self.offset_s = {key: self.random.choice([0.0, 0.0, -3.0, 40.0]) for key in (GATEWAY, OTHER_GATEWAY)}
        self.moods: dict[str, float] = {}
        self.is_offline: dict[str, bool] = {}
        self.waiting: list[Sample] = []
        self.held: list[Sample] = []
        self.taken: set[tuple[int, int]] = set()

    # ------------------------------------------------------------------ values

    def value(self, point: str) -> Value:
        found, random = self.one.points[point], self.random
        if random.random() < 0.01:
            return None
        match found.kind:
            case PointKind.STATE | PointKind.EVENT:
                if random.random() < 0.05 or point not in self.moods:
                    self.moods[point] = float(random.random() < 0.3)
                return bool(self.moods[point])
            case PointKind.ENUM:
                if random.random() < 0.05 or point not in self.moods:
                    self.moods[point] = float(random.randrange(len(found.codes)))
                return next(label for label, code in found.codes.items() if code == self.moods[point])
            case _:
                low = 0.0 if found.range_min is None else found.range_min
                high = 1000.0 if found.range_max is None else found.range_max
                if random.random() < 0.04 or point not in self.moods:
                    self.moods[point] = random.uniform(low, high)
                if random.random() < 0.01:
                    return high + 1.0
                noise = random.choice([0.0, 0.0, 0.001, 0.02]) * (high - low)
                return max(low, min(high, self.moods[point] + random.uniform(-noise, noise)))

    def gateway(self, point: str) -> str:
        plan = self.one.plans.get(point.split("/", maxsplit=1)[0])
        return GATEWAY if plan is None or plan.gateway is None else plan.gateway

    # ------------------------------------------------------------------ what happens

    def message(self, point: str) -> None:
        random = self.random
        late_s = random.choice([0.0] * 30 + [0.4, 5.0, 100.0])
        ts_s = self.now_s - self.offset_s[self.gateway(point)] - late_s - random.choice([0.0, 0.0, 0.1, 0.7])
        sample = self.one.sample(point, self.value(point), round(ts_s, 1), self.now_s)
        if (sample.point_id, sample.ts_ms) not in self.taken:
            self.taken.add((sample.point_id, sample.ts_ms))
            (self.held if random.random() < 0.01 else self.waiting).append(sample)

    def flush(self) -> None:
        """Judge what came: one by one here, as a block there."""
        samples, self.waiting = self.waiting, []
        if not samples:
            return
        online = {point.id for key, point in self.one.points.items() if key.endswith("/online")}
        gateways = {self.one.gateway_of[each.point_id] for each in samples} - {None}
        in_bulk = all(self.other.engine.hears_in_bulk(each) for each in gateways if each is not None)
        in_bulk = in_bulk and all(each.point_id not in online for each in samples)
        for part in [samples] if in_bulk else [[each] for each in samples]:
            self.step(part)

    def step(self, samples: list[Sample]) -> None:
        expected: list[Decision] = []
        late: list[bool] = []
        for each in samples:
            gateway_id = self.one.gateway_of[each.point_id]
            if gateway_id is not None:
                self.one.engine.heard(gateway_id, each.received_ms, each.ts_ms)
            block = block_of(self.one.engine, [each])
            late.append(not self.one.engine.are_newer(block.slot, block.ts_ms))
            expected += self.one.engine.feed([each])
        heard = [(key, each) for each in samples if (key := self.one.gateway_of[each.point_id]) is not None]
        self.other.engine.heard_block(
            [key for key, _ in heard], [each.received_ms for _, each in heard], [each.ts_ms for _, each in heard]
        )
        outcome = self.other.engine.feed_block(block_of(self.other.engine, samples))
        assert list(outcome.decisions) == expected
        assert outcome.late.tolist() == late
        for rig in (self.one, self.other):
            rig.keep(samples, expected)

    def tick(self) -> None:
        self.flush()
        self.one.tick(self.now_s)
        self.other.tick(self.now_s)
        assert self.other.decisions == self.one.decisions

    def status(self, gateway: str) -> None:
        self.flush()
        self.is_offline[gateway] = not self.is_offline.get(gateway, False)
        self.step([self.one.sample(f"{gateway}/online", not self.is_offline[gateway], self.now_s)])

    def restart(self) -> None:
        self.flush()
        self.one.restart()
        self.other.restart()
        for rig in (self.one, self.other):
            rig.connected_since_s = self.now_s

    @property
    def noted(self) -> int:
        """How many samples the sieve held back."""
        return len(self.other.readings) - self.other.engine.judged

    def run(self, steps: int) -> None:
        points = [key for key in self.one.points if not key.endswith("/online")]
        random = self.random
        talkative = random.sample(points, max(1, len(points) * random.choice([1, 2, 3]) // 3))
        pace = random.choice([0.5, 5.0, 25.0])
        for _ in range(steps):
            for point in talkative:
                if random.random() < 0.9:
                    self.message(point)
                if random.random() < 0.02:
                    self.flush()
            self.now_s += pace * random.choice([1.0, 1.0, 1.0, 1.0, 1.3, 0.2])
            if random.random() < 0.02:
                self.now_s += random.choice([60.0, 400.0, 4000.0])
                self.waiting += self.held
                self.held = []
            if random.random() < 0.4:
                self.tick()
            if random.random() < 0.02:
                self.status(random.choice([each.key for each in self.one.configuration.gateways]))
            if random.random() < 0.01:
                self.restart()
        self.tick()


def plans_of(packs: Mapping[str, Pack], kinds: Sequence[str], random: Random) -> dict[str, Plan]:
    """A facility of each of these kinds with two parts of each kind, led to others where the packs allow it."""
    plans: dict[str, Plan] = {}
    for kind in kinds:
        pack = packs[kind]
        relations = {
            key: next(to for to in relation.to if to in kinds)
            for key, relation in pack.relations.items()
            if any(to in kinds for to in relation.to)
        }
        parts = {f"{part}_{number}": part for part in pack.parts for number in (1, 2)}
        plans[kind] = Plan(kind, parts, relations=relations, gateway=random.choice([GATEWAY, GATEWAY, OTHER_GATEWAY]))
    return plans


def kinds_of(packs: Mapping[str, Pack]) -> list[str]:
    return [kind for kind, pack in packs.items() if kind not in (ANY_KIND, GATEWAY_KIND) and pack.points]
