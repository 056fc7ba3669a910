"""A database, a clock that tests move, a file of channels, and servers that take messages or do not."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from scout import clock, searches
from scout.database import Database
from scout.jobs import JobQuery
from scout.models import Job, Message, SavedSearch, Tells
from scout.searches import Wish
from scout.settings import Settings
from scout.telling import channels, teller
from scout.telling.teller import Told
from tests import kept
from tests.databases import make_tables
from tests.ports import free_port
from tests.serving import Asked, Reply, Server, reply, serving

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


class Telling:
    """What a test of telling needs."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.time = NOON
        monkeypatch.setattr(clock, "now", lambda: self.time)
        make_tables(settings)
        self.db = Database.open(settings)

    def later(self, **span: float) -> None:
        self.time += dt.timedelta(**span)

    def write_channels(self, **addresses: str) -> None:
        path = self.settings.channels_file
        path.write_text("".join(f"{name} = {address}\n" for name, address in addresses.items()))
        path.chmod(0o600)

    def add(self, *names: str, **wish: Any) -> SavedSearch:
        """A search that tells by these channels, at once unless said otherwise."""
        usual = {"name": "IAM", "query": {}, "tells": Tells.INSTANT, "timezone": "UTC", "channels": names}
        with self.db.session() as session:
            return searches.add(session, Wish(**{**usual, **wish}), channels.load(self.settings))

    def job(self, title: str = "IAM Engineer", **fields: Any) -> int:
        """A job that is found now."""
        with self.db.session() as session:
            usual = {"first_seen_at": self.time, "score": 70}
            return kept.job(session, title, **{**usual, **fields}).id

    def move(self, job_id: int, **fields: Any) -> None:
        with self.db.session() as session:
            job = session.get_one(Job, job_id)
            for name, value in fields.items():
                setattr(job, name, value)

    def tell(self) -> Told:
        return teller.tell(self.db, self.settings, worker="test")

    def messages(self) -> list[Message]:
        with self.db.reading() as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def search(self, slug: str = "iam") -> SavedSearch:
        with self.db.reading() as session:
            return searches.get(session, slug)

    def found(self, search: SavedSearch) -> JobQuery:
        return searches.query_of(search)


class Hook:
    """A web hook that answers as told; what it was sent, as JSON."""

    def __init__(self) -> None:
        self.answer: Reply = reply(b"ok")
        self.server: Server | None = None

    def __call__(self, asked: Asked) -> Reply:
        return self.answer

    @property
    def address(self) -> str:
        """As Apprise takes it; it gives up after a second of silence."""
        assert self.server is not None
        return f"json://127.0.0.1:{self.server.port}/secret-path?cto=1&rto=1"

    @property
    def asked(self) -> list[Asked]:
        assert self.server is not None
        return self.server.asked

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.asked]


class Post:
    """A mail server: what it took, and what it answers instead of taking a message."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 taken"
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append((envelope.rcpt_tos, message))
        return self.answer

    def address(self, to: str = "owner@example.com", user: str = "") -> str:
        return f"smtp://{user}127.0.0.1:{self.port}/?from=scout@example.com&to={to}&tls=off"


@pytest.fixture
def telling(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    yield from _telling(sqlite_settings, monkeypatch)


@pytest.fixture
def any_telling(any_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    """The same on each database in turn; needs the fixtures of `tests.databases`."""
    yield from _telling(any_settings, monkeypatch)


def _telling(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    settings.data_dir.mkdir(exist_ok=True)
    world = Telling(settings, monkeypatch)
    yield world
    world.db.dispose()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    with serving(hook) as server:
        hook.server = server
        yield hook


@pytest.fixture
def post() -> Iterator[Post]:
    post = Post()
    post.port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=post.port)
    controller.start()
    try:
        yield post
    finally:
        with contextlib.suppress(RuntimeError):
            controller.stop()
