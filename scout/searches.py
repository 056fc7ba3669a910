"""Saved searches: what the owner wants to be told of, how, when and by which channels.

A search's feed has a secret address, so that a feed reader needs no password. The secret is not kept: it is
derived (HMAC-SHA-256) from the key of this installation (`scout.account.secret_key`), the search and the
number of times that the address was renewed. So the owner can see the address again at any time, a copy of
the database opens no feed, and renewing is counting on. With another key all feeds have other addresses.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scout import clock, jobs, watchlist
from scout.errors import ScoutError
from scout.jobs import JobQuery, Sort
from scout.models import Every, FoundJob, Job, SavedSearch, Status, Tells
from scout.searching import language
from scout.telling import hours

#: The statuses that a search without any of its own looks at: what the owner has not done with.
LIVE = (Status.NEW, Status.SAVED, Status.APPLIED, Status.INTERVIEWING, Status.OFFER)
#: `found_jobs.batch` of what was there before the search: it counts as told.
BEFORE = ""

#: Where counting what a search matches ends: more is told as "1,000+".
MOST_COUNTED = 1000

_PAGING = {"after", "before", "per_page"}
_PARTS = {each.name: each for each in dataclasses.fields(JobQuery) if each.name not in _PAGING}
_LONGEST_TEXT = language.LONGEST
_ROWS_PER_STATEMENT = 1000
_TOKEN = re.compile(r"([1-9][0-9]{0,8})-[0-9a-f]{40}")


class SearchUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A search that cannot be as it is asked for. The text says what is wrong and what to do."""


class SearchNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """No saved search has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no saved search {slug!r}. `scout searches list` shows the searches there are."
        )
        self.slug = slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What may be said of a search; None leaves it as it is, or at its default.

    Attributes:
        name: What to call it.
        query: What to look for: fields of `scout.jobs.JobQuery`, those of paging aside.
        tells: `instant`, `digest` or `feed`.
        every: Of a digest: `daily` or `weekly`.
        hour: Of a digest: the full hour, 0 to 23, in the search's time zone.
        weekday: Of a weekly digest: 0 (Monday) to 6.
        channels: Names of channels.
        quiet: Hours in which instant messages wait, such as `22:00-07:00`; empty for none.
        timezone: Name of a time zone, such as `Europe/Zurich`.
        enabled: Whether it tells at all.
    """

    name: str | None = None
    query: Mapping[str, Any] | None = None
    tells: Tells | None = None
    every: Every | None = None
    hour: int | None = None
    weekday: int | None = None
    channels: tuple[str, ...] | None = None
    quiet: str | None = None
    timezone: str | None = None
    enabled: bool | None = None


def add(session: Session, wish: Wish, channels: Iterable[str]) -> SavedSearch:
    """Keep a search. It begins from now: jobs that match already are not told of.

    Args:
        session: A read-write session.
        wish: What it is to be; its name is needed.
        channels: The names of the channels there are.

    Raises:
        SearchUnusable: Something about it cannot be, or its name is taken.
        HoursUnusable: Its time zone or quiet hours mean nothing.
        UnknownSource: It looks at a source that is not watched.
    """
    name = " ".join((wish.name or "").split())[:200]
    slug = watchlist.slugify(name)
    if not slug:
        raise SearchUnusable("Name the search, with a letter or digit in it, such as Remote IAM.")
    search = SavedSearch(
        slug=slug,
        name=name,
        uid=secrets.token_hex(16),
        query={},
        tells=Tells.FEED,
        every=Every.DAILY,
        hour=8,
        weekday=0,
        channels=[],
        quiet="",
        timezone=hours.zone_here(),
        enabled=True,
        feed_renewals=0,
        revision=1,
        created_at=clock.now(),
    )
    _apply(session, search, wish, channels)
    try:
        with session.begin_nested():
            session.add(search)
    except IntegrityError:
        raise SearchUnusable(
            f"There is a saved search {slug!r} already. Take another name, or change that one."
        ) from None
    _begin_from_now(session, search)
    return search


def change(session: Session, slug: str, wish: Wish, channels: Iterable[str]) -> SavedSearch:
    """Change a search. One that looks for something else, or tells again, begins from now once more.

    Raises:
        SearchNotFound: There is none with this slug.
        SearchUnusable: Something about it cannot be.
        HoursUnusable: Its time zone or quiet hours mean nothing.
        UnknownSource: It looks at a source that is not watched.
    """
    search = _locked(session, slug)
    before = (search.query, search.enabled and search.tells is not Tells.FEED)
    _apply(session, search, wish, channels)
    search.revision += 1
    session.flush()
    if (search.query, search.enabled and search.tells is not Tells.FEED) != before:
        _begin_from_now(session, search)
    return search


def renew_feed(session: Session, slug: str) -> SavedSearch:
    """Give the feed another secret address; the one before ends.

    Raises:
        SearchNotFound: There is none with this slug.
    """
    search = _locked(session, slug)
    search.feed_renewals += 1
    search.revision += 1
    session.flush()
    return search


def remove(session: Session, slug: str) -> None:
    """Forget a search, with what it found and the messages that wait.

    Raises:
        SearchNotFound: There is none with this slug.
    """
    session.delete(_locked(session, slug))


def get(session: Session, slug: str) -> SavedSearch:
    """The search with this slug.

    Raises:
        SearchNotFound: There is none.
    """
    plain = slug.isascii() and slug.isprintable()
    search = session.scalar(select(SavedSearch).where(SavedSearch.slug == slug)) if plain else None
    if search is None:
        raise SearchNotFound(slug)
    return search


def every(session: Session) -> list[SavedSearch]:
    """All searches, by name."""
    return sorted(session.scalars(select(SavedSearch)), key=lambda each: (each.name.casefold(), each.id))


def query_of(search: SavedSearch, **more: Any) -> JobQuery:
    """What a search looks for; without statuses of its own, only what the owner has not done with.

    Args:
        search: The search.
        more: Fields of `JobQuery` to be as given: order and paging.

    Raises:
        SearchUnusable: It was kept by another version of the program, with fields that this one lacks.
    """
    _known(search.query)
    kept: dict[str, Any] = dict(search.query)
    kept["statuses"] = tuple(Status(each) for each in kept.get("statuses", ())) or LIVE
    return JobQuery(**{**kept, **more})


def look_at_all(session: Session) -> None:
    """Have every search look through all jobs at its next turn, as after scores were computed anew."""
    for search in session.scalars(select(SavedSearch)):
        search.looked_to = None
    session.flush()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs a search matches now, and how many of them are unseen; each `MOST_COUNTED` at most."""

    matching: int
    news: int


def count(session: Session, search: SavedSearch) -> Counts:
    """Count what a search matches, to `MOST_COUNTED` and no further.

    Raises:
        SearchUnusable: It was kept by another version of the program.
    """
    found = jobs.ids(session, query_of(search))
    matching, news = (
        session.scalar(select(func.count()).select_from(which.limit(MOST_COUNTED).subquery())) or 0
        for which in (found, found.where(Job.looked_at.is_(None)))
    )
    return Counts(matching, news)


# --- The feed's secret address ----------------------------------------------------------------------------


def feed_token(search: SavedSearch, key: str) -> str:
    """The secret of the search's feed address.

    Args:
        search: The search.
        key: The key of this installation, `scout.account.secret_key`.
    """
    said = f"feed {search.uid} {search.feed_renewals}".encode()
    return f"{search.id}-{hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:40]}"


def by_feed_token(session: Session, token: str, key: str) -> SavedSearch | None:
    """The search whose feed has this secret, or None."""
    match = _TOKEN.fullmatch(token)
    search = session.get(SavedSearch, int(match[1])) if match else None
    if search is None or not hmac.compare_digest(feed_token(search, key), token):
        return None
    return search


# --- How a search is kept ---------------------------------------------------------------------------------


def _locked(session: Session, slug: str) -> SavedSearch:
    get(session, slug)
    # Whoever looks for news of the search waits until this change is done, and then sees it.
    statement = select(SavedSearch).where(SavedSearch.slug == slug).with_for_update()
    search = session.scalar(statement.execution_options(populate_existing=True))
    if search is None:
        raise SearchNotFound(slug)
    return search


def _apply(session: Session, search: SavedSearch, wish: Wish, channels: Iterable[str]) -> None:
    for field in dataclasses.fields(Wish):
        value = getattr(wish, field.name)
        if value is not None and field.name not in {"query", "channels", "name"}:
            setattr(search, field.name, value)
    if wish.name is not None:
        search.name = " ".join(wish.name.split())[:200] or search.name
    if wish.channels is not None:
        search.channels = list(dict.fromkeys(wish.channels))
        unknown = set(search.channels) - (known := set(channels))
        if unknown:
            there = f"There are: {', '.join(sorted(known))}." if known else "There is none yet."
            raise SearchUnusable(
                f"There is no channel {min(unknown)!r}. {there} docs/TELLING.md says how one is set up."
            )
    if wish.query is not None:
        search.query = _checked(session, wish.query)
    if search.tells is not Tells.FEED and not search.channels:
        raise SearchUnusable(
            f"A search that tells by {search.tells} needs a channel to tell by."
            " `scout searches channels` shows those there are; docs/TELLING.md says how one is set up."
        )
    hours.check_quiet(search.quiet)
    hours.zone(search.timezone)
    search.digest_at = None
    if search.tells is Tells.DIGEST:
        search.digest_at = next_digest(search)


def next_digest(search: SavedSearch) -> Any:
    """When the search's next digest is due, from now on."""
    return hours.next_digest(
        clock.now(),
        weekly=search.every is Every.WEEKLY,
        weekday=search.weekday,
        hour=search.hour,
        timezone=search.timezone,
    )


def _known(query: Mapping[str, Any]) -> None:
    unknown = set(query) - set(_PARTS)
    if unknown:
        raise SearchUnusable(f"This version of the program cannot search by {min(unknown)!r}.")


def _checked(session: Session, query: Mapping[str, Any]) -> dict[str, Any]:
    """The query as data, without what says nothing."""
    _known(query)
    kept = dict(query)
    if "text" in kept:
        kept["text"] = " ".join(str(kept["text"]).replace("\x00", " ").split())[:_LONGEST_TEXT]
    if kept.get("source"):
        watchlist.get(session, kept["source"])
    if kept.get("sort", "newest") not in get_args(Sort):
        raise SearchUnusable(f"There is no order {kept['sort']!r}: write {', '.join(get_args(Sort))}.")
    if "statuses" in kept:
        kept["statuses"] = [Status(each).value for each in kept["statuses"]]
    usual = JobQuery()
    return {name: value for name, value in kept.items() if value and value != getattr(usual, name)}


def _begin_from_now(session: Session, search: SavedSearch) -> None:
    """Count all that matches now as told."""
    if search.tells is Tells.FEED or not search.enabled:
        return
    now = clock.now()
    found = session.scalars(jobs.ids(session, query_of(search))).all()
    keep(session, search.id, found, batch=BEFORE)
    search.looked_to = now
    session.flush()


def keep(session: Session, search_id: int, job_ids: Iterable[int], *, batch: str | None) -> None:
    """Note jobs as found by a search; those that it found before stay as they are."""
    now = clock.now()
    rows = [{"search_id": search_id, "job_id": job_id, "found_at": now, "batch": batch} for job_id in job_ids]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(FoundJob).on_conflict_do_nothing(index_elements=["search_id", "job_id"])
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        session.execute(statement, rows[start : start + _ROWS_PER_STATEMENT])
