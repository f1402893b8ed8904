"""What is considered wrong at a facility: its effective rules, why others do not apply, and the limits people set."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import paging, rulebook
from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import DeedOf
from api.problems import refusals, unacceptable
from api.rights import Right
from api.rulebook import GuidanceOut
from api.shapes import Answered, Asked, Key, Limit, Name, PageOf, PointKey, Text
from ledger import facilities, facility_list, parameters, readings
from ledger.errors import NotFound
from ledger.parameters import Parameter
from ledger.pool import Connection
from ledger.records import Facility, Part, Severity, from_ms, to_ms
from rules import blind
from rules.binding import clear_node, conditions_for, left_out
from rules.blind import LookedAt
from rules.grounds import Comparison, limits
from rules.model import ParameterType, Rule
from rules.places import Places
from rules.syntax import written
from rules.works import silenced_by

router = APIRouter(tags=["rules"])


class SilenceOut(Answered):
    """A permit that keeps a rule silent here now."""

    permit: int
    part: str | None = Field(description="null: at the whole facility")
    until: datetime


class LimitOut(Answered):
    """A point of the facility compared with a figure: `outlet_pressure < 0.4`."""

    point: str
    comparison: Comparison
    limit: float


class RuleOut(Answered):
    """A rule in force, at the facility or at the parts named."""

    key: str
    title: Name
    guidance: GuidanceOut
    severity: Severity
    work_class: str
    work_class_name: Name
    parts: Sequence[str] = Field(description="empty: of the facility itself")
    when: str
    limits: Sequence[LimitOut] = Field(
        description="what `when` compares points of this facility with, reckoned with the parameters in force; of a rule "
        "of parts for each of them"
    )
    clears_when: str | None = Field(description="null: when `when` is no longer true")
    suppressed_when: str | None
    on_delay_s: float
    off_delay_s: float
    unknown_max_s: float
    realarm_after_s: float | None
    latch: bool
    can_wait: bool = Field(description="a warning that loses nothing until the next round: low whatever the grade")
    source: str
    clause: str | None = Field(description="of the standard, where one names it")
    never_reported: Sequence[str] = Field(
        description="points it looks at of which no reading ever came: while they are unknown it may not speak"
    )
    silenced_by: Sequence[SilenceOut] = Field(description="permits under which it is silent now; empty: it counts")


class LeftOutRule(Answered):
    key: str
    title: Name
    part: str | None
    reason: str = Field(description="what it would need and is not there")


class ParameterOut(Answered):
    """A limit with the value in force. Without author it is the pack's default."""

    name: str
    title: Name
    unit: str
    value: float
    default: float
    min: float | None
    max: float | None
    source: str
    author: str | None
    reason: str | None
    set_at: datetime | None


class RulesOut(Answered):
    rules: Sequence[RuleOut]
    left_out: Sequence[LeftOutRule]
    parameters: Sequence[ParameterOut]


class ParameterIn(Asked):
    name: Annotated[PointKey, Field(description="as in `parameters`: setpoint, pump_1.rated_current")]
    value: Annotated[float, Field(strict=True, description="a number: neither true nor its text")]
    reason: Text


class SettingOut(Answered):
    value: float
    author: str
    reason: str
    set_at: datetime


class SettingsPage(PageOf):
    """Newest first: the first one is in force."""

    items: Sequence[SettingOut]


@router.get(
    "/facilities/{site}/{facility}/rules",
    summary="The rules in force, with their figures",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_rules(site: Key, facility: Key, context: InContext) -> RulesOut:
    async with context.transaction() as connection:
        found = await facility_list.find(connection, site, facility)
        places = Places(await facilities.configuration(connection, found.site_id), context.packs)
        looked = blind.looked_at(places, found)
        heard = await readings.current(connection, blind.points_of(looked))
        set_here = {each.name: each for each in await parameters.in_force(connection, found.id)}
    return RulesOut(
        rules=_rules(places, context, found, looked, heard),
        left_out=_left_out(places, context, found),
        parameters=[
            _parameter(kind, name, set_here.get(name)) for name, kind in _parameter_types(places, found).items()
        ],
    )


@router.get(
    "/facilities/{site}/{facility}/parameters/{name}",
    summary="Every value a parameter has had, newest first",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_parameter_settings(
    site: Key, facility: Key, name: PointKey, query: Annotated[Limit, Query()], context: InContext
) -> SettingsPage:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        found = await facility_list.find(connection, site, facility)
        places = Places(await facilities.configuration(connection, found.site_id), context.packs)
        if name not in _parameter_types(places, found):
            raise NotFound("parameter", f"{site}/{facility}/{name}")
        rows = await parameters.history(connection, found.id, name, before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return SettingsPage(
        items=[
            SettingOut(value=each.value, author=each.author, reason=each.reason, set_at=each.set_at) for each in shown
        ],
        next=cursor,
    )


@router.post(
    "/facilities/{site}/{facility}/parameters",
    summary="Put a limit in force",
    status_code=201,
    response_model=ParameterOut,
    responses=refusals(404),
    dependencies=[needs(Right.PARAMETERS)],
)
async def set_parameter(site: Key, facility: Key, asked: ParameterIn, deed: DeedOf) -> Response:
    async def act(connection: Connection) -> ParameterOut:
        found = await facility_list.find(connection, site, facility)
        places = Places(await facilities.configuration(connection, found.site_id), deed.context.packs)
        kind = _fitting(_parameter_types(places, found), asked)
        setting = await parameters.set_value(
            connection, found.id, asked.name, asked.value, author=deed.actor, reason=asked.reason, now=deed.now
        )
        former = await parameters.history(connection, found.id, asked.name, before_id=setting.id, limit=1)
        deed.was["value"] = former[0].value if former else kind.default
        return _parameter(kind, asked.name, setting)

    return await deed.do(act, status=201)


def _fitting(kinds: Mapping[str, ParameterType], asked: ParameterIn) -> ParameterType:
    kind = kinds.get(asked.name)
    if kind is None:
        raise unacceptable("body.name", "no_such_parameter", known=", ".join(kinds) or "none")
    low = float("-inf") if kind.range_min is None else kind.range_min
    high = float("inf") if kind.range_max is None else kind.range_max
    if not low <= asked.value <= high:
        said = {"low": f"{low:g}", "high": f"{high:g}", "unit": kind.unit}
        raise unacceptable("body.value", "parameter_range", name=asked.name, **said)
    return kind


def _parameter_types(places: Places, facility: Facility) -> Mapping[str, ParameterType]:
    """Every parameter the facility has, by its name there: that of a part kind once for each such part."""
    pack = places.packs.get(facility.kind)
    found: dict[str, ParameterType] = {}
    for kind in () if pack is None else pack.parameters.values():
        if kind.part_kind is None:
            found[kind.key] = kind
        else:
            found |= {f"{part.key}.{kind.key}": kind for part in places.parts(facility, kind.part_kind)}
    return found


def _rules(
    places: Places, context: Context, facility: Facility, looked: LookedAt, heard: Collection[int]
) -> Sequence[RuleOut]:
    parts: dict[str, list[str]] = {}
    for spec in conditions_for(places.configuration, context.packs):
        if spec.facility_id == facility.id:
            keys = parts.setdefault(spec.rule_key, [])
            if spec.part_id is not None:
                keys.append(places.part_by_id[spec.part_id].key)
    now_ms = to_ms(context.clock())
    return [
        _rule(
            rule,
            parts[rule.key],
            _limits(places, facility, rule, parts[rule.key]),
            blind.never_reported(looked, rule.key, heard),
            _silences(places, facility, rule, now_ms),
        )
        for rule in places.rules(facility)
        if rule.key in parts
    ]


def _limits(places: Places, facility: Facility, rule: Rule, keys: Sequence[str]) -> Sequence[LimitOut]:
    parts = {each.key: each for each in places.parts(facility)}
    found: list[LimitOut] = []
    for part in [parts[key] for key in keys] or [None]:
        points = [*places.points_of(facility.id, None), *(places.points_of(facility.id, part.id) if part else ())]
        figures: dict[str, float] = {}
        for name in _parameter_types(places, facility):
            scope, _, key = name.rpartition(".")
            value = places.parameter(facility, parts.get(scope), key)
            if value is not None and scope in ("", part and part.key):
                figures[name] = value
        found += [
            LimitOut(point=each.point, comparison=each.comparison, limit=each.limit)
            for each in limits(rule.when_text, [each.key for each in points], figures)
            if each.comparison is not None and each.limit is not None
        ]
    return found


def _silences(places: Places, facility: Facility, rule: Rule, now_ms: int) -> Sequence[SilenceOut]:
    return [
        SilenceOut(
            permit=each.id,
            part=None if each.part_id is None else places.part_by_id[each.part_id].key,
            until=from_ms(each.until_ms),
        )
        for each in places.permits_of(facility.id)
        if rule.key in each.rules and each.kind in silenced_by(rule) and each.from_ms <= now_ms < each.until_ms
    ]


def _rule(
    rule: Rule,
    parts: Sequence[str],
    limits_here: Sequence[LimitOut],
    never_reported: Sequence[str],
    silences: Sequence[SilenceOut],
) -> RuleOut:
    clear = clear_node(rule)
    return RuleOut(
        key=rule.key,
        title=rulebook.named(rule.title),
        guidance=rulebook.guidance_of(rule),
        severity=rule.severity,
        work_class=rule.work_class,
        work_class_name=CATALOGUE.text("work_class", rule.work_class),
        parts=parts,
        when=rule.when_text,
        limits=limits_here,
        clears_when=rule.clear_when_text or (None if clear is None else written(clear)),
        suppressed_when=rule.suppress_when_text,
        on_delay_s=rule.on_delay_s,
        off_delay_s=rule.off_delay_s,
        unknown_max_s=rule.unknown_max_s,
        realarm_after_s=rule.realarm_after_s,
        latch=rule.latch,
        can_wait=rule.can_wait,
        source=rule.source,
        clause=rule.clause,
        never_reported=never_reported,
        silenced_by=silences,
    )


def _left_out(places: Places, context: Context, facility: Facility) -> Sequence[LeftOutRule]:
    def part_key(part: Part | None) -> str | None:
        return None if part is None else part.key

    return [
        LeftOutRule(
            key=each.rule_key,
            title=rulebook.title_of(context.packs, facility.kind, each.rule_key),
            part=part_key(None if each.part_id is None else places.part_by_id[each.part_id]),
            reason=each.reason,
        )
        for each in left_out(places.configuration, context.packs)
        if each.facility_id == facility.id
    ]


def _parameter(kind: ParameterType, name: str, setting: Parameter | None) -> ParameterOut:
    return ParameterOut(
        name=name,
        title=rulebook.named(kind.title),
        unit=kind.unit,
        value=kind.default if setting is None else setting.value,
        default=kind.default,
        min=kind.range_min,
        max=kind.range_max,
        source=kind.source,
        author=None if setting is None else setting.author,
        reason=None if setting is None else setting.reason,
        set_at=None if setting is None else setting.set_at,
    )
