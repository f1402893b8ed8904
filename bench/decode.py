"""How many codes in guards' photos are read: by each reader, and by both as `POST /inspections/decode` asks them.

The set is drawn from one seed, so the rates are of the libraries and not of the machine.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from bench.figure import Figure, Goal, missing
from bench.ground import Bench
from bench.tag_pictures import FAULTS, Photo, photos
from inspection import pictures
from inspection.pictures import Picture, Read

SEED = 1
_OF_EACH = 40
_BOTH = "both"
Search = Callable[[Picture], Sequence[Read]]


def _alone(name: str) -> Search:
    reader = pictures.READERS[name]
    return lambda picture: reader(pictures.searched(picture.image))


SEARCHES: Mapping[str, Search] = {_BOTH: pictures.find_codes, **{name: _alone(name) for name in pictures.READERS}}


async def measure(bench: Bench) -> list[Figure]:
    return figures(photos(SEED, max(2, round(_OF_EACH * bench.pace))))


def figures(taken: Sequence[Photo]) -> list[Figure]:
    """The share of all codes, by reader; then by fault, of both. What is read and stands nowhere is counted as wrong."""
    there: dict[str, int] = defaultdict(int)
    read: dict[tuple[str, str], int] = defaultdict(int)
    wrong = 0
    for photo in taken:
        picture = pictures.open_picture(photo.data)
        there[photo.fault] += len(photo.links)
        for name, search in SEARCHES.items():
            found = {each.text for each in search(picture)}
            read[name, photo.fault] += len(found & {*photo.links})
            wrong += len(found - {*photo.links})
    total = sum(there.values())
    shares = {name: sum(read[name, fault] for fault in FAULTS) / total for name in SEARCHES}
    return [
        *(_of_reader(name, share, f"of {total} codes in {len(taken)} photos") for name, share in shares.items()),
        Figure("decode.wrong", wrong, "codes", Goal.AT_MOST, 0, "read, and in no picture"),
        *(
            Figure(f"decode.{fault}", read[_BOTH, fault] / there[fault], "of codes", note=_apart(read, fault, there))
            for fault in FAULTS
        ),
    ]


def _of_reader(name: str, share: float, note: str) -> Figure:
    if name == "pyzbar" and not pictures.has_zbar():
        return missing(f"decode.{name}", "of codes", "the system library libzbar is not installed")
    return Figure(f"decode.{name}", share, "of codes", note=note)


def _apart(read: Mapping[tuple[str, str], int], fault: str, there: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {read[name, fault] / there[fault]:.2f}" for name in pictures.READERS)
