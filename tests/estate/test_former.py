"""What an import changed, as the audit log keeps it: bounded, and of one site."""

from estate.difference import Change, Difference, FieldChange, Item, Subject
from estate.former import CHANGES_MAX, TEXT_CHARS_MAX, particulars


def item(key: str, *fields: FieldChange, site: str = "garden", change: Change = Change.CHANGED) -> Item:
    return Item(change, Subject.FACILITY, site, key, key, key, fields=fields)


def renamed(number: int) -> FieldChange:
    return FieldChange("name_zh", "", f"{number}号箱", "箱")


def test_what_is_of_a_part_is_told_by_its_name_and_what_was_not_there_as_nothing() -> None:
    found = Difference(
        [
            item(
                "box",
                FieldChange("gateway", "", None, "gw"),
                FieldChange("parameter", "setpoint", "0.3", "0.32"),
                FieldChange("asset", "cylinder_1", "淮海 -> 2026-03-01", "淮海 -> 2027-03-01"),
                FieldChange("asset", "", None, "浦东"),
            ),
            item("elsewhere", renamed(1), site="harbour"),
            item("new", change=Change.ADDED),
        ]
    )
    were = {"gateway": None, "parameter": ["setpoint: 0.3"], "asset": ["cylinder_1: 淮海 -> 2026-03-01", "-"]}
    assert particulars(found, "garden") == {"changes": [{"facility": "box", "particulars": were}]}
    assert particulars(found, "nowhere") == {}


def test_of_a_thousand_changes_the_first_are_told_and_the_rest_counted() -> None:
    long = FieldChange("points_gone", "", "x" * 9_000, None)
    found = particulars(Difference([item(f"box-{at}", renamed(at), long) for at in range(500)]), "garden")
    changes = found["changes"]
    assert isinstance(changes, list)
    assert len(changes) == CHANGES_MAX / 2
    assert changes[-1] == {
        "facility": "box-24",
        "particulars": {"name_zh": "24号箱", "points_gone": "x" * TEXT_CHARS_MAX},
    }
    assert found["more_changes"] == 1_000 - CHANGES_MAX
