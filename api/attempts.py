"""How often sign-in may be tried: from one address, and for one login. In memory, bounded, by the stopwatch.

An attempt counts when it begins and is forgotten when it succeeds, so that many at once are not more than many in a row.
A login is counted whether somebody has it or not, and so a lock-out tells nothing. Who tries another's login over and
over locks it out for strangers only: an address from which the login was used well has a count of its own, because the
engineer on duty must get in.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 15 * 60.0
PER_LOGIN_MAX = 10
PER_ADDRESS_MAX = 30
KEPT_MAX = 20_000

REFUSALS_PER_MINUTE_MAX = 20

_Key = tuple[str, str]


@dataclass(slots=True)
class Attempts:
    stopwatch: Callable[[], float] = time.monotonic
    _failed: OrderedDict[_Key, deque[float]] = field(default_factory=OrderedDict[_Key, deque[float]])
    _familiar: OrderedDict[_Key, None] = field(default_factory=OrderedDict[_Key, None])

    def begin(self, login: str, address: str) -> float | None:
        """None: go on, and it counts as failed until `succeeded`. Otherwise for how many seconds not to try again."""
        now = self.stopwatch()
        counted = [(key, most) for key, most in self._counts(login, address)]
        waits = [self._wait_s(key, most, now) for key, most in counted]
        if any(waits):
            return max(waits)
        for key, _ in counted:
            self._failed.setdefault(key, deque()).append(now)
            self._failed.move_to_end(key)
        while len(self._failed) > KEPT_MAX:
            self._failed.popitem(last=False)
        return None

    def succeeded(self, login: str, address: str) -> None:
        for key, most in self._counts(login, address):
            if most == PER_LOGIN_MAX:
                self._failed.pop(key, None)
            elif self._failed.get(key):
                self._failed[key].pop()
        self._familiar[login, address] = None
        self._familiar.move_to_end((login, address))
        while len(self._familiar) > KEPT_MAX:
            self._familiar.popitem(last=False)

    def _counts(self, login: str, address: str) -> tuple[tuple[_Key, int], tuple[_Key, int]]:
        familiar = address if (login, address) in self._familiar else ""
        return (("login " + login, familiar), PER_LOGIN_MAX), (("address", address), PER_ADDRESS_MAX)

    def _wait_s(self, key: _Key, most: int, now: float) -> float:
        failed = self._failed.get(key)
        while failed and failed[0] <= now - WINDOW_S:
            failed.popleft()
        return 0.0 if failed is None or len(failed) < most else failed[0] + WINDOW_S - now


@dataclass(slots=True)
class Noted:
    """When somebody's refusals of right were written down last: so many a minute, and the others are not."""

    stopwatch: Callable[[], float] = time.monotonic
    _at: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict[str, deque[float]])

    def may(self, who: str) -> bool:
        now = self.stopwatch()
        recent = self._at.setdefault(who, deque(maxlen=REFUSALS_PER_MINUTE_MAX))
        self._at.move_to_end(who)
        while len(self._at) > KEPT_MAX:
            self._at.popitem(last=False)
        if len(recent) == REFUSALS_PER_MINUTE_MAX and recent[0] > now - 60:
            return False
        recent.append(now)
        return True
