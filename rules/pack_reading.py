"""Reads what a pack says of its kind of facility: grade, parts, points, parameters, relations. Rules come afterwards.

Each item is checked as far as the file alone can tell; what depends on other packs is for `rules.packs`.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

from ledger.records import Grade, PointKind
from rules.model import (
    ANY_KIND,
    GATEWAY_KIND,
    SILENT_AFTER,
    GradeDefault,
    Pack,
    ParameterType,
    PartType,
    PointType,
    RelationType,
    Title,
)
from rules.pack_text import Block, Page
from rules.vocabulary import BUILT_IN, BUILT_IN_GATEWAY, SELF, near

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KEY_SHAPE = "lower-case letters, figures and underscores, beginning with a letter, 64 at most"
_TAKEN = frozenset({SELF, "and", "or", "not", "true", "false", ANY_KIND, *BUILT_IN, *BUILT_IN_GATEWAY})

# The packs `any` and `gateway` may be described without a grade of their own; this is what counts then.
_NO_GRADE = GradeDefault(Grade.B, Title(zh="默认", en="default"), "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A pack without its rules, and what of the file is still to be read.

    `suspect` are the names whose description has a fault already: an expression that stumbles over one of them is not
    told as well.
    """

    page: Page
    block: Block
    pack: Pack
    suspect: set[str]


def is_key(word: str) -> bool:
    return _KEY.fullmatch(word) is not None


def read_kind(page: Page, block: Block) -> Draft:
    """Everything but the rules; faults are noted on the page."""
    kind = block.text("kind")
    stem = PurePath(page.file).name.removesuffix(".yaml")
    if kind and not is_key(kind):
        block.fault(f"`kind` is {_KEY_SHAPE}", "kind")
    elif kind and kind != stem:
        block.fault(f"the file of kind {kind} is called {kind}.yaml, not {stem}.yaml; rename one", "kind")
    title = block.title("title")
    grade = _grade(block) if block.has("grade") or kind not in (ANY_KIND, GATEWAY_KIND) else _NO_GRADE
    parts = dict(_parts(block))
    suspect: set[str] = set()
    pack = Pack(
        kind=kind,
        title=title,
        grade=grade,
        parts=parts,
        points=dict(_points(block, parts, suspect)),
        parameters=dict(_parameters(block, parts, suspect)),
        relations=dict(_relations(block)),
    )
    _names_apart(block, pack)
    if kind == ANY_KIND and (pack.parts or pack.points or pack.parameters or pack.relations):
        block.fault("the pack `any` has rules only; points, parts and parameters belong to a kind")
    if kind == GATEWAY_KIND:
        _is_gateway(block, pack)
    return Draft(page, block, pack, suspect)


def _grade(block: Block) -> GradeDefault:
    inner = block.block("grade")
    if inner is None:
        return _NO_GRADE
    grade = GradeDefault(inner.choice("default", Grade) or Grade.A, inner.title("reason"), inner.text("source"))
    inner.done()
    return grade


def _parts(block: Block) -> list[tuple[str, PartType]]:
    found: list[tuple[str, PartType]] = []
    for key, inner in block.blocks("parts", "part"):
        _check_key(inner, key)
        found.append((key, PartType(key, inner.title("title"))))
        inner.done()
    return found


def _points(block: Block, parts: dict[str, PartType], suspect: set[str]) -> list[tuple[str, PointType]]:
    found: list[tuple[str, PointType]] = []
    for name, inner in block.blocks("points", "point"):
        sound = len(block.page.faults)
        part_kind, key = _owner(inner, name, parts)
        found.append((name, _point(inner, part_kind, key)))
        inner.done()
        if len(block.page.faults) > sound:
            suspect.add(key)
    return found


def _point(inner: Block, part_kind: str | None, key: str) -> PointType:
    title = inner.title("title")
    kind = inner.choice("kind", PointKind)
    if kind is None:
        inner.give_up()  # what else it may say depends on its kind
        return PointType(key, part_kind, PointKind.STATE, title)
    is_number = kind in (PointKind.MEASURE, PointKind.COUNTER)
    for word in ("unit", "range", "scale", "shift"):
        if inner.has(word) and not is_number:
            inner.fault(f"`{word}` is for a measure or a counter, and this is {_a(kind)}", word)
    if kind is PointKind.MEASURE and not inner.has("range"):
        inner.fault("`range` is missing: a measure needs the range its sensor can believably show, as in [0, 2.5]")
    span = inner.span("range") or (None, None)
    interval_s = inner.optional_duration("report_interval")
    on_change = inner.flag("on_change")
    if not inner.has("report_interval") and not on_change:
        inner.fault("say when it reports: `report_interval: 60s`, or `on_change: true`")
    if interval_s == 0.0:
        inner.fault("`report_interval` must be longer than nothing", "report_interval")
    scale = inner.number("scale", 1.0)
    if scale == 0.0:
        inner.fault("`scale` 0 would make every value the same", "scale")
    return PointType(
        key=key,
        part_kind=part_kind,
        kind=kind,
        title=title,
        unit=inner.unit(required=kind is PointKind.MEASURE),
        range_min=span[0],
        range_max=span[1],
        report_interval_s=interval_s,
        on_change=on_change,
        hold_s=_hold(inner, kind),
        values=_labels(inner, kind),
        scale=scale,
        shift=inner.number("shift", 0.0),
        wrap=_wrap(inner, kind),
        optional=inner.flag("optional"),
        source=inner.text("source", ""),
    )


def _hold(inner: Block, kind: PointKind) -> float | None:
    hold_s = inner.optional_duration("hold")
    if kind is PointKind.EVENT and not hold_s:
        inner.fault("an event needs `hold`: how long an occurrence lasts if nobody says that it is over, as in 30s")
    if kind is not PointKind.EVENT and hold_s is not None:
        inner.fault(f"`hold` is for an event, and this is {_a(kind)}", "hold")
    return hold_s


def _labels(inner: Block, kind: PointKind) -> tuple[str, ...]:
    labels = inner.words("values", required=kind is PointKind.ENUM)
    if labels and kind is not PointKind.ENUM:
        inner.fault(f"`values` is for an enumeration, and this is {_a(kind)}", "values")
    for label in labels:
        if not is_key(label):
            inner.fault(f"the label {label} is {_KEY_SHAPE}", "values")
    return labels


def _wrap(inner: Block, kind: PointKind) -> float | None:
    wrap = inner.optional_number("wrap")
    if wrap is not None and kind is not PointKind.COUNTER:
        inner.fault(f"`wrap` is for a counter, and this is {_a(kind)}", "wrap")
    if wrap is not None and wrap <= 0:
        inner.fault("`wrap` is the figure after which the counter begins again, above 0", "wrap")
    return wrap


def _parameters(block: Block, parts: dict[str, PartType], suspect: set[str]) -> list[tuple[str, ParameterType]]:
    found: list[tuple[str, ParameterType]] = []
    for name, inner in block.blocks("parameters", "parameter"):
        sound = len(block.page.faults)
        part_kind, key = _owner(inner, name, parts)
        title, default, span = inner.title("title"), inner.number("default"), inner.span("range")
        low, high = span or (None, None)
        is_sound = len(block.page.faults) == sound
        if is_sound and low is not None and high is not None and not low <= default <= high:
            inner.fault(f"`default` {default:g} lies outside `range` [{low:g}, {high:g}]", "default")
        unit, source = inner.unit(required=False), inner.text("source")
        found.append((name, ParameterType(key, part_kind, title, unit, default, low, high, source)))
        inner.done()
        if len(block.page.faults) > sound:
            suspect.add(key)
    return found


def _relations(block: Block) -> list[tuple[str, RelationType]]:
    found: list[tuple[str, RelationType]] = []
    for key, inner in block.blocks("relations", "relation"):
        _check_key(inner, key)
        to = inner.words("to", required=True)
        if inner.has("to") and not to:
            inner.fault("`to` names the kinds of facility it may lead to", "to")
        found.append((key, RelationType(key, to, inner.title("title"))))
        inner.done()
    return found


# ---------------------------------------------------------------------- names


def _owner(inner: Block, name: str, parts: dict[str, PartType]) -> tuple[str | None, str]:
    """The part kind and the key of `pump.run`; None and the key of `outlet_pressure`."""
    part_kind, dot, key = name.rpartition(".")
    _check_key(inner, key)
    if not dot:
        return None, key
    if part_kind not in parts:
        hint = near(part_kind, parts) or f"; describe it under `parts`: {', '.join(parts) or 'none so far'}"
        inner.fault(f"there is no part kind {part_kind}{hint}")
    return part_kind, key


def _check_key(inner: Block, key: str) -> None:
    if not is_key(key):
        inner.fault(f"the name {key!r} is no key: {_KEY_SHAPE}")
    elif key in _TAKEN:
        inner.fault(f"`{key}` has a meaning of its own in expressions; take another name")


def _names_apart(block: Block, pack: Pack) -> None:
    """No name may mean two things."""
    for name in pack.points:
        if name in pack.parameters:
            block.fault(f"{name} is both a point and a parameter; rename one", "parameters")
    for key in pack.relations:
        if key in pack.parts:
            block.fault(f"{key} is both a part kind and a relation; rename one", "relations")


def _is_gateway(block: Block, pack: Pack) -> None:
    online = pack.points.get("online")
    if online is None or online.kind is not PointKind.STATE:
        block.fault("the gateway pack needs the point `online` of kind state: the gateway's own status", "points")
    if SILENT_AFTER not in pack.parameters:
        block.fault(f"the gateway pack needs the parameter `{SILENT_AFTER}`, in seconds", "parameters")


def _a(kind: PointKind) -> str:
    return f"an {kind.value}" if kind in (PointKind.ENUM, PointKind.EVENT) else f"a {kind.value}"
