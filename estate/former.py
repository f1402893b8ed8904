"""What things of a site were before a file changed them, as the audit log keeps it: of an import that changes everything
as much as somebody reads, and how much more there was. Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from estate.difference import Difference, FieldChange, Item

CHANGES_MAX = 50  # of one site
BYTES_MAX = 6_000  # of all their texts: an entry of the audit log is bounded (16 KiB, with what was asked beside it)
TEXT_CHARS_MAX = 300
_SEVERAL = frozenset({"part", "parameter", "relation", "asset"})


def particulars(found: Difference, site: str) -> Mapping[str, object]:
    """Of what is changed or renamed, the first fields within both bounds and a count of the rest; empty where there is nothing."""
    changes = [(item, field) for item in found.items if item.site == site for field in _fields(item)]
    if not changes:
        return {}
    kept = _within_bounds(changes)
    told = groupby(changes[:kept], key=lambda each: (each[0].subject.value, each[0].key))
    were = [{subject: key, "particulars": _were(field for _, field in fields)} for (subject, key), fields in told]
    left = len(changes) - kept
    return {"changes": were, **({"more_changes": left} if left else {})}


def _within_bounds(changes: Sequence[tuple[Item, FieldChange]]) -> int:
    room = BYTES_MAX
    for place, (item, field) in enumerate(changes[:CHANGES_MAX]):
        text = f"{item.subject.value}{item.key}{field.name}{field.of or ''}{(field.before or '')[:TEXT_CHARS_MAX]}"
        room -= len(json.dumps(text, ensure_ascii=False).encode()) + 30  # names of members, quotes and commas
        if room < 0:
            return place
    return min(len(changes), CHANGES_MAX)


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
