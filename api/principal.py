"""Who asks: a person who is signed in, a token, or the operator's own token; and what he may where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from api.rights import EVERY_RIGHT, Right, rights_of
from ledger.people import Membership, Person

# What names no site we know belongs to whoever holds a right everywhere (0002_roles.sql).
NO_SITE = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """Rights at single sites, and rights at all of them, those to come included."""

    at: Mapping[int, frozenset[Right]]
    everywhere: frozenset[Right]

    def sites(self, right: Right, every_site: Iterable[int]) -> list[int]:
        """The scope of a transaction that needs this right: where it is held, and nowhere else."""
        if right in self.everywhere:
            return [NO_SITE, *every_site]
        return [site for site, rights in self.at.items() if right in rights]

    def holds_somewhere(self, right: Right) -> bool:
        return right in self.everywhere or any(right in rights for rights in self.at.values())

    def rights_at(self, site_id: int) -> frozenset[Right]:
        return self.everywhere | self.at.get(site_id, frozenset())


EVERYTHING = Holding({}, EVERY_RIGHT)


def holding_of(memberships: Iterable[Membership]) -> Holding:
    roles: dict[int | None, list[str]] = {}
    for each in memberships:
        roles.setdefault(each.site_id, []).append(each.role)
    at = {site: rights_of(found) for site, found in roles.items() if site is not None}
    return Holding(at, rights_of(roles.get(None, ())))


@dataclass(frozen=True, slots=True)
class Principal:
    kind: Literal["person", "token", "operator"]
    holding: Holding
    key: str  # whose idempotency keys these are: 'person:3'; nobody can take another's
    person: Person | None = None
    session_id: int | None = None
    token_id: int | None = None
    token_name: str | None = None
    must_change: bool = False

    @property
    def person_id(self) -> int | None:
        return None if self.person is None else self.person.id
