"""`scout searches`: what the owner is told of, how, when and by which channels."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from typing import Any, get_args

import click
from sqlalchemy.orm import Session

from scout import audit, settings
from scout import searches as saved
from scout.cli import FAILED, PARTIAL, measure, table
from scout.database import for_command
from scout.jobs import Sort
from scout.models import Every, MessageState, SavedSearch, Status, Tells
from scout.searches import Wish
from scout.settings import Settings
from scout.telling import channels as all_channels
from scout.telling import outbox, teller, told_of, trial
from scout.telling.mail import Refused


@click.group()
def searches() -> None:
    """Saved searches: what you are told of, how, when and by which channels."""


def _one_of(kind: type[enum.StrEnum]) -> click.Choice[str]:
    return click.Choice([each.value for each in kind])


def _wishes(command: Callable[..., None]) -> Callable[..., None]:
    """What `add` and `set` take."""
    options = [
        click.option("--search", "text", metavar="WORDS", help="Only jobs with all of these words."),
        click.option("--status", "statuses", type=_one_of(Status), multiple=True, metavar="STATUS",
                     help="Only jobs of this status; may be given several times."),
        click.option("--source", metavar="SLUG", help="Only jobs of this source."),
        click.option("--min-score", type=click.IntRange(0, 100), help="Only jobs that match this well."),
        click.option("--sort", type=click.Choice(get_args(Sort)), help="The order in which they are listed."),
        click.option("--tell", "tells", type=_one_of(Tells),
                     help="At once, in one message a day or week, or by the feed alone."),
        click.option("--every", type=_one_of(Every), help="How often a digest comes."),
        click.option("--hour", type=click.IntRange(0, 23), help="The full hour at which it comes."),
        click.option("--day", type=click.Choice(told_of.DAYS), help="The day on which a weekly one comes."),
        click.option("--channel", "channels", multiple=True, metavar="NAME",
                     help="Tell by this channel; may be given several times."),
        click.option("--quiet", metavar="HOURS", help="Hours without instant ones: 22:00-07:00, or none."),
        click.option("--timezone", metavar="ZONE", help="Where these hours are meant: Europe/Zurich."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _wish(said: dict[str, Any], *, before: dict[str, Any] | None = None, **more: Any) -> Wish:
    """The options that were given; what a search looks for is that of `before` with them."""
    query = {
        name: said[name]
        for name in ("text", "statuses", "source", "min_score", "sort")
        if said[name] not in {None, ()}
    }
    quiet = said["quiet"]
    return Wish(
        query={**(before or {}), **query} if query or before is None else None,
        tells=Tells(said["tells"]) if said["tells"] else None,
        every=Every(said["every"]) if said["every"] else None,
        hour=said["hour"],
        weekday=told_of.DAYS.index(said["day"]) if said["day"] else None,
        channels=said["channels"] or None,
        quiet="" if quiet == "none" else quiet,
        timezone=said["timezone"],
        **more,
    )


@searches.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs; it holds feed addresses.")
def list_(*, as_json: bool) -> None:
    """List the saved searches.

    Example: scout searches list
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        every = saved.every(session)
        if as_json:
            found = [told_of.as_dict(session, each, chosen) for each in every]
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        if not every:
            click.echo("No search is saved. `scout searches add --help` shows how one is.")
            return
        rows = []
        for each in every:
            counts = told_of.counts(session, each)
            rows.append(
                [
                    each.slug,
                    _looks_for(each),
                    _how(each),
                    ", ".join(each.channels),
                    str(counts[MessageState.WAITING]),
                    str(counts[MessageState.PARKED]),
                ]
            )
        table.show(["SEARCH", "LOOKS FOR", "TELLS", "CHANNELS", "WAITING", "PARKED"], rows, shrink=[1])


@searches.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def show(slug: str, *, as_json: bool) -> None:
    """Show a search, the secret addresses of its feeds, and what became of its last messages.

    Example: scout searches show remote-iam
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        search = saved.get(session, slug)
        told = told_of.as_dict(session, search, chosen)
        if as_json:
            click.echo(json.dumps(told, indent=2, ensure_ascii=False))
            return
        click.secho(table.plain(search.name), bold=True)
        facts = [
            ("Looks for", _looks_for(search)),
            ("Tells", _how(search)),
            ("Channels", ", ".join(search.channels)),
            ("Quiet", f"{search.quiet} ({search.timezone})" if search.quiet else ""),
            ("Next", search.digest_at.isoformat(timespec="minutes") if search.digest_at else ""),
            ("Atom", told["feeds"]["atom"]),
            ("JSON feed", told["feeds"]["json"]),
        ]
        for name, value in facts:
            if value:
                click.echo(f"{name + ':':<11}{table.plain(value)}")
        for each in told["messages"]:
            reason = f": {each['reason']}" if each["reason"] else ""
            click.echo(
                f"{each['created_at']} {each['state']} {each['channel']}, {each['jobs']} jobs,"
                f" {each['attempts']} tries{table.plain(reason)}"
            )


@searches.command()
@click.option("--name", required=True, help="What to call it.")
@_wishes
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def add(name: str, *, as_json: bool, **said: Any) -> None:
    """Save a search. It tells of what comes from now on.

    Example: scout searches add --name "Remote IAM" --min-score 60 --tell instant --channel phone
    """
    chosen = settings.load()
    known = all_channels.load(chosen)
    with for_command(chosen) as database:
        with database.session() as session:
            search = saved.add(session, _wish(said, name=name), known)
            audit.by_command(session, "searches.add", "Saved a search", search.name)
        with database.reading() as session:
            _saved(session, search.slug, chosen, as_json=as_json)


@searches.command("set")
@click.argument("slug")
@click.option("--name", help="What to call it; its short name stays.")
@_wishes
@click.option("--on/--off", "enabled", default=None, help="Whether it tells, and its feed is there.")
@click.option("--renew-feed", is_flag=True, help="Give its feeds other addresses; those before end.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def set_(
    slug: str, name: str | None, *, enabled: bool | None, renew_feed: bool, as_json: bool, **said: Any
) -> None:
    """Change a search: what is given, and nothing else.

    Example: scout searches set remote-iam --tell digest --hour 7 --timezone Europe/Zurich
    """
    chosen = settings.load()
    known = all_channels.load(chosen)
    with for_command(chosen) as database:
        with database.session() as session:
            before = dict(saved.get(session, slug).query)
            wish = _wish(said, before=before, name=name, enabled=enabled)
            saved.change(session, slug, wish, known)
            audit.by_command(
                session, "searches.change", "Changed a saved search", saved.get(session, slug).name
            )
            if renew_feed:
                saved.renew_feed(session, slug)
        with database.reading() as session:
            _saved(session, slug, chosen, as_json=as_json)


def _saved(session: Session, slug: str, chosen: Settings, *, as_json: bool) -> None:
    search = saved.get(session, slug)
    if as_json:
        click.echo(json.dumps(told_of.as_dict(session, search, chosen), indent=2, ensure_ascii=False))
        return
    click.echo(f"{search.slug}: {_looks_for(search)}; {_how(search)}.")
    click.echo(f"Its feed: {told_of.feeds(search, chosen)['atom']}")


@searches.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Forget a search, and the messages of it that wait. No job is removed.

    Example: scout searches remove remote-iam
    """
    with for_command(settings.load()) as database, database.session() as session:
        name = saved.get(session, slug).name
        saved.remove(session, slug)
        audit.by_command(session, "searches.remove", "Removed a saved search", name)
    click.echo(f"Removed {slug}.")


@searches.command()
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def channels(*, as_json: bool) -> None:
    """List the channels of the file of channels, by name and kind; their addresses are secret.

    Exit codes: 0 all can be used, 3 some cannot. Example: scout searches channels
    """
    chosen = settings.load()
    found = []
    for channel in all_channels.load(chosen).values():
        trouble = ""
        try:
            channel.check()
        except Refused as error:
            trouble = str(error)
        found.append({"name": channel.name, "kind": channel.kind, "trouble": trouble})
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif not found:
        click.echo(f"There is no channel yet: write `name = address` lines to {chosen.channels_file}.")
    else:
        table.show(["CHANNEL", "KIND", "TROUBLE"], [list(each.values()) for each in found], shrink=[2])
    if any(each["trouble"] for each in found):
        raise SystemExit(PARTIAL)


@searches.command()
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Only print the message.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def test(slug: str, *, dry_run: bool, as_json: bool) -> None:
    """Send what matches now to the search's channels, as a test. It stays untold, and no try is counted.

    Exit codes: 0 all channels took it, 3 some, 1 none. Example: scout searches test remote-iam --dry-run
    """
    chosen = settings.load()
    known = all_channels.load(chosen)
    with for_command(chosen) as database, database.reading() as session:
        search = saved.get(session, slug)
        story = trial.story(session, search, chosen)
        names = list(search.channels)
    if dry_run:
        click.echo(f"{story.subject}\n\n{story.text()}", nl=False)
        return
    found = []
    for name in names:
        trouble = trial.send(story, name, known, chosen)
        found.append({"channel": name, "sent": not trouble, "reason": trouble})
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo(f"{each['channel']}: {each['reason'] or 'sent'}")
        if not found:
            click.echo("The search has no channels; its feed is all that tells.")
    refused = [each for each in found if not each["sent"]]
    if refused:
        raise SystemExit(FAILED if len(refused) == len(found) else PARTIAL)


@searches.command()
@click.option("--parked", is_flag=True, help="Take parked messages up again first.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def tell(*, parked: bool, as_json: bool) -> None:
    """Look for what is new and send what is due, now. The scheduler does the same by itself.

    Exit codes: 0 done, 3 a message was not taken. Example: scout searches tell --parked
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database:
        if parked:
            with database.session() as session:
                outbox.take_up_parked(session)
        told = teller.tell(database, chosen, worker="command")
    figures = {name: getattr(told, name) for name in ("found", "sent", "failed", "parked", "empty")}
    if as_json:
        click.echo(json.dumps(figures))
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in figures.items()))
    if told.failed or told.parked:
        click.echo("`scout searches show` tells why.", err=True)
        raise SystemExit(PARTIAL)


# --- How a search is shown --------------------------------------------------------------------------------


def _looks_for(search: SavedSearch) -> str:
    words = {"text": "words", "min_score": "score from", "statuses": "status"}
    said = (
        f"{words.get(name, name)} {' or '.join(value) if isinstance(value, list) else value}"
        for name, value in search.query.items()
    )
    return ", ".join(said) or "every job"


def _how(search: SavedSearch) -> str:
    if not search.enabled:
        return "off"
    if search.tells is Tells.DIGEST:
        day = f" {told_of.DAYS[search.weekday].title()}s" if search.every is Every.WEEKLY else ""
        return f"{search.every}{day} at {search.hour}:00 ({search.timezone})"
    return "at once" if search.tells is Tells.INSTANT else "by its feed"
