"""A site that others hold: whoever acts for it alone meets a lock that does not come free in time."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql


async def hold(owner: psycopg.AsyncConnection[Any], site_id: int, table: LiteralString = "site") -> None:
    """As if the wait for the lock were over already, at the first row of the table. Others' sites are read as before."""
    await owner.execute(
        "create function holds(site int) returns boolean language plpgsql as $$ begin "
        "if current_setting('taizhang.sites', true) = site::text then "
        "raise lock_not_available using message = 'canceling statement due to lock timeout'; end if; return true; end $$"
    )
    await owner.execute(
        sql.SQL("create policy held on {} as restrictive for select to taizhang_api using (holds({}))").format(
            sql.Identifier(table), site_id
        )
    )
