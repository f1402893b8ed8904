"""The MQTT session: persistent, QoS 1, acknowledged by hand, bounded, reconnecting.

Back-pressure: while as many messages are held as may be, the socket is not read. Should that last longer than the
keep-alive, the connection is lost, and the next one is made when there is room again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from ingest.link import BrokerAddress, BrokerAway, Delivery, Endpoint, Link

RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0
HELD_BYTES_MAX = 64 * 1024 * 1024

_log = logging.getLogger(__name__)


class Session:
    """`arrived` is called on the loop with every new message; each is held until `settle` is called with it."""

    def __init__(
        self,
        url: str,
        client_id: str,
        subscriptions: Sequence[str],
        *,
        arrived: Callable[[Delivery], None],
        now_ms: Callable[[], int],
        held_messages_max: int,
        payload_bytes_max: int,
    ) -> None:
        self.connected_since_ms: int | None = None  # subscribed and reading since; None: not connected
        self.pressed_ms: int | None = None  # when the bound was last reached
        self.connections = 0
        self._endpoint = Endpoint(BrokerAddress.parse(url), client_id, tuple(subscriptions), payload_bytes_max)
        self._now_ms = now_ms
        self._arrived = arrived
        self._messages_max = held_messages_max
        self._messages = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._link: Link | None = None

    @property
    def held(self) -> int:
        return self._messages

    @property
    def is_pressed(self) -> bool:
        """So much is held that nothing is read."""
        return not self._room.is_set()

    def _may_read(self) -> bool:
        return self._room.is_set() and not self._closing

    async def run(self) -> None:
        """Connect and stay connected until cancelled, then say goodbye."""
        retry_s, address = RETRY_FIRST_S, self._endpoint.address
        while True:
            await self._room.wait()
            link = self._link = Link(self._endpoint, take=self._take, may_read=self._may_read, now_ms=self._now_ms)
            try:
                await link.open()
                retry_s = RETRY_FIRST_S
                self.connections += 1
                self.connected_since_ms = self._now_ms()
                _log.info("connected to the broker, subscribed to %s", ", ".join(self._endpoint.subscriptions))
                why = await link.lost
            except BrokerAway as error:
                why = str(error)
            finally:
                self._link, self.connected_since_ms = None, None
                await link.close()
            _log.warning("broker %s:%d: %s; trying again", address.host, address.port, why)
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_LAST_S)

    def stop_reading(self) -> None:
        """Take nothing more: what is held can still be settled."""
        self._closing = True
        if self._link is not None:
            self._link.stop_reading()

    def _take(self, delivery: Delivery) -> None:
        """A link has a new message."""
        self._messages += 1
        self._bytes += len(delivery.payload)
        if self._messages >= self._messages_max or self._bytes >= HELD_BYTES_MAX:
            self._room.clear()
            self.pressed_ms = self._now_ms()
            if self._link is not None:
                self._link.stop_reading()
        self._arrived(delivery)

    def settle(self, deliveries: Iterable[Delivery]) -> None:
        """They are committed, or need not be: acknowledge them. What came over a broken connection comes again."""
        for delivery in deliveries:
            self._messages -= 1
            self._bytes -= len(delivery.payload)
            if delivery.link is not None:
                delivery.link.acknowledge(delivery)
        if self._messages < self._messages_max and self._bytes < HELD_BYTES_MAX and not self._room.is_set():
            self._room.set()
            self.pressed_ms = self._now_ms()
            if self._link is not None:
                self._link.read_on()

    async def publish(self, messages: Sequence[tuple[str, bytes]]) -> list[bool]:
        """Publish at QoS 1 and wait for the broker's word; tells which were acknowledged before the connection broke."""
        if self._link is None or self.connected_since_ms is None:
            return [False] * len(messages)
        return await self._link.publish(messages)
