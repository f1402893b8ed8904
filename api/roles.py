"""The table of roles and rights, for people who give them."""

from collections.abc import Sequence

from fastapi import APIRouter

from api.catalogue import CATALOGUE
from api.context import needs
from api.problems import refusals
from api.rights import RIGHTS_OF, Right, Role
from api.shapes import Answered, Name

router = APIRouter(tags=["people"])


class RoleOut(Answered):
    key: Role
    title: Name
    rights: Sequence[Right]


class RightOut(Answered):
    key: Right
    title: Name


class RolesOut(Answered):
    roles: Sequence[RoleOut]
    rights: Sequence[RightOut]


@router.get("/roles", summary="Every role with its rights", responses=refusals(), dependencies=[needs(Right.READ)])
async def list_roles() -> RolesOut:
    return RolesOut(
        roles=[
            RoleOut(
                key=role,
                title=CATALOGUE.text("role", role),
                rights=[right for right in Right if right in RIGHTS_OF[role]],
            )
            for role in Role
        ],
        rights=[RightOut(key=right, title=CATALOGUE.text("right", right)) for right in Right],
    )
