"""Secrets that a machine or a cookie carries: random, and kept as digests only."""

import hashlib

TOKEN_PREFIX = "tz_"  # noqa: S105 - so that a token that was published by accident is recognised


def digest_of(secret: str) -> bytes:
    """What is kept of a secret that is random enough to need no salt."""
    return hashlib.sha256(secret.encode()).digest()
