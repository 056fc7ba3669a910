"""The objectives: what is left of each error budget, and how fast it burns."""

from __future__ import annotations

from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Ratio, Rest
from metrics.watch.grafana.panels import Board, Limit, Line, Look, Panel, Row, Variable, alerts

#: Also on the overview.
BUDGETS = Panel(
    title="Error budgets left",
    help="Of the last 30 days. At 0 the objective is missed.",
    unit=Quantity.RATIO,
    lines=(Line(As(metric=others.BUDGET_LEFT), "{{slo}}"),),
    look=Look.FIGURE,
    wide=6,
)


def _bad_share(window: str) -> As:
    return As(metric=others.bad_share(window))


def _burn(window: str) -> Line:
    return Line(Ratio(part=_bad_share(window), whole=Rest(of=As(metric=others.OBJECTIVE))), f"over {window}")


_GLANCE = Row(
    title="Objectives",
    panels=(
        alerts(wide=12, tall=8),
        BUDGETS,
        Panel(
            title="Objectives as they are set",
            help="In prometheus/slos.yml: the share that must be well.",
            unit=Quantity.RATIO,
            lines=(Line(As(metric=others.OBJECTIVE), "{{slo}}"),),
            look=Look.FIGURE,
            wide=6,
        ),
    ),
)

_EACH = Row(
    title="$slo",
    repeat="slo",
    panels=(
        Panel(
            title="Budget left: $slo",
            help="A line that falls to 0 within the month misses the objective.",
            unit=Quantity.RATIO,
            lines=(Line(As(metric=others.BUDGET_LEFT), "left"),),
            signed=True,
        ),
        Panel(
            title="How fast it burns: $slo",
            help="1 spends exactly the budget. A page comes while an hour and five minutes are both past the "
            "higher line.",
            unit=Quantity.COUNT,
            lines=tuple(_burn(window) for window in ("5m", "30m", "1h", "6h")),
            # Each pair of windows has three comparisons: the long one, the short one, and how much it was.
            limits=(
                Limit("ScoutAvailabilityBudgetBurnsFast"),
                Limit("ScoutAvailabilityBudgetBurnsFast", 3),
            ),
        ),
        Panel(
            title="How fast it burns, over days: $slo",
            help="A ticket comes while the long and the short window of a pair are both past their line.",
            unit=Quantity.COUNT,
            lines=tuple(_burn(window) for window in ("2h", "6h", "1d", "3d")),
            limits=(
                Limit("ScoutAvailabilityBudgetBurnsSlowly"),
                Limit("ScoutAvailabilityBudgetBurnsSlowly", 3),
            ),
        ),
        Panel(
            title="What counts: $slo",
            help="All there is and what went wrong: requests in a second, or boards.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.TOTAL), "all"), Line(As(metric=others.BAD), "wrong")),
            wide=12,
            tall=6,
        ),
        Panel(
            title="The share that went wrong: $slo",
            help="Over five minutes, an hour and a day.",
            unit=Quantity.RATIO,
            lines=tuple(Line(_bad_share(window), f"over {window}") for window in ("5m", "1h", "1d")),
            wide=12,
            tall=6,
        ),
    ),
)

BOARD = Board(
    uid="scout-slo",
    rows=(_GLANCE, _EACH),
    variables=(Variable(name="slo", title="Objective", source=others.OBJECTIVE.name),),
)
