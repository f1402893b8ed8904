"""What the api must know of the ledger before it says that it is ready."""

from dataclasses import dataclass
from datetime import datetime

from ledger import migrate
from ledger.pool import Pool, database_url, transaction


@dataclass(frozen=True, slots=True)
class Readiness:
    """`missing` are migrations not applied yet; `refusal` is why database and code do not fit at all."""

    missing: tuple[str, ...]
    refusal: str | None
    ingest_heard_at: datetime | None  # when a message came in last, of any gateway


async def look(pool: Pool) -> Readiness:
    """Raises Unavailable when the database cannot be reached. Asks about the service, not about anybody's sites."""
    try:
        missing = await migrate.pending(database_url(pool))
    except migrate.MigrationError as error:
        return Readiness((), str(error), None)
    if missing:
        return Readiness(tuple(missing), None, None)
    async with transaction(pool) as connection:
        row = await (await connection.execute("select heard_at from ingest_heard")).fetchone()
        return Readiness((), None, None if row is None else row[0])
