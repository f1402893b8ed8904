"""Every refusal as an RFC 9457 problem: one table from ledger error to status, one shape for everything that goes wrong."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from api.catalogue import CATALOGUE
from api.rights import Right
from api.shapes import Answered, Name
from ledger.errors import (
    Conflict,
    IllegalMove,
    Invalid,
    LedgerError,
    NotFound,
    NotPermitted,
    OwnWork,
    Refused,
    Retired,
    Superseded,
    Taken,
    TookTooLong,
    Unavailable,
    Unreachable,
    Withdrawn,
)
from ledger.migrate import MigrationError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
log = logging.getLogger(__name__)


def _as_it_is(said: Mapping[str, Any]) -> Name:
    return _fault_text("other", said)


class ProblemField(Answered):
    """One thing wrong with a request. `field`: where, as in `body.until` or `query.limit`. `message` is for whoever wrote the
    client; `text` for whoever filled in the form.
    """

    field: str
    message: str
    text: Name = Field(default_factory=_as_it_is)


def field_fault(field: str, key: str, **said: Name | str | int) -> ProblemField:
    """In the catalogue's words, under `field_fault`."""
    text = _fault_text(key, said)
    return ProblemField(field=field, message=text.en, text=text)


def _fault_text(key: str, said: Mapping[str, Any]) -> Name:
    return _filled(CATALOGUE.text("field_fault", key), said)


def _filled(text: Name, said: Mapping[str, Any]) -> Name:
    zh = {key: each.zh if isinstance(each, Name) else each for key, each in said.items()}
    en = {key: each.en if isinstance(each, Name) else each for key, each in said.items()}
    return Name(zh=text.zh.format_map(zh), en=text.en.format_map(en))


class Problem(Answered):
    """RFC 9457. `type` names the kind for machines; `title` and `title_zh` say it to people, `detail` says what and why."""

    type: str
    title: str
    title_zh: str
    text: Name = Field(description="what to show to a person: what is the matter, and what to do")
    status: int
    detail: str
    instance: str
    errors: Sequence[ProblemField] | None = None
    state: str | None = None
    move: str | None = None
    legal_moves: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem; its titles are in the catalogue under `problem`."""

    key: str
    status: int

    @property
    def type(self) -> str:
        return f"urn:taizhang:problem:{self.key}"


FAILURE = Kind("failure", 500)
INVALID = Kind("invalid", 422)
UNAUTHORIZED = Kind("unauthorized", 401)
NOT_FOUND = Kind("not_found", 404)
METHOD_NOT_ALLOWED = Kind("method_not_allowed", 405)
TOO_LARGE = Kind("too_large", 413)
UNAVAILABLE = Kind("unavailable", 503)
BAD_REQUEST = Kind("bad_request", 400)
SIGN_IN_FAILED = Kind("sign_in_failed", 401)
CSRF_MISSING = Kind("csrf_missing", 403)
NO_RIGHT = Kind("no_right", 403)
PASSWORD_CHANGE_DUE = Kind("password_change_due", 403)
WEAK_PASSWORD = Kind("weak_password", 422)
WRONG_PASSWORD = Kind("wrong_password", 403)
TOO_MANY_ATTEMPTS = Kind("too_many_attempts", 429)
PROVIDER_FAILED = Kind("provider_failed", 502)
NO_PICTURE = Kind("no_picture", 422)
PHOTOS_FULL = Kind("photos_full", 507)
WRONG_TAG = Kind("wrong_tag", 409)

# Every class of the ledger's tree has its line; tests/api/test_problems.py holds the two together.
KIND_OF: Mapping[type[LedgerError], Kind] = {
    LedgerError: FAILURE,
    NotFound: NOT_FOUND,
    Refused: Kind("refused", 409),
    IllegalMove: Kind("illegal_move", 409),
    OwnWork: Kind("own_work", 409),
    Superseded: Kind("superseded", 409),
    Withdrawn: Kind("withdrawn", 409),
    Retired: Kind("retired", 409),
    NotPermitted: Kind("not_permitted", 403),
    Conflict: Kind("conflict", 409),
    Taken: Kind("taken", 409),
    Invalid: INVALID,
    Unavailable: UNAVAILABLE,
    TookTooLong: UNAVAILABLE,
    Unreachable: UNAVAILABLE,
    MigrationError: UNAVAILABLE,
}
# What somebody chose and another has already: the field of whoever may choose it, and the catalogue's words for it.
CHOSEN: Mapping[str, tuple[str, str]] = {
    "api_token_name_unique": ("body.name", "token_name_taken"),
    "inspection_plan_key_unique": ("body.key", "plan_key_taken"),
    "person_login_unique": ("body.login", "login_taken"),
    "person_name_unique": ("body.name", "name_taken"),
}
KINDS_BY_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE, INVALID, FAILURE, UNAVAILABLE)
}


class Unacceptable(Exception):
    """A request that is wrong in a way its schema cannot tell. Every fault at once."""

    def __init__(self, detail: str, fields: Sequence[ProblemField] = ()) -> None:
        super().__init__(detail)
        self.detail, self.fields = detail, tuple(fields)


def unacceptable(field: str, key: str, **said: Name | str | int) -> Unacceptable:
    """One fault, in the catalogue's words."""
    fault = field_fault(field, key, **said)
    return Unacceptable(f"{field}: {fault.message}", [fault])


class Declined(Exception):
    """A refusal with words of its own: `said` fills the places of its text in the catalogue."""

    kind: Kind
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, fields: Sequence[ProblemField] = (), **said: Name | str | int) -> None:
        super().__init__(detail)
        self.detail, self.fields, self.said = detail, tuple(fields), said


class Unauthorized(Declined):
    """Neither signed in nor a token in use."""

    kind = UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="taizhang"'})


class SignInFailed(Declined):
    """Login or password, and nobody is told which."""

    kind = SIGN_IN_FAILED


class CsrfMissing(Declined):
    """A change that came with the cookie alone, as another site's page could send it."""

    kind = CSRF_MISSING


class PasswordChangeDue(Declined):
    """Signed in with a password that somebody else knows."""

    kind = PASSWORD_CHANGE_DUE


class WrongPassword(Declined):
    """Of somebody who is signed in, when he is asked for it again."""

    kind = WRONG_PASSWORD


class WeakPassword(Declined):
    kind = WEAK_PASSWORD


class NoRight(Declined):
    """He sees it and may not do this; or may do it nowhere."""

    kind = NO_RIGHT

    def __init__(self, right: Right, where: str | None = None) -> None:
        place = "" if where is None else f" at {where}"
        super().__init__(f"this needs the right {right.value!r}{place}", right=CATALOGUE.text("right", right))


class NotAPicture(Declined):
    """What was sent as a picture cannot be used as one."""

    kind = NO_PICTURE

    def __init__(self, fault: str, detail: str) -> None:
        why = CATALOGUE.text("picture_fault", fault)
        super().__init__(detail, [ProblemField(field="body", message=detail, text=why)], why=why)


class PhotosFull(Declined):
    """The site's pictures have reached their bound."""

    kind = PHOTOS_FULL

    def __init__(self, bytes_max: int) -> None:
        limit = f"{bytes_max / 2**30:.3g}"
        super().__init__(f"the site's pictures have reached {limit} GiB: raise TAIZHANG_PHOTOS_SITE_GIB", limit=limit)


class WrongTag(Declined):
    """Not the one that hangs at `here`: another place's, a retired one, a stranger's."""

    kind = WRONG_TAG

    def __init__(self, fault: str, detail: str, *, here: Name, there: Name | None = None) -> None:
        told = CATALOGUE.text("tag_fault", fault)
        why = told if there is None else _filled(told, {"there": there})
        super().__init__(detail, why=why, here=here)


class NoProvider(Declined):
    """People sign in with their passwords here."""

    kind = NOT_FOUND


class ProviderFailed(Declined):
    """The OpenID Connect provider says nothing, or not what it should."""

    kind = PROVIDER_FAILED


class TooManyAttempts(Declined):
    kind = TOO_MANY_ATTEMPTS

    def __init__(self, retry_s: float) -> None:
        wait_s = max(1, math.ceil(retry_s))
        super().__init__(f"too many attempts; try again in {wait_s} s", minutes=math.ceil(wait_s / 60))
        self.headers = {"Retry-After": str(wait_s)}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: what it may refuse, beside what every route may."""
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": CATALOGUE.text("problem", KINDS_BY_STATUS[status].key).en,
            "content": {MEDIA_TYPE: reference},
        }
        if status in KINDS_BY_STATUS
        else {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: reference}}
        for status in sorted({401, 403, 422, 500, 503, *statuses})
    }


_DESCRIPTIONS = {
    403: "The response table does not permit it (`detail` says what it permits), or a right is missing",
    429: "Too many attempts; `Retry-After` says when to come again",
    507: "The site's pictures have reached their bound",
    409: "Not possible now; for a move, `legal_moves` names those that are",
}


def answer(
    kind: Kind,
    detail: str,
    request: Request,
    *,
    headers: Mapping[str, str] | None = None,
    said: Mapping[str, Name | str | int] | None = None,
    **members: Any,
) -> JSONResponse:
    title = CATALOGUE.text("problem", kind.key)
    problem = Problem(
        type=kind.type,
        title=title.en,
        title_zh=title.zh,
        text=_text(kind, said or {}),
        status=kind.status,
        detail=detail,
        instance=request.url.path,
        **members,
    )
    body = problem.model_dump(mode="json", exclude_none=True)
    everywhere = {"Cache-Control": "no-store"}
    return JSONResponse(body, kind.status, everywhere | dict(headers or {}), MEDIA_TYPE)


def _text(kind: Kind, said: Mapping[str, Name | str | int]) -> Name:
    return _filled(CATALOGUE.text("problem_text", kind.key), said)


def kind_of(error: LedgerError) -> Kind:
    return next(KIND_OF[each] for each in type(error).__mro__ if each in KIND_OF)


async def _ledger_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LedgerError)
    kind = kind_of(error)
    if kind is FAILURE:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(kind, "the fault is ours; it has been logged", request)
    if isinstance(error, IllegalMove):
        return answer(kind, str(error), request, state=error.state, move=error.move, legal_moves=list(error.legal))
    if isinstance(error, Taken):
        return answer(kind, str(error), request, errors=[field_fault(*CHOSEN[error.constraint])])
    retry = {"Retry-After": str(RETRY_AFTER_S)} if kind is UNAVAILABLE else None
    return answer(kind, str(error), request, headers=retry)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [_field(fault) for fault in error.errors()]
    detail = "; ".join(f"{each.field}: {each.message}" for each in fields[:5])
    return answer(INVALID, detail, request, errors=fields)


def _field(fault: Mapping[str, Any]) -> ProblemField:
    field, message = ".".join(str(each) for each in fault["loc"]), _sentence(fault)
    if fault["type"] not in CATALOGUE.sections["field_fault"]:
        return ProblemField(field=field, message=message)
    return ProblemField(field=field, message=message, text=_fault_text(fault["type"], fault.get("ctx", {})))


def _sentence(fault: Mapping[str, Any]) -> str:
    why = fault.get("ctx", {}).get("error")
    return f"{fault['msg']} ({why})" if fault["type"] == "json_invalid" else str(fault["msg"])


async def _unacceptable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Unacceptable)
    return answer(INVALID, error.detail, request, errors=error.fields or None)


async def _declined(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Declined)
    return answer(
        error.kind, error.detail, request, headers=error.headers, said=error.said, errors=error.fields or None
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = KINDS_BY_STATUS.get(error.status_code, FAILURE)
    return answer(kind, str(error.detail), request, headers=error.headers)


async def _failure(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(FAILURE, "the fault is ours; it has been logged", request)


def install(app: FastAPI) -> None:
    app.add_exception_handler(LedgerError, _ledger_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Unacceptable, _unacceptable)
    app.add_exception_handler(Declined, _declined)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failure)
