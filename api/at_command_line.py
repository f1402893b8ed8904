"""What the commands about people and tokens do, in the ledger, for all sites."""

import getpass
import secrets
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from api.rights import Right, Role
from api.secrets import TOKEN_PREFIX, digest_of
from credentials.passwords import CHARS_MIN, Hasher, weakness
from ledger import audit_log, passwords, people, scope, tokens
from ledger.audit_log import Doer
from ledger.errors import Invalid, NotFound
from ledger.people import Membership
from ledger.pool import API_ROLE, Connection, open_pool, transaction

DOER = Doer("command line", None, None, "", "")
_NO_SITE = 0
_LISTED_MAX = 1_000


def asked_password() -> str:
    """Twice where somebody types it. Raises Invalid."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != password:
        raise Invalid("the two passwords are not the same")
    return password


def sites_asked(keys: Sequence[str] | None, *, all_sites: bool) -> Sequence[str] | None:
    """None: all. Raises Invalid."""
    if all_sites == bool(keys):
        raise Invalid("say for which sites: --site once or several times, or --all-sites")
    return None if all_sites else keys


async def create_administrator(
    database_url: str, login: str, name: str, language: str, password: str, now: datetime
) -> None:
    """Raises Invalid, Conflict."""
    if weakness(password, login) is not None:
        raise Invalid(
            f"a password has at least {CHARS_MIN} characters, does not contain the login and is not a few repeated"
        )
    hashed = Hasher().hash(password)
    async with _at_desk(database_url) as (connection, _):
        made = await people.add(connection, login=login, name=name, language=language, created_by=DOER.actor, now=now)
        await passwords.put(connection, made.id, hashed, must_change=False, now=now)
        role = Membership(None, Role.ADMINISTRATOR)
        await people.put_memberships(connection, made.id, [role], by=DOER.actor, now=now)
        await _log(connection, "add_person", f"people/{made.id}", None, {"login": login, "role": role.role}, now)


async def create_token(
    database_url: str, name: str, rights: Sequence[Right], site_keys: Sequence[str] | None, days: int, now: datetime
) -> str:
    """The secret. Raises NotFound for a site, Conflict for a name in use."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    async with _at_desk(database_url) as (connection, keys):
        ids = {key: site for site, key in keys.items()}
        for key in site_keys or ():
            if key not in ids:
                raise NotFound("site", key)
        sites = None if site_keys is None else sorted({ids[key] for key in site_keys})
        made = await tokens.make(
            connection,
            name=name,
            digest=digest_of(secret),
            rights=sorted(set(rights)),
            sites=sites,
            made_by=DOER.actor,
            made_by_id=None,
            now=now,
            expires_at=now + timedelta(days=days),
        )
        said = {"name": name, "rights": sorted(set(rights)), "sites": site_keys}
        for site in [None] if sites is None else sites:
            await _log(connection, "make_token", f"tokens/{made.id}", site, said, now)
    return secret


async def listed_tokens(database_url: str, now: datetime) -> list[str]:
    async with _at_desk(database_url) as (connection, keys):
        found = await tokens.page(connection, limit=_LISTED_MAX)
    lines: list[str] = []
    for each in found:
        sites = "all sites" if each.sites is None else ", ".join(keys[site] for site in each.sites)
        state = f"until {each.expires_at:%Y-%m-%d}" if each.expires_at > now else f"expired {each.expires_at:%Y-%m-%d}"
        if each.revoked_at is not None:
            state = f"revoked {each.revoked_at:%Y-%m-%d} by {each.revoked_by}"
        used = "never used" if each.used_at is None else f"used {each.used_at:%Y-%m-%d %H:%M}Z"
        lines.append(f"{each.name}: {', '.join(each.rights)} at {sites}; {state}; {used}; made by {each.made_by}")
    return lines


async def revoke_token(database_url: str, name: str, now: datetime) -> None:
    """Raises NotFound."""
    async with _at_desk(database_url) as (connection, _):
        found = await tokens.in_use_by_name(connection, name)
        if found is None:
            raise NotFound("token in use", name)
        await tokens.revoke(connection, found.id, by=DOER.actor, now=now)
        for site in [None] if found.sites is None else found.sites:
            await _log(connection, "revoke_token", f"tokens/{found.id}", site, {"name": name}, now)


@asynccontextmanager
async def _at_desk(database_url: str) -> AsyncGenerator[tuple[Connection, dict[int, str]]]:
    """A transaction that may do what the api may, at all sites; and their keys."""
    async with open_pool(database_url, role=API_ROLE, size_max=1) as pool:
        keys = await scope.every_site(pool)
        async with transaction(pool, sites=[_NO_SITE, *keys], desk=True) as connection:
            yield connection, keys


async def _log(
    connection: Connection, operation: str, subject: str, site: int | None, asked: Mapping[str, object], now: datetime
) -> None:
    await audit_log.write(connection, DOER, operation=operation, subject=subject, site_id=site, asked=asked, now=now)
