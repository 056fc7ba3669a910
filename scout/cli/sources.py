"""`scout sources`: the boards that are scanned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import click

import metrics.push
from scout import matching, settings, watchlist
from scout.cli import FAILED, PARTIAL, measure, table
from scout.database import for_command
from scout.fetch import Door, FetchError
from scout.postings import Posting
from scout.sources import KINDS, recognise
from scout.sources.board import Board, Detailed, NotModified, Validators

_EXAMPLES = 5


@click.group()
def sources() -> None:
    """The boards that are scanned: add, pause, remove, try."""


@sources.command()
@click.argument("url")
@click.option("--name", default="", help="What to call it; unset, the company's name.")
def add(url: str, name: str) -> None:
    """Watch a board, by its public address.

    Example: scout sources add https://jobs.lever.co/veeva
    """
    board = recognise(url)
    with for_command(settings.load()) as database, database.session() as session:
        source = watchlist.add(session, board, name)
    click.echo(f"Added {source.slug} ({source.kind}). `scout scan --source {source.slug}` scans it now.")


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def list_(*, as_json: bool) -> None:
    """List the boards that are watched, and how they fare.

    Example: scout sources list
    """
    with for_command(settings.load()) as database, database.reading() as session:
        every = watchlist.every(session)
    if as_json:
        click.echo(json.dumps([watchlist.as_dict(source) for source in every], indent=2, ensure_ascii=False))
    elif not every:
        click.echo("No board is watched. `scout sources add URL` adds one.")
    else:
        rows = [
            [
                source.slug,
                source.kind,
                watchlist.health(source),
                table.ago(source.last_scan_at),
                table.ago(source.last_success_at),
                source.name,
                source.last_error,
            ]
            for source in every
        ]
        headings = ["SLUG", "KIND", "HEALTH", "SCANNED", "SUCCEEDED", "NAME", "ERROR"]
        table.show(headings, rows, shrink=[5, 6])


@sources.command()
@click.argument("slug")
def pause(slug: str) -> None:
    """Stop scanning a board; its jobs stay.

    Example: scout sources pause veeva
    """
    with for_command(settings.load()) as database, database.session() as session:
        watchlist.pause(session, slug)
    click.echo(f"Paused {slug}. `scout sources resume {slug}` scans it again.")


@sources.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Scan a paused board again.

    Example: scout sources resume veeva
    """
    with for_command(settings.load()) as database, database.session() as session:
        watchlist.resume(session, slug)
    click.echo(f"Resumed {slug}. Its next scan is due now.")


@sources.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Watch a board no longer. Jobs that you decided about or wrote notes on stay.

    Example: scout sources remove veeva
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        watchlist.remove(session, slug)
    click.echo(f"Removed {slug}.")
    if not metrics.push.forget_source(chosen.pushgateway, slug):
        click.echo(
            f"Its last result stays at the Pushgateway ({chosen.pushgateway}), which does not answer.",
            err=True,
        )


@sources.command()
@click.argument("slug_or_url")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def test(slug_or_url: str, *, as_json: bool) -> None:
    """Read a board once, store nothing, and tell what was found.

    Exit code 3: some postings could not be read. Example: scout sources test https://jobs.lever.co/veeva
    """
    chosen = settings.load()
    measure(chosen)
    board = _board(chosen, slug_or_url)
    postings: list[Posting] = []
    unparsed: list[str] = []
    try:
        with Door(chosen, kind=board.kind) as door:
            for page in KINDS[board.kind].read(board, door, Validators()):
                postings += page.postings
                unparsed += page.unparsed
    except FetchError as error:
        _fail(board, error, as_json=as_json)
    except NotModified:
        click.echo("The board says that nothing changed.")
        return
    if as_json:
        click.echo(json.dumps(_found(board, postings, unparsed), indent=2, ensure_ascii=False))
    else:
        for line in _told(board, postings, unparsed):
            click.echo(line)
    if unparsed:
        raise SystemExit(PARTIAL)


def _board(chosen: settings.Settings, slug_or_url: str) -> Board:
    if re.search(r"[/.:]", slug_or_url):
        return recognise(slug_or_url)
    with for_command(chosen) as database, database.reading() as session:
        source = watchlist.get(session, slug_or_url)
    return Board(kind=source.kind, token=source.token, company=source.name, url=source.url)


def _fail(board: Board, error: FetchError, *, as_json: bool) -> NoReturn:
    if as_json:
        failure = {"kind": board.kind, "token": board.token, "reason": error.reason, "error": error.text}
        click.echo(json.dumps(failure, indent=2, ensure_ascii=False))
    else:
        click.echo(f"scout: {error.text} ({error.reason})", err=True)
    raise SystemExit(FAILED)


def _found(board: Board, postings: list[Posting], unparsed: list[str]) -> dict[str, Any]:
    return {
        "kind": board.kind,
        "token": board.token,
        "company": board.company,
        "postings": [
            {
                "source_job_id": posting.source_job_id,
                "title": posting.title,
                "company": posting.company,
                "url": posting.url,
                "locations": list(posting.locations),
                "remote": posting.remote.value,
                "score": match.score,
                "reasons": match.reasons,
            }
            for match, posting in _scored(postings)
        ],
        "unparsed": unparsed,
    }


def _told(board: Board, postings: list[Posting], unparsed: list[str]) -> Iterator[str]:
    scored = _scored(postings)
    matching_ones = sum(match.score > 0 for match, _ in scored)
    yield (
        f"{table.plain(board.company or board.token)} ({board.kind}): {len(postings)} postings,"
        f" {matching_ones} of them match."
    )
    for match, posting in scored[:_EXAMPLES]:
        yield f"{match.score:>5}  {table.plain(posting.title)} - {table.plain('; '.join(posting.locations))}"
    if len(scored) > _EXAMPLES:
        yield f"       and {len(scored) - _EXAMPLES} more"
    if isinstance(KINDS[board.kind], Detailed):
        yield "Their texts come one by one and were not asked for: they can add to the points."
    for reason in unparsed[:_EXAMPLES]:
        yield f"Could not be read: {table.plain(reason)}"
    if len(unparsed) > _EXAMPLES:
        yield f"Could not be read: {len(unparsed) - _EXAMPLES} more"


def _scored(postings: list[Posting]) -> list[tuple[matching.Match, Posting]]:
    profile = matching.load_profile()
    scored = [(matching.score(posting, profile), posting) for posting in postings]
    return sorted(scored, key=lambda each: -each[0].score)
