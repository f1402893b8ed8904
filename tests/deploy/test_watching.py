"""Dashboard, scrape and alert files against what the services expose, and the page that tells of them against all."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import api.metrics
import ingest.metrics
from api.metrics import Levels
from ingest.vitals import Vitals
from settings import Settings
from tests.source_tree import ROOT

DASHBOARD = json.loads((ROOT / "deploy/grafana/taizhang.json").read_text(encoding="utf-8"))
SCRAPE = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/taizhang-alerts.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
OURS = re.compile(r"\b(?:taizhang_(?:ingest|api)_\w+|process_\w+)")
SUFFIXES = ("_total", "_created", "_bucket", "_sum", "_count")


def exposed() -> frozenset[str]:
    """Every series that either service has, as a query names it."""
    of_ingest = ingest.metrics.Metrics(lambda: Vitals(True, 1, False, 1, 1, 0, 0, 0.0, 0.0))
    of_api = api.metrics.Metrics(lambda: Levels(0, True, 1, 1, 0, 0, 0, 0.0))
    of_api.answered("GET", "/api/v1/sites", 200, 0.01)
    of_ingest.heard({"garden"}, 0.0, 0.0)
    texts = (of_ingest.render().body.decode(), of_api.render().decode())
    lines = [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines)


def family(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", ())


QUERIES = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_a_query_names_what_there_is(query: str) -> None:
    assert set(OURS.findall(query)) <= exposed()
    assert query.count("(") == query.count(")")
    assert query.count("{") == query.count("}")


def test_everything_that_is_exposed_is_on_the_dashboard() -> None:
    shown = {family(name) for query in QUERIES for name in OURS.findall(query)}
    own = {family(name) for name in exposed() if name.startswith("taizhang_")}
    assert own - shown == set()


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    assert DASHBOARD["id"] is None, "an id of another Grafana is refused"
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD["uid"]
    assert DASHBOARD["title"]
    numbers = [panel["id"] for panel in panels()]
    assert len(set(numbers)) == len(numbers)
    (source,) = DASHBOARD["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    for panel in panels():
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        assert panel["type"] in ("row", "timeseries", "stat")
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == f"${{{source['name']}}}"
        assert len({target["refId"] for target in panel.get("targets", ())}) == len(panel.get("targets", ()))


def test_tiles_say_what_is_now() -> None:
    """Asked for the whole hour, Grafana would show the last value of a service that is down; and without thresholds of
    its own a tile is red from 80 on.
    """
    tiles = [panel for panel in panels() if panel["type"] == "stat"]
    assert tiles
    for panel in tiles:
        assert all((each["instant"], each["range"]) == (True, False) for each in panel["targets"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_page_has_every_metric_and_no_other() -> None:
    told = {name for name in OURS.findall(PAGE) if name.startswith("taizhang_") and not name.endswith("_login")}
    assert {family(name) for name in told} == {family(name) for name in exposed() if name.startswith("taizhang_")}
    assert told <= exposed() | {family(name) for name in exposed()}


def test_the_scrape_and_the_alerts_speak_of_the_same_jobs() -> None:
    jobs = {job["job_name"]: job for job in SCRAPE["scrape_configs"]}
    named = {name for rule in RULES for name in re.findall(r'job="([\w-]+)"', rule["expr"])}
    assert named == set(jobs)
    assert SCRAPE["rule_files"] == ["taizhang-alerts.yml"]
    assert jobs["taizhang-api"]["static_configs"][0]["targets"] == [f"127.0.0.1:{Settings().api_port}"]
    (port,) = set(re.findall(r"TAIZHANG_INGEST_HTTP_PORT=(\d+)", PAGE))
    assert jobs["taizhang-ingest"]["static_configs"][0]["targets"] == [f"127.0.0.1:{port}"]
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(rule["labels"]["severity"] in ("critical", "warning", "none") for rule in RULES)
    assert all(rule["annotations"]["summary"] for rule in RULES)
