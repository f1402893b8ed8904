"""The yardstick: what a competent engineer would script. `python -m bench.script DATABASE_URL MQTT_URL COUNTERS`.

paho on its own thread acknowledges each message as soon as the callback returns; the callback decodes and puts rows in
a list; another thread copies the list into a table of its own, every 500 messages or 100 ms. No rules, no account, no
duplicates caught: what was acknowledged and not yet written is lost with the process.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.counters import CONSUMED, STARTED, STOP, Counters

MESSAGES_MAX = 500
LINGER_S = 0.1

Row = tuple[str, str, int, float | None, str | None]


class Script:
    def __init__(self, database_url: str, counters: Counters) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._connection.execute(
            "create table if not exists telemetry "
            "(topic text, point text, ts bigint, value double precision, label text)"
        )
        self._counters = counters
        self._rows: list[Row] = []
        self._messages = 0
        self._full = threading.Event()
        self._lock = threading.Lock()

    def on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        decoded = json.loads(message.payload)
        topic, ts = message.topic, decoded.get("ts", 0)
        rows: list[Row] = []
        for point, value in decoded.get("values", {}).items():
            if isinstance(value, str):
                rows.append((topic, point, ts, None, value))
            else:
                rows.append((topic, point, ts, float(value), None))
        with self._lock:
            self._rows += rows
            self._messages += 1
            is_full = self._messages >= MESSAGES_MAX
        if is_full:
            self._full.set()

    def write_until_stopped(self) -> None:
        written = 0
        while not self._counters[STOP]:
            self._full.wait(LINGER_S)
            self._full.clear()
            with self._lock:
                rows, self._rows = self._rows, []
                messages, self._messages = self._messages, 0
            if not messages:
                continue
            with (
                self._connection.cursor() as cursor,
                cursor.copy("copy telemetry (topic, point, ts, value, label) from stdin") as copy,
            ):
                for row in rows:
                    copy.write_row(row)
            written += messages
            self._counters[CONSUMED] = written


def main(arguments: Sequence[str]) -> None:
    database_url, mqtt_url, path = arguments
    parts = urlsplit(mqtt_url)
    with Counters(Path(path)) as counters:
        script = Script(database_url, counters)
        client = Client(CallbackAPIVersion.VERSION2, client_id="bench-script", clean_session=False)
        if parts.username:
            client.username_pw_set(parts.username, parts.password)
        client.on_message = script.on_message

        def connected(client: Client, *_more: object) -> None:
            client.subscribe("tz/v1/#", qos=1)

        def subscribed(*_more: object) -> None:
            counters[STARTED] = time.monotonic_ns()

        client.on_connect, client.on_subscribe = connected, subscribed
        client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
        client.loop_start()
        script.write_until_stopped()
        client.loop_stop()


if __name__ == "__main__":
    main(sys.argv[1:])
