"""The connection of one gateway to a real broker: paho-mqtt on the running asyncio loop, QoS 1, everything bounded.

Commands come from `simulators.gateway` and are carried out in order. What was sent and not acknowledged when a
connection broke is sent again on the next one, before anything newer: the truth counts a message once.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.gateway import Command, Connect, Drop, Leave, Publish

INFLIGHT_MESSAGES_MAX = 200
PENDING_COMMANDS_MAX = 5_000
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 10.0
LEAVE_TIMEOUT_S = 20.0
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 10.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is: mqtt://user:password@host:1883, or mqtts:// for TLS with the machine's certificates."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "BrokerAddress":
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or parts.hostname is None:
            raise ValueError("the broker's address must look like mqtt://host:1883 or mqtts://user:password@host:8883")
        tls = parts.scheme == "mqtts"
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, parts.port or (8883 if tls else 1883), tls, user, password)


class _Socket(Protocol):
    def fileno(self) -> int: ...


@dataclass(slots=True)
class Counts:
    """What went through one link. A PUBLISH of stored messages is a list and carries several messages."""

    publishes_sent: int = 0  # telemetry, each counted once
    publishes_acknowledged: int = 0
    publishes_repeated: int = 0  # of those acknowledged: meant as duplicates
    publishes_resent: int = 0  # further copies after a broken connection; the broker may have had the first
    publishes_lost: int = 0  # in the memory of a gateway that went dark
    messages_acknowledged: int = 0  # without repetitions
    values_acknowledged: int = 0  # without repetitions
    values_repeated: int = 0
    statuses_acknowledged: int = 0
    wills: int = 0  # connections that ended without goodbye
    connections: int = 0


class Link:
    """`client_id` must be one gateway's alone, or brokers throw out whoever came first."""

    def __init__(self, address: BrokerAddress, client_id: str) -> None:
        self.counts = Counts()
        self.trouble: str | None = None  # why the last connection was lost or refused
        self._address = address
        self._client_id = client_id
        self._loop = asyncio.get_running_loop()
        self._client: Client | None = None
        self._up = False
        self._busy = False  # carrying out a command
        self._greeted: asyncio.Future[None] | None = None  # while a connection is being opened
        self._lost = False
        self._retry_s = RETRY_FIRST_S
        self._retry_at = 0.0
        self._pending: deque[Command] = deque()
        self._carried: deque[Publish] = deque()  # sent on a connection that broke, not acknowledged
        self._inflight: dict[int, Publish | None] = {}  # None: a status
        self._moved = asyncio.Event()  # something was queued, acknowledged or lost
        self._room = asyncio.Event()
        self._room.set()

    @property
    def may_connect(self) -> bool:
        return self._loop.time() >= self._retry_at

    def take_loss(self) -> bool:
        """Whether the connection broke since last asked, though nobody meant it to. The owner then stores."""
        lost, self._lost = self._lost, False
        return lost

    def submit(self, commands: Iterable[Command]) -> None:
        self._pending.extend(commands)
        if len(self._pending) >= PENDING_COMMANDS_MAX:
            self._room.clear()
        self._moved.set()

    async def room(self) -> None:
        """Wait until there is room for more: the simulation pauses rather than swell."""
        if self._up:
            await self._room.wait()

    async def connected(self) -> None:
        """Wait for the first connection or the first trouble."""
        while not self.counts.connections and self.trouble is None:
            await self._wait()

    async def settled(self, timeout_s: float) -> bool:
        """Wait until everything submitted is carried out and acknowledged; False if it was not in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._busy or self._pending or self._carried or self._inflight:
                    await self._wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Carry out commands until cancelled; then close without goodbye."""
        keeping = asyncio.create_task(self._keep_alive())
        try:
            while True:
                command = self._next()
                if command is None:
                    await self._wait()
                    continue
                self._busy = True
                await self._carry_out(command)
                self._busy = False
                self._moved.set()
                if len(self._pending) < PENDING_COMMANDS_MAX:
                    self._room.set()
        finally:
            keeping.cancel()
            self._close()

    async def _wait(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _next(self) -> Command | None:
        """The next command that can be carried out now. Without a connection messages wait, the rest overtakes them."""
        if not self._up:
            for index, command in enumerate(self._pending):
                if not isinstance(command, Publish):
                    del self._pending[index]
                    if isinstance(command, Drop) and command.forget:
                        self._forget(index)
                    return command
            return None
        full = len(self._inflight) >= INFLIGHT_MESSAGES_MAX
        if self._carried:
            return None if full else self._carried.popleft()
        if not self._pending or (full and isinstance(self._pending[0], Publish)):
            return None
        return self._pending.popleft()

    def _forget(self, waiting: int) -> None:
        """A gateway went dark: what waited in front of that moment is gone with its memory."""
        self.counts.publishes_lost += waiting + len(self._carried)
        self._carried.clear()
        for _ in range(waiting):
            self._pending.popleft()

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Publish():
                self._publish(command)
            case Connect():
                await self._connect(command)
            case Drop():
                self._close()
                if command.forget:
                    self._forget(0)
            case Leave():
                await self._leave(command)

    def _publish(self, message: Publish) -> None:
        assert self._client is not None
        if self._send(message.topic, message.payload, message, retain=False):
            self.counts.publishes_sent += 1
        else:
            self._carried.appendleft(message)

    def _send(self, topic: str, payload: bytes, message: Publish | None, *, retain: bool) -> bool:
        if self._client is None:
            return False
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._broken(f"publishing failed: {info.rc.name}")
            return False
        self._inflight[info.mid] = message
        return True

    async def _connect(self, command: Connect) -> None:
        self._close()
        client = self._new_client(command)
        self._client = client
        self._greeted = self._loop.create_future()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.to_thread(client.connect, self._address.host, self._address.port, KEEPALIVE_S)
                socket = client.socket()
                if socket is None:
                    raise ConnectionError("closed at once")
                self._loop.add_reader(socket.fileno(), self._readable, client)
                await self._greeted
                self._greeted, self._up = None, True
                self._send(command.topic, command.hello, None, retain=True)
                while self._up and self._inflight:  # until the broker has taken it, nobody knows that we are here
                    await self._wait()
        except OSError as error:  # TimeoutError and ConnectionError are among them
            self._broken(f"no connection to {self._address.host}:{self._address.port}: {error or 'timed out'}")
        finally:
            self._greeted = None
        if self._up:
            self._retry_s = RETRY_FIRST_S
            self.counts.connections += 1

    def _new_client(self, command: Connect) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id, reconnect_on_failure=False)
        client.max_inflight_messages_set(INFLIGHT_MESSAGES_MAX + 2)
        client.connect_timeout = CONNECT_TIMEOUT_S
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
        client.will_set(command.topic, command.will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    async def _leave(self, command: Leave) -> None:
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                self._send(command.topic, command.goodbye, None, retain=True)
                while self._inflight and self._up:
                    await self._wait()
        except TimeoutError:
            self.trouble = "left with messages unacknowledged"
        if self._client is not None:
            self._up = False
            self._client.disconnect()
            self._client.loop_write()  # or the socket closes before it says so, and the broker speaks the last will
        self._close()

    def _broken(self, why: str) -> None:
        """Nobody meant this: try again, later each time."""
        self.trouble = why
        self._lost = True
        self._retry_at = self._loop.time() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_LAST_S)
        self._close()

    def _close(self) -> None:
        """Close the socket without DISCONNECT, so that the last will is spoken; keep what was not acknowledged."""
        self.counts.wills += self._up
        client, self._client, self._up = self._client, None, False
        broken = [message for message in self._inflight.values() if message is not None]
        self._inflight.clear()
        self._carried.extendleft(reversed(broken))
        self.counts.publishes_resent += len(broken)
        self.counts.publishes_sent -= len(broken)
        self._moved.set()
        if client is None:
            return
        socket = client.socket()
        if socket is not None:
            self._loop.remove_reader(socket.fileno())
            self._loop.remove_writer(socket.fileno())
            client.on_socket_close = None
            client.on_socket_unregister_write = None
            socket.close()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self._client is not None and self._up:
                self._client.loop_misc()

    # ------------------------------------------------------------------ what paho tells, always on the loop's thread
    # but for the moment of connecting

    def _readable(self, client: Client) -> None:
        client.loop_read()
        socket = client.socket()
        while isinstance(socket, ssl.SSLSocket) and socket.pending():
            client.loop_read()
            socket = client.socket()

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if client is not self._client or self._greeted is None or self._greeted.done():
            return
        if reason.is_failure:
            self._greeted.set_exception(ConnectionError(f"refused: {reason}"))
        else:
            self._greeted.set_result(None)

    def _on_disconnect(
        self, client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if client is not self._client:
            return
        if self._greeted is not None:
            if not self._greeted.done():
                self._greeted.set_exception(ConnectionError(f"closed while connecting: {reason}"))
        elif self._up:
            self._broken(f"connection lost: {reason}")

    def _on_publish(
        self, client: Client, _data: object, mid: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if client is not self._client:
            return
        if mid not in self._inflight:
            return
        message = self._inflight.pop(mid)
        self._moved.set()
        counts = self.counts
        if message is None:
            counts.statuses_acknowledged += 1
            return
        counts.publishes_acknowledged += 1
        if message.again:
            counts.publishes_repeated += 1
            counts.values_repeated += message.values
        else:
            counts.messages_acknowledged += message.messages
            counts.values_acknowledged += message.values

    def _on_socket_close(self, _client: Client, _data: object, socket: _Socket) -> None:
        self._loop.remove_reader(socket.fileno())
        self._loop.remove_writer(socket.fileno())

    def _on_register_write(self, client: Client, _data: object, socket: _Socket) -> None:
        self._loop.call_soon_threadsafe(self._write_when_possible, client, socket)

    def _write_when_possible(self, client: Client, socket: _Socket) -> None:
        if client.socket() is socket and socket.fileno() >= 0:
            self._loop.add_writer(socket.fileno(), client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, socket: _Socket) -> None:
        self._loop.remove_writer(socket.fileno())
