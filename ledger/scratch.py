"""A database of its own for a run whose data is thrown away: made beside the given one, dropped afterwards."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import make_conninfo

from ledger.errors import Unavailable


@asynccontextmanager
async def database(server_url: str) -> AsyncGenerator[str]:
    """The connection string of a new, empty database on the same server. Raises Unavailable."""
    name = f"taizhang_scratch_{secrets.token_hex(6)}"
    identifier = sql.Identifier(name)
    try:
        async with await AsyncConnection.connect(server_url, autocommit=True) as connection:
            await connection.execute(sql.SQL("create database {} template template0").format(identifier))
    except psycopg.Error as error:
        raise Unavailable(f"cannot make a database for this run: {error}".strip()) from error
    try:
        yield make_conninfo(server_url, dbname=name)
    finally:
        async with await AsyncConnection.connect(server_url, autocommit=True) as connection:
            await connection.execute(sql.SQL("drop database if exists {} with (force)").format(identifier))
