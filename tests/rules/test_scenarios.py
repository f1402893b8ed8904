"""Runs tests/scenarios/*.yaml: what happens at a facility, second by second, and exactly which alarms must follow.

One file for each kind of facility (the tiny one belongs to these tests):

    kind: booster_pump_room
    parts: {pump_1: pump, pump_2: pump}        # the facility of every scenario in this file
    without: [turbidity]                       # optional points it does not have
    parameters: {setpoint: 0.35}               # where the pack's defaults do not suit
    related:                                   # facilities behind its relations, if it has any
      supplied_by: {kind: distribution_room, parts: {}, without: [], normal: {mains_ok: true}}
    also: [any, distribution_room]             # judge the rules of these packs too; left out, they keep quiet
    normal: {outlet_pressure: 0.35, pump_1.run: true, mains_ok: true}

    scenarios:
      - rule: outlet_pressure_low
        case: raise
        at:
          10s: {outlet_pressure: 0.29}
        expect:
          - {at: 70s, raise: outlet_pressure_low}

What comes in. At 0s every point in `normal` has its value, the gateway is online, and the facility has been like that
for `since` (default 0s; `since: 2h` gives functions of time a past). A point that reports at intervals goes on reporting
the value it was last given, at its interval, without being told to; one that reports on change is sent when it is given.
A point never given a value has never reported. `normal` in a scenario adds to that of the file. Times are like 90s, 10m,
1h30m, from the scenario's beginning; `begins: "01:50"` sets the site's local time of day at 0s (noon if left out).

    at:
      10s: {outlet_pressure: 0.29, pump_1.run: false, ats_position: backup}     # values; labels of enumerations as words
      20s: {supplied_by.mains_ok: false}                                        # a point of a related facility
      30s: {free_chlorine: null}                                                # the sensor says that it is broken
      1m..10m every 30s: {pump_1.run: [true, false]}                            # the values in turn, both ends included
      2m: {stop: [outlet_pressure]}                                             # reports no more until given a value again
      3m: {gateway: offline}                                                    # or online; offline, nothing is sent
      3m: {gateway: quiet}                                                      # sends nothing, yet is said to be online
      3m: {clock: -1h}                                                          # its clock is set back; 0s is right
      4m: {late: {flood: true}, measured: 30s}                                  # arrives now, was measured at 30s
      5m: {permit: {kind: work, rules: [pump_fault], for: 30m, part: pump_1}}   # kind: work or test; part may be left out
      5m: {permit: {kind: work, rules: [flood], for: 30m, settled: 45m}}        # said to be over 45m after it was issued; or never
      6m: {restart: true}                                                       # ingest is stopped and started again

What must follow. `expect` lists every alarm with the second in device time:

      - {at: 70s, raise: pump_fault, part: pump_1}        # raise, clear, latch; also suppress, unsuppress, repeat
      - {at: 70s, raise: flood, late: true}

Everything that a person would see and that is not listed fails: a raise, clear or latch of any rule while it is not
suppressed, and a suppression that ends while its alarm still stands. What happens under a suppression, suppressions and
repeats count only if listed. `others: [rule, ...]` lets those rules do what they like; `only: true` lets all others.
The scenario runs two minutes past its last line, or past the rule's on-delay if it expects nothing; `until: 2h` says otherwise.

The rules of `any` and of gateways are tried at a facility of another kind: `kind: any` with `facility: booster_pump_room`;
in a file of kind gateway, parameters and permits are the gateway's own.

Every rule needs five cases, by the name of `case`: `raise`, `inside` (just inside the limit: not raised), `clear`, `delay`
(over before its delay: not raised; for a rule without on-delay, that it rings at once), `unknown` (an operand is unknown:
not raised, or not cleared). More cases may have any other name. A case that a rule cannot have is said at the end:

    impossible:
      smoke: {inside: "a contact has no inside"}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.records import PermitKind, PointKind
from rules import packs
from rules.model import GATEWAY_KIND, Pack
from rules.tokens import SECONDS_OF
from tests.rules.rig import GATEWAY, NOON, Move, Plan, Rig, Span, Value

SCENARIOS = Path(__file__).parent.parent / "scenarios"
TINY = Path(__file__).parent / "packs"
CASES = ("raise", "inside", "clear", "delay", "unknown")
PLACE = "here"
SPOKEN = {"raise", "clear", "latch", "suppress", "unsuppress", "repeat"}
FILE_KEYS = {
    "kind",
    "facility",
    "parts",
    "without",
    "parameters",
    "relations",
    "related",
    "also",
    "normal",
    "scenarios",
    "impossible",
}
KEYS = {"rule", "case", "why", "normal", "begins", "since", "until", "at", "expect", "others", "only", "parameters"}
ORDERS = {"stop", "gateway", "clock", "late", "measured", "permit", "restart"}
FUTURE_MAX_S = 300.0  # as the settings have it: what lies further in the future is refused
TICK_S = 1.0
RUN_ON_S = 120.0
TICKS_MAX = 4_000  # a longer scenario ticks less often: between samples a tick changes nothing but when it is noticed


@cache
def all_packs() -> dict[str, Pack]:
    return dict(packs.load(TINY))


def seconds(text: str | float) -> float:
    parts = re.findall(r"([0-9.]+)([smhd])", str(text))
    assert parts and "".join(a + b for a, b in parts) == str(text), f"{text!r} is no time like 90s or 1h30m"
    return sum(float(figure) * SECONDS_OF[unit] for figure, unit in parts)


@dataclass
class Scenario:
    """One scenario of a file, with what the file says for all of them."""

    file: dict[str, Any]
    own: dict[str, Any]
    steps: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert not (wrong := self.own.keys() - KEYS), f"unknown words {wrong}"
        assert not (wrong := self.file.keys() - FILE_KEYS), f"unknown words {wrong}"
        for when, what in (self.own.get("at") or {}).items():
            self.steps += list(_spread(str(when), what))
        self.steps.sort(key=lambda step: step[0])

    @property
    def packs(self) -> dict[str, Pack]:
        judged = {self.file["kind"], *self.file.get("also", ())}
        assert not (wrong := judged - all_packs().keys()), f"unknown packs {wrong}"
        return {kind: pack if kind in judged else _without_rules(pack) for kind, pack in all_packs().items()}

    def plans(self) -> dict[str, Plan]:
        related = self.file.get("related") or {}
        parameters = {**(self.file.get("parameters") or {}), **(self.own.get("parameters") or {})}
        of_gateway = self.file["kind"] == GATEWAY_KIND
        here = Plan(
            self.file.get("facility", self.file["kind"]),
            self.file.get("parts") or {},
            self.file.get("without") or (),
            {} if of_gateway else parameters,
            {name: name for name in related},
        )
        plans = {PLACE: here, GATEWAY: Plan(GATEWAY_KIND, parameters=parameters if of_gateway else {}, gateway=None)}
        for name, other in related.items():
            plans[name] = Plan(
                other["kind"], other.get("parts") or {}, other.get("without") or (), other.get("parameters") or {}
            )
        return plans

    def permits(self) -> list[Span]:
        found = []
        for at_s, what in self.steps:
            if "permit" in what:
                said = what["permit"]
                end_s = at_s + seconds(said["for"])
                kind, rules = PermitKind(said["kind"]), frozenset(said["rules"])
                assert rules <= all_packs()[self.file["kind"]].rules.keys(), f"no such rules: {rules}"
                place = GATEWAY if self.file["kind"] == GATEWAY_KIND else PLACE
                settled = said.get("settled", said["for"])
                settled_s = None if settled == "never" else at_s + seconds(settled)
                found.append(Span(place, kind, rules, at_s, end_s, said.get("part"), settled_s))
        return found

    def normal(self) -> dict[str, Value]:
        found = {**(self.file.get("normal") or {}), **(self.own.get("normal") or {})}
        for name, other in (self.file.get("related") or {}).items():
            found |= {f"{name}.{key}": value for key, value in (other.get("normal") or {}).items()}
        return found

    def expected(self) -> list[dict[str, Any]]:
        found = []
        for line in self.own.get("expect") or ():
            (move,) = SPOKEN & line.keys()
            assert not (wrong := line.keys() - {"at", "part", "late", "facility", move}), f"unknown words {wrong}"
            rule = line[move] if line.get("part") is None else f"{line[move]}@{line['part']}"
            found.append({"at": seconds(line["at"]), "move": move, "rule": rule, "late": bool(line.get("late"))})
        return found

    def until_s(self) -> float:
        if "until" in self.own:
            return seconds(self.own["until"])
        moments = [at_s for at_s, _ in self.steps] + [line["at"] for line in self.expected()]
        rule = all_packs()[self.file["kind"]].rules[self.own["rule"]]
        return max(moments, default=0.0) + RUN_ON_S + (0.0 if self.own.get("expect") else rule.on_delay_s)


def _without_rules(pack: Pack) -> Pack:
    return Pack(pack.kind, pack.title, pack.grade, pack.parts, pack.points, pack.parameters, pack.relations)


def _spread(when: str, what: dict[str, Any]) -> list[tuple[float, dict[str, Any]]]:
    """One line of `at` as its steps: a stretch gives the values of its lists in turn."""
    stretch = re.fullmatch(r"(\S+)\.\.(\S+) every (\S+)", when)
    if stretch is None:
        return [(seconds(when), what)]
    begin_s, end_s, every_s = (seconds(each) for each in stretch.groups())
    turns = {key: cycle(value if isinstance(value, list) else [value]) for key, value in what.items()}
    count = int((end_s - begin_s) / every_s + 1e-9) + 1
    return [(begin_s + n * every_s, {key: next(turn) for key, turn in turns.items()}) for n in range(count)]


class Stage:
    """The facility of one scenario, reporting as a gateway would."""

    def __init__(self, scenario: Scenario) -> None:
        begins = scenario.own.get("begins", "12:00")
        hour, minute = (int(figure) for figure in begins.split(":"))
        self.rig = Rig(
            scenario.packs,
            scenario.plans(),
            permits=scenario.permits(),
            origin=NOON + timedelta(hours=hour - 12, minutes=minute),
        )
        self.related = set(scenario.file.get("related") or ())
        self.values: dict[str, Value] = {}
        self.next_s: dict[str, float] = {}  # interval points -> when they report next
        self.offline = False
        self.clock_s = 0.0  # how far the gateway's clock is ahead
        self.begin_s = -seconds(scenario.own.get("since", "0s"))
        self.rig.connected_since_s = self.begin_s
        if f"{GATEWAY}/online" in self.rig.points:
            self.rig.send(self.begin_s, {f"{GATEWAY}/online": True})
        for name, value in scenario.normal().items():
            self.give(self.begin_s, name, value)

    def point(self, name: str) -> str:
        scope, dot, rest = name.partition(".")
        if dot and scope in self.related:
            return f"{scope}/{rest}"
        return f"{PLACE}/{name}"

    def give(self, at_s: float, name: str, value: Value) -> None:
        point = self.point(name)
        assert point in self.rig.points, f"there is no point {name}"
        interval = self.rig.points[point].report_interval_s
        if self.rig.points[point].kind is not PointKind.EVENT:
            self.values[point] = value
        if interval is not None:
            self.next_s[point] = at_s + interval
        if not self.offline:
            self.say(at_s, point, value)

    def say(self, at_s: float, point: str, value: Value) -> None:
        """A message of the gateway, by its own clock."""
        if self.clock_s > FUTURE_MAX_S:
            self.rig.refused_ahead(at_s, self.clock_s)
        else:
            self.rig.send(at_s + self.clock_s, {point: value}, received_s=at_s)

    def do(self, at_s: float, what: dict[str, Any]) -> None:
        if "clock" in what:
            said = str(what["clock"])
            self.clock_s = -seconds(said[1:]) if said.startswith("-") else seconds(said)
        for name, value in what.items():
            if name not in ORDERS:
                self.give(at_s, name, value)
        for name in what.get("stop", ()):
            assert self.next_s.pop(self.point(name), None) is not None, f"{name} does not report at intervals"
        if "gateway" in what:
            said = what["gateway"]
            assert said in ("offline", "online", "quiet"), said
            self.offline = said != "online"
            if said != "quiet":
                self.rig.send(at_s, {f"{GATEWAY}/online": not self.offline})
        if "late" in what:
            measured_s = seconds(what["measured"])
            self.rig.send(
                measured_s, {self.point(name): value for name, value in what["late"].items()}, received_s=at_s
            )
        if what.get("restart"):
            self.rig.restart()

    def report(self, to_s: float) -> None:
        """Every interval point reports its value again, in order of time."""
        while self.next_s:
            point = min(self.next_s, key=lambda each: self.next_s[each])
            at_s, interval = self.next_s[point], self.rig.points[point].report_interval_s
            if at_s > to_s or interval is None:
                return
            self.next_s[point] = at_s + interval
            if not self.offline:
                self.say(at_s, point, self.values[point])

    def play(self, steps: list[tuple[float, dict[str, Any]]], until_s: float) -> None:
        tick_s = TICK_S
        while (until_s - self.begin_s) / tick_s > TICKS_MAX:
            tick_s *= 2
        now_s, waiting = self.begin_s, list(steps)
        while now_s < until_s:
            now_s += tick_s
            while waiting and waiting[0][0] <= now_s:
                at_s, what = waiting.pop(0)
                self.report(at_s - 0.001)  # a value given at the moment of a report takes its place
                self.do(at_s, what)
            self.report(now_s)
            self.rig.tick(now_s)


def is_seen(move: Move) -> bool:
    """Whether a person sees it without having asked for suppressions."""
    if move.move == "unsuppress":
        return move.active
    return move.move in ("raise", "clear", "latch") and not move.suppressed


def compare(scenario: Scenario, moves: list[Move]) -> list[str]:
    """What was expected and did not come, and what came unexpected, in the words of the file."""
    complaints: list[str] = []
    left = list(moves)
    for line in scenario.expected():
        found = next(
            (
                move
                for move in left
                if (move.move, move.brief[2], move.late) == (line["move"], line["rule"], line["late"])
                and abs(move.at_s - line["at"]) < 1.0
            ),
            None,
        )
        if found is None:
            complaints.append(f"missing: {line['move']} {line['rule']} at {line['at']:g}s")
        else:
            left.remove(found)
    free = set(scenario.own.get("others") or ())
    unexpected = [
        move
        for move in left
        if is_seen(move)
        and move.rule not in free
        and (move.rule == scenario.own["rule"] or not scenario.own.get("only"))
    ]
    complaints += [
        f"unexpected: {move.move} {move.brief[2]} at {move.at_s:g}s ({move.facility})" for move in unexpected
    ]
    return complaints


@cache
def files() -> dict[str, dict[str, Any]]:
    found = {each.stem: yaml.load(each.read_bytes(), yaml.CSafeLoader) for each in sorted(SCENARIOS.glob("*.yaml"))}
    assert all(file["kind"] in all_packs() for file in found.values())
    return found


def scenarios() -> list[Any]:
    return [
        pytest.param(Scenario(file, own), id=f"{stem}-{own['rule']}-{own['case']}".replace(" ", "_"))
        for stem, file in files().items()
        for own in file["scenarios"]
    ]


@pytest.mark.parametrize("scenario", scenarios())
def test_scenario(scenario: Scenario) -> None:
    stage = Stage(scenario)
    stage.play(scenario.steps, scenario.until_s())
    complaints = compare(scenario, stage.rig.moves)
    seen = "\n".join(f"  {move.at_s:g}s {move.move} {move.brief[2]}" for move in stage.rig.moves) or "  nothing"
    assert not complaints, "\n".join([*complaints, "what happened:", seen])


@pytest.mark.parametrize("kind", sorted(all_packs()))
def test_every_rule_has_its_five_cases(kind: str) -> None:
    found: set[tuple[str, str]] = set()
    for file in files().values():
        if file["kind"] == kind:
            found |= {(own["rule"], own["case"].split(":")[0]) for own in file["scenarios"]}
            for rule, cases in (file.get("impossible") or {}).items():
                assert all(isinstance(why, str) and len(why) > 10 for why in cases.values()), f"{rule}: say why"
                found |= {(rule, case) for case in cases}
    rules = all_packs()[kind].rules
    assert not (strange := {rule for rule, _ in found} - rules.keys()), f"no such rules: {strange}"
    engines = [key for key, rule in rules.items() if not rule.by_calendar]  # the others: tests/api/test_*_watch.py
    missing = [f"{rule}: {case}" for rule in engines for case in CASES if (rule, case) not in found]
    assert not missing, f"{len(missing)} cases are missing, for example {missing[:10]}"


def test_raising_cases_expect_a_raise_and_quiet_ones_none() -> None:
    wrong: list[str] = []
    for stem, file in files().items():
        for own in file["scenarios"]:
            case, rule = own["case"].split(":")[0], own["rule"]
            raised = any(line.get("raise") == rule for line in own.get("expect") or ())
            cleared = any(rule in (line.get("clear"), line.get("latch")) for line in own.get("expect") or ())
            rings_at_once = all_packs()[file["kind"]].rules[rule].on_delay_s == 0
            if (case == "raise" and not raised) or (case == "clear" and not (raised and cleared)):
                wrong.append(f"{stem}: {rule}: {case} expects too little")
            if (case == "inside" or (case == "delay" and not rings_at_once)) and raised:
                wrong.append(f"{stem}: {rule}: {case} must not raise")
    assert not wrong, "\n".join(wrong)
