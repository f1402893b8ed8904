"""docker-compose.yml without a Docker engine: it fits the Compose specification, and everything it names exists and
agrees with the program, the configuration files and .env.example. What only an engine can show is in docs/operations.md.
"""

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
import typer

import taizhang
from ledger.logins import API_LOGIN, INGEST_LOGIN
from settings import Settings
from tests.deploy import compose_file
from tests.mosquitto_rig import INGEST, SHIPPED, Mosquitto, needs_mosquitto
from tests.source_tree import ROOT

SERVICES = compose_file.services()
OURS = compose_file.of_our_image()
ONCE = {name for name, each in SERVICES.items() if each.get("restart") == "no"}
each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def test_it_fits_the_compose_specification() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose_file.filled_in(), json.loads(schema.read_text(encoding="utf-8")))


def test_the_environment_file_names_what_it_needs_and_nothing_else() -> None:
    assert set(compose_file.variables()) == set(compose_file.example())


def test_what_has_no_default_is_demanded_and_what_has_one_has_one() -> None:
    for name, ways in compose_file.variables().items():
        defaults = {rest for kind, rest in ways if kind == ":-"}
        demanded = any(kind == ":?" and ".env.example" in rest for kind, rest in ways)
        assert demanded or defaults, f"{name} may be missing and nobody says so"
        assert defaults <= {compose_file.example()[name]}, f"{name} has another default in .env.example"


@each_service
def test_a_service_may_do_as_little_as_it_can(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not service["user"].startswith(("0", "root"))
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert not service.get("privileged")
    assert "cap_add" not in service


@each_service
def test_a_service_comes_back_and_says_how_it_is_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert "healthcheck" not in service
        return
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]
    assert "healthcheck" in service or name == "simulators"


@each_service
def test_a_service_waits_for_what_is_there(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if how["condition"] == "service_completed_successfully":
            assert other in ONCE
        else:
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]


@each_service
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", SERVICES[name]["image"])


def test_our_image_is_built_once() -> None:
    """Compose builds all at once, and where none is there yet, the second to export a tag fails: already exists."""
    assert [name for name, each in SERVICES.items() if "build" in each] == ["migrate"]
    assert "profiles" not in SERVICES["migrate"]
    assert len({each["image"] for each in OURS.values()}) == 1


@each_service
def test_volumes_and_networks_are_declared_and_files_exist(name: str) -> None:
    declared = compose_file.filled_in()
    for target, source in compose_file.mounts(name).items():
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).exists() or source == compose_file.example()["TAIZHANG_TLS_DIR"], source
        else:
            assert source in declared["volumes"]
    assert set(SERVICES[name]["networks"]) <= set(declared["networks"])


def test_only_https_and_mqtt_over_tls_are_published_and_only_where_it_was_said() -> None:
    """And, where it was asked for, the port on which an ACME authority asks."""
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {
        "broker": ["127.0.0.1:8883:8883"],
        "front": ["127.0.0.1:8443:8443"],
        "acme": ["127.0.0.1:80:8080"],
    }
    assert SERVICES["acme"]["profiles"] == ["acme"]
    assert compose_file.raw().count('ports: ["${TAIZHANG_BIND:-127.0.0.1}:') == len(published)
    assert compose_file.filled_in()["networks"]["inside"] == {"internal": True}
    assert {name for name, each in SERVICES.items() if "outside" in each["networks"]} == set(published)
    # The listener on which a client chooses its own id is bound to a name that only the network `inside` knows.
    assert SERVICES["broker"]["networks"] == {"inside": {"aliases": ["broker-inside"]}, "outside": {}}


@each_of_ours
def test_a_command_is_one_of_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arguments are parsed by the program itself, from the directory the image works in."""
    monkeypatch.chdir(ROOT)
    command, *words = OURS[name]["command"]
    known = typer.main.get_command(taizhang.app)
    known.commands[command].make_context(command, list(words))  # type: ignore[attr-defined]


@each_of_ours
def test_its_variables_are_settings_and_sound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = compose_file.environment(name)
    names = {str(field.validation_alias or f"TAIZHANG_{key.upper()}") for key, field in Settings.model_fields.items()}
    assert set(given) <= names
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    Settings()


@each_of_ours
def test_it_reaches_others_under_their_names_with_its_own_right(name: str) -> None:
    given = compose_file.environment(name)
    if "DATABASE_URL" in given:
        url = urlsplit(given["DATABASE_URL"])
        owner = compose_file.environment("database")
        logins = {"ingest": INGEST_LOGIN, "credentials": INGEST_LOGIN, "api": API_LOGIN}
        assert (url.hostname, url.port, url.path) == ("database", 5432, f"/{owner['POSTGRES_DB']}")
        assert url.username == logins.get(name, owner["POSTGRES_USER"])
        assert name in logins or name in ONCE, "no service that stays acts as the owner"
    if "MQTT_URL" in given:
        url = urlsplit(given["MQTT_URL"])
        assert (url.hostname, url.port) == ("broker", 1883)
        assert url.username == name
        assert f"listener {url.port} broker-inside\n" in (SHIPPED / "compose.conf").read_text(encoding="utf-8")


def test_the_brokers_files_are_where_everybody_looks_for_them() -> None:
    conf = (SHIPPED / "mosquitto.conf").read_text(encoding="utf-8")
    places = (SHIPPED / "compose.conf").read_text(encoding="utf-8")
    mounts = compose_file.mounts("broker")
    written = compose_file.environment("credentials")
    assert f"password_file {written['TAIZHANG_MQTT_PASSWORD_FILE']}\n" in conf
    assert f"acl_file {written['TAIZHANG_MQTT_ACL_FILE']}\n" in conf
    home = str(Path(written["TAIZHANG_MQTT_ACL_FILE"]).parent)
    assert mounts[home] == compose_file.mounts("credentials")[home] == "broker-credentials"
    assert SERVICES["credentials"]["user"] == SERVICES["broker"]["user"], "or the broker could not read them"
    assert f"include_dir {Path('/etc/mosquitto/taizhang.d')}\n" in conf
    assert "/etc/mosquitto/taizhang.d/compose.conf" in mounts
    assert "/mosquitto/config/mosquitto.conf" in mounts
    (store,) = re.findall(r"^persistence_location (\S+)/$", places, re.MULTILINE)
    assert mounts[store] == "broker"
    tls = set(re.findall(r"^(?:cert|key)file (\S+)$", places, re.MULTILINE))
    front = (ROOT / "deploy/compose/nginx.conf").read_text(encoding="utf-8")
    assert tls == set(re.findall(r"ssl_certificate(?:_key)? (\S+);", front))
    assert {str(Path(each).parent) for each in tls} <= set(mounts)
    assert {str(Path(each).parent) for each in tls} <= set(compose_file.mounts("front"))
    assert re.findall(r"^listener (.+)$", places, re.MULTILINE) == ["1883 broker-inside", "8883"]
    assert "listen 8443 ssl;" in front
    assert f"http://api:{compose_file.environment('api')['TAIZHANG_API_PORT']};" in front


def test_the_two_places_of_the_broker_differ_only_in_place() -> None:
    def options(file: str) -> list[str]:
        lines = (SHIPPED / file).read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line and not line.startswith("#")]
        return [re.sub(r" /\S+$| 127\.0\.0\.1$| broker-inside$", "", line) for line in kept]

    assert options("compose.conf") == options("debian.conf")


def test_the_trial_certificate_says_which_group_the_containers_need(tmp_path: Path) -> None:
    """Not root's own where somebody else made it: the broker and nginx could not read the key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$0" "$1" localhost', ROOT / "deploy/trial-certificate", tmp_path / "new" / "tls"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    group = (tmp_path / "new" / "tls" / "privkey.pem").stat().st_gid
    assert f"TAIZHANG_TLS_GID={group}" in made.stdout
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").rglob("*")}
    assert modes == {"tls": 0o755, "privkey.pem": 0o640, "fullchain.pem": 0o644}


# -- the health checks, run as they are written


def shell(test: list[str], **environment: str) -> int:
    kind, *words = test
    command = ["sh", "-c", words[0].replace("$$", "$")] if kind == "CMD-SHELL" else words
    return subprocess.run(
        command, check=False, timeout=30, capture_output=True, env={**os.environ, **environment}
    ).returncode


@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed")
async def test_the_brokers_health_check(mosquitto: Mosquitto) -> None:
    kind, command = SERVICES["broker"]["healthcheck"]["test"]
    here = [kind, command.replace("-h broker-inside -p 1883", f"-h 127.0.0.1 -p {mosquitto.inner_port}")]
    assert here[1] != command
    (password,) = (name for name in compose_file.environment("broker") if name in command)
    assert shell(here, **{password: INGEST.password}) == 0
    assert shell(here, **{password: "wrong"}) != 0
    await mosquitto.stop()
    assert shell(here, **{password: INGEST.password}) != 0


@pytest.mark.parametrize(
    ("name", "port", "path"),
    [("api", "TAIZHANG_API_PORT", "/api/v1/readiness"), ("ingest", "TAIZHANG_INGEST_HTTP_PORT", "/readiness")],
)
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_of_a_service(name: str, port: str, path: str, status: int, healthy: bool) -> None:
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        test = SERVICES[name]["healthcheck"]["test"]
        own = f"127.0.0.1:{compose_file.environment(name)[port]}"
        here = [word.replace(own, f"127.0.0.1:{server.server_port}") for word in test]
        assert here != test
        assert (shell(here) == 0) is healthy
        answering.join()
    assert asked == [path]
