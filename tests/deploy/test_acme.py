"""The certificate by ACME, as docker-compose.yml starts it, from a real authority (Pebble): fetched, served, renewed."""

import json
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509

from embedded import process
from tests.deploy import compose_file
from tests.deploy.test_front import NGINX, as_shipped_but_in, trial_certificate
from tests.fix_wait import Eventually
from tests.mosquitto_rig import MOSQUITTO, mosquitto_in
from tests.source_tree import ROOT

_WANTED = {"lego": shutil.which("lego"), "pebble": shutil.which("pebble"), "nginx": NGINX, "mosquitto": MOSQUITTO}
_SH = shutil.which("sh") or ""
_MISSING = [name for name, found in {**_WANTED, "openssl": shutil.which("openssl")}.items() if found is None]
needs_all = pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")
SERVICES = compose_file.services()


def as_written(service: str, here: dict[str, str | Path]) -> list[str]:
    """The words of a service's command, each of `here` put in the place of what it stands for."""
    words = [*SERVICES[service].get("entrypoint", []), *SERVICES[service]["command"]]
    assert words[0] == "sh"
    for ours, other in here.items():
        assert ours in words, f"{service} has no {ours}"
        words = [str(other) if word == ours else word for word in words]
    return [_SH, *words[1:]]


@dataclass
class Authority:
    directory: Path
    port: int
    management: int
    asks: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/dir"

    @property
    def own(self) -> Path:
        """What its own interface is trusted by."""
        return self.directory / "authority" / "fullchain.pem"

    def root(self) -> str:
        """The root certificate of what it issues."""
        context = ssl.create_default_context(cafile=self.own)
        connection = HTTPSConnection("localhost", self.management, context=context, timeout=5)
        try:
            connection.request("GET", "/roots/0")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return bool(self.root())
        except OSError:
            return False


@asynccontextmanager
async def authority(directory: Path, *, days: int = 20) -> AsyncGenerator[Authority]:
    """It issues for twenty days, so that whoever renews with thirty days left always renews."""
    made = Authority(directory, *(process.port_for(f"Pebble {n}", None) for n in range(3)))
    trial_certificate(made.own.parent)
    config = {
        "listenAddress": f"127.0.0.1:{made.port}",
        "managementListenAddress": f"127.0.0.1:{made.management}",
        "certificate": str(made.own),
        "privateKey": str(made.own.with_name("privkey.pem")),
        "httpPort": made.asks,
        "tlsPort": made.asks,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": days * 86400,
    }
    (directory / "pebble.json").write_text(json.dumps({"pebble": config}), encoding="utf-8")
    child = process.spawn(
        [_WANTED["pebble"] or "", "-config", directory / "pebble.json"],
        log=directory / "pebble.log",
        dies_by=signal.SIGTERM,
        # It waits before it asks, and refuses now and then, to try its clients; that is lego's own concern.
        environment={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
    )
    assert await process.until_ready(child, made.answers, 10), (directory / "pebble.log").read_text(encoding="utf-8")
    yield made
    await process.stop(child, ((signal.SIGTERM, 10.0),))


def issued(port: int, root: str) -> int:
    """The serial number of what is served there for `localhost`, trusted through `root`; 0 for any other, and for none."""
    context = ssl.create_default_context(cadata=root)
    connection = HTTPSConnection("localhost", port, context=context, timeout=5)
    try:
        connection.connect()
        served = connection.sock.getpeercert(binary_form=True)
        assert served is not None
        return x509.load_der_x509_certificate(served).serial_number
    except OSError:
        return 0
    finally:
        connection.close()


def healthy(directory: Path) -> bool:
    """The health check as it is written, on the paths of the test."""
    _, command = SERVICES["acme"]["healthcheck"]["test"]
    for ours, here in {"/tmp/acme-failing": directory / "acme-failing", "/run/tls": directory / "tls"}.items():
        assert ours in command
        command = command.replace(ours, str(here))
    return subprocess.run(["sh", "-c", command.replace("$$", "$")], check=False).returncode == 0


def client_as_written(directory: Path, server: str, ca: Path, port: int) -> subprocess.Popen[bytes]:
    here: dict[str, str | Path] = {
        "/etc/taizhang/acme": ROOT / "deploy/compose/acme",
        "/lego": _WANTED["lego"] or "",
        "/run/tls": directory / "tls",
        "": "duty@example.test",
        compose_file.example()["TAIZHANG_ACME_SERVER"]: server,
        ":8080": f":{port}",
    }
    environment = {**os.environ, "LEGO_CA_CERTIFICATES": str(ca), "TMPDIR": str(directory)}
    log = directory / "acme.log"
    return process.spawn(as_written("acme", here), log=log, dies_by=signal.SIGTERM, environment=environment)


def front_as_written(directory: Path, https: int) -> subprocess.Popen[bytes]:
    unused = process.port_for("nginx's health check", None)
    here: dict[str, str | Path] = {
        **{word: str(each) for word, each in zip(as_written("front", {})[1:4], watched(directory)[1:], strict=True)},
        "nginx": NGINX or "",
        "/etc/taizhang/nginx.conf": as_shipped_but_in(directory, https, unused, behind=unused),
    }
    return process.spawn(as_written("front", here), log=directory / "nginx.log", dies_by=signal.SIGTERM)


def watched(directory: Path) -> tuple[str | Path, ...]:
    """What both servers are run by, looking more often than in the field."""
    return (_SH, ROOT / "deploy/compose/with-certificate", directory / "tls", "0.05")


@needs_all
async def test_a_certificate_is_fetched_served_and_renewed_without_a_restart(
    tmp_path: Path, eventually: Eventually
) -> None:
    https = process.port_for("nginx", None)
    async with authority(tmp_path) as pebble, mosquitto_in(tmp_path, under=watched(tmp_path)) as broker:
        nginx = front_as_written(tmp_path, https)  # with the trial certificate, as the broker
        client = client_as_written(tmp_path, pebble.url, pebble.own, pebble.asks)
        root = pebble.root()

        def both_newer_than(before: int) -> int:
            nginx_has, mosquitto_has = (issued(port, root) for port in (https, broker.outer_port))
            return nginx_has if nginx_has == mosquitto_has and nginx_has not in (0, before) else 0

        first = await eventually(lambda: both_newer_than(0), 40)
        assert healthy(tmp_path)
        modes = {name: (tmp_path / "tls" / name).stat().st_mode & 0o777 for name in ("privkey.pem", "fullchain.pem")}
        assert modes == {"privkey.pem": 0o640, "fullchain.pem": 0o644}
        assert (tmp_path / "tls/acme").stat().st_mode & 0o777 == 0o700, "the account's key is the client's own"

        client.send_signal(signal.SIGHUP)  # look now: twenty days are left of what it has
        await eventually(lambda: both_newer_than(first), 40)
        assert (client.poll(), nginx.poll()) == (None, None)
        assert broker.child is not None
        assert broker.child.poll() is None
        for child in (nginx, client):
            await process.stop(child, ((signal.SIGTERM, 10.0),))
            assert child.poll() == 0, "signals reach who runs there"


@needs_all
async def test_a_chain_laid_before_its_key_is_served_once_the_key_is_there(
    tmp_path: Path, eventually: Eventually
) -> None:
    https = process.port_for("nginx", None)
    async with mosquitto_in(tmp_path, under=watched(tmp_path)) as broker:
        nginx = front_as_written(tmp_path, https)
        trial_certificate(tmp_path / "next")
        chain = (tmp_path / "next/fullchain.pem").read_text(encoding="utf-8")
        before = (tmp_path / "tls/fullchain.pem").read_text(encoding="utf-8")
        await eventually(lambda: issued(broker.outer_port, before) and issued(https, before))
        (tmp_path / "tls/fullchain.pem").write_text(chain, encoding="utf-8")
        await eventually(lambda: not issued(broker.outer_port, before + chain))  # it refuses everybody
        shutil.copy(tmp_path / "next/privkey.pem", tmp_path / "tls/privkey.pem")
        await eventually(lambda: issued(broker.outer_port, chain) and issued(https, chain))
        await process.stop(nginx, ((signal.SIGTERM, 10.0),))


@needs_all
@pytest.mark.parametrize("lost", ["key", "json"])
async def test_what_was_written_by_half_is_fetched_again(lost: str, tmp_path: Path, eventually: Eventually) -> None:
    chain, kept = tmp_path / "tls/fullchain.pem", tmp_path / f"tls/acme/certificates/localhost.{lost}"
    async with authority(tmp_path, days=90) as pebble:
        before = b""
        for _ in range(2):
            client = client_as_written(tmp_path, pebble.url, pebble.own, pebble.asks)
            await eventually(lambda seen=before: chain.exists() and chain.read_bytes() != seen, 40)
            await process.stop(client, ((signal.SIGTERM, 10.0),))
            before = chain.read_bytes()
            os.utime(kept, (0, 0))  # as it was before the disk was full


@needs_all
async def test_an_authority_that_is_away_takes_no_certificate_and_is_seen_after_two_days(
    tmp_path: Path, eventually: Eventually
) -> None:
    trial_certificate(tmp_path / "tls")
    before = (tmp_path / "tls/fullchain.pem").read_bytes()
    nobody = process.port_for("nobody", None)
    client = client_as_written(tmp_path, f"https://localhost:{nobody}/dir", tmp_path / "tls/fullchain.pem", nobody)
    failing = tmp_path / "acme-failing"
    await eventually(failing.exists)
    assert healthy(tmp_path), "not at once: authorities are away now and then"
    since = failing.stat().st_mtime - 3 * 86400
    os.utime(failing, (since, since))
    assert not healthy(tmp_path)

    client.send_signal(signal.SIGHUP)
    await eventually(lambda: (tmp_path / "acme.log").read_text(encoding="utf-8").count("asked again in an hour") == 2)
    assert failing.stat().st_mtime == since, "it says since when"
    assert (tmp_path / "tls/fullchain.pem").read_bytes() == before
    await process.stop(client, ((signal.SIGTERM, 10.0),))
    (tmp_path / "tls/fullchain.pem").unlink()
    failing.unlink()
    assert not healthy(tmp_path), "there is no certificate"


@needs_all
async def test_what_was_fetched_and_not_laid_is_laid_also_when_the_authority_is_away(
    tmp_path: Path, eventually: Eventually
) -> None:
    tls = tmp_path / "tls"
    chain, fetched = tls / "fullchain.pem", tls / "acme/certificates/localhost.crt"
    async with authority(tmp_path, days=90) as pebble:
        client = client_as_written(tmp_path, pebble.url, pebble.own, pebble.asks)
        await eventually(chain.exists, 40)
        await process.stop(client, ((signal.SIGTERM, 10.0),))
    trial_certificate(tmp_path / "other")
    others = [tmp_path / "other" / name for name in ("fullchain.pem", "privkey.pem")]
    for each in others:  # what was there before it was fetched
        os.utime(shutil.copy(each, tls), (0, 0))
    client = client_as_written(tmp_path, pebble.url, pebble.own, pebble.asks)  # it is away now
    await eventually((tmp_path / "acme-failing").exists)
    await process.stop(client, ((signal.SIGTERM, 10.0),))
    assert chain.read_bytes() == fetched.read_bytes()
    assert (tls / "privkey.pem").read_bytes() == fetched.with_suffix(".key").read_bytes()

    for each in others:  # laid by hand, as the authority stays away
        shutil.copy(each, tls)
    (tmp_path / "acme-failing").unlink()
    client = client_as_written(tmp_path, pebble.url, pebble.own, pebble.asks)
    await eventually((tmp_path / "acme-failing").exists)
    await process.stop(client, ((signal.SIGTERM, 10.0),))
    assert chain.read_bytes() == others[0].read_bytes()


def test_a_name_of_chinese_characters_is_refused_and_told_how_to_be_written(tmp_path: Path) -> None:
    """Its files would have another name than is looked for, and each look would ask for a new certificate."""
    host = compose_file.example()["TAIZHANG_HOST"]
    here: dict[str, str | Path] = {"/run/tls": tmp_path, "": "duty@example.test", host: "中文.example"}
    command = [_SH, ROOT / "deploy/compose/acme", *as_written("acme", here)[2:]]
    refused = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 2
    assert "中文.example: write a name of other characters as it is on the wire, xn--" in refused.stderr
    assert not any(tmp_path.iterdir())


def test_without_an_address_it_says_which_setting_is_missing(tmp_path: Path) -> None:
    command = [_SH, ROOT / "deploy/compose/acme", *as_written("acme", {"/run/tls": tmp_path})[2:]]
    refused = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 2
    assert "TAIZHANG_ACME_EMAIL" in refused.stderr
    assert not any(tmp_path.iterdir())


def test_both_servers_are_run_by_the_same_watch_on_the_same_files() -> None:
    watch = [_SH, "/etc/taizhang/with-certificate", "/run/tls", "60"]
    for service in ("front", "broker"):
        assert as_written(service, {})[:4] == watch
        assert compose_file.mounts(service)["/etc/taizhang/with-certificate"] == "./deploy/compose/with-certificate"
        assert SERVICES[service]["depends_on"]["acme"] == {"condition": "service_healthy", "required": False}
    assert compose_file.mounts("acme")["/run/tls"] == compose_file.mounts("front")["/run/tls"]
