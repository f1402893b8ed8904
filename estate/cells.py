"""What a cell means: dates as people write them, figures, grades, keys. Each either gives a value or says what would do."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

from estate.faults import Said
from estate.sheets import Value, text_of, words_of

_SERIAL_DAY_0 = date(1899, 12, 30)  # what a spreadsheet counts its days from
_SERIALS = range(18_264, 73_050)  # 1950 to 2099
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_KEY = re.compile(r"[a-z0-9_-]{1,64}")

IN_USE = frozenset(("在用", "正常", "启用", "完好", "运行", "in use", "ok", "yes"))
GONE = frozenset(("报废", "拆除", "已报废", "已拆除", "removed", "scrapped"))
EXAMPLE = frozenset(("示例", "例", "example"))


class Unclear(ValueError):
    """The cell cannot be understood; `said` tells what would do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.said = Said(zh, en)


def day(value: Value) -> str:
    """A date in ISO form. A month alone is its first day: early, so that nothing expires unnoticed."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = text_of(value)
    if re.fullmatch(r"\d{5}", text) and int(text) in _SERIALS:
        return (_SERIAL_DAY_0 + timedelta(days=int(text))).isoformat()
    for pattern in (_DAY, _COMPACT, _MONTH):
        found = pattern.fullmatch(text)
        if found is not None:
            parts = [int(part) for part in found.groups()]
            try:
                return date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1).isoformat()
            except ValueError:
                raise Unclear(f"没有 {text} 这一天", f"there is no day {text}") from None
    raise Unclear(f"{text} 不是日期；写成 2024-05-01", f"{text} is no date; write it like 2024-05-01")


def clock(value: Value) -> str:
    if isinstance(value, time):
        return value.isoformat("minutes")
    return text_of(value).replace("：", ":")


def figure(value: Value) -> str:
    text = text_of(value)
    try:
        float(text)
    except ValueError:
        raise Unclear(f"{text} 不是数字；不要写单位", f"{text} is no number; leave the unit out") from None
    return text


def key(value: Value) -> str:
    text = text_of(value).lower()
    if _KEY.fullmatch(text) is None:
        raise Unclear(
            f"编号 {text} 只能用字母、数字、下划线和连字符，最多 64 个，例如 mh-1-03",
            f"the key {text} may hold letters, figures, _ and - only, 64 at most, as in mh-1-03",
        )
    return text


def grade(value: Value) -> str:
    text = text_of(value).upper().removesuffix("级").removesuffix("类").strip()
    if text not in ("A", "B", "C"):
        raise Unclear(f"等级 {text_of(value)} 只能是 A、B 或 C", f"the grade {text_of(value)} must be A, B or C")
    return text


def words(value: Value) -> list[str]:
    """Several names in one cell, parted by commas or spaces."""
    return [word for word in re.split(r"[,、;\s]+", text_of(value).lower()) if word]


READERS: Mapping[str, Callable[[Value], str]] = {
    "manufactured_on": day,
    "installed_on": day,
    "round_at": clock,
    "value": figure,
    "grade": grade,
    **dict.fromkeys(("name_zh", "name_en", "maker", "model", "serial", "reason"), words_of),
}
KEYS = frozenset(("key", "facility", "target", "part", "gateway", "renamed_from"))
LISTS = frozenset(("without", "with"))
