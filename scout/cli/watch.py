"""`scout metrics rules`, `alerts` and `receive-alerts`: what watches, its proofs, and who hears of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from metrics.watch import example, proofs, receiver, rules, slo
from metrics.watch.dashboards import GRAFANA, RUNBOOKS
from metrics.watch.errors import WatchError
from scout import settings as scout_settings
from scout.cli import table
from scout.errors import ScoutError

_FOLDER = scout_settings.PROJECT / "prometheus"
_RULES = _FOLDER / "rules"
_RUNBOOKS = scout_settings.PROJECT / "docs" / "runbooks"
_SLOS, _SLO_RULES = _FOLDER / "slos.yml", _RULES / "slo.yml"
_EXAMPLE = scout_settings.PROJECT / "prometheus-alerts.yml.example"
_COLOURS = {"page": "red", "ticket": "yellow", "info": "cyan", "watchdog": "green"}


class RulesError(ScoutError):
    """Rules, objectives or runbooks are stale or wrong."""


@click.command("rules")
@click.option("--write", "action", flag_value="write", help="Write prometheus/rules/slo.yml and the example.")
@click.option(
    "--check", "action", flag_value="check", help="Fail when a file is not what would be written, or wrong."
)
@click.option("--runbooks", default=RUNBOOKS, metavar="URL", help="Where your runbooks are.")
@click.option("--dashboards", default=GRAFANA, metavar="URL", help="Where your Grafana is.")
@click.option("--kubernetes", is_flag=True, help="Print an object of the Prometheus Operator.")
def rules_(action: str | None, runbooks: str, dashboards: str, *, kubernetes: bool) -> None:
    """Print, write or check the rules that Prometheus evaluates.

    Printed they are one file, with the addresses of your runbooks and dashboards in it.

    Examples: scout metrics rules --dashboards https://grafana.example.org > scout-alerts.yml;
    scout metrics rules --kubernetes | kubectl apply -n scout -f -
    """
    try:
        if action == "write":
            _SLO_RULES.write_text(slo.render(slo.load(_SLOS)), encoding="utf-8")
            _EXAMPLE.write_text(example.render(_RULES), encoding="utf-8")
            click.echo(f"Wrote {_SLO_RULES.name} and {_EXAMPLE.name}.")
        elif action == "check":
            found = list(_stale_or_wrong())
            if found:
                raise RulesError("\n".join(table.plain(each) for each in found))
            click.echo("The rules, the objectives and the runbooks are up to date and ask for what there is.")
        else:
            text = example.render(_RULES, runbooks=runbooks, dashboards=dashboards)
            click.echo(example.as_object(text) if kubernetes else text, nl=False)
    except WatchError as error:
        raise RulesError(str(error)) from None


def _stale_or_wrong() -> Iterator[str]:
    made = {_SLO_RULES: slo.render(slo.load(_SLOS)), _EXAMPLE: example.render(_RULES)}
    for path, text in made.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield f"{path.name} is not what its data say: run `scout metrics rules --write`."
    loaded = rules.load(_RULES)
    yield from rules.mistakes(loaded)
    yield from proofs.mistakes(_RUNBOOKS, loaded.known())


@click.command("alerts")
@click.option("--unproven", is_flag=True, help="Only those that lack a proof; exit code 1 if there are any.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def alerts(*, unproven: bool, as_json: bool) -> None:
    """List every alert, and what proves it: tests in which it fires and stays silent, a runbook, a drill.

    Example: scout metrics alerts --unproven
    """
    try:
        found = proofs.proofs(
            rules.load(_RULES), tests=_FOLDER / "tests", runbooks=_RUNBOOKS, drills=_FOLDER / "drills.yml"
        )
    except WatchError as error:
        raise RulesError(str(error)) from None
    shown = [each for each in found if each.lacking] if unproven else found
    if as_json:
        click.echo(json.dumps([_as_dict(each) for each in shown], indent=2))
    else:
        for each in shown:
            _print(each)
        lacking = sum(bool(each.lacking) for each in found)
        live = sum(each.drill is not None and each.drill.live for each in found)
        click.echo(f"{len(found)} alerts, {lacking or 'none'} without all of its proofs.")
        click.echo(f"`make drill` raises {live} of them on a running stack.")
    if unproven and shown:
        raise SystemExit(1)


def _as_dict(proof: proofs.Proof) -> dict[str, object]:
    alert = proof.alert
    return {
        "alert": alert.name,
        "group": alert.group,
        "severity": alert.severity,
        "summary": alert.annotations.get("summary", ""),
        "for_seconds": alert.wait,
        "fires": proof.fires,
        "silent": proof.silent,
        "runbook": proof.runbook,
        "drill": proof.drill.fault if proof.drill else None,
        "raised_live": bool(proof.drill and proof.drill.live),
        "why_not_live": proof.drill.why_not if proof.drill else "",
        "lacking": proof.lacking,
    }


def _print(proof: proofs.Proof) -> None:
    alert = proof.alert
    severity = click.style(f"{alert.severity:<9}", fg=_COLOURS.get(alert.severity))
    click.echo(f"{severity}{alert.name:<38} {alert.annotations.get('summary', '')}")
    if proof.lacking:
        click.echo(f"{'':<9}lacks {', '.join(proof.lacking)}")


@click.command("receive-alerts")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=9099, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
)
@click.option(
    "--expect", default=10.0, show_default=True, metavar="MINUTES",
    help="Say so when the watchdog stays away for so long; 0 never.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print each notification as one line of JSON.")
def receive_alerts(*, host: str, port: int, expect: float, as_json: bool) -> None:
    """Print the alerts that arrive, until Ctrl-C: prometheus/alertmanager.yml sends them here.

    Example: scout metrics receive-alerts
    """

    def take(notification: Mapping[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(notification))
            return
        for severity, text in receiver.told(notification):
            click.echo(f"{time.strftime('%H:%M:%S')}  {table.plain(severity):<8}  {table.plain(text)}")

    try:
        server = receiver.Receiver((host, port), take)
    except OSError as error:
        raise RulesError(f"Port {port} of {host} cannot be listened on: {error.strerror}.") from None
    with server:
        click.echo(f"Waiting for alerts at http://{host}:{server.server_port}. Ctrl-C ends it.", err=True)
        over = threading.Event()
        if expect > 0:
            threading.Thread(target=_expect, args=(server, expect * 60, over), daemon=True).start()
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            click.echo("", err=True)
        finally:
            over.set()


def _expect(server: receiver.Receiver, seconds: float, over: threading.Event) -> None:
    """Say when the watchdog has stayed away for so long, once each time that it does."""
    missed = False
    while not over.wait(min(seconds / 4, 5.0)):
        away = time.monotonic() - server.heard > seconds
        if away and not missed:
            told = f"no {receiver.WATCHDOG} for {seconds / 60:g} minutes: Prometheus or Alertmanager is down."
            click.secho(f"{time.strftime('%H:%M:%S')}  SILENCE   {told}", fg="red")
        missed = away
