"""A value against its limit, told from what an alarm keeps of its raising."""

import pytest

from rules.grounds import Ground, ground, limits
from rules.syntax import written
from tests.shipped import PACKS


def told(when: str, values: list[str], **parameters: float) -> Ground | None:
    return ground({"when": when, "values": dict.fromkeys(values, 1.0), "parameters": parameters})


@pytest.mark.parametrize(
    ("when", "values", "parameters", "expected"),
    [
        ("outlet_pressure < 0.3", ["outlet_pressure"], {}, Ground("outlet_pressure", "<", 0.3)),
        (
            "outlet_pressure < setpoint - margin and any(pump.run)",
            ["outlet_pressure", "pump_1.run"],
            {"setpoint": 0.45, "margin": 0.05},
            Ground("outlet_pressure", "<", 0.4),
        ),
        ("70 <= tank_level", ["tank_level"], {}, Ground("tank_level", ">=", 70.0)),
        ("mean(joint_temp, 5m) > 90", ["joint_temp"], {}, Ground("joint_temp", ">", 90.0)),
        ("-3 > water_temp", ["water_temp"], {}, Ground("water_temp", "<", -3.0)),
        ("supplied_by.mains_ok == 0", ["supplied_by.mains_ok"], {}, Ground("supplied_by.mains_ok", "==", 0.0)),
        # How often something happened is no value of the point: no limit can be drawn beside it.
        ("starts(self.run, 1h) > 15", ["pump_1.run"], {}, Ground("pump_1.run")),
        ("frozen(outlet_pressure, 20m)", ["outlet_pressure"], {}, Ground("outlet_pressure")),
        ("x / 0 > 1", ["x"], {}, Ground("x")),
        ("stale_points > 0", [], {}, None),
        ("no expression (", ["x"], {}, None),
    ],
)
def test_the_first_comparison_counts(
    when: str, values: list[str], parameters: dict[str, float], expected: Ground | None
) -> None:
    assert told(when, values, **parameters) == expected


def test_a_part_is_told_by_its_own_name() -> None:
    found = ground({
        "when": "self.motor_current > self.rated_current * 1.05",
        "values": {"pump_2.motor_current": 33.0},
        "parameters": {"pump_2.rated_current": 20.0},
    })  # fmt: skip
    assert found == Ground("pump_2.motor_current", ">", 21.0)


@pytest.mark.parametrize("explanation", [{}, {"when": 3}, {"when": "x > 1"}, {"when": "x > 1", "values": []}])
def test_an_explanation_without_values_has_no_ground(explanation: dict[str, object]) -> None:
    assert ground(explanation) is None


def test_every_rule_that_ships_can_be_read() -> None:
    """Its own text and its points' names suffice to find what it rests on."""
    without: list[str] = []
    for pack in PACKS.values():
        for rule in pack.rules.values():
            points = [key for key in pack.points if key in written(rule.when).replace("self.", f"{rule.for_each}.")]
            if points and told(rule.when_text, points) is None:
                without.append(f"{pack.kind}.{rule.key}: {rule.when_text}")
    assert not without, "\n".join(without)


def test_every_comparison_is_a_limit_once() -> None:
    both = limits("level < low or level > high or mean(level, 5m) > high", ["level"], {"low": 15.0, "high": 92.0})
    assert both == [Ground("level", "<", 15.0), Ground("level", ">", 92.0)]
    assert limits("self.current > self.rated * 1.2", ["pump_2.current"], {"pump_2.rated": 10.0}) == [
        Ground("pump_2.current", ">", 12.0)
    ]
    assert limits("no expression (", ["level"], {}) == []
