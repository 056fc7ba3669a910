"""All rules as one file, for whoever has a Prometheus already: `prometheus-alerts.yml.example`."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from metrics.watch.dashboards import GRAFANA, RUNBOOKS

_HEAD = """\
# All rules of IAM Job Scout. Made from prometheus/rules by `scout metrics rules --write`. Do not edit.
# Copy it to where your Prometheus looks for rules. `scout metrics rules --runbooks URL --dashboards URL`
# prints it with addresses of your own. It works with prometheus.yml.example, and with each part as a target.
groups:
"""
_OBJECT = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: iam-job-scout
  labels:
    app.kubernetes.io/part-of: iam-job-scout
spec:
"""
_GROUPS = re.compile(r"^groups:\n", re.MULTILINE)


def render(folder: Path, *, runbooks: str = RUNBOOKS, dashboards: str = GRAFANA) -> str:
    """The rules of a folder, as one file.

    Args:
        folder: The folder of rule files, each with comments and then `groups:`.
        runbooks: Where the runbooks are: what comes before an alert's name.
        dashboards: Where Grafana is: what comes before `/d/`.
    """
    parts = []
    for path in sorted(folder.glob("*.yml")):
        comment, rules = _GROUPS.split(path.read_text(encoding="utf-8"), maxsplit=1)
        said = "".join(f"  {line}\n" for line in comment.splitlines() if "Do not edit" not in line)
        parts.append(said + rules.rstrip() + "\n")
    text = _HEAD + "\n".join(parts)
    return text.replace(f"{RUNBOOKS}/", f"{runbooks.rstrip('/')}/").replace(
        f"{GRAFANA}/d/", f"{dashboards.rstrip('/')}/d/"
    )


def as_object(text: str) -> str:
    """A file of rules as an object of the Prometheus Operator, which keeps rules in the cluster itself.

    Args:
        text: What `render` made.
    """
    return _OBJECT + textwrap.indent(text, "  ")
