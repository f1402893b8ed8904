"""An estate file either reads whole or says everything that is wrong with its shape, by file and line."""

from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate.bring_in import EstateErrors, read
from estate.description import EstateDescription
from estate.reading import BYTES_MAX, parse

SMALL = """\
sites:
  - key: garden
    name: {zh: 花园, en: Garden}
    round_at: 18:30
    locations:
      - {key: basement, name: {zh: 地下室, en: Basement}, inside: null}
    gateways:
      - {key: gw, name: {zh: 网关, en: Gateway}, location: basement}
    facilities:
      - key: booster
        kind: booster_pump_room
        name: {zh: 泵组, en: Booster}
        location: basement
        gateway: gw
        parts: [{key: pump_1, kind: pump}]
        parameters: {setpoint: 0.4}
        assets:
          - {part: pump_1, maker: M, model: "1e5", serial: 0012, installed_on: 2024-02-29}
"""


def errors(text: str) -> list[str]:
    with pytest.raises(EstateErrors) as error:
        parse(text, "e.yaml")
    return list(error.value.errors)


def test_values_are_what_is_written_and_not_what_yaml_would_make_of_it() -> None:
    site = parse(SMALL, "e.yaml").sites[0]
    assert site.round_at == time(18, 30)
    assert site.locations[0].inside is None
    assert site.facilities[0].parameters == {"setpoint": 0.4}
    asset = site.facilities[0].assets[0]
    assert (asset.serial, asset.model, asset.installed_on) == ("0012", "1e5", date(2024, 2, 29))


def test_the_demo_estate_reads() -> None:
    demo = Path(__file__).parents[2] / "estates/demo.yaml"
    assert [site.key for site in read(demo).sites]


def test_every_fault_is_told_with_its_line() -> None:
    broken = (
        SMALL.replace("key: garden", "key: Garden!")
        .replace("round_at: 18:30", "round_at: noon")
        .replace("setpoint: 0.4", "setpoint: high")
        .replace("installed_on: 2024-02-29", "installed_on: 2023-02-29")
        .replace("        gateway: gw\n", "        gate: gw\n")
    )
    told = errors(broken)
    assert [fault.partition(": ")[0] for fault in told] == [
        "e.yaml:2",
        "e.yaml:4",
        "e.yaml:14",
        "e.yaml:16",
        "e.yaml:18",
    ]
    assert "e.yaml:14: sites.0.facilities.0.gate: Extra inputs are not permitted" in told


def test_a_key_that_stands_twice_is_told_beside_the_other_faults() -> None:
    told = errors(SMALL.replace("    round_at: 18:30\n", "    round_at: x\n    round_at: 08:00\n"))
    assert told[0].startswith("e.yaml:4: sites.0.round_at: ")
    assert told[1] == "e.yaml:5: 'round_at' stands here a second time (first in line 4)"
    alone = errors(SMALL.replace("    round_at: 18:30\n", "    round_at: 09:00\n    round_at: 08:00\n"))
    assert alone == ["e.yaml:5: 'round_at' stands here a second time (first in line 4)"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "e.yaml: the file: Input should be"),
        ("sites: []", "e.yaml:1: sites: Tuple should have at least 1 item"),
        ("sites: [", "e.yaml:1: not YAML"),
        ("- a", "e.yaml:1: the file: Input should be"),
        ("a: 1\n? [b]\n: 2", "e.yaml:2: a key must be one word"),
        ("a: *b", "e.yaml:1: not YAML"),
        ("&a [*a]", "e.yaml: nested far too deeply"),
        ("[" * 5000, "e.yaml: nested far too deeply"),
        ("\x00", "e.yaml: not YAML"),
        ("a: &a [x, x]\n" + "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)), "more than"),
    ],
)  # fmt: skip
def test_what_is_no_estate_is_said_to_be_none(text: str, fault: str) -> None:
    assert fault in "\n".join(errors(text))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_the_one_error(text: str) -> None:
    try:
        assert isinstance(parse(text, "e.yaml"), EstateDescription)
    except EstateErrors as error:
        assert error.errors


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EstateErrors, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(EstateErrors, match="not UTF-8 text, from byte 3 on"):
        read(tmp_path / "latin.yaml")
    (tmp_path / "long.yaml").write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(EstateErrors, match="longer than 8 MiB"):
        read(tmp_path / "long.yaml")


def test_a_name_of_nothing_that_can_be_seen_is_told() -> None:
    (told,) = errors(SMALL.replace("{zh: 泵组, en: Booster}", '{zh: "\\u3164", en: Booster}'))
    assert "holds nothing that can be seen" in told
