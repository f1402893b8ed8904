"""Signing in through the provider: to it, back from it, and who that is here.

A browser carries its attempt in a cookie of its own, so that no process has to remember it. It ends on the console's page,
signed in or told why not: nobody who was sent round by a provider can read a problem in JSON.
"""

import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import Field

from api.oidc import Attempt
from api.origin import Origin, origin_of
from api.problems import NoProvider, ProviderFailed, refusals
from api.service import InService, Service
from api.sessions import begin_session, set_cookie
from api.shapes import Answered
from ledger import audit_log, people
from ledger.audit_log import Doer
from ledger.errors import LedgerError
from ledger.people import Person
from ledger.pool import Connection, transaction

router = APIRouter(tags=["session"])

ATTEMPT_COOKIE = "taizhang_provider"
_ATTEMPT_PATH = "/api/v1/session/provider"
_ATTEMPT_S = 600
log = logging.getLogger(__name__)


class ProviderOut(Answered):
    name: str | None = Field(description="what stands on the button; null: people sign in with their password only")
    start: str = Field(description="where the browser is sent to sign in through it")


class _Unknown(Exception):
    """The provider knows him; here nobody does, or he may not sign in."""


@router.get("/session/provider", summary="Whether people sign in through a provider", responses=refusals())
async def get_provider(service: InService) -> ProviderOut:
    return ProviderOut(name=None if service.provider is None else service.provider_name, start=f"{_ATTEMPT_PATH}/start")


@router.get(
    "/session/provider/start",
    summary="Go to the provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=refusals(404),
)
async def start_at_provider(request: Request, service: InService) -> RedirectResponse:
    if service.provider is None:
        raise NoProvider("this service has no provider (TAIZHANG_OIDC_ISSUER)")
    attempt = Attempt.new()
    try:
        answer = RedirectResponse(await service.provider.address(attempt), 303)
    except ProviderFailed as error:
        return _told("unavailable", error)
    # Lax: the way back begins on the provider's page, and a strict cookie would stay at home.
    answer.set_cookie(
        ATTEMPT_COOKIE,
        attempt.written(),
        max_age=_ATTEMPT_S,
        path=_ATTEMPT_PATH,
        secure=origin_of(request, service.trusted_proxies).secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(
    "/session/provider/back",
    summary="Come back from the provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=refusals(404),
)
async def return_from_provider(
    request: Request,
    service: InService,
    code: Annotated[str | None, Query(max_length=4_000)] = None,
    state: Annotated[str, Query(max_length=200)] = "",
    taizhang_provider: Annotated[str, Cookie(max_length=400)] = "",
) -> RedirectResponse:
    if service.provider is None:
        raise NoProvider("this service has no provider (TAIZHANG_OIDC_ISSUER)")
    origin = origin_of(request, service.trusted_proxies)
    attempt = Attempt.read(taizhang_provider)
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
        return _told("expired", None)
    if code is None:
        return _told("refused", None)
    try:
        claims = await service.provider.claims(code, attempt, service.clock())
        cookie = await _begin(service, claims, origin)
    except ProviderFailed as error:
        return _told("unavailable", error)
    except _Unknown as error:
        return _told("unknown", error)
    answer = RedirectResponse("/", 303)
    set_cookie(answer, service, cookie, origin)
    answer.delete_cookie(ATTEMPT_COOKIE, path=_ATTEMPT_PATH)
    return answer


def _told(why: str, error: Exception | None) -> RedirectResponse:
    """The console says it in the language of whoever reads it; the log says more."""
    if error is not None:
        log.warning("sign-in through the provider: %s", error)
    answer = RedirectResponse("/?" + urlencode({"sign_in": why}), 303)
    answer.delete_cookie(ATTEMPT_COOKIE, path=_ATTEMPT_PATH)
    return answer


async def _begin(service: Service, claims: Mapping[str, Any], origin: Origin) -> str:
    """The cookie of a new session. Raises _Unknown."""
    identity = f"{claims['iss']} {claims['sub']}"
    cookie = secrets.token_urlsafe(32)
    try:
        async with transaction(service.pool, desk=True) as connection:
            person = await _found(connection, service, claims, identity)
            await begin_session(connection, service, person, cookie, origin, "oidc")
    except (_Unknown, LedgerError) as error:
        doer = Doer("unknown at the provider", None, None, origin.ip, origin.user_agent)
        async with transaction(service.pool, desk=True) as connection:
            await audit_log.write(
                connection,
                doer,
                operation="sign_in",
                subject="session",
                site_id=None,
                asked={"way": "oidc", "identity": identity[:300]},
                now=service.clock(),
                outcome="refused",
            )
        raise _Unknown(str(error)) from error
    return cookie


async def _found(connection: Connection, service: Service, claims: Mapping[str, Any], identity: str) -> Person:
    """Raises _Unknown."""
    person = await people.with_external_id(connection, identity)
    if person is None:
        person = await _first_time(connection, service, claims, identity)
    if person.disabled_at is not None:
        raise _Unknown(f"{person.login} may not sign in")
    return person


async def _first_time(connection: Connection, service: Service, claims: Mapping[str, Any], identity: str) -> Person:
    """Ties the identity to the person of that login, once and for all. Raises _Unknown."""
    login = _login(service, claims)
    person = await people.with_login(connection, login)
    if person is None and not service.provider_makes_people:
        raise _Unknown(f"nobody here has the login {login!r}")
    if person is None:
        person = await people.add(
            connection,
            login=login,
            name=str(claims.get("name") or login)[:100].strip(),
            language="zh",
            created_by="provider",
            now=service.clock(),
        )
    if not await people.tie(connection, person.id, identity):
        raise _Unknown(f"{login} is somebody else at the provider already")
    return person


def _login(service: Service, claims: Mapping[str, Any]) -> str:
    """Raises _Unknown. An address that the provider has not verified is what somebody typed."""
    said = claims.get(service.provider_claim)
    if not isinstance(said, str) or not said:
        raise _Unknown(f"the provider does not say {service.provider_claim!r}")
    if service.provider_claim == "email" and claims.get("email_verified") is not True:
        raise _Unknown(f"the provider has not verified the address {said!r}")
    return said.strip().casefold()
