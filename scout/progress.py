"""How the search for a job goes: how many reach each stage, how long they stay, and who answers.

One statement reads the steps of those jobs alone that were ever taken up; most of what boards list never is.
Steps that were taken back, by `undo` or by setting a job to `new` again, do not count.
"""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from scout import clock
from scout.database import in_parts
from scout.models import Job, Listing, Source, Status, StatusChange
from scout.pipeline import APPLIED, effective
from scout.telling import hours

Period = Literal["30", "90", "365", "all"]
PERIODS = get_args(Period)

#: The stages of the funnel. A job that reached one reached those before it too.
STAGES = (Status.SAVED, Status.APPLIED, Status.INTERVIEWING, Status.OFFER)
#: What tells that an employer answered: any of these after the application.
ANSWERS = (Status.INTERVIEWING, Status.OFFER, Status.REJECTED)
#: Scores by how good they are, each from its least one on.
BANDS = ((60, "60 and more"), (30, "30 to 59"), (0, "below 30"))
#: Boards that are told one by one; the others are one line.
BOARDS = 10
#: The most weeks that are told, the newest.
WEEKS = 53
_DAY = 86_400.0
_BACK = (Status.NEW, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Stay:
    """How long jobs stay in a stage.

    Attributes:
        stage: The stage.
        seconds: Of each stay that has ended, the shortest first.
        still: How many jobs are in it now.
    """

    stage: Status
    seconds: Sequence[float]
    still: int

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """In days: a quarter of the stays was shorter, half, three quarters. None where no stay has ended."""
        if not self.seconds:
            return None
        if len(self.seconds) == 1:
            return (self.seconds[0] / _DAY,) * 3
        lower, median, upper = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return lower / _DAY, median / _DAY, upper / _DAY


@dataclass(frozen=True, slots=True)
class Answered:
    """How many applications of a group were answered."""

    name: str
    applied: int
    answered: int

    @property
    def share(self) -> float:
        """The share that was answered, 0 to 1."""
        return self.answered / self.applied if self.applied else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How it went with the jobs that were taken up in a period.

    Attributes:
        since: When the period began; None for all times.
        reached: By stage, how many of the jobs reached it or a later one; `saved` is all of them.
        stays: By stage, how long they stayed.
        weeks: Applications by the Monday of their week, weeks without any between them too.
        answered: Of all applications.
        by_board: The same by board, those with most applications first. A job of two boards counts for both.
        by_score: By what jobs score now.
    """

    since: dt.datetime | None
    reached: Mapping[Status, int]
    stays: Sequence[Stay]
    weeks: Sequence[tuple[dt.date, int]]
    answered: Answered
    by_board: Sequence[Answered]
    by_score: Sequence[Answered]

    @property
    def jobs(self) -> int:
        """How many jobs were taken up."""
        return self.reached[Status.SAVED]


@dataclass(slots=True)
class _Path:
    """The steps of one job that count, oldest first."""

    score: int
    steps: list[tuple[Status, dt.datetime]]

    @property
    def taken_up(self) -> dt.datetime:
        return self.steps[0][1]

    @property
    def applied(self) -> dt.datetime | None:
        return next((at for to, at in self.steps if to in APPLIED), None)

    @property
    def answered(self) -> bool:
        return self.applied is not None and any(to in ANSWERS for to, _ in self.steps)


def of(session: Session, timezone: str, period: Period = "all") -> Progress:
    """How it went.

    Args:
        session: The session.
        timezone: The owner's time zone, by which weeks begin.
        period: The days, up to now, within which the jobs were taken up; `all` for all there ever were.
    """
    now = clock.now()
    since = None if period == "all" else now - dt.timedelta(days=int(period))
    paths = {
        job_id: path for job_id, path in _paths(session).items() if since is None or path.taken_up >= since
    }
    applied = {job_id: path for job_id, path in paths.items() if path.applied is not None}
    return Progress(
        since=since,
        reached=_reached(paths.values()),
        stays=[_stay(stage, paths.values()) for stage in STAGES],
        weeks=_weeks([path.applied for path in applied.values() if path.applied], timezone, since, now),
        answered=_share("All", applied.values()),
        by_board=_by_board(session, applied),
        by_score=_by_score(applied.values()),
    )


def as_dict(progress: Progress) -> dict[str, Any]:
    """It as JSON; `days` are the quartiles of the stays that have ended."""

    def told(group: Answered) -> dict[str, Any]:
        share = round(group.share, 4)
        return {"name": group.name, "applied": group.applied, "answered": group.answered, "share": share}

    return {
        "since": clock.iso(progress.since),
        "jobs": progress.jobs,
        "reached": {stage.value: count for stage, count in progress.reached.items()},
        "stays": [
            {
                "stage": stay.stage.value, "ended": len(stay.seconds), "still": stay.still,
                "days": None if stay.quartiles is None else [round(each, 2) for each in stay.quartiles],
            }
            for stay in progress.stays
        ],
        "weeks": [{"monday": monday.isoformat(), "applied": count} for monday, count in progress.weeks],
        "answered": told(progress.answered),
        "by_board": [told(each) for each in progress.by_board],
        "by_score": [told(each) for each in progress.by_score],
    }  # fmt: skip


def _paths(session: Session) -> dict[int, _Path]:
    taken_up = select(StatusChange.job_id).where(StatusChange.to_status.in_(STAGES))
    rows = session.execute(
        select(StatusChange.job_id, StatusChange.to_status, StatusChange.at, Job.score)
        .join(Job, Job.id == StatusChange.job_id)
        .where(StatusChange.job_id.in_(taken_up), effective(StatusChange))
        .order_by(StatusChange.job_id, StatusChange.id)
    )
    found: dict[int, _Path] = {}
    for job_id, to, at, score in rows:
        if to in _BACK:
            found.pop(job_id, None)  # all before it was taken back
        elif job_id in found:
            found[job_id].steps.append((to, at))
        elif to in STAGES:
            found[job_id] = _Path(score, [(to, at)])
    return found


def _reached(paths: Iterable[_Path]) -> dict[Status, int]:
    furthest = Counter(max(STAGES.index(to) for to, _ in path.steps if to in STAGES) for path in paths)
    return {
        stage: sum(count for far, count in furthest.items() if far >= at) for at, stage in enumerate(STAGES)
    }


def _stay(stage: Status, paths: Iterable[_Path]) -> Stay:
    seconds: list[float] = []
    still = 0
    for path in paths:
        for (to, came), (_, went) in itertools.pairwise(path.steps):
            if to is stage:
                # Merged jobs may bring steps that are older than those before them.
                seconds.append(max((went - came).total_seconds(), 0.0))
        still += path.steps[-1][0] is stage
    return Stay(stage, sorted(seconds), still)


def _weeks(
    applied: Sequence[dt.datetime], timezone: str, since: dt.datetime | None, now: dt.datetime
) -> list[tuple[dt.date, int]]:
    zone = hours.zone(timezone)

    def monday(moment: dt.datetime) -> dt.date:
        day = moment.astimezone(zone).date()
        return day - dt.timedelta(days=day.weekday())

    counted = Counter(monday(each) for each in applied)
    if not counted:
        return []
    last = monday(now)
    week = max(min(counted) if since is None else monday(since), last - dt.timedelta(weeks=WEEKS - 1))
    found = []
    while week <= last:
        found.append((week, counted[week]))
        week += dt.timedelta(weeks=1)
    return found


def _share(name: str, paths: Iterable[_Path]) -> Answered:
    applied = answered = 0
    for path in paths:
        applied += 1
        answered += path.answered
    return Answered(name, applied, answered)


def _by_board(session: Session, applied: Mapping[int, _Path]) -> list[Answered]:
    groups: dict[int, list[_Path]] = defaultdict(list)
    names: dict[int, str] = {}
    for part in in_parts(sorted(applied)):
        rows = session.execute(
            select(Listing.job_id, Source.id, Source.name)
            .join(Source)
            .where(Listing.job_id.in_(part))
            .distinct()
        )
        for job_id, source_id, name in rows:
            names[source_id] = name
            groups[source_id].append(applied[job_id])
    found = [_share(names[source_id], paths) for source_id, paths in groups.items()]
    found.sort(key=lambda group: (-group.applied, group.name.casefold()))
    rest = found[BOARDS:]
    if rest:
        others = Answered(
            f"{len(rest)} other boards",
            sum(each.applied for each in rest),
            sum(each.answered for each in rest),
        )
        found = [*found[:BOARDS], others]
    return found


def _by_score(applied: Iterable[_Path]) -> list[Answered]:
    groups: dict[str, list[_Path]] = {name: [] for _, name in BANDS}
    for path in applied:
        groups[next(name for least, name in BANDS if path.score >= least)].append(path)
    return [_share(name, paths) for name, paths in groups.items() if paths]
