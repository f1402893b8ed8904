"""For tests of two connections at once: is the other one waiting yet?"""

import psycopg


async def waits_for_a_lock(database_url: str, pid: int) -> bool:
    async with await psycopg.AsyncConnection.connect(database_url) as onlooker:
        cursor = await onlooker.execute(
            "select exists (select from pg_stat_activity where pid = %s and wait_event_type = 'Lock')", [pid]
        )
        row = await cursor.fetchone()
        return bool(row and row[0])


async def anybody_waits_for_a_lock(database_url: str) -> bool:
    """Whether any connection to this database waits; for those whose pid a test does not know."""
    async with await psycopg.AsyncConnection.connect(database_url) as onlooker:
        cursor = await onlooker.execute(
            "select exists (select from pg_stat_activity "
            "where datname = current_database() and wait_event_type = 'Lock')"
        )
        row = await cursor.fetchone()
        return bool(row and row[0])
