"""What `scout doctor` finds of the channels."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from scout.database import Database
from scout.models import Message, MessageState
from scout.settings import Settings
from scout.stack import examination
from scout.stack.examination import Verdict


def write(settings: Settings, *lines: str, mode: int = 0o600) -> None:
    settings.channels_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    settings.channels_file.chmod(mode)


def test_channels_that_take_what_they_are_given_are_well(
    database: Database, sqlite_settings: Settings
) -> None:
    assert examination._channels(database, sqlite_settings).text == "0 set up, 0 failing"
    write(sqlite_settings, "phone = json://127.0.0.1:1/secret")
    found = examination._channels(database, sqlite_settings)
    assert (found.verdict, found.text, found.advice) == (Verdict.OK, "1 set up, 0 failing", "")


def test_a_channel_that_fails_is_named_with_why_and_what_to_do(
    database: Database, sqlite_settings: Settings
) -> None:
    write(sqlite_settings, "phone = json://127.0.0.1:1/secret", "mail = json://127.0.0.1:2/secret")
    with database.session() as session:
        for channel in ("mail", "phone"):
            why = "The server refused it." if channel == "phone" else ""
            session.add(Message(batch="b", channel=channel, attempts=2, reason=why))
    found = examination._channels(database, sqlite_settings)
    assert (found.verdict, found.text) == (Verdict.WARNING, "2 set up, 1 failing")
    assert found.advice.startswith("phone: The server refused it. `scout searches tell --parked`")
    assert "secret" not in found.advice
    with database.session() as session:
        session.execute(update(Message).values(state=MessageState.PARKED))
    assert examination._channels(database, sqlite_settings).text.endswith("2 messages given up")


@pytest.mark.parametrize(
    ("line", "mode", "words"),
    [("phone = json://127.0.0.1:1/", 0o644, "chmod 600"), ("nonsense", 0o600, "Line 1")],
)
def test_a_file_of_channels_that_cannot_be_used_is_told(
    database: Database, sqlite_settings: Settings, line: str, mode: int, words: str
) -> None:
    write(sqlite_settings, line, mode=mode)
    found = examination._channels(database, sqlite_settings)
    assert found.verdict is Verdict.WARNING
    assert words in found.advice
