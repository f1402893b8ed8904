"""How soon a piece of equipment or a certificate ends, in the steps at which somebody is told: 60, 30 and 7 days ahead. Pure.

Sixty and thirty days ahead it stands in the list and in the month's report; the last week, and what has ended, is an alarm:
one of each facility however many of its pieces or papers end, and of a site no more than a person goes through on a day.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from inspection.checklist import Book
from ledger.certificates import CertificateKind
from ledger.expiring import EndingCertificate, EndingPiece, Interval
from ledger.records import Grade

LOOK_AHEAD_DAYS_MAX = 366
ALARM_AHEAD_DAYS = 7
ALARMS_MAX = 10  # of one rule at one site: what was bought together ends together
SAID_MAX = 10  # of one facility
# What has to be there as long as the facility runs. A product's paper lets it be installed, acceptance is once, and of
# `other` nobody knows.
REQUIRED = frozenset(CertificateKind) - {
    CertificateKind.FIRE_PRODUCT,
    CertificateKind.ACCEPTANCE,
    CertificateKind.OTHER,
}
_FIRE = "fire"  # the class of work
_ON_NO_ROUND = frozenset({"fire_alarm_control_unit"})  # has no checklist
_ROOMS = frozenset({"fire_control_room", "fire_pump_room"})  # their machines have no end by a standard


class Expiry(StrEnum):
    ENDED = "ended"
    WITHIN_7_DAYS = "within_7_days"
    WITHIN_30_DAYS = "within_30_days"
    WITHIN_60_DAYS = "within_60_days"
    LATER = "later"


class Ending(StrEnum):
    """Keys of the rules that the ends of equipment and certificates are judged by, in the pack `any`."""

    EQUIPMENT_ENDS_SOON = "equipment_ends_soon"
    EQUIPMENT_ENDED = "equipment_ended"
    CERTIFICATE_ENDS_SOON = "certificate_ends_soon"
    CERTIFICATE_ENDED = "certificate_ended"


_STEPS = ((7, Expiry.WITHIN_7_DAYS), (30, Expiry.WITHIN_30_DAYS), (60, Expiry.WITHIN_60_DAYS))

EndingThing = EndingPiece | EndingCertificate
_ALARMS: Mapping[type[EndingThing], Mapping[Expiry, Ending]] = {
    EndingPiece: {Expiry.ENDED: Ending.EQUIPMENT_ENDED, Expiry.WITHIN_7_DAYS: Ending.EQUIPMENT_ENDS_SOON},
    EndingCertificate: {Expiry.ENDED: Ending.CERTIFICATE_ENDED, Expiry.WITHIN_7_DAYS: Ending.CERTIFICATE_ENDS_SOON},
}

_GRAVEST_FIRST = (
    Ending.EQUIPMENT_ENDED,
    Ending.EQUIPMENT_ENDS_SOON,
    Ending.CERTIFICATE_ENDED,
    Ending.CERTIFICATE_ENDS_SOON,
)

Place = tuple[int, str]  # facility, rule


@dataclass(frozen=True, slots=True)
class _Facility:
    id: int
    grade: Grade
    things: Sequence[EndingThing]  # of one type, the first to end first

    def is_to_be_serviced(self, today: date) -> bool:
        """And nothing of it ends."""
        return all(_is_serviced(each) for each in self.things if _alarm_of(each, today) is not None)

    def rank(self) -> tuple[int, date, int]:
        return list(Grade).index(self.grade), self.things[0].ends_on, self.id


def expiry(ends_on: date, today: date) -> Expiry:
    """On its last day a piece may still be used."""
    if ends_on < today:
        return Expiry.ENDED
    left = ends_on - today
    return next((step for days, step in _STEPS if left <= timedelta(days=days)), Expiry.LATER)


def fire_kinds(book: Book) -> frozenset[str]:
    """Kinds of facility whose pieces are fire equipment."""
    return _ON_NO_ROUND | {each.kind for each in book.all_current() if each.work_class == _FIRE} - _ROOMS


def alarms(
    things: Iterable[EndingThing], standing: AbstractSet[Place], today: date
) -> Mapping[Place, Mapping[str, object]]:
    """What an alarm says, by facility and rule. What stands goes on while it is so; then the gravest, the first to end.

    What is merely to be serviced takes the room that is left.
    """
    of: dict[Ending, list[_Facility]] = {rule: [] for rule in Ending}
    by_facility: dict[tuple[int, type[EndingThing]], list[EndingThing]] = {}
    for each in sorted(things, key=lambda one: (one.ends_on, one.id)):
        by_facility.setdefault((each.facility_id, type(each)), []).append(each)
    for (facility_id, _), its in by_facility.items():
        due = {_alarm_of(each, today) for each in its}
        gravest = next((rule for rule in _GRAVEST_FIRST if rule in due), None)
        if gravest is not None:
            of[gravest].append(_Facility(facility_id, its[0].grade, its))
    found: dict[Place, Mapping[str, object]] = {}
    for rule, facilities in of.items():
        ranked = sorted(
            facilities, key=lambda one: (one.is_to_be_serviced(today), (one.id, rule.value) not in standing, one.rank())
        )
        told = ranked[:ALARMS_MAX]
        found |= {(each.id, rule.value): _said(rule, each, today, others=len(ranked) - len(told)) for each in told}
    return found


def _is_serviced(thing: EndingThing) -> bool:
    return isinstance(thing, EndingPiece) and thing.interval is Interval.SERVICE


def _alarm_of(thing: EndingThing, today: date) -> Ending | None:
    """A service that is due can wait a while, also when its day is over: the piece may still be used."""
    rule = _ALARMS[type(thing)].get(expiry(thing.ends_on, today))
    return Ending.EQUIPMENT_ENDS_SOON if rule is not None and _is_serviced(thing) else rule


def _said(rule: Ending, facility: _Facility, today: date, *, others: int) -> Mapping[str, object]:
    ending = [each for each in facility.things if _alarm_of(each, today) is not None]
    return {"rule": rule.value, **_told(ending), "more_facilities": others}


def _told(ending: Sequence[EndingThing]) -> Mapping[str, object]:
    """The words of pieces or of certificates: of which of them, `ending` is throughout."""
    pieces = [
        {
            "part": each.part_key,
            "maker": each.maker,
            "model": each.model,
            "ends_on": each.ends_on.isoformat(),
            "interval": each.interval.value,
        }
        for each in ending
        if isinstance(each, EndingPiece)
    ]
    papers = [
        {"kind": each.kind.value, "number": each.number, "ends_on": each.ends_on.isoformat()}
        for each in ending
        if isinstance(each, EndingCertificate)
    ]
    if papers:
        return {"certificates": papers[:SAID_MAX], "more_certificates": len(papers[SAID_MAX:])}
    return {"pieces": pieces[:SAID_MAX], "more_pieces": len(pieces[SAID_MAX:])}
