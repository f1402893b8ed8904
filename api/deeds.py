"""A request that changes something: who does it, when, that it is done once, however often it is sent, and that it is
written down in the audit log together with what it changed.

With the header Idempotency-Key the answer is stored in the transaction that does the deed. The same request with the
same key gets that answer again; another request with it is refused. Refusals are not stored: nothing was done.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, TypeVar, cast
from urllib.parse import unquote

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.catalogue import CATALOGUE
from api.context import Context, InContext
from api.problems import NoRight, unacceptable
from api.rights import Right
from api.trail import note, operation_of, subject_of
from ledger import audit_log, idempotency, whereabouts
from ledger.conditions import Cause
from ledger.errors import NotFound
from ledger.idempotency import Answer
from ledger.pool import Connection, transaction
from ledger.records import ConditionReason
from ledger.said import storable
from ledger.work_orders import Act

ACTOR_CHARS_MAX = 100
ESSENCE_CHARS_MAX = 4_000
READ_BYTES_MAX = 256 * 1024  # what is longer carries files
_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG": "image/png",
}
REPLAYED = "Idempotency-Replayed"
Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Deed:
    context: Context
    actor: str
    now: datetime
    key: str | None
    request_hash: bytes
    request: Request
    # What members of the body were before; of a deed about several sites, by the key of each, which then has an entry of
    # its own for those who read the log there. `act` fills them in.
    was: dict[str, object] = field(default_factory=dict)
    # What was asked for, where `act` can say it better than the body's beginning.
    asked: dict[str, object] = field(default_factory=dict)
    was_at: dict[str, Mapping[str, object]] = field(default_factory=dict)

    async def do(self, act: Callable[[Connection], Awaitable[BaseModel]], *, status: int = 200) -> Response:
        """Do it in one transaction and answer with what `act` returns, or with the answer already given.

        Raises NoRight where what `act` did not find is something that whoever asks may see and not change.
        """
        try:
            async with self.context.transaction() as connection:
                return await self._do(connection, act, status)
        except NotFound:
            await self._refuse_what_is_seen()
            raise

    async def look(self, act: Callable[[Connection], Awaitable[Seen]]) -> Seen:
        """What the deed is about, before it is begun. Raises NoRight as `do`."""
        try:
            async with self.context.transaction() as connection:
                return await act(connection)
        except NotFound:
            await self._refuse_what_is_seen()
            raise

    async def _do(
        self, connection: Connection, act: Callable[[Connection], Awaitable[BaseModel]], status: int
    ) -> Response:
        if self.key is None:
            done = await act(connection)
            await self.write_down(connection)
            return JSONResponse(done.model_dump(mode="json"), status)
        claimed = f"{self.context.asking.principal.key} {self.actor}"
        given = await idempotency.claim(
            connection, key=self.key, actor=claimed, request_hash=self.request_hash, now=self.now
        )
        if given is not None:
            return JSONResponse(given.body, given.status, headers={REPLAYED: "true"})
        answer = Answer(status, (await act(connection)).model_dump(mode="json"))
        await self.write_down(connection)
        await idempotency.keep(connection, key=self.key, actor=claimed, answer=answer)
        return JSONResponse(answer.body, answer.status)

    async def write_down(self, connection: Connection) -> None:
        asked = self.asked or essence(await self.request.body(), self.request.headers.get("content-type"))
        for site_id, was in (await self._was(connection)).items():
            await audit_log.write(
                connection,
                self.context.asking.doer(self.actor),
                operation=operation_of(self.request),
                subject=subject_of(self.request),
                site_id=site_id,
                asked={**(asked or {}), "before": was} if was else asked,
                now=self.now,
            )

    async def _was(self, connection: Connection) -> Mapping[int | None, Mapping[str, object]]:
        if not self.was_at:
            return {await self._site(connection): self.was}
        return {await whereabouts.of_key(connection, site): was for site, was in self.was_at.items()}

    async def _site(self, connection: Connection) -> int | None:
        """Of what the request is about, as far as the transaction sees it."""
        named = self.request.path_params
        for what in whereabouts.BY_ID.keys() & named.keys():
            return await whereabouts.of_subject(connection, what, str(named[what]))
        site = named.get("site") or self.request.query_params.get("site") or _member(await self.request.body(), "site")
        return await whereabouts.of_key(connection, site) if isinstance(site, str) else None

    async def _refuse_what_is_seen(self) -> None:
        """Raises NoRight if it lies at a site that he may read, and may not do this at."""
        context, right = self.context, self.context.right
        if right is None:
            return
        readable = await context.scope_of(Right.READ)
        async with transaction(context.pool, sites=readable) as connection:
            site = await self._site(connection)
        if site is not None and site not in await context.scope():
            await note(context, context.asking, self.request, site_id=site)
            raise NoRight(right, context.sites.keys.get(site))

    def cause(self, note: str | None) -> Cause:
        """Of a condition's move by a person: his time is ours."""
        return Cause(self.actor, ConditionReason.PERSON, at=self.now, now=self.now, note=note)

    def act(self, note: str | None, *, reason: str = "person", detail: Mapping[str, object] | None = None) -> Act:
        """On a work order."""
        return Act(self.actor, reason, self.now, note=note, detail=detail)


async def deed_of(
    request: Request,
    context: InContext,
    x_actor: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=ACTOR_CHARS_MAX * 9,
            description="Of a token only, and then compulsory: who does it, percent-encoded UTF-8 "
            "(`%E7%8E%8B%E7%8F%AD%E9%95%BF`). Stored with the deed. Who is signed in does it himself.",
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Send the same again with the same key, and it is done once and answered the same.",
        ),
    ] = None,
) -> Deed:
    asked = [request.method, request.url.path, request.url.query]
    digest = hashlib.sha256(json.dumps(asked).encode() + b"\n" + await request.body()).digest()
    person = context.asking.principal.person
    if person is not None and x_actor is not None:
        raise unacceptable("header.x-actor", "actor_signed_in")
    actor = _actor(x_actor) if person is None else person.name
    return Deed(context, actor, context.clock(), idempotency_key, digest, request)


def _actor(header: str | None) -> str:
    if header is None:
        raise unacceptable("header.x-actor", "actor_missing", most=ACTOR_CHARS_MAX)
    # Servers hand header bytes over as Latin-1; a name typed into curl as it is arrives as UTF-8 in that disguise.
    try:
        name = unquote(header.encode("latin-1").decode(), errors="strict").strip()
    except UnicodeError:
        name = ""
    if not name or len(name) > ACTOR_CHARS_MAX or not name.isprintable():
        raise unacceptable("header.x-actor", "actor_name", most=ACTOR_CHARS_MAX)
    if name in CATALOGUE.sections["actor"]:
        raise unacceptable("header.x-actor", "actor_no_person", name=name)
    return name


def essence(body: bytes, content_type: str | None = None) -> dict[str, object] | None:
    """What was asked for, as the audit log keeps it: the JSON object itself, or its beginning when it is long; of files
    what they are, by their bytes or by what they were sent as, and how long.
    """
    said = _said(body)
    if said is None:
        return _of_files(body, content_type) if body and body.strip() != b"null" else None
    text = json.dumps(said, ensure_ascii=False)
    if len(text) > ESSENCE_CHARS_MAX:
        return {"beginning": text[:ESSENCE_CHARS_MAX]}
    return {"body": said} if not isinstance(said, dict) else cast("dict[str, object]", said)


def _of_files(body: bytes, content_type: str | None) -> dict[str, object]:
    sent_as = (content_type or "").partition(";")[0].strip().lower()[:100]
    media_type = next((kind for begin, kind in _BEGINNINGS.items() if body.startswith(begin)), sent_as)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":  # sound and film begin with RIFF too, and say then what they are
        media_type = "image/webp"
    known = {"media_type": media_type} if media_type else {}
    return {**known, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _said(body: bytes) -> object:
    """None: nothing, or files."""
    if len(body) > READ_BYTES_MAX:
        return None
    try:
        return storable(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _member(body: bytes, name: str) -> object:
    said = _said(body)
    return cast("dict[str, object]", said).get(name) if isinstance(said, dict) else None


DeedOf = Annotated[Deed, Depends(deed_of)]
