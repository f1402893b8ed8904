"""Databases to measure in: migrated, with an estate in them, one for each question, dropped afterwards."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

import estate.bring_in
import estate.plan
import ledger.migrate
from bench.estates import Grounds, Packs
from ledger.pool import open_pool, transaction
from settings import wall_clock

Connection = psycopg.AsyncConnection[tuple[object, ...]]


def named(server_url: str, name: str) -> str:
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


async def connect(url: str) -> Connection:
    """For looking and for preparing: autocommit, as the owner."""
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def _on_server(server_url: str, statement: sql.SQL, *names: str) -> None:
    async with await connect(server_url) as opened:
        await opened.execute(statement.format(*map(sql.Identifier, names)))


async def _furnish(url: str, grounds: Grounds, packs: Packs) -> None:
    await ledger.migrate.migrate(url)
    async with open_pool(url, role=None, statement_timeout_ms=600_000) as pool, transaction(pool) as opened:
        await estate.bring_in.bring_in(opened, estate.plan.check(grounds.description, packs), wall_clock()())
    async with await connect(url) as opened:
        await opened.execute("analyze")


@asynccontextmanager
async def template(server_url: str, grounds: Grounds, packs: Packs) -> AsyncGenerator[str]:
    """The name of a database to clone for the length of the block."""
    name = f"bench_template_{uuid.uuid4().hex[:8]}"
    await _on_server(server_url, sql.SQL("create database {}"), name)
    try:
        await _furnish(named(server_url, name), grounds, packs)
        yield name
    finally:
        await _on_server(server_url, sql.SQL("drop database if exists {} with (force)"), name)


@asynccontextmanager
async def clone(server_url: str, of: str) -> AsyncGenerator[str]:
    """The URL of a copy."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    await _on_server(server_url, sql.SQL("create database {} template {} strategy file_copy"), name, of)
    try:
        await _on_server(server_url, sql.SQL("checkpoint"))
        yield named(server_url, name)
    finally:
        await _on_server(server_url, sql.SQL("drop database if exists {} with (force)"), name)


@asynccontextmanager
async def furnished(server_url: str, grounds: Grounds, packs: Packs) -> AsyncGenerator[str]:
    """The URL of one made from nothing: where a template cannot be cloned because background workers look into it."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    await _on_server(server_url, sql.SQL("create database {}"), name)
    try:
        await _furnish(named(server_url, name), grounds, packs)
        yield named(server_url, name)
    finally:
        await _on_server(server_url, sql.SQL("drop database if exists {} with (force)"), name)


async def number(opened: Connection, statement: str, *values: object) -> float:
    """The one number that a query gives; 0 for null."""
    cursor = await opened.execute(statement, values)  # pyright: ignore[reportArgumentType] - ours, written out below
    row = await cursor.fetchone()
    found = row[0] if row else None
    return float(found) if isinstance(found, int | float) else float(str(found)) if found is not None else 0.0
