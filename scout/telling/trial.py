"""Trying a channel: a message with what matches now, as a test. Nothing counts as told by it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from scout import clock, jobs, searches
from scout.models import SavedSearch
from scout.settings import Settings
from scout.telling.channels import Channel
from scout.telling.mail import Refused
from scout.telling.words import SHOWN, Story, item


def story(session: Session, search: SavedSearch, settings: Settings) -> Story:
    """What a test of a search says: its best matches of now.

    Raises:
        SearchUnusable: The search was kept by another version of the program.
    """
    best = jobs.find(session, searches.query_of(search, sort="score", per_page=SHOWN)).jobs
    items = [item(job, settings.pages) for job in best]
    return Story(search.name, items, settings.pages, lead="A test: what matches now.")


def send(
    told: Story, name: str, known: Mapping[str, Channel], settings: Settings, limit: float | None = None
) -> str:
    """Send a test by a channel; why it was not taken, or empty if it was.

    Args:
        told: What it says.
        name: The channel's name.
        known: The channels there are.
        settings: Where the file of channels is.
        limit: Seconds after which it is given up; None for those of a message.
    """
    if name not in known:
        return f"There is no such channel in {settings.channels_file}."
    try:
        known[name].send(told, f"test.{clock.now().timestamp():.0f}.{name}", limit=limit)
    except Refused as error:
        return str(error)
    return ""
