"""One connection to the broker: a paho-mqtt client on the running asyncio loop, with a lane for PUBLISH.

paho does what it is good at - connecting, TLS, keep-alive, all packets but PUBLISH, whose way `ingest.lanes` knows, by
the version of MQTT. A client serves one connection, so no state of a broken one survives it: what was not acknowledged
comes again from the broker, whose session it is (nothing starts clean).

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

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest import wire
from ingest.delivery import Delivery, Untimed
from ingest.lanes import FastLane, Lane, Malformed, PahoLane
from settings import MqttVersion

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 5.0
SUBSCRIBE_TIMEOUT_S = 30.0  # a broker may pour out what it kept for us before it answers
PUBLISHES_UNACKNOWLEDGED_MAX = 200

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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to be and what to hear."""

    address: BrokerAddress
    client_id: str
    subscriptions: Sequence[str]
    payload_bytes_max: int
    unacknowledged_max: int
    version: MqttVersion


class Link:
    """One connection and its paho client. paho calls back on the loop's thread, but for the moment of connecting.

    `room` tells how many messages and bytes of payload may be taken now; neither is exceeded but by one message.
    """

    def __init__(
        self,
        number: int,
        endpoint: Endpoint,
        *,
        take: Callable[[Sequence[Delivery]], None],
        room: Callable[[], tuple[int, int]],
        now_ms: Callable[[], int],
        untimed: Untimed,
    ) -> None:
        self._number, self._endpoint, self._take, self._room, self._now_ms = number, endpoint, take, room, now_ms
        self._untimed = untimed
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._held: dict[int, Delivery] = {}
        self._held_too: dict[int, list[Delivery]] = {}  # other messages under an id that is held
        self._unconfirmed: dict[int, asyncio.Future[bool]] = {}
        self._is_refusal_told = False
        self._keeping: asyncio.Task[None] | None = None
        self._descriptor: int | None = None
        self._reading = False
        self._lane = self._make_lane()
        self._client = self._lane.client
        self._make_ready()

    def _make_lane(self) -> Lane:
        number, to = self._number, self._endpoint
        if to.version == "5":
            return PahoLane(number, to.client_id, to.payload_bytes_max, to.unacknowledged_max, self._hear)
        return FastLane(number, to.client_id, to.payload_bytes_max, self._hear)

    def _make_ready(self) -> None:
        endpoint, client = self._endpoint, self._client
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(PUBLISHES_UNACKNOWLEDGED_MAX)
        if endpoint.address.user is not None:
            client.username_pw_set(endpoint.address.user, endpoint.address.password)
        if endpoint.address.tls:
            client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        client.on_socket_close = self._on_socket_close

    # ------------------------------------------------------------------ life

    async def open(self) -> None:
        """Connect and subscribe. Raises BrokerAway."""
        address = self._endpoint.address
        connecting = asyncio.ensure_future(
            asyncio.to_thread(self._lane.connect, address.host, address.port, KEEPALIVE_S)
        )
        try:
            await asyncio.shield(connecting)
            self._watch()
            async with asyncio.timeout(CONNECT_TIMEOUT_S):  # `wait_for` may forget that it was cancelled (Python 3.11)
                await self._greeted
            filters = [(each, 1) for each in self._endpoint.subscriptions]
            code, _ = self._client.subscribe(filters)
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise BrokerAway(f"subscribing failed: {code.name}")
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                await self._subscribed
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
        if self._descriptor is None or self._reading or min(self._room()) <= 0:
            return
        self._loop.add_reader(self._descriptor, self._readable)
        self._reading = True
        self._loop.call_soon(self._readable)  # something may be here already, read by us or by TLS

    def stop_reading(self) -> None:
        if self._descriptor is not None and self._reading:
            self._loop.remove_reader(self._descriptor)
        self._reading = False

    def _readable(self) -> None:
        """Read once in bulk, and take of it what may be held; then let others have the loop."""
        if not self._reading:
            return
        try:
            self._read()
        except Malformed as flaw:
            _log.error("the broker sends what is no MQTT %s: %s", self._endpoint.version, flaw)
            self._unwatch()
            self._break("unreadable")
        except Exception:  # noqa: BLE001 - a packet that nobody can make sense of must not come round for ever
            _log.exception("reading from the broker failed")
            self._unwatch()
            self._break("unreadable")

    def _read(self) -> None:
        socket, lane, chunk = self._client.split(), self._lane, None
        if socket is None:
            return
        if not lane.is_paused:
            chunk = socket.receive()
            if chunk is not None:
                self._client.note_received()
        lane.read(chunk or b"", self._now_ms(), *self._room())
        if self._reading and (lane.is_paused or socket.has_pending):
            self._loop.call_soon(self._readable)

    def _hear(self, messages: Sequence[Delivery]) -> None:
        held, fresh = self._held, list[Delivery]()
        for message in self._untimed.apart(messages):
            packet_id = message.packet_id
            if packet_id and packet_id in held:
                under_it = [held[packet_id], *self._held_too.get(packet_id, ())]
                if any(_is_copy(each, message) for each in under_it):
                    continue
                self._held_too.setdefault(packet_id, []).append(message)
            elif packet_id:
                held[packet_id] = message
            fresh.append(message)
        if fresh:
            self._take(fresh)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """In one piece, in order of arrival. What came over another connection is none of this one's."""
        held, number, settled = self._held, self._number, list[int]()
        for delivery in deliveries:
            packet_id = delivery.packet_id
            if not packet_id or delivery.connection != number:
                continue
            if packet_id in self._held_too:
                self._settle_one_of(packet_id, delivery)  # another message under the same id is not settled yet
            elif held.pop(packet_id, None) is not None:
                settled.append(packet_id)
        if settled and not self.lost.done():
            self._client.acknowledge(settled)

    def _settle_one_of(self, packet_id: int, delivery: Delivery) -> None:
        others = self._held_too[packet_id]
        if self._held[packet_id] is delivery:
            self._held[packet_id] = others.pop(0)
        else:
            others.remove(delivery)
        if not others:
            del self._held_too[packet_id]

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

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: ReasonCode, more: Properties) -> None:
        if reason.is_failure and not self._is_refusal_told:
            self._is_refusal_told = True  # once a connection: it is tried again every second
            _log.error("the broker does not take what we publish: %s; it is tried again", _said(reason, more))
        confirmed = self._unconfirmed.pop(mid, None)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(not reason.is_failure)

    # ------------------------------------------------------------------ what paho tells of the connection

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, more: Properties | None
    ) -> None:
        if reason == "Unsupported protocol version":
            version = self._endpoint.version
            self._break(
                f"refused: it does not speak MQTT {version}, which TAIZHANG_MQTT_VERSION asks for (NATS speaks 3.1.1 only): "
                "set another version, or name another broker in MQTT_URL"
            )
        elif reason.is_failure:
            self._break(f"refused: {_said(reason, more)}")
        elif not self._greeted.done():
            if more is not None:
                self._client.heed(more)
            self._greeted.set_result(None)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: Sequence[ReasonCode], _more: Properties | None
    ) -> None:
        answers = zip(self._endpoint.subscriptions, reasons, strict=False)
        refused = [f"{name} ({reason})" for name, reason in answers if reason.is_failure]
        if refused:
            # NATS refuses when max_ack_pending, summed over the subscriptions (twice for each '#'), is above 65535.
            hint = "its access rules forbid it, or, with NATS, max_ack_pending is too large for so many sites"
            self._break(f"the broker does not let us hear {', '.join(refused)}: {hint}")
        elif not self._subscribed.done():
            self._subscribed.set_result(None)

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, more: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._break(f"the broker ends the connection: {_said(reason, more)}")
        elif reason == "Protocol error":  # in paho's eyes
            self._break(f"it sends what is no MQTT {self._endpoint.version}")
        else:
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


def _said(reason: ReasonCode, more: Properties | None) -> str:
    """The broker's reason, and what else it says of it (MQTT 5)."""
    text = getattr(more, "ReasonString", None)
    return str(reason) if text is None else f"{reason}, {wire.shown(text)}"


def _is_copy(one: Delivery, other: Delivery) -> bool:
    return one.topic == other.topic and one.size == other.size and one.payload == other.payload
