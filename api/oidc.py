"""Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce; discovery; signed tokens.

The signatures are joserfc's work. What the provider says is bounded in size and time, and believed only over https or on
this machine. Nothing here knows our people.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.problems import ProviderFailed

ANSWER_BYTES_MAX = 256 * 1024
_TIMEOUT_S = 10.0
_KEPT_S = 3_600.0
_KEYS_AGAIN_S = 30.0  # an unknown key makes us ask for the keys again, but not in a loop
_AT_ONCE = 8
_LEEWAY_S = 60
# Signed by the provider's private key. Not `none`, and not by a secret that others know as well.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")


@dataclass(frozen=True, slots=True)
class Registration:
    """What the operator and the provider agreed on."""

    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser carries from the moment it is sent to the provider until it comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    def written(self) -> str:
        return f"{self.state}.{self.nonce}.{self.verifier}"

    @classmethod
    def read(cls, text: str) -> "Attempt | None":
        parts = text.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None


class Provider:
    """Raises ProviderFailed throughout: what it says is not what it should, or it says nothing."""

    def __init__(self, registration: Registration) -> None:
        self._at = registration
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._described: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def close(self) -> None:
        await self._client.aclose()

    async def address(self, attempt: Attempt) -> str:
        """Where the browser is sent."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._at.client_id,
            "redirect_uri": self._at.redirect_uri,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = _text(await self._description(), "authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def claims(self, code: str, attempt: Attempt, now: datetime) -> Mapping[str, Any]:
        """What the provider says of whoever came back with this code."""
        described = await self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._at.redirect_uri,
            "client_id": self._at.client_id,
            "code_verifier": attempt.verifier,
        }
        if self._at.client_secret is not None:
            form["client_secret"] = self._at.client_secret
        answer = await self._ask("POST", _text(described, "token_endpoint"), form)
        return await self._verified(_text(answer, "id_token"), attempt.nonce, now)

    async def _verified(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._at.issuer},
            aud={"essential": True, "value": self._at.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        for is_last in (False, True):
            try:
                found = jwt.decode(token, await self._key_set(anew=is_last), algorithms=_ALGORITHMS)
                registry.validate(found.claims)
            except (JoseError, ValueError, TypeError) as error:
                if is_last or self._keys_are_new():
                    raise ProviderFailed(f"its token will not do: {error}") from error
                continue
            self._refuse_other_party(found.claims)
            return found.claims
        raise AssertionError("the second try returns or raises")

    def _refuse_other_party(self, claims: Mapping[str, Any]) -> None:
        """A token made out to several, or for another, is not ours to take."""
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1  # pyright: ignore[reportUnknownArgumentType]
        if (several or "azp" in claims) and claims.get("azp") != self._at.client_id:
            raise ProviderFailed("its token was made for somebody else (azp)")

    async def _description(self) -> Mapping[str, Any]:
        if self._described is None or time.monotonic() > self._described[0] + _KEPT_S:
            address = self._at.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._ask("GET", address)
            if found.get("issuer") != self._at.issuer:
                raise ProviderFailed(f"it calls itself {found.get('issuer')!r}, not {self._at.issuer!r}")
            self._described = (time.monotonic(), found)
        return self._described[1]

    def _keys_are_new(self) -> bool:
        return self._keys is not None and time.monotonic() < self._keys[0] + _KEYS_AGAIN_S

    async def _key_set(self, *, anew: bool) -> KeySet:
        if self._keys is None or anew or time.monotonic() > self._keys[0] + _KEPT_S:
            found: Any = await self._ask("GET", _text(await self._description(), "jwks_uri"))
            self._keys = (time.monotonic(), KeySet.import_key_set(found))
        return self._keys[1]

    async def _ask(self, method: str, address: str, form: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        headers = {"Accept": "application/json"}
        try:
            async with self._room, self._client.stream(method, address, data=form, headers=headers) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ProviderFailed(f"{address} answered with more than {ANSWER_BYTES_MAX} bytes")
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderFailed(f"{address} cannot be reached: {error!r}") from error
        try:
            said: Any = json.loads(body)
        except ValueError as error:
            raise ProviderFailed(f"{address} answered {status} without JSON") from error
        if status != 200 or not isinstance(said, dict):
            raise ProviderFailed(f"{address} answered {status}")
        return {str(key): value for key, value in said.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _text(said: Mapping[str, Any], key: str) -> str:
    found = said.get(key)
    if not isinstance(found, str) or not found:
        raise ProviderFailed(f"it does not say its {key}")
    return found
