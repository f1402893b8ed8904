"""openapi.json is fresh, and says of every operation what a client needs to know."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from api import openapi
from api.app import routes

FILE = Path(__file__).resolve().parents[2] / "openapi.json"
DESCRIPTION: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
]
OPEN = {"GET /api/v1/health", "GET /api/v1/readiness"}
NO_ACTOR = (["session"], ["people"], ["tokens"])  # who asks acts himself, and an answer with a secret is kept nowhere
_PROVIDER = "GET /api/v1/session/provider"
NO_KEY = OPEN | {"POST /api/v1/session", _PROVIDER, f"{_PROVIDER}/start", f"{_PROVIDER}/back"}  # nothing to show yet


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_the_committed_file_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == openapi.render(), "run: python taizhang.py openapi > openapi.json"


def test_every_operation_says_what_it_does_and_may_refuse() -> None:
    for name, operation in OPERATIONS:
        assert operation["summary"], name
        assert len(operation["tags"]) == 1, name
        expected = {"503"} if "readiness" in name else set() if name in OPEN else {"401", "422", "500", "503"}
        assert expected <= set(operation["responses"]), name
        assert ("security" in operation) == (name not in NO_KEY), name


def test_every_tag_is_explained() -> None:
    assert {each["name"] for each in DESCRIPTION["tags"]} == {each["tags"][0] for _, each in OPERATIONS}


def test_every_refusal_is_a_problem() -> None:
    for name, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            if status >= "400" and name not in OPEN:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_operation_ids_are_unique_and_fit_to_be_names() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", each) for each in ids)


def test_no_shape_is_named_after_where_it_stands_in_our_code() -> None:
    assert [name for name in DESCRIPTION["components"]["schemas"] if "__" in name] == []  # two shapes of one name


def test_writes_name_their_actor_and_take_a_key() -> None:
    for name, operation in OPERATIONS:
        headers = {each["name"]: each["required"] for each in operation.get("parameters", ()) if each["in"] == "header"}
        if name.startswith("POST") and operation["tags"] not in NO_ACTOR:
            assert headers == {"x-actor": False, "idempotency-key": False}, name


def test_nothing_is_named_that_is_not_there_and_nothing_is_left_over() -> None:
    named = {each.rpartition("/")[2] for each in references(DESCRIPTION)}
    assert named == set(DESCRIPTION["components"]["schemas"])


def test_it_is_the_same_every_time() -> None:
    assert openapi.render() == openapi.render()


async def test_the_service_describes_itself_to_whoever_bears_the_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json() == DESCRIPTION
    del client.headers["Authorization"]
    assert (await client.get("/openapi.json")).status_code == 401
    assert routes().openapi_url is None
