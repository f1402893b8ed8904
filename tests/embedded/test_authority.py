"""The demo's certificate authority: kept from run to run, private in its directory, and worth nothing to the world."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from embedded import authority
from embedded.authority import Served
from embedded.errors import EmbeddedError

NOW = datetime.now(UTC)


def shaken_hands(served: Served, trusted: bytes, name: str) -> str | None:
    """Why a client that trusts `trusted` and wants `name` turns away; None: it does not."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(served.certificate, served.key)
    client = ssl.create_default_context(cadata=trusted)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            there.close()

    answering = threading.Thread(target=serve)
    answering.start()
    try:
        with client.wrap_socket(here, server_hostname=name):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    finally:
        here.close()
        answering.join(10)


def test_a_phone_that_was_told_once_trusts_every_run(tmp_path: Path) -> None:
    first = authority.certify(tmp_path, "192.168.1.20", NOW)
    again = authority.certify(tmp_path, "10.0.0.7", NOW + timedelta(minutes=1))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.fingerprint == again.fingerprint
    assert shaken_hands(again, first.authority_der, "10.0.0.7") is None
    assert "IP address mismatch" in (shaken_hands(again, first.authority_der, "192.168.1.20") or "")
    for kept in tmp_path.iterdir():
        assert kept.stat().st_mode & 0o077 == 0, kept


def test_an_authority_that_ends_soon_or_is_damaged_is_made_anew(tmp_path: Path) -> None:
    old = authority.certify(tmp_path, "10.0.0.7", NOW - timedelta(days=700))
    new = authority.certify(tmp_path, "10.0.0.7", NOW)
    assert new.is_new
    assert shaken_hands(new, old.authority_der, "10.0.0.7") is not None
    (tmp_path / "authority_key.pem").write_text("-----BEGIN PRIVATE KEY-----")
    third = authority.certify(tmp_path, "10.0.0.7", NOW)
    assert third.is_new
    assert shaken_hands(third, third.authority_der, "10.0.0.7") is None
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    (tmp_path / "authority_key.pem").write_bytes(locked)
    assert authority.certify(tmp_path, "10.0.0.7", NOW).is_new


@pytest.mark.parametrize(("age_days", "is_new"), [(639, False), (641, True)])
def test_an_authority_outlives_what_it_signs(tmp_path: Path, age_days: int, is_new: bool) -> None:
    authority.certify(tmp_path, "10.0.0.7", NOW - timedelta(days=age_days))
    assert authority.certify(tmp_path, "10.0.0.7", NOW).is_new is is_new


def test_it_signs_for_nobody_in_the_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("8.8.8.8", "2001:db8::1", "example.org", "", "192.168.1.300"):
        with pytest.raises(EmbeddedError, match="private"):
            authority.certify(tmp_path, address, NOW)

    # Its key in wrong hands: a client turns away by what the authority itself says it may sign for.
    def anything(_: str) -> bool:
        return True

    monkeypatch.setattr(authority, "is_private", anything)
    stolen = authority.certify(tmp_path, "8.8.8.8", NOW)
    assert "permitted subtree" in (shaken_hands(stolen, stolen.authority_der, "8.8.8.8") or "")
