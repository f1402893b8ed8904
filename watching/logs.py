"""Log lines: text for people at a terminal, JSON for whoever collects them, with the same fields under the same names.

`told` is for what happens to the service and the building (one `event` with named fields); ordinary warnings stay plain
log calls. Nothing is unbounded: what comes from outside is cut. Settings and addresses with passwords are never fields.
"""

import json
import logging
import sys
from collections.abc import ItemsView, Mapping
from datetime import UTC, datetime
from typing import Literal

VALUE_CHARS_MAX = 300
MESSAGE_CHARS_MAX = 2_000
TRACE_CHARS_MAX = 8_000
_FIELDS = "taizhang_fields"  # of a log record

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


def told(log: logging.Logger, level: int, event: str, /, **fields: object) -> None:
    """One event with its fields. Costs one look when nobody listens at that level."""
    if log.isEnabledFor(level):
        log.log(level, event, extra={_FIELDS: fields}, stacklevel=2)


def start(level: LogLevel, form: LogFormat) -> None:
    """Everything goes to stderr from here on. Libraries are heard from `warning` up, whatever our own level is."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("asyncio", "httpx", "psycopg", "uvicorn", "matplotlib"):
        logging.getLogger(name).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """`2026-03-01 12:00:00,000 INFO ingest.worker: batch committed messages=12`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        head, *trace = super().format(record).split("\n", maxsplit=1)
        line = " ".join(
            [_cut(head, MESSAGE_CHARS_MAX), *(f"{name}={_shown(value)}" for name, value in _fields(record))]
        )
        return "\n".join([line, *(_cut(each, TRACE_CHARS_MAX) for each in trace)])


class JsonLines(logging.Formatter):
    """One object per line: at, level, logger, message, then the event's own fields, then `error` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage(), MESSAGE_CHARS_MAX),
        }
        line |= {name: _plain(value) for name, value in _fields(record) if name not in line}
        if record.exc_info:
            line["error"] = _cut(self.formatException(record.exc_info), TRACE_CHARS_MAX)
        return json.dumps(line, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> ItemsView[str, object]:
    found: Mapping[str, object] = getattr(record, _FIELDS, {})
    return found.items()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else _cut(str(value))


def _shown(value: object) -> str:
    """As one word of a text line."""
    text = _cut(str(value))
    return text if text and text.isprintable() and not set(text) & set(' ="') else json.dumps(text, ensure_ascii=False)


def _cut(text: str, chars_max: int = VALUE_CHARS_MAX) -> str:
    return text if len(text) <= chars_max else f"{text[: chars_max - 1]}…"
