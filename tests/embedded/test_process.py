"""A port found for a server stays free until the server listens there."""

import socket

import pytest

from embedded import process

FIRST_OUTGOING = 32_768  # Linux's and macOS's ranges of ports for outgoing connections begin here or above


def test_a_port_that_was_found_is_none_that_an_outgoing_connection_may_take() -> None:
    assert all(process.port_for("a server", None) < FIRST_OUTGOING for _ in range(20))


def test_what_others_listen_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((process.LOOPBACK, process.port_for("another server", None))) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(process, "_NEVER_OUTGOING", [taken] * process._DRAWN_MAX)
        found = process.port_for("a server", None)
    assert found not in {0, taken}
