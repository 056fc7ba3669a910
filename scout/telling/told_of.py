"""A saved search for programs: all that is known of it, and what became of its messages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scout import account, searches
from scout.models import Message, MessageState, SavedSearch
from scout.settings import Settings

#: As `SavedSearch.weekday` counts them.
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Messages that are told of, the newest.
_MESSAGES = 10


def feeds(search: SavedSearch, settings: Settings) -> dict[str, str]:
    """The secret addresses of its feeds, by form: `atom` and `json`."""
    token = searches.feed_token(search, account.secret_key(settings))
    return {form: f"{settings.pages}/feeds/{token}.{form}" for form in ("atom", "json")}


def counts(session: Session, search: SavedSearch) -> dict[MessageState, int]:
    """How many of its messages are in each state."""
    states = session.scalars(select(Message.state).where(Message.search_id == search.id)).all()
    return {state: states.count(state) for state in MessageState}


def as_dict(session: Session, search: SavedSearch, settings: Settings) -> dict[str, Any]:
    """A search as JSON: what `scout searches list --json` and the API give. It holds the feeds' addresses."""
    last = select(Message).where(Message.search_id == search.id).order_by(Message.id.desc()).limit(_MESSAGES)
    return {
        "slug": search.slug,
        "name": search.name,
        "query": dict(search.query),
        "tells": search.tells.value,
        "every": search.every.value,
        "hour": search.hour,
        "day": DAYS[search.weekday],
        "channels": list(search.channels),
        "quiet": search.quiet,
        "timezone": search.timezone,
        "enabled": search.enabled,
        "next_digest_at": search.digest_at.isoformat() if search.digest_at else None,
        "feeds": feeds(search, settings),
        "messages_by_state": {state.value: count for state, count in counts(session, search).items()},
        "messages": [
            {
                "created_at": each.created_at.isoformat(timespec="seconds"),
                "state": each.state.value,
                "channel": each.channel,
                "jobs": each.jobs,
                "attempts": each.attempts,
                "sent_at": each.sent_at.isoformat() if each.sent_at else None,
                "reason": each.reason,
            }
            for each in session.scalars(last)
        ],
    }
