"""Every setting of Taizhang, read from the environment once, and the one clock.

Nothing else reads the environment or the wall clock: entry points make a `Settings` and a `Clock` here and hand them
down. `TAIZHANG_CLOCK_SPEED` other than 1 lets a smoke run or a drill live an hour in a minute; simulators and
services given the same origin and speed agree on the time, so nothing looks late or early.
"""

import ipaddress
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from watching.logs import LogFormat, LogLevel

Now = Callable[[], datetime]
MqttVersion = Literal["3.1.1", "5"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Time that stood at `origin` when the wall's stood at `started`, and runs `speed` times as fast.

    Calling it gives an aware UTC time.
    """

    origin: datetime
    started: datetime
    speed: float = 1.0

    def __call__(self) -> datetime:
        wall = datetime.fromtimestamp(time.time(), tz=UTC)
        return self.origin + (wall - self.started) * self.speed

    def real_s(self, seconds: float) -> float:
        """How many seconds of the wall pass while `seconds` of this clock do: what to sleep."""
        return seconds / self.speed


_Days = Annotated[int, Field(ge=32, le=36_600)] | None  # the longest window of a rule is 31 days


class ReadingsDays(BaseModel):
    """For how many days readings are kept, by kind of point; null: for ever. docs/decisions/0017-history.md has the reasons."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: _Days = 90
    counter: _Days = 90
    state: _Days = 400
    enum: _Days = 400
    event: _Days = 400


class HoursDays(BaseModel):
    """The same of the hourly figures made of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: _Days = 3_660
    counter: _Days = 3_660
    state: _Days = 3_660
    enum: _Days = 3_660
    event: _Days = 3_660


class Settings(BaseSettings):
    """The environment, validated. `DATABASE_URL` and `MQTT_URL` keep their customary names; the rest is TAIZHANG_*.

    Raises pydantic.ValidationError that names every wrong setting at once.
    """

    model_config = SettingsConfigDict(
        env_prefix="TAIZHANG_",
        env_file=None,
        env_ignore_empty=True,  # an environment file and Compose pass on what was left empty as ''
        extra="ignore",
        frozen=True,
    )

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    mqtt_url: SecretStr | None = Field(default=None, validation_alias="MQTT_URL")
    data_dir: Path = Path(".taizhang")
    packs_dir: Path | None = None  # rule packs to use instead of those that ship with Taizhang

    clock_origin: datetime | None = None  # the time it was ...
    clock_started: datetime | None = None  # ... when the wall's clock showed this; default: the same
    clock_speed: float = Field(default=1.0, gt=0, le=3600)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=1, le=65535)
    api_tls_certificate: Path | None = None  # PEM, with those above it: the api itself speaks https ...
    api_tls_key: Path | None = None  # ... with this key; without both, put TLS in front of it
    api_token: SecretStr | None = (
        None  # the operator's own: opens everything; people sign in, machines have named tokens
    )
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()  # whose X-Forwarded-* count
    session_idle_h: float = Field(default=12.0, gt=0, le=24 * 31)  # unused for so long, one has to sign in again
    session_days: float = Field(default=30.0, gt=0, le=366)  # and after so long in any case

    public_url: str | None = (
        None  # where people reach the service: in every printed tag, and for the provider's way back
    )
    public_urls_before: tuple[str, ...] = ()  # where they did when older tags were printed
    photos_dir: Path | None = None  # pictures of inspections; default: `photos` in data_dir
    photos_site_gib: float = Field(default=50.0, gt=0, le=100_000)  # of one site no more are taken

    # -- signing in through an OpenID Connect provider
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = Field(default="OpenID Connect", min_length=1, max_length=60)  # on the button
    oidc_login_claim: str = "preferred_username"  # whose value is a login here; an `email` must be verified
    oidc_makes_people: bool = False  # whoever the provider knows becomes a person here, without any role

    metrics_token: SecretStr | None = None  # shows /metrics of api and ingest and opens nothing else
    log_format: LogFormat = "text"
    log_level: LogLevel = "info"

    # -- setting up: who may enter the database and the broker
    ingest_database_password: SecretStr | None = None  # of the login that `migrate` makes for ingest
    api_database_password: SecretStr | None = None  # ... and for the api
    mqtt_password_file: Path | None = None  # Mosquitto's password_file
    mqtt_acl_file: Path | None = None  # Mosquitto's acl_file
    mqtt_public_url: str | None = None  # where gateways reach the broker
    ingest_mqtt_password: SecretStr | None = None  # of the broker's user `ingest`
    simulators_mqtt_password: SecretStr | None = None  # of the user `simulators`; without, there is none

    # -- ingest: everything bounded, units last
    mqtt_client_id: str = Field(default="taizhang-ingest", min_length=1, max_length=64)
    mqtt_version: MqttVersion = "3.1.1"  # what ingest speaks; reading 5 costs far more CPU
    sites: tuple[str, ...] = ()  # keys of the sites this worker judges; empty = all
    batch_messages_max: int = Field(default=4_000, ge=1, le=10_000)
    linger_ms: int = Field(default=5, ge=0, le=5_000)  # the distance between batches of a busy line
    inflight_messages_max: int = Field(default=8_000, ge=1, le=60_000)  # below what the broker sends unacknowledged
    payload_bytes_max: int = Field(default=256 * 1024, ge=1024, le=4 * 1024 * 1024)
    values_per_message_max: int = Field(default=5_000, ge=1, le=100_000)
    tick_ms: int = Field(default=1_000, ge=20, le=60_000)
    future_max_s: float = Field(default=300.0, gt=0)  # a device clock further ahead is quarantined as `future`
    backlog_lag_s: float = Field(default=120.0, gt=0)  # a gateway whose messages lag more than this is emptying a store
    settle_s: float = Field(default=30.0, gt=0)  # silence counts only so long after (re)connecting or after a backlog
    ingest_http_host: str = "127.0.0.1"  # where ingest answers health checks and Prometheus ...
    ingest_http_port: int | None = Field(default=None, ge=1, le=65535)  # ... if anywhere
    beat_s: float = Field(default=5.0, gt=0, le=60)  # how often ingest shows a sign of life for each site
    ingest_silent_s: float = Field(default=30.0, gt=0, le=3600)  # without one for so long the api raises an alarm
    lag_max_s: float = Field(default=60.0, gt=0)  # ingest whose oldest message waits longer says that it is lagging
    heartbeat_file: Path | None = None  # touched after every round with broker and database there
    quarantine_topics_max: int = Field(default=200, ge=1, le=10_000)

    # -- history: how long readings and hourly figures are kept, by kind of point
    readings_days: ReadingsDays = ReadingsDays()
    hours_days: HoursDays = HoursDays()

    @field_validator("clock_origin", "clock_started")
    @classmethod
    def _has_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a time zone is missing; write for example 2026-01-01T00:00:00Z")
        return moment

    @field_validator("public_url", "mqtt_public_url")
    @classmethod
    def _is_named_as_on_the_wire(cls, said: str | None) -> str | None:
        """Certificates, Origin headers and gateways know a name of Chinese characters in its ASCII form only. Not so
        `public_urls_before`: they are what stands on paper.
        """
        host = urlsplit(said or "").hostname or ""
        if not host.isascii():
            raise ValueError(f"{said!r}: write the name as it is on the wire{_on_the_wire(host)}")
        return said

    @field_validator("public_url", "public_urls_before")
    @classmethod
    def _can_stand_in_a_tag(cls, said: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for each in (said,) if isinstance(said, str) else said or ():
            parts = urlsplit(each)
            is_address = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
            if not is_address or not (
                parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
            ):
                raise ValueError(f"{each!r} is no https address; write for example https://patrol.example.cn")
        return said

    @property
    def photo_directory(self) -> Path:
        return self.photos_dir or self.data_dir / "photos"

    @model_validator(mode="after")
    def _limits_agree(self) -> "Settings":
        if self.clock_origin is None and (self.clock_speed != 1.0 or self.clock_started is not None):
            raise ValueError("clock_speed and clock_started need clock_origin, the time it was when they began")
        if self.batch_messages_max > self.inflight_messages_max:
            raise ValueError(
                f"batch_messages_max ({self.batch_messages_max}) is above inflight_messages_max "
                f"({self.inflight_messages_max}): a batch could never fill"
            )
        if self.ingest_http_port is not None and not is_loopback(self.ingest_http_host) and self.metrics_token is None:
            raise ValueError(
                f"ingest_http_host ({self.ingest_http_host}) can be reached from other machines, and metrics name sites: "
                "set metrics_token, or leave the host 127.0.0.1"
            )
        if self.oidc_issuer is not None:
            if self.oidc_client_id is None or self.public_url is None:
                raise ValueError(
                    "oidc_issuer needs oidc_client_id, and public_url, where the provider sends people back to"
                )
            if not _is_safe(self.oidc_issuer):
                raise ValueError(
                    f"oidc_issuer ({self.oidc_issuer}) is not https: who stands in between could sign in as anybody"
                )
        if (self.api_tls_certificate is None) != (self.api_tls_key is None):
            raise ValueError("api_tls_certificate and api_tls_key belong together")
        if self.ingest_silent_s < 3 * self.beat_s:
            raise ValueError(
                f"ingest_silent_s ({self.ingest_silent_s:g}) is below three times beat_s ({self.beat_s:g}): one beat that "
                "comes late would be an alarm"
            )
        if self.linger_ms > self.tick_ms:
            raise ValueError(
                f"linger_ms ({self.linger_ms}) is above tick_ms ({self.tick_ms}): ticks would overtake batches"
            )
        for kind, hours in self.hours_days:
            readings = getattr(self.readings_days, kind)
            if hours is not None and (readings is None or readings > hours):
                raise ValueError(
                    f"readings_days of {kind} ({readings or 'for ever'}) is above hours_days ({hours}): "
                    "the hourly figures are what remains when readings go"
                )
        return self

    def clock(self) -> Clock:
        """The one clock; without an origin, the wall's."""
        if self.clock_origin is None:
            return wall_clock()
        origin = self.clock_origin.astimezone(UTC)
        started = origin if self.clock_started is None else self.clock_started.astimezone(UTC)
        return Clock(origin=origin, started=started, speed=self.clock_speed)


def _is_safe(url: str) -> bool:
    """Nobody stands in between: https, or this machine itself."""
    found = urlsplit(url)
    return found.scheme == "https" or (found.scheme == "http" and is_loopback(found.hostname or ""))


def _on_the_wire(host: str) -> str:
    """Nothing where Python does not know it."""
    try:
        return f": {host.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wall_clock() -> Clock:
    """The wall's own time, for those who share none with a smoke run."""
    epoch = datetime.fromtimestamp(0, tz=UTC)
    return Clock(origin=epoch, started=epoch)


class NotJson(Exception):
    """A setting that is written as JSON, and is not."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def from_environment() -> Settings:
    """Raises pydantic's ValidationError, or NotJson."""
    try:
        return Settings()
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))  # told in its words only
        raise NotJson(named[1] if named else "", str(error.__cause__ or error)) from error
