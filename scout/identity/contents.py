"""What a job says when several boards list it: the best listing's words, and from the others what it lacks.

As long as a job has one listing, the job's own columns are what that listing says. From the second listing
on each keeps its own content (`Listing.content`), so that it can be split off as it was, and the job's
columns are composed anew whenever one of them changes, closes or comes back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from scout import chosen_profile, history, matching, sources
from scout.database import in_parts
from scout.identity.decision import Facts, towns
from scout.matching import Profile
from scout.models import Job, Listing
from scout.normalise.gazetteer import folded
from scout.postings import Place, Remote
from scout.sources.about import about

#: The columns that a listing's content is kept of, besides its description.
COLUMNS = (
    "title", "company", "url", "locations", "places", "remote", "remote_evidence", "remote_regions", "level",
    "language", "salary", "employment_type", "department", "posted_at",
)  # fmt: skip
#: What makes one of two listings more complete: each that it has counts.
_WEIGHED = ("salary", "locations", "employment_type", "department", "posted_at", "level", "remote_regions")
#: Filled from another listing where the best one says nothing.
_FILLED = ("salary", "employment_type", "department", "posted_at", "level", "company")
_WHOLE_TEXT = 400
_MOST_PLACES = 50
_JOBS_AT_ONCE = 500


def of_values(values: Mapping[str, Any], html: str, text: str) -> dict[str, Any]:
    """A listing's content, for JSON, out of the values of a job's columns and a description."""
    kept = {name: values[name] for name in COLUMNS}
    kept["remote"] = Remote(kept["remote"]).value
    if kept["posted_at"] is not None:
        kept["posted_at"] = kept["posted_at"].astimezone(dt.UTC).isoformat()
    return {**kept, "html": html, "text": text}


def of_job(job: Job) -> dict[str, Any]:
    """What a job's only listing says; the job's description must be loaded."""
    values = {name: getattr(job, name) for name in COLUMNS}
    return of_values(values, job.description_html, job.description_text)


def put(job: Job, content: Mapping[str, Any], profile: Profile) -> bool:
    """Let a job say what a content says, and match as that does; whether it said something else before."""
    other = False
    for name in COLUMNS:
        value = content[name]
        if name == "posted_at" and value is not None:
            value = dt.datetime.fromisoformat(value)
        elif name == "remote":
            value = Remote(value)
        if getattr(job, name) != value:
            setattr(job, name, value)
            other = True
    if (job.description_html, job.description_text) != (content["html"], content["text"]):
        job.description_html, job.description_text = content["html"], content["text"]
        other = True
    if other:
        match = matching.score(matching.posting_of(job, job.description_text), profile)
        job.score, job.reasons = match.score, match.reasons
    return other


def facts(content: Mapping[str, Any], requisition: str) -> Facts:
    """What is compared of a stored listing."""
    return Facts(
        title=content["title"],
        company=content["company"],
        url=content["url"],
        places=tuple(Place(**each) for each in content["places"]),
        remote=Remote(content["remote"]),
        level=content["level"],
        language=content["language"],
        requisition=requisition,
        text=content["text"],
    )


def gathers(kind: str) -> bool:
    """Whether a kind of board gathers many companies' jobs. One that is not known now counts as one."""
    known = sources.KINDS.get(kind)
    return known is None or about(known).gathers


def composed(listings: Sequence[Listing]) -> dict[str, Any]:
    """The content of a job with these listings, each with a content and its source.

    The first is the employer's own board before sites that gather jobs, then the most complete, then the one
    seen first; one that is closed counts only while no other is open.
    """
    ranked = sorted(listings, key=_rank)
    best, *others = [each.content for each in ranked if each.content is not None]
    content = dict(best)
    for other in others:
        for name in _FILLED:
            content[name] = content[name] or other[name]
        if not content["text"]:
            content |= {"html": other["html"], "text": other["text"], "language": other["language"]}
        if content["remote"] == Remote.UNKNOWN.value:
            content |= {name: other[name] for name in ("remote", "remote_evidence", "remote_regions")}
    still_open = [each.content for each in ranked[1:] if each.content is not None and each.closed_at is None]
    _add_places(content, still_open)
    return content


def _rank(listing: Listing) -> tuple[Any, ...]:
    content = listing.content or {}
    complete = sum(1 for name in _WEIGHED if content.get(name))
    complete += len(content.get("text", "")) >= _WHOLE_TEXT
    return (
        listing.closed_at is not None,
        gathers(listing.source.kind),
        -complete,
        listing.first_seen_at,
        listing.id,
    )


def _add_places(content: dict[str, Any], others: Iterable[Mapping[str, Any]]) -> None:
    """Add the towns that only others name: whoever may work there must find the job."""
    locations, places = list(content["locations"]), list(content["places"])
    named = {folded(each["city"]) for each in places if each["city"]}
    known = {folded(each) for each in locations}
    for other in others:
        if not locations:
            locations, places = list(other["locations"]), list(other["places"])
            named = {folded(each["city"]) for each in places if each["city"]}
            continue
        for place in other["places"]:
            town = folded(place["city"])
            if not town or not named or town in named or folded(place["raw"]) in known:
                continue
            if any(_same_town(place, mine) for mine in places) or len(places) >= _MOST_PLACES:
                continue
            named.add(town)
            locations.append(place["raw"])
            places.append(place)
    content["locations"], content["places"] = locations, places


def _same_town(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(towns([Place(**one)]).keys() & towns([Place(**other)]).keys())


def lock(session: Session, job_ids: Iterable[int]) -> set[int]:
    """Keep jobs from being changed by others until the commit; which of them there are.

    In the order of their ids, where the database locks rows: two that meet wait, in line.
    """
    ids = sorted(set(job_ids))
    found: set[int] = set()
    for some in in_parts(ids):
        found.update(
            session.scalars(select(Job.id).where(Job.id.in_(some)).order_by(Job.id).with_for_update())
        )
    return found


def belonging_to(session: Session, listing_ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """The jobs that listings belong to now, locked, and whether each keeps a content of its own.

    A merge or a split may have moved them since a scan began.
    """
    found = _jobs_of(session, listing_ids)
    lock(session, {job_id for job_id, _ in found.values()})
    # Read again: who held a lock before us may have moved them.
    return _jobs_of(session, listing_ids)


def _jobs_of(session: Session, listing_ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    found: dict[int, tuple[int, bool]] = {}
    for some in in_parts(listing_ids):
        rows = session.execute(
            select(Listing.id, Listing.job_id, Listing.content.is_not(None)).where(Listing.id.in_(some))
        )
        found |= {row[0]: (row[1], row[2]) for row in rows}
    return found


def with_own_content(session: Session, listing_ids: Sequence[int]) -> set[int]:
    """Those of some listings that keep a content of their own, since their jobs have others."""
    found: set[int] = set()
    for some in in_parts(listing_ids):
        found.update(
            session.scalars(select(Listing.id).where(Listing.id.in_(some), Listing.content.is_not(None)))
        )
    return found


def loaded(session: Session, job_ids: Sequence[int]) -> list[Job]:
    """Jobs as they are now, locked, with descriptions, listings and those listings' sources."""
    found: list[Job] = []
    for start in range(0, len(job_ids), _JOBS_AT_ONCE):
        some = sorted(job_ids[start : start + _JOBS_AT_ONCE])
        lock(session, some)
        found += session.scalars(
            select(Job)
            .where(Job.id.in_(some))
            .order_by(Job.id)
            .options(
                joinedload(Job.description),
                selectinload(Job.listings).joinedload(Listing.source, innerjoin=True),
            )
            .execution_options(populate_existing=True)
        )
    return found


def kept_apart(job: Job) -> None:
    """From here on each of a job's listings keeps its own content: a second one is about to come."""
    alone = [each for each in job.listings if each.content is None]
    if alone:
        content = of_job(job)
        for listing in alone:
            listing.content = content


def compose(session: Session, job_ids: Iterable[int]) -> None:
    """Compose the content of jobs anew out of their listings'; those with one listing are left alone."""
    _put(session, _composed(session, job_ids))
    session.flush()


def edited(session: Session, job_ids: Iterable[int], source_id: int, at: dt.datetime) -> None:
    """Compose jobs anew one of whose listings a source edited, and keep what that changes of them."""
    told = _composed(session, job_ids)
    said = {job.id: {**content, "remote": Remote(content["remote"])} for job, content in told}
    history.keep_edits(session, source_id, said, filled=(), at=at)
    for job in _put(session, told):
        job.changed_at = at
    session.flush()


def _composed(session: Session, job_ids: Iterable[int]) -> list[tuple[Job, dict[str, Any]]]:
    """Those of some jobs that several listings tell of, and what these say together."""
    found = []
    for job in loaded(session, sorted(set(job_ids))):
        told = [each for each in job.listings if each.content is not None]
        if told:
            found.append((job, composed(told)))
    return found


def _put(session: Session, told: Sequence[tuple[Job, dict[str, Any]]]) -> list[Job]:
    """Let jobs say what was composed for them; those that said something else before."""
    if not told:
        return []
    profile = chosen_profile.in_use(session)
    others = []
    for job, content in told:
        if put(job, content, profile):
            others.append(job)
    return others
