"""One connection to the broker: a paho-mqtt client on the running asyncio loop.

paho does what it is good at - connecting, TLS, keep-alive, packets. A client serves one connection, so no state of a
broken one survives it: what was not acknowledged comes again from the broker, whose session it is (clean_session is off).

A packet id is acknowledged once, when everything held under it is settled. NATS redelivers on the same connection after
its ack_wait: a message already held is ignored. A copy that crosses our acknowledgement on the way may meet a new
message under the same id; acknowledging either alone would lose the other.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ledger.intake import SAMPLE_BYTES_MAX

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 5.0
SUBSCRIBE_TIMEOUT_S = 30.0  # a broker may pour out what it kept for us before it answers
PUBLISHES_UNACKNOWLEDGED_MAX = 200
READS_PER_TURN_MAX = 100
SAMPLE_BYTES = (
    SAMPLE_BYTES_MAX + 1
)  # all that is kept of a message too large to be taken; one more shows that it is cut

_log = logging.getLogger(__name__)


class BrokerAway(Exception):
    """Not connected, or the connection broke before the broker answered: nothing is known to have arrived."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """mqtt://user:password@host:1883, or mqtts:// for TLS with the machine's certificates."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "BrokerAddress":
        """Raises ValueError that does not repeat the credential."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("MQTT_URL must look like mqtt://user:password@host:1883 or mqtts://host:8883")
        tls = parts.scheme == "mqtts"
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, parts.port or (8883 if tls else 1883), tls, user, password)


class Delivery:
    """One PUBLISH as it came. Compared by identity; settle it when it is committed. `size` is the payload's true
    length: of an oversize one only the beginning is kept. `kept`: the broker had kept it (retained) and hands it out
    because we subscribe; nobody says it now.
    """

    __slots__ = ("kept", "link", "mid", "payload", "received_ms", "size", "topic")

    def __init__(
        self,
        topic: str,
        payload: bytes,
        size: int,
        received_ms: int,
        mid: int = 0,
        link: "Link | None" = None,
        *,
        kept: bool = False,
    ) -> None:
        self.topic, self.payload, self.size, self.kept = topic, payload, size, kept
        self.received_ms, self.mid, self.link = received_ms, mid, link


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to be and what to hear."""

    address: BrokerAddress
    client_id: str
    subscriptions: Sequence[str]
    payload_bytes_max: int


class Link:
    """One connection and its paho client. paho calls back on the loop's thread, but for the moment of connecting."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        take: Callable[[Delivery], None],
        may_read: Callable[[], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._endpoint, self._take, self._may_read, self._now_ms = endpoint, take, may_read, now_ms
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._held: dict[int, list[Delivery]] = {}
        self._unconfirmed: dict[int, asyncio.Future[bool]] = {}
        self._keeping: asyncio.Task[None] | None = None
        self._descriptor: int | None = None
        self._reading = False
        self._client = self._make_client()

    def _make_client(self) -> Client:
        endpoint = self._endpoint
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(PUBLISHES_UNACKNOWLEDGED_MAX)
        if endpoint.address.user is not None:
            client.username_pw_set(endpoint.address.user, endpoint.address.password)
        if endpoint.address.tls:
            client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        client.on_socket_close = self._on_socket_close
        return client

    # ------------------------------------------------------------------ life

    async def open(self) -> None:
        """Connect and subscribe. Raises BrokerAway."""
        address = self._endpoint.address
        connecting = asyncio.ensure_future(
            asyncio.to_thread(self._client.connect, address.host, address.port, KEEPALIVE_S)
        )
        try:
            await asyncio.shield(connecting)
            self._watch()
            await asyncio.wait_for(self._greeted, CONNECT_TIMEOUT_S)
            filters = [(each, 1) for each in self._endpoint.subscriptions]
            code, _ = self._client.subscribe(filters)
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise BrokerAway(f"subscribing failed: {code.name}")
            await asyncio.wait_for(self._subscribed, SUBSCRIBE_TIMEOUT_S)
        except TimeoutError as error:
            raise BrokerAway("no answer") from error
        except (OSError, ValueError) as error:
            raise BrokerAway(str(error) or type(error).__name__) from error
        except asyncio.CancelledError:
            with contextlib.suppress(OSError, ValueError):  # its thread ends by its own timeout; only then can we close
                await connecting
            raise

    def _watch(self) -> None:
        socket = self._client.socket()
        if socket is None:
            raise BrokerAway("closed at once")
        self._descriptor = socket.fileno()
        self._keeping = asyncio.create_task(self._keep_alive())
        self.read_on()
        self._on_register_write(self._client, None, None)

    def _unwatch(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
        self._descriptor, self._reading = None, False

    async def close(self) -> None:
        """Say goodbye if there is anybody to say it to, and let go of everything."""
        self._unwatch()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._break("closed")
        for future in (self._greeted, self._subscribed):
            if not future.cancelled():
                future.exception()  # looked at, or asyncio complains that nobody did
        for confirmed in self._unconfirmed.values():
            if not confirmed.done():
                confirmed.set_result(False)
        self._unconfirmed.clear()
        if self._client.socket() is not None:
            with contextlib.suppress(OSError, ValueError):
                self._client.disconnect()
                self._client.loop_write()  # what acknowledgements are left, and the goodbye; no second try
        socket = self._client.socket()
        if socket is not None:
            self._client.on_socket_close = None
            socket.close()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._client.loop_misc()

    def _break(self, why: str) -> None:
        """The connection is of no use any more; whoever waits for it hears why."""
        error = BrokerAway(why)
        for future in (self._greeted, self._subscribed):
            if not future.done():
                future.set_exception(error)
        if not self.lost.done():
            self.lost.set_result(why)

    # ------------------------------------------------------------------ reading and acknowledging

    def read_on(self) -> None:
        if self._descriptor is None or self._reading or not self._may_read():
            return
        self._loop.add_reader(self._descriptor, self._readable)
        self._reading = True
        if self._has_buffered():
            self._loop.call_soon(self._readable)

    def stop_reading(self) -> None:
        if self._descriptor is not None and self._reading:
            self._loop.remove_reader(self._descriptor)
        self._reading = False

    def _readable(self) -> None:
        """Read packet after packet while messages come and may be held; then let others have the loop."""
        for _ in range(READS_PER_TURN_MAX):
            if not self._reading:
                return
            before = self._taken
            try:
                self._client.loop_read()
            except Exception:  # noqa: BLE001 - a packet that paho cannot make sense of must not come round for ever
                _log.exception("reading from the broker failed")
                self._unwatch()
                self._break("unreadable")
            if self._taken == before and not self._has_buffered():
                return
        self._loop.call_soon(self._readable)

    def _has_buffered(self) -> bool:
        """Whether TLS has read what the selector therefore does not see any more."""
        socket = self._client.socket()
        return isinstance(socket, ssl.SSLSocket) and bool(socket.pending())

    def acknowledge(self, delivery: Delivery) -> None:
        held = self._held.get(delivery.mid)
        if held is None:
            return
        held.remove(delivery)
        if held:
            return  # another message under the same id is not settled yet
        del self._held[delivery.mid]
        if not self.lost.done():
            self._client.ack(delivery.mid, 1)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            topic = error.object.decode("utf-8", "backslashreplace")
        payload = bytes(message.payload)
        size = len(payload)
        if size > self._endpoint.payload_bytes_max:
            payload = payload[:SAMPLE_BYTES]
        mid = message.mid if message.qos else 0
        delivery = Delivery(topic, payload, size, self._now_ms(), mid, self if mid else None, kept=message.retain)
        if mid:
            held = self._held.setdefault(mid, [])
            if any(each.topic == topic and each.size == size and each.payload == payload for each in held):
                return
            held.append(delivery)
        self._taken += 1
        self._take(delivery)

    # ------------------------------------------------------------------ publishing

    async def publish(self, messages: Sequence[tuple[str, bytes]]) -> list[bool]:
        waiting: list[asyncio.Future[bool]] = []
        for topic, payload in messages:
            confirmed: asyncio.Future[bool] = self._loop.create_future()
            waiting.append(confirmed)
            info = None if self.lost.done() else self._client.publish(topic, payload, qos=1)
            if info is None or info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                confirmed.set_result(False)
            else:
                self._unconfirmed[info.mid] = confirmed
        return list(await asyncio.gather(*waiting))

    def _on_publish(self, _client: Client, _data: object, mid: int, _reason: ReasonCode, _more: Properties) -> None:
        confirmed = self._unconfirmed.pop(mid, None)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(True)

    # ------------------------------------------------------------------ what paho tells of the connection

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self._break(f"refused: {reason}")
        elif not self._greeted.done():
            self._greeted.set_result(None)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: Sequence[ReasonCode], _more: Properties | None
    ) -> None:
        refused = [
            name for name, reason in zip(self._endpoint.subscriptions, reasons, strict=False) if reason.is_failure
        ]
        if refused:
            # NATS refuses when max_ack_pending, summed over the subscriptions (twice for each '#'), is above 65535.
            hint = "its access rules forbid it, or, with NATS, max_ack_pending is too large for so many sites"
            self._break(f"the broker does not let us hear {', '.join(refused)}: {hint}")
        elif not self._subscribed.done():
            self._subscribed.set_result(None)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._break(str(reason))

    def _on_register_write(self, _client: Client, _data: object, _socket: object) -> None:
        """Called once for many packets: acknowledging a batch is one turn of the loop.

        While connecting it is called on another thread and nothing is watched yet: `_watch` makes up for it.
        """
        if self._descriptor is not None:
            self._loop.add_writer(self._descriptor, self._client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, _socket: object) -> None:
        if self._descriptor is not None:
            self._loop.remove_writer(self._descriptor)

    def _on_socket_close(self, _client: Client, _data: object, _socket: object) -> None:
        """The loop must forget the descriptor before another socket gets its number."""
        self._unwatch()
