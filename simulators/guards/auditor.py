"""Holds the ledger against what the guards did: every cheat marked by its name, nobody honest marked, each visit there once.

Pure, and independent of the service: it knows its words only as the API writes them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.guards.phone import Told
from simulators.guards.shift import Shift, Visit

Row = Mapping[str, Any]
# What a guard is told and nobody has to look into: no doubt of him.
_TOLD_ONLY = frozenset({"already_done", "answers_missing", "answers_unknown", "photo_missing", "checklist_retired"})


@dataclass(slots=True)
class Findings:
    """Empty where the ledger is as it has to be."""

    unmarked: list[str] = field(default_factory=list[str])  # a cheat without its reason
    wronged: list[str] = field(default_factory=list[str])  # a reason that nobody gave cause for
    lost: list[str] = field(default_factory=list[str])  # not there once, or not as it was told

    @property
    def clean(self) -> bool:
        return not (self.unmarked or self.wronged or self.lost)


def compare(
    shifts: Sequence[Shift], told: Sequence[Told], visits: Sequence[Row], dossiers: Mapping[str, Sequence[Row]]
) -> Findings:
    """`told` in the order of `shifts`; `visits` all of the site; `dossiers` by facility. What other people did is theirs."""
    findings = Findings()
    guards = {each.guard for each in shifts}
    rows: dict[str, list[Row]] = {}
    for row in (each for each in visits if each["person"] in guards):
        rows.setdefault(row["id"], []).append(row)
    entries = Counter(
        (facility, entry["body"]["visit"])
        for facility, found in dossiers.items()
        for entry in found
        if entry["kind"] == "inspection" and entry["body"]["person"] in guards
    )
    for shift, heard in zip(shifts, told, strict=True):
        for visit in shift.visits:
            found = rows.pop(str(visit.id), [])
            name = f"{shift.guard} ({shift.cheat or 'honest'}, {shift.network}) at {visit.stop.facility}"
            if len(found) != 1:
                findings.lost.append(f"{name}: in the ledger {len(found)} times")
                continue
            _marks(findings, name, visit, found[0])
            _kept(findings, name, visit, found[0], heard)
            times = entries.pop((visit.stop.facility, str(visit.id)), 0)
            if times != 1:
                findings.lost.append(f"{name}: in its dossier {times} times")
    findings.lost += [f"visit {each}: nobody made it" for each in rows]
    findings.lost += [f"visit {each} at {facility}: in a dossier, and nobody made it" for facility, each in entries]
    return findings


def _marks(findings: Findings, name: str, visit: Visit, row: Row) -> None:
    marked = {each["key"] for each in row["reasons"]} - _TOLD_ONLY
    if missing := visit.must - marked:
        findings.unmarked.append(f"{name}: not marked {', '.join(sorted(missing))}; marked {sorted(marked)}")
    if more := marked - visit.must:
        findings.wronged.append(f"{name}: marked {', '.join(sorted(more))} without cause")
    verdict = "to_review" if marked else "accepted"
    if row["verdict"] != verdict:
        findings.wronged.append(f"{name}: {row['verdict']} with {sorted(marked)}")


def _kept(findings: Findings, name: str, visit: Visit, row: Row, heard: Told) -> None:
    """Each telling was answered, and what stands there is what was told first."""
    answers = heard.results.get(str(visit.id), [])
    first, again = answers[:1], set(answers[1:])
    if first != ["kept"] or again - ({"known", "refused"} if visit.retold else {"known"}):
        findings.lost.append(f"{name}: was answered {answers}")
    if visit.retold and "refused" not in again:
        findings.lost.append(f"{name}: told otherwise afterwards, and was answered {answers}")
    place = None if row["facility"] is None else row["facility"]["key"]
    if place != visit.stop.facility:
        findings.lost.append(f"{name}: kept at {place}")
    if (row["work_order"] is not None) != bool(visit.failed):
        findings.lost.append(f"{name}: failed {list(visit.failed)}, work order {row['work_order']}")
    if row["note"] is not None:
        findings.lost.append(f"{name}: its note was changed afterwards")
