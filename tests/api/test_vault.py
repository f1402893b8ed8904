"""A flood of sign-ins: two are hashed at a time, some wait, the rest are told to come again, and everything else goes on."""

import asyncio
import threading

import pytest

from api.problems import TooManyAttempts
from api.vault import AT_ONCE, WAITING_MAX, Vault
from credentials.passwords import CannotHash, Hasher
from tests.fix_wait import Eventually


class Slow(Hasher):
    """Hashes when it is let."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, rounds=1, lanes=1)
        self.let = threading.Event()
        self.busy = 0

    def hash(self, password: str) -> str:
        self.busy += 1
        assert self.let.wait(10)
        return password


async def test_what_is_too_much_is_refused_at_once_and_the_loop_is_free(eventually: Eventually) -> None:
    hasher = Slow()
    vault = Vault(hasher)
    asked = [asyncio.create_task(vault.hash(str(number))) for number in range(AT_ONCE + WAITING_MAX)]
    await eventually(lambda: hasher.busy == AT_ONCE)
    with pytest.raises(TooManyAttempts) as refused:
        await vault.hash("one more")
    assert int(refused.value.headers["Retry-After"]) > 0
    assert hasher.busy == AT_ONCE
    hasher.let.set()
    assert await asyncio.gather(*asked) == [str(number) for number in range(AT_ONCE + WAITING_MAX)]
    assert await vault.hash("again") == "again"
    vault.close()


async def test_clients_that_go_away_do_not_make_room_for_more_than_there_is(eventually: Eventually) -> None:
    hasher = Slow()
    vault = Vault(hasher)
    asked = [asyncio.create_task(vault.hash("x")) for _ in range(AT_ONCE + WAITING_MAX)]
    await eventually(lambda: hasher.busy == AT_ONCE)
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    with pytest.raises(TooManyAttempts):
        await vault.hash("one more")
    hasher.let.set()

    async def free() -> bool:
        try:
            return await vault.hash("x") == "x"
        except TooManyAttempts:
            return False

    await eventually(free)
    vault.close()


class Starved(Hasher):
    """On a machine that has no memory left for it."""

    def hash(self, password: str) -> str:
        raise CannotHash("Memory allocation error")


async def test_a_machine_that_cannot_hash_tells_people_to_come_again() -> None:
    vault = Vault(Starved())
    for _ in range(AT_ONCE + WAITING_MAX + 1):
        with pytest.raises(TooManyAttempts) as refused:
            await vault.hash("x")
        assert int(refused.value.headers["Retry-After"]) > 0
    vault.close()
