"""Passwords of people: what is good enough, hashing with argon2id, comparing. Costs 64 MiB and a core for a moment each.

A hash says with which parameters it was made; one made with others is still good, and is replaced when its password is
next shown.
"""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

CHARS_MIN = 10
CHARS_MAX = 128
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is taken for something else when read aloud

Weakness = Literal["too_short", "too_long", "has_login", "too_plain"]


class CannotHash(Exception):
    """The machine lacks the memory or the threads for it at this moment: that says nothing of the password."""


@dataclass(slots=True)
class Hasher:
    """`memory_kib` and `rounds` are for tests; what is in force otherwise is the second choice of RFC 9106."""

    memory_kib: int = 64 * 1024
    rounds: int = 3
    lanes: int = 4
    _argon: PasswordHasher = field(init=False)
    _nobody: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._argon = PasswordHasher(time_cost=self.rounds, memory_cost=self.memory_kib, parallelism=self.lanes)

    def hash(self, password: str) -> str:
        """Raises CannotHash."""
        try:
            return self._argon.hash(password)
        except HashingError as error:
            raise CannotHash(str(error)) from error

    def verify(self, hashed: str | None, password: str) -> bool:
        """None stands for nobody's and takes as long as any other, so that time does not tell who there is.

        Raises CannotHash.
        """
        if hashed is None:
            if not self._nobody:
                self._nobody = self.hash(secrets.token_urlsafe(24))
            hashed = self._nobody
        try:
            return self._argon.verify(hashed, password) and hashed is not self._nobody
        except (VerifyMismatchError, InvalidHashError):
            return False
        except VerificationError as error:
            raise CannotHash(str(error)) from error

    def is_outdated(self, hashed: str) -> bool:
        return self._argon.check_needs_rehash(hashed)


def weakness(password: str, login: str) -> Weakness | None:
    """What is wrong with it; None: it will do. Length counts, and nothing else that people would write on a note."""
    if len(password) < CHARS_MIN:
        return "too_short"
    if len(password) > CHARS_MAX:
        return "too_long"
    if len(set(password)) < 5:
        return "too_plain"
    if login.casefold() in password.casefold():
        return "has_login"
    return None


def one_time() -> str:
    """A password to be told to somebody, good for one sign-in: 74 bits in groups of five."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(3))
