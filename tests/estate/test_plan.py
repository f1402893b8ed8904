"""An estate is checked against the rule packs as a whole: everything that is wrong, with its line, at once."""

import pytest

from estate.bring_in import EstateErrors, Plan, check
from estate.description import EstateDescription
from estate.reading import parse
from ledger.records import Grade, PointKind
from tests.shipped import PACKS

SITE = """\
sites:
  - key: garden
    name: {zh: 花园, en: Garden}
    time_zone: Asia/Shanghai
    sla_profile: standard
    locations:
      - {key: room, name: {zh: 泵房, en: Pump room}, inside: basement}
      - {key: basement, name: {zh: 地下室, en: Basement}}
    gateways:
      - {key: gw, name: {zh: 网关, en: Gateway}, location: basement}
    facilities:
      - key: booster
        kind: booster_pump_room
        name: {zh: 泵组, en: Booster}
        location: room
        gateway: gw
        parts: [{key: pump_1, kind: pump}, {key: pump_2, kind: pump, name: {zh: 备用泵, en: Standby}}]
        without: [tank_level]
        parameters: {setpoint: 0.4, pump_1.rated_current: 20}
        relations: {supplied_by: power}
        assets: [{part: pump_1, maker: M, model: X, manufactured_on: 2020-01-01, installed_on: 2020-02-01}]
      - key: power
        kind: distribution_room
        name: {zh: 配电房, en: Distribution room}
        grade: B
        location: basement
        gateway: gw
"""


def plan(text: str) -> Plan:
    return check(parse(text, "e.yaml"), PACKS, ("standard",))


def faults(*changes: tuple[str, str]) -> list[str]:
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(EstateErrors) as error:
        plan(text)
    return list(error.value.errors)


def test_the_plan_names_every_row() -> None:
    site = plan(SITE).sites[0]
    assert [location.key for location in site.locations] == ["basement", "room"]
    gateway, (booster, power) = site.gateways[0], site.facilities
    assert (gateway.kind, [point.key for point in gateway.points], gateway.gateway) == ("gateway", ["online"], None)
    assert (booster.grade, power.grade) == (PACKS["booster_pump_room"].grade.grade, Grade.B)
    title = PACKS["booster_pump_room"].parts["pump"].title
    assert [(part.name_zh, part.name_en) for part in booster.parts] == [
        (f"{title.zh} 1", f"{title.en} 1"),
        ("备用泵", "Standby"),
    ]
    points = {point.key: point for point in booster.points}
    assert {"outlet_pressure", "pump_1.run", "pump_2.run"} <= points.keys()
    assert "tank_level" not in points
    assert points["pump_2.run"].part_key == "pump_2"
    assert points["pump_2.run"].name_zh.startswith("备用泵 ")
    labelled = next(point for point in booster.points if point.kind is PointKind.ENUM)
    assert labelled.labels


def test_the_sla_profiles_of_the_response_table_are_known_without_asking() -> None:
    assert check(parse(SITE, "e.yaml"), PACKS).sites
    with pytest.raises(EstateErrors, match="there is no SLA profile"):
        check(parse(SITE.replace("sla_profile: standard", "sla_profile: golden"), "e.yaml"), PACKS)


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        ("Asia/Shanghai", "Asia/Shanghigh", 4, "there is no time zone Asia/Shanghigh"),
        ("sla_profile: standard", "sla_profile: standart", 5, "no SLA profile standart (did you mean standard?)"),
        ("inside: basement", "inside: basment", 7, "no location basment (did you mean basement?)"),
        ("key: basement,", "key: basement, inside: room,", 7, "room lies, by way of basement, inside itself"),
        ("key: basement,", "key: room,", 8, "location room stands here a second time"),
        (
            "key: gw, name",
            "key: booster, name",
            12,
            "booster is a gateway, and a gateway is a facility of the same key",
        ),
        ("key: power\n", "key: alarms\n", 22, "alarms means something else in the MQTT topics and cannot be a key"),
        ("key: power\n", "key: gateways\n", 22, "gateways means something else in the MQTT topics"),
        ("key: gw, name", "key: alarms, name", 10, "alarms means something else in the MQTT topics"),
        ("location: room", "location: rom", 15, "no location rom (did you mean room?)"),
        ("gateway: gw\n        parts", "gateway: gw2\n        parts", 16, "no gateway gw2"),
        ("kind: booster_pump_room", "kind: booster_pump", 13, "no kind of facility booster_pump (did you mean"),
        ("kind: booster_pump_room", "kind: gateway", 13, "no kind of facility gateway"),
        ("kind: booster_pump_room", "kind: any", 13, "no kind of facility any"),
        ("key: pump_2", "key: pump_1", 17, "part pump_1 stands here a second time"),
        ("kind: pump, name", "kind: pumpe, name", 17, "no kind of part in booster_pump_room pumpe"),
        ("[tank_level]", "[tank_levle]", 18, "no point of booster_pump_room tank_levle (did you mean"),
        ("[tank_level]", "[outlet_pressure]", 18, "outlet_pressure is not optional"),
        ("[tank_level]", "[pump_1.run]", 18, "pump_1.run is not optional"),
        ("setpoint: 0.4", "setpiont: 0.4", 19, "no parameter of booster_pump_room setpiont (did you mean setpoint"),
        ("setpoint: 0.4", "setpoint: 40", 19, "40 MPa is not between"),
        ("setpoint: 0.4", "setpoint: nan", 19, "nan MPa is not between"),
        ("pump_1.rated", "pump_3.rated", 19, "no parameter of booster_pump_room pump_3.rated_current"),
        ("pump_1.rated_current", "rated_current", 19, "no parameter of booster_pump_room rated_current"),
        ("supplied_by: power", "supplied_by: powr", 20, "no facility of site garden powr (did you mean power?)"),
        ("supplied_by: power", "suplied_by: power", 20, "no relation of booster_pump_room suplied_by"),
        ("supplied_by: power", "supplied_by: booster", 20, "booster cannot be related to itself"),
        ("part: pump_1", "part: pump_9", 21, "no part of booster pump_9"),
        ("installed_on: 2020-02-01", "installed_on: 2019-02-01", 21, "it was installed before it was made"),
        ("key: power\n", "key: booster\n", 22, "facility booster stands here a second time"),
        (
            "kind: distribution_room",
            "kind: booster_pump_room",
            20,
            "power is a booster_pump_room; supplied_by leads to",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, line: int, fault: str) -> None:
    told = faults((old, new))
    assert any(each.startswith(f"e.yaml:{line}: ") and fault in each for each in told), told


def test_all_faults_are_told_at_once() -> None:
    told = faults(
        ("Asia/Shanghai", "Mars/Olympus"),
        ("setpoint: 0.4", "setpoint: 40"),
        ("kind: distribution_room", "kind: nothing"),
        ("[tank_level]", "[nothing]"),
    )
    assert len(told) == 5  # and the relation, which leads to a kind that is not there


def test_what_is_measured_needs_a_gateway_and_what_is_not_needs_none() -> None:
    told = faults(("        gateway: gw\n        parts", "        parts"))
    assert told == [
        "e.yaml:12: sites.0.facilities.0: a booster_pump_room is measured, so it needs a `gateway` that speaks for it"
    ]
    box = "    facilities:\n      - {key: box, kind: extinguisher, name: {zh: 灭火器, en: Extinguisher}, location: room}\n"
    site = plan(SITE.replace("    facilities:\n", box)).sites[0]
    assert (site.facilities[0].gateway, list(site.facilities[0].points)) == (None, [])


@pytest.mark.parametrize("kind", sorted(kind for kind, pack in PACKS.items() if not pack.points and kind != "any"))
def test_what_is_walked_to_has_a_grade_with_its_reason_and_no_rules(kind: str) -> None:
    pack = PACKS[kind]
    assert pack.grade.reason.zh
    assert pack.grade.source
    assert not pack.rules


def test_a_second_asset_of_the_same_day_is_refused() -> None:
    told = faults(
        (
            "installed_on: 2020-02-01}",
            "installed_on: 2020-02-01}, {part: pump_1, maker: N, model: Y, installed_on: 2020-02-01}",
        )
    )
    assert told == ["e.yaml:21: sites.0.facilities.0.assets.1: another asset was installed there on 2020-02-01 as well"]


def test_a_description_that_was_never_a_file_names_places() -> None:
    described = EstateDescription.model_validate(parse(SITE, "e.yaml").model_dump() | {})
    broken = described.model_copy(update={"sites": (described.sites[0].model_copy(update={"time_zone": "x"}),)})
    with pytest.raises(EstateErrors, match=r"^sites\.0\.time_zone: there is no time zone x"):
        check(broken, PACKS)
