"""Where a message belongs, and what its values mean: keys of the wire to ids of the ledger, wire values to samples.

Built once from a site's configuration; looking up is two dictionaries, because every message does it.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Final, Self

from ingest.wire import Reason, TelemetryTopic, shown
from ledger.records import PointKind, Quality, SiteConfiguration
from rules.model import GATEWAY_KIND, ONLINE_KEY

_LARGEST: Final = sys.float_info.max


@dataclass(frozen=True, slots=True)
class PointAddress:
    id: int
    key: str
    kind: PointKind
    scale: float
    shift: float
    range_min: float
    range_max: float
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    id: int
    key: str
    facility_id: int
    online_point_id: int | None


@dataclass(frozen=True, slots=True)
class FacilityAddress:
    """`points` is all there is to know. The other three are the same for who has no time: a point that takes numbers
    with its scale, shift and plausible range; one that is on or off; and each label of an enumeration with its code.
    """

    id: int
    key: str
    gateway: GatewayAddress | None
    gateway_id: int  # 0: none
    points: Mapping[str, PointAddress]
    numbers: Mapping[str, tuple[int, float, float, float, float]]
    switches: Mapping[str, int]
    labels: Mapping[tuple[str, str], tuple[int, float]]

    @classmethod
    def of(cls, facility_id: int, key: str, gateway: GatewayAddress | None, points: Mapping[str, PointAddress]) -> Self:
        by_kind: dict[PointKind, list[PointAddress]] = {kind: [] for kind in PointKind}
        for point in points.values():
            by_kind[point.kind].append(point)
        return cls(
            facility_id,
            key,
            gateway,
            0 if gateway is None else gateway.id,
            points,
            # Beyond the largest float there is infinity, which is no number we store.
            numbers={
                each.key: (
                    each.id,
                    each.scale,
                    each.shift,
                    max(each.range_min, -_LARGEST),
                    min(each.range_max, _LARGEST),
                )
                for each in by_kind[PointKind.MEASURE] + by_kind[PointKind.COUNTER]
            },
            switches={each.key: each.id for each in by_kind[PointKind.STATE] + by_kind[PointKind.EVENT]},
            labels={
                (each.key, label): (each.id, float(code))
                for each in by_kind[PointKind.ENUM]
                for label, code in each.codes.items()
            },
        )


@dataclass(frozen=True, slots=True)
class SiteAddresses:
    facilities: Mapping[str, FacilityAddress]
    gateways: Mapping[str, GatewayAddress]
    gateway_of: Mapping[int, int]  # facility -> gateway that speaks for it
    by_topic: Mapping[str, FacilityAddress]  # of its telemetry


def addresses(configuration: SiteConfiguration) -> SiteAddresses:
    points: dict[int, dict[str, PointAddress]] = {facility.id: {} for facility in configuration.facilities}
    for point in configuration.points:
        points.setdefault(point.facility_id, {})[point.key] = PointAddress(
            id=point.id,
            key=point.key,
            kind=point.kind,
            scale=point.scale,
            shift=point.shift,
            range_min=-inf if point.range_min is None else point.range_min,
            range_max=inf if point.range_max is None else point.range_max,
            codes=point.codes,
        )
    gateways: dict[int, GatewayAddress] = {}
    for gateway in configuration.gateways:
        online = points.get(gateway.facility_id, {}).get(ONLINE_KEY)
        gateways[gateway.id] = GatewayAddress(
            gateway.id, gateway.key, gateway.facility_id, None if online is None else online.id
        )
    by_own_facility = {each.facility_id: each for each in gateways.values()}
    facilities: dict[str, FacilityAddress] = {}
    for facility in configuration.facilities:
        speaker = gateways.get(facility.gateway_id or 0) or by_own_facility.get(facility.id)
        own = points[facility.id]
        if facility.kind == GATEWAY_KIND:
            own = {key: point for key, point in own.items() if key != ONLINE_KEY}
        facilities[facility.key] = FacilityAddress.of(facility.id, facility.key, speaker, own)
    return SiteAddresses(
        facilities=facilities,
        gateways={each.key: each for each in gateways.values()},
        gateway_of={each.id: each.gateway.id for each in facilities.values() if each.gateway is not None},
        by_topic={str(TelemetryTopic(configuration.site.key, key)): each for key, each in facilities.items()},
    )


def measured(point: PointAddress, value: object) -> tuple[float, Quality] | tuple[Reason, str]:
    """What a wire value is worth at this point, or the reason why it is refused and a detail.

    Outside its plausible range a value is stored and not believed; null is the sensor's own word that it is broken.
    """
    if value is None:
        return nan, Quality.SENSOR_FAULT
    kind = point.kind
    if kind is PointKind.MEASURE or kind is PointKind.COUNTER:
        return _number(point, value)
    if kind is PointKind.ENUM:
        if not isinstance(value, str):
            return Reason.WRONG_TYPE, f"{point.key}: {shown(value)} is not one of {_labels(point)}"
        code = point.codes.get(value)
        if code is None:
            return Reason.UNKNOWN_LABEL, f"{point.key}: {shown(value)} is not one of {_labels(point)}"
        return float(code), Quality.GOOD
    # Many devices know no booleans and say 0 and 1.
    if isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1)):
        return float(value), Quality.GOOD
    return Reason.WRONG_TYPE, f"{point.key}: {shown(value)} is neither true nor false"


def _number(point: PointAddress, value: object) -> tuple[float, Quality] | tuple[Reason, str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Reason.WRONG_TYPE, f"{point.key}: {shown(value)} is not a number"
    try:
        number = float(value) * point.scale + point.shift
    except OverflowError:
        number = inf
    if not isfinite(number):
        return Reason.NOT_FINITE, f"{point.key}: {shown(value)} is larger than any number we store"
    if point.range_min <= number <= point.range_max:
        return number, Quality.GOOD
    return number, Quality.OUT_OF_RANGE


def _labels(point: PointAddress) -> str:
    return ", ".join(sorted(point.codes))
