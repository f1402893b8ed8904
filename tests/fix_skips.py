"""`--refuse-skips`: a test that is left out fails. For CI, which has everything; elsewhere a skip says what is missing."""

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refuse-skips", action="store_true", help="a skipped test is a failed one (CI)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--refuse-skips"):
        report.outcome = "failed"
        report.longrepr = f"left out, where nothing may be: {report.longrepr}"
    return report
