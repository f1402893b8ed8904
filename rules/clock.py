"""Whether a gateway's clock is right, as far as its messages show.

A message says how far the clock over there is from ours, less the time it was on its way. The most favourable message
counts: one that shows little difference proves that the clock is nearly right, whatever others show (a device with a
clock of its own, a value that lay about). So a clock is called wrong only after every message of five to ten minutes
said so. What a gateway had stored says nothing about its clock, and is not told here (`rules.links` knows which it is).
"""

from dataclasses import dataclass

_NEARLY_RIGHT_MS = 30_000  # one message that lags no more proves it at once
_SPAN_MS = 300_000  # of this span and the one before it the most favourable message counts


@dataclass(slots=True)
class GatewayClock:
    began_ms: int = 0  # the span that runs
    least_ms: int | None = None  # the lag nearest to none in it
    before_ms: int | None = None  # and in the span before
    is_steady: bool = False  # what this span began with had held for so long already
    refused: tuple[int, int, int] | None = None  # first, last, how far ahead: only messages too far in the future came

    def live(self, received_ms: int, lag_ms: int) -> None:
        """A message of now came."""
        self.refused = None
        age_ms = received_ms - self.began_ms
        if self.least_ms is None or age_ms >= 2 * _SPAN_MS:
            self.began_ms, self.before_ms, self.least_ms, self.is_steady = received_ms, None, lag_ms, False
        elif age_ms >= _SPAN_MS:
            self.began_ms, self.before_ms, self.least_ms = received_ms, self.least_ms, lag_ms
        elif abs(lag_ms) < abs(self.least_ms):
            self.least_ms = lag_ms

    @property
    def steady_lag_ms(self) -> int | None:
        """The lag nearest to none of at least five minutes; None: it was not watched for so long."""
        if self.least_ms is None or self.before_ms is None:
            return None
        return min(self.least_ms, self.before_ms, key=abs)

    def starts_anew(self, received_ms: int, lag_ms: int) -> None:
        """What was known before no longer holds: the clock was set, and has proved steady since."""
        self.began_ms, self.before_ms, self.least_ms, self.is_steady = received_ms, None, lag_ms, True

    def ahead(self, received_ms: int, ahead_ms: int) -> None:
        """A message came of which nothing could be taken, being too far in the future."""
        first_ms = received_ms if self.refused is None else self.refused[0]
        self.refused = first_ms, received_ms, ahead_ms

    def offset_s(self, now_ms: int) -> float | None:
        """Seconds by which it is ahead of ours, below 0 behind; None: not known of late."""
        if self.refused is not None:
            first_ms, last_ms, ahead_ms = self.refused
            if last_ms - first_ms >= _SPAN_MS and now_ms - last_ms < 2 * _SPAN_MS:
                return ahead_ms / 1000
        if self.least_ms is None or now_ms - self.began_ms >= 2 * _SPAN_MS:
            return None
        is_new = self.before_ms is None and not self.is_steady and now_ms - self.began_ms < _SPAN_MS
        if is_new and self.least_ms > _NEARLY_RIGHT_MS:
            return None  # the end of a store lags as well, and what follows it will not
        lags = [lag for lag in (self.least_ms, self.before_ms) if lag is not None]
        return -min(lags, key=abs) / 1000
