"""Hands out what `make console` built: files as they are, the patrol page under /patrol, the console's page for the rest.

Nothing here knows what the console does. Files whose names carry their content's hash are kept by browsers for ever; the
page that names them is asked for anew each time. What the build compressed is sent compressed.
"""

from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

BUILT = Path(__file__).resolve().parent.parent / "console" / "dist"
# Answered by the service itself, also where it has nothing under that name.
_NOT_OURS = ("/api/", "/metrics", "/t/")
_HASHED = "/assets/"
_MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_ENCODINGS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
# Nothing comes from elsewhere and nothing goes elsewhere. Styles are written by the component library as it draws.
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# Tags are read with the camera, on the guards' page and at a work order, by a reader that is WebAssembly.
_MANNERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE, _PATROL = "index.html", "patrol.html"
# A guard's visit says where it was made, if he lets it; nobody else is asked.
_PATROL_MANNERS: Mapping[str, str] = {
    **_MANNERS,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(self)",
}
_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>台账 · Taizhang</title></head><body>
<h1>台账</h1><p>服务正在运行，但网页控制台尚未构建。在服务所在的目录执行 <code>make console</code>，然后刷新本页。</p>
<h1>Taizhang</h1><p>The service runs; its console has not been built.
Run <code>make console</code> where the service is installed, then load this page again.</p>
<p><code>/api/v1</code></p></body></html>
"""


class Console:
    """ASGI. What is read and is not the service's goes to the console; everything else goes on."""

    def __init__(self, app: ASGIApp, built: Path = BUILT) -> None:
        self._app, self._built = app, built

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or scope["path"].startswith(_NOT_OURS):
            await self._app(scope, receive, send)
            return
        response = self._answer(scope["path"], Request(scope).headers)
        await response(scope, receive, send)

    def _answer(self, path: str, headers: Headers) -> Response:
        page = self._built / (_PATROL if path == "/patrol" or path.startswith("/patrol/") else _PAGE)
        if not page.is_file():
            return HTMLResponse(_NOT_BUILT, 503, {**_MANNERS, "Cache-Control": "no-store"})
        found = self._file(path)
        if found is None and Path(path).suffix in _MEDIA_TYPES:
            # Of an older build: the page itself in a script's stead would only confuse.
            return Response("not found", 404, {**_MANNERS, "Cache-Control": "no-store"}, "text/plain")
        return _sent(found or page, headers, for_ever=found is not None and path.startswith(_HASHED))

    def _file(self, path: str) -> Path | None:
        """The file of that name, if the build made it and it is one that a browser asks for."""
        if "\0" in path:
            return None
        found = (self._built / path.lstrip("/")).resolve()
        inside = found.is_relative_to(self._built.resolve()) and not any(
            part.startswith(".") for part in path.split("/")
        )
        try:
            return found if inside and found.suffix in _MEDIA_TYPES and found.is_file() else None
        except OSError:  # longer than any name a file can have
            return None


def _sent(file: Path, headers: Headers, *, for_ever: bool) -> Response:
    given = {
        **(_PATROL_MANNERS if file.name == _PATROL else _MANNERS),
        "Cache-Control": "public, max-age=31536000, immutable" if for_ever else "no-cache",
        "Vary": "Accept-Encoding",
    }
    accepted = {each.split(";")[0].strip() for each in headers.get("accept-encoding", "").split(",")}
    for encoding, suffix in _ENCODINGS.items():
        compressed = file.with_name(file.name + suffix)
        if encoding in accepted and compressed.is_file():
            given["Content-Encoding"] = encoding
            return FileResponse(compressed, headers=given, media_type=_MEDIA_TYPES[file.suffix])
    return FileResponse(file, headers=given, media_type=_MEDIA_TYPES[file.suffix])
