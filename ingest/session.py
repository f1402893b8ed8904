"""The MQTT session: persistent, QoS 1, acknowledged by hand, bounded, reconnecting.

Back-pressure: while as many messages are held as may be, the socket is not read. Should that last longer than the
keep-alive, the connection is lost, and the next one is made when there is room again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from ingest.delivery import Delivery, Untimed
from ingest.link import BrokerAddress, BrokerAway, Endpoint, Link
from settings import MqttVersion

RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0
HELD_BYTES_MAX = 64 * 1024 * 1024  # of payload; topics are bounded where frames are cut

_log = logging.getLogger(__name__)


class Session:
    """`arrived` is called on the loop with new messages; each is held until `settle` is called with it."""

    def __init__(
        self,
        url: str,
        client_id: str,
        subscriptions: Sequence[str],
        *,
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        held_messages_max: int,
        payload_bytes_max: int,
        version: MqttVersion = "3.1.1",
    ) -> None:
        self.connected_since_ms: int | None = None  # subscribed and reading since; None: not connected
        self.pressed_ms: int | None = None  # when the bound was last reached
        self.connections = 0
        self._endpoint = Endpoint(
            BrokerAddress.parse(url), client_id, tuple(subscriptions), payload_bytes_max, held_messages_max, version
        )
        self._now_ms = now_ms
        self._arrived = arrived
        self._messages_max = held_messages_max
        self._messages = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._link: Link | None = None
        self._links = 0
        self._untimed = Untimed()  # of all connections: what one received stays apart from what the next does

    @property
    def held(self) -> int:
        return self._messages

    @property
    def is_pressed(self) -> bool:
        """So much is held that nothing is read."""
        return not self._room.is_set()

    def _room_left(self) -> tuple[int, int]:
        """How many messages and bytes may still be held."""
        if self._closing:
            return 0, 0
        return self._messages_max - self._messages, HELD_BYTES_MAX - self._bytes

    async def run(self) -> None:
        """Connect and stay connected until cancelled, then say goodbye."""
        retry_s, address = RETRY_FIRST_S, self._endpoint.address
        while True:
            await self._room.wait()
            self._links += 1
            link = self._link = Link(
                self._links,
                self._endpoint,
                take=self._take,
                room=self._room_left,
                now_ms=self._now_ms,
                untimed=self._untimed,
            )
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

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        """A link has new messages."""
        self._messages += len(deliveries)
        self._bytes += sum([len(each.payload) for each in deliveries])
        if min(self._room_left()) <= 0 and self._room.is_set():
            self._room.clear()
            self.pressed_ms = self._now_ms()
            if self._link is not None:
                self._link.stop_reading()
        self._arrived(deliveries)

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """They are committed, or need not be: acknowledge them. What came over a broken connection comes again."""
        self._messages -= len(deliveries)
        self._bytes -= sum([len(each.payload) for each in deliveries])
        if self._link is not None:
            self._link.acknowledge(deliveries)
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
