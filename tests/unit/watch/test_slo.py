from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from metrics.watch import slo
from metrics.watch.errors import WatchError
from tests.unit.watch.places import RULES, SLOS

PLAN = slo.load(SLOS)


def test_the_rules_of_the_objectives_are_those_of_the_data() -> None:
    assert (RULES / "slo.yml").read_text(encoding="utf-8") == slo.render(PLAN)


def test_the_pairs_of_windows_are_those_of_the_workbook() -> None:
    assert [(each.severity, each.factor, each.long, each.short) for each in PLAN.burn_rates] == [
        ("page", 14.4, "1h", "5m"),
        ("page", 6, "6h", "30m"),
        ("ticket", 3, "1d", "2h"),
        ("ticket", 1, "3d", "6h"),
    ]
    assert {each.name for each in PLAN.objectives} == {"availability", "latency", "freshness"}


def test_both_windows_of_each_pair_and_a_least_number_are_asked_for() -> None:
    made = yaml.safe_load(slo.render(PLAN))["groups"][1]["rules"]
    fast = next(rule for rule in made if rule["alert"] == "ScoutAvailabilityBudgetBurnsFast")
    for part in (
        'slo:bad_share:mean1h{slo="availability"} > 14.4 * 0.005',
        'slo:bad_share:mean5m{slo="availability"} > 14.4 * 0.005',
        'slo:bad_share:mean6h{slo="availability"} > 6 * 0.005',
        'slo:bad_share:mean30m{slo="availability"} > 6 * 0.005',
        'sum_over_time(slo:bad:mean5m{slo="availability"}[1h]) * 60 >= 5',
    ):
        assert part in fast["expr"]
    assert fast["labels"] == {"severity": "page", "group": "slo", "slo": "availability"}


@pytest.mark.parametrize(
    ("place", "change", "told"),
    [
        ("objectives", {"objective": 100}, "between 0 and 100"),
        ("objectives", {"objective": 90}, "can never fire"),
        ("objectives", {"counts": "bytes"}, "requests or things"),
        ("objectives", {"colour": "red"}, "no file of objectives"),
        ("burn_rates", {"severity": "info"}, "page or ticket"),
        ("burn_rates", {"short": "2h"}, "not shorter"),
        ("burn_rates", {"short": "soon"}, "no duration"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, place: str, change: dict[str, object], told: str
) -> None:
    document = yaml.safe_load(SLOS.read_text(encoding="utf-8"))
    document[place][0].update(change)
    file = tmp_path / "slos.yml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(WatchError, match=told):
        slo.load(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="cannot be read"):
        slo.load(tmp_path / "slos.yml")
