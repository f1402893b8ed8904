"""Tokens for machines: who makes one gives away what he holds himself, at some sites, until a day. Shown once."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api import paging, trail
from api.context import Context, InContext, needs
from api.problems import NoRight, refusals, unacceptable
from api.rights import Right
from api.secrets import TOKEN_PREFIX, digest_of
from api.shapes import Answered, Asked, Id, Key, Limit, Moment, PageOf, Word
from ledger import tokens
from ledger.errors import NotFound
from ledger.tokens import Token

router = APIRouter(tags=["tokens"])

LONGEST = timedelta(days=5 * 366)


class TokenOut(Answered):
    id: int
    name: str
    rights: Sequence[str]
    sites: Sequence[str] | None = Field(description="null: all, those to come included")
    made_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None
    revoked_by: str | None


class TokenPage(PageOf):
    """Newest first; revoked and expired ones included."""

    items: Sequence[TokenOut]


class TokenIn(Asked):
    name: Annotated[Word, Field(description="of what uses it; unique among those in use")]
    rights: Annotated[frozenset[Right], Field(min_length=1)]
    sites: Annotated[frozenset[Key] | None, Field(min_length=1, description="null: all, those to come included")]
    expires_at: Annotated[Moment, Field(description="at most five years ahead")]


class NewToken(Answered):
    token: TokenOut
    secret: str = Field(description="what the machine sends as bearer token; shown this once")


@router.get(
    "/tokens", summary="Tokens for the sites you administer", responses=refusals(), dependencies=[needs(Right.TOKENS)]
)
async def list_tokens(query: Annotated[Limit, Query()], context: InContext) -> TokenPage:
    before = paging.number(query.after)
    async with context.transaction() as connection:
        rows = await tokens.page(connection, before_id=before, limit=query.limit + 1)
    shown, cursor = paging.cut(rows, query.limit, lambda each: (each.id,))
    return TokenPage(items=[_token(context, each) for each in shown], next=cursor)


@router.post(
    "/tokens", summary="Make a token", status_code=201, responses=refusals(404, 409), dependencies=[needs(Right.TOKENS)]
)
async def make_token(asked: TokenIn, context: InContext, request: Request) -> NewToken:
    now = context.clock()
    if not now < asked.expires_at <= now + LONGEST:
        raise unacceptable("body.expires_at", "token_end", days=LONGEST.days)
    sites = await _sites(context, asked)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    async with context.transaction() as connection:
        made = await tokens.make(
            connection,
            name=asked.name,
            digest=digest_of(secret),
            rights=sorted(asked.rights),
            sites=sites,
            made_by=context.asking.doer().actor,
            made_by_id=context.asking.principal.person_id,
            now=now,
            expires_at=asked.expires_at,
        )
        for site in [None] if sites is None else sites:
            await trail.write(
                connection,
                context,
                context.asking,
                request,
                site_id=site,
                subject=f"tokens/{made.id}",
                asked=asked.model_dump(mode="json"),
            )
    return NewToken(token=_token(context, made), secret=secret)


@router.delete(
    "/tokens/{token}",
    summary="Revoke a token: it opens nothing from now on",
    responses=refusals(404, 409),
    dependencies=[needs(Right.TOKENS)],
)
async def revoke_token(token: Id, context: InContext, request: Request) -> TokenOut:
    async with context.transaction() as connection:
        found = await tokens.revoke(connection, token, by=context.asking.doer().actor, now=context.clock())
        for site in [None] if found.sites is None else found.sites:
            await trail.write(connection, context, context.asking, request, site_id=site)
    return _token(context, found)


async def _sites(context: Context, asked: TokenIn) -> list[int] | None:
    """Raises NotFound for a site that is not there or not administered, NoRight for what one does not hold oneself."""
    holding = context.asking.principal.holding
    if asked.sites is None:
        for right in sorted({*asked.rights, Right.TOKENS} - holding.everywhere):
            raise NoRight(right, "all sites")
        return None
    scope = frozenset(await context.scope())
    ids = {key: site for site, key in context.sites.keys.items() if site in scope}
    for key in sorted(asked.sites):
        if key not in ids:
            raise NotFound("site", key)
        for right in sorted(asked.rights - holding.rights_at(ids[key])):
            raise NoRight(right, key)
    return sorted(ids[key] for key in asked.sites)


def _token(context: Context, token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        rights=token.rights,
        sites=None if token.sites is None else [context.sites.keys[each] for each in token.sites],
        made_by=token.made_by,
        created_at=token.created_at,
        expires_at=token.expires_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
        revoked_by=token.revoked_by,
    )
