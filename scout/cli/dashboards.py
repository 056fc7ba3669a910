"""`scout metrics dashboards`: Grafana's dashboards, drawn from the catalogue and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from metrics.watch import rules
from metrics.watch.dashboards import APPLICATION, GRAFANA
from metrics.watch.errors import WatchError
from metrics.watch.grafana import boards, linting, reading
from scout import settings as scout_settings
from scout.cli import table
from scout.errors import ScoutError

_PROMETHEUS = scout_settings.PROJECT / "prometheus"
_RULES = _PROMETHEUS / "rules"
#: Where Grafana finds them in containers, and people who import them.
FOLDER = _PROMETHEUS / "grafana" / "dashboards"


class DashboardsError(ScoutError):
    """Dashboards are stale or wrong, or cannot be drawn here."""


@click.command("dashboards")
@click.option("--write", "action", flag_value="write", help="Write prometheus/grafana/dashboards.")
@click.option(
    "--check", "action", flag_value="check", help="Fail when a file is not what would be written, or wrong."
)
@click.option(
    "--copy",
    "place",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the files to a folder, with --app in their links.",
)
@click.option("--app", default=APPLICATION, metavar="URL", show_default=True, help="Where your pages are.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def dashboards(*, action: str | None, place: Path | None, app: str, as_json: bool) -> None:
    """List, write, check or copy Grafana's dashboards, which are made from the catalogue and the alerts.

    Writing and checking takes grafana-foundation-sdk, which `make setup-dev` installs.

    Example: scout metrics dashboards --copy /var/lib/grafana/dashboards --app https://scout.example.org
    """
    try:
        if action == "write":
            _write()
        elif action == "check":
            found = list(_stale_or_wrong())
            if found:
                raise DashboardsError("\n".join(table.plain(each) for each in found))
            click.echo("The dashboards are up to date, and ask for what there is.")
        elif place is not None:
            _copy(place, app)
        else:
            _list(as_json=as_json)
    except WatchError as error:
        raise DashboardsError(str(error)) from None


def _drawn() -> dict[str, str]:
    """What each file would hold, by its name."""
    try:
        from metrics.watch.grafana import drawing  # noqa: PLC0415 - its SDK is there for development only
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("grafana_foundation_sdk"):
            raise
        raise DashboardsError(
            "The dashboards are drawn with grafana-foundation-sdk, which is not installed: `make setup-dev` "
            "installs it."
        ) from None
    loaded = rules.load(_RULES)
    return {f"{board.uid}.json": drawing.render(board, loaded) for board in boards.ALL}


def _write() -> None:
    drawn = _drawn()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in drawn:
            path.unlink()
    for name, text in drawn.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    (FOLDER / linting.FILE).write_text(linting.render(reading.load(FOLDER)), encoding="utf-8")
    click.echo(f"Wrote {len(drawn)} dashboards to {FOLDER.relative_to(scout_settings.PROJECT)}.")


def _stale_or_wrong() -> Iterator[str]:
    drawn = _drawn()
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.json"))}
    for name in sorted({*drawn, *there}):
        if drawn.get(name) != there.get(name):
            yield f"{name} is not what metrics and alerts say: run `scout metrics dashboards --write`."
    documents = reading.load(FOLDER)
    lint = FOLDER / linting.FILE
    if not lint.is_file() or lint.read_text(encoding="utf-8") != linting.render(documents):
        yield f"{linting.FILE} is not what the dashboards need: run `scout metrics dashboards --write`."
    yield from reading.mistakes(documents, rules.load(_RULES).known())


def _copy(place: Path, app: str) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        for path in sorted(FOLDER.glob("*.json")):
            text = path.read_text(encoding="utf-8").replace(f"{APPLICATION}/", f"{app.rstrip('/')}/")
            (place / path.name).write_text(text, encoding="utf-8")
            click.echo(f"Wrote {place / path.name}.")
    except OSError as error:
        raise DashboardsError(f"{error.filename} cannot be written: {error.strerror}.") from None


def _list(*, as_json: bool) -> None:
    found = reading.load(FOLDER)
    if as_json:
        told = [
            {
                "uid": each.uid,
                "title": each.content["title"],
                "panels": len(each.panels),
                "url": f"{GRAFANA}/d/{each.uid}",
            }
            for each in found
        ]
        click.echo(json.dumps(told, indent=2))
        return
    for each in found:
        click.echo(f"{each.content['title']:<20}{len(each.panels):>3} panels  {GRAFANA}/d/{each.uid}")
