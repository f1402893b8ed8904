"""What things of a site were before a file changed them, as the audit log keeps it: of an import that changes everything
as much as somebody reads, and how much more there was. Pure.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from estate.difference import Difference, FieldChange, Item

CHANGES_MAX = 50  # of one site
TEXT_CHARS_MAX = 300
_SEVERAL = frozenset({"part", "parameter", "relation", "asset"})


def particulars(found: Difference, site: str) -> Mapping[str, object]:
    """Of what is changed or renamed, the first fifty fields and a count of the rest; empty where there is nothing."""
    changes = [(item, field) for item in found.items if item.site == site for field in _fields(item)]
    if not changes:
        return {}
    told = groupby(changes[:CHANGES_MAX], key=lambda each: (each[0].subject.value, each[0].key))
    were = [{subject: key, "particulars": _were(field for _, field in fields)} for (subject, key), fields in told]
    left = len(changes[CHANGES_MAX:])
    return {"changes": were, **({"more_changes": left} if left else {})}


def _fields(item: Item) -> Iterator[FieldChange]:
    if item.was_key is not None:
        yield FieldChange("key", "", item.was_key, item.key)
    yield from item.fields


def _were(fields: Iterator[FieldChange]) -> Mapping[str, object]:
    """By their names; of parts, parameters, relations and pieces there are several."""
    plain: dict[str, object] = {}
    several: dict[str, list[str]] = {}
    for field in fields:
        text = field.before and field.before[:TEXT_CHARS_MAX]
        if field.name in _SEVERAL:
            several.setdefault(field.name, []).append(f"{field.of}: {text or '-'}" if field.of else text or "-")
        else:
            plain[field.name] = text
    return {**plain, **several}
