"""The estate file: sites, places, gateways and facilities as an engineer writes them down. Pydantic, no I/O.

Only the shape is checked here; whether kinds, parts, points, parameters and relations exist is checked against the
rule packs by `estate.bring_in`. Keys follow the ledger's: [a-z0-9_-], at most 64 characters.
"""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
PointKey = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_-]{1,64}\.)?[a-z0-9_-]{1,64}$")]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Described):
    """What people read, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class LocationDescription(_Described):
    key: Key
    name: Name
    inside: Key | None = None  # the parent; None: a root of the site's tree


class GatewayDescription(_Described):
    """A gateway becomes a facility of kind `gateway` with the same key, at `location`."""

    key: Key
    name: Name
    location: Key


class AssetDescription(_Described):
    part: Key | None = None
    maker: str
    model: str
    serial: str | None = None
    manufactured_on: date | None = None
    installed_on: date


class PartDescription(_Described):
    key: Key
    kind: Key
    name: Name | None = None  # None: the pack's title of the kind, with the number from the key


class FacilityDescription(_Described):
    key: Key
    kind: Key
    name: Name
    location: Key
    gateway: Key | None = None  # None: nothing is measured there
    grade: Literal["A", "B", "C"] | None = None  # None: the pack's default
    parts: tuple[PartDescription, ...] = ()
    without: tuple[PointKey, ...] = ()  # optional points of the pack that this facility does not have
    parameters: dict[str, float] = Field(default_factory=dict[str, float])  # 'setpoint', 'pump_1.rated_current'
    relations: dict[Key, Key] = Field(default_factory=dict[str, str])  # relation name -> facility key
    assets: tuple[AssetDescription, ...] = ()


class SiteDescription(_Described):
    key: Key
    name: Name
    time_zone: str = "Asia/Shanghai"
    round_at: time = time(8, 0)
    sla_profile: Key = "standard"
    locations: tuple[LocationDescription, ...]
    gateways: tuple[GatewayDescription, ...]
    facilities: tuple[FacilityDescription, ...]


class EstateDescription(_Described):
    """The whole file."""

    sites: tuple[SiteDescription, ...] = Field(min_length=1)
