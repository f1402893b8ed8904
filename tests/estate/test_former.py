"""What an import changed, as the audit log keeps it: bounded, and of one site."""

import json

from hypothesis import given
from hypothesis import strategies as st

from estate.difference import Change, Difference, FieldChange, Item, Subject
from estate.former import BYTES_MAX, CHANGES_MAX, TEXT_CHARS_MAX, particulars


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
    assert changes[13] == {
        "facility": "box-13",
        "particulars": {"name_zh": "13号箱", "points_gone": "x" * TEXT_CHARS_MAX},
    }
    assert found["more_changes"] == 1_000 - sum(len(each["particulars"]) for each in changes)
    short = particulars(Difference([item(f"box-{at}", renamed(at)) for at in range(500)]), "garden")
    assert short["more_changes"] == 500 - CHANGES_MAX


@given(st.lists(st.lists(st.text(max_size=400), min_size=1, max_size=20), min_size=1, max_size=60))
def test_what_is_kept_is_bounded_in_bytes_whatever_is_written_there(texts: list[list[str]]) -> None:
    found = particulars(
        Difference(
            [
                item(f"泵-{at}", *(FieldChange("part", "泵", text, None) for text in each))
                for at, each in enumerate(texts)
            ]
        ),
        "garden",
    )
    assert len(json.dumps(found, ensure_ascii=False).encode()) <= BYTES_MAX + 200
