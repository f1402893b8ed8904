"""Counting attempts to sign in: the window passes, success forgets, the counts are bounded."""

from api import attempts
from api.attempts import PER_ADDRESS_MAX, PER_LOGIN_MAX, REFUSALS_PER_MINUTE_MAX, WINDOW_S, Attempts, Noted


class Stopwatch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_lock_ends_when_its_window_has_passed() -> None:
    watch = Stopwatch()
    counting = Attempts(watch)
    for _ in range(PER_LOGIN_MAX):
        assert counting.begin("wang", "a") is None
        watch.now += 1
    assert counting.begin("wang", "b") == WINDOW_S - PER_LOGIN_MAX
    watch.now = WINDOW_S
    assert counting.begin("wang", "b") is None


def test_success_forgets_and_is_not_counted_against_the_address() -> None:
    counting = Attempts(Stopwatch())
    for number in range(PER_ADDRESS_MAX * 2):
        assert counting.begin(f"login {number}", "office") is None
        counting.succeeded(f"login {number}", "office")
    for _ in range(PER_LOGIN_MAX - 1):
        assert counting.begin("wang", "office") is None
    counting.succeeded("wang", "office")
    assert counting.begin("wang", "office") is None


def test_many_at_once_are_not_more_than_many_in_a_row() -> None:
    counting = Attempts(Stopwatch())
    begun = [counting.begin("wang", f"address {number}") for number in range(100)]
    assert begun.count(None) == PER_LOGIN_MAX


def test_what_is_counted_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(attempts, "KEPT_MAX", 50)
    counting = Attempts(Stopwatch())
    for number in range(500):
        counting.begin(f"login {number}", f"address {number}")
        counting.succeeded(f"login {number}", f"address {number}")
        counting.begin(f"login {number}", f"address {number}")
    assert len(counting._failed) <= 50
    assert len(counting._familiar) <= 50


def test_refusals_of_one_are_written_so_many_a_minute() -> None:
    watch = Stopwatch()
    noted = Noted(watch)
    assert [noted.may("wang") for _ in range(100)].count(True) == REFUSALS_PER_MINUTE_MAX
    assert noted.may("li")
    watch.now = 61
    assert noted.may("wang")
