from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scout.database import Database
from scout.settings import PROJECT, Settings, load
from tests import kept
from tests.databases import make_tables
from tests.serving import reply
from tests.telling_world import Hook, hook

__all__ = ["hook"]

SECRET = "secret-path"


class Command:
    """`scout searches` on a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"SCOUT_DATA_DIR": str(folder / "data"), "STATSD_URL": "udp://127.0.0.1:1"}
        self.settings: Settings = load(self.environ)
        make_tables(self.settings)
        self.db = Database.open(self.settings)

    def __call__(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from scout.cli import main; main()", "searches", *words],
            cwd=PROJECT, env={**os.environ, **self.environ}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done.stdout if code in {0, 3} else done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    def channels(self, text: str) -> None:
        self.settings.channels_file.write_text(text)
        self.settings.channels_file.chmod(0o600)


@pytest.fixture
def scout(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path)
    yield command
    command.db.dispose()


def test_a_search_lives_from_add_to_remove(scout: Command, hook: Hook) -> None:
    scout.channels(f"hook = {hook.address}\n")
    assert "No search is saved" in scout("list")
    added = scout.json(
        "add", "--name", "Remote IAM", "--search", "okta", "--min-score", "60", "--tell", "digest",
        "--hour", "7", "--channel", "hook", "--quiet", "22:00-07:00", "--timezone", "Europe/Zurich",
    )  # fmt: skip
    assert (added["slug"], added["query"]) == ("remote-iam", {"text": "okta", "min_score": 60})
    assert (added["tells"], added["hour"], added["channels"]) == ("digest", 7, ["hook"])
    assert added["feeds"]["atom"].startswith("http://localhost:5000/feeds/1-")
    changed = scout.json("set", "remote-iam", "--search", "saml", "--quiet", "none", "--tell", "instant")
    assert changed["query"] == {"text": "saml", "min_score": 60}
    assert (changed["quiet"], changed["tells"], changed["channels"]) == ("", "instant", ["hook"])
    assert changed["feeds"] == added["feeds"]
    assert scout.json("set", "remote-iam", "--renew-feed")["feeds"] != added["feeds"]
    assert scout.json("set", "remote-iam", "--off")["enabled"] is False
    assert "off" in scout("list")
    assert scout.json("list")[0]["slug"] == "remote-iam"
    assert "words saml, score from 60" in scout("show", "remote-iam")
    scout("remove", "remote-iam")
    assert scout.json("list") == []


def test_a_round_tells_and_what_failed_is_shown_and_taken_up_again(scout: Command, hook: Hook) -> None:
    scout.channels(f"hook = {hook.address}\n")
    scout("add", "--name", "IAM", "--tell", "instant", "--channel", "hook")
    with scout.db.session() as session:
        kept.job(session, score=70)
    hook.answer = reply(b"no", 500)
    assert "1 found, 0 sent, 1 failed" in scout("tell", code=3)
    assert "answered 500" in scout("show", "iam")
    hook.answer = reply(b"ok")
    with scout.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE messages SET state = 'parked'")
    assert scout.json("tell") == {"found": 0, "sent": 0, "failed": 0, "parked": 0, "empty": 0}
    assert scout.json("tell", "--parked")["sent"] == 1
    shown = scout.json("show", "iam")
    assert shown["messages_by_state"] == {"waiting": 0, "sent": 1, "parked": 0, "empty": 0}


def test_a_search_is_tried_by_its_channels_and_stays_untold(scout: Command, hook: Hook) -> None:
    scout.channels(f"good = {hook.address}\nbad = json://127.0.0.1:1/{SECRET}\n")
    with scout.db.session() as session:
        kept.job(session, score=70)
    scout("add", "--name", "IAM", "--tell", "instant", "--channel", "good", "--channel", "bad")
    shown = scout("test", "iam", "--dry-run")
    assert "IAM Engineer, Acme" in shown
    assert hook.asked == []
    tried = scout("test", "iam", code=3)
    assert "good: sent" in tried
    assert "bad: The service cannot be reached" in tried
    assert "A test: what matches now." in hook.bodies[0]["message"]
    scout.channels(f"bad = json://127.0.0.1:1/{SECRET}\n")
    scout("test", "iam", code=1)


def test_channels_are_listed_by_name_and_kind(scout: Command) -> None:
    assert "channels.conf" in scout("channels")
    scout.channels(f"phone = ntfys://{SECRET}\nodd = carrierpigeon://{SECRET}\n")
    assert "Apprise" in scout("channels", code=3)
    scout.channels(f"phone = ntfys://{SECRET}\n")
    assert scout.json("channels") == [{"name": "phone", "kind": "ntfys", "trouble": ""}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "--name", "IAM", "--tell", "instant"), "needs a channel"),
        (("add", "--name", "IAM", "--channel", "pager"), "no channel 'pager'"),
        (("add", "--name", "IAM", "--source", "nobody"), "no source 'nobody'"),
        (("show", "nobody"), "no saved search 'nobody'"),
        (("set", "nobody", "--off"), "no saved search 'nobody'"),
        (("test", "nobody"), "no saved search 'nobody'"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence(scout: Command, words: tuple[str, ...], said: str) -> None:
    told = scout(*words, code=1)
    assert said in told
    assert len(told.strip().splitlines()) == 1
