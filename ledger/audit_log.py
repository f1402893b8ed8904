"""Who did what, when, from where: append-only, written in the transaction of the change it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

from psycopg.types.json import Jsonb

from ledger.pool import Connection

Outcome = Literal["done", "refused"]


@dataclass(frozen=True, slots=True)
class Doer:
    """Who, and from where. A person, a token, or neither: the operator's own token, or the command line."""

    actor: str
    person_id: int | None
    token_id: int | None
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    at: datetime
    person_id: int | None
    token: str | None
    actor: str
    ip: str
    user_agent: str
    operation: str
    subject: str
    site: str | None
    asked: Mapping[str, object] | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class EntryFilter:
    site: str | None = None
    person_id: int | None = None
    operation: str | None = None
    outcome: Outcome | None = None
    begin: datetime | None = None
    end: datetime | None = None


async def write(
    connection: Connection,
    doer: Doer,
    *,
    operation: str,
    subject: str,
    site_id: int | None,
    asked: Mapping[str, object] | None,
    now: datetime,
    outcome: Outcome = "done",
) -> None:
    await connection.execute(
        "insert into audit_log (at, person_id, token_id, actor, ip, user_agent, operation, subject, site_id, asked, outcome) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            now,
            doer.person_id,
            doer.token_id,
            doer.actor,
            doer.ip,
            doer.user_agent,
            operation,
            subject,
            site_id,
            None if asked is None else Jsonb(asked),
            outcome,
        ],
    )


_PAGE: LiteralString = """
select audit_log.id, at, person_id, api_token.name, actor, ip, user_agent, operation, subject, site.key, asked, outcome
from audit_log left join site on site.id = site_id left join api_token on api_token.id = token_id
where (%(site)s::text is null or site.key = %(site)s) and (%(person)s::int is null or person_id = %(person)s)
and (%(operation)s::text is null or operation = %(operation)s) and (%(outcome)s::text is null or outcome = %(outcome)s)
and (%(begin)s::timestamptz is null or at >= %(begin)s) and (%(end)s::timestamptz is null or at < %(end)s)
and (%(before)s::bigint is null or audit_log.id < %(before)s)
order by audit_log.id desc limit %(limit)s
"""


async def page(
    connection: Connection, wanted: EntryFilter, *, before_id: int | None = None, limit: int = 100
) -> Sequence[Entry]:
    """Newest first."""
    cursor = await connection.execute(
        _PAGE,
        {
            "site": wanted.site,
            "person": wanted.person_id,
            "operation": wanted.operation,
            "outcome": wanted.outcome,
            "begin": wanted.begin,
            "end": wanted.end,
            "before": before_id,
            "limit": limit,
        },
    )
    return [Entry(*row) async for row in cursor]
