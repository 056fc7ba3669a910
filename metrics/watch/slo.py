"""The objectives: rules that tell when an error budget burns too fast, made from `prometheus/slos.yml`.

For each objective what goes wrong is recorded once a minute, and the share of it over every window follows
from that: three days of raw samples would be asked for again and again otherwise. An alert fires when a long
and a short window both burn faster than its factor allows, and enough went wrong to matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metrics.watch import promql
from metrics.watch.dashboards import dashboard, runbook
from metrics.watch.errors import WatchError
from metrics.watch.rules import read_yaml

_HEAD = """\
# Made from prometheus/slos.yml by `scout metrics rules --write`. Do not edit.
"""
#: What an alert's name ends in, by its severity.
_PACE = {"page": ("BudgetBurnsFast", "fast"), "ticket": ("BudgetBurnsSlowly", "slowly")}
#: The window of what `good` and `total` say, and how often it is recorded.
_SHORTEST, _EVERY = "5m", "1m"


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A pair of windows, and how fast the budget may burn in both.

    Attributes:
        severity: `page` or `ticket`.
        factor: How many times faster than allowed.
        long: The window that makes sure that it matters.
        short: The window that makes sure that it still goes on.
    """

    severity: str
    factor: float
    long: str
    short: str


@dataclass(frozen=True, slots=True)
class Objective:
    """What share of what must be well.

    Attributes:
        name: Its label `slo`.
        alert: What its alerts' names begin with.
        objective: The share in percent, below 100.
        says: What is well, as words that fit "99.5 % of ...": "requests do not fail".
        counts: `requests`, rates per second; or `things`, numbers of this moment.
        least: What must have gone wrong in the long window: a number of requests, or of things on average.
        good: PromQL of what is well.
        total: PromQL of all there is.
    """

    name: str
    alert: str
    objective: float
    says: str
    counts: str
    least: float
    good: str
    total: str

    @property
    def budget(self) -> float:
        """The share that may go wrong."""
        return round(1 - self.objective / 100, 9)


@dataclass(frozen=True, slots=True)
class Plan:
    """The file as a whole.

    Attributes:
        window: Over which time the objectives are meant.
        burn_rates: When to tell.
        objectives: The objectives.
    """

    window: str
    burn_rates: tuple[BurnRate, ...]
    objectives: tuple[Objective, ...]

    @property
    def windows(self) -> list[str]:
        """Every window of the pairs, shortest first."""
        found = {each for rate in self.burn_rates for each in (rate.long, rate.short)}
        return sorted(found, key=promql.seconds)


def load(path: Path) -> Plan:
    """The objectives of a file.

    Raises:
        WatchError: It cannot be read, or says what makes no sense.
    """
    document = read_yaml(path)
    try:
        plan = Plan(
            window=document["window"],
            burn_rates=tuple(BurnRate(**each) for each in document["burn_rates"]),
            objectives=tuple(Objective(**each) for each in document["objectives"]),
        )
    except (KeyError, TypeError) as error:
        raise WatchError(f"{path.name} is no file of objectives: {error}") from None
    for each in _senseless(plan):
        raise WatchError(f"{path.name}: {each}")
    return plan


def _senseless(plan: Plan) -> Iterator[str]:
    for rate in plan.burn_rates:
        if rate.severity not in _PACE:
            yield f"a burn rate's severity is page or ticket, not {rate.severity!r}"
        if promql.seconds(rate.short) >= promql.seconds(rate.long):
            yield f"the short window {rate.short} is not shorter than the long one {rate.long}"
    for each in plan.objectives:
        if not 0 < each.objective < 100:  # noqa: PLR2004 - percent
            yield f"{each.name}: an objective lies between 0 and 100 %, not at {each.objective:g}"
        if each.counts not in {"requests", "things"}:
            yield f"{each.name}: counts is requests or things, not {each.counts!r}"
        for rate in plan.burn_rates:
            if rate.factor * each.budget >= 1:
                yield (
                    f"{each.name}: {rate.factor:g} times {each.budget:g} is all there is or more, so "
                    f"{rate.long}/{rate.short} can never fire"
                )


def render(plan: Plan) -> str:
    """The file of rules, as `prometheus/rules/slo.yml` holds it."""
    lines = [_HEAD + "groups:", "  - name: slo_recorded", f"    interval: {_EVERY}", "    rules:"]
    for each in plan.objectives:
        lines += _recorded(each)
    lines += _shares(plan)
    lines += ["", "  - name: slo", f"    interval: {_EVERY}", "    rules:"]
    alerts = [_alert(plan, each, severity) for each in plan.objectives for severity in _PACE]
    lines += "\n\n".join(alerts).splitlines()
    return "\n".join(lines) + "\n"


def _recorded(each: Objective) -> list[str]:
    label = ["        labels:", f"          slo: {each.name}"]
    return [
        f"      # {each.objective:g} % of {each.says}",
        "      - record: slo:objective:ratio",
        f"        expr: vector({1 - each.budget:g})",
        *label,
        "      - record: slo:total:mean5m",
        f"        expr: {each.total}",
        *label,
        # Where nothing is well there may be no series of it.
        "      - record: slo:bad:mean5m",
        "        expr: |",
        f"          ({each.total})",
        f"            - (({each.good}) or 0 * ({each.total}))",
        *label,
        "",
    ]


def _shares(plan: Plan) -> list[str]:
    lines = ["      # The share that went wrong, over every window."]
    for window in plan.windows:
        if window == _SHORTEST:
            share = "slo:bad:mean5m / (slo:total:mean5m > 0)"
        else:
            share = (
                f"sum_over_time(slo:bad:mean5m[{window}]) / (sum_over_time(slo:total:mean5m[{window}]) > 0)"
            )
        lines += [f"      - record: slo:bad_share:mean{window}", f"        expr: {share}"]
    window = plan.window
    return [
        *lines,
        "      # What is left of the budget, as far back as Prometheus keeps: 1 is all, below 0 overspent.",
        f"      - record: slo:budget_left:ratio{window}",
        "        expr: |",
        "          1 - (",
        f"            {_share_over(window)}",
        "          ) / (1 - slo:objective:ratio)",
    ]


def _share_over(window: str) -> str:
    return f"sum_over_time(slo:bad:mean5m[{window}]) / (sum_over_time(slo:total:mean5m[{window}]) > 0)"


def _alert(plan: Plan, each: Objective, severity: str) -> str:
    ending, pace = _PACE[severity]
    name = each.alert + ending
    pairs = [_pair(each, rate) for rate in plan.burn_rates if rate.severity == severity]
    expression = "\n          or ".join(pairs)
    lately = "in the last hours" if severity == "page" else "in the last days"
    return f"""\
      - alert: {name}
        # No `for`: the long window has waited already.
        expr: |
          {expression}
        labels:
          severity: {severity}
          group: slo
          slo: {each.name}
        annotations:
          summary: The error budget of {each.name} burns {pace}.
          description: >-
            {{{{ $value | humanizePercentage }}}} of what counts for {each.name} went wrong {lately}. The
            objective is that {each.objective:g} % of {each.says}.
          runbook_url: {runbook(name)}
          dashboard_url: {dashboard("scout-slo")}"""


def _pair(each: Objective, rate: BurnRate) -> str:
    limit = f"{rate.factor:g} * {each.budget:g}"
    label = f'{{slo="{each.name}"}}'
    if each.counts == "requests":
        # A sum, as an average over a window that is longer than what is known would make one request many.
        each_stands_for = promql.seconds(_EVERY)
        enough = f"sum_over_time(slo:bad:mean5m{label}[{rate.long}]) * {each_stands_for:g}"
    else:
        enough = f"avg_over_time(slo:bad:mean5m{label}[{rate.long}])"
    return (
        "(\n"
        f"            slo:bad_share:mean{rate.long}{label} > {limit}\n"
        f"            and slo:bad_share:mean{rate.short}{label} > {limit}\n"
        f"            and {enough} >= {each.least:g}\n"
        "          )"
    )
