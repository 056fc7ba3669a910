from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from metrics.watch import proofs, rules
from metrics.watch.errors import WatchError
from tests.unit.watch.places import DRILLS, RULES, RUNBOOKS, TESTS

LOADED = rules.load(RULES)
NAMES = {alert.name for alert in LOADED.alerts}


def test_every_alert_has_all_of_its_proofs() -> None:
    found = proofs.proofs(LOADED, tests=TESTS, runbooks=RUNBOOKS, drills=DRILLS)
    assert {each.alert.name: each.lacking for each in found if each.lacking} == {}


def test_there_is_no_runbook_and_no_drill_without_its_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == NAMES
    assert set(proofs.drill_of_each(DRILLS)) == NAMES


def test_links_between_runbooks_lead_to_runbooks() -> None:
    leading = {
        (page.name, link)
        for page in RUNBOOKS.glob("*.md")
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert leading
    assert [(page, link) for page, link in leading if not (RUNBOOKS / link).is_file()] == []


def test_every_runbook_has_commands_and_queries() -> None:
    for page in RUNBOOKS.glob("*.md"):
        assert proofs.queries(page), page.name
        assert page.read_text(encoding="utf-8").startswith(f"# {page.stem}\n"), page.name


def test_what_an_alert_lacks_is_named(tmp_path: Path) -> None:
    shutil.copytree(TESTS, tmp_path / "tests")
    shutil.copytree(RUNBOOKS, tmp_path / "runbooks")
    (tmp_path / "tests" / "availability_test.yml").unlink()
    page = tmp_path / "runbooks" / "ScoutExporterDown.md"
    page.write_text(page.read_text(encoding="utf-8").replace("## Impact", "## Effect"), encoding="utf-8")
    drills = tmp_path / "drills.yml"
    told = DRILLS.read_text(encoding="utf-8")
    told = told.replace("raises: [ScoutExporterDown]", "raises: []").replace("It waits for three days.", "")
    drills.write_text(told, encoding="utf-8")
    found = proofs.proofs(LOADED, tests=tmp_path / "tests", runbooks=tmp_path / "runbooks", drills=drills)
    lacking = {each.alert.name: each.lacking for each in found}
    assert lacking["ScoutExporterDown"] == [
        "a test in which it fires",
        "a test in which it stays silent",
        "a runbook with the parts Meaning, Impact, Diagnosis, Mitigation",
        "a kind of fault that drills it",
    ]
    assert lacking["ScoutBackupNever"] == ["a reason why its drill does not raise it"]
    assert lacking["ScoutPushesFail"] == []


def test_an_alert_under_two_kinds_of_fault_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "drills.yml"
    file.write_text("a: {how: x, raises: [ScoutOne]}\nb: {how: y, raises: [ScoutOne]}\n", encoding="utf-8")
    with pytest.raises(WatchError, match="ScoutOne is under a and b"):
        proofs.drill_of_each(file)


def test_an_alert_that_a_drill_both_raises_and_does_not_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "drills.yml"
    file.write_text("a: {how: x, raises: [ScoutOne], tested: {ScoutOne: so}}\n", encoding="utf-8")
    with pytest.raises(WatchError, match="a raises ScoutOne, and says why it does not"):
        proofs.drill_of_each(file)
