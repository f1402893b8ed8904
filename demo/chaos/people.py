"""People who go on working meanwhile: they acknowledge and reset alarms, and somebody turns at the parameters."""

import asyncio

from demo.chaos.town import PUMPS
from ledger import alarm_list, alarm_moves, facilities, parameters
from ledger.alarm_list import AlarmFilter
from ledger.conditions import Cause
from ledger.errors import LedgerError
from ledger.lifecycle import ConditionMove, ConditionState
from ledger.pool import Connection, Pool, transaction
from ledger.records import Alarm
from settings import Clock

PARAMETER, PARAMETER_RANGE = "room_temp_high", (30.0, 45.0)  # nothing said comes near it
_ROUND_S = 1.5
_WHO = "值班员"
_STEPS = {
    ConditionState.UNACK: ConditionMove.ACKNOWLEDGE,
    ConditionState.RTNUN: ConditionMove.ACKNOWLEDGE,
    ConditionState.LATUN: ConditionMove.ACKNOWLEDGE,
    ConditionState.LATACK: ConditionMove.RESET,
}


class People:
    """They use the database's own address: their cable is not the one that is cut. What is refused they do again."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self.moves = self.changes = 0
        self.notes: list[str] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_ROUND_S)
            try:
                await self._look()
            except LedgerError:
                continue  # away, or somebody was first

    async def _look(self) -> None:
        async with transaction(self._pool) as connection:
            standing = await alarm_list.page(connection, AlarmFilter(is_open=True), limit=20)
        for alarm in standing:
            async with transaction(self._pool) as connection:
                await self._treat(connection, alarm)

    async def _treat(self, connection: Connection, alarm: Alarm) -> None:
        step = _STEPS.get(alarm.state)
        if step is not None:
            now = self._clock()
            await alarm_moves.move(connection, alarm.id, step, Cause(_WHO, "seen", at=now, now=now))
            self.moves += 1

    async def change_rules(self, amount: float) -> None:
        """Set a parameter of every pump room: its site is loaded again with the next batch."""
        value = round(PARAMETER_RANGE[0] + amount * (PARAMETER_RANGE[1] - PARAMETER_RANGE[0]), 1)
        try:
            async with transaction(self._pool) as connection:
                sites = await facilities.sites(connection)
            for site in sites:
                async with transaction(self._pool) as connection:
                    found = await facilities.facilities(connection, site.id)
                    for each in (one for one in found if one.key == PUMPS):
                        await parameters.set_value(
                            connection, each.id, PARAMETER, value, author=_WHO, reason="chaos", now=self._clock()
                        )
        except LedgerError as error:
            self.notes.append(f"rules were not changed: {error}")
            return
        self.changes += 1
