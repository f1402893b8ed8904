"""What the schemas of several resources are made of: the two kinds of shape, names in both languages, bounded texts."""

import unicodedata
from typing import Annotated, Protocol

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ledger.records import Grade
from ledger.said import says_nothing

ID_MAX = 2**63 - 1
PAGE_MAX = 500
TEXT_CHARS_MAX = 4000


class Asked(BaseModel):
    """What a client sends: nothing unknown, no NaN, no text of blanks only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)


class Answered(BaseModel):
    """What we send. Every field is always there, so that a client's types need no guesses."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True)


def _printable(text: str) -> str:
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\t\n\r":
            raise PydanticCustomError(
                "control_character",
                "control character {code} is not allowed",
                {"code": f"U+{ord(character):04X}"},
            )
    if says_nothing(text):
        raise PydanticCustomError("nothing_seen", "nothing in it can be seen: write letters or figures")
    return text


Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
PointKey = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_-]{1,64}\.)?[a-z0-9_-]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(_printable)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_printable)]
Id = Annotated[int, Field(ge=1, le=ID_MAX)]
Moment = AwareDatetime  # in and out RFC 3339; out always in UTC


class Name(Answered):
    """What people read, in both languages."""

    zh: str
    en: str


class Reason(Answered):
    """A named reason: the key is for machines and stays, the texts are for people."""

    key: str
    zh: str
    en: str


class AtFacility(Protocol):
    """A record of the ledger that says which facility it belongs to."""

    @property
    def site_key(self) -> str: ...
    @property
    def facility_key(self) -> str: ...
    @property
    def facility_name_zh(self) -> str: ...
    @property
    def facility_name_en(self) -> str: ...
    @property
    def grade(self) -> Grade: ...


class FacilityRef(Answered):
    site: str
    key: str
    name: Name
    grade: Grade

    @classmethod
    def of(cls, record: AtFacility) -> "FacilityRef":
        return cls(
            site=record.site_key,
            key=record.facility_key,
            name=Name(zh=record.facility_name_zh, en=record.facility_name_en),
            grade=record.grade,
        )


class PageOf(Answered):
    """A page of a list. `next` goes into `after` of the next request; null: this was the last."""

    next: str | None


class Limit(Asked):
    """How much of a list, and from where."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 100
    after: Annotated[str | None, Field(max_length=400, description="`next` of the page before")] = None


# ------------------------------------------------------------------ what is said with a move, or beside it


class Remark(Asked):
    note: Text | None = None


class Why(Asked):
    note: Annotated[Text, Field(description="why")]


class NoteIn(Asked):
    text: Text


NOTHING_SAID = Remark()
