"""The words for everything a person may see by its key, in both languages; the words themselves are in catalogue.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.shapes import Name, Reason
from rules import yaml_loader

FILE = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Section -> key -> words. tests/api/test_catalogue.py sees to it that nothing is missing and nothing left over."""

    sections: Mapping[str, Mapping[str, Name]]

    def text(self, section: str, key: str) -> Name:
        """A key nobody has words for, as of a pack or a later version, stands for itself."""
        return self.sections[section].get(key, Name(zh=key, en=key))

    def reason(self, section: str, key: str) -> Reason:
        words = self.text(section, key)
        return Reason(key=key, zh=words.zh, en=words.en)


def load(file: Path = FILE) -> Catalogue:
    document: Any = yaml_loader.load(file.read_text(encoding="utf-8"))
    return Catalogue(
        {section: {str(key): Name(**words) for key, words in entries.items()} for section, entries in document.items()}
    )


CATALOGUE = load()
