"""The tables an estate may come in and what may stand over their columns, in Chinese and English.

The first words are those that templates and exports write; the others are what property companies call the same thing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from estate.faults import Said
from estate.types import folded

_MARKS = re.compile(r"[*＊]|[(（\[【](?:必填|选填|可选|required|optional)[)）\]】]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    field: str
    zh: str
    en: str
    also: tuple[str, ...] = ()
    required: bool = False
    note: Said | None = None  # what belongs in it; stands over the column of a template

    def words(self) -> Iterator[str]:
        yield from (self.field, self.zh, self.en, *self.also)


@dataclass(frozen=True, slots=True)
class Table:
    key: str  # also the name of its CSV file
    zh: str
    en: str
    also: tuple[str, ...]
    columns: tuple[Column, ...]

    def title(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def find(self, header: str) -> Column | None:
        return _FIND[self.key].get(folded(_MARKS.sub("", header)))


_KEY_NOTE = Said("小写字母、数字、下划线、连字符；大写自动转小写", "lower-case letters, figures, _ and -")
_PLACE_NOTE = Said(
    "用 / 分层，如 1号楼/3层/电梯厅；没有的位置自动建立", "levels parted by /, as in Building 1/Floor 3; made as needed"
)
_DATE_NOTE = Said("2024-05-01；只知年月写 2024-05", "2024-05-01; a month alone counts from its first day")

_SITE = Column(
    "site",
    "项目",
    "Site",
    ("小区", "项目小区", "项目名称", "小区名称", "站点", "项目/小区"),
    note=Said(
        "项目编号或名称；只有一个项目时可不填", "key or name of the site; may stay empty where there is only one"
    ),
)
_FACILITY = Column(
    "facility", "设备编号", "Facility", ("设施编号", "编号", "设备编码", "资产编号"), required=True, note=_KEY_NOTE
)
_NAME_EN = Column("name_en", "英文名称", "English name", ("英文名", "name_en"))
_RENAMED = Column(
    "renamed_from",
    "原编号",
    "Renamed from",
    ("旧编号", "原设备编号"),
    note=Said("改编号时写旧编号", "its key until now"),
)
_PART = Column(
    "part", "部件编号", "Part", ("部件", "部位"), note=Said("如 pump_1；空着即整台设备", "pump_1; empty: the whole")
)
_ASSET = (
    Column("maker", "品牌", "Maker", ("厂家", "厂商", "生产厂家", "制造商", "制造厂家", "生产单位", "brand")),
    Column("model", "型号", "Model", ("规格型号", "规格", "型号规格")),
    Column("serial", "出厂编号", "Serial", ("序列号", "出厂号", "机身编号", "serial number", "瓶体编号")),
    Column(
        "manufactured_on",
        "出厂日期",
        "Manufactured on",
        ("生产日期", "制造日期", "出厂年月", "生产年月"),
        note=_DATE_NOTE,
    ),
    Column(
        "installed_on",
        "安装日期",
        "Installed on",
        ("投用日期", "启用日期", "使用日期", "投入使用日期"),
        note=_DATE_NOTE,
    ),
)

SITES = Table(
    "sites",
    "项目",
    "Sites",
    ("小区", "项目表", "site"),
    (
        Column("key", "项目编号", "Key", ("小区编号", "site"), required=True, note=_KEY_NOTE),
        Column("name_zh", "项目名称", "Name", ("小区名称", "名称", "name_zh"), required=True),
        _NAME_EN,
        Column("time_zone", "时区", "Time zone", note=Said("默认 Asia/Shanghai", "Asia/Shanghai unless said")),
        Column("round_at", "巡检时间", "Round at", note=Said("默认 08:00", "08:00 unless said")),
        Column("sla_profile", "时限方案", "SLA profile", note=Said("默认 standard", "standard unless said")),
    ),
)
LOCATIONS = Table(
    "locations",
    "位置",
    "Locations",
    ("位置表", "楼栋", "location"),
    (
        _SITE,
        Column("key", "位置编号", "Key", required=True, note=_KEY_NOTE),
        Column("name_zh", "位置名称", "Name", ("名称", "name_zh"), required=True),
        _NAME_EN,
        Column("inside", "上级位置", "Inside", ("所属位置", "上级"), note=Said("编号或路径", "key or path")),
        _RENAMED,
    ),
)
GATEWAYS = Table(
    "gateways",
    "网关",
    "Gateways",
    ("网关表", "gateway"),
    (
        _SITE,
        Column("key", "网关编号", "Key", ("gateway",), required=True, note=_KEY_NOTE),
        Column("name_zh", "网关名称", "Name", ("名称", "name_zh"), required=True),
        _NAME_EN,
        Column("location", "安装位置", "Location", ("位置", "楼栋/位置"), required=True, note=_PLACE_NOTE),
        _RENAMED,
    ),
)
FACILITIES = Table(
    "facilities",
    "设备",
    "Facilities",
    ("设施", "设备台账", "设备清单", "消防器材", "台账", "facility", "equipment"),
    (
        _SITE,
        Column(
            "location",
            "位置",
            "Location",
            ("楼栋/位置", "楼栋", "安装位置", "地点", "所在位置", "安装地点"),
            note=_PLACE_NOTE,
        ),
        Column(
            "key",
            "设备编号",
            "Key",
            ("编号", "设施编号", "设备编码", "资产编号", "facility"),
            required=True,
            note=_KEY_NOTE,
        ),
        Column("name_zh", "设备名称", "Name", ("名称", "设施名称", "name_zh")),
        _NAME_EN,
        Column(
            "type",
            "设备类型",
            "Type",
            ("类型", "设施类型", "设备类别", "类别", "种类", "kind"),
            note=Said("见“类型说明”页；编号或中文名都可以", "see the sheet of types; key or title"),
        ),
        Column(
            "grade",
            "等级",
            "Grade",
            ("风险等级", "分级", "设备等级"),
            note=Said("A、B、C；空着按类型", "A, B, C; empty: the type's"),
        ),
        Column(
            "gateway",
            "网关",
            "Gateway",
            ("网关编号", "采集网关"),
            note=Said("没有测点的不用填", "not needed where nothing is measured"),
        ),
        Column("without", "缺少测点", "Without", ("无测点",), note=Said("逗号分隔", "parted by commas")),
        Column(
            "with",
            "另有测点",
            "With",
            (),
            note=Said("类型说没有、其实有的测点", "points the type lacks and this one has"),
        ),
        *_ASSET,
        _RENAMED,
        Column(
            "state",
            "状态",
            "State",
            ("使用状态", "设备状态"),
            note=Said("在用；报废或拆除须写原因", "in use; removed needs a reason"),
        ),
        Column("reason", "原因", "Reason", ("报废原因", "拆除原因")),
    ),
)
PARTS = Table(
    "parts",
    "部件",
    "Parts",
    ("部件表", "part"),
    (
        _SITE,
        _FACILITY,
        Column("part", "部件编号", "Part", ("部件", "编号"), required=True, note=_PART.note),
        Column(
            "kind", "部件类别", "Kind", ("类别", "部件类型"), required=True, note=Said("见“类型说明”", "see the types")
        ),
        Column("name_zh", "部件名称", "Name", ("名称", "name_zh")),
        _NAME_EN,
    ),
)
PARAMETERS = Table(
    "parameters",
    "参数",
    "Parameters",
    ("参数表", "定值", "parameter"),
    (
        _SITE,
        _FACILITY,
        Column(
            "name",
            "参数",
            "Parameter",
            ("参数编号", "参数名"),
            required=True,
            note=Said("如 setpoint、pump_1.rated_current", "setpoint, pump_1.rated_current"),
        ),
        Column("value", "值", "Value", ("数值", "设定值"), required=True),
    ),
)
RELATIONS = Table(
    "relations",
    "关系",
    "Relations",
    ("关系表", "relation"),
    (
        _SITE,
        _FACILITY,
        Column("name", "关系", "Relation", required=True, note=Said("如 supplied_by", "supplied_by")),
        Column("target", "对象编号", "Target", ("对方编号", "对象"), required=True, note=_KEY_NOTE),
    ),
)
ASSETS = Table("assets", "实物", "Assets", ("资产", "实物表", "asset"), (_SITE, _FACILITY, _PART, *_ASSET))

TABLES = (SITES, LOCATIONS, GATEWAYS, FACILITIES, PARTS, PARAMETERS, RELATIONS, ASSETS)
IGNORED = frozenset(
    folded(word)
    for word in ("序号", "备注", "说明", "No.", "No", "Remarks", "Remark", "Note", "照片", "责任人", "保管人")
)
NOT_TABLES = frozenset(folded(word) for word in ("类型说明", "说明", "填写说明", "Types", "Readme", "选项", "Lists"))

_FIND: Mapping[str, Mapping[str, Column]] = {
    table.key: {folded(word): column for column in reversed(table.columns) for word in column.words()}
    for table in TABLES
}
_NAMES: Mapping[str, Table] = {
    folded(word): table for table in TABLES for word in (table.key, table.zh, table.en, *table.also)
}


def table_called(name: str) -> Table | None:
    return _NAMES.get(folded(name))


def table_with(headers: list[str]) -> Table | None:
    """The table most of whose words stand in this row: two at least, and all that it cannot do without."""
    best: tuple[int, Table] | None = None
    for table in TABLES:
        found = {column.field for header in headers if (column := table.find(header)) is not None}
        complete = all(column.field in found for column in table.columns if column.required)
        if complete and len(found) >= 2 and (best is None or len(found) > best[0]):
            best = (len(found), table)
    return None if best is None else best[1]
