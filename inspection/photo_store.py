"""Where photos lie: files in a directory, each under the hash of its bytes, written whole or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path


class PhotoStore:
    """Blocking; the caller puts it on a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def keep(self, data: bytes) -> str:
        """The hash. What is there already is not written again. Raises OSError when the disk does not take it."""
        name = hashlib.sha256(data).hexdigest()
        _write(self.path(name), data)
        return name

    def keep_small(self, sha256: str, data: bytes) -> None:
        """The small picture of one that was kept, for lists. Raises OSError."""
        _write(self.small_path(sha256), data)

    def path(self, sha256: str) -> Path:
        """Of a photo that was kept; of any other, where it would lie."""
        return self.directory / sha256[:2] / sha256

    def small_path(self, sha256: str) -> Path:
        return self.path(sha256).with_suffix(".small")


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".arriving-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        for directory in (path.parent, path.parent.parent):
            _settle(directory)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _settle(directory: Path) -> None:
    """A name that was written there is there after a power cut as well."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
