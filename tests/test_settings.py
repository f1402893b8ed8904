"""The environment as environment files give it, and the limits that go together."""

import pytest
from pydantic import ValidationError

from settings import HoursDays, ReadingsDays, Settings


@pytest.mark.parametrize(
    "name", ["TAIZHANG_READINGS_DAYS", "TAIZHANG_HOURS_DAYS", "TAIZHANG_SITES", "TAIZHANG_BEAT_S", "DATABASE_URL"]
)
def test_what_is_left_empty_has_its_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    unset = Settings()
    monkeypatch.setenv(name, "")
    assert Settings() == unset


def test_days_are_given_by_kind_and_the_rest_keeps_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAIZHANG_READINGS_DAYS", '{"measure": 60, "event": null}')
    monkeypatch.setenv("TAIZHANG_HOURS_DAYS", '{"event": null}')
    given = Settings()
    assert given.readings_days == ReadingsDays(measure=60, event=None)
    assert given.hours_days == HoursDays(event=None)
    assert given.readings_days.state == ReadingsDays().state


@pytest.mark.parametrize("kind", list(ReadingsDays.model_fields))
def test_hours_are_kept_at_least_as_long_as_their_readings(kind: str) -> None:
    Settings(readings_days=ReadingsDays(**{kind: 100}), hours_days=HoursDays(**{kind: 100}))
    Settings(readings_days=ReadingsDays(**{kind: 100}), hours_days=HoursDays(**{kind: None}))
    for readings in (101, None):
        with pytest.raises(ValidationError, match=f"readings_days of {kind} .* is above hours_days"):
            Settings(readings_days=ReadingsDays(**{kind: readings}), hours_days=HoursDays(**{kind: 100}))


@pytest.mark.parametrize(("written", "version"), [("", "3.1.1"), ("3.1.1", "3.1.1"), ("5", "5")])
def test_versions_of_mqtt(written: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAIZHANG_MQTT_VERSION", written)
    assert Settings().mqtt_version == version


def test_another_version_of_mqtt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAIZHANG_MQTT_VERSION", "3.1")
    with pytest.raises(ValidationError, match=r"'3\.1\.1' or '5'"):
        Settings()


def test_a_certificate_has_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAIZHANG_API_TLS_CERTIFICATE", "server.pem")
    with pytest.raises(ValueError, match="belong together"):
        Settings()


@pytest.mark.parametrize("name", ["public_url", "mqtt_public_url"])
def test_a_name_of_chinese_characters_is_wanted_as_it_is_on_the_wire(name: str) -> None:
    scheme = "mqtts" if name == "mqtt_public_url" else "https"
    wire, spoken = (f"{scheme}://{host}:8443" for host in ("xn--fiq228c.example", "中文.example"))
    assert getattr(Settings.model_validate({name: wire}), name) == wire
    with pytest.raises(ValidationError, match=r"as it is on the wire: xn--fiq228c\.example"):
        Settings.model_validate({name: spoken})


def test_what_stands_on_paper_is_named_as_it_stands_there() -> None:
    printed = ("https://巡检.example",)
    assert Settings.model_validate({"public_urls_before": printed}).public_urls_before == printed
