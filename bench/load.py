"""The load generator: gateways that publish as fast as they may. A process of its own, `python -m bench.load SPEC`.

Frames are made in bulk (`bench.traffic`) and written to a few sockets; PUBACKs are counted by packet id. It speaks
through `bench.counters` while it runs, and prints its account as one line of JSON when it is told to stop: what it
sent, what was acknowledged to it, and what it cost. Stopping, it waits for what is not acknowledged yet.
"""

import json
import random
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

from bench import frames
from bench.counters import ACKNOWLEDGED, BOUND, CONSUMED, RATE, SENT, STARTED, STOP, Counters
from bench.estates import Place
from bench.traffic import EXCURSIONS, Block, Excursion, blocks
from settings import wall_clock

_TICK_S = 0.002
_SLOW_TICK_S = 0.0005
_RECEIVE_BYTES = 1 << 18
_NOISE_BYTES = 1 << 20
_ANSWER_S = 30.0
_LAST_ACKNOWLEDGEMENTS_S = 60.0


VALUES_PER_MESSAGE = 3


class Spec(msgspec.Struct, frozen=True):
    """What to send, and how hard."""

    url: str
    counters: str
    places: list[tuple[str, str, str]]  # site, key, kind
    gateways: list[tuple[str, str]]
    normal: dict[str, dict[str, bool | float | str]]
    values_per_message: int = VALUES_PER_MESSAGE
    connections: int = 2
    window: int = 10_000  # messages not acknowledged yet, for each connection
    alarms_per_s: float = 0.0
    alarm_kinds: list[str] = []
    alarms_from: int = 0  # how many of the possible faults were played by earlier runs on the same ledger
    poison: float = 0.0
    seconds: float = 600.0  # at most
    name: str = "bench"


@dataclass(slots=True)
class _Account:
    sent: int = 0
    values: int = 0
    poison: int = 0
    acknowledged: int = 0
    alarms: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    broken: str = ""


class _Line:
    """One connection and the facilities behind it."""

    def __init__(self, url: str, client_id: str, window: int, made: list[Block]) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=_ANSWER_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(frames.connect(client_id, url, clean=True))
        answer = self._socket.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4 or answer[3]:
            raise ConnectionError(f"the broker does not take {client_id}: {answer.hex()}")
        self._socket.settimeout(0)
        self._window, self.blocks, self._next = window, made, 0
        self._id = 1
        self._waiting = np.zeros(65_536, dtype=bool)
        self.unacknowledged = 0
        self._unsent: deque[memoryview] = deque()
        self._rest = b""

    @property
    def room(self) -> int:
        return 0 if self._unsent else self._window - self.unacknowledged

    def write(self, data: bytes, count: int) -> None:
        ids = (np.arange(self._id, self._id + count) - 1) % 65_535 + 1
        self._waiting[ids] = True
        self._id = int(ids[-1]) % 65_535 + 1
        self.unacknowledged += count
        self._unsent.append(memoryview(data))
        self.flush()

    @property
    def next_id(self) -> int:
        return self._id

    @property
    def block(self) -> Block:
        return self.blocks[self._next]

    def turned(self) -> None:
        """The block has sent its turn; the next one is on."""
        self._next = (self._next + 1) % len(self.blocks)

    def flush(self) -> None:
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent[0])
            except BlockingIOError:
                return
            if sent < len(self._unsent[0]):
                self._unsent[0] = self._unsent[0][sent:]
                return
            self._unsent.popleft()

    def read(self) -> int:
        """Take in what was acknowledged."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            raise ConnectionError("the broker closed the connection")
        data = self._rest + data
        whole = len(data) // 4 * 4
        self._rest = data[whole:]
        packets = np.frombuffer(data[:whole], dtype=np.uint8).reshape(-1, 4)
        if not (packets[:, 0] == frames.PUBACK).all():
            raise ConnectionError(f"the broker sent something else than PUBACK: {data[:16].hex()}")
        ids = (packets[:, 2].astype(np.intp) << 8) | packets[:, 3]
        new = int(self._waiting[ids].sum())
        self._waiting[ids] = False
        self.unacknowledged -= new
        return new

    def close(self) -> None:
        self._socket.close()


class Generator:
    def __init__(self, spec: Spec, counters: Counters, now_ms: Callable[[], int]) -> None:
        self._spec, self._counters, self._now_ms = spec, counters, now_ms
        places = [Place(*each) for each in spec.places]
        share = max(1, min(spec.connections, len(places)))
        self._lines = [
            _Line(
                spec.url,
                f"{spec.name}-{number}",
                spec.window,
                blocks(places[number::share], spec.normal, spec.values_per_message, poison=spec.poison),
            )
            for number in range(share)
        ]
        self._account = _Account()
        self._random = random.Random(1)  # the same in every run
        digits = np.random.default_rng(1).integers(ord("0"), ord("9") + 1, _NOISE_BYTES, dtype=np.uint8)
        self._noise, self._noise_at = digits, 0
        self._faults = self._possible_faults()
        self._fault_at = spec.alarms_from
        self._ending: deque[tuple[float, Block, int, Excursion]] = deque()

    def _possible_faults(self) -> list[tuple[_Line, Block, int, Excursion]]:
        kinds = set(self._spec.alarm_kinds)
        found = [
            (line, block, row, excursion)
            for line in self._lines
            for block in line.blocks
            for row, place in enumerate(block.places)
            if place.kind in kinds and not block.is_poison[row]
            for excursion in EXCURSIONS.get(place.kind, ())
        ]
        self._random.shuffle(found)
        return found

    # ------------------------------------------------------------------ the run

    def run(self) -> Mapping[str, object]:
        self._say_online()
        cpu_s, begun = time.process_time(), time.monotonic()
        self._counters[STARTED] = time.monotonic_ns()
        try:
            self._send_until(begun + self._spec.seconds)
            cpu_s, ended = time.process_time() - cpu_s, time.monotonic()
            self._wait_for_the_rest(_LAST_ACKNOWLEDGEMENTS_S)
        except OSError as error:  # what is not acknowledged stays so, and is told
            self._account.broken = str(error) or repr(error)
            cpu_s, ended = time.process_time() - cpu_s, time.monotonic()
        for line in self._lines:
            line.close()
        account = self._account
        return {
            "sent": account.sent,
            "values": account.values,
            "poison": account.poison,
            "acknowledged": account.acknowledged,
            "alarms": account.alarms,
            "broken": account.broken,
            "seconds": ended - begun,
            "cpu_s": cpu_s,
        }

    def _say_online(self) -> None:
        """Every gateway says that it is there; retained, so that an ingest which comes later hears it too."""
        line = self._lines[0]
        for site, gateway in self._spec.gateways:
            payload = f'{{"state":"online","since":{self._now_ms()}}}'
            topic = f"tz/v1/{site}/gateways/{gateway}/status"
            line.write(frames.publish(topic, payload.encode(), line.next_id, retain=True), 1)
        until = time.monotonic() + _ANSWER_S
        while line.unacknowledged:
            line.flush()
            line.read()
            if time.monotonic() > until:
                raise TimeoutError("the broker does not acknowledge the gateways' status")
            time.sleep(_TICK_S)

    def _send_until(self, deadline: float) -> None:
        begun, paced = time.monotonic(), 0.0
        last, fault_due = begun, begun
        while not self._counters[STOP] and (now := time.monotonic()) < deadline:
            rate = self._counters[RATE]
            paced += rate * (now - last)
            last = now
            due = int(paced) if rate else sys.maxsize
            if rate and due > 2 * rate:  # held up for long: what was not sent then is not sent in a heap
                paced, due = paced - (due - rate), rate
            if self._spec.alarms_per_s and now >= fault_due and self._faults:
                fault_due = max(fault_due + 1 / self._spec.alarms_per_s, now - 1)
                self._provoke(now)
            self._calm(now)
            sent = self._send(due)
            paced = paced - sent if rate else 0.0
            self._read()
            time.sleep(_SLOW_TICK_S if 0 < rate <= 1_000 else _TICK_S)

    def _send(self, due: int) -> int:
        """What may be sent now; returns how many that was."""
        sent = 0
        if bound := self._counters[BOUND]:
            due = min(due, bound - (self._account.sent - self._counters[CONSUMED]))
        for line in self._lines:
            line.flush()
        busy = list(self._lines)
        while due > sent and busy:
            share = -(-(due - sent) // len(busy))
            for line in list(busy):
                count = min(share, due - sent, line.room)
                if count <= 0:
                    busy.remove(line)
                    continue
                sent += self._send_some(line, count)
        return sent

    def _send_some(self, line: _Line, count: int) -> int:
        block = line.block
        begin = block.row
        needed = 16 * len(block.places)
        if self._noise_at + needed > len(self._noise):
            self._noise_at = self._random.randrange(1_000)
        data, taken = block.take(count, self._now_ms(), line.next_id, self._noise[self._noise_at :])
        self._noise_at += needed
        line.write(data, taken)
        poison = int(block.is_poison[begin : begin + taken].sum())
        self._account.sent += taken
        self._account.poison += poison
        self._account.values += (taken - poison) * block.values_per_message
        self._counters[SENT] = self._account.sent
        if not block.row:
            line.turned()
        return taken

    def _read(self) -> None:
        for line in self._lines:
            self._account.acknowledged += line.read()
        self._counters[ACKNOWLEDGED] = self._account.acknowledged

    def _wait_for_the_rest(self, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        while any(line.unacknowledged for line in self._lines) and time.monotonic() < until:
            for line in self._lines:
                line.flush()
            self._read()
            time.sleep(_TICK_S)

    # ------------------------------------------------------------------ alarms

    def _provoke(self, now: float) -> None:
        """The next fault: told at once by a message of its own, and by the facility's later ones while it lasts."""
        line, block, row, excursion = self._faults[self._fault_at % len(self._faults)]
        if line.room < 1:
            return
        self._fault_at += 1
        data = block.sudden(row, excursion, self._now_ms(), line.next_id)
        block.say(row, excursion, wrong=True)
        self._ending.append((now + excursion.hold_s, block, row, excursion))
        place = block.places[row]
        self._account.alarms.append((place.site, place.key, excursion.point, time.monotonic_ns()))
        line.write(data, 1)
        self._account.sent += 1
        self._account.values += 1

    def _calm(self, now: float) -> None:
        for _ in range(len(self._ending)):
            until, block, row, excursion = self._ending.popleft()
            if now < until:
                self._ending.append((until, block, row, excursion))
            else:
                block.say(row, excursion, wrong=False)


def main(arguments: Sequence[str]) -> None:
    spec = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Spec)
    offset_ms = wall_clock()().timestamp() * 1000 - time.monotonic() * 1000
    with Counters(Path(spec.counters)) as counters:
        generator = Generator(spec, counters, lambda: int(offset_ms + time.monotonic() * 1000))
        print(json.dumps(generator.run()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
