"""Hazards: what a round found and opened or joined an order for. Such an order is closed once the fire manager confirmed it.

What he confirmed is one resolution: an order that is reopened and resolved again has to be confirmed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.errors import Refused
from ledger.pool import Connection
from ledger.records import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """A visit at which something failed; one that was struck found nothing."""

    visit_id: UUID
    facility_key: str
    person: str
    scanned_at: datetime
    failed: Sequence[str]
    severity: Severity


async def findings(connection: Connection, order_id: int) -> list[Finding]:
    """Oldest first; none: the order is of something else."""
    cursor = await connection.execute(
        "select visit.id, facility.key, person, scanned_at, failed, visit.severity from inspection_visit as visit "
        "join facility on facility.id = visit.facility_id "
        "where visit.work_order_id = %s and outcome = 'defective' and verdict <> 'struck' "
        "order by scanned_at, visit.id limit 500",
        [order_id],
    )
    return [Finding(*row[:-1], severity=Severity(row[-1])) async for row in cursor]


async def unconfirmed(connection: Connection, order_ids: Sequence[int]) -> set[int]:
    """Those of them that are hazards and lack the confirmation of their present resolution."""
    cursor = await connection.execute(
        "select id from work_order where id = any(%s) and exists (select from inspection_visit as visit "
        "where visit.work_order_id = work_order.id and outcome = 'defective' and verdict <> 'struck') "
        "and not exists (select from inspection_signature as signature where signature.work_order_id = work_order.id "
        "and signed_at >= resolved_at)",
        [list(order_ids)],
    )
    return {int(number) async for (number,) in cursor}


async def require_confirmed(connection: Connection, order_id: int) -> None:
    """Raises Refused for a hazard that is not."""
    if await unconfirmed(connection, [order_id]):
        raise Refused(
            f"work order {order_id} is of a hazard: the fire manager confirms that it is put right, then it is closed"
        )


def content(
    order_id: int, found: Sequence[Finding], resolution: Mapping[str, object], resolved_at: datetime
) -> Mapping[str, object]:
    """What is signed: the findings, and who put them right, when, in his words."""
    return {
        "work_order": order_id,
        "findings": [
            {
                "visit": str(each.visit_id),
                "facility": each.facility_key,
                "person": each.person,
                "scanned_at": each.scanned_at,
                "failed": list(each.failed),
                "severity": each.severity,
            }
            for each in found
        ],
        "resolved_at": resolved_at,
        **resolution,
    }
