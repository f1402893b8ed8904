"""What a service must know of the ledger before it works with it, or says that it is ready."""

from dataclasses import dataclass
from datetime import datetime

from ledger import migrate
from ledger.pool import Pool, transaction


@dataclass(frozen=True, slots=True)
class IngestState:
    """Over all sites that were ever judged. Ages by the database server's clock."""

    sites: int
    oldest_beat_s: float | None  # of the site that was left alone for longest; None: no site was judged yet
    lag_s: float
    broker_connected: bool
    heard_at: datetime | None  # when a message came in last, of any gateway


@dataclass(frozen=True, slots=True)
class Readiness:
    """`ingest` is None where `missing` or `refusal` says that it could not be asked. `missing` are migrations not applied yet; `refusal` is why database and code do not fit at all."""

    missing: tuple[str, ...]
    refusal: str | None
    ingest: IngestState | None


async def look(pool: Pool) -> Readiness:
    """Raises Unavailable when the database cannot be reached. Asks about the service, not about anybody's sites."""
    async with transaction(pool) as connection:
        try:
            missing = await migrate.missing(connection)
        except migrate.MigrationError as error:
            return Readiness((), str(error), None)
        if missing:
            return Readiness(tuple(missing), None, None)
        cursor = await connection.execute(
            "select sites, oldest_beat_s, lag_s, broker_connected, (select heard_at from ingest_heard) from ingest_state"
        )
        row = await cursor.fetchone()
        assert row is not None, "an aggregate has a row"
        return Readiness((), None, IngestState(*row))


async def require_current(pool: Pool) -> None:
    """Raises MigrationError when the ledger's schema is not the one this code works with, Unavailable when it is away."""
    async with transaction(pool) as connection:
        missing = await migrate.missing(connection)
    if missing:
        raise migrate.MigrationError(
            f"the ledger's schema is not current, it lacks {', '.join(missing)}: run `taizhang.py migrate`"
        )
