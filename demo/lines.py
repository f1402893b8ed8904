"""The demo's running commentary: one line per alarm that rings, changes hands or ends, and per work order."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ledger import outbox
from ledger.errors import Unavailable
from ledger.pool import Pool, transaction
from rules.model import Pack

_POLL_S = 0.5
_BATCH = 200

# Markers a person can tell apart without colour, strongest first.
_PRIORITY = {
    "urgent": ("‼ 紧急", "‼ urgent"),
    "high": ("! 高", "! high"),
    "medium": ("· 中", "· medium"),
    "low": ("  低", "  low"),
}
_ALARM = {
    "UNACK": ("告警", "ALARM"),
    "ACKED": ("已确认", "acknowledged"),
    "RTNUN": ("已恢复,待确认", "returned, unacknowledged"),
    "LATUN": ("已恢复,自保持", "returned, latched"),
    "LATACK": ("已确认,待复位", "acknowledged, latched"),
    "NORM": ("结束", "ended"),
}
_ORDER = {
    "opened": ("工单开立", "work order opened"),
    "dispatched": ("工单派出", "dispatched"),
    "accepted": ("已接单", "accepted"),
    "arrived": ("已到场", "arrived"),
    "planned": ("方案已定", "planned"),
    "resolved": ("已处理", "resolved"),
    "verified": ("已验收", "verified"),
    "closed": ("工单关闭", "closed"),
    "suspended": ("工单挂起", "suspended"),
    "cancelled": ("工单取消", "cancelled"),
}


async def follow(pool: Pool, packs: Mapping[str, Pack], language: str, say: Callable[[str], None]) -> None:
    """Say every change from now on until cancelled. A database that is away for a moment is waited for."""
    said: dict[tuple[str, int], str] = {}
    position: outbox.Position | None = None
    while True:
        try:
            async with transaction(pool) as connection:
                position = position or await outbox.newest(connection)
                notices = await outbox.after(connection, position, limit=_BATCH)
        except Unavailable:
            notices = []
        for notice in notices:
            position = notice.position
            line = _line(notice, packs, language)
            subject = (notice.kind, notice.subject_id)
            state = str(notice.payload.get("state"))
            if line is not None and said.get(subject) != state:
                said[subject] = state
                say(line)
        if len(notices) < _BATCH:
            await asyncio.sleep(_POLL_S)


def _line(notice: outbox.Notice, packs: Mapping[str, Pack], language: str) -> str | None:
    if notice.kind == "alarm" and notice.payload.get("rang_at"):
        return _alarm_line(notice.payload, packs, language)
    if notice.kind == "work_order":
        return _order_line(notice.payload, language)
    return None


def _alarm_line(payload: Mapping[str, object], packs: Mapping[str, Pack], language: str) -> str:
    chosen = 0 if language == "zh" else 1
    names = payload["facility_name"]
    assert isinstance(names, dict)
    part = f" {payload['part']}" if payload.get("part") else ""
    place = f"{names['zh' if chosen == 0 else 'en']}{part}"  # pyright: ignore[reportUnknownVariableType]
    return (
        f"{_clock(payload, 'began_at')}  {_PRIORITY[str(payload['priority'])][chosen]:<8} "
        f"[{payload['grade']}] {place}: {_title(payload, packs, language)} - {_ALARM[str(payload['state'])][chosen]}"
    )


def _order_line(payload: Mapping[str, object], language: str) -> str:
    chosen = 0 if language == "zh" else 1
    return (
        f"{_clock(payload, 'opened_at')}  {_PRIORITY[str(payload['priority'])][chosen]:<8} "
        f"#{payload['work_order']} {payload['title_zh' if chosen == 0 else 'title_en']} - {_ORDER[str(payload['state'])][chosen]}"
    )


def _title(payload: Mapping[str, object], packs: Mapping[str, Pack], language: str) -> str:
    for kind in (str(payload["kind"]), "any"):
        rule = packs[kind].rules.get(str(payload["rule"])) if kind in packs else None
        if rule is not None:
            return rule.title.zh if language == "zh" else rule.title.en
    return str(payload["rule"])


def _clock(payload: Mapping[str, object], field: str) -> str:
    return datetime.fromisoformat(str(payload[field])).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M:%S")
