from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scout import account, clock, watchlist, welcome
from scout.database import Database
from scout.models import Job, Listing, Source
from scout.postings import Remote
from scout.settings import Settings, load
from scout.sources.board import Board
from tests.databases import make_tables
from tests.unit.web.browser import PASSWORD, Browser
from webapp import create_app
from webapp.parts import Parts


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the owner's account, to copy."""
    folder = tmp_path_factory.mktemp("template")
    settings = load({"SCOUT_DATA_DIR": str(folder)})
    make_tables(settings)
    database = Database.open(settings)
    with database.session() as session:
        account.ensure(session, PASSWORD)
        welcome.over(session)
    database.dispose()
    return folder / "scout.sqlite3"


@pytest.fixture
def settings(tmp_path: Path, template: Path) -> Settings:
    """Settings with nobody at the other end: no Redis, no exporters."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(template, folder / "scout.sqlite3")
    return load(
        {
            "SCOUT_DATA_DIR": str(folder),
            "SECRET_KEY": "k" * 64,
            "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
            "STATSD_EXPORTER_URL": "http://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    parts: Parts = app.extensions["scout"]
    parts.close()


@pytest.fixture
def db(app: Flask) -> Database:
    parts: Parts = app.extensions["scout"]
    return parts.database


@pytest.fixture
def visitor(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def owner(app: Flask) -> Browser:
    browser = Browser(app)
    browser.sign_in()
    return browser


@pytest.fixture
def source(db: Database) -> Source:
    with db.session() as session:
        return watchlist.add(
            session, Board(kind="lever", token="acme", company="Acme", url="https://jobs.lever.co/acme")
        )


@pytest.fixture
def add_job(db: Database, source: Source) -> Callable[..., int]:
    """Keeps a job and gives its id."""
    made: list[int] = []

    def add(**fields: object) -> int:
        number = len(made) + 1
        values: dict[str, object] = {
            "title": f"Identity Engineer {number}",
            "company": "Acme",
            "url": f"https://jobs.lever.co/acme/{number}",
            "locations": ["Berlin"],
            "remote": Remote.REMOTE,
            "score": 50,
            "reasons": [{"term": "identity", "where": "title", "points": 50}],
            "description_html": "<p>Keep the keys.</p>",
            "description_text": "Keep the keys.",
            "first_seen_at": clock.now() - dt.timedelta(hours=number),
        }
        with db.session() as session:
            job = Job(**{**values, **fields})
            session.add(job)
            session.flush()
            session.add(
                Listing(
                    source_id=source.id,
                    source_job_id=str(number),
                    job_id=job.id,
                    url=f"https://jobs.lever.co/acme/{number}",
                    digest="-",
                )
            )
            made.append(job.id)
            return job.id

    return add


@pytest.fixture
def answers(owner: Browser) -> Callable[[str], TestResponse]:
    return owner.get
