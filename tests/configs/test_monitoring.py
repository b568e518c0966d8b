"""The dashboard and the alert rules: well-formed for Grafana and Prometheus, and of metrics that there are."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families
from service_examples import RUNNING, TOLD_AT

from guardray.service.metrics import exposition

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "configs/grafana/guardray.json").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "configs/prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS = DASHBOARD["panels"]
EXPRESSIONS = [
    *((f"alert {rule['alert']}", rule["expr"]) for rule in RULES),
    *((f"panel {panel['title']}", target["expr"]) for panel in PANELS for target in panel.get("targets", [])),
]
SEVERITIES = {"critical", "warning", "info"}
DURATION = re.compile(r"\d+[smhd]")


@pytest.fixture(scope="module")
def labels():
    """Of each metric that there is, the labels of its samples."""
    text = exposition(RUNNING, store_answers=True, now=TOLD_AT).decode()
    families = text_string_to_metric_families(text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def selectors(expression):
    """All selectors in a PromQL expression, with Grafana's variables filled in."""
    filled = expression.replace("$__rate_interval", "5m").replace("$job", "guardray")
    return list(re.finditer(r"(guardray_\w+)(?:\{([^}]*)\})?", promql_parser.parse(filled).prettify()))


def lost(value, other, place="dashboard"):
    """Places of all in a JSON value that the other does not have."""
    if isinstance(value, dict) and isinstance(other, dict):
        for name, part in value.items():
            yield from lost(part, other.get(name), f"{place}.{name}")
    elif isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        for index, part in enumerate(value):
            yield from lost(part, other[index], f"{place}[{index}]")
    elif value != other:
        yield place


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_every_expression_is_promql_of_metrics_and_labels_that_there_are(where, expression, labels):
    found = selectors(expression)
    assert found
    for selector in found:
        name, matchers = selector.groups()
        assert name in labels
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers or "")) <= labels[name] | {"job"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_has_what_prometheus_wants_and_tells_what_to_do(rule, labels):
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"GuardRay[A-Za-z]+", rule["alert"])
    assert DURATION.fullmatch(rule.get("for", "1m"))
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["annotations"].keys() == {"summary", "description"}
    told = " ".join(rule["annotations"].values())
    kept = {name for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in group.split(", ")}
    assert set(re.findall(r"\$labels\.(\w+)", told)) <= kept


def test_no_two_rules_have_one_name():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_grafanas_own_model_knows_every_field_of_the_dashboard():
    """What it does not know is lost on the way through it; what is left out gets its default."""
    assert list(lost(DASHBOARD, json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD))))) == []


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_every_panel_takes_the_data_source_that_is_chosen():
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    shown = [panel for panel in PANELS if panel["type"] != "row"]
    assert all(panel["datasource"] == chosen for panel in shown)
    assert all(target["datasource"] == chosen for panel in shown for target in panel["targets"])
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "job"]


def test_legends_name_labels_that_the_expression_keeps():
    for panel in PANELS:
        for target in panel.get("targets", []):
            kept = {name for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for name in group.split(", ")}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept
