"""A request that changes something: who does it, when, and that it is done once, however often it is sent.

With the header Idempotency-Key the answer is stored in the transaction that does the deed. The same request with the
same key gets that answer again; another request with it is refused. Refusals are not stored: nothing was done.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.catalogue import CATALOGUE
from api.context import Context, InContext
from api.problems import ProblemField, Unacceptable
from ledger import idempotency
from ledger.conditions import Cause
from ledger.idempotency import Answer
from ledger.pool import Connection
from ledger.records import ConditionReason
from ledger.work_orders import Act

ACTOR_CHARS_MAX = 100
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True)
class Deed:
    context: Context
    actor: str
    now: datetime
    key: str | None
    request_hash: bytes

    async def do(self, act: Callable[[Connection], Awaitable[BaseModel]], *, status: int = 200) -> Response:
        """Do it in one transaction and answer with what `act` returns, or with the answer already given."""
        async with self.context.transaction() as connection:
            if self.key is None:
                return JSONResponse((await act(connection)).model_dump(mode="json"), status)
            given = await idempotency.claim(
                connection, key=self.key, actor=self.actor, request_hash=self.request_hash, now=self.now
            )
            if given is not None:
                return JSONResponse(given.body, given.status, headers={REPLAYED: "true"})
            answer = Answer(status, (await act(connection)).model_dump(mode="json"))
            await idempotency.keep(connection, key=self.key, actor=self.actor, answer=answer)
        return JSONResponse(answer.body, answer.status)

    def cause(self, note: str | None) -> Cause:
        """Of a condition's move by a person: his time is ours."""
        return Cause(self.actor, ConditionReason.PERSON, at=self.now, now=self.now, note=note)

    def act(self, note: str | None, *, reason: str = "person") -> Act:
        """On a work order."""
        return Act(self.actor, reason, self.now, note=note)


async def deed_of(
    request: Request,
    context: InContext,
    x_actor: Annotated[
        str,
        Header(
            min_length=1,
            max_length=ACTOR_CHARS_MAX * 9,
            description="Who does it, percent-encoded UTF-8 (`%E7%8E%8B%E7%8F%AD%E9%95%BF`). Stored with the deed.",
        ),
    ],
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
    return Deed(context, _actor(x_actor), context.clock(), idempotency_key, digest)


def _actor(header: str) -> str:
    # Servers hand header bytes over as Latin-1; a name typed into curl as it is arrives as UTF-8 in that disguise.
    try:
        name = unquote(header.encode("latin-1").decode(), errors="strict").strip()
    except UnicodeError:
        name = ""
    if not name or len(name) > ACTOR_CHARS_MAX or not name.isprintable():
        raise _no_actor(f"1 to {ACTOR_CHARS_MAX} printable characters, percent-encoded UTF-8")
    if name in CATALOGUE.sections["actor"]:
        raise _no_actor(f"{name!r} is not a person: the journals use it for what happens by itself")
    return name


def _no_actor(message: str) -> Unacceptable:
    return Unacceptable(f"header X-Actor: {message}", [ProblemField(field="header.x-actor", message=message)])


DeedOf = Annotated[Deed, Depends(deed_of)]
