"""Which sites there are for somebody who is bound to none: the scope of the one token, until people have theirs."""

from ledger.pool import Pool, transaction


async def every_site(pool: Pool) -> dict[int, str]:
    """Id and key of all sites. The api's own role sees none without a scope, hence a view that answers just this."""
    async with transaction(pool) as connection:
        cursor = await connection.execute("select id, key from every_site order by id")
        return dict(await cursor.fetchall())
