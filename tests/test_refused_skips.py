"""CI leaves nothing out: with `--refuse-skips` a test that skips, by mark, by word or in a fixture, has failed."""

import pytest

from tests import fix_skips

SKIPPING = """
import pytest

@pytest.fixture
def absent():
    pytest.skip("there is no browser")

def test_in_a_fixture(absent): ...

def test_by_word():
    pytest.skip("there is no broker")

@pytest.mark.skipif(True, reason="there is no root")
def test_by_mark(): ...

def test_itself(): ...
"""


@pytest.fixture(autouse=True)
def configured(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")


def test_a_skip_is_said_where_it_is_allowed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SKIPPING)
    pytester.inline_run(plugins=[fix_skips]).assertoutcome(skipped=3, passed=1)


def test_a_skip_is_a_failure_where_nothing_may_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SKIPPING)
    ran = pytester.inline_run("--refuse-skips", plugins=[fix_skips])
    ran.assertoutcome(failed=3, passed=1)
    for report in ran.getfailures():
        assert "left out, where nothing may be" in str(report.longrepr)
        assert "there is no " in str(report.longrepr)
