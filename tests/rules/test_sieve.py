"""The sieve changes nothing: blocks decide what their samples decide one by one, at that moment and ever after."""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rules.bench import with_rule
from tests.rules.rig import Plan
from tests.rules.sieve_rig import OTHER_GATEWAY, Pair, kinds_of, plans_of
from tests.rules.test_engine_properties import PACKS
from tests.shipped import PACKS as SHIPPED

KINDS = kinds_of(SHIPPED)
# More by hand, where there is time: SIEVE_EXAMPLES=2000 makes a night of it.
EXAMPLES = int(os.environ.get("SIEVE_EXAMPLES", "0"))
few = settings(max_examples=EXAMPLES or 8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_packs_decide_the_same(kind) -> None:
    """Each kind by itself, so that none is left out by chance."""
    pair = Pair(SHIPPED, plans_of(SHIPPED, [kind], Random(1)), 1)
    pair.run(25)
    assert pair.noted


@few
@given(seeds)
def test_facilities_that_look_at_each_other_decide_the_same(seed) -> None:
    random = Random(seed)
    pair = Pair(SHIPPED, plans_of(SHIPPED, random.sample(KINDS, 2), random), seed)
    pair.run(20)


@few
@given(seeds)
def test_made_up_rules_decide_the_same(seed) -> None:
    other = Plan("tiny", without=["temp"], gateway=OTHER_GATEWAY if seed % 2 else "gw")
    pair = Pair(PACKS, {"a": Plan("tiny", {"p_1": "pump"}, relations={"supplied_by": "b"}), "b": other}, seed)
    pair.run(40)


@pytest.mark.parametrize(
    "when",
    [
        "abs(temp - 40) > 12", "temp * 2 - temp / 2 > 70", "temp == 20", "spread(temp, 40) > 30",
        "frozen(temp, 1m)", "max_over(temp, 2m) < 60", "min_over(temp, 2m) <= 60", "mean(temp, 1m) > 50",
        "rate(temp, 2m) > 0.5", "changes(temp, 2m) > 3", "age(temp) > 40s", "count(pump.run) > 1",
        "starts(door, 5m) >= 2", "1 < temp / 30", "-temp < -50",
        "highest(temp, 30) >= 50", "min_over(door, 1m) == 0 and mode != 'auto'",
    ],
)  # fmt: skip
def test_every_function_decides_the_same(when) -> None:
    pair = Pair(with_rule("tried", when.replace("'", "''")), {"a": Plan("tiny", {"p_1": "pump", "p_2": "pump"})}, 3)
    pair.run(60)
    assert pair.noted
