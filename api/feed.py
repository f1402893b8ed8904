"""The live stream inside one process: one reader of the outbox, fanned out over bounded queues.

A subscriber first reads the table from its own position, then takes what the one reader puts into its queue. A slow
one never makes anybody wait: a full queue is thrown away and its subscriber goes back to reading the table at its own
pace, from where it was. What the table no longer holds is a reset: the client loads its lists anew.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from ledger import outbox
from ledger.errors import LedgerError, Unavailable
from ledger.outbox import Notice, Position
from ledger.pool import Connection, Pool, transaction
from ledger.wakeups import Wakeups, listening

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How far behind a subscriber may be in memory, and how often things happen without a cause. Seconds of the wall."""

    queue_max: int = 256
    page_max: int = 200
    subscribers_max: int = 200
    heartbeat_s: float = 10.0
    poll_s: float = 5.0  # the table is looked at so often even if nobody says that there is something
    hidden_poll_s: float = 0.1  # and so often while an older transaction hides something
    retry_s: float = 1.0
    ready_s: float = 5.0
    rights_s: float = 2.0  # how often a stream asks whether whoever listens still may


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the stream begins; with `resumed`, everything after the position asked for follows."""

    position: Position
    resumed: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """Something between the client's position and this one is gone: load everything anew, then go on from here."""

    position: Position


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing to tell. `current` is False while the ledger cannot be heard, so that nobody trusts a silent screen."""

    position: Position
    current: bool


Told = Begun | Reset | Beat | Notice
Wants = Callable[[Notice], bool]


class TooManySubscribers(Unavailable):
    """The process serves as many streams as it may."""


class _Queue:
    """What one subscriber has not taken yet. `reached`: everything up to there is in it or was not wanted."""

    def __init__(self, wants: Wants, size_max: int) -> None:
        self._wants, self._size_max = wants, size_max
        self.waiting: deque[Notice] = deque()
        self.overflown = False
        self.reached = Position(0, 0)
        self.woken = asyncio.Event()

    def attach(self, position: Position) -> None:
        """Begin anew: everything after `position` will be put here."""
        self.waiting.clear()
        self.overflown, self.reached = False, position

    def put(self, notices: Sequence[Notice]) -> None:
        wanted = [notice for notice in notices if self._wants(notice)]
        if self.overflown or len(self.waiting) + len(wanted) > self._size_max:
            self.overflown = True
            self.waiting.clear()
        else:
            self.waiting.extend(wanted)
            self.reached = notices[-1].position
        self.woken.set()


class Feed:
    """`run` is the one reader, for as long as the process serves; `open` gives each client its own stream."""

    def __init__(
        self, pool: Pool, open_sites: Callable[[Connection], Awaitable[None]], pace: Pace | None = None
    ) -> None:
        """`open_sites` lets a transaction see what happens at any site."""
        self._pool, self._open_sites, self.pace = pool, open_sites, pace or Pace()
        self._queues: set[_Queue] = set()
        self._begun = asyncio.Event()
        self.position = Position(0, 0)  # of the one reader
        self.current = False
        self.closed = False

    @property
    def subscribers(self) -> int:
        return len(self._queues)

    async def ready(self) -> None:
        """Raises Unavailable when the one reader has not found the ledger in time."""
        try:
            async with asyncio.timeout(self.pace.ready_s):
                await self._begun.wait()
        except TimeoutError as error:
            raise Unavailable("the live stream has not reached the ledger yet") from error

    @contextmanager
    def open(self, wants: Wants) -> Generator["Stream"]:
        """A client's stream, until the context is left. Raises TooManySubscribers."""
        if len(self._queues) >= self.pace.subscribers_max:
            raise TooManySubscribers(f"{self.pace.subscribers_max} streams are open already; try again later")
        queue = _Queue(wants, self.pace.queue_max)
        self._queues.add(queue)
        try:
            yield Stream(self, queue, wants)
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """Every stream ends after what it is telling."""
        self.closed = True
        self._begun.set()
        for queue in self._queues:
            queue.woken.set()

    async def run(self) -> None:
        """Read and fan out, until cancelled. A lost database is waited for; the streams go on where they stood."""
        while True:
            try:
                async with listening(self._pool) as wakeups:
                    await self._follow(wakeups)
            except LedgerError as error:
                log.warning("the live stream cannot read the ledger: %s", error)
            except Exception:
                log.exception("the live stream's reader failed; it begins again")  # screens would stand still
            finally:
                self.current = False
            await asyncio.sleep(self.pace.retry_s)

    async def _follow(self, wakeups: Wakeups) -> None:
        if not self._begun.is_set():
            async with self._look() as connection:
                self.position = await outbox.newest(connection)
            self._begun.set()
        while True:
            hidden = await self._read_on()
            self.current = True
            await wakeups.wait(self.pace.hidden_poll_s if hidden else self.pace.poll_s)

    async def _read_on(self) -> bool:
        """Give everything new to the queues; tells whether something is there that may not be shown yet."""
        while True:
            async with self._look() as connection:
                hidden, page = await outbox.next_page(connection, self.position, limit=self.pace.page_max)
                if not page:
                    return hidden
                self.position = page[-1].position
                for queue in self._queues:
                    queue.put(page)

    @asynccontextmanager
    async def _look(self) -> AsyncGenerator[Connection]:
        async with transaction(self._pool) as connection:
            await self._open_sites(connection)
            yield connection

    async def page(self, position: Position) -> Sequence[Notice] | None:
        """The next notices after a position, from the table; None when that place is not there any more."""
        async with self._look() as connection:
            if not await outbox.holds(connection, position):
                return None
            return await outbox.after(connection, position, limit=self.pace.page_max)


class Stream:
    """What one client is told."""

    def __init__(self, feed: Feed, queue: _Queue, wants: Wants) -> None:
        self._feed, self._queue, self._wants = feed, queue, wants
        self._is_ended = False

    def end(self) -> None:
        """After what it is telling: whoever listens may not any more."""
        self._is_ended = True
        self._queue.woken.set()

    @property
    def _is_over(self) -> bool:
        return self._feed.closed or self._is_ended

    async def told(self, after: Position | None) -> AsyncGenerator[Told]:
        """What is wanted of everything after a position, or from now on; never twice, never out of order.

        Ends when the feed is closed or this stream was ended, or when the ledger is lost while catching up: the client comes again, as it would
        after any other break.
        """
        feed = self._feed
        try:
            position = feed.position if after is None else after
            if after is None or await feed.page(after) is not None:
                yield Begun(position, resumed=after is not None)
            else:
                position = feed.position
                yield Reset(position)
            while not self._is_over:
                async for told in self._from_table(position):
                    position = told.position
                    yield told
                async for told in self._from_queue(position):
                    position = told.position
                    yield told
        except Unavailable as error:
            log.warning("a live stream ends: %s", error)

    async def _from_table(self, position: Position) -> AsyncGenerator[Notice | Reset]:
        """Catch up with the one reader, page by page. From here on the queue has what comes after."""
        feed, queue = self._feed, self._queue
        queue.attach(feed.position)
        while position < queue.reached and not self._is_over:
            page = await feed.page(position)
            if page is None:
                queue.attach(feed.position)
                yield Reset(feed.position)
                return
            for notice in page:
                if self._wants(notice):
                    yield notice
            if len(page) < feed.pace.page_max:
                return
            position = page[-1].position

    async def _from_queue(self, position: Position) -> AsyncGenerator[Notice | Beat]:
        """What the one reader puts there, and a beat when it is nothing for long; until the queue has overflown."""
        feed, queue = self._feed, self._queue
        while not (queue.overflown or self._is_over):
            queue.woken.clear()
            while queue.waiting:
                notice = queue.waiting.popleft()
                if notice.position > position:  # else the table gave it already
                    position = notice.position
                    yield notice
            if queue.overflown or self._is_over:
                return
            if not await self._woken() and not (queue.waiting or queue.overflown):
                position = max(position, queue.reached)
                yield Beat(position, current=feed.current)

    async def _woken(self) -> bool:
        try:
            async with asyncio.timeout(self._feed.pace.heartbeat_s):
                await self._queue.woken.wait()
        except TimeoutError:
            return False
        return True
