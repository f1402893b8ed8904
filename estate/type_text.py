"""Facility types in words: one line each for the list, and everything about one of them."""

from collections.abc import Iterator, Mapping, Sequence

from estate.types import FacilityType, Life
from ledger.records import PointKind
from rules.model import ANY_KIND, SERVICE_KIND, Pack, PointType

Packs = Mapping[str, Pack]
_KINDS_ZH: Mapping[PointKind, str] = {
    PointKind.MEASURE: "测量值",
    PointKind.STATE: "状态",
    PointKind.ENUM: "枚举",
    PointKind.COUNTER: "累计值",
    PointKind.EVENT: "事件",
}


def listing(types: Sequence[FacilityType], packs: Packs, language: str) -> Iterator[str]:
    """Key, title, kind, grade, parts; a line each."""
    for each in types:
        title, key, grade, parts, *_ = summary(each, packs[each.kind], language)
        yield f"{key:<42} [{grade}] {title} · {each.kind}" + (f" · {parts}" if parts else "")


def summary(of_type: FacilityType, pack: Pack, language: str) -> list[str]:
    """Title, key, grade, parts, how many points and rules, whether it needs a gateway."""
    zh = language == "zh"
    parts = "，".join if zh else ", ".join
    named = parts(f"{_title(pack, kind, zh)} x{count}" for kind, count in of_type.parts.items())
    points = sum(len(places) for _, places in points_of(of_type, pack))
    is_spoken_for = bool(pack.points) and pack.kind != SERVICE_KIND
    need = ("是" if zh else "yes") if is_spoken_for else ("否" if zh else "no")
    title = of_type.title.zh if zh else of_type.title.en
    return [title, of_type.key, pack.grade.grade.value, named, str(points), str(len(_rules(of_type, pack))), need]


def explain(of_type: FacilityType, packs: Packs, language: str) -> Iterator[str]:
    """Everything: parts, points, relations, grade and why, how long it lasts, the rules it will have."""
    zh, pack = language == "zh", packs[of_type.kind]
    reason = pack.grade.reason
    yield f"{of_type.key}  {of_type.title.zh if zh else of_type.title.en}"
    yield f"{'种类' if zh else 'kind'}: {pack.kind} {pack.title.zh if zh else pack.title.en}"
    yield f"{'等级' if zh else 'grade'}: {pack.grade.grade.value} · {reason.zh if zh else reason.en} [{pack.grade.source}]"
    if of_type.also:
        yield f"{'也叫' if zh else 'also called'}: {', '.join(of_type.also)}"
    yield from _lives(of_type, pack, zh)
    if of_type.parts:
        yield f"{'部件' if zh else 'parts'}:"
        yield from (f"  {key:<20} {_title(pack, kind, zh)}" for key, kind in of_type.part_keys())
    for name in of_type.relations:
        relation = pack.relations[name]
        title = relation.title.zh if zh else relation.title.en
        yield f"{'关系' if zh else 'relation'}: {name} → {' | '.join(relation.to)}  {title}"
    points = list(points_of(of_type, pack))
    count = sum(len(places) for _, places in points)
    yield f"{'测点' if zh else 'points'}: {count}" + (
        "" if count else ("（巡检，不需要网关）" if zh else " (walked to; no gateway)")
    )
    yield from (f"  {_point(point, places, zh)}" for point, places in points)
    if of_type.without:
        yield f"{'没有的测点（有的话写在 with 里）' if zh else 'points it lacks (take back with `with`)'}: {', '.join(of_type.without)}"
    rules = _rules(of_type, pack)
    yield f"{'规则' if zh else 'rules'}: {len(rules)}"
    yield from (f"  {rule}" for rule in rules)
    if any(point.report_interval_s for point, _ in points):
        yield ("  以及通用规则：" if zh else "  and those of every facility: ") + ", ".join(packs[ANY_KIND].rules)


def points_of(of_type: FacilityType, pack: Pack) -> Iterator[tuple[PointType, Sequence[str]]]:
    """Each point it has, with the keys it has on the wire."""
    for point in pack.points.values():
        if point.name in of_type.without:
            continue
        keys = [point.key]
        if point.part_kind is not None:
            keys = [f"{key}.{point.key}" for key, kind in of_type.part_keys() if kind == point.part_kind]
        keys = [key for key in keys if key not in of_type.without]
        if keys:
            yield point, keys


def _rules(of_type: FacilityType, pack: Pack) -> list[str]:
    """The rules of its kind, without those of parts it has none of; what absent points leave out shows when it is in."""
    return [rule.key for rule in pack.rules.values() if rule.for_each is None or rule.for_each in of_type.parts]


def _point(point: PointType, keys: Sequence[str], zh: bool) -> str:  # noqa: FBT001 - which of two languages
    title = point.title.zh if zh else point.title.en
    kind = _KINDS_ZH[point.kind] if zh else point.kind.value
    span = "" if point.range_min is None else f" [{point.range_min:g}, {point.range_max:g}]"
    labels = f" ({'|'.join(point.values)})" if point.values else ""
    when = ("变化即报" if zh else "on change") if point.report_interval_s is None else f"{point.report_interval_s:g} s"
    shown = keys[0] if len(keys) == 1 else f"{keys[0]} ... {keys[-1].partition('.')[0]}"
    return f"{shown:<34} {title} · {kind}{labels} {point.unit}{span} · {when}"


def _lives(of_type: FacilityType, pack: Pack, zh: bool) -> Iterator[str]:  # noqa: FBT001 - which of two languages
    if of_type.life is not None:
        yield f"{'预期寿命' if zh else 'expected life'}: {_life(of_type.life, zh)}"
    for kind, life in of_type.part_life.items():
        yield f"{'预期寿命' if zh else 'expected life'} {_title(pack, kind, zh)}: {_life(life, zh)}"
    if (service := of_type.service) is not None:
        text = "出厂满 {0:g} 年首次送修，以后每 {1:g} 年" if zh else "first after {0:g} years, then every {1:g}"
        yield f"{'送修' if zh else 'service'}: {text.format(service.first_years, service.again_years)} [{service.source}]"


def _life(life: Life, zh: bool) -> str:  # noqa: FBT001 - which of two languages
    since = {"manufactured": ("自出厂", "from manufacture"), "installed": ("自安装", "from installation")}[life.since]
    return f"{life.years:g} {'年' if zh else 'years'} {since[0 if zh else 1]} [{life.source}]"


def _title(pack: Pack, part_kind: str, zh: bool) -> str:  # noqa: FBT001 - which of two languages
    title = pack.parts[part_kind].title
    return title.zh if zh else title.en
