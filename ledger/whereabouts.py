"""At which site something is, as far as the scope shows: for whoever tells "not here" from "not yours to change"."""

from collections.abc import Mapping
from typing import LiteralString

from ledger.pool import Connection

# What a path calls a thing by -> the statement that gives its site.
BY_ID: Mapping[str, LiteralString] = {
    "alarm": "select site_id from alarm where id = %s",
    "certificate": "select site_id from certificate where id = %s",
    "condition": "select site_id from condition where id = %s",
    "order": "select site_id from work_order where id = %s",
    "permit": "select site_id from work_permit where id = %s",
    "round": "select site_id from inspection_round where id = %s",
    "report": "select site_id from inspection_report where id = %s",
    "entry": "select site.id from quarantine join site on site.key = site_key where quarantine.id = %s",
    "visit": "select site_id from inspection_visit where id = %s",
    "code": "select site_id from tag where code = %s",
}
_BY_KEY: LiteralString = "select id from site where key = %s"


async def of_subject(connection: Connection, what: str, subject: str) -> int | None:
    """`what` is a name of BY_ID; `subject` its id as the path has it."""
    return await _one(connection, BY_ID[what], subject)


async def of_key(connection: Connection, site_key: str) -> int | None:
    return await _one(connection, _BY_KEY, site_key)


async def _one(connection: Connection, statement: LiteralString, value: object) -> int | None:
    cursor = await connection.execute(statement, [value])
    row = await cursor.fetchone()
    return None if row is None else int(row[0])
