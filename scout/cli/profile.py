"""`scout profile`: what is looked for, and what another profile would find."""

from __future__ import annotations

import json
from pathlib import Path

import click

from scout import chosen_profile, rescoring, settings
from scout.cli import table
from scout.database import Database, explained, for_command, is_current, is_there
from scout.errors import ScoutError
from scout.matching import Profile, fingerprint, load_profile, names, text_of
from scout.matching.measure import Figures, measure
from scout.previewing import Change, Previewed, preview


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
    chosen = _meant(name_or_file)
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
    if chosen.wishes:
        click.echo(f"\nIt has wishes of {', '.join(wish.where for wish in chosen.wishes)}.")


def _meant(name_or_file: str | None) -> Profile:
    """The profile that is named, or else the one in use. Where there is no database yet, none is made."""
    if name_or_file:
        return load_profile(name_or_file)
    known = settings.load()
    if not is_there(known):
        return load_profile()
    database = Database.open(known)
    try:
        with explained():
            if not is_current(database):
                return load_profile()
            with database.reading() as session:
                return chosen_profile.in_use(session)
    finally:
        database.dispose()


@profile.command()
@click.argument("name_or_file")
def use(name_or_file: str) -> None:
    """Look for this from now on: a profile of the program by its name, or a copy of a file.

    What is stored is scored again by itself. The setting SCOUT_PROFILE counts before what is chosen here.
    Example: scout profile use nursing
    """
    own = "" if name_or_file in names() else text_of(name_or_file)
    with for_command(settings.load()) as database, database.session() as session:
        chosen = chosen_profile.choose(session, name_or_file, own)
    click.echo(f"The profile in use is {table.plain(chosen.name)} now.")


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
        "wishes": [wish.where for wish in chosen.wishes],
    }


@profile.command()
@click.argument("name_or_file", required=False)
def check(name_or_file: str | None) -> None:
    """Say whether a profile can be used, and where it is wrong if not.

    Example: scout profile check my-profile.yaml
    """
    chosen = _meant(name_or_file)
    wishes = [wish.where for wish in chosen.wishes]
    click.echo(
        f"The profile {table.plain(chosen.name)} can be used: {len(chosen.terms)} terms, "
        f"{'and wishes of ' + ', '.join(wishes) if wishes else 'no wishes'}."
    )


@profile.command()
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def status(*, as_json: bool) -> None:
    """Show which profile is in use, and how far scoring the jobs kept with it has come.

    Example: scout profile status
    """
    with for_command(settings.load()) as database, database.reading() as session:
        found = rescoring.progress(session)
        used = chosen_profile.told(session)
    problem, chosen = used.problem, used.profile
    current = found is not None and chosen is not None and found.fingerprint == fingerprint(chosen)
    if as_json:
        told = {
            "profile": chosen.name if chosen else None,
            "problem": problem,
            "scored_with": found.profile if found else None,
            "current": current and found is not None and found.finished_at is not None,
            "total": found.total if found else 0,
            "done": found.done if found else 0,
            "changed": found.changed if found else 0,
            "asked_at": found.asked_at.isoformat() if found else None,
            "finished_at": found.finished_at.isoformat() if found and found.finished_at else None,
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif chosen is None:
        click.echo(f"{table.plain(problem)} The scores stay as they are.")
    else:
        click.echo(f"The profile in use is {table.plain(chosen.name)}. {_told(found, current=current)}")


def _told(found: rescoring.Progress | None, *, current: bool) -> str:
    if found is None or not current:
        return "The jobs kept will be scored with it once the scheduler runs (`scout up`)."
    if found.finished_at is None:
        return f"Scoring again: {found.done:,} of {found.total:,}."
    return (
        f"All {found.total:,} jobs kept were scored with it, {found.changed:,} of them otherwise than before "
        f"({table.ago(found.finished_at)})."
    )


@profile.command("try")
@click.argument("name_or_file", required=False)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show so many.")
@click.option(
    "--only",
    type=click.Choice([each.value for each in Change]),
    help="Show jobs of one change, instead of the best matches.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def try_(name_or_file: str | None, limit: int, only: str | None, *, as_json: bool) -> None:
    """Score the stored jobs with a profile, and change nothing.

    Shows the best matches and what each scores now; then how many would appear, vanish, rise and fall.

    Example: scout profile try my-profile.yaml --only vanishes
    """
    chosen = _meant(name_or_file)
    with for_command(settings.load()) as database, database.reading() as session:
        found = preview(session, chosen, limit=limit, only=Change(only) if only else None)
    if as_json:
        click.echo(json.dumps([_compared(each) for each in found.best], indent=2, ensure_ascii=False))
    elif not found.matching and not only:
        click.echo(f"None of the {found.total} jobs matches the profile {table.plain(chosen.name)}.")
    elif found.best:
        rows = [
            [
                str(each.id),
                str(each.match.score),
                str(each.now),
                each.change.value,
                each.title,
                each.company,
                ", ".join(str(reason["term"]) for reason in each.match.reasons),
            ]
            for each in found.best
        ]
        table.show(["ID", "SCORE", "NOW", "CHANGE", "TITLE", "COMPANY", "WHY"], rows, shrink=[4, 5, 6])
    counts = [f"{found.counts[each]:,} {_PLURAL[each]}" for each in Change]
    click.echo(f"{found.matching:,} of {found.total:,} jobs match: {', '.join(counts)}.", err=True)


_PLURAL = {
    Change.APPEARS: "appear",
    Change.VANISHES: "vanish",
    Change.RISES: "rise",
    Change.FALLS: "fall",
    Change.STAYS: "stay",
}


def _compared(each: Previewed) -> dict[str, object]:
    return {
        "id": each.id,
        "title": each.title,
        "company": each.company,
        "score": each.match.score,
        "score_now": each.now,
        "change": each.change.value,
        "reasons": each.match.reasons,
    }


@profile.command("measure")
@click.argument("name_or_file", required=False)
@click.option(
    "--rows",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of labelled postings. Without it, that of the profile's name beside the program's tests.",
)
@click.option("--misses", is_flag=True, help="List the postings that were told otherwise than labelled.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def measure_(name_or_file: str | None, file: Path | None, *, misses: bool, as_json: bool) -> None:
    """Print how well a profile tells wanted postings from others, on labelled ones.

    A file of them is tab-separated; the first line names the columns: wanted (yes or no), title, company,
    department, text. A posting counts as found from a score of 30 on.

    Example: scout profile measure iam --misses
    """
    chosen = _meant(name_or_file)
    if file is None:
        file = _LABELLED / f"{chosen.name}.tsv"
        if not file.is_file():
            raise ScoutError(
                f"There are no labelled postings for the profile {chosen.name}; name a file with --rows."
            )
    found = measure(chosen, file)
    if as_json:
        click.echo(json.dumps(_figures(found), indent=2, ensure_ascii=False))
        return
    table.show(
        ["PROFILE", "ROWS", "FIRST 20", "PRECISION", "RECALL"],
        [
            [
                found.profile,
                str(len(found.rows)),
                *(f"{share:.3f}" for share in (found.precision_of_first, found.precision, found.recall)),
            ]
        ],
    )
    if misses:
        click.echo()
        rows = [
            ["yes" if each.wanted else "no", str(each.score), each.posting.title] for each in found.misses
        ]
        table.show(["WANTED", "SCORE", "TITLE"], rows, shrink=[2])


#: Postings written for this project, beside its tests.
_LABELLED = settings.PROJECT / "tests" / "labelled" / "matching"


def _figures(found: Figures) -> dict[str, object]:
    return {
        "profile": found.profile,
        "rows": len(found.rows),
        "precision_of_first": round(found.precision_of_first, 4),
        "precision": round(found.precision, 4),
        "recall": round(found.recall, 4),
        "misses": [
            {"wanted": each.wanted, "score": each.score, "title": each.posting.title} for each in found.misses
        ],
    }
