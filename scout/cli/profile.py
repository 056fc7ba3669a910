"""`scout profile`: what is looked for, and what another profile would find."""

from __future__ import annotations

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from scout import settings
from scout.cli import table
from scout.database import for_command
from scout.matching import Match, Profile, load_profile, names, posting_of, score
from scout.models import Job

_BATCH = 500


@click.group()
def profile() -> None:
    """What is looked for, and what another profile would find."""


@profile.command()
@click.argument("name_or_file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def show(name_or_file: str | None, *, as_json: bool) -> None:
    """Show a profile: the one in use, one of the program's, or a file.

    Example: scout profile show data-engineering
    """
    chosen = load_profile(name_or_file)
    if as_json:
        click.echo(json.dumps(_as_dict(chosen), indent=2, ensure_ascii=False))
        return
    click.secho(f"{table.plain(chosen.title)} ({table.plain(chosen.name)})", bold=True)
    if chosen.about:
        click.echo(table.plain(chosen.about))
    click.echo(f"The program's own: {', '.join(names())}\n")
    rows = [
        [term.group, *(str(term.points.get(place, "")) for place in chosen.limits), term.label]
        for term in chosen.terms
    ]
    table.show(["GROUP", *(place.upper() for place in chosen.limits), "TERM"], rows, shrink=[4])


def _as_dict(chosen: Profile) -> dict[str, object]:
    return {
        "name": chosen.name,
        "title": chosen.title,
        "about": chosen.about,
        "limits": chosen.limits,
        "terms": [
            {"term": term.label, "group": term.group, "points": term.points, "others": term.others}
            for term in chosen.terms
        ],
    }


@profile.command("try")
@click.argument("name_or_file", required=False)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show the best so many.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def try_(name_or_file: str | None, limit: int, *, as_json: bool) -> None:
    """Score the stored jobs with a profile, and change nothing.

    Example: scout profile try my-profile.yaml
    """
    chosen = load_profile(name_or_file)
    found: list[tuple[Match, Job]] = []
    seen = matching = 0
    with for_command(settings.load()) as database, database.reading() as session:
        wanted = select(Job).options(joinedload(Job.description)).execution_options(yield_per=_BATCH)
        for job in session.scalars(wanted):
            seen += 1
            match = score(posting_of(job, job.description_text), chosen)
            session.expunge(job)  # a hundred thousand descriptions need not be held
            if match.score:
                matching += 1
                found.append((match, job))
                if len(found) > _BATCH + limit:
                    found = _best(found, limit)
    best = _best(found, limit)
    if as_json:
        click.echo(json.dumps([_compared(match, job) for match, job in best], indent=2, ensure_ascii=False))
    elif not best:
        click.echo(f"None of the {seen} jobs matches the profile {chosen.name}.")
    else:
        rows = [
            [
                str(job.id),
                str(match.score),
                str(job.score),
                job.title,
                job.company,
                ", ".join(str(reason["term"]) for reason in match.reasons),
            ]
            for match, job in best
        ]
        table.show(["ID", "SCORE", "NOW", "TITLE", "COMPANY", "WHY"], rows, shrink=[3, 4, 5])
        click.echo(f"{matching} of {seen} jobs match.", err=True)


def _best(found: list[tuple[Match, Job]], limit: int) -> list[tuple[Match, Job]]:
    return sorted(found, key=lambda each: (-each[0].score, each[1].id))[:limit]


def _compared(match: Match, job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "title": job.title,
        "company": job.company,
        "score": match.score,
        "score_now": job.score,
        "reasons": match.reasons,
    }
