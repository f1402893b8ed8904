"""Tells a person which rules hold at a facility, with which figures, and which do not and why. Lines of text, no I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ledger.records import Facility, Part, SiteConfiguration
from rules import blind
from rules.binding import clear_node, conditions_for, left_out, missing
from rules.model import Pack, ParameterType, Rule, Title
from rules.places import Places
from rules.syntax import Call, Name, Node, names, walk, written
from rules.tokens import SECONDS_OF
from rules.vocabulary import AGGREGATES, SELF

Language = Literal["zh", "en"]

_WORDS: Mapping[str, Title] = {
    "parameters": Title(zh="参数", en="Parameters"),
    "set": Title(zh="{author} 于 {at} 设定，原因：{reason}；默认 {default}", en="set by {author} on {at} because: {reason}; default {default}"),
    "default": Title(zh="默认值，依据 {source}", en="default, after {source}"),
    "rules": Title(zh="生效规则 {count} 条", en="{count} rules in force"),
    "when": Title(zh="条件", en="when"),
    "over": Title(zh="解除", en="over when"),
    "not": Title(zh="条件不再成立", en="the condition is no longer true"),
    "with": Title(zh="其中", en="with"),
    "delays": Title(zh="延时", en="delays"),
    "delay": Title(
        zh="成立 {on} 后报警，解除 {off} 后恢复；测点未知超过 {unknown} 则重新计时",
        en="rings after {on}, is over after {off}; begins anew if unknown for more than {unknown}",
    ),
    "latch": Title(zh="自保持，须人工复位", en="latched until somebody resets it"),
    "realarm": Title(zh="确认后 {after} 仍未恢复则再次报警", en="rings again if it still stands {after} after it was acknowledged"),
    "suppress": Title(zh="抑制", en="suppressed when"),
    "parts": Title(zh="部件", en="at"),
    "unheard": Title(zh="从未上报：{points}；未知期间此规则可能不报警", en="never reported: {points}; while unknown it may not ring"),
    "clause": Title(zh="条款", en="clause"),
    "means": Title(zh="含义", en="means"),
    "check": Title(zh="先查", en="check first"),
    "call": Title(zh="联系", en="call"),
    "source": Title(zh="依据", en="source"),
    "left_out": Title(zh="不适用规则 {count} 条", en="{count} rules do not apply here"),
    "lacks": Title(zh="缺少 {what}", en="there is no {what}"),
    "part": Title(zh="{kind} 部件", en="part of kind {kind}"),
    "warning": Title(zh="预警", en="warning"),
    "critical": Title(zh="严重", en="critical"),
    "life_safety": Title(zh="生命安全", en="life safety"),
    "grade": Title(zh="{grade} 级", en="grade {grade}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """Who put a parameter's value in force, when and why."""

    author: str
    at: datetime
    reason: str


def explain(
    configuration: SiteConfiguration,
    packs: Mapping[str, Pack],
    facility: Facility,
    settings: Mapping[str, Setting],
    heard: Collection[int],
    language: Language,
) -> list[str]:
    """The facility's parameters, its rules and those that do not apply. `settings` says who set what, by the name of
    the parameter here (`setpoint`, `pump_1.rated_current`); without an entry the pack's default is in force. `heard` are
    the points of which there is a reading.
    """
    places = Places(configuration, packs)
    looked = blind.looked_at(places, facility)
    return list(_Account(places, packs, facility, settings, looked, heard, language).lines())


@dataclass(frozen=True, slots=True)
class _Account:
    places: Places
    packs: Mapping[str, Pack]
    facility: Facility
    settings: Mapping[str, Setting]
    looked_at: blind.LookedAt
    heard: Collection[int]
    language: Language

    def lines(self) -> Iterator[str]:
        facility, pack = self.facility, self.packs.get(self.facility.kind)
        name = facility.name_zh if self.language == "zh" else facility.name_en
        kind = facility.kind if pack is None else self._in(pack.title)
        yield f"{name} ({facility.key}) · {kind} · {self._say('grade', grade=facility.grade.value)}"
        if pack is not None and pack.parameters:
            yield from ("", self._say("parameters"))
            yield from self._parameters(pack)
        yield from self._rules()
        yield from self._left_out()

    def _in(self, title: Title) -> str:
        return title.zh if self.language == "zh" else title.en

    def _say(self, word: str, **figures: object) -> str:
        return self._in(_WORDS[word]).format(**figures)

    # ------------------------------------------------------------------ parameters

    def _parameters(self, pack: Pack) -> Iterator[str]:
        for parameter in pack.parameters.values():
            parts = [None] if parameter.part_kind is None else self.places.parts(self.facility, parameter.part_kind)
            for part in parts:
                yield self._parameter(parameter, part)

    def _parameter(self, parameter: ParameterType, part: Part | None) -> str:
        name = parameter.key if part is None else f"{part.key}.{parameter.key}"
        value = self.places.parameter(self.facility, part, parameter.key)
        setting = self.settings.get(name)
        default = _figure(parameter.default, parameter.unit)
        if setting is None:
            why = self._say("default", source=parameter.source)
        else:
            zone = ZoneInfo(self.places.configuration.site.time_zone)
            at = setting.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
            why = self._say("set", author=setting.author, at=at, reason=setting.reason, default=default)
        return f"  {name} = {_figure(value, parameter.unit)}  {self._in(parameter.title)} ({why})"

    # ------------------------------------------------------------------ rules in force

    def _rules(self) -> Iterator[str]:
        found = [
            each
            for each in conditions_for(self.places.configuration, self.packs)
            if each.facility_id == self.facility.id
        ]
        parts: dict[str, list[Part]] = {each.rule_key: [] for each in found}
        for each in found:
            if each.part_id is not None:
                parts[each.rule_key].append(self.places.part_by_id[each.part_id])
        yield from ("", self._say("rules", count=len(parts)))
        for rule in self.places.rules(self.facility):
            if rule.key in parts:
                yield from self._rule(rule, parts[rule.key])

    def _rule(self, rule: Rule, parts: Sequence[Part]) -> Iterator[str]:
        yield ""
        yield f"{rule.key} · {self._in(rule.title)} · {self._say(rule.severity.value)} · {rule.work_class}"
        yield f"  {self._say('when')}: {rule.when_text}"
        clear = clear_node(rule)
        over = rule.clear_when_text or (self._say("not") if clear is None else written(clear))
        yield f"  {self._say('over')}: {over}"
        figures = [f"{name} = {value}" for name, value in self._figures(rule, parts).items()]
        if figures:
            yield f"  {self._say('with')}: {', '.join(figures)}"
        delays = {"on": rule.on_delay_s, "off": rule.off_delay_s, "unknown": rule.unknown_max_s}
        yield (
            f"  {self._say('delays')}: "
            f"{self._say('delay', **{key: _duration(seconds) for key, seconds in delays.items()})}"
        )
        if rule.latch:
            yield f"  {self._say('latch')}"
        if rule.realarm_after_s is not None:
            yield f"  {self._say('realarm', after=_duration(rule.realarm_after_s))}"
        if rule.suppress_when_text is not None:
            yield f"  {self._say('suppress')}: {rule.suppress_when_text}"
        if parts:
            yield f"  {self._say('parts')}: {', '.join(part.key for part in parts)}"
        if unheard := blind.never_reported(self.looked_at, rule.key, self.heard):
            yield f"  {self._say('unheard', points=', '.join(unheard))}"
        yield f"  {self._say('source')}: {rule.source}"
        if rule.clause is not None:
            yield f"  {self._say('clause')}: {rule.clause}"
        for word, text in (
            ("means", rule.guidance.means),
            ("check", rule.guidance.check),
            ("call", rule.guidance.call),
        ):
            yield f"  {self._say(word)}: {self._in(text)}"

    def _figures(self, rule: Rule, parts: Sequence[Part]) -> Mapping[str, str]:
        """The parameters its expressions name, with their values in force."""
        found: dict[str, str] = {}
        nodes = [node for node in (rule.when, rule.clear_when, rule.suppress_when) if node is not None]
        for name in (name for node in nodes for name in names(node)):
            for part in parts if name.scope == SELF else [None] if name.scope is None else []:
                value = self.places.parameter(self.facility, part, name.key)
                if value is not None:
                    found[name.key if part is None else f"{part.key}.{name.key}"] = f"{value:g}"
        return found

    # ------------------------------------------------------------------ rules that do not apply

    def _left_out(self) -> Iterator[str]:
        found = [
            each for each in left_out(self.places.configuration, self.packs) if each.facility_id == self.facility.id
        ]
        if not found:
            return
        rules = {rule.key: rule for rule in self.places.rules(self.facility)}
        yield from ("", self._say("left_out", count=len(found)))
        for each in found:
            rule = rules[each.rule_key]
            part = None if each.part_id is None else self.places.part_by_id[each.part_id]
            lacking = self._lacking(rule, part)
            why = self._say("lacks", what=", ".join(lacking)) if lacking else each.reason
            place = "" if part is None else f" · {part.key}"
            yield f"  {rule.key}{place} · {self._in(rule.title)}: {why}"

    def _lacking(self, rule: Rule, part: Part | None) -> list[str]:
        """What the rule names that is not there, as the pack writes it."""
        if rule.for_each is not None and part is None:
            return [self._say("part", kind=rule.for_each)]
        found: dict[str, None] = {}
        for node in (rule.when, rule.clear_when):
            for each in () if node is None else walk(node):
                if isinstance(each, Name | Call) and missing(self.places, self.facility, part, each) is not None:
                    found |= dict.fromkeys(self._named(each))
        return list(found)

    def _named(self, node: Node) -> list[str]:
        if isinstance(node, Name):
            return [node.text]
        if not (isinstance(node, Call) and node.function in AGGREGATES):
            return []
        return [name.text for name in names(node) if name.scope in self.packs[self.facility.kind].parts]


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}".strip()


def _duration(seconds: float) -> str:
    """As packs write it: `90s`, `10m`, `8h`."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % SECONDS_OF[unit] == 0:
            return f"{seconds / SECONDS_OF[unit]:g}{unit}"
    return f"{seconds:g}s"
