"""What holds for every request before any route sees it: a bound on its size, and answers that nobody may cache."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import TOO_LARGE, answer
from inspection.pictures import BYTES_MAX as PICTURE_BYTES_MAX

BODY_BYTES_MAX = 256 * 1024
ESTATE_BYTES_MAX = 28 * 1024 * 1024  # 20 MiB of files, in base64
# Where files arrive; a byte more than is taken of a picture, so that the refusal can say what of it is too much.
UPLOAD_BYTES_MAX: Sequence[tuple[re.Pattern[str], int]] = (
    (re.compile(r"/api/v1/inspections/(decode|photos)"), PICTURE_BYTES_MAX + 1),
    # A stranger's form with a photo; twice as much is read as is taken, so that he is told on a page what is too large.
    (re.compile(r"/t/.*", re.DOTALL), 2 * PICTURE_BYTES_MAX),
    (re.compile(r"/api/v1/estate/(preview|import)"), ESTATE_BYTES_MAX),
    (re.compile(r"/api/v1/facilities/[a-z0-9_-]+/[a-z0-9_-]+/place-photo"), PICTURE_BYTES_MAX + 1),
    (re.compile(r"/api/v1/certificates/[0-9]+/pages"), PICTURE_BYTES_MAX + 1),
    (re.compile(r"/api/v1/work-orders/[0-9]+/(photos|signatures)"), PICTURE_BYTES_MAX + 1),
)


def bytes_max_of(path: str) -> int | None:
    """Of a body sent there; None: what holds everywhere."""
    return next((at_most for pattern, at_most in UPLOAD_BYTES_MAX if pattern.fullmatch(path)), None)


class Transport:
    """ASGI. A body that is too large is refused by its announced length, or as soon as too much has arrived."""

    def __init__(self, app: ASGIApp, body_bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app, self._body_bytes_max = app, body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = bytes_max_of(scope["path"]) or self._body_bytes_max
        limit = f"a request's body has at most {bytes_max} bytes"
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > bytes_max:
            refusal = answer(TOO_LARGE, limit, Request(scope))
            await refusal(scope, receive, send)
            return
        arrived = 0

        async def bounded() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > bytes_max:
                raise HTTPException(413, limit)
            return message

        async def uncached(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, bounded, uncached)
