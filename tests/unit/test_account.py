from __future__ import annotations

import re
import threading
from pathlib import Path

import argon2
import pytest

from scout import account, sessions
from scout.database import Database, DatabaseUnusable
from scout.errors import ScoutError
from scout.models import Account
from scout.settings import Settings


def test_a_made_password_is_shown_once_and_works(any_database: Database) -> None:
    with any_database.session() as session:
        made = account.ensure(session, "")
        assert made is not None
    with any_database.session() as session:
        assert account.ensure(session, "") is None
        assert account.verify(session, made)
        assert not account.verify(session, made + "x")
        assert not account.verify(session, "")


def test_a_given_password_is_never_shown(database: Database) -> None:
    with database.session() as session:
        assert account.ensure(session, "given by the owner") is None
        assert account.verify(session, "given by the owner")


def test_a_changed_setting_changes_the_password_and_signs_out(database: Database) -> None:
    with database.session() as session:
        account.ensure(session, "the first one")
        token = sessions.begin(session, "")
        account.ensure(session, "the first one")
        assert sessions.find(session, token) is not None
    with database.session() as session:
        account.ensure(session, "the second one")
        assert account.verify(session, "the second one")
        assert not account.verify(session, "the first one")
        assert sessions.find(session, token) is None


def test_made_passwords_are_long_readable_and_never_alike() -> None:
    made = {account.make_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-hjkmnprs-vz]{6}(-[a-hjkmnprs-vz]{6}){4}", each) for each in made)


def test_nobodys_password_is_wrong_and_costs_a_hash(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = account._matches

    def matches(kept: str, given: str) -> bool:
        asked.append(kept)
        return real(kept, given)

    monkeypatch.setattr(account, "_matches", matches)
    with database.reading() as session:
        assert not account.verify(session, "anything")
    assert len(asked) == 1
    assert asked[0].startswith("$argon2id$")


def test_passwords_are_hashed_at_the_floor_that_owasp_gives(database: Database) -> None:
    with database.session() as session:
        account.ensure(session, "given by the owner")
        stored = session.get_one(Account, 1).password_hash
    found = argon2.extract_parameters(stored)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        argon2.Type.ID,
        19456,
        2,
        1,
    )


def test_an_old_hash_is_renewed_when_its_password_is_given(database: Database) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("given by the owner")
    with database.session() as session:
        session.add(Account(password_hash=old))
    with database.reading() as session:
        assert account.verify(session, "given by the owner")
        assert session.get_one(Account, 1).password_hash == old
    with database.session() as session:
        assert not account.verify(session, "wrong")
        assert session.get_one(Account, 1).password_hash == old
        assert account.verify(session, "given by the owner")
    with database.session() as session:
        assert session.get_one(Account, 1).password_hash != old
        assert account.verify(session, "given by the owner")


def test_a_new_password_signs_out_every_other_browser(database: Database) -> None:
    with database.session() as session:
        account.ensure(session, "the first one")
        here, there = sessions.begin(session, ""), sessions.begin(session, "")
        account.change_password(session, "the second one", keep=here)
        assert sessions.find(session, here) is not None
        assert sessions.find(session, there) is None
        assert account.verify(session, "the second one")


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_that_is_too_short_or_too_long_is_refused(database: Database, password: str) -> None:
    with database.session() as session, pytest.raises(account.WeakPassword, match="8 to 1024"):
        account.change_password(session, password)


def test_an_endless_password_is_wrong_without_hashing_it(database: Database) -> None:
    with database.session() as session:
        account.ensure(session, "given by the owner")
        assert not account.verify(session, "x" * 10_000_000)


def test_the_key_is_made_once_for_its_owner_alone(sqlite_settings: Settings) -> None:
    key = account.secret_key(sqlite_settings)
    assert len(key) == 64
    assert account.secret_key(sqlite_settings) == key
    assert (sqlite_settings.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in sqlite_settings.data_dir.iterdir()] == ["secret_key"]


def test_many_that_need_the_key_at_once_get_the_same(sqlite_settings: Settings) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(account.secret_key(sqlite_settings))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_key_that_others_could_read_is_closed_to_them(sqlite_settings: Settings) -> None:
    account.secret_key(sqlite_settings)
    path = sqlite_settings.data_dir / "secret_key"
    path.chmod(0o644)
    account.secret_key(sqlite_settings)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_set_wins(tmp_path: Path) -> None:
    assert account.secret_key(Settings(data_dir=tmp_path, secret_key="mine")) == "mine"
    assert list(tmp_path.iterdir()) == []


def test_a_spoilt_key_is_one_sentence(sqlite_settings: Settings) -> None:
    account.secret_key(sqlite_settings)
    (sqlite_settings.data_dir / "secret_key").write_text("short")
    with pytest.raises(ScoutError, match="too short"):
        account.secret_key(sqlite_settings)


def test_a_key_that_cannot_be_kept_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnusable, match="data directory"):
        account.secret_key(Settings(data_dir=tmp_path / "file"))


@pytest.mark.parametrize(
    ("length", "words"),
    [(8, "short"), (11, "short"), (12, "fair"), (14, "fair"), (15, "good"), (19, "good"), (20, "strong")],
)
def test_a_password_is_as_strong_as_it_is_long(length: int, words: str) -> None:
    assert account.strength("x" * length).split(",")[0] == words
