"""A gateway or a reader as the broker's tests need it: connects, remembers what it heard and what it was refused."""

from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from embedded.broker import User
from tests.fix_wait import Eventually


class Device:
    """A paho client that remembers what it was told."""

    def __init__(
        self,
        url: str,
        name: str,
        user: User | None = None,
        *,
        clean: bool = True,
        ca: Path | None = None,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refusals: list[bool] = []
        self.connected: list[bool] = []
        self.session_present: list[bool] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
        if user is not None:
            self._client.username_pw_set(user.name, user.password)
        if ca is not None:
            self._client.tls_set(str(ca))
        if will is not None:
            self._client.will_set(*will, qos=1)
        self._client.on_message = lambda _c, _u, message: self.heard.append((message.topic, message.payload))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda _c, _u, _m, codes, _p: self.refusals.extend(c.is_failure for c in codes)
        self._url = urlsplit(url)

    def _on_connect(self, _client: object, _userdata: object, flags: object, reason: object, _p: object) -> None:
        self.connected.append(not reason.is_failure)
        self.session_present.append(flags.session_present)

    async def connect(self, eventually: Eventually) -> "Device":
        self._client.connect(self._url.hostname, self._url.port)
        self._client.loop_start()
        await eventually(lambda: self.connected)
        return self

    async def subscribe(self, topic: str, eventually: Eventually) -> bool:
        """Whether it was granted."""
        before = len(self.refusals)
        self._client.subscribe(topic, qos=1)
        await eventually(lambda: len(self.refusals) > before)
        return not self.refusals[-1]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, wait: bool = True, quality: int = 1) -> None:
        """Returns when the broker has acknowledged, unless told not to wait."""
        info = self._client.publish(topic, payload, qos=quality, retain=retain)
        if wait:
            info.wait_for_publish(10)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def vanish(self) -> None:
        """Cut off without a goodbye: the broker publishes its last will."""
        self._client.loop_stop()
        socket = self._client.socket()
        assert socket is not None
        socket.close()
