"""No test leaves this machine: connecting to anything but loopback or a unix socket fails the test that tries."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class OutsideWorldError(AssertionError):
    pass


def is_local(family: int, address: Any) -> bool:
    if family == getattr(socket, "AF_UNIX", None):
        return True
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    host = address[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(real: Any) -> Any:
        def guard(self: socket.socket, address: Any) -> Any:
            if not is_local(self.family, address):
                raise OutsideWorldError(f"a test tried to connect to {address!r}; only loopback is allowed")
            return real(self, address)

        return guard

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        yield
