"""The languages that everything a person reads is written in."""

from enum import StrEnum


class Language(StrEnum):
    ZH = "zh"
    EN = "en"
