"""Secrets by file: what a variable with _FILE names is the setting's value, or one clear sentence."""

from __future__ import annotations

import os
from dataclasses import Field, fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from scout import settings
from scout.cli import demo
from scout.settings import SettingError, Settings
from scout.stack import start

SECRETS = [each for each in fields(Settings) if each.metadata["secret"]]
#: A value that each secret setting takes; the others take any.
VALUES = {"DATABASE_URL": "postgresql://me:pw@db/scout", "REDIS_URL": "redis://:pw@cache:6379/0"}


def read(path: Path) -> str:
    return settings.load({"SCOUT_PASSWORD_FILE": str(path)}).password


def refused(path: Path | str, **further: str) -> str:
    with pytest.raises(SettingError) as error:
        settings.load({"SCOUT_PASSWORD_FILE": str(path), **further})
    return str(error.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "password"


@pytest.mark.parametrize("each", SECRETS, ids=lambda each: each.name)
def test_every_secret_setting_may_stand_in_a_file(each: Field[object], file: Path) -> None:
    value = VALUES.get(each.metadata["variable"], "opensesame")
    file.write_text(f"{value}\n", encoding="utf-8")
    chosen = settings.load({f"{each.metadata['variable']}_FILE": str(file)})
    assert getattr(chosen, each.name) == value
    assert value not in repr(chosen)


@pytest.mark.parametrize("each", [each for each in fields(Settings) if each not in SECRETS][:3])
def test_what_is_no_secret_is_not_looked_for_in_files(each: Field[object], tmp_path: Path) -> None:
    assert settings.load({f"{each.metadata['variable']}_FILE": str(tmp_path / "none")}) == Settings()


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("secret", "secret"),
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        (" with spaces \n", " with spaces "),
        ("schlüssel\n", "schlüssel"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_the_end_of_the_line_is_no_part_of_the_secret(file: Path, content: str, value: str) -> None:
    file.write_bytes(content.encode())
    assert read(file) == value


def test_both_variables_are_one_too_many(file: Path) -> None:
    file.write_text("one", encoding="utf-8")
    said = refused(file, SCOUT_PASSWORD="another")
    assert said == "SCOUT_PASSWORD and SCOUT_PASSWORD_FILE are both set: unset one of them."


def test_a_file_that_is_not_there_or_is_a_folder_is_named_with_the_reason(tmp_path: Path, file: Path) -> None:
    assert refused(file) == (
        f"SCOUT_PASSWORD_FILE={str(file)!r} cannot be read: No such file or directory. "
        f"Name a file that uid {os.getuid()} may read, or set SCOUT_PASSWORD itself."
    )
    assert "Is a directory" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"a\nb\n", b"a\rb", b"a\x00b", b"\xff\xfe", b"a" * 5000])
def test_a_file_that_holds_no_line_of_text_is_refused_and_not_repeated(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    said = refused(file)
    assert said.startswith(f"SCOUT_PASSWORD_FILE={str(file)!r}: ")
    assert "aaaa" not in said


def test_a_device_without_end_does_not_fill_the_memory() -> None:
    assert "one line of at most" in refused("/dev/zero")


def test_what_a_stack_starts_hears_the_same_files_by_their_full_names(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("secret\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    environ = {"SCOUT_PASSWORD_FILE": "password"}
    theirs = start.environment(settings.load(environ), environ)
    assert theirs["SCOUT_PASSWORD_FILE"] == str(file)
    # No `.env` where they run is heard.
    assert theirs["SCOUT_PASSWORD"] == theirs["REDIS_URL_FILE"] == ""
    monkeypatch.chdir("/")
    assert settings.load(theirs).password == "secret"


@pytest.mark.parametrize(("variables", "password"), [({}, "look-around"), ({"FILE": "mine"}, "mine")])
def test_the_demo_keeps_a_password_that_a_file_gives_it(
    variables: dict[str, str], password: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[start.Plan] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCOUT_PASSWORD", raising=False)
    monkeypatch.setattr(start, "run", plans.append)
    # The simulator itself is not wanted here.
    monkeypatch.setattr(demo, "_described", lambda _: demo._World("", []))
    if variables:
        file.write_text("mine\n", encoding="utf-8")
        monkeypatch.setenv("SCOUT_PASSWORD_FILE", str(file))
    assert CliRunner().invoke(demo.demo, standalone_mode=False).exception is None
    (plan,) = plans
    assert plan.settings.password == password
    assert settings.load(plan.environ).password == plan.settings.password
