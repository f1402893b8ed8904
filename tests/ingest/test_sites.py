"""A site is built beside the loop: thousands of rules are bound, and the broker is heard meanwhile."""

import threading

import pytest

from ingest import sites
from rules.engine import Engine
from tests.line_rig import Line


async def test_binding_the_rules_of_a_site_does_not_hold_up_the_loop(
    bench: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_by: list[int] = []

    class Told(Engine):
        def __init__(self, *given: object, **named: object) -> None:
            built_by.append(threading.get_ident())
            super().__init__(*given, **named)

    monkeypatch.setattr(sites, "Engine", Told)
    await bench.crash()
    bench.start()
    bench.say("pumps", {"room_temp": 20})
    await bench.received()
    assert built_by
    assert threading.get_ident() not in built_by
