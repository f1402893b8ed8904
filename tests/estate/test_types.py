"""Facility types fit their packs, fill facilities in, and say how long a thing lasts."""

from datetime import date

import pytest

from estate import type_text
from estate.description import FacilityDescription
from estate.facility_plan import expected_end
from estate.faults import EstateErrors
from estate.plan import check
from estate.reading import parse
from estate.types import Life, Names, folded, misfits, shipped
from rules.model import ANY_KIND, GATEWAY_KIND
from tests.shipped import PACKS

SITE = """\
sites:
  - key: garden
    name: {zh: 花园, en: Garden}
    locations: [{key: room, name: {zh: 泵房, en: Pump room}}]
    gateways: [{key: gw, name: {zh: 网关, en: Gateway}, location: room}]
    facilities:
      - {key: booster, name: {zh: 泵组, en: Booster}, location: room, gateway: gw, type: booster_set_3_pumps, MORE}
"""


def filled(more: str) -> FacilityDescription:
    return parse(SITE.replace("MORE", more), "e.yaml").sites[0].facilities[0]


@pytest.mark.parametrize("key", shipped())
def test_a_shipped_type_fits_its_pack(key: str) -> None:
    assert list(misfits(shipped()[key], PACKS)) == []


def test_every_kind_has_a_type_and_no_name_means_two_of_them() -> None:
    assert {one.kind for one in shipped().values()} == PACKS.keys() - {ANY_KIND, GATEWAY_KIND}
    words = [folded(word) for one in shipped().values() for word in {one.title.zh, one.title.en, *one.also}]
    assert len(words) == len(set(words))


def test_a_type_gives_kind_parts_and_points() -> None:
    found = filled("relations: {}")
    assert found.kind == "booster_pump_room"
    assert [part.key for part in found.parts] == ["pump_1", "pump_2", "pump_3", "sump_pump_1", "sump_pump_2"]
    assert "sump_float_high" in found.without
    plan = check(parse(SITE.replace("MORE", "with: [sump_float_high], without: [turbidity]"), "e.yaml"), PACKS)
    points = {point.key for point in plan.sites[0].facilities[0].points}
    assert {"sump_float_high", "pump_3.run"} <= points
    assert not {"turbidity", "sump_float_very_high"} & points


def test_what_a_facility_says_itself_wins() -> None:
    text = SITE.replace(
        "MORE", "parts: [{key: pump_2, kind: pump, name: {zh: 备用泵, en: Standby}}, {key: pump_9, kind: pump}]"
    )
    parts = check(parse(text, "e.yaml"), PACKS).sites[0].facilities[0].parts
    assert [part.key for part in parts] == ["pump_1", "pump_2", "pump_3", "sump_pump_1", "sump_pump_2", "pump_9"]
    assert parts[1].name_en == "Standby"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("booster_set_3_pumps", "booster_set_3_pump", "no facility type booster_set_3_pump (did you mean booster_set_3_pumps"),
        ("MORE", "kind: elevator", "the type booster_set_3_pumps is of kind booster_pump_room, not elevator"),
        ("MORE", "with: [turbidity]", "no point that booster_set_3_pumps is without turbidity"),
        ("type: booster_set_3_pumps, MORE", "kind: booster_pump_room, with: [x]", "`with` is for a facility that has a `type`"),
    ],
)  # fmt: skip
def test_a_fault_of_a_type_is_named(old: str, new: str, told: str) -> None:
    with pytest.raises(EstateErrors) as error:
        check(parse(SITE.replace(old, new).replace(", MORE", ""), "e.yaml"), PACKS)
    assert len(error.value.errors) == 1
    assert "e.yaml:7: " in error.value.errors[0]
    assert told in error.value.errors[0]


def test_people_s_names_for_things_are_found() -> None:
    names = Names(shipped(), PACKS)
    assert names.type("生活泵组(3泵)") == names.type("生活泵组（3 泵）") == "booster_set_3_pumps"
    assert (names.type("烟感"), names.type("MFZ/ABC灭火器")) == ("smoke_detector", "extinguisher_dry_powder")
    assert (names.type("生活泵房"), names.kind("生活泵房")) == (None, "booster_pump_room")


def test_the_expected_end_counts_from_where_the_years_begin() -> None:
    made, installed = date(2020, 2, 29), date(2020, 6, 1)
    assert expected_end(Life(years=5, source=""), made, installed) == date(2025, 6, 1)
    assert expected_end(Life(years=5, since="manufactured", source=""), made, installed) == date(2025, 2, 28)
    assert expected_end(Life(years=5, since="manufactured", source=""), None, installed) is None
    assert expected_end(Life(years=2.5, source=""), None, date(2020, 8, 31)) == date(2023, 2, 28)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_type_is_listed_and_explained(language: str) -> None:
    types = list(shipped().values())
    assert len(list(type_text.listing(types, PACKS, language))) == len(types)
    for one in types:
        lines = "\n".join(type_text.explain(one, PACKS, language))
        assert PACKS[one.kind].grade.source in lines
    lines = "\n".join(type_text.explain(shipped()["booster_set_3_pumps"], PACKS, language))
    assert "outlet_pressure" in lines
    assert "pump_1.run ... pump_3" in lines
    assert "supplied_by" in lines
