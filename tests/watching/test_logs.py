"""Log lines: the same fields for people and machines, bounded whatever is logged."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from watching.logs import MESSAGE_CHARS_MAX, TRACE_CHARS_MAX, VALUE_CHARS_MAX, JsonLines, TextLines, start, told


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, logging.StreamHandler[io.StringIO]]]:
    handler = logging.StreamHandler(io.StringIO())
    own = logging.getLogger("tests.watching")
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    own.propagate = False
    yield own, handler
    own.removeHandler(handler)


def json_lines(handler: logging.StreamHandler[io.StringIO]) -> list[dict[str, object]]:
    return [json.loads(line) for line in handler.stream.getvalue().splitlines()]


def test_json_has_one_object_per_line_with_the_events_fields(log) -> None:
    own, handler = log
    handler.setFormatter(JsonLines())
    told(own, logging.INFO, "alarm_raised", site="garden", facility="pumps", alarm=7, order=None)
    own.warning("two\nlines")
    first, second = json_lines(handler)
    assert first.pop("at")
    assert first == {
        "level": "info", "logger": "tests.watching", "message": "alarm_raised",
        "site": "garden", "facility": "pumps", "alarm": 7, "order": None,
    }  # fmt: skip
    assert second["message"] == "two\nlines"


def test_text_has_the_same_fields_as_words(log) -> None:
    own, handler = log
    handler.setFormatter(TextLines())
    told(own, logging.INFO, "alarm_raised", site="garden", title='a "b" c', alarm=7)
    assert handler.stream.getvalue().endswith(
        'INFO tests.watching: alarm_raised site=garden title="a \\"b\\" c" alarm=7\n'
    )


def test_a_field_cannot_pass_for_one_of_ours(log) -> None:
    own, handler = log
    handler.setFormatter(JsonLines())
    told(own, logging.INFO, "true", level="forged", message="forged")
    (line,) = json_lines(handler)
    assert (line["level"], line["message"]) == ("info", "true")


@pytest.mark.parametrize("form", [JsonLines, TextLines])
def test_everything_is_bounded(log, form) -> None:
    own, handler = log
    handler.setFormatter(form())
    told(own, logging.INFO, "m" * 100_000, value="v" * 100_000)
    own.error("failed", exc_info=ValueError("e" * 100_000))
    assert len(handler.stream.getvalue()) < 2 * (MESSAGE_CHARS_MAX + VALUE_CHARS_MAX + TRACE_CHARS_MAX)


def test_a_level_nobody_listens_at_formats_nothing(log) -> None:
    own, handler = log

    class Costly:
        def __str__(self) -> str:
            raise AssertionError("formatted")

    handler.setFormatter(JsonLines())
    told(own, logging.DEBUG, "batch_committed", value=Costly())
    assert handler.stream.getvalue() == ""


def test_libraries_are_heard_from_warning_up() -> None:
    """A library that tells every request at `info`, with its address, hid the logins in the demo."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        start("info", "text")
        assert logging.getLogger("ingest.worker").isEnabledFor(logging.INFO)
        for name in ("httpx", "psycopg.pool", "uvicorn.error"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
            assert logging.getLogger(name).isEnabledFor(logging.WARNING)
    finally:
        root.handlers[:], root.level = before
