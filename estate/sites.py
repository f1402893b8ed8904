"""Which site a row speaks of: by key or by name, of the sites in the same import and of those in the ledger."""

from collections.abc import Iterable

from estate import columns
from estate.faults import Fault, Said, nearest
from estate.rows import Entry, Tables
from estate.types import folded
from ledger.records import Site


class Sites:
    def __init__(self, tables: Tables, described: Iterable[tuple[str, str, str]], known: Iterable[Site]) -> None:
        """`described`: key and names of the sites in the YAML files of the same import."""
        self._keys: dict[str, str] = {}
        for entry in tables.of(columns.SITES):
            key = str(entry.values["key"])
            for word in (key, entry.text("name_zh"), entry.text("name_en")):
                self._keys.setdefault(folded(word or key), key)
        for key, *names in (*described, *((site.key, site.name_zh, site.name_en) for site in known)):
            for word in (key, *names):
                self._keys.setdefault(folded(word), key)

    def of(self, entry: Entry, faults: list[Fault]) -> str | None:
        """The key of the row's site; None, and told, when that is not clear."""
        if entry.table is columns.SITES:
            return str(entry.values["key"])
        word = entry.text("site")
        keys = set(self._keys.values())
        if word is None:
            if len(keys) == 1:
                return keys.pop()
            told = Said(
                "没有写“项目”，而台账里不止一个项目" if keys else "没有写“项目”，台账里也还没有项目：加一张“项目”表",
                "the row names no site (项目), and there is more than one"
                if keys
                else "the row names no site (项目), and there is none yet: add a sheet 项目",
            )
            faults.append(Fault(entry.row, told))
            return None
        found = self._keys.get(folded(word))
        if found is None:
            told = Said(
                f"没有项目“{word}”；新项目要先在“项目”表里写编号和名称",
                f"there is no site {word}; a new one needs its key and name in a sheet 项目 (sites)",
            )
            faults.append(Fault(entry.at("site"), told, nearest=nearest(word, keys)))
        return found

    def named(self, tables: Tables) -> set[str]:
        """The keys of every site that any row speaks of."""
        return {key for entry in tables.entries if (key := self.of(entry, [])) is not None}
