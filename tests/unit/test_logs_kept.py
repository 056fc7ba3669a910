"""What keeps logs and traces is told of fields, ports and names that there are."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from metrics import catalogue
from metrics.model import Metric
from scout.logs import lines
from scout.settings import PROJECT

FOLDER = PROJECT / "prometheus"
ALLOY = (FOLDER / "alloy.alloy").read_text(encoding="utf-8")


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def sources() -> dict[str, Any]:
    return {each["uid"]: each for each in read("grafana/provisioning/datasources/logs.yml")["datasources"]}


def test_alloy_takes_fields_out_that_lines_have_and_makes_labels_of_few() -> None:
    known = {*lines.ALWAYS, *lines.SOMETIMES}
    blocks = {
        stage: set(re.findall(r"(\w+) +?= \"\"", block))
        for stage, block in re.findall(r"stage\.(\w+) \{\n(.*?)\n  \}", ALLOY, re.DOTALL)
    }
    assert blocks["json"] <= known
    assert blocks["labels"] | blocks["structured_metadata"] | {"timestamp"} == blocks["json"]
    assert blocks["labels"] == {"level", "role"}


def test_who_asks_asks_where_somebody_listens() -> None:
    assert f"http://loki:{read('loki.yml')['server']['http_listen_port']}/" in ALLOY
    assert sources()["loki"]["url"] == f"http://loki:{read('loki.yml')['server']['http_listen_port']}"
    assert sources()["tempo"]["url"] == f"http://tempo:{read('tempo.yml')['server']['http_listen_port']}"
    assert read("tempo.yml")["distributor"]["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(
        ":4318"
    )


def test_a_lines_ids_lead_to_its_trace_and_to_the_other_lines_of_its_request() -> None:
    ids = {"trace_id": "ab" * 16, "request_id": "4f0c1d5e8a7b2936"}
    line = lines._json(None, "", {"event": "x", **ids})
    assert json.loads(line)["event"] == "x"
    fields = sources()["loki"]["jsonData"]["derivedFields"]
    found = {each["name"]: re.search(each["matcherRegex"], line) for each in fields}
    assert {name: match and match[1] for name, match in found.items()} == {
        "trace": ids["trace_id"], "request": ids["request_id"],
    }  # fmt: skip
    assert {each["datasourceUid"] for each in fields} <= set(sources())


def test_a_trace_leads_to_metrics_that_there_are() -> None:
    asked = sources()["tempo"]["jsonData"]["tracesToMetrics"]
    metrics = {each.name: each for each in vars(catalogue).values() if isinstance(each, Metric)}
    for query in asked["queries"]:
        name = re.search(r"rate\((\w+?)(?:_bucket)?\{", query["query"])
        assert name
        assert {tag["value"] for tag in asked["tags"]} <= {label.name for label in metrics[name[1]].labels}
