"""What the operator asks for: refusals before anything is written, and a handout that can be typed in."""

from pathlib import Path
from unicodedata import east_asian_width
from urllib.parse import quote

import psycopg
import pytest
from pydantic import SecretStr

from credentials import desk
from credentials.errors import AlreadyThere, CredentialError, FilesUnusable, NotThere
from ledger.errors import NotFound
from ledger.logins import API_LOGIN
from settings import Settings
from tests.small_estate import build_both


def settings(directory: Path, **more: object) -> Settings:
    given: dict[str, object] = {
        "mqtt_password_file": directory / "passwd",
        "mqtt_acl_file": directory / "acl",
        "mqtt_public_url": "mqtts://mqtt.example.com",
        **more,
    }
    return Settings(**given)  # type: ignore[arg-type]


async def test_the_handout_has_all_that_a_gateway_asks_for(tmp_path: Path) -> None:
    text = await desk.add(settings(tmp_path), "jinxiu/gw_pump", rotate=False, language="en")
    for word in (
        "mqtt.example.com", "8883", "jinxiu.gw_pump", "tz/v1/jinxiu/{facility}/telemetry",
        "tz/v1/jinxiu/gateways/gw_pump/status", '{"state": "offline", "since": ', "mosquitto_pub", "--tls-use-os-certs",
        "systemctl reload mosquitto",
    ):  # fmt: skip
        assert word in text
    (password,) = {line.split()[-1] for line in text.splitlines() if line.strip().startswith("password ")}
    assert password not in (tmp_path / "passwd").read_text()
    assert "Warning" not in text
    again = await desk.add(settings(tmp_path), "jinxiu/gw_pump", rotate=True, language="zh")
    assert password not in again
    columns = {
        sum(2 if east_asian_width(each) in "WF" else 1 for each in line[: line.index(value)])
        for line in again.splitlines()
        for value in ("mqtt.example.com", "8883")
        if line.startswith("  ") and line.endswith(value)
    }
    assert columns == {22}, "Chinese labels do not line up"


async def test_a_password_in_clear_is_warned_of(tmp_path: Path) -> None:
    for url, warned in (
        ("mqtt://192.0.2.7", True), ("mqtt://broker.example.com:1883", True),
        ("mqtt://127.0.0.1:1883", False), ("mqtt://localhost", False), ("mqtts://192.0.2.7", False),
    ):  # fmt: skip
        text = await desk.add(settings(tmp_path, mqtt_public_url=url), "a/b", rotate=True, language="en")
        assert ("Warning" in text) is warned, url


async def test_with_a_ledger_it_names_the_facilities_and_refuses_a_gateway_that_is_not_there(
    tmp_path: Path, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await build_both(connection)
    asking = settings(tmp_path, DATABASE_URL=database_url)
    text = await desk.add(asking, "garden/gw-1", rotate=False, language="en")
    assert "tz/v1/garden/booster-1/telemetry" in text
    assert '{"values": {"outlet_pressure": 1}}' in text
    for gateway, told in (("garden/gw-9", "gw-1"), ("nowhere/gw-1", "nowhere")):
        with pytest.raises(NotFound, match=told):
            await desk.add(asking, gateway, rotate=False, language="en")
    assert desk.listed(asking) == ["garden/gw-1"]


async def test_refusals_name_the_setting_or_the_option(tmp_path: Path) -> None:
    with pytest.raises(FilesUnusable, match="TAIZHANG_MQTT_PASSWORD_FILE"):
        desk.listed(Settings(mqtt_acl_file=tmp_path / "acl"))
    for url in (None, "http://mqtt.example.com", "mqtts://", "mqtts://host:port", "broker:8883"):
        with pytest.raises(CredentialError, match=r"mqtts://mqtt\.example\.com:8883"):
            await desk.add(settings(tmp_path, mqtt_public_url=url), "a/b", rotate=False, language="en")
    assert desk.listed(settings(tmp_path)) == []
    await desk.add(settings(tmp_path), "a/b", rotate=False, language="en")
    with pytest.raises(AlreadyThere, match="--rotate"):
        await desk.add(settings(tmp_path), "a/b", rotate=False, language="en")
    desk.remove(settings(tmp_path), "a/b")
    with pytest.raises(NotThere):
        desk.remove(settings(tmp_path), "a/b")


def test_the_services_own_users(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="TAIZHANG_INGEST_MQTT_PASSWORD is not set"):
        desk.ensure_service_users(settings(tmp_path))
    with pytest.raises(CredentialError, match="TAIZHANG_SIMULATORS_MQTT_PASSWORD"):
        desk.ensure_service_users(
            settings(tmp_path, ingest_mqtt_password="0123456789abcdef", simulators_mqtt_password="weak")
        )
    assert list(tmp_path.iterdir()) == []
    alone = settings(tmp_path, ingest_mqtt_password="0123456789abcdef")
    assert desk.ensure_service_users(alone) == ["ingest"]
    assert desk.ensure_service_users(alone) == []
    assert desk.listed(alone) == [], "they are no gateways"
    demo = settings(tmp_path, ingest_mqtt_password="0123456789abcdef", simulators_mqtt_password="fedcba9876543210")
    assert desk.ensure_service_users(demo) == ["simulators"]
    assert desk.ensure_service_users(alone) == ["simulators"], "it would speak for every gateway after the demo"
    assert "simulators" not in (tmp_path / "passwd").read_text() + (tmp_path / "acl").read_text()
    assert desk.ensure_service_users(alone) == []


def test_a_login_with_a_weak_password_is_refused_by_its_setting() -> None:
    with pytest.raises(CredentialError, match="TAIZHANG_API_DATABASE_PASSWORD"):
        desk.login_passwords(Settings(api_database_password="weak"))  # type: ignore[arg-type]
    strong = Settings(api_database_password="0123456789abcdef")  # type: ignore[arg-type]
    assert desk.login_passwords(strong) == {API_LOGIN: "0123456789abcdef"}


@pytest.mark.parametrize("owner", ["weak", "with@signs/of:a-URL-in-it"])
def test_an_owner_with_a_weak_password_makes_no_logins(owner: str) -> None:
    address = f"postgresql://taizhang_owner:{quote(owner, safe='')}@database/taizhang"
    weak = Settings(api_database_password="0123456789abcdef", DATABASE_URL=address)  # type: ignore[arg-type]
    with pytest.raises(CredentialError, match="TAIZHANG_OWNER_DATABASE_PASSWORD"):
        desk.login_passwords(weak)
    by_socket = weak.model_copy(update={"database_url": SecretStr("postgresql:///taizhang?user=taizhang_owner")})
    assert API_LOGIN in desk.login_passwords(by_socket)


def test_what_an_environment_file_leaves_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "TAIZHANG_SIMULATORS_MQTT_PASSWORD", "TAIZHANG_API_PORT"):
        monkeypatch.setenv(name, "")
    found = Settings()
    assert (found.database_url, found.simulators_mqtt_password, found.api_port) == (None, None, 8080)
