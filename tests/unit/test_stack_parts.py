"""Which parts a machine's stack has: a setting wins, then a program on PATH, then what came along."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scout.settings import Settings
from scout.stack import parts, programs, start
from scout.stack.parts import Origin, Part
from scout.stack.problems import CannotStart


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, says: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


def decided(**settings: str) -> dict[str, Part]:
    return {part.name: part for part in parts.decide(Settings(**settings))}  # type: ignore[arg-type]


def test_with_nothing_on_path_every_part_came_along(path: Path) -> None:
    found = decided()
    assert {part.origin for part in found.values()} == {Origin.EMBEDDED}
    assert [part.process for part in found.values()] == ["", "redis", "exporter-embedded", "gateway-embedded"]
    assert found["queue"].version.startswith("6.")


def test_programs_on_path_win(path: Path) -> None:
    program(path, "redis-server", "Redis server v=7.0.15 sha=0:0 malloc=jemalloc")
    program(path, "statsd_exporter", "statsd_exporter, version 0.30.0 (branch: HEAD)")
    program(path, "prometheus-pushgateway", "pushgateway, version 1.5.1 (branch: debian/sid)")
    found = decided()
    assert [(part.origin.value, part.version) for part in found.values()][1:] == [
        ("real", "7.0.15"),
        ("real", "0.30.0"),
        ("real", "1.5.1"),
    ]
    assert found["metrics"].environ == {"SCOUT_STATSD_EXPORTER": str(path / "statsd_exporter")}


def test_what_lies_beside_this_python_came_along_although_it_is_on_path(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}:{path}")
    assert decided()["queue"].origin is Origin.EMBEDDED


def test_settings_win_over_programs_and_nothing_of_them_is_started(path: Path) -> None:
    program(path, "redis-server", "v=7.0.15")
    found = decided(
        database_url="postgresql://me:secret@db.example/scout?password=secret",
        redis_url="redis://:secret@cache.example:6379/0",
        statsd_url="udp://metrics.example:9125",
        statsd_exporter_url="http://metrics.example:9102",
        pushgateway_url="http://results.example:9091",
    )
    assert {part.origin for part in found.values()} == {Origin.EXTERNAL}
    assert not any(part.process or part.ports for part in found.values())
    assert "secret" not in parts.table(tuple(found.values()))


def test_half_an_exporter_is_refused(path: Path) -> None:
    with pytest.raises(CannotStart, match="STATSD_URL is not"):
        decided(statsd_exporter_url="http://metrics.example:9102")


def test_without_any_redis_the_sentence_says_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "redis_of_the_wheel", lambda: None)
    with pytest.raises(CannotStart, match=r"Install redis-server, or set REDIS_URL"):
        decided()


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("Redis server v=6.2.14 sha=40305114:0 malloc=libc bits=64", "6.2.14"),
        ("prometheus, version 2.42.0+ds (branch: x)\n  go version:       go1.19.8", "2.42.0"),
        ("Chromium 156.0.8078.79 built on Debian GNU/Linux 12", "156.0.8078.79"),
        ("exporter, version  (branch: , revision: unknown)\n  go version:  go1.26.8", "unknown"),
        ("nothing to say", "unknown"),
    ],
)
def test_a_version_is_read_from_what_programs_say(path: Path, says: str, version: str) -> None:
    assert programs.version(program(path, "it", says)) == version


def test_the_version_of_what_go_installed_is_in_the_file(tmp_path: Path) -> None:
    file = program(tmp_path, "it", "it, version  (branch: )")
    file.write_bytes(file.read_bytes() + b"exit\n\0\nmod\tgithub.com/x/it\tv0.30.0\th1:abc=\n")
    assert programs.version(file) == "0.30.0"


def test_the_children_read_the_settings_of_the_parent_and_of_no_other_file(tmp_path: Path) -> None:
    environ = start.environment(Settings(data_dir=tmp_path), {"SCOUT_PORT": "5001", "HOME": "/home/me"})
    assert environ["SCOUT_DATA_DIR"] == str(tmp_path)
    assert environ["SCOUT_PORT"] == "5001"
    assert environ["REDIS_URL"] == ""  # so that a .env of another folder does not set it
    assert environ["HOME"] == "/home/me"


def test_every_process_of_the_procfile_replaces_its_shell() -> None:
    assert all(command.startswith("exec ") for command in start.procfile().values())


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000"),
        ("0.0.0.0", "http://127.0.0.1:5000"),
        ("::", "http://[::1]:5000"),
        ("scout.example", "http://scout.example:5000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert start.address(Settings(host=host)) == address
