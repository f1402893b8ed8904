"""What each user of the broker may do. Nobody is anonymous, and only ingest writes alarms.

A gateway's user is named `site.gateway`. Keys hold no dot, so the name is one to one, and none of the service's own.
"""

import re
from dataclasses import dataclass

from credentials.errors import CredentialError
from ingest.wire import PREFIX, StatusTopic, TelemetryTopic

INGEST = "ingest"
SIMULATORS = "simulators"

_GATEWAY = re.compile(r"([a-z0-9_-]{1,64})/([a-z0-9_-]{1,64})")
_GATEWAY_USER = re.compile(r"([a-z0-9_-]{1,64})\.([a-z0-9_-]{1,64})")


@dataclass(frozen=True, slots=True)
class Rights:
    """A user of the broker and the topic filters it may write to and read from; `deny` comes before both."""

    user: str
    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayName:
    site: str
    gateway: str

    @classmethod
    def parse(cls, text: str) -> "GatewayName":
        """`SITE/GATEWAY` as typed. Raises CredentialError."""
        match = _GATEWAY.fullmatch(text)
        if match is None:
            raise CredentialError(f"{text!r} is not SITE/GATEWAY: two keys of a-z, 0-9, _ and -, as in jinxiu/gw_pump")
        return cls(match[1], match[2])

    @classmethod
    def of_user(cls, user: str) -> "GatewayName | None":
        """Whose user it is; None for one that is no gateway's."""
        match = _GATEWAY_USER.fullmatch(user)
        return None if match is None else cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.site}/{self.gateway}"

    @property
    def user(self) -> str:
        return f"{self.site}.{self.gateway}"

    def telemetry_topic(self, facility: str) -> str:
        return str(TelemetryTopic(self.site, facility))

    @property
    def status_topic(self) -> str:
        return str(StatusTopic(self.site, self.gateway))

    def rights(self) -> Rights:
        """It writes its site's telemetry and its own status, last will included, and reads nothing."""
        return Rights(
            self.user, write=(self.telemetry_topic("+"), self.status_topic), deny=(_forged_alarms(self.site),)
        )


def ingest_rights() -> Rights:
    """The one user that writes alarms, and the one that reads."""
    return Rights(INGEST, write=(f"{PREFIX}/+/alarms/+",), read=(f"{PREFIX}/#",))


def simulators_rights() -> Rights:
    """All gateways of all sites at once: for a demo, never beside real ones."""
    write = (f"{PREFIX}/+/+/telemetry", f"{PREFIX}/+/gateways/+/status")
    return Rights(SIMULATORS, write=write, deny=(_forged_alarms("+"),))


def _forged_alarms(site: str) -> str:
    """What telemetry's filter would let in among the alarms: a siren that reads `alarms/+` would hear it."""
    return str(TelemetryTopic(site, "alarms"))
