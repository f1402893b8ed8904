"""From bytes to samples: what one message says, in ids of the ledger. Pure; whatever comes in, nothing is raised.

A message that cannot be understood ends here with its reason. One that can becomes steps, a step being the samples of
one moment; the gateway that spoke; and for a status what it claims, which the ledger has yet to believe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest import wire
from ingest.addresses import FacilityAddress, GatewayAddress, SiteAddresses, measured
from ingest.delivery import Delivery
from ingest.outcome import Outcome
from ingest.wire import Reason, WireError, shown
from ledger.records import Quality, Sample


@dataclass(frozen=True, slots=True)
class Limits:
    payload_bytes_max: int
    values_max: int
    future_max_ms: int


@dataclass(slots=True)
class Message:
    """One delivery on its way through a batch."""

    delivery: Delivery
    outcome: Outcome
    gateway: GatewayAddress | None = None
    steps: list[list[Sample]] = field(default_factory=list[list[Sample]])
    seqs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # sequence number, its time
    status: wire.Status | None = None
    ahead_ms: int | None = None  # how far ahead of ours the clock was, of what was refused for it

    @property
    def newest_ms(self) -> int | None:
        return max((step[0].ts_ms for step in self.steps), default=None)


def resolve(delivery: Delivery, sites: Mapping[str, SiteAddresses], limits: Limits) -> Message:
    outcome = Outcome()
    message = Message(delivery, outcome)
    try:
        _resolve(message, sites, limits)
    except WireError as error:
        outcome.refuse(error.reason, error.detail, error.values)
    return message


def _resolve(message: Message, sites: Mapping[str, SiteAddresses], limits: Limits) -> None:
    delivery, outcome = message.delivery, message.outcome
    named = wire.site_of(delivery.topic)
    if named in sites:
        outcome.site_key = named
    topic = wire.parse_topic(delivery.topic)
    site = sites.get(topic.site)
    if site is None:
        raise WireError(Reason.UNKNOWN_SITE, f"site {topic.site} is not in the ledger, or not judged by this worker")
    match topic:
        case wire.TelemetryTopic(facility=key):
            facility = site.facilities.get(key)
            if facility is None:
                raise WireError(Reason.UNKNOWN_FACILITY, f"{topic.site} has no facility {key}")
            message.gateway = facility.gateway
            outcome.gateway_key = "" if facility.gateway is None else facility.gateway.key
            _resolve_telemetry(message, facility, limits)
        case wire.StatusTopic(gateway=key):
            gateway = site.gateways.get(key)
            if gateway is None:
                raise WireError(Reason.UNKNOWN_GATEWAY, f"{topic.site} has no gateway {key}")
            message.gateway, outcome.gateway_key = gateway, key
            _check_size(delivery, limits)
            status = wire.decode_status(delivery.payload, bytes_max=limits.payload_bytes_max)
            _check_future(status.since_ms, delivery.received_ms, limits, values=1)
            message.status = status
        case wire.AlarmTopic():
            raise WireError(Reason.BAD_TOPIC, "alarms are ours to publish")


def _resolve_telemetry(message: Message, facility: FacilityAddress, limits: Limits) -> None:
    delivery, outcome = message.delivery, message.outcome
    _check_size(delivery, limits)
    telemetry = wire.decode_telemetry(
        delivery.payload, bytes_max=limits.payload_bytes_max, values_max=limits.values_max
    )
    for part in telemetry.refused:
        outcome.refuse(part.reason, part.detail, part.values)
    for entry in telemetry.entries:
        if delivery.kept and entry.ts_ms is None:  # the time of receipt is not that of the value: it may be a year old
            detail = "retained at the broker and without `ts`: nobody knows when it was measured; publish it unretained"
            outcome.refuse(Reason.BAD_TIMESTAMP, detail, len(entry.values))
            continue
        ts_ms = delivery.received_ms + delivery.after_ms if entry.ts_ms is None else entry.ts_ms
        try:
            if entry.ts_ms is not None:
                _check_future(ts_ms, delivery.received_ms, limits, values=len(entry.values))
        except WireError as error:
            outcome.refuse(error.reason, error.detail, error.values)
            message.ahead_ms = max(ts_ms - delivery.received_ms, message.ahead_ms or 0)
            continue
        step = _samples(facility, entry.values, ts_ms, delivery.received_ms, outcome)
        if step:
            message.steps.append(step)
            if entry.seq is not None:
                message.seqs.append((entry.seq, ts_ms))


def _samples(
    facility: FacilityAddress, values: Mapping[str, object], ts_ms: int, received_ms: int, outcome: Outcome
) -> list[Sample]:
    samples: list[Sample] = []
    for key, value in values.items():
        point = facility.points.get(key)
        if point is None:
            outcome.refuse(Reason.UNKNOWN_POINT, f"{facility.key} has no point {shown(key)}", 1)
            continue
        number, quality = measured(point, value)
        if isinstance(quality, Quality):
            assert isinstance(number, float)
            samples.append(Sample(point.id, ts_ms, number, quality, received_ms))
        else:
            assert isinstance(number, Reason)
            outcome.refuse(number, quality, 1)
    return samples


def all_samples(messages: Sequence[Message]) -> list[Sample]:
    return [sample for message in messages for step in message.steps for sample in step]


def _check_size(delivery: Delivery, limits: Limits) -> None:
    """By the true length: of an oversize payload only the beginning was kept."""
    if delivery.size > limits.payload_bytes_max:
        raise WireError(Reason.OVERSIZE, f"{delivery.size} bytes, at most {limits.payload_bytes_max} are taken")


def _check_future(ts_ms: int, received_ms: int, limits: Limits, *, values: int) -> None:
    ahead_ms = ts_ms - received_ms
    if ahead_ms > limits.future_max_ms:
        raise WireError(Reason.FUTURE, f"the device's clock is {ahead_ms / 1000:.0f} s ahead of ours", values=values)
