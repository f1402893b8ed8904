"""Refusals: every error of the ledger has its status, and every endpoint says what is wrong in the one shape."""

import importlib
import itertools
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI

import ledger
from api import problems
from api.catalogue import CATALOGUE
from api.inspection_plans import RoundPeriod
from ledger.constraints import CONSTRAINT_ERRORS
from ledger.errors import IllegalMove, Invalid, LedgerError, NotFound, Taken
from tests.api.conftest import Estate, client_of
from tests.api.test_openapi import DESCRIPTION

OPERATIONS = [
    (method, path, operation) for path, methods in DESCRIPTION["paths"].items() for method, operation in methods.items()
]
GUARDED = [each for each in OPERATIONS if each[2]["tags"] not in (["health"], ["session"])]
WRITES = [each for each in GUARDED if each[0] == "post" and each[2]["tags"] not in (["people"], ["tokens"])]
# What an id or a key nobody has looks like, by the name of the path's parameter.
NOBODY = {
    "person": "4711",
    "token": "4711",
    "alarm": "4711",
    "condition": "4711",
    "order": "4711",
    "entry": "4711",
    "certificate": "4711",
    "part": "4711",
    "sha256": "0" * 64,
    "permit": "4711",
    "round": "4711",
    "report": "4711",
    "version": "4711",
    "visit": "00000000-0000-0000-0000-000000004711",
}
# A body that is in order, for those who ask for one.
BODIES: dict[str, dict[str, Any]] = {
    "PersonIn": {"login": "x", "name": "x", "memberships": [{"site": "nowhere", "role": "auditor"}]},
    "PersonChange": {},
    "MembershipsIn": {"memberships": []},
    "TokenIn": {"name": "x", "rights": ["read"], "sites": ["nowhere"], "expires_at": "2026-03-02T00:00:00Z"},
    "NoteIn": {"text": "x"},
    "ScanIn": {"tag": "x", "means": "camera"},
    "TagIn": {"site": "nowhere", "facility": "x"},
    "BulkIn": {"site": "nowhere"},
    "Retirement": {"reason": "x"},
    "Review": {"upheld": True},
    "SheetsIn": {"codes": ["x"]},
    "VisitsIn": {"site": "nowhere", "phone": "x", "sent_at": "2026-03-01T12:30:00Z", "visits": [{}]},
    "ReportIn": {"site": "nowhere", "month": "2026-02"},
    "StartIn": {"site": "nowhere", "plan": "x"},
    "HandOver": {"to": "x"},
    "TakeOver": {"note": "x"},
    "Abandon": {"note": "x"},
    "PlanIn": {
        "site": "nowhere",
        "key": "x",
        "name": {"zh": "x"},
        "officer": "x",
        "period": "day",
        "starts_at": "22:00",
        "window_min": 60,
        "stops": [{"facility": "x"}],
    },
    "Why": {"note": "x"},
    "ServicesIn": {"site": "nowhere", "facilities": ["x"], "serviced_on": "2026-02-01", "note": "x"},
    "CertificateIn": {"kind": "acceptance", "number": "x", "issuer": "x", "issued_on": "2026-02-01"},
    "NewFacilityIn": {"type": "booster_set_3_pumps", "name": {"zh": "x"}, "location": "x"},
    "NewGatewayIn": {"name": {"zh": "x"}, "location": "x"},
    "NewPointsIn": {"points": ["x"]},
    "FilesIn": {"files": [{"name": "x.yaml", "content": ""}]},
    "ImportIn": {"files": [{"name": "x.yaml", "content": ""}], "shown": "0" * 64},
    "PartIn": {"name": "x", "quantity": 1, "unit": "x"},
    "CallBackIn": {"spoken_with": "x", "rating": 5},
    "Dispatch": {"assignee": "x"},
    "Shelving": {"until": "2026-03-01T12:30:00Z", "note": "x"},
    "ParameterIn": {"name": "setpoint", "value": 0.4, "reason": "x"},
    "GradeIn": {"grade": "B", "reason": "x"},
    "KindGradeIn": {"kind": "elevator", "grade": "B", "reason": "x"},
    "ContractIn": {"profile": "standard", "reason": "x"},
    "ClockIn": {"event_class": "high", "clock": "arrive_by", "value": "20m", "reason": "x"},
    "Extension": {"until": "2026-03-01T13:00:00Z", "reason": "x"},
    "OrderIn": {
        "site": "nowhere",
        "facility": "x",
        "work_class": "power",
        "title": {"zh": "x"},
        "priority": "low",
    },
    "PermitIn": {
        "site": "nowhere",
        "facility": "x",
        "kind": "work",
        "rules": ["flood"],
        "holder": "x",
        "reason": "x",
        "until": "2026-03-01T13:00:00Z",
    },
}


def ledger_errors() -> Iterator[type[LedgerError]]:
    for module in pkgutil.iter_modules(ledger.__path__):
        importlib.import_module(f"ledger.{module.name}")
    waiting = [LedgerError]
    while waiting:
        found = waiting.pop()
        if found.__module__.startswith("ledger."):
            yield found
        waiting += found.__subclasses__()


def test_every_error_of_the_ledger_has_its_own_line_in_the_table() -> None:
    assert set(ledger_errors()) == set(problems.KIND_OF)


def test_what_somebody_chose_and_another_has_is_told_beside_its_field() -> None:
    taken = {name for name, (kind, _) in CONSTRAINT_ERRORS.items() if kind is Taken}
    assert taken == set(problems.CHOSEN)
    assert {words for _, words in problems.CHOSEN.values()} <= set(CATALOGUE.sections["field_fault"])


def test_every_kind_of_problem_has_its_words() -> None:
    declined = {each.kind for each in problems.Declined.__subclasses__()}
    kinds = {*problems.KIND_OF.values(), *problems.KINDS_BY_STATUS.values(), *declined}
    assert {kind.key for kind in kinds} == set(CATALOGUE.sections["problem"])
    assert {kind.key for kind in kinds} == set(CATALOGUE.sections["problem_text"])


def test_whatever_is_wrong_with_a_field_is_said_in_both_languages() -> None:
    """A fault that a route finds by itself comes from the catalogue: by hand it would be said in one language."""
    by_hand = re.compile(r"ProblemField\((?![^()]*(?:\([^()]*\)[^()]*)*text=)")
    assert by_hand.search('ProblemField(field="body", message=str(error))')
    mine = Path(problems.__file__)
    sources = {each.name: each.read_text(encoding="utf-8") for each in mine.parent.glob("*.py") if each != mine}
    assert [name for name, source in sources.items() if by_hand.search(source)] == []


def test_every_fault_of_a_field_has_its_words() -> None:
    asked = re.compile(
        r'(?:unacceptable|field_fault)\(\s*[^,()]+,\s*"(\w+)"'
        r'|_tell\(\s*faults,\s*[^,]+,\s*"(\w+)"'
        r'|PydanticCustomError\(\s*"(\w+)"'
    )
    sources = "".join(each.read_text(encoding="utf-8") for each in Path(problems.__file__).parent.glob("*.py"))
    keys = {key for found in asked.findall(sources) for key in found if key} | {
        f"plan_days_{period}" for period in get_args(RoundPeriod)
    }
    assert len(keys) > 30
    assert keys <= set(CATALOGUE.sections["field_fault"])


def test_a_new_kind_of_error_is_treated_as_its_nearest_relative() -> None:
    class Stranger(Invalid):
        pass

    assert problems.kind_of(Stranger("x")) is problems.INVALID
    assert problems.kind_of(LedgerError("x")).status == 500


def assert_problem(answer: httpx.Response, status: int, path: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert set(problem) >= {"type", "title", "title_zh", "text", "status", "detail", "instance"}
    assert set(problem) <= set(problems.Problem.model_fields)
    assert problem["status"] == status
    assert problem["type"].startswith("urn:taizhang:problem:")
    assert problem["instance"] == (path or answer.request.url.path)
    return problem


def url(path: str) -> str:
    """The path with names that nobody has."""
    return re.sub(r"{(\w+)}", lambda match: NOBODY.get(match[1], "nobody"), path.removeprefix("/api/v1"))


def body(operation: dict[str, Any]) -> dict[str, Any] | None:
    asked = operation.get("requestBody")
    if asked is None:
        return None
    if "application/json" not in asked["content"]:
        return None  # a picture
    schema = asked["content"]["application/json"]["schema"]
    return BODIES.get(schema.get("$ref", "").rpartition("/")[2], {})


def query(operation: dict[str, Any]) -> dict[str, str]:
    """What must be asked."""
    known = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "id": "4711", "site": "nowhere",
             "stage": "before", "signer": "x", "month": "2026-02"}  # fmt: skip
    return {each["name"]: known[each["name"]] for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]}  # fmt: skip


async def test_no_endpoint_opens_without_the_token(app: FastAPI) -> None:
    wrong = ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"})
    async with client_of(app) as client:
        del client.headers["Authorization"]
        for (method, path, operation), headers in itertools.product(GUARDED, wrong):
            answer = await client.request(method, url(path), json=body(operation), headers=headers)
            assert_problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for method, path, operation in GUARDED:
        if "404" in operation["responses"] and not path.endswith("/live"):
            answer = await client.request(method, url(path), params=query(operation), json=body(operation))
            assert assert_problem(answer, 404)["type"] == "urn:taizhang:problem:not_found"


async def test_another_method_is_refused(client: httpx.AsyncClient) -> None:
    for _, path, _ in GUARDED:
        strange = next(each for each in ("DELETE", "PUT") if each.lower() not in DESCRIPTION["paths"][path])
        problem = assert_problem(await client.request(strange, url(path)), 405)
        assert problem["type"] == "urn:taizhang:problem:method_not_allowed"


async def test_every_write_names_its_actor(app: FastAPI) -> None:
    wrong = (None, "", "%20", "%FF", "a%00b", "x" * 101, "rules", "clock")
    async with client_of(app) as client:
        for (_, path, operation), actor in itertools.product(WRITES, wrong):
            client.headers.pop("X-Actor", None)
            if actor is not None:
                client.headers["X-Actor"] = actor
            asked = {"params": query(operation), "json": body(operation)}
            problem = assert_problem(await client.post(url(path), **asked), 422)
            assert [each["field"] for each in problem["errors"]] == ["header.x-actor"], (path, actor)


async def test_a_body_that_makes_no_sense_is_refused(client: httpx.AsyncClient) -> None:
    wrong = ("{", "[]", '"x"', '{"note": NaN}', '{"surprise": 1}', '{"text": "\\ud800"}', "7")
    headers = {"Content-Type": "application/json"}
    for (_, path, operation), content in itertools.product(WRITES, wrong):
        if path.endswith(("/certificates/{certificate}/pages", "/{facility}/place-photo")):
            continue  # any bytes may be a picture until they are opened, and what nobody has is not found before
        if "requestBody" in operation:
            answer = await client.post(url(path), content=content, headers=headers)
            faults = assert_problem(answer, 422)["errors"]
            assert faults, (path, content)
            assert all(re.search(r"[\u4e00-\u9fff]", each["text"]["zh"]) for each in faults), (path, content, faults)


async def test_a_list_is_asked_for_in_its_own_words(client: httpx.AsyncClient) -> None:
    wrong = ({"limit": "0"}, {"limit": "100000"}, {"limit": "many"}, {"surprise": "1"})
    for (_, path, operation), asked in itertools.product(GUARDED, wrong):
        if any(one["name"] == "limit" for one in operation.get("parameters", ())):
            problem = assert_problem(await client.get(url(path), params=query(operation) | asked), 422)
            assert [each["field"] for each in problem["errors"]] == [f"query.{next(iter(asked))}"], path


async def test_an_address_nobody_has_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/", "/nothing", "/alarms/1/nothing"):
        assert_problem(await client.get(path), 404)


async def test_an_id_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    for alarm in ("0", "-1", "x", str(2**63), "1.5"):
        assert_problem(await client.get(f"/alarms/{alarm}"), 422)


async def test_a_body_that_is_too_large_is_refused_announced_or_not(client: httpx.AsyncClient) -> None:
    large = b'{"text": "' + b"x" * 300_000 + b'"}'
    announced = await client.post("/alarms/1/notes", content=large, headers={"Content-Type": "application/json"})
    assert_problem(announced, 413)

    async def in_pieces() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    unannounced = await client.post(
        "/alarms/1/notes", content=in_pieces(), headers={"Content-Type": "application/json"}
    )
    assert "content-length" not in unannounced.request.headers
    assert_problem(unannounced, 413)


@pytest.mark.own_routes
async def test_a_fault_of_ours_is_a_problem_that_gives_nothing_away(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(place: int) -> None:
        raise (RuntimeError, LedgerError)[place]("secret")

    app.add_api_route("/api/v1/fail/{place}", fail)
    for place in (0, 1):
        problem = assert_problem(await client.get(f"/fail/{place}"), 500)
        assert "secret" not in problem["detail"]
        assert "secret" in caplog.text
        caplog.clear()


@pytest.mark.own_routes
async def test_an_illegal_move_names_the_legal_ones(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def fail() -> None:
        raise IllegalMove("work order 1", "closed", "accept", ())

    app.add_api_route("/api/v1/fail", fail)
    problem = assert_problem(await client.get("/fail"), 409)
    assert (problem["state"], problem["move"], problem["legal_moves"]) == ("closed", "accept", [])


async def test_a_database_that_is_gone_is_503_and_says_try_again(
    client: httpx.AsyncClient, pool: Any, estate: Estate
) -> None:
    await pool.close()
    answer = await client.get("/sites")
    assert_problem(answer, 503)
    assert answer.headers["retry-after"]


def test_what_was_not_found_is_named() -> None:
    assert str(NotFound("facility", "garden/x")) == "no facility 'garden/x'"
