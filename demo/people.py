"""The people of the demo: one login for each role, at every site of the demo, with passwords made for this data directory."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from credentials.passwords import Hasher
from embedded import process
from ledger import passwords, people, scope
from ledger.people import Membership
from ledger.pool import API_ROLE, open_pool, transaction

# Login -> role and name. Administrator and auditor are so at all sites, those to come included.
PEOPLE: Mapping[str, tuple[str, str]] = {
    "admin": ("administrator", "管理员小陈"),
    "manager": ("project_manager", "项目经理周岚"),
    "duty": ("duty_engineer", "值班工程师王建国"),
    "maintenance": ("maintenance_engineer", "维修工程师张师傅"),
    "guard": ("patrol_guard", "巡逻保安李强"),
    "fire": ("fire_grid_officer", "消防网格员赵敏"),
    "contractor": ("contractor", "维保单位刘工"),
    "auditor": ("auditor", "审计员孙颖"),
}
EVERYWHERE = ("administrator", "auditor")
_FILE = "demo_people.json"


async def bring_in(database_url: str, directory: Path, now: datetime) -> Mapping[str, str]:
    """Make them where they are missing; gives login -> password. A password that somebody changed stays changed."""
    told = _passwords(directory)
    hasher = Hasher()
    async with open_pool(database_url, role=API_ROLE, size_max=1) as pool:
        sites = await scope.every_site(pool)
        async with transaction(pool, sites=[0, *sites], desk=True) as connection:
            for login, (role, name) in PEOPLE.items():
                if await people.with_login(connection, login) is None:
                    made = await people.add(
                        connection, login=login, name=name, language="zh", created_by="demo", now=now
                    )
                    await passwords.put(connection, made.id, hasher.hash(told[login]), must_change=False, now=now)
                    await people.put_memberships(connection, made.id, _places(role, list(sites)), by="demo", now=now)
    return told


def _places(role: str, sites: Sequence[int]) -> list[Membership]:
    return [Membership(None, role)] if role in EVERYWHERE else [Membership(site, role) for site in sites]


def _passwords(directory: Path) -> Mapping[str, str]:
    kept = directory / _FILE
    if not kept.exists():
        process.write_private(kept, json.dumps({login: f"{login[:2]}-{secrets.token_urlsafe(9)}" for login in PEOPLE}))
    found: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
    return found
