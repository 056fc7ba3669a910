"""`scout account`, as a shell runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from scout import account, cli, clock, settings, tokens, totp
from scout.database import Database
from scout.models import Account
from tests.databases import make_tables
from tests.integration.test_cli_data import Run, empty_house, run

__all__ = ["empty_house", "run"]


@pytest.fixture
def database() -> Iterator[Database]:
    chosen = settings.load()
    make_tables(chosen)
    opened = Database.open(chosen)
    with opened.session() as session:
        account.ensure(session, "the first one")
    yield opened
    opened.dispose()


def test_a_token_is_printed_once_listed_and_revoked(run: Run, database: Database) -> None:
    assert "There is no token yet" in run("account", "tokens", "list")[1]
    code, out, err = run("account", "tokens", "create", "--name", "cellar", "--scope", "metrics:read")
    assert code == cli.DONE
    assert "cannot be shown again" in err
    text = out.strip()
    with database.reading() as session:
        found = tokens.find(session, text)
        assert found is not None
    _, out, _ = run("account", "tokens", "list")
    assert "cellar" in out
    assert "valid" in out
    assert text not in out
    _, out, _ = run("account", "tokens", "list", "--json")
    listed = json.loads(out)
    assert [(each["prefix"], each["state"]) for each in listed] == [(found.prefix, "valid")]
    assert text not in out
    assert "cellar is revoked" in run("account", "tokens", "revoke", found.prefix)[1]
    code, _, err = run("account", "tokens", "revoke", found.prefix)
    assert code == cli.FAILED
    assert "No valid token" in err
    with database.reading() as session:
        assert tokens.find(session, text) is None


def test_a_token_for_programs_has_its_expiry_in_json(run: Run, database: Database) -> None:
    words = ("account", "tokens", "create", "--name", "x", "--scope", "jobs:write", "--days", "7", "--json")
    made = json.loads(run(*words)[1])
    assert made["token"].startswith(f"scout_{made['prefix']}_")
    assert made["expires_at"].endswith("Z")
    assert run("account", "tokens", "create", "--name", "x", "--scope", "everything")[0] == cli.USAGE


def test_an_owner_who_is_locked_out_switches_codes_off(run: Run, database: Database) -> None:
    with database.session() as session:
        totp.begin(session)
        session.get_one(Account, 1).totp_on_at = clock.now()
        totp.renew_recovery_codes(session)
    assert "the password alone opens" in run("account", "totp", "off")[1]
    with database.reading() as session:
        assert totp.standing(session) == totp.Standing(None, 0)
    assert "off already" in run("account", "totp", "off")[1]


def test_what_the_command_line_did_is_listed(run: Run, database: Database) -> None:
    assert "Nothing like that" in run("account", "log")[1]
    run("sources", "add", "https://jobs.lever.co/acme")
    run("sources", "set", "acme", "--every", "90m")
    run("sources", "pause", "acme")
    run("sources", "resume", "acme")
    run("sources", "remove", "acme")
    run("searches", "add", "--name", "Remote IAM")
    run("searches", "set", "remote-iam", "--hour", "7")
    run("searches", "remove", "remote-iam")
    run("account", "password", stdin="a password of its own\n")
    told = json.loads(run("account", "log", "--json")[1])
    assert [(each["words"], each["subject"]) for each in told] == [
        ("Changed the password", ""),
        ("Removed a saved search", "Remote IAM"),
        ("Changed a saved search", "Remote IAM"),
        ("Saved a search", "Remote IAM"),
        ("Removed a board", "acme"),
        ("Resumed a board", "acme"),
        ("Paused a board", "acme"),
        ("Changed a board's schedule", "acme"),
        ("Added a board", "acme"),
    ]
    assert {each["by"] for each in told} == {"command"}
    assert "a password of its own" not in json.dumps(told)
    _, out, _ = run("account", "log", "--search", "search", "--limit", "1")
    assert out.count("\n") == 2
    assert "Removed a saved search" in out
    assert "Nothing like that" in run("account", "log", "--by", "token")[1]
