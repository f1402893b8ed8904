"""Passwords: good enough or not, hashed with argon2id, compared without telling who there is."""

import statistics
import subprocess
import sys
import time

import pytest

from credentials.passwords import Hasher, one_time, weakness
from tests.source_tree import ROOT

QUICK = Hasher(memory_kib=64, rounds=1, lanes=1)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "too_short"),
        ("123456789", "too_short"),
        ("x" * 200, "too_long"),
        ("abcabcabcabc", "too_plain"),
        ("my-WANG-password", "has_login"),
        ("correct horse", None),
        ("值班室的门是绿色的呢", None),
    ],
)
def test_length_counts_and_nothing_that_people_write_on_a_note(password: str, why: str | None) -> None:
    assert weakness(password, "wang") == why


def test_a_hash_is_argon2id_with_a_salt_of_its_own() -> None:
    one, other = QUICK.hash("x"), QUICK.hash("x")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert QUICK.verify(one, "x")
    assert not QUICK.verify(one, "y")
    assert not QUICK.verify("not a hash", "x")


def test_what_was_hashed_with_other_parameters_is_good_and_out_of_date() -> None:
    older = Hasher(memory_kib=32, rounds=1, lanes=1).hash("x")
    assert QUICK.verify(older, "x")
    assert QUICK.is_outdated(older)
    assert not QUICK.is_outdated(QUICK.hash("x"))


def test_the_parameters_in_force_are_those_of_rfc_9106() -> None:
    assert Hasher().hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process may have more memory than its limit says")
def test_a_machine_without_memory_does_not_say_that_the_password_is_wrong() -> None:
    tried = """
import resource, sys
from credentials.passwords import CannotHash, Hasher
hasher, mapped = Hasher(), int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
kept = hasher.hash("x")
resource.setrlimit(resource.RLIMIT_AS, (mapped + 32 * 1024 * 1024,) * 2)
for act in (lambda: hasher.verify(kept, "x"), lambda: hasher.verify(None, "x"), lambda: hasher.hash("x")):
    try:
        print(act())
    except CannotHash:
        print("cannot")
"""
    said = subprocess.run([sys.executable, "-c", tried], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["cannot"] * 3


def test_nobody_s_password_costs_as_much_as_somebody_s() -> None:
    hasher = Hasher(memory_kib=8 * 1024, rounds=1, lanes=1)
    somebody_s = hasher.hash("x")
    assert not hasher.verify(None, "x"), "and is never right"

    def cost(hashed: str | None) -> float:
        begun = time.process_time()
        hasher.verify(hashed, "wrong")
        return time.process_time() - begun

    costs = {name: statistics.median(cost(each) for _ in range(15)) for name, each in (("a", None), ("b", somebody_s))}
    assert 0.5 < costs["a"] / costs["b"] < 2


def test_a_one_time_password_can_be_read_aloud_and_is_good_enough() -> None:
    told = {one_time() for _ in range(100)}
    assert len(told) == 100
    for each in told:
        assert weakness(each, "wang") is None
        assert not set(each) & set("il1o0")
