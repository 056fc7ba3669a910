"""Scoring what is kept again when the profile has changed, without a scan.

The newest `Scoring` says which profile the stored scores are of. The scheduler compares it with the profile
in use, asks for a round when they differ, and sees to the jobs that work on it: a few ranges of ids, each
with a cursor that moves on in the transaction that writes a batch. So it goes on after a kill where it was.

Scans go on meanwhile. One that begins after the round was asked for uses the new profile; what those that had
begun before stored since is scored once more at the end, when they are over. A batch is read and scored
outside of the transaction that writes it, and writes no job that a scan has changed in between.
"""

from __future__ import annotations

import datetime as dt
import enum
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session, selectinload

from metrics import catalogue
from metrics.instruments import count_error
from scout import chosen_profile, clock, matching, searches
from scout.database import Database
from scout.leases import changed
from scout.matching import Match, Profile
from scout.matching.stored import TERM_COLUMNS, WISH_COLUMNS, posting_of
from scout.models import Description, Job, ScanResult, ScanState, Scoring, ScoringPart
from scout.queue import Scans

logger = logging.getLogger(__name__)

#: Ranges that are worked on at once: as many as a small machine has workers.
PARTS = 2
#: Jobs that are read, scored and written at once.
BATCH = 500
#: Seconds that a worker gives to scoring before scans have their turn.
SLICE = 5.0
#: How much the clocks of two machines may differ.
_MARGIN = dt.timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the newest round has come.

    Attributes:
        profile: The name of its profile.
        fingerprint: That profile's fingerprint.
        asked_at: When it was asked for.
        finished_at: When it was finished; None while it goes on.
        total: Jobs to score.
        done: Jobs scored.
        changed: Jobs that got another score or other reasons.
    """

    profile: str
    fingerprint: str
    asked_at: dt.datetime
    finished_at: dt.datetime | None
    total: int
    done: int
    changed: int

    @property
    def left(self) -> int:
        """Jobs whose score is still of an earlier profile."""
        return self.total - self.done


class Outcome(enum.StrEnum):
    """How the work on a part ended."""

    DONE = "done"
    MORE = "more"
    OUTDATED = "outdated"
    """The round is over or another one was asked for, or this process sees another profile."""


def progress(session: Session) -> Progress | None:
    """How far the newest round has come; None before the first."""
    newest = _newest(session)
    if newest is None:
        return None
    # Late ones were counted before, or came after.
    done = sum(part.seen for part in newest.parts if not part.late)
    return Progress(
        newest.profile,
        newest.fingerprint,
        newest.asked_at,
        newest.finished_at,
        newest.total,
        newest.total if newest.finished_at else min(done, newest.total),
        sum(part.changed for part in newest.parts),
    )


def _newest(session: Session) -> Scoring | None:
    newest = select(Scoring).order_by(Scoring.id.desc()).limit(1)
    return session.scalar(newest.options(selectinload(Scoring.parts)))


# --- What the scheduler does ------------------------------------------------------------------------------


def drive(db: Database, queue: Scans) -> int:
    """Ask for a round if the profile is another one, see that its parts are worked on, and end it.

    Returns:
        How many jobs were put on the queue.

    Raises:
        ProfileUnusable: The profile in use cannot be read; the scores stay as they are.
        redis.RedisError: Redis does not answer.
    """
    with db.reading() as session:
        profile = chosen_profile.in_use(session)
    ask(db, profile)
    with db.reading() as session:
        newest = _newest(session)
        if newest is None or newest.finished_at is not None:
            return 0
        open_parts = [part for part in newest.parts if part.at_id < part.last_id]
        if not open_parts and _older_scan_runs(session, newest):
            return 0
    if not open_parts:
        _go_on(db, newest)
        return 0
    return sum(queue.rescore(newest.id, part.number) for part in open_parts)


def ask(db: Database, profile: Profile) -> bool:
    """Ask for a round with a profile, unless the newest is of the same; whether it was asked for."""
    fingerprint = matching.fingerprint(profile)
    with db.reading() as session:
        newest = _newest(session)
        if newest is not None and newest.fingerprint == fingerprint:
            return False
    with db.session() as session:
        total = session.scalar(select(func.count()).select_from(Job)) or 0
        now = clock.now()
        session.execute(delete(Scoring))
        asked = Scoring(fingerprint=fingerprint, profile=profile.name[:200], asked_at=now, total=total)
        asked.finished_at = None if total else now
        session.add(asked)
        session.flush()
        parts = _ranges(session, total)
        if parts:
            session.execute(
                insert(ScoringPart),
                [
                    {"scoring_id": asked.id, "number": number, "at_id": after, "last_id": last}
                    for number, (after, last) in enumerate(parts)
                ],
            )
    logger.info("The profile %s is another than before: %d jobs are scored again", profile.name, total)
    return True


def _ranges(session: Session, total: int) -> list[tuple[int, int]]:
    """Ranges of about as many jobs each: the id before the first, and the last."""
    if not total:
        return []
    last = session.scalar(select(func.max(Job.id))) or 0
    bounds = [0]
    for number in range(1, PARTS):
        at = select(Job.id).order_by(Job.id).offset(total * number // PARTS).limit(1)
        bounds.append((session.scalar(at) or 1) - 1)
    bounds.append(last)
    return [(after, end) for after, end in itertools.pairwise(bounds) if after < end]


def _older_scan_runs(session: Session, scoring: Scoring) -> bool:
    """Whether a scan is going on that may have loaded the profile before it was another one."""
    older = select(ScanResult.id).where(
        ScanResult.state == ScanState.RUNNING, ScanResult.started_at <= scoring.asked_at + _MARGIN
    )
    return session.scalar(older.limit(1)) is not None


def _late(scoring: Scoring) -> Any:
    since = scoring.asked_at - _MARGIN
    return or_(Job.first_seen_at >= since, Job.changed_at >= since)


def _go_on(db: Database, scoring: Scoring) -> None:
    """After all ranges: a part for what older scans stored meanwhile, if they did; after that, the end."""
    with db.session() as session:
        last = None
        if not any(part.late for part in scoring.parts):
            last = session.scalar(select(func.max(Job.id)).where(_late(scoring)))
        # Another scheduler may have done the same, or a newer round may be asked for.
        if session.scalar(select(Scoring.finished_at.is_(None)).where(Scoring.id == scoring.id)) is not True:
            return
        if last is None:
            mine = update(Scoring).where(Scoring.id == scoring.id)
            changed(session, mine.values(finished_at=clock.now()))
            # A score that rose may be a new match, and no scan will tell of it.
            searches.look_at_all(session)
        elif session.get(ScoringPart, (scoring.id, PARTS)) is None:
            session.add(ScoringPart(scoring_id=scoring.id, number=PARTS, at_id=0, last_id=last, late=True))


# --- What the workers do ----------------------------------------------------------------------------------


def score_part(
    db: Database,
    scoring_id: int,
    number: int,
    *,
    seconds: float,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Score a part's jobs again, a batch a transaction.

    Args:
        db: The database.
        scoring_id: The round.
        number: The part.
        seconds: How long to go on, at least for one batch.
        stopped: Whether to end after the batch at hand.
    """
    with db.reading() as session:
        profile = chosen_profile.in_use(session)
    until = time.monotonic() + seconds
    while True:
        outcome = _batch(db, scoring_id, number, profile)
        if outcome is not Outcome.MORE or stopped() or time.monotonic() >= until:
            return outcome


def _batch(db: Database, scoring_id: int, number: int, profile: Profile) -> Outcome:
    with db.reading() as session:
        part = session.get(ScoringPart, (scoring_id, number))
        if part is None or part.scoring.fingerprint != matching.fingerprint(profile):
            return Outcome.OUTDATED
        rows = batch_of(session, part, wishes=bool(profile.wishes))
    found = [(row, match) for row in rows if (match := _match(row, profile)) is not None]
    others = [
        (row, match) for row, match in found if (match.score, match.reasons) != (row.score, row.reasons)
    ]
    at = rows[-1].id if len(rows) == BATCH else part.last_id
    with db.session() as session:
        moved = update(ScoringPart).where(
            ScoringPart.scoring_id == scoring_id,
            ScoringPart.number == number,
            ScoringPart.at_id == part.at_id,
        )
        if not changed(
            session,
            moved.values(
                at_id=at, seen=ScoringPart.seen + len(rows), changed=ScoringPart.changed + len(others)
            ),
        ):
            return Outcome.OUTDATED
        if others:
            session.connection().execute(_WRITE, [_written(row, match) for row, match in others])
    for result, amount in (("changed", len(others)), ("unchanged", len(rows) - len(others))):
        if amount:
            catalogue.JOBS_RESCORED.inc(amount, result=result)
    return Outcome.MORE if at < part.last_id else Outcome.DONE


def batch_of(session: Session, part: ScoringPart, *, wishes: bool) -> Sequence[Any]:
    """The next jobs of a part as they are now, with all that matching reads of them."""
    columns = (*TERM_COLUMNS, *(WISH_COLUMNS if wishes else ()), Job.score, Job.reasons, Job.changed_at)
    wanted = (
        select(*columns, func.coalesce(Description.text, "").label("text"))
        .outerjoin(Description, Description.job_id == Job.id)
        .where(Job.id > part.at_id, Job.id <= part.last_id)
        .order_by(Job.id)
        .limit(BATCH)
    )
    return session.execute(wanted.where(_late(part.scoring)) if part.late else wanted).all()


def _match(row: Any, profile: Profile) -> Match | None:
    try:
        return matching.score(posting_of(row, row.text, wishes=bool(profile.wishes)), profile)
    except Exception as error:
        # One job must not keep the others at their old scores.
        logger.exception("Job %s could not be scored again, and keeps its score", row.id)
        count_error(error, "scan")
        return None


_JOBS = Job.__table__
# A job that a scan changed since it was read has the scan's score. The version is the owner's, and stays.
_WRITE = update(_JOBS).where(  # type: ignore[arg-type]
    _JOBS.c.id == bindparam("job"), _JOBS.c.changed_at.is_not_distinct_from(bindparam("as_of"))
)


def _written(row: Any, match: Match) -> dict[str, Any]:
    return {"job": row.id, "as_of": row.changed_at, "score": match.score, "reasons": match.reasons}
