"""Passwords: random ones, and hashes that Mosquitto's own tool would have made."""

import shutil
import subprocess
from pathlib import Path

import pytest

from credentials.errors import CredentialError
from credentials.secret import PASSWORD_CHARS, hashed, is_of, new_password, require_sound


def test_a_hash_is_of_its_password_only() -> None:
    kept = hashed("secret")
    assert kept.startswith("$7$")
    assert is_of("secret", kept)
    assert not is_of("Secret", kept)
    assert hashed("secret") != kept, "the salt is not random"


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_mosquittos_own_hash_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.touch()
    subprocess.run(["mosquitto_passwd", "-b", file, "ingest", "secret"], check=True, capture_output=True)
    assert is_of("secret", file.read_text().strip().partition(":")[2])


@pytest.mark.parametrize(
    "kept", ["", "$7$", "$7$101$c2FsdA==", "$7$x$c2FsdA==$aGFzaA==", "$7$1$!$!", "$6$c2FsdA==$aGFzaA=="]
)
def test_whatever_stands_there_is_an_answer(kept: str) -> None:
    assert not is_of("secret", kept)


def test_passwords_differ_and_need_no_escaping() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == PASSWORD_CHARS and each.isalnum() for each in made)


@pytest.mark.parametrize(
    "password", ["", "short", "with space in it 123", "per%cent-in-url-0123", "at@in-the-url-01234"]
)
def test_a_weak_or_unsafe_password_of_a_service_is_refused_by_the_name_of_its_setting(password: str) -> None:
    with pytest.raises(CredentialError, match=r"TAIZHANG_INGEST_MQTT_PASSWORD.*openssl"):
        require_sound("TAIZHANG_INGEST_MQTT_PASSWORD", password)
    require_sound("ANY", "0123456789abcdef")
