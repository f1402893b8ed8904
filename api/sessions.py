"""One's own session: signing in and out, who one is, one's password, and what one saved for oneself."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict, Field, SecretStr

from api.authentication import COOKIE, Asking, csrf_of, signed_in_or_token
from api.origin import Origin, origin_of
from api.principal import holding_of
from api.problems import (
    SignInFailed,
    TooManyAttempts,
    Unauthorized,
    WeakPassword,
    WrongPassword,
    field_fault,
    refusals,
)
from api.rights import Right
from api.secrets import digest_of
from api.service import InService, Service
from api.shapes import Answered, Asked, Key, Name
from credentials.passwords import CHARS_MAX, weakness
from ledger import audit_log, facilities, passwords, people, person_settings, sessions
from ledger.audit_log import Doer
from ledger.people import Person
from ledger.pool import transaction

router = APIRouter(tags=["session"])

Language = Literal["zh", "en"]


class SignIn(Asked):
    model_config = ConfigDict(str_strip_whitespace=False)  # blanks are part of a password

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=CHARS_MAX)]


class PersonOut(Answered):
    id: int
    login: str
    name: str
    language: Language


class SiteRights(Answered):
    """What one is and may at a site."""

    site: str
    name: Name
    roles: Sequence[str]
    rights: Sequence[Right]


class Me(Answered):
    person: PersonOut
    sites: Sequence[SiteRights]
    everywhere: Sequence[str] = Field(description="roles at all sites, those to come included")
    csrf: str = Field(description="goes into the header X-CSRF-Token of every request that changes something")
    expires_at: datetime
    must_change_password: bool = Field(description="nothing else can be done before")


class PasswordIn(Asked):
    model_config = ConfigDict(str_strip_whitespace=False)

    password: Annotated[SecretStr, Field(min_length=1, max_length=CHARS_MAX, description="the present one")]
    new_password: Annotated[SecretStr, Field(min_length=1, max_length=CHARS_MAX * 4)]


class LanguageIn(Asked):
    language: Language


class SavedOut(Answered):
    value: Any
    set_at: datetime


class SavedIn(Asked):
    value: Any = Field(description="any JSON, at most 16 KiB")


async def _person(asking: Annotated[Asking, Depends(signed_in_or_token)]) -> Asking:
    """Raises Unauthorized for a token: it has no session."""
    if asking.principal.person is None:
        raise Unauthorized("this is about a person's session; a token has none")
    return asking


SignedIn = Annotated[Asking, Depends(_person)]


@router.post("/session", summary="Sign in", responses=refusals(429))
async def sign_in(asked: SignIn, request: Request, response: Response, service: InService) -> Me:
    origin = origin_of(request, service.trusted_proxies)
    login = asked.login.strip().casefold()
    wait_s = service.attempts.begin(login, origin.neighbourhood)
    if wait_s is not None:
        raise TooManyAttempts(wait_s)
    cookie = await _begin(service, login, asked.password.get_secret_value(), origin)
    if cookie is None:
        raise SignInFailed("login or password is wrong")
    service.attempts.succeeded(login, origin.neighbourhood)
    set_cookie(response, service, cookie, origin)
    return await _me(service, cookie)


async def _begin(service: Service, login: str, password: str, origin: Origin) -> str | None:
    """The cookie of a new session. Nobody's login costs the same time, and so does that of somebody disabled."""
    async with transaction(service.pool, desk=True) as connection:
        person = await people.with_login(connection, login)
        kept = None if person is None else await passwords.of(connection, person.id)
    is_right = await service.vault.verify(None if kept is None else kept.hash, password)
    now = service.clock()
    if person is None or kept is None or not is_right or person.disabled_at is not None:
        await _note_failure(service, person, login, origin, now)
        return None
    newer = await service.vault.hash(password) if service.vault.is_outdated(kept.hash) else None
    cookie = secrets.token_urlsafe(32)
    async with transaction(service.pool, desk=True) as connection:
        if newer is not None:
            await passwords.rehash(connection, person.id, kept.hash, newer)
        await begin_session(connection, service, person, cookie, origin, "password")
    return cookie


async def begin_session(
    connection: Any, service: Service, person: Person, cookie: str, origin: Origin, way: str
) -> None:
    """At the desk."""
    now = service.clock()
    await sessions.begin(
        connection,
        person.id,
        digest=digest_of(cookie),
        way=way,
        ip=origin.ip,
        user_agent=origin.user_agent,
        now=now,
        expires_at=now + service.session_longest,
    )
    doer = Doer(person.name, person.id, None, origin.ip, origin.user_agent)
    await audit_log.write(
        connection, doer, operation="sign_in", subject="session", site_id=None, asked={"way": way}, now=now
    )


async def _note_failure(service: Service, person: Person | None, login: str, origin: Origin, now: datetime) -> None:
    """What was typed as a login is kept only where somebody has it: people type passwords there."""
    known = None if person is None else login
    doer = Doer(known or "unknown login", None if person is None else person.id, None, origin.ip, origin.user_agent)
    async with transaction(service.pool, desk=True) as connection:
        await audit_log.write(
            connection,
            doer,
            operation="sign_in",
            subject="session",
            site_id=None,
            asked={"login": known},
            now=now,
            outcome="refused",
        )


def set_cookie(response: Response, service: Service, cookie: str, origin: Origin) -> None:
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(service.session_longest.total_seconds()),
        path="/",
        secure=origin.secure,
        httponly=True,
        samesite="strict",
    )


@router.get("/session", summary="Who I am and what I may", responses=refusals())
async def get_session(asking: SignedIn, service: InService) -> Me:
    assert asking.cookie is not None
    return await _me(service, asking.cookie)


@router.delete("/session", summary="Sign out", status_code=204, responses=refusals())
async def sign_out(asking: SignedIn, service: InService, response: Response) -> None:
    assert asking.principal.session_id is not None
    async with transaction(service.pool, desk=True) as connection:
        await sessions.end(connection, asking.principal.session_id)
        await _log(connection, service, asking, "sign_out", "session")
    response.delete_cookie(COOKIE, path="/", secure=asking.origin.secure, httponly=True, samesite="strict")


@router.post("/session/password", summary="Change my password; my other sessions end", responses=refusals(429))
async def change_password(asked: PasswordIn, asking: SignedIn, service: InService) -> Me:
    who = asking.principal
    assert who.person is not None
    assert asking.cookie is not None
    wait_s = service.attempts.begin(who.person.login, asking.origin.neighbourhood)
    if wait_s is not None:
        raise TooManyAttempts(wait_s)
    async with transaction(service.pool, desk=True) as connection:
        kept = await passwords.of(connection, who.person.id)
    old, new = asked.password.get_secret_value(), asked.new_password.get_secret_value()
    if kept is None or not await service.vault.verify(kept.hash, old):
        raise WrongPassword("the present password is wrong", [field_fault("body.password", "wrong_password")])
    service.attempts.succeeded(who.person.login, asking.origin.neighbourhood)
    refuse_weak(new, who.person.login, old)
    hashed = await service.vault.hash(new)
    async with transaction(service.pool, desk=True) as connection:
        await passwords.put(connection, who.person.id, hashed, must_change=False, now=service.clock())
        await sessions.end_all(connection, who.person.id, but=who.session_id)
        await _log(connection, service, asking, "change_password", "session")
    return await _me(service, asking.cookie)


def refuse_weak(new: str, login: str, old: str | None = None) -> None:
    """Raises WeakPassword."""
    why = "same_as_before" if new == old else weakness(new, login)
    if why is not None:
        raise WeakPassword(f"this password is {why}", [field_fault("body.new_password", f"password_{why}")])


@router.put("/session/language", summary="The language I read", responses=refusals())
async def set_language(asked: LanguageIn, asking: SignedIn, service: InService) -> Me:
    assert asking.cookie is not None
    async with transaction(service.pool, desk=True) as connection:
        await people.change(connection, _id(asking), language=asked.language)
        await _log(connection, service, asking, "set_language", "session", asked.model_dump())
    return await _me(service, asking.cookie)


@router.get("/session/settings/{key}", summary="What I saved under this name", responses=refusals(404))
async def get_setting(key: Key, asking: SignedIn, service: InService) -> SavedOut:
    async with transaction(service.pool, person=_id(asking)) as connection:
        found = await person_settings.get(connection, _id(asking), key)
    return SavedOut(value=found.value, set_at=found.set_at)


@router.put("/session/settings/{key}", summary="Save something for myself", responses=refusals(409))
async def put_setting(key: Key, asked: SavedIn, asking: SignedIn, service: InService) -> SavedOut:
    async with transaction(service.pool, person=_id(asking)) as connection:
        kept = await person_settings.put(connection, _id(asking), key, asked.value, service.clock())
    return SavedOut(value=kept.value, set_at=kept.set_at)


def _id(asking: Asking) -> int:
    assert asking.principal.person is not None
    return asking.principal.person.id


async def _log(
    connection: Any, service: Service, asking: Asking, operation: str, subject: str, asked: Any = None
) -> None:
    await audit_log.write(
        connection, asking.doer(), operation=operation, subject=subject, site_id=None, asked=asked, now=service.clock()
    )


async def _me(service: Service, cookie: str) -> Me:
    """Raises Unauthorized when the session has ended meanwhile."""
    async with transaction(service.pool, desk=True) as connection:
        now = service.clock()
        found = await sessions.find(connection, digest_of(cookie), now=now, idle=service.session_idle)
    if found is None:
        raise Unauthorized("the session has ended: sign in again")
    holding = holding_of(found.memberships)
    await service.sites()
    scope = holding.sites(Right.READ, service.sites.keys)
    async with transaction(service.pool, sites=scope) as connection:
        shown = await facilities.sites(connection)
    person = found.person
    return Me(
        person=PersonOut(id=person.id, login=person.login, name=person.name, language=_language(person)),
        sites=[
            SiteRights(
                site=each.key,
                name=Name(zh=each.name_zh, en=each.name_en),
                roles=sorted({one.role for one in found.memberships if one.site_id in (each.id, None)}),
                rights=sorted(holding.rights_at(each.id)),
            )
            for each in shown
        ],
        everywhere=sorted(each.role for each in found.memberships if each.site_id is None),
        csrf=csrf_of(cookie),
        expires_at=min(found.expires_at, now + service.session_idle),
        must_change_password=found.must_change,
    )


def _language(person: Person) -> Language:
    return "en" if person.language == "en" else "zh"
