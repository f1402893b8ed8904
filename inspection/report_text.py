"""A report in words and tables, in one language: what its PDF and its spreadsheet both say, made of its figures alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from inspection.month import Figures, Place, RoundFigures, Words

Language = Literal["zh", "en"]
Cell = str | int
Said = Callable[[str, str], str]  # words of the catalogue: section and key


@dataclass(frozen=True, slots=True)
class Issue:
    """Which report it is."""

    number: int
    version: int
    issued_at: datetime
    issued_by: str
    reason: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    weights: Sequence[float]  # how wide they are, beside each other
    rows: Sequence[Sequence[Cell]]
    none: str  # said where there are no rows


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    about: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    foot: str


_TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("消防巡检月报", "Monthly inspection report"),
    "site": ("项目", "Site"),
    "month": ("月份", "Month"),
    "grid": ("网格", "Grid"),
    "whole": ("全项目", "Whole site"),
    "version": ("版本", "Version"),
    "issued": ("出具", "Issued"),
    "reason": ("重新出具原因", "Issued again because"),
    "summary": ("总览", "Summary"),
    "figure": ("项目", "Figure"),
    "count": ("数量", "Count"),
    "due": ("应巡轮次", "Rounds due"),
    "done": ("按时完成", "Done in time"),
    "late": ("超时完成", "Done late"),
    "incomplete": ("有漏检", "Stops left out"),
    "abandoned": ("中止", "Broken off"),
    "missed": ("未巡", "Missed"),
    "walking": ("尚未结束", "Not ended"),
    "stops": ("到位点位 / 应到点位", "Stops visited / due"),
    "covered": ("法定周期检查：已查 / 应查", "Checks by the law's calendar: done / due"),
    "without_tag": ("没有标签的设施", "Facilities without a tag"),
    "visits": ("扫码检查次数", "Visits"),
    "to_review": ("待审核", "To review"),
    "struck": ("审核作废", "Struck"),
    "found": ("发现隐患", "Hazards found"),
    "put_right": ("已整改", "Put right"),
    "confirmed": ("其中已确认", "Of them confirmed"),
    "open": ("未整改", "Not put right"),
    "plans": ("各路线完成情况", "By route"),
    "plan": ("路线", "Route"),
    "officer": ("负责人", "Officer"),
    "lapses": ("未按时完成的轮次", "Rounds not done in time"),
    "window": ("时段", "Window"),
    "state": ("状态", "State"),
    "guard": ("巡查人", "Patroller"),
    "visited": ("到位", "Visited"),
    "findings": ("发现的隐患", "Hazards"),
    "facility": ("设施", "Facility"),
    "what": ("不合格项", "What failed"),
    "found_by": ("发现人 / 时间", "Found by / at"),
    "order": ("工单", "Order"),
    "right_by": ("整改人 / 时间", "Put right by / at"),
    "confirmed_by": ("确认人", "Confirmed by"),
    "people": ("人员", "By person"),
    "person": ("姓名", "Name"),
    "walked": ("完成轮次", "Rounds walked"),
    "walked_late": ("其中超时", "Of them late"),
    "coverage": ("法定周期检查，按设施类别", "Checks by the law's calendar, by kind"),
    "kind": ("类别", "Kind"),
    "facilities": ("设施数", "Facilities"),
    "checks_due": ("应查", "Due"),
    "checks_done": ("已查", "Done"),
    "percent": ("完成率", "Percent"),
    "unseen": ("本月有周期未查的设施", "Facilities not looked at in a period"),
    "period": ("周期", "Period"),
    "expiring": ("报废、送修到期或 60 天内到期的器材", "Equipment past its life or service, or within 60 days"),
    "piece": ("器材", "Piece"),
    "ends": ("到期日", "Ends on"),
    "unsigned": ("尚未签字", "Not signed"),
    "begin": ("开始时段", "Window from"),
    "lacking": ("缺少签字", "Lacking"),
    "none": ("无", "None"),
    "cut": ("以下清单过长，只列出前 1000 行", "Longer than is kept, the first 1000 lines are shown"),
    "foot": (
        "编号 {number} · 第 {version} 版 · 数据校验 SHA-256 {sha256}",
        "No. {number} · version {version} · SHA-256 of its figures {sha256}",
    ),
}
_ROUND_COLUMNS = ("due", "done", "late", "incomplete", "abandoned", "missed")


def document(figures: Figures, issue: Issue, language: Language, said: Said) -> Document:
    writer = _Writer(figures, language, said)
    return Document(
        title=writer.word("title"),
        about=writer.about(issue),
        tables=[
            writer.summary(),
            writer.plans(),
            writer.lapses(),
            writer.findings(),
            writer.people(),
            writer.coverage(),
            writer.unseen(),
            writer.expiring(),
            writer.unsigned(),
        ],
        foot=writer.word("foot").format(number=issue.number, version=issue.version, sha256=issue.sha256),
    )


class _Writer:
    def __init__(self, figures: Figures, language: Language, said: Said) -> None:
        self._figures, self._zh, self._said = figures, language == "zh", said
        self._here = ZoneInfo(figures.time_zone)

    def word(self, key: str) -> str:
        zh, en = _TEXTS[key]
        return zh if self._zh else en

    def about(self, issue: Issue) -> list[tuple[str, str]]:
        figures = self._figures
        issued_by = self._said("actor", issue.issued_by)
        lines = [
            (self.word("site"), self._of(figures.site_name)),
            (self.word("month"), f"{figures.month:%Y-%m}"),
            (self.word("grid"), figures.grid or self.word("whole")),
            (self.word("version"), str(issue.version)),
            (self.word("issued"), f"{self._at(issue.issued_at)} · {issued_by}"),
        ]
        if issue.reason is not None:
            lines.append((self.word("reason"), issue.reason))
        if figures.cut:
            names = {"finding_list": "findings"}
            cut = ", ".join(self.word(names.get(each, each)) for each in figures.cut)
            lines.append((self.word("cut"), cut))
        return lines

    def summary(self) -> Table:
        rounds, checks = self._figures.rounds, self._figures.checks
        findings, coverage = self._figures.findings, self._figures.coverage
        rows: list[tuple[str, Cell]] = [
            *((key, getattr(rounds, key)) for key in (*_ROUND_COLUMNS, "walking")),
            ("stops", f"{rounds.stops_visited} / {rounds.stops_due}"),
            ("covered", f"{coverage.done} / {coverage.due}"),
            ("without_tag", coverage.without_tag),
            *((key, getattr(checks, key)) for key in ("visits", "to_review", "struck")),
            *((key, getattr(findings, key)) for key in ("found", "put_right", "confirmed", "open")),
            ("unsigned", len(self._figures.unsigned)),
        ]
        return self._table("summary", {"figure": 3, "count": 1}, [(self.word(key), value) for key, value in rows])

    def plans(self) -> Table:
        columns = {"plan": 3.0, "officer": 1.6, **dict.fromkeys(_ROUND_COLUMNS, 1.0), "stops": 1.6}
        rows = [(self._of(each.name), each.officer, *_counts(each.rounds)) for each in self._figures.plans]
        return self._table("plans", columns, rows)

    def lapses(self) -> Table:
        columns = {"plan": 2.4, "window": 2.6, "state": 1.4, "guard": 1.4, "visited": 1}
        rows = [
            (
                self._of(each.name),
                f"{self._at(each.window_from)} - {self._at(each.window_until)[-5:]}",
                self.word("late") if each.state == "finished" else self._said("window_state", each.state),
                each.guard or "",
                f"{each.visited} / {each.stops}",
            )
            for each in self._figures.lapses
        ]
        return self._table("lapses", columns, rows)

    def findings(self) -> Table:
        columns = {"facility": 2.4, "what": 2.6, "found_by": 1.8, "order": 0.9, "right_by": 1.8, "confirmed_by": 1.2}
        rows = [
            (
                self._place(each.at),
                "；".join(self._of(one) for one in each.failed)
                if self._zh
                else "; ".join(one.en for one in each.failed),
                f"{each.person} {self._at(each.scanned_at)}",
                "" if each.work_order is None else f"#{each.work_order}",
                "" if each.put_right_at is None else f"{each.put_right_by} {self._at(each.put_right_at)}",
                each.confirmed_by or "",
            )
            for each in self._figures.finding_list
        ]
        return self._table("findings", columns, rows)

    def people(self) -> Table:
        columns = {"person": 2, "walked": 1, "walked_late": 1, "visits": 1, "found": 1, "put_right": 1}
        rows = [
            (each.person, each.rounds, each.late, each.visits, each.found, each.put_right)
            for each in self._figures.people
        ]
        return self._table("people", columns, rows)

    def coverage(self) -> Table:
        columns = {"kind": 3, "facilities": 1, "checks_due": 1, "checks_done": 1, "percent": 1}
        rows = [
            (self._of(each.name), each.facilities, each.due, each.done, f"{100 * each.done // each.due}%")
            for each in self._figures.coverage.kinds
        ]
        return self._table("coverage", columns, rows)

    def unseen(self) -> Table:
        columns = {"facility": 4, "period": 1, "checks_due": 1, "checks_done": 1}
        rows = [
            (self._place(each.at), self._said("check_period", each.period), each.due, each.done)
            for each in self._figures.coverage.unseen
        ]
        return self._table("unseen", columns, rows)

    def expiring(self) -> Table:
        columns = {"facility": 3, "piece": 2, "ends": 1.6, "state": 1.4}
        rows = [
            (
                self._place(each.at),
                each.piece,
                f"{each.ends_on.isoformat()} {self._said('expiry_interval', each.interval)}",
                self._said("expiry", each.expiry),
            )
            for each in self._figures.expiring
        ]
        return self._table("expiring", columns, rows)

    def unsigned(self) -> Table:
        columns = {"plan": 2.4, "begin": 1.8, "guard": 1.4, "lacking": 2.4}
        comma = "、" if self._zh else ", "
        rows = [
            (
                self._of(each.name),
                self._at(each.window_from),
                each.guard,
                comma.join(self._said("signature_part", one) for one in each.lacking),
            )
            for each in self._figures.unsigned
        ]
        return self._table("unsigned", columns, rows)

    def _table(self, title: str, columns: Mapping[str, float], rows: Sequence[Sequence[Cell]]) -> Table:
        heads = [self.word(each) for each in columns]
        return Table(self.word(title), heads, list(columns.values()), rows, self.word("none"))

    def _of(self, words: Words) -> str:
        return words.zh if self._zh else words.en

    def _place(self, place: Place) -> str:
        return (
            f"{self._of(place.name)}（{self._of(place.place)}）" if self._zh else f"{place.name.en} ({place.place.en})"
        )

    def _at(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._here):%Y-%m-%d %H:%M}"


def _counts(rounds: RoundFigures) -> list[Cell]:
    return [*(getattr(rounds, key) for key in _ROUND_COLUMNS), f"{rounds.stops_visited} / {rounds.stops_due}"]
