"""People: who belongs to the sites one administers, with which roles; making, changing and disabling them.

Memberships of a site are the business of whoever administers it. The person himself - name, password, whether he may sign
in - is the business of whoever administers every site he belongs to: else an administrator of one site could take over
somebody of another.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints

from api import paging, trail
from api.context import Context, InContext, needs
from api.problems import NoRight, refusals, unacceptable
from api.rights import Right, Role
from api.shapes import Answered, Asked, Id, Key, Limit, PageOf, Word
from credentials.passwords import one_time
from ledger import facility_list, passwords, people, sessions
from ledger.errors import NotFound, Refused
from ledger.people import Membership, Person
from ledger.pool import Connection, transaction

router = APIRouter(tags=["people"])

Login = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
Language = Literal["zh", "en"]
_MEMBERSHIPS_MAX = 200


class MembershipOut(Answered):
    site: str | None = Field(description="null: all sites, those to come included")
    role: str


class PersonRow(Answered):
    id: int
    login: str
    name: str
    language: str
    disabled_at: datetime | None
    disabled_by: str | None
    created_at: datetime
    created_by: str
    memberships: Sequence[MembershipOut] = Field(description="at the sites that you administer")


class PersonPage(PageOf):
    """In order of login."""

    items: Sequence[PersonRow]


class MembershipIn(Asked):
    site: Annotated[Key | None, Field(description="null: all sites, those to come included")]
    role: Role


class MembershipsIn(Asked):
    """All that he is at the sites you administer; what he is elsewhere stays."""

    memberships: Annotated[Sequence[MembershipIn], Field(max_length=_MEMBERSHIPS_MAX)]


class PersonIn(Asked):
    login: Login
    name: Word
    language: Language = "zh"
    memberships: Annotated[Sequence[MembershipIn], Field(min_length=1, max_length=_MEMBERSHIPS_MAX)]
    with_password: Annotated[bool, Field(description="false: signs in through the provider only")] = True


class PersonChange(Asked):
    """What is null stays as it is."""

    name: Word | None = None
    language: Language | None = None
    forget_provider: Annotated[
        bool, Field(description="true: tied anew to whoever next comes from the provider with his login")
    ] = False
    disabled: Annotated[bool | None, Field(description="true: may not sign in, and his sessions end at once")] = None


class NewPerson(Answered):
    person: PersonRow
    password: str | None = Field(description="good for one sign-in, and shown this once")


class OneTimePassword(Answered):
    password: str = Field(description="good for one sign-in, and shown this once")


class Colleague(Answered):
    """Somebody who belongs to a site, as others there know him."""

    id: int
    name: str
    roles: Sequence[str]


class Colleagues(Answered):
    items: Sequence[Colleague]


@router.get(
    "/sites/{site}/people",
    summary="Who belongs to a site and may sign in, to be named on work orders",
    responses=refusals(404),
    dependencies=[needs(Right.READ)],
)
async def list_site_people(site: Key, context: InContext) -> Colleagues:
    async with context.transaction() as connection:
        found = await facility_list.find_site(connection, site)
    async with transaction(context.pool, sites=[found.id]) as connection:
        there = [each for each in await people.page(connection, limit=1_000) if each.disabled_at is None]
        roles = await people.memberships(connection, [each.id for each in there])
    return Colleagues(
        items=[Colleague(id=each.id, name=each.name, roles=[one.role for one in roles[each.id]]) for each in there]
    )


@router.get(
    "/people", summary="People of the sites you administer", responses=refusals(), dependencies=[needs(Right.PEOPLE)]
)
async def list_people(query: Annotated[Limit, Query()], context: InContext) -> PersonPage:
    after = paging.two_keys(query.after)
    async with context.transaction() as connection:
        rows = await people.page(connection, after_login=None if after is None else after[0], limit=query.limit + 1)
        shown, cursor = paging.cut(rows, query.limit, lambda each: (each.login, ""))
        return PersonPage(items=await _rows(connection, context, shown), next=cursor)


@router.post(
    "/people",
    summary="Make a person, with a password for one sign-in",
    status_code=201,
    responses=refusals(404, 409, 429),
    dependencies=[needs(Right.PEOPLE)],
)
async def add_person(asked: PersonIn, context: InContext, request: Request) -> NewPerson:
    wanted = await _places(context, asked.memberships)
    password = one_time() if asked.with_password else None
    hashed = None if password is None else await context.vault.hash(password)
    async with context.transaction(desk=True) as connection:
        made = await people.add(
            connection,
            login=asked.login,
            name=asked.name,
            language=asked.language,
            created_by=context.asking.doer().actor,
            now=context.clock(),
        )
        if hashed is not None:
            await passwords.put(connection, made.id, hashed, must_change=True, now=context.clock())
        await _put_memberships(connection, context, request, made.id, wanted)
    async with context.transaction() as connection:
        return NewPerson(person=(await _rows(connection, context, [made]))[0], password=password)


@router.patch(
    "/people/{person}",
    summary="Change name or language, disable or enable",
    responses=refusals(404, 409),
    dependencies=[needs(Right.PEOPLE)],
)
async def change_person(person: Id, asked: PersonChange, context: InContext, request: Request) -> PersonRow:
    await _answers_for(context, person)
    if asked.disabled and person == context.asking.principal.person_id:
        raise Refused("nobody disables himself: let another administrator do it")
    by, now = context.asking.doer().actor, context.clock()
    async with context.transaction(desk=True) as connection:
        found = await people.get(connection, person)
        await people.change(connection, person, name=asked.name, language=asked.language)
        if asked.disabled:
            async with _one_administrator_remains(connection):
                await people.disable(connection, person, by=by, now=now)
            await sessions.end_all(connection, person)
        if asked.forget_provider:
            await people.untie(connection, person)
        if asked.disabled is False:
            await people.enable(connection, person)
        said = asked.model_dump(exclude_unset=True)
        were = {"name": found.name, "language": found.language, "disabled": found.disabled_at is not None}
        changed = {
            member: were[member] for member in were.keys() & said.keys() if said[member] not in (None, were[member])
        }
        said |= {"before": changed} if changed else {}
        await trail.write(connection, context, context.asking, request, asked=said)
    async with context.transaction() as connection:
        return (await _rows(connection, context, [await people.get(connection, person)]))[0]


@router.put(
    "/people/{person}/memberships",
    summary="What he is at the sites you administer",
    responses=refusals(404, 409),
    dependencies=[needs(Right.PEOPLE)],
)
async def set_memberships(person: Id, asked: MembershipsIn, context: InContext, request: Request) -> PersonRow:
    wanted = await _places(context, asked.memberships)
    async with context.transaction() as connection:
        found = await people.get(connection, person)
        before = await _rows(connection, context, [found])
    async with context.transaction(desk=True) as connection, _one_administrator_remains(connection):
        await _put_memberships(connection, context, request, person, wanted)
    async with context.transaction() as connection:
        try:
            found = await people.get(connection, person)
        except NotFound:  # he was taken out of the last site that is seen from here
            return before[0].model_copy(update={"memberships": []})
        return (await _rows(connection, context, [found]))[0]


@router.post(
    "/people/{person}/password",
    summary="Give a password for one sign-in; his sessions end",
    responses=refusals(404, 429),
    dependencies=[needs(Right.PEOPLE)],
)
async def reset_password(person: Id, context: InContext, request: Request) -> OneTimePassword:
    await _answers_for(context, person)
    password = one_time()
    hashed = await context.vault.hash(password)
    async with context.transaction(desk=True) as connection:
        await passwords.put(connection, person, hashed, must_change=True, now=context.clock())
        await sessions.end_all(connection, person)
        await trail.write(connection, context, context.asking, request)
    return OneTimePassword(password=password)


# ------------------------------------------------------------------ what they share


async def _answers_for(context: Context, person: int) -> None:
    """Raises NotFound for whom one does not see, NoRight for whom one does not administer at every site he belongs to."""
    async with context.transaction() as connection:
        await people.get(connection, person)
    async with context.transaction(desk=True) as connection:
        everything = (await people.memberships(connection, [person]))[person]
    scope = frozenset(await context.scope())
    if any((each.site_id or 0) not in scope for each in everything):
        raise NoRight(Right.PEOPLE, "every site this person belongs to")


async def _places(context: Context, asked: Sequence[MembershipIn]) -> list[Membership]:
    """Raises NotFound for a site that is not there or not administered, NoRight for all sites at once."""
    scope = frozenset(await context.scope())
    ids = {key: site for site, key in context.sites.keys.items() if site in scope}
    found: list[Membership] = []
    for each in asked:
        if each.site is None:
            if 0 not in scope:
                raise NoRight(Right.PEOPLE, "all sites")
            found.append(Membership(None, each.role))
        elif each.site in ids:
            found.append(Membership(ids[each.site], each.role))
        else:
            raise NotFound("site", each.site)
    if len(set(found)) < len(found):
        raise unacceptable("body.memberships", "role_twice")
    return found


async def _put_memberships(
    connection: Connection, context: Context, request: Request, person: int, wanted: Sequence[Membership]
) -> None:
    """One entry in the audit log for each site that it changes, for those who read the log there."""
    before = (await people.memberships(connection, [person]))[person]
    by, now = context.asking.doer().actor, context.clock()
    await people.put_memberships(connection, person, wanted, by=by, now=now)
    after = (await people.memberships(connection, [person]))[person]
    for site in sorted({each.site_id for each in {*before} ^ {*after}}, key=lambda each: each or 0):
        said = {
            "before": sorted(each.role for each in before if each.site_id == site),
            "after": sorted(each.role for each in after if each.site_id == site),
        }
        where = f"people/{person}/memberships"
        await trail.write(connection, context, context.asking, request, site_id=site, subject=where, asked=said)


@asynccontextmanager
async def _one_administrator_remains(connection: Connection) -> AsyncGenerator[None]:
    """Raises Refused where what happens meanwhile would leave nobody. At the desk, so that nobody is left out."""
    before = await people.count_with_role_everywhere(connection, Role.ADMINISTRATOR)
    yield
    if before and not await people.count_with_role_everywhere(connection, Role.ADMINISTRATOR):
        raise Refused("nobody would be administrator of all sites any more: make another one first")


async def _rows(connection: Connection, context: Context, found: Sequence[Person]) -> list[PersonRow]:
    memberships = await people.memberships(connection, [each.id for each in found])
    keys = context.sites.keys
    return [
        PersonRow(
            id=each.id,
            login=each.login,
            name=each.name,
            language=each.language,
            disabled_at=each.disabled_at,
            disabled_by=each.disabled_by,
            created_at=each.created_at,
            created_by=each.created_by,
            memberships=[
                MembershipOut(site=None if one.site_id is None else keys[one.site_id], role=one.role)
                for one in memberships[each.id]
            ],
        )
        for each in found
    ]
