"""`scout sources`: the boards that are scanned."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NoReturn

import click
from redis import RedisError

import metrics.push
from scout import (
    audit,
    chosen_profile,
    courtesy,
    discovery,
    lists,
    matching,
    normalise,
    schedule,
    settings,
    trial,
    watchlist,
)
from scout.cli import FAILED, PARTIAL, measure, table
from scout.courtesy import Standing
from scout.database import Database, for_command
from scout.errors import ScoutError
from scout.fetch import FetchError
from scout.models import Source
from scout.postings import Posting
from scout.sources import AT_ANY_ADDRESS, BROKEN, KINDS, UnknownBoard, at, recognise, registry
from scout.sources.about import about, off
from scout.sources.board import Board, Detailed, Kind, NotModified

_EXAMPLES = 5


@click.group()
def sources() -> None:
    """The boards that are scanned: add, pause, remove, try."""


@sources.command()
@click.argument("url")
@click.option("--name", default="", help="What to call it; unset, the company's name.")
@click.option(
    "--kind",
    type=click.Choice(sorted(AT_ANY_ADDRESS)),
    help="Read whatever is at the address as this kind; needed only where the address does not tell.",
)
def add(url: str, name: str, kind: str | None) -> None:
    """Watch a board, by its public address.

    Example: scout sources add https://jobs.lever.co/veeva
    """
    chosen = settings.load()
    try:
        board = at(kind, url) if kind else recognise(url)
    except UnknownBoard as unknown:
        raise ScoutError(
            f"{unknown} `scout sources discover {url}` looks at the page once for boards that it leads to."
        ) from unknown
    with for_command(chosen) as database, database.session() as session:
        source = watchlist.add(session, board, name)
        audit.by_command(session, "sources.add", "Added a board", source.name)
    click.echo(f"Added {source.slug} ({source.kind}). `scout scan --source {source.slug}` scans it now.")
    _tell_if_off(board, chosen)


def _tell_if_off(board: Board, chosen: settings.Settings) -> None:
    why = off(KINDS[board.kind], chosen)
    if why:
        click.echo(why)


@sources.command()
@click.argument("url")
@click.option("--add", "adding", is_flag=True, help="Watch all that are found.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def discover(url: str, *, adding: bool, as_json: bool) -> None:
    """Look once at a page, such as a company's careers page, for boards that it leads to.

    Prints what would be added and how. Exit code 1: nothing was found. Example: scout sources discover
    https://www.example.com/careers
    """
    chosen = settings.load()
    measure(chosen)
    seen = discovery.look(url, chosen)
    if as_json:
        click.echo(json.dumps(_seen(seen), indent=2, ensure_ascii=False))
    else:
        for find in seen.finds:
            click.echo(
                f"{KINDS[find.board.kind].title}: {table.plain(find.board.company or find.board.token)}"
            )
            click.echo(f"    by {table.plain(find.how)}")
            click.echo(f"    {_command(find)}")
        if seen.hint:
            click.echo(seen.hint)
        if not seen.finds:
            click.echo(f"Nothing at {table.plain(seen.address)} leads to a board that can be read.", err=True)
    if adding:
        with for_command(chosen) as database:
            for find in seen.finds:
                click.echo(_added(database, find.board, ""), err=as_json)
                _tell_if_off(find.board, chosen)
    if not seen.finds:
        raise SystemExit(FAILED)


def _seen(seen: discovery.Look) -> dict[str, Any]:
    return {
        "address": seen.address,
        "hint": seen.hint,
        "finds": [
            {
                "kind": find.board.kind,
                "token": find.board.token,
                "company": find.board.company,
                "url": find.board.url,
                "how": find.how,
                "command": _command(find),
            }
            for find in seen.finds
        ],
    }


def _command(find: discovery.Find) -> str:
    kind = f" --kind {find.board.kind}" if find.board.kind in AT_ANY_ADDRESS else ""
    return f"scout sources add {shlex.quote(find.address)}{kind}"


def _added(database: Database, board: Board, name: str) -> str:
    """Add one board by itself, and say what became of it."""
    try:
        with database.session() as session:
            source = watchlist.add(session, board, name)
            audit.by_command(session, "sources.add", "Added a board", source.name)
            slug = source.slug
    except watchlist.AlreadyWatched as already:
        return f"watched already, as {already.slug}"
    return f"added as {slug} ({board.kind})"


@sources.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def import_(file: BinaryIO, *, as_json: bool) -> None:
    """Watch the boards of a file: one address a line, a CSV with a column url, or an OPML; `-` is the input.

    Each line is told of, and added by itself: one that fails keeps no other away.
    Exit codes: 0 all are watched now, 3 some could not be added, 1 none could.
    Example: scout sources import boards.txt
    """
    raw = file.read(lists.LARGEST + 1)
    if len(raw) > lists.LARGEST:
        raise ScoutError(f"The file is larger than {lists.LARGEST // 1048576} MB. Is it a list of boards?")
    wanted = lists.entries(raw.decode("utf-8-sig", "replace"))
    chosen = settings.load()
    told: list[dict[str, Any]] = []
    needing: dict[str, Board] = {}
    with for_command(chosen) as database:
        for entry in wanted:
            try:
                board = recognise(entry.address)
                said, good = _added(database, board, entry.name), True
                needing.setdefault(board.kind, board)
            except ScoutError as error:
                said, good = str(error), False
            told.append({"line": entry.line, "address": entry.address, "added": good, "said": said})
            if not as_json:
                click.echo(
                    f"line {entry.line}: {table.plain(entry.address)}: {table.plain(said)}", err=not good
                )
    failed = sum(not each["added"] for each in told)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{len(told) - failed} of {len(told)} are watched now.")
        for board in needing.values():
            _tell_if_off(board, chosen)
    if failed:
        raise SystemExit(FAILED if failed == len(told) else PARTIAL)


@sources.command()
@click.option("--table", "as_table", is_flag=True, help="Print which fields each kind fills, as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def kinds(*, as_table: bool, as_json: bool) -> None:
    """List every kind of board that can be read, with what it asks for and what it tells.

    Example: scout sources kinds
    """
    chosen = settings.load()
    if as_table:
        click.echo(filled(KINDS.values()))
        return
    if as_json:
        click.echo(json.dumps([_kind(kind, chosen) for kind in KINDS.values()], indent=2, ensure_ascii=False))
        return
    for kind in KINDS.values():
        told = _kind(kind, chosen)
        click.secho(f"{kind.name}: {kind.title}", bold=True)
        for heading, words in (
            ("at most every", told["interval"]),
            ("at most", f"{told['daily']} times in 24 hours" if told["daily"] else ""),
            ("asks", ", ".join(kind.origins) or "the board's own address"),
            ("shows", kind.attribution),
            ("terms", kind.terms),
            ("can", "; ".join(told["capabilities"])),
            ("fills", ", ".join(told["fills"])),
            ("off", told["off"]),
        ):
            if words:
                click.echo(f"    {heading}: {table.plain(words)}")
    for broken in BROKEN:
        click.echo(f"Left out: {table.plain(broken.where)} {table.plain(broken.why)}", err=True)


def filled(kinds: Iterable[Kind]) -> str:
    """Which fields of a posting each kind can fill beside id, title, company and link: a Markdown table."""
    told = {kind.title: set(about(kind).fills) for kind in kinds}
    fields = [
        each.name for each in dataclasses.fields(Posting) if any(each.name in of for of in told.values())
    ]
    rows = [
        ["kind", *(name.replace("_", " ") for name in fields)],
        ["---", *("---" for _ in fields)],
        *([title, *("yes" if name in of else "" for name in fields)] for title, of in sorted(told.items())),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _kind(kind: Kind, chosen: settings.Settings) -> dict[str, Any]:
    minutes = round(kind.interval.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return {
        "name": kind.name,
        "title": kind.title,
        "origins": list(kind.origins),
        "interval": f"{hours} h" if not rest else f"{minutes} min",
        "interval_seconds": kind.interval.total_seconds(),
        "attribution": kind.attribution,
        "terms": kind.terms,
        "daily": about(kind).daily,
        "complete": kind.complete,
        "capabilities": list(registry.capabilities(kind)),
        "fills": list(about(kind).fills),
        "off": off(kind, chosen),
    }


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def list_(*, as_json: bool) -> None:
    """List the boards that are watched, and how they fare.

    Example: scout sources list
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        every = watchlist.every(session)
    standings = _standings(chosen, every)
    if as_json:
        shown = [{**watchlist.as_dict(each), "host": _host(standings.get(each.id))} for each in every]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
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
                "-" if source.paused else table.until(source.next_scan_at),
                source.name,
                source.last_error,
            ]
            for source in every
        ]
        headings = ["SLUG", "KIND", "HEALTH", "SCANNED", "SUCCEEDED", "NEXT", "NAME", "ERROR"]
        table.show(headings, rows, shrink=[6, 7])
        for told in sorted({watchlist.told(standing) for standing in standings.values()}):
            click.echo(told)


def _standings(chosen: settings.Settings, every: list[Source]) -> dict[int, Standing]:
    """How the hosts of boards stand that are not asked as usual; nothing is known of that without Redis."""
    try:
        with contextlib.closing(courtesy.connect(chosen)) as connection:
            return watchlist.left_alone(connection, every)
    except RedisError:
        return {}


def _host(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "origin": standing.origin,
        "circuit": standing.circuit.value,
        "left_alone_seconds": round(standing.seconds),
        "said": watchlist.told(standing),
    }


_DEFAULT = "default"


@sources.command("set")
@click.argument("slug")
@click.option("--every", metavar="SPAN", help="Scan it this often, such as 30m, 6h or 2d; or `default`.")
@click.option(
    "--quiet", metavar="HOURS", help="Begin no scan in these hours: 22:00-07:00, `none` or `default`."
)
@click.option("--zone", metavar="NAME", help="The time zone of those, such as Europe/Berlin; or `default`.")
def set_(slug: str, every: str | None, quiet: str | None, zone: str | None) -> None:
    """Give a board a schedule of its own; `default` takes it back.

    No board is asked more often than its kind allows. "Scan now" is not bound by quiet hours.
    Example: scout sources set veeva --every 6h --quiet 22:00-07:00 --zone Europe/Berlin
    """
    changes: dict[str, float | str | None] = {}
    if every is not None:
        changes["interval_minutes"] = (
            None if every == _DEFAULT else schedule.span("--every", every).total_seconds() / 60
        )
    if quiet is not None:
        changes["quiet_hours"] = None if quiet == _DEFAULT else settings.quiet_hours("--quiet", quiet)
    if zone is not None:
        changes["time_zone"] = None if zone == _DEFAULT else settings.time_zone("--zone", zone)
    if not changes:
        raise click.UsageError("Say what to set: --every, --quiet or --zone.")
    chosen = settings.load()
    with for_command(chosen) as database, database.session() as session:
        source = watchlist.schedule_own(session, slug, chosen, changes)
        audit.by_command(session, "sources.schedule", "Changed a board's schedule", source.name)
        due, why = source.next_scan_at, source.next_scan_why
    click.echo(f"{slug}: next scan {table.until(due)} ({why.rstrip('.')}).")


@sources.command()
@click.argument("slug")
def pause(slug: str) -> None:
    """Stop scanning a board; its jobs stay.

    Example: scout sources pause veeva
    """
    with for_command(settings.load()) as database, database.session() as session:
        audit.by_command(session, "sources.pause", "Paused a board", watchlist.pause(session, slug).name)
    click.echo(f"Paused {slug}. `scout sources resume {slug}` scans it again.")


@sources.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Scan a paused board again.

    Example: scout sources resume veeva
    """
    with for_command(settings.load()) as database, database.session() as session:
        audit.by_command(session, "sources.resume", "Resumed a board", watchlist.resume(session, slug).name)
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
        name = watchlist.get(session, slug).name
        watchlist.remove(session, slug)
        audit.by_command(session, "sources.remove", "Removed a board", name)
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
        with for_command(chosen) as database:
            for page in trial.pages(database, chosen, board):
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
    with for_command(settings.load()) as database, database.reading() as session:
        profile = chosen_profile.in_use(session)
    scored = [(matching.score(normalise.completed(posting), profile), posting) for posting in postings]
    return sorted(scored, key=lambda each: -each[0].score)
