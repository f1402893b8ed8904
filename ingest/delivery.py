"""One PUBLISH as it came over the wire, on its way to be judged and settled."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from ledger.intake import SAMPLE_BYTES_MAX

# All that is kept of a message too large to be taken; one more than is shown tells that it is cut.
SAMPLE_BYTES = SAMPLE_BYTES_MAX + 1
AFTER_MS_MAX = 60_000  # a message of one topic for each that may be held at most
UNTIMED_TOPICS_MAX = 65_536


class Delivery(msgspec.Struct, eq=False, gc=False, frozen=True):
    """Compared by identity; settle it when it is committed.

    `size` is the payload's true length: of an oversize one only the beginning is kept. `packet_id` 0: the broker wants
    no acknowledgement; else it is that of the connection of this number. `kept`: the broker had kept it (retained) and
    hands it out because we subscribe; nobody says it now. `after_ms`: how long after `received_ms` what bears no time
    of its own counts as measured; given at receipt, so that a batch tried again says the same again.
    """

    topic: str
    payload: bytes
    size: int
    received_ms: int
    packet_id: int = 0
    connection: int = 0
    kept: bool = False
    after_ms: int = 0


class Untimed:
    """Keeps messages of one topic apart that bear no time of their own and are read in the same millisecond.

    A broker pours out in one what it kept for us. Taken as measured at one moment, the first value would stay and each
    other be a conflict, which no rule looks at: a contact that closed meanwhile would never be heard of.
    """

    def __init__(self) -> None:
        self._given_ms: dict[str, int] = {}  # of a topic the last moment given away

    def apart(self, messages: Sequence[Delivery]) -> list[Delivery]:
        return [each if b'"ts"' in each.payload else self._later(each) for each in messages]

    def _later(self, message: Delivery) -> Delivery:
        given, received_ms = self._given_ms, message.received_ms
        at_ms = max(received_ms, given.get(message.topic, received_ms - 1) + 1)
        if at_ms - received_ms > AFTER_MS_MAX:  # or our clock was set back
            at_ms = received_ms
        if len(given) >= UNTIMED_TOPICS_MAX:
            given.clear()
        given[message.topic] = at_ms
        return message if at_ms == received_ms else structs.replace(message, after_ms=at_ms - received_ms)
