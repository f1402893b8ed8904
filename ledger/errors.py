"""Everything the ledger may refuse, split by what the caller can do about it.

    LedgerError
    |-- NotFound             no such row in the caller's scope: ask for another
    |-- Refused              the request is understood and may not be done; says what could be
    |   |-- IllegalMove      the lifecycle does not allow it from here; carries the legal moves
    |   |-- OwnWork          who did it does not answer for it: let another do that
    |   |-- Superseded       a newer one came in its place: that one first
    |   |-- Withdrawn        it is on record only, and takes nothing more
    |   |-- Retired          its facility is no more: of one that is there
    |   |-- NotPermitted     the response table does not allow it for this grade, severity or duration
    |   `-- Conflict         somebody else was there first
    |       `-- Taken        what names it names another already: choose another
    |-- Invalid              a value breaks a rule of the ledger; says which and what would do
    `-- Unavailable          the database cannot be reached or gave up; try again
        |-- TookTooLong      it gave up because a statement took longer than it may; try again with less
        `-- Unreachable      no connection to it is to be had: whatever else is asked of it fails too

Driver errors become these in `ledger.constraints`.
"""

from collections.abc import Iterable


class LedgerError(Exception):
    """Root of the tree."""


class NotFound(LedgerError):
    """No such row in the caller's scope."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"no {what} {key!r}")
        self.what, self.key = what, key


class Refused(LedgerError):
    """Understood, and may not be done now."""


class IllegalMove(Refused):
    """The lifecycle has no such move from here. `legal` names the moves it has."""

    def __init__(self, subject: str, state: str, move: str, legal: Iterable[str]) -> None:
        self.subject, self.state, self.move, self.legal = subject, state, move, tuple(legal)
        options = ", ".join(self.legal) or "none"
        super().__init__(f"{subject} is {state}: {move} is not possible; possible now: {options}")


class OwnWork(Refused):
    """Who did it does not answer for it."""


class Superseded(Refused):
    """A newer one came in its place; the message names it."""


class Withdrawn(Refused):
    """It was taken back and is on record only."""


class Retired(Refused):
    """The facility is no more in service."""


class NotPermitted(Refused):
    """The response table forbids it for this grade and severity; the message says what it allows."""


class Conflict(Refused):
    """Another transaction was first, or what was asked for is done already."""


class Taken(Conflict):
    """What a person chose for it is another's already. `constraint` keeps it so."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class Invalid(LedgerError):
    """A value breaks a rule of the ledger."""


class Unavailable(LedgerError):
    """The database cannot be reached, or a lock or statement took too long: nothing was done, try again."""


class TookTooLong(Unavailable):
    """A statement met its time limit: nothing was done. Less at a time may get through."""


class Unreachable(Unavailable):
    """No connection to the database is to be had, for this or for anything else."""
