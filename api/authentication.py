"""Who asks: by the cookie of a session, or by a bearer token. Nothing else opens a door."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.origin import Origin, origin_of
from api.principal import EVERYTHING, Holding, Principal, holding_of
from api.problems import CsrfMissing, PasswordChangeDue, Unauthorized
from api.rights import known
from api.secrets import digest_of
from api.service import InService, Service
from ledger import sessions, tokens
from ledger.audit_log import Doer
from ledger.pool import transaction

COOKIE = "taizhang_session"
CSRF_HEADER = "X-CSRF-Token"
_TOUCHED_EVERY = timedelta(minutes=1)
_OPERATOR = "operator"

_bearer = HTTPBearer(auto_error=False, description="A named token (`POST /tokens`), or TAIZHANG_API_TOKEN if it is set")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by `POST /session`")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who, from where, since when."""

    principal: Principal
    origin: Origin
    expires_at: datetime | None = None  # of the session
    cookie: str | None = None
    token: str | None = None

    def doer(self, actor: str | None = None) -> Doer:
        """For the audit log; `actor` is what a token says of itself."""
        who = self.principal
        name = actor or who.token_name or _OPERATOR
        if who.person is not None:
            name = who.person.name
        return Doer(name, who.person_id, who.token_id, self.origin.ip, self.origin.user_agent)


def csrf_of(cookie: str) -> str:
    """Made of what only the cookie has: another site's page can send the cookie but not read it."""
    return hmac.new(cookie.encode(), b"taizhang csrf", hashlib.sha256).hexdigest()


async def signed_in_or_token(
    request: Request,
    service: InService,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Asking:
    """Raises Unauthorized, CsrfMissing. A bearer token goes before a cookie."""
    origin = origin_of(request, service.trusted_proxies)
    if credentials is not None:
        return Asking(await _by_token(service, credentials.credentials), origin, token=credentials.credentials)
    if cookie is None:
        raise Unauthorized("sign in (POST /session), or send the header Authorization: Bearer <token>")
    asking = await by_cookie(service, cookie, origin)
    if request.method not in ("GET", "HEAD"):
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), csrf_of(cookie).encode()):
            raise CsrfMissing(f"the header {CSRF_HEADER} must have the `csrf` that GET /session tells")
    return asking


async def by_cookie(service: Service, cookie: str, origin: Origin, *, is_use: bool = True) -> Asking:
    """Raises Unauthorized."""
    now = service.clock()
    async with transaction(service.pool, desk=True) as connection:
        found = await sessions.find(connection, digest_of(cookie), now=now, idle=service.session_idle)
        if found is None:
            raise Unauthorized("the session has ended: sign in again")
        if is_use and now - found.seen_at >= _TOUCHED_EVERY:
            await sessions.touch(connection, found.id, now)
    who = Principal(
        "person",
        holding_of(found.memberships),
        f"person:{found.person.id}",
        person=found.person,
        session_id=found.id,
        must_change=found.must_change,
    )
    return Asking(who, origin, min(found.expires_at, now + service.session_idle), cookie)


async def asked_by(asking: Annotated[Asking, Depends(signed_in_or_token)]) -> Asking:
    """The same for all but the routes of one's own session. Raises PasswordChangeDue."""
    if asking.principal.must_change:
        raise PasswordChangeDue("this password was given by somebody else: change it first (POST /session/password)")
    return asking


async def again(service: Service, asking: Asking) -> Asking:
    """The same one, as he is known now. Raises Unauthorized. Asking does not count as use of the session."""
    if asking.cookie is not None:
        return await by_cookie(service, asking.cookie, asking.origin, is_use=False)
    assert asking.token is not None
    return replace(asking, principal=await _by_token(service, asking.token))


async def _by_token(service: Service, token: str) -> Principal:
    digest = digest_of(token)
    if service.token_sha256 is not None and hmac.compare_digest(digest, service.token_sha256):
        return Principal("operator", EVERYTHING, "operator")
    now = service.clock()
    async with transaction(service.pool, desk=True) as connection:
        found = await tokens.in_use(connection, digest, now)
        if found is None:
            raise Unauthorized("this is not a token that is in use")
        if found.used_at is None or now - found.used_at >= _TOUCHED_EVERY:
            await tokens.touch(connection, found.id, now)
    rights = known(found.rights)
    holding = Holding({}, rights) if found.sites is None else Holding(dict.fromkeys(found.sites, rights), frozenset())
    return Principal("token", holding, f"token:{found.id}", token_id=found.id, token_name=found.name)


async def require_metrics_token(
    service: InService, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Metrics name sites: shown to the operator's token and to the one that opens nothing else. Raises Unauthorized."""
    given = b"" if credentials is None else digest_of(credentials.credentials)
    opening = [each for each in (service.token_sha256, service.metrics_token_sha256) if each is not None]
    if not any([hmac.compare_digest(given, each) for each in opening]):  # noqa: C419 - all, in constant time
        raise Unauthorized("send the header Authorization: Bearer <token>, that of the service or of its metrics")
