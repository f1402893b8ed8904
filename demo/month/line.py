"""One site's way from its gateways' words to the ledger, without a broker between them.

Messages are decoded, resolved and judged by ingest's own code, decisions are carried out in the real ledger, and its
tick lets time pass. Two things are left out, because a month has millions of values: readings are not stored (so
repeated messages are known by their time, and a restart could not be warmed), and there is no account of messages.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime

from ingest import batch, clockwork
from ingest.bundle import Bundle
from ingest.delivery import Delivery
from ingest.resolve import Limits, Message, resolve
from ingest.sites import JudgedSite
from ledger.pool import Pool, transaction
from ledger.records import Decision, Sample, to_ms
from rules.response import ResponseTable
from settings import Settings
from simulators.gateway import Command, Connect, Drop, Leave, Publish

_REMEMBERED = 1_000  # messages of one facility: a gateway repeats no more than its latest few hundred


class Line:
    """Takes the commands of gateways in order of time. `refused`: what ingest would have quarantined."""

    def __init__(self, pool: Pool, site: JudgedSite, table: ResponseTable, settings: Settings, begun: datetime) -> None:
        self._pool, self._site, self._table = pool, site, table
        self._limits = Limits(
            settings.payload_bytes_max, settings.values_per_message_max, round(settings.future_max_s * 1000)
        )
        self._quarantine_topics_max = settings.quarantine_topics_max
        self._begun_ms = to_ms(begun)
        self._wills: dict[str, tuple[str, bytes]] = {}
        self._said: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._decisions: list[Decision] = []
        self.values = 0
        self.refused: list[str] = []

    @property
    def condition_ids(self) -> list[int]:
        return list(self._site.conditions)

    async def take(self, gateway: str, commands: Sequence[Command], now: datetime) -> None:
        """What a gateway says, or what the broker says for it."""
        for command in commands:
            match command:
                case Connect(topic=topic, will=will, hello=hello):
                    self._wills[gateway] = (topic, will)
                    await self._status(topic, hello, now)
                case Drop():
                    await self._status(*self._wills[gateway], now)
                case Leave(topic=topic, goodbye=goodbye):
                    await self._status(topic, goodbye, now)
                case Publish(topic=topic, payload=payload):
                    self._telemetry(topic, payload, now)

    async def tick(self, now: datetime) -> bool:
        """Carry out what was decided, then let time pass; tells whether anything changed."""
        changed = await self._settle(now)
        async with transaction(self._pool) as connection:
            ticked = await clockwork.tick(
                connection,
                self._site,
                self._table,
                judged_ms=to_ms(now),
                connected_since_ms=self._begun_ms,
                now=now,
            )
        if self._site.is_out_of_step:
            raise RuntimeError(f"{self._site.site.key}: the ledger refused a decision of the rules")
        return changed or ticked is not None

    def _telemetry(self, topic: str, payload: bytes, now: datetime) -> None:
        received_ms = to_ms(now)
        delivery = Delivery(topic, payload, len(payload), received_ms)
        message = resolve(delivery, {self._site.site.key: self._site.addresses}, self._limits)
        self._note_refusals(message)
        engine = self._site.engine
        if message.gateway is not None and message.newest_ms is not None:
            engine.heard(message.gateway.id, received_ms, message.newest_ms)
        for step in message.steps:
            if self._is_new(topic, step):
                self.values += len(step)
                self._decisions.extend(engine.feed(step))

    def _is_new(self, topic: str, step: Sequence[Sample]) -> bool:
        said, ts_ms = self._said[topic], step[0].ts_ms
        if said and ts_ms <= said[-1] and ts_ms in said:
            return False
        said.append(ts_ms)
        return True

    async def _status(self, topic: str, payload: bytes, now: datetime) -> None:
        """Rare, and stored like any other message: what a status means depends on the one before."""
        await self._settle(now)
        delivery = Delivery(topic, payload, len(payload), to_ms(now))
        async with transaction(self._pool) as connection:
            await batch.judge(
                connection,
                Bundle([delivery]),
                {self._site.site.key: self._site},
                self._table,
                self._limits,
                quarantine_topics_max=self._quarantine_topics_max,
                now=now,
            )

    async def _settle(self, now: datetime) -> bool:
        if not self._decisions:
            return False
        decisions, self._decisions = self._decisions, []
        async with transaction(self._pool) as connection:
            return await batch.carry_out(connection, [(self._site, decisions)], self._table, now) is not None

    def _note_refusals(self, message: Message) -> None:
        for reason, details in message.outcome.details.items():
            self.refused.append(f"{message.delivery.topic}: {reason}: {'; '.join(details)}")
