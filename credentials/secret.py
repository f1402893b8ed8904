"""Passwords: made at random, and hashed as Mosquitto reads them.

`$7$iterations$salt$hash`: PBKDF2 with SHA-512, salt and hash in base64. Mosquitto computes it for every connection, on
the one thread that moves all messages: a thousand iterations are a millisecond each when a power cut brings every
gateway back at once. A password made here is 24 characters at random, which no number of iterations has to protect.
"""

import base64
import hashlib
import hmac
import re
import secrets

from credentials.errors import CredentialError

ITERATIONS = 1_000
SALT_BYTES = 12
HASH_BYTES = 64
PASSWORD_CHARS = 24
PASSWORD_CHARS_MIN = 16  # of one that a person chose for a service
# What needs no escaping in a URL, a shell, or a gateway's web form; without look-alikes, because people type it.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


def new_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_CHARS))


def require_sound(setting: str, password: str) -> None:
    """A service's password goes into a URL and guards everything. Raises CredentialError naming the setting."""
    if len(password) < PASSWORD_CHARS_MIN or not _URL_SAFE.fullmatch(password):
        raise CredentialError(
            f"{setting} must have at least {PASSWORD_CHARS_MIN} characters of A-Z, a-z, 0-9, '.', '_', '~' and '-', "
            "because it becomes part of a URL; make one with: openssl rand -hex 24"
        )


def hashed(password: str, salt: bytes | None = None) -> str:
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_of(password: str, kept: str) -> bool:
    """Whether `kept`, as `hashed` or mosquitto_passwd writes it, was made from this password."""
    match kept.split("$"):
        case ["", "7", iterations, salt, digest] if iterations.isdigit():
            try:
                made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
                return hmac.compare_digest(made, base64.b64decode(digest))
            except ValueError:
                return False
        case _:
            return False
