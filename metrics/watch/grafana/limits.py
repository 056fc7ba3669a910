"""The figures past which alerts tell, read off their expressions: a panel's thresholds are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metrics.watch.errors import WatchError
from metrics.watch.grafana.panels import Limit
from metrics.watch.rules import Alert, Rules

#: A comparison with a plain number; what stands in braces and brackets is no comparison of values.
_COMPARED = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?(?:[eE]\d+)?)(?![\w.])")
_INSIDE = re.compile(r"\{[^}]*\}|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure, and on which side of it all is not well.

    Attributes:
        value: The figure.
        above: Whether figures above it are the bad ones.
        alert: The alert that tells then.
    """

    value: float
    above: bool
    alert: Alert


def threshold(limit: Limit, rules: Rules) -> Threshold:
    """Where an alert begins to tell.

    Raises:
        WatchError: There is no such alert, or its expression has fewer comparisons.
    """
    alert = next((each for each in rules.alerts if each.name == limit.alert), None)
    if alert is None:
        raise WatchError(f"A panel's limit is that of {limit.alert}, and there is no such alert.")
    compared = _COMPARED.findall(_INSIDE.sub("", alert.expression))
    if len(compared) <= limit.number:
        raise WatchError(f"{limit.alert} has no comparison number {limit.number}: {alert.expression}")
    operator, value = compared[limit.number]
    return Threshold(float(value), operator.startswith(">"), alert)
