"""The words for people: a difference and a list of faults, line by line, in Chinese or English, never without end."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from estate.difference import Change, Difference, FieldChange, Item, Subject
from estate.faults import EstateErrors

LINES_MAX = 1_000


_CHANGES: Mapping[Change, tuple[str, str, str]] = {
    Change.ADDED: ("+", "新增", "added"),
    Change.CHANGED: ("~", "变更", "changed"),
    Change.RENAMED: (">", "改编号", "renamed"),
    Change.REMOVED: ("-", "拆除", "removed"),
}
_SUBJECTS: Mapping[Subject, tuple[str, str]] = {
    Subject.SITE: ("项目", "site"),
    Subject.LOCATION: ("位置", "location"),
    Subject.GATEWAY: ("网关", "gateway"),
    Subject.FACILITY: ("设施", "facility"),
}
# What a field of a difference is called.
FIELDS: Mapping[str, tuple[str, str]] = {
    "name_zh": ("中文名称", "Chinese name"),
    "name_en": ("英文名称", "English name"),
    "time_zone": ("时区", "time zone"),
    "round_at": ("巡检时间", "time of the round"),
    "sla_profile": ("时限方案", "SLA profile"),
    "inside": ("上级位置", "inside"),
    "retired": ("已拆除", "retired"),
    "type": ("类型", "type"),
    "grade": ("等级", "grade"),
    "location": ("位置", "location"),
    "gateway": ("网关", "gateway"),
    "part": ("部件", "part"),
    "points_gone": ("不再有的测点", "points gone"),
    "points_new": ("新测点", "new points"),
    "points_other": ("测点定义变化", "points described otherwise"),
    "parameter": ("参数", "parameter"),
    "relation": ("关系", "relation"),
    "asset": ("实物", "asset"),
}


def difference(found: Difference, language: str, *, dry_run: bool) -> list[str]:
    """Every change with what it was and becomes, then the counts."""
    zh = language == "zh"
    lines = list(islice((line for item in found.items for line in _item(item, zh)), LINES_MAX + 1))
    if len(lines) > LINES_MAX:
        lines[LINES_MAX:] = ["……后面还有，见下面的总数" if zh else "... and more; the counts below are of everything"]
    if any(item.change is Change.RENAMED and item.subject is not Subject.LOCATION for item in found.items):
        lines.append(
            "改了编号的设施和网关，MQTT 主题也随之改变：请同时修改网关里的主题，旧主题的数据会被隔离。"
            if zh
            else "A renamed facility or gateway has another MQTT topic: change it in the gateway as well; what still comes "
            "under the old one is quarantined."
        )
    counts = found.counts()
    said = "，".join(f"{_CHANGES[change][1]} {count}" for change, count in counts.items() if count)
    if not zh:
        said = ", ".join(f"{count} {_CHANGES[change][2]}" for change, count in counts.items() if count)
    if not said:
        said = "没有差异" if zh else "no difference"
    end = ("（试运行，未写入）" if zh else " (dry run, nothing written)") if dry_run else ""
    return [*lines, said + end]


def unwatched(sites: Iterable[str], language: str) -> list[str]:
    """A warning for each site where nothing would ring if ingest stopped."""
    return [
        f"注意：{site} 没有接入服务（kind: ingest_service），监测中断时不会报警。在它的 facilities 里加一项："
        f"{{key: ingest, kind: ingest_service, name: {{zh: 接入服务, en: Ingest service}}, location: ...}}"
        if language == "zh"
        else f"Warning: {site} has no facility of kind ingest_service, so nothing rings when monitoring itself stops. Add to "
        "its facilities: {key: ingest, kind: ingest_service, name: {zh: 接入服务, en: Ingest service}, location: ...}"
        for site in sites
    ]


def faults(error: EstateErrors, language: str) -> list[str]:
    """Every fault on a line of its own; past the limit only their number."""
    zh = language == "zh"
    count = len(error.faults)
    lines = [fault.text(language) for fault in error.faults[:LINES_MAX]]
    if count > LINES_MAX:
        lines.append(f"……另有 {count - LINES_MAX} 处" if zh else f"... and {count - LINES_MAX} more")
    if count > 1:
        lines.append(f"共 {count} 处错误，什么都没有写入" if zh else f"{count} faults; nothing was written")
    return lines


def _item(item: Item, zh: bool) -> Iterator[str]:  # noqa: FBT001 - which of two languages
    mark, *_ = _CHANGES[item.change]
    subject = _SUBJECTS[item.subject][0 if zh else 1]
    key = item.key if item.subject is Subject.SITE else f"{item.site}/{item.key}"
    was = f" ← {item.was_key}" if item.was_key else ""
    reason = "" if item.reason is None else (f"：{item.reason}" if zh else f": {item.reason}")
    yield f"{mark} {subject} {key}{was} {item.name_zh if zh else item.name_en}{reason}"
    for field in item.fields:
        yield f"    {_field(field, zh)}"


def _field(field: FieldChange, zh: bool) -> str:  # noqa: FBT001 - which of two languages
    name = FIELDS[field.name][0 if zh else 1] + (f" {field.of}" if field.of else "")
    if field.before is None:
        return f"{name}: + {field.after}"
    if field.after is None:
        return f"{name}: - {field.before}"
    return f"{name}: {field.before} → {field.after}"
