"""A file that is touched while all is well: for a health check, and for whoever passes on the beats of several."""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)


def beaten(place: Path | None) -> int:
    """When a heartbeat was last touched, by the file system's clock; 0: never."""
    return place.stat().st_mtime_ns if place is not None and place.exists() else 0


def touch(place: Path) -> None:
    try:
        place.touch()
    except OSError as error:  # a health check that cannot be written must not keep alarms from ringing
        _log.warning("%s: %s", place, error.strerror)
