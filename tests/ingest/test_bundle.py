"""What was read ahead is what is read when it is judged, by the addresses of that moment."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import bundle, columns
from ingest.addresses import SiteAddresses
from ingest.bundle import Bundle
from ingest.columns import SiteColumns
from ingest.delivery import Delivery
from tests.ingest.test_columns import deliveries
from tests.ingest.test_resolve import ADDRESSES, LIMITS, NOW, SITES

OTHER = Delivery("tz/v1/west/pumps/telemetry", b"{}", 2, NOW)


def telemetry(**values: Any) -> Delivery:
    payload = json.dumps({"ts": NOW, "values": values}).encode()
    return Delivery("tz/v1/east/pumps/telemetry", payload, len(payload), NOW)


def said(found: list[SiteColumns]) -> list[Any]:
    """All that was read, comparable."""
    return [
        (
            each.key,
            each.deliveries,
            each.facilities,
            {place: message.outcome for place, message in each.careful.items()},
            each.status_rows,
            each.seqs,
            [repr(array.tolist()) for array in each.arrays().columns.arrays()],
        )
        for each in found
    ]


@given(st.lists(deliveries | st.just(OTHER), max_size=8), st.integers(0, 8))
def test_reading_ahead_in_pieces_is_reading_at_once(batch: list[Delivery], cut: int) -> None:
    ahead = Bundle(batch[:cut])
    ahead.read_ahead(SITES.get, LIMITS)
    for each in batch[cut:]:
        ahead.put(each)
    found, strays = ahead.sorted(SITES, LIMITS)
    at_once, same_strays = Bundle(batch).sorted(SITES, LIMITS)
    assert said(found) == said(at_once)
    assert strays == same_strays
    again, _ = ahead.sorted(SITES, LIMITS)
    assert said(again) == said(found)
    assert not {id(each) for each in again} & {id(each) for each in found}  # whoever asked first may have written there


@given(st.lists(deliveries | st.just(OTHER), max_size=8), st.integers(0, 8))
def test_the_sites_are_known_before_all_is_read(batch: list[Delivery], cut: int) -> None:
    ahead = Bundle(batch[:cut])
    ahead.read_ahead(SITES.get, LIMITS)
    for each in batch[cut:]:
        ahead.put(each)
    assert ahead.site_keys == {each.topic.split("/")[2] for each in batch}


def without_pressure() -> SiteAddresses:
    """The same site after a point was taken out of service."""
    by_topic = {
        topic: replace(
            facility,
            points={key: each for key, each in facility.points.items() if key != "pressure"},
            numbers={key: each for key, each in facility.numbers.items() if key != "pressure"},
        )
        for topic, facility in ADDRESSES.by_topic.items()
    }
    return replace(ADDRESSES, by_topic=by_topic, facilities={each.key: each for each in by_topic.values()})


def test_after_a_change_of_configuration_it_is_read_again() -> None:
    ahead = Bundle([telemetry(pressure=500), telemetry(total=7)])
    ahead.read_ahead(SITES.get, LIMITS)
    (found,), _ = ahead.sorted({"east": without_pressure()}, LIMITS)
    assert len(found) == 1
    assert found.careful[0].outcome.refused == 1


def test_a_site_loaded_meanwhile_is_no_stranger() -> None:
    ahead = Bundle([telemetry(pressure=500)])
    ahead.read_ahead({}.get, LIMITS)
    (found,), strays = ahead.sorted(SITES, LIMITS)
    assert (len(found), strays) == (1, [])


def test_a_site_that_is_ours_no_more_is_a_stranger() -> None:
    ahead = Bundle([telemetry(pressure=500)])
    ahead.read_ahead(SITES.get, LIMITS)
    found, strays = ahead.sorted({}, LIMITS)
    assert (found, strays) == ([], ahead.deliveries)


def test_a_flaw_breaks_nothing_until_it_is_judged(monkeypatch) -> None:
    put, tried = columns.SiteColumns.put, []

    def stumbling(self: SiteColumns, delivery: Delivery) -> None:
        tried.append(delivery)
        if b"13.25" in delivery.payload:
            raise ZeroDivisionError
        put(self, delivery)

    monkeypatch.setattr(bundle.SiteColumns, "put", stumbling)
    ahead = Bundle([telemetry(pressure=500), telemetry(pressure=13.25)])
    ahead.read_ahead(SITES.get, LIMITS)
    ahead.put(telemetry(pressure=501))
    ahead.read_ahead(SITES.get, LIMITS)
    assert len(tried) == 2  # not over and over while it grows
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            ahead.sorted(SITES, LIMITS)
    monkeypatch.undo()
    (mended,), _ = ahead.sorted(SITES, LIMITS)
    assert mended.deliveries == ahead.deliveries  # each once, however often it was tried
    good = Bundle([ahead.deliveries[0], ahead.deliveries[2]])
    (found,), _ = good.sorted(SITES, LIMITS)
    assert np.count_nonzero(found.arrays().columns.value) == 2
