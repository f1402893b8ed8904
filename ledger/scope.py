"""Which sites there are for somebody who is bound to none: the scope of the one token, until people have theirs."""

from collections.abc import Iterable

from ledger.pool import Connection, Pool, pipelined, transaction


async def every_site(pool: Pool) -> dict[int, str]:
    """Id and key of all sites. The api's own role sees none without a scope, hence a view that answers just this."""
    async with transaction(pool) as connection:
        cursor = await connection.execute("select id, key from every_site order by id")
        return dict(await cursor.fetchall())


async def open_every_site(connection: Connection, besides: Iterable[int]) -> dict[int, str]:
    """From here on the transaction sees every site there is, and these ids; gives what `every_site` does."""
    async with pipelined(connection):
        await connection.execute(
            "select set_config('taizhang.sites', "
            "array_to_string(%s::int[] || (select array_agg(id) from every_site), ','), true)",
            [list(besides)],
        )
        # Asked second: of a site that came between the two nothing is shown, rather than something nobody can name.
        cursor = await connection.execute("select id, key from every_site")
        return dict(await cursor.fetchall())
