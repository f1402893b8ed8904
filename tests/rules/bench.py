"""The tiny facility on a bench: what every test of the engine begins with."""

from dataclasses import replace
from pathlib import Path

from rules import packs
from rules.model import Pack
from tests.rules.rig import GATEWAY, Plan, Rig, Value

PACKS = packs.load(Path(__file__).parent / "packs")
QUIET = {kind: pack for kind, pack in PACKS.items() if kind != "any"}  # nothing is said of points that do not report
TINY = (Path(__file__).parent / "packs" / "tiny.yaml").read_text(encoding="utf-8")
LOW, FINE = 0.29, 0.35


def with_rule(key: str, when: str, more: str = "") -> dict[str, Pack]:
    """The quiet packs with one more rule of the tiny one."""
    words = "title: {zh: 规则, en: Rule}, severity: warning, work_class: security, guidance: {means: {zh: 看, en: Look}, check: {zh: 看, en: Look}, call: {zh: 看, en: Look}}, source: test"
    tiny = packs.read({"tiny.yaml": f"{TINY}\n  - {{key: {key}, when: '{when}', {words}{more}}}\n"})
    return {**QUIET, **tiny}


def rig(*, permits=(), also=None, tested: dict[str, Pack] | None = None, **plan) -> Rig:
    plans = {"a": Plan("tiny", {"pump_1": "pump", "pump_2": "pump"}, **plan), **(also or {})}
    return Rig(QUIET if tested is None else tested, plans, permits=permits)


def send(bench: Rig, at_s: float, received_s: float | None = None, **values: Value) -> None:
    bench.send(at_s, {f"a/{key.replace('__', '.')}": value for key, value in values.items()}, received_s)


def moves(bench: Rig, rule: str) -> list[tuple[float, str]]:
    return [(at_s, move) for at_s, move, name in bench.brief if name == rule]


def condition_of(bench: Rig, rule: str) -> int:
    """The id of the rule's condition at the tiny facility."""
    return next(number for number, each in bench.conditions.items() if each.rule_key == rule)


def online(bench: Rig, at_s: float, *, state: bool) -> None:
    """The gateway's status."""
    bench.send(at_s, {f"{GATEWAY}/online": state})


def slow(pack: Pack, rule: str, on_delay_s: float) -> Pack:
    """The pack with another on-delay for one rule."""
    return replace(pack, rules={**pack.rules, rule: replace(pack.rules[rule], on_delay_s=on_delay_s)})
