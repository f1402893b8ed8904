"""The live stream: every change of an alarm, a work order or a permit within a second of its commit, as SSE.

A client that comes back with the id of the last event it saw gets everything after it, once and in order, whatever the
order of commits was. Where that is not possible any more it is told `reset`, and loads its lists anew.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from api import rulebook
from api.context import Context, InContext, needs, scope_now
from api.feed import Begun, Reset, Stream, Told
from api.problems import Declined, refusals, unacceptable
from api.rights import Right
from api.shapes import Answered, Key, Name
from ledger import facility_list
from ledger.errors import LedgerError
from ledger.outbox import Notice, Position

router = APIRouter(tags=["live"])
log = logging.getLogger(__name__)

RETRY_MS = 1_000
_SITES_MAX = 50


class Hello(Answered):
    """Event `hello`, the first. What is loaded after it and what follows it leave no gap between them."""

    resumed: bool = Field(description="everything after the position asked for follows")
    at: datetime


class ResetOut(Answered):
    """Event `reset`: what lies between is gone. Load everything anew, then go on with what follows."""

    at: datetime


class BeatOut(Answered):
    """Event `beat`: nothing has changed. `current` false: the service cannot hear its own ledger now."""

    at: datetime
    current: bool


class NoticeOut(Answered):
    """Events `alarm`, `work_order`, `permit`: the whole new state. Of one subject the larger version is newer."""

    site: str
    subject: int
    version: int
    at: datetime
    title: Name | None = Field(description="of an alarm's rule, or of a work order")
    body: Mapping[str, object]


# What each event's data is; the description of the interface shows it (api/description.py).
EVENTS: Mapping[str, type[Answered]] = {
    "hello": Hello,
    "alarm": NoticeOut,
    "work_order": NoticeOut,
    "permit": NoticeOut,
    "beat": BeatOut,
    "reset": ResetOut,
}


async def _position(
    last_event_id: Annotated[str | None, Header(max_length=64, description="the id of the last event seen")] = None,
    after: Annotated[str | None, Query(max_length=64, description="the same, where no header can be sent")] = None,
) -> Position | None:
    text = last_event_id or after
    if text is None:
        return None
    try:
        return Position.parse(text)
    except ValueError as error:
        place = "header.last-event-id" if last_event_id else "query.after"
        raise unacceptable(place, "position") from error


async def _stream(
    context: InContext,
    site: Annotated[list[Key] | None, Query(max_length=_SITES_MAX, description="only these; default: all")] = None,
) -> AsyncGenerator[Stream]:
    """Opened before the answer begins, so that a refusal is still a problem; closed when the client is gone."""
    async with context.transaction() as connection:
        for each in site or ():
            await facility_list.find_site(connection, each)
    await context.feed.ready()
    wanted = frozenset(site or ())
    allowed = set(await context.scope())

    def wants(notice: Notice) -> bool:
        return notice.site_id in allowed and (not wanted or context.sites.keys[notice.site_id] in wanted)

    with context.feed.open(wants) as stream:
        watching = asyncio.create_task(_end_with_right(stream, context, allowed), name="right to a live stream")
        try:
            yield stream
        finally:
            watching.cancel()


async def _end_with_right(stream: Stream, context: Context, allowed: set[int]) -> None:
    """End the stream when the session or the token has ended, or when what it opens is not what it was.

    Whoever may go on comes again, and is told what he may see now. A site that was added is taken in: nothing ends.
    """
    while True:
        await asyncio.sleep(context.feed.pace.rights_s)
        try:
            scope = set(await scope_now(context))
        except Declined:
            stream.end()
            return
        except LedgerError:
            continue  # the ledger is away: nothing comes from it either
        except Exception:
            log.exception("whether a live stream may go on could not be asked; it ends")
            stream.end()
            return
        if not allowed <= scope:
            stream.end()
            return
        allowed |= scope


@router.get(
    "/live",
    summary="Server-sent events: hello, alarm, work_order, permit, beat, reset",
    response_class=EventSourceResponse,
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def stream_live(
    stream: Annotated[Stream, Depends(_stream)],
    after: Annotated[Position | None, Depends(_position)],
    context: InContext,
) -> AsyncIterator[ServerSentEvent]:
    async for told in stream.told(after):
        yield _event(told, context)


def _event(told: Told, context: Context) -> ServerSentEvent:
    clock = context.clock
    position = str(told.position)
    if isinstance(told, Notice):
        notice = NoticeOut(
            site=context.sites.keys[told.site_id],
            subject=told.subject_id,
            version=told.version,
            at=told.created_at,
            title=_title(told, context),
            body=told.payload,
        )
        return ServerSentEvent(event=told.kind, id=position, data=notice)
    if isinstance(told, Begun):
        return ServerSentEvent(event="hello", id=position, data=Hello(resumed=told.resumed, at=clock()), retry=RETRY_MS)
    if isinstance(told, Reset):
        return ServerSentEvent(event="reset", id=position, data=ResetOut(at=clock()))
    return ServerSentEvent(event="beat", id=position, data=BeatOut(at=clock(), current=told.current))


def _title(notice: Notice, context: Context) -> Name | None:
    match notice.kind, notice.payload:
        case "alarm", {"kind": str(kind), "rule": str(rule)}:
            return rulebook.title_of(context.packs, kind, rule)
        case "work_order", {"title_zh": str(zh), "title_en": str(en)}:
            return Name(zh=zh, en=en)
        case _:
            return None
