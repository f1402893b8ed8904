"""Signatures of rounds and hazards, as they are shown."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from api.catalogue import CATALOGUE
from api.shapes import Answered, Name
from ledger import hazards, signatures
from ledger.pool import Connection
from ledger.signatures import Part, Signature


class InspectionSignature(Answered):
    """By whoever was signed in. What was signed stays with it as bytes, and this is their hash."""

    part: Part
    part_name: Name
    signer: str
    note: str | None
    signed_at: datetime
    sha256: str
    holds: bool = Field(description="false: something came after it, and wants another signature")


class HazardOut(Answered):
    """The order puts right what rounds found: it is closed once the fire safety manager has confirmed that it is."""

    findings: int
    wanted: bool = Field(description="it lacks his confirmation")
    signatures: Sequence[InspectionSignature]


def signature_out(found: Signature) -> InspectionSignature:
    return InspectionSignature(
        part=found.part,
        part_name=CATALOGUE.text("signature_part", found.part),
        signer=found.signer,
        note=found.note,
        signed_at=found.signed_at,
        sha256=found.sha256,
        holds=found.holds,
    )


async def hazard_of(connection: Connection, order_id: int) -> HazardOut | None:
    """None: the order is of nothing that a round found."""
    found = await hazards.findings(connection, order_id)
    if not found:
        return None
    return HazardOut(
        findings=len(found),
        wanted=bool(await hazards.unconfirmed(connection, [order_id])),
        signatures=[signature_out(each) for each in await signatures.of_order(connection, order_id)],
    )
