"""One PUBLISH as it came over the wire, on its way to be judged and settled."""

import msgspec

from ledger.intake import SAMPLE_BYTES_MAX

# All that is kept of a message too large to be taken; one more than is shown tells that it is cut.
SAMPLE_BYTES = SAMPLE_BYTES_MAX + 1


class Delivery(msgspec.Struct, eq=False, gc=False, frozen=True):
    """Compared by identity; settle it when it is committed.

    `size` is the payload's true length: of an oversize one only the beginning is kept. `packet_id` 0: the broker wants
    no acknowledgement; else it is that of the connection of this number. `kept`: the broker had kept it (retained) and
    hands it out because we subscribe; nobody says it now.
    """

    topic: str
    payload: bytes
    size: int
    received_ms: int
    packet_id: int = 0
    connection: int = 0
    kept: bool = False
