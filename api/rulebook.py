"""The words of a rule for people: title and guidance from the pack that has it."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from api.shapes import Answered, Name
from inspection.lapses import Lapse
from rules.model import ANY_KIND, GATEWAY_KIND, Pack, Rule, Title

_OF_ROUNDS = frozenset(each.value for each in Lapse)


class GuidanceOut(Answered):
    means: Name = Field(description="what it means for the building and its people")
    check: Name = Field(description="what to check first, on the spot, in order")
    call: Name = Field(description="whom to call, and when")


def rule_of(packs: Mapping[str, Pack], kind: str, rule_key: str) -> Rule | None:
    """The rule a facility of this kind knows by this key; None when its pack is gone or has changed."""
    kinds = (kind,) if kind == GATEWAY_KIND else (kind, ANY_KIND)
    for pack in (packs[each] for each in kinds if each in packs):
        if rule_key in pack.rules:
            return pack.rules[rule_key]
    return None


def named(title: Title) -> Name:
    return Name(zh=title.zh, en=title.en)


def guidance_of(rule: Rule) -> GuidanceOut:
    guidance = rule.guidance
    return GuidanceOut(means=named(guidance.means), check=named(guidance.check), call=named(guidance.call))


def title_of(packs: Mapping[str, Pack], kind: str, rule_key: str) -> Name:
    """A rule that is no more stands for itself."""
    rule = rule_of(packs, kind, rule_key)
    return Name(zh=rule_key, en=rule_key) if rule is None else named(rule.title)


def is_by_calendar(packs: Mapping[str, Pack], kind: str, rule_key: str) -> bool:
    """Whether a day has come. A round is a matter of hours, and somebody has to go now."""
    rule = rule_of(packs, kind, rule_key)
    return rule is not None and rule.by_calendar and rule_key not in _OF_ROUNDS


def realarm_after(packs: Mapping[str, Pack], kind: str, rule_key: str) -> timedelta | None:
    rule = rule_of(packs, kind, rule_key)
    return None if rule is None or rule.realarm_after_s is None else timedelta(seconds=rule.realarm_after_s)
