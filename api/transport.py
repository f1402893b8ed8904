"""What holds for every request before any route sees it: a bound on its size, and answers that nobody may cache."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import TOO_LARGE, answer
from inspection.pictures import BYTES_MAX as PICTURE_BYTES_MAX

BODY_BYTES_MAX = 256 * 1024
# Where pictures arrive; a byte more than is taken, so that the refusal can say what of the picture is too much.
UPLOAD_BYTES_MAX = {f"/api/v1/inspections/{each}": PICTURE_BYTES_MAX + 1 for each in ("decode", "photos")}


class Transport:
    """ASGI. A body that is too large is refused by its announced length, or as soon as too much has arrived."""

    def __init__(self, app: ASGIApp, body_bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app, self._body_bytes_max = app, body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = UPLOAD_BYTES_MAX.get(scope["path"], self._body_bytes_max)
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
