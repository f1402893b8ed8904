"""Which sites there are for somebody who is bound to none: the scope of the one token, until people have theirs."""

from psycopg import sql

from ledger.pool import INGEST_ROLE, Pool, transaction


async def every_site(pool: Pool) -> dict[int, str]:
    """Id and key of all sites. The api's own role sees none without a scope, so this asks as ingest's, and only for them."""
    async with transaction(pool) as connection:
        await connection.execute(sql.SQL("set local role {}").format(sql.Identifier(INGEST_ROLE)))
        cursor = await connection.execute("select id, key from site order by id")
        return dict(await cursor.fetchall())
