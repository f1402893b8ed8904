"""Mosquitto's password and permission files: one user's line in the first, one user's stanza in the second.

Each file is replaced whole or not at all, and keeps its owner and mode; a new one gets the owner of its directory, so
that the broker can read what root wrote, and nobody else. Lines that are not the user's stay as they are. Whatever
comes between the two writes, no one may do more than he should: a user gets his rights before his password, and loses
his password before his rights.
"""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from credentials.errors import AlreadyThere, CredentialError, FilesUnusable, NotThere
from credentials.rights import Rights
from credentials.secret import hashed, is_of

_MODE = 0o600


@dataclass(frozen=True, slots=True)
class MosquittoFiles:
    """The two files; they need not exist yet, their directories must."""

    password_file: Path
    acl_file: Path

    def users(self) -> list[str]:
        """Names in the order of the file. Raises FilesUnusable."""
        return [line.partition(":")[0] for line in _lines(self.password_file) if _is_entry(line)]

    def add(self, rights: Rights, password: str, *, rotate: bool) -> None:
        """Raises AlreadyThere unless it may `rotate`, FilesUnusable, CredentialError."""
        with self._held():
            if rights.user in self.users() and not rotate:
                raise AlreadyThere(f"{rights.user} has a credential in {self.password_file} already")
            self._put(rights, password)

    def ensure(self, rights: Rights, password: str) -> bool:
        """Make it so; False when it was so already. Raises FilesUnusable, CredentialError."""
        with self._held():
            kept = next((line for line in _lines(self.password_file) if _is_of(line, rights.user)), "")
            before = _lines(self.acl_file)
            if is_of(password, kept.partition(":")[2]) and _with_stanza(before, rights) == before:
                return False
            self._put(rights, password)
            return True

    def remove(self, user: str) -> None:
        """Raises NotThere, FilesUnusable."""
        with self._held():
            if user not in self.users():
                raise NotThere(f"{user} has no credential in {self.password_file}")
            _replace(self.password_file, [line for line in _lines(self.password_file) if not _is_of(line, user)])
            _replace(self.acl_file, _without_stanza(_lines(self.acl_file), user))

    def _put(self, rights: Rights, password: str) -> None:
        if not password or "\n" in password:
            raise CredentialError(f"the password of {rights.user} is empty or has a line break")
        _replace(self.acl_file, _with_stanza(_lines(self.acl_file), rights))
        kept = [line for line in _lines(self.password_file) if not _is_of(line, rights.user)]
        _replace(self.password_file, [*kept, f"{rights.user}:{hashed(password)}"])

    @contextmanager
    def _held(self) -> Generator[None]:
        """One writer at a time: what another added meanwhile must not be lost."""
        try:
            descriptor = os.open(self.password_file.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _unusable(self.password_file.parent, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


# ------------------------------------------------------------------ lines


def _is_entry(line: str) -> bool:
    return ":" in line and not line.startswith("#")


def _is_of(line: str, user: str) -> bool:
    return _is_entry(line) and line.partition(":")[0] == user


def _stanza(rights: Rights) -> list[str]:
    return [
        f"user {rights.user}",
        *(f"topic deny {each}" for each in rights.deny),
        *(f"topic read {each}" for each in rights.read),
        *(f"topic write {each}" for each in rights.write),
    ]


def _with_stanza(lines: list[str], rights: Rights) -> list[str]:
    """Unchanged where the user has just these rights already, else with them at the end."""
    ours = _stanza(rights)
    if [lines[start : _end(lines, start)] for start in _starts(lines, rights.user)] == [ours]:
        return lines
    rest = _without_stanza(lines, rights.user)
    return [*rest, *([""] if rest and rest[-1] else []), *ours]


def _without_stanza(lines: list[str], user: str) -> list[str]:
    kept = list(lines)
    for start in reversed(list(_starts(lines, user))):
        end = _end(lines, start)
        before = start - 1 if start and not lines[start - 1] else start  # its own blank line goes with it
        del kept[before:end]
    return kept


def _starts(lines: list[str], user: str) -> Iterator[int]:
    return (number for number, line in enumerate(lines) if line.split() == ["user", user])


def _end(lines: list[str], start: int) -> int:
    """Behind its last `topic` line. Mosquitto gives every such line to the user named last, comments or not."""
    last = start
    for number in range(start + 1, len(lines)):
        words = lines[number].split()
        if words[:1] == ["user"]:
            break
        if words[:1] == ["topic"]:
            last = number
    return last + 1


# ------------------------------------------------------------------ files


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error


def _replace(path: Path, lines: list[str]) -> None:
    draft = path.with_name(f"{path.name}.new")
    try:
        there = path.stat() if path.exists() else None
        home = path.parent.stat()
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="utf-8") as file:
            if there is not None:
                os.fchmod(file.fileno(), there.st_mode & 0o777)
            if os.geteuid() == 0:
                owner = there or home
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> FilesUnusable:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return FilesUnusable(
        f"{path}: {why}; TAIZHANG_MQTT_PASSWORD_FILE and TAIZHANG_MQTT_ACL_FILE name the broker's files, "
        "in a directory that this user may write (docs/operations.md, gateways)"
    )
