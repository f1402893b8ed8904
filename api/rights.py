"""Who may do what: the one table of roles and rights. docs/people.md shows it (tests/api/test_rights.py compares the two).

A route names the right it needs, and its transaction's scope is exactly the sites where whoever asks holds that right
(api/context.py). Words for people are in catalogue.yaml, sections `role` and `right`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Right(StrEnum):
    READ = "read"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    OUT_OF_SERVICE = "out_of_service"
    RESET = "reset"
    COMMENT = "comment"
    ASSIGN = "assign"  # open, dispatch, suspend and cancel work orders
    WORK = "work"  # accept, arrive, plan, resolve
    VERIFY = "verify"  # see that it is done, file it, reopen it
    PERMIT = "permit"
    PARAMETERS = "parameters"
    POLICY = "policy"  # grades, contracts
    ESTATE = "estate"
    INSPECT = "inspect"
    COUNTERSIGN = "countersign"  # as supervisor of whoever walked
    CONFIRM = "confirm"  # as fire safety manager, that a hazard is put right
    REPORT = "report"  # issue the month's inspection report
    PEOPLE = "people"
    TOKENS = "tokens"
    AUDIT = "audit"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    PROJECT_MANAGER = "project_manager"
    DUTY_ENGINEER = "duty_engineer"
    MAINTENANCE_ENGINEER = "maintenance_engineer"
    PATROL_GUARD = "patrol_guard"
    FIRE_GRID_OFFICER = "fire_grid_officer"
    CONTRACTOR = "contractor"
    AUDITOR = "auditor"


_R = Right
EVERY_RIGHT = frozenset(Right)
RIGHTS_OF: Mapping[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: EVERY_RIGHT,
    Role.PROJECT_MANAGER: EVERY_RIGHT - {_R.PEOPLE, _R.TOKENS, _R.WORK},
    Role.DUTY_ENGINEER: frozenset(
        {_R.READ, _R.ACKNOWLEDGE, _R.SHELVE, _R.RESET, _R.COMMENT, _R.ASSIGN, _R.VERIFY, _R.PERMIT, _R.INSPECT}
    ),
    Role.MAINTENANCE_ENGINEER: frozenset(
        {_R.READ, _R.ACKNOWLEDGE, _R.OUT_OF_SERVICE, _R.RESET, _R.COMMENT, _R.WORK, _R.PERMIT, _R.INSPECT}
    ),
    Role.PATROL_GUARD: frozenset({_R.READ, _R.ACKNOWLEDGE, _R.COMMENT, _R.INSPECT}),
    Role.FIRE_GRID_OFFICER: frozenset({_R.READ, _R.COMMENT, _R.INSPECT, _R.VERIFY, _R.COUNTERSIGN, _R.REPORT}),
    Role.CONTRACTOR: frozenset({_R.READ, _R.COMMENT, _R.WORK, _R.INSPECT}),
    Role.AUDITOR: frozenset({_R.READ, _R.AUDIT}),
}


_ROLES = {role.value: role for role in Role}
_RIGHTS = {right.value: right for right in Right}


def rights_of(roles: Iterable[str]) -> frozenset[Right]:
    """All that the roles give together. A role of a later version gives nothing."""
    return frozenset(right for role in roles if role in _ROLES for right in RIGHTS_OF[_ROLES[role]])


def known(rights: Iterable[str]) -> frozenset[Right]:
    """Of a token's rights those there are. A right of a later version opens nothing."""
    return frozenset(_RIGHTS[each] for each in rights if each in _RIGHTS)
