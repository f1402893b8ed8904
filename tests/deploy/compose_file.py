"""docker-compose.yml as Compose would read it: anchors resolved, variables filled in from .env.example."""

import re
from functools import cache
from typing import Any

import yaml

from tests.source_tree import ROOT

_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


def raw() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def variables() -> dict[str, set[tuple[str, str]]]:
    """Name -> how it is written: (':?', message), (':-', default) or ('', '')."""
    found: dict[str, set[tuple[str, str]]] = {}
    text = "\n".join(line.split(" #")[0] for line in raw().splitlines() if not line.lstrip().startswith("#"))
    for match in _VARIABLE.finditer(text):
        found.setdefault(match["name"], set()).add((match["kind"] or "", match["rest"] or ""))
    return found


def example() -> dict[str, str]:
    """.env.example, by the rules of an environment file."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@cache
def filled_in() -> dict[str, Any]:
    """With every password and token that .env.example leaves empty filled in; what else is empty there stays so."""
    secrets = {name: f"password-of-{name.lower()}" for name in example() if name.endswith(("_PASSWORD", "_TOKEN"))}
    values = {name: value or secrets.get(name, "") for name, value in example().items()}

    def value(match: re.Match[str]) -> str:
        return values.get(match["name"]) or (match["rest"] if match["kind"] == ":-" else "")

    return yaml.safe_load(_VARIABLE.sub(value, raw()))


def services() -> dict[str, dict[str, Any]]:
    return filled_in()["services"]


def of_our_image() -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services().items() if each["image"].startswith("taizhang:")}


def environment(service: str) -> dict[str, str]:
    return {name: str(value) for name, value in services()[service].get("environment", {}).items()}


def mounts(service: str) -> dict[str, str]:
    """Target -> source."""
    return {each.split(":")[1]: each.split(":")[0] for each in services()[service].get("volumes", [])}
