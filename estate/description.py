"""An estate as an engineer writes it down: sites, places, gateways and facilities. Pydantic, no I/O.

Only the shape is checked here; whether kinds, parts, points, parameters and relations exist is checked against the
rule packs by `estate.plan`. Keys follow the ledger's: [a-z0-9_-], at most 64 characters. A facility that says `type`
has had its kind and its parts filled in from that type before it comes here (`estate.from_type`).
"""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ledger.said import says_nothing

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
PointKey = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_-]{1,64}\.)?[a-z0-9_-]{1,64}$")]


def _printable(text: str) -> str:
    """Control characters come from broken files; the database stores no NUL."""
    if any(letter < " " and letter not in "\t\r\n" for letter in text):
        raise PydanticCustomError("control_character", "holds a control character")
    return text


def _visible(text: str) -> str:
    """A reason or a name of zero-width characters is none."""
    if says_nothing(text):
        raise PydanticCustomError("nothing_seen", "holds nothing that can be seen")
    return text


_Text = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_printable)]
Words = Annotated[_Text, StringConstraints(min_length=1), AfterValidator(_visible)]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Described):
    """What people read, in both languages."""

    zh: Words
    en: Words


class LocationDescription(_Described):
    key: Key
    name: Name
    inside: Key | None = None  # the parent; None: a root of the site's tree
    renamed_from: Key | None = None  # the key it had in the ledger until now


class GatewayDescription(_Described):
    """A gateway becomes a facility of kind `gateway` with the same key, at `location`."""

    key: Key
    name: Name
    location: Key
    renamed_from: Key | None = None


class AssetDescription(_Described):
    part: Key | None = None
    maker: _Text
    model: _Text
    serial: _Text | None = None
    manufactured_on: date | None = None
    installed_on: date


class PartDescription(_Described):
    key: Key
    kind: Key
    name: Name | None = None  # None: the pack's title of the kind, with the number from the key


class FacilityDescription(_Described):
    key: Key
    kind: Key
    type: Key | None = None  # None: described by its kind and parts alone
    name: Name
    location: Key
    gateway: Key | None = None  # None: nothing is measured there
    grade: Literal["A", "B", "C"] | None = None  # None: the pack's default
    parts: tuple[PartDescription, ...] = ()
    without: tuple[PointKey, ...] = ()  # optional points of the pack that this facility does not have
    parameters: dict[str, float] = Field(default_factory=dict[str, float])  # 'setpoint', 'pump_1.rated_current'
    relations: dict[Key, Key] = Field(default_factory=dict[str, str])  # relation name -> facility key
    assets: tuple[AssetDescription, ...] = ()
    renamed_from: Key | None = None


class RemovalDescription(_Described):
    """A facility or gateway that is gone. It is retired and keeps its history."""

    key: Key
    reason: Words


class SiteDescription(_Described):
    key: Key
    name: Name | None = None  # None: the site is in the ledger already and keeps its name
    time_zone: str = "Asia/Shanghai"
    round_at: time = time(8, 0)
    sla_profile: Key = "standard"
    locations: tuple[LocationDescription, ...] = ()
    gateways: tuple[GatewayDescription, ...] = ()
    facilities: tuple[FacilityDescription, ...] = ()
    removed: tuple[RemovalDescription, ...] = ()


class EstateDescription(_Described):
    """Everything that comes in at once."""

    sites: tuple[SiteDescription, ...] = Field(min_length=1)
