"""The real programs that tests run against: found, told, and a failure in CI where they are missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import components
from tests.components import Component

NOWHERE = Component("Nowhere", ("scout-no-such-program",))


@pytest.fixture
def nothing_is_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "bring", lambda wanted: {each.name: "it is nowhere" for each in wanted})


def test_a_program_of_the_projects_folder_wins_over_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it").write_text("#!/bin/sh\n")
        (tmp_path / folder / "it").chmod(0o755)
    monkeypatch.setattr(components, "FOLDER", tmp_path / "ours")
    monkeypatch.setenv("PATH", str(tmp_path / "theirs"))
    assert components.find("it") == tmp_path / "ours" / "it"


def test_a_program_is_found_under_its_own_projects_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pushgateway").write_text("#!/bin/sh\n")
    (tmp_path / "pushgateway").chmod(0o755)
    monkeypatch.setattr(components, "FOLDER", tmp_path / "empty")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert components.find("prometheus-pushgateway") == tmp_path / "pushgateway"


def test_a_missing_program_skips_its_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="scout-no-such-program is not here"):
        components.need("scout-no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="scout-no-such-program is not here"):
        components.need("scout-no-such-program")


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_missing_component_is_told_and_in_ci_a_failure(
    nothing_is_brought: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str,
    code: int,
) -> None:
    monkeypatch.setattr(components, "COMPONENTS", (NOWHERE,))
    monkeypatch.setenv("CI", ci)
    assert components.main([]) == code
    assert "Nowhere           MISSING  (it is nowhere); skipped for it:" in capsys.readouterr().out


def test_the_files_that_need_a_program_are_found() -> None:
    assert "e2e/test_whole_path.py" in components.asking("prometheus")


def test_the_system_way_installs_quietly_and_starts_no_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_is_brought: None
) -> None:
    policy, log = tmp_path / "policy-rc.d", tmp_path / "log"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*; $(sh {policy}; echo $?)" >> {log}\n')
    apt.chmod(0o755)
    monkeypatch.setattr(components, "_POLICY", policy)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    components.install([Component("Nowhere", ("scout-no-such-program",), ("nowhere", "fonts"))])
    assert log.read_text().splitlines() == [
        "noninteractive -q update; 101",
        "noninteractive -qy --no-install-recommends install nowhere fonts; 101",
    ]
    assert not policy.exists()


def test_a_copy_in_a_python_package_does_not_count_as_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "redis-server").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(components, "COMPONENTS", (Component("Redis", ("redis-server",)),))
    assert [each.name for each in components.not_of_the_system()] == ["Redis"]
    assert components.missing() == []
