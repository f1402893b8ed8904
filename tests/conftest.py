"""The ground of every test: real servers, faults by proxy, no network but loopback. Each plugin says what it gives."""

import pytest

pytest_plugins = [
    "pytester",
    "tests.fix_skips",
    "tests.fix_sockets",
    "tests.fix_wait",
    "tests.fix_database",
    "tests.fix_broker",
    "tests.fix_proxy",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--smoke-seeds", default="1", help="seeds of the smoke runs, parted by commas; CI's are 1 and, later, 2"
    )
