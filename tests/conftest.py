"""The ground of every test: real servers, faults by proxy, no network but loopback. Each plugin says what it gives."""

pytest_plugins = [
    "tests.fix_sockets",
    "tests.fix_wait",
    "tests.fix_database",
    "tests.fix_broker",
    "tests.fix_proxy",
]
