"""What Python's garbage collector looks through, and when.

A loaded site is some million objects that stay. Looked through again whenever enough new objects have been made, they
cost the line several times what judging costs it, and building them is slowed down by looking through what is built so
far. So nothing is collected while a site is built, and what stays is put aside afterwards.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def long_lived(*, replaces: bool) -> Generator[None]:
    """What is made within stays. `replaces`: something made so before is let go of, and its memory is given back."""
    gc.disable()
    try:
        yield
    finally:
        if replaces:
            gc.unfreeze()
            gc.collect()
        gc.freeze()
        gc.enable()
