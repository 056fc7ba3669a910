"""The watchlist: which boards are scanned."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from redis import Redis
from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from scout import clock, courtesy, endings, jobs, schedule, sources
from scout.courtesy import CircuitState, Standing
from scout.errors import ScoutError
from scout.identity import contents
from scout.models import Appointment, Job, Listing, Note, ScanState, Source, Status
from scout.schedule import Due
from scout.settings import Settings
from scout.sources.board import Board

Health = Literal["new", "ok", "partial", "failing", "paused"]

_SLUG_LENGTH = 60


class AlreadyWatched(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The board is on the list."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"This board is watched already, as {slug}. `scout sources list` shows all.")
        self.slug = slug


class UnknownSource(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """No source has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no source {slug!r}. `scout sources list` shows the sources there are.")
        self.slug = slug


def add(session: Session, board: Board, name: str = "") -> Source:
    """Watch a board. Its first scan is due at once.

    Args:
        session: A read-write session.
        board: The board, as `scout.sources.recognise` gives it.
        name: What to call it; empty means the company's name, else the board's own, else its token.

    Raises:
        AlreadyWatched: It is on the list; the text names its slug.
    """
    same = select(Source.slug).where(Source.kind == board.kind, Source.token == board.token)
    slug = session.scalar(same)
    if slug is not None:
        raise AlreadyWatched(slug)
    source = Source(
        slug=_free_slug(session, board),
        kind=board.kind,
        token=board.token,
        name=(name.strip() or board.company or board.title or _bare(board))[:200],
        url=board.url,
        added_at=clock.now(),
        next_scan_at=clock.now(),
        next_scan_why="just added",
    )
    try:
        with session.begin_nested():
            session.add(source)
    except IntegrityError:
        # Another process added it, or took the slug, since we looked.
        slug = session.scalar(same)
        if slug is None:
            raise
        raise AlreadyWatched(slug) from None
    return source


def _bare(board: Board) -> str:
    # A token may be a whole address, or have the host in front: what tells boards apart is the host.
    if "://" in board.token:
        return (urlsplit(board.token).hostname or board.token).removeprefix("www.")
    return board.token


def _free_slug(session: Session, board: Board) -> str:
    named = board.company if "://" in board.token and board.company else board.title or _bare(board)
    plain = slugify(named) or board.kind
    taken = set(session.scalars(select(Source.slug).where(Source.slug.startswith(plain, autoescape=True))))
    number = 1
    slug = plain
    while slug in taken:
        number += 1
        slug = f"{plain}-{board.kind}" if number == 2 else f"{plain}-{board.kind}-{number - 1}"  # noqa: PLR2004 - counts from the second
    return slug


def slugify(text: str) -> str:
    """Lower-case letters a to z, digits and single hyphens: safe in addresses, commands and metric labels."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_LENGTH].strip("-")


def get(session: Session, slug: str) -> Source:
    """The source with this slug.

    Raises:
        UnknownSource: There is none.
    """
    # PostgreSQL cannot even be asked for some texts, and no slug is such a one.
    plain = slug.isascii() and slug.isprintable()
    source = session.scalar(select(Source).where(Source.slug == slug)) if plain else None
    if source is None:
        raise UnknownSource(slug)
    return source


def every(session: Session) -> list[Source]:
    """All sources, by name."""
    return sorted(session.scalars(select(Source)), key=lambda source: (source.name.casefold(), source.id))


def pause(session: Session, slug: str) -> Source:
    """Stop scanning a source until it is resumed. Its jobs stay as they are.

    Raises:
        UnknownSource: There is none with this slug.
    """
    source = get(session, slug)
    source.paused = True
    return source


def resume(session: Session, slug: str) -> Source:
    """Scan a paused source again, beginning now. One that is not paused stays as it is.

    Raises:
        UnknownSource: There is none with this slug.
    """
    source = get(session, slug)
    if source.paused:
        source.paused = False
        source.next_scan_at = clock.now()
        source.next_scan_why = "resumed"
    return source


def remove(session: Session, slug: str) -> None:
    """Watch a board no longer.

    Its listings go. A job that only this board listed goes with them, unless the owner decided something
    about it, planned something or wrote a note: then it stays, as one that no board lists any more.

    Raises:
        UnknownSource: There is none with this slug.
    """
    source = get(session, slug)
    other = aliased(Listing)
    elsewhere = exists().where(other.job_id == Listing.job_id, other.source_id != source.id)
    only_here = select(Listing.job_id).where(Listing.source_id == source.id, ~elsewhere)
    untouched = [Status.NEW, Status.CLOSED]
    noted = exists().where(Note.job_id == Job.id)
    planned = Job.next_action_on.is_not(None) | (Job.next_action != "")
    planned |= exists().where(Appointment.job_id == Job.id)
    session.execute(
        delete(Job).where(Job.id.in_(only_here), Job.status.in_(untouched), ~noted, ~planned),
        execution_options={"synchronize_session": False},
    )
    still_open = exists().where(
        other.job_id == Listing.job_id, other.source_id != source.id, other.closed_at.is_(None)
    )
    listed_here = select(Listing.job_id).where(Listing.source_id == source.id, ~still_open)
    left = session.scalars(select(Job).where(Job.id.in_(listed_here), Job.closed_at.is_(None))).all()
    for job in left:
        jobs.close(session, job)
    elsewhere_too = session.scalars(
        select(Listing.job_id).where(Listing.source_id == source.id, Listing.content.is_not(None))
    ).all()
    session.delete(source)
    session.flush()
    contents.compose(session, elsewhere_too)
    # What was loaded before may be gone.
    session.expire_all()


def health(source: Source) -> Health:
    """How a source fares, in one word: `paused`, `new` (never scanned), `ok`, `partial` or `failing`."""
    if source.paused:
        return "paused"
    match source.last_state:
        case ScanState.FAILED:
            return "failing"
        case ScanState.PARTIAL:
            return "partial"
        case ScanState.SUCCEEDED:
            return "partial" if source.suspicious else "ok"
        case _:
            return "new"


def schedule_own(
    session: Session,
    slug: str,
    settings: Settings,
    changes: Mapping[str, float | str | None],
) -> Source:
    """Give a source a schedule of its own, and plan its next scan by it.

    Args:
        session: A read-write session.
        slug: The source.
        settings: Say what holds where the source says nothing.
        changes: New values of `interval_minutes`, `quiet_hours` and `time_zone`; None is the usual one.

    Raises:
        UnknownSource: There is none with this slug.
    """
    source = get(session, slug)
    for name, value in changes.items():
        setattr(source, name, value)
    if source.last_scan_at is not None:
        planned = endings.next_scan(session, source, settings, source.last_scan_at)
        # One that is due already waits for the end of its quiet hours, as the scheduler sees to.
        endings.plan(source, Due(max(planned.at, clock.now()), planned.why))
    return source


def left_alone(connection: Redis, every: Sequence[Source]) -> dict[int, Standing]:
    """The sources whose origin is not asked as usual, by id, and how it stands.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    asked = {source.id: sources.asked_at(source.kind, url=source.url, token=source.token) for source in every}
    if not any(asked.values()):
        return {}
    known = courtesy.standings(connection, sorted({origin for each in asked.values() for origin in each}))
    worst = {
        source_id: max((known[origin] for origin in each), key=_how_unusual)
        for source_id, each in asked.items()
        if each
    }
    return {source_id: standing for source_id, standing in worst.items() if standing.unusual}


def _how_unusual(standing: Standing) -> tuple[bool, float]:
    return standing.unusual, standing.seconds


def told(standing: Standing) -> str:
    """How an origin stands that is not asked as usual, in a sentence."""
    host = standing.origin.partition("://")[2]
    wait = schedule.words(dt.timedelta(seconds=max(1.0, standing.seconds)))
    match standing.circuit:
        case CircuitState.OPEN:
            return f"Scans of {host} kept failing, so it is left alone for another {wait}."
        case CircuitState.HALF_OPEN:
            return f"Scans of {host} kept failing; the next one tries it again."
        case CircuitState.CLOSED:
            return f"{host} asked to be left alone for another {wait}."


def add_starters(session: Session) -> int:
    """Watch every board of the starter list that is not watched yet. Gives how many were added."""
    from scout.sources import starter  # noqa: PLC0415 - the list is only needed once in a data directory's life

    added = 0
    for board in starter.boards():
        try:
            add(session, board)
        except AlreadyWatched:
            continue
        added += 1
    return added


def as_dict(source: Source) -> dict[str, Any]:
    """A source as JSON: what `scout sources list --json` and the API give. Times are ISO 8601 in UTC."""
    return {
        "id": source.id,
        "slug": source.slug,
        "name": source.name,
        "kind": source.kind,
        "token": source.token,
        "url": source.url,
        "paused": source.paused,
        "health": health(source),
        "added_at": clock.iso(source.added_at),
        "last_scan_at": clock.iso(source.last_scan_at),
        "last_success_at": clock.iso(source.last_success_at),
        "last_status": source.last_state.value if source.last_state else None,
        "last_reason": source.last_reason,
        "last_error": source.last_error,
        "failures": source.failures,
        "suspicious": source.suspicious,
        "next_scan_at": None if source.paused else clock.iso(source.next_scan_at),
        "next_scan_why": "" if source.paused else source.next_scan_why,
        "interval_minutes": source.interval_minutes,
        "quiet_hours": source.quiet_hours,
        "time_zone": source.time_zone,
    }
