"""Where gateways reach the broker, as they see it from outside."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from credentials.errors import CredentialError

_EXAMPLE = "mqtts://mqtt.example.com:8883"


@dataclass(frozen=True, slots=True)
class PublicAddress:
    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, url: str) -> "PublicAddress":
        """Raises CredentialError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise CredentialError(f"{url!r} is no broker address: {error}; for example {_EXAMPLE}") from error
        if parts.scheme not in ("mqtt", "mqtts") or not host:
            raise CredentialError(f"{url!r} is no broker address; for example {_EXAMPLE}")
        tls = parts.scheme == "mqtts"
        return cls(host, port or (8883 if tls else 1883), tls)

    @property
    def is_open_wire(self) -> bool:
        """Whether a password sent there could be read on the way."""
        if self.tls:
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"
