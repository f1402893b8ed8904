"""Samples in arrays are judged as they are one by one."""

from ledger.records import Sample
from tests.rules.bench import LOW, rig
from tests.rules.rig import Rig
from tests.rules.sieve_rig import block_of


def low_for_a_while(bench: Rig) -> list[Sample]:
    times = [0.0, 30.0, 60.0, 60.0, 45.0, 90.0]
    return [bench.sample("a/pressure", LOW, at_s) for at_s in times]


def test_a_block_decides_what_its_samples_decide_one_by_one() -> None:
    one, other = rig(), rig()
    expected = one.engine.feed(low_for_a_while(one))
    outcome = other.engine.feed_block(block_of(other.engine, low_for_a_while(other)))
    assert expected
    assert outcome.decisions == expected


def test_a_block_tells_which_samples_were_late() -> None:
    bench = rig()
    outcome = bench.engine.feed_block(block_of(bench.engine, low_for_a_while(bench)))
    assert outcome.late.tolist() == [False, False, False, True, True, False]


def test_slots_are_dense() -> None:
    bench = rig()
    assert sorted(bench.engine.slots().values()) == list(range(len(bench.points)))
