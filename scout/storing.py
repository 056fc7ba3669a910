"""Storing what a scan read: what is new, changed, unchanged, back again, or gone from a board.

A listing is (source, the source's own job id), and the database keeps it unique. Content is compared by a
fingerprint, and an unchanged posting costs no write: that a whole listing named it is told by its source's
one time (`Listing.seen_at`). Nothing here touches what the owner decided: statuses move only through
`scout.jobs.close` and `scout.jobs.reopen`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scout import clock, history, jobs
from scout.database import in_parts, reserved_ids
from scout.identity import contents, joining, keys, merging, reposts, resemblance
from scout.leases import changed
from scout.matching import Match
from scout.models import Description, Job, Listing, Status
from scout.postings import Place, Posting, Salary
from scout.searching import index, standing

#: Complete listings in a row that must lack a posting before it counts as closed.
ABSENCES = 2

#: From this many listed postings on, a listing of fewer than half of them is not believed at once.
GUARDED_FROM = 10

# dataclasses.asdict() would copy deeply, at a tenth of the whole cost of storing.
_PLACE = tuple(each.name for each in dataclasses.fields(Place))
_SALARY = tuple(each.name for each in dataclasses.fields(Salary))
_ID_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Known:
    """A listing as the database has it."""

    listing_id: int
    job_id: int
    digest: str
    closed: bool
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting to be written, with its fingerprint and how it matches."""

    posting: Posting
    digest: str
    match: Match


@dataclass(slots=True)
class Stored:
    """What one batch did, in listings."""

    new: int = 0
    updated: int = 0
    reopened: int = 0
    new_scores: list[int] = field(default_factory=list)
    """How well each new one matches."""
    known: dict[str, Known] = field(default_factory=dict)
    """The batch's written listings as they are now, by the source's job id."""


def digest(posting: Posting) -> str:
    """The fingerprint of a posting's content.

    The date of publication is left out: boards move it without a change of the posting, and a date in the
    future is read as today's, so it would make old postings look edited every day. So is what
    `scout.normalise.completed` adds: it follows from the rest, and a better reading of it is no edit.
    """
    pay = posting.salary
    content = (
        posting.title, posting.company, posting.url, posting.locations, posting.remote.value,
        posting.remote_evidence,
        pay and (pay.minimum, pay.maximum, pay.currency, pay.period, pay.origin, pay.raw),
        posting.employment_type, posting.department, posting.requisition_id, posting.tags,
    )  # fmt: skip
    # repr tells ('a', 'b') from ('ab',), and writes NUL and lone surrogates as plain escapes. A description
    # would take it longer than all the rest, and stands at the end, where it can be told from what is before.
    told = hashlib.sha256(repr(content).encode())
    told.update((posting.description_html or posting.description_text).encode("utf-8", "surrogatepass"))
    return told.hexdigest()


_BRIEF = "brief "


def brief(digest: str) -> str:
    """The fingerprint of a posting that is stored without its details: never that of one that has them."""
    return f"{_BRIEF}{digest[len(_BRIEF) :]}"


def is_brief(digest: str) -> bool:
    """Whether a stored fingerprint is that of a posting whose details are still to be asked for."""
    return digest.startswith(_BRIEF)


def identity(posting: Posting) -> str:
    """The source's job id as it is stored: an absurdly long one is cut, and a fingerprint keeps it unique."""
    own = _clean(posting.source_job_id)
    if len(own) <= _ID_LENGTH:
        return own
    mark = hashlib.sha256(own.encode()).hexdigest()
    return own[: _ID_LENGTH - len(mark)] + mark


def known_listings(session: Session, source_id: int) -> dict[str, Known]:
    """All listings of a source, by the source's job id."""
    rows = session.execute(
        select(
            Listing.source_job_id,
            Listing.id,
            Listing.job_id,
            Listing.digest,
            Listing.closed_at,
            Listing.missing,
        ).where(Listing.source_id == source_id)
    )
    return {row[0]: Known(row[1], row[2], row[3], row[4] is not None, row[5]) for row in rows}


def write(session: Session, source_id: int, entries: Sequence[Entry], known: dict[str, Known]) -> Stored:
    """Store one batch in the running transaction.

    Args:
        session: The transaction.
        source_id: The source that was read.
        entries: Postings that are new, changed, or back after they were closed; each id once.
        known: The source's listings as this scan knows them; not altered here, since the transaction may
            fail.
    """
    now = clock.now()
    stored = Stored()
    fresh = [entry for entry in entries if identity(entry.posting) not in known]
    seen_before = [
        (entry, known[identity(entry.posting)]) for entry in entries if identity(entry.posting) in known
    ]
    if fresh:
        seen_before += _insert(session, source_id, fresh, now, stored)
    if seen_before:
        _update(session, source_id, seen_before, now, stored)
    return stored


def touch(session: Session, listings: Iterable[Known]) -> None:
    """Note that listings were seen again as they were, in a listing whose end tells nothing."""
    now = clock.now()
    for ids in in_parts([each.listing_id for each in listings]):
        changed(session, update(Listing).where(Listing.id.in_(ids)).values(last_seen_at=now, missing=0))


def seen_again(session: Session, listings: Iterable[Known]) -> None:
    """Forget the absences of listings that a whole listing named."""
    for ids in in_parts([each.listing_id for each in listings if each.missing]):
        changed(session, update(Listing).where(Listing.id.in_(ids)).values(missing=0))


def open_count(session: Session, source_id: int) -> int:
    """How many open listings a source has."""
    return session.scalar(
        select(func.count()).where(Listing.source_id == source_id, Listing.closed_at.is_(None))
    ) or 0  # fmt: skip


def vanished(listed: int, seen: int) -> bool:
    """Whether a complete listing is too short to be believed.

    Args:
        listed: Open listings before the scan.
        seen: Postings that the board named now.
    """
    return listed > 0 and (seen == 0 or (listed >= GUARDED_FROM and seen * 2 < listed))


def close_absent(
    session: Session, source_id: int, seen: set[str], absences: int = ABSENCES
) -> tuple[int, bool]:
    """Count an absence for each open listing that a complete listing did not name, and close those due.

    A job closes with its last open listing. If it is still `new` its status follows; what the owner decided
    stays.

    Returns:
        How many listings were closed, and whether absences wait for a second complete listing.
    """
    now = clock.now()
    rows = session.execute(
        select(Listing.id, Listing.source_job_id, Listing.job_id, Listing.missing).where(
            Listing.source_id == source_id, Listing.closed_at.is_(None)
        )
    ).all()
    absent = [row for row in rows if row.source_job_id not in seen]
    gone = [row for row in absent if row.missing + 1 >= absences]
    for ids in in_parts([row.id for row in absent]):
        changed(session, update(Listing).where(Listing.id.in_(ids)).values(missing=Listing.missing + 1))
    _close(session, source_id, [(row.id, row.job_id) for row in gone], now)
    return len(gone), len(absent) > len(gone)


def close_gone(session: Session, source_id: int, listings: Sequence[Known]) -> int:
    """Close listings of a source whose own pages it says are gone, and what follows; how many."""
    # Their jobs are asked for anew: a merge or a split may have moved them since the scan began.
    gone: list[tuple[int, int]] = []
    for ids in in_parts([each.listing_id for each in listings]):
        open_now = (Listing.id.in_(ids)) & Listing.closed_at.is_(None)
        gone += [
            (row.id, row.job_id)
            for row in session.execute(select(Listing.id, Listing.job_id).where(open_now))
        ]
    _close(session, source_id, gone, clock.now())
    return len(gone)


def _close(session: Session, source_id: int, gone: Sequence[tuple[int, int]], now: dt.datetime) -> None:
    """Close listings, each given with its job: jobs close with their last one, others say what is left."""
    for ids in in_parts([listing_id for listing_id, _ in gone]):
        changed(session, update(Listing).where(Listing.id.in_(ids)).values(closed_at=now))
    closed: list[int] = []
    for ids in in_parts([job_id for _, job_id in gone]):
        closed += _close_jobs(session, ids, now)
    shared = contents.with_own_content(session, [listing_id for listing_id, _ in gone])
    contents.compose(session, {job_id for listing_id, job_id in gone if listing_id in shared})
    reposts.link_closed(session, source_id, closed)


def _close_jobs(session: Session, job_ids: Sequence[int], now: dt.datetime) -> list[int]:
    still_listed = exists().where(Listing.job_id == Job.id, Listing.closed_at.is_(None))
    unlisted = session.scalars(select(Job).where(Job.id.in_(job_ids), ~still_listed)).all()
    for job in unlisted:
        jobs.close(session, job, now)
    return [job.id for job in unlisted]


def _insert(
    session: Session, source_id: int, entries: Sequence[Entry], now: dt.datetime, stored: Stored
) -> list[tuple[Entry, Known]]:
    """Insert jobs with their listings. Returns those that somebody else had inserted meanwhile."""
    told = [keys.of(entry.posting) for entry in entries]
    belongs = joining.belonging(session, source_id, [entry.posting for entry in entries], told, now)
    there = contents.lock(session, {each.job_id for each in belongs if each and each.job_id is not None})
    joins = {
        at: each
        for at, each in enumerate(belongs)
        if each is not None and not each.anew and (each.job_id is None or each.job_id in there)
    }
    own = [at for at in range(len(entries)) if at not in joins]
    anew = {at: each.job_id for at, each in enumerate(belongs) if each and each.anew and each.job_id in there}
    # Rows go by the tables and with ids of their own: a statement for all of them, where each would need one
    # to tell its id, and other writers wait meanwhile.
    connection = session.connection()
    made = reserved_ids(session, Job, len(own))
    job_of = dict(zip(own, made, strict=True))
    if own:
        with index.texts_follow():
            connection.execute(
                insert(Job.__table__),  # type: ignore[arg-type]
                [
                    {
                        **_content(entries[at]),
                        "id": job_of[at],
                        "status": Status.NEW,
                        "first_seen_at": now,
                        "repost_of_id": anew.get(at),
                        "version": 1,
                    }
                    for at in own
                ],
            )
            connection.execute(
                insert(Description.__table__),  # type: ignore[arg-type]
                [{"job_id": job_of[at], **_description(entries[at])} for at in own],
            )
        resemblance.mark(
            session,
            [
                (job_of[at], entries[at].posting.description_text)
                for at in own
                if entries[at].match.score >= resemblance.WORTH
            ],
        )
    for at, each in joins.items():
        job_of[at] = job_of[each.entry] if each.entry is not None else each.job_id or 0
    shared = {job_of[at] for at in joins}
    for job in contents.loaded(session, sorted(shared.difference(made))):
        contents.kept_apart(job)
    session.flush()
    ids = reserved_ids(session, Listing, len(entries))
    rows = [
        {
            "id": ids[at],
            "source_id": source_id,
            "source_job_id": identity(entry.posting),
            "job_id": job_of[at],
            "url": _clean(entry.posting.url),
            "digest": entry.digest,
            "first_seen_at": now,
            "last_seen_at": now,
            "missing": 0,
            **_keys(told[at]),
            "content": _own_content(entry) if job_of[at] in shared else None,
        }
        for at, entry in enumerate(entries)
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(Listing.__table__).on_conflict_do_nothing(
            index_elements=["source_id", "source_job_id"]
        ),
        rows,
    )
    written = set(session.scalars(select(Listing.id).where(Listing.id.in_(ids))))
    inserted = {
        row["source_job_id"]: Known(row["id"], row["job_id"], row["digest"], closed=False)
        for row in rows
        if row["id"] in written
    }
    stored.new += len(inserted)
    stored.new_scores += [entries[at].match.score for at in own if identity(entries[at].posting) in inserted]
    stored.known.update(inserted)
    _join(session, joins, entries, inserted, now)
    reposts.counted(session, sum(1 for at in anew if identity(entries[at].posting) in inserted))
    lost = [entry for entry in entries if identity(entry.posting) not in inserted]
    if not lost:
        return []
    orphans = set(made).difference(known.job_id for known in inserted.values())
    changed(session, Job.__table__.delete().where(Job.id.in_(orphans)))  # type: ignore[attr-defined]
    theirs = known_listings(session, source_id)
    return [(entry, theirs[identity(entry.posting)]) for entry in lost]


def _join(
    session: Session,
    joins: dict[int, joining.Belongs],
    entries: Sequence[Entry],
    inserted: dict[str, Known],
    now: dt.datetime,
) -> None:
    """What follows once listings were inserted that belong to jobs of others."""
    if not joins:
        return
    records: list[tuple[int, int, str, str]] = []
    for at, each in joins.items():
        known = inserted.get(identity(entries[at].posting))
        if known is not None:
            records.append((known.job_id, known.listing_id, each.verdict.tier, each.verdict.why))
    merging.attached(session, records, now)
    attached_to = {job_id for job_id, *_ in records}
    for job in session.scalars(select(Job).where(Job.id.in_(attached_to), Job.closed_at.is_not(None))):
        jobs.reopen(session, job)
    contents.compose(session, attached_to)


def _update(
    session: Session,
    source_id: int,
    pairs: Sequence[tuple[Entry, Known]],
    now: dt.datetime,
    stored: Stored,
) -> None:
    edited = [(entry, known) for entry, known in pairs if entry.digest != known.digest]
    moved = [known.listing_id for entry, known in pairs if known.closed or entry.digest != known.digest]
    belongs = contents.belonging_to(session, moved)
    alone: list[tuple[Entry, int, int]] = []
    told: list[tuple[Entry, int, int]] = []
    for entry, known in edited:
        if known.listing_id in belongs:
            job_id, shared = belongs[known.listing_id]
            (told if shared else alone).append((entry, known.listing_id, job_id))
    if alone:
        rows = [(job_id, *columns(entry)) for entry, _, job_id in alone]
        brief_ones = {known.listing_id for _, known in edited if is_brief(known.digest)}
        filled = {job_id for _, listing_id, job_id in alone if listing_id in brief_ones}
        told_of = {job_id: {**content, **description} for job_id, content, description in rows}
        history.keep_edits(session, source_id, told_of, filled=filled, at=now)
        # The version is left alone: it guards the owner's own changes, and the board's touch none of them.
        session.connection().execute(
            update(Job.__table__).where(Job.__table__.c.id == bindparam("job")),  # type: ignore[arg-type]
            [{**content, "changed_at": now, "job": job_id} for job_id, content, _ in rows],
        )
        session.connection().execute(
            update(Description.__table__).where(Description.__table__.c.job_id == bindparam("job")),  # type: ignore[arg-type]
            [{**description, "job": job_id} for job_id, _, description in rows],
        )
        resemblance.mark(
            session,
            [
                (job_id, entry.posting.description_text)
                for entry, _, job_id in alone
                if entry.match.score >= resemblance.WORTH
            ],
            anew=True,
        )
    if told:
        session.connection().execute(
            update(Listing.__table__).where(Listing.__table__.c.id == bindparam("listing")),  # type: ignore[arg-type]
            [{"content": _own_content(entry), "listing": listing_id} for entry, listing_id, _ in told],
        )
    session.connection().execute(
        update(Listing.__table__).where(Listing.__table__.c.id == bindparam("listing")),  # type: ignore[arg-type]
        [
            {
                "url": _clean(entry.posting.url),
                "digest": entry.digest,
                "last_seen_at": now,
                "missing": 0,
                "closed_at": None,
                **_keys(keys.of(entry.posting)),
                "listing": known.listing_id,
            }
            for entry, known in pairs
        ],
    )
    back = [known.listing_id for _, known in pairs if known.closed]
    reopened = {belongs[each] for each in back if each in belongs}
    if reopened:
        for job in session.scalars(select(Job).where(Job.id.in_({job_id for job_id, _ in reopened}))):
            jobs.reopen(session, job)
    if told:
        contents.edited(session, {job_id for _, _, job_id in told}, source_id, now)
    contents.compose(session, {job_id for job_id, shared in reopened if shared})
    stored.reopened += len(back)
    stored.updated += sum(1 for _, known in edited if not known.closed)
    for entry, known in pairs:
        stored.known[identity(entry.posting)] = Known(
            known.listing_id, known.job_id, entry.digest, closed=False
        )


def _marked(entry: Entry) -> bool:
    return entry.match.score >= resemblance.WORTH


def _content(entry: Entry) -> dict[str, Any]:
    posting = entry.posting
    title, company = _clean(posting.title), _clean(posting.company)[:300]
    department = _clean(posting.department)[:300]
    locations = [_clean(place) for place in posting.locations]
    pay = posting.salary
    places = [{name: _clean(getattr(place, name)) for name in _PLACE} for place in posting.places]
    salary = {name: getattr(pay, name) for name in _SALARY} if pay else None
    return {
        "title": title,
        "company": company,
        "url": _clean(posting.url),
        "locations": locations,
        "places": places,
        "remote": posting.remote,
        "remote_evidence": _clean(posting.remote_evidence)[:200],
        "remote_regions": list(posting.remote_regions),
        "level": posting.level[:20],
        "language": posting.language[:8],
        "salary": salary,
        "employment_type": _clean(posting.employment_type)[:40],
        "department": department,
        # A bulk UPDATE runs none of the column defaults that would derive them.
        "countries": standing.countries(places),
        "pay_yearly": standing.yearly(salary),
        "pay_currency": standing.currency(salary),
        "posted_at": posting.posted_at,
        "score": entry.match.score,
        "reasons": entry.match.reasons,
    }


def _own_content(entry: Entry) -> dict[str, Any]:
    description = _description(entry)
    return contents.of_values(_content(entry), description["html"], description["text"])


def _keys(told: keys.Keys) -> dict[str, Any]:
    return {"address_key": told.address, "role_key": told.role, "requisition": told.requisition}


def _description(entry: Entry) -> dict[str, str]:
    posting = entry.posting
    return {"html": _clean(posting.description_html), "text": _clean(posting.description_text)}


def _clean(text: str) -> str:
    """Text that both databases take: PostgreSQL refuses NUL, and neither stores a lone surrogate."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def columns(entry: Entry) -> tuple[dict[str, Any], dict[str, str]]:
    """What the rows of a job and of its description hold of a posting."""
    return _content(entry), _description(entry)
