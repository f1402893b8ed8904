"""What stays is put aside for good; what was replaced is given back, rings of references and all."""

import gc
from weakref import ref

import pytest

from ingest.garbage import long_lived


class Ring:
    """Holds itself: only the collector can tell that nobody else does."""

    def __init__(self) -> None:
        self.itself = self


def test_what_stays_is_not_looked_through_again() -> None:
    with long_lived(replaces=False):
        assert not gc.isenabled()
        kept = Ring()
    assert gc.isenabled()
    assert not any(each is kept for each in gc.get_objects())


def test_what_was_replaced_is_given_back() -> None:
    with long_lived(replaces=False):
        known = Ring()
    gone = ref(known)
    with long_lived(replaces=True):
        known = Ring()
    assert gone() is None
    assert known.itself is known


def fails() -> None:
    raise KeyError("what nobody thought of")


def test_collecting_goes_on_after_a_failure() -> None:
    with pytest.raises(KeyError), long_lived(replaces=False):
        fails()
    assert gc.isenabled()
