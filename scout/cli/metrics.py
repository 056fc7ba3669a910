"""`scout metrics`: what is measured, the exporter's mapping file, and a probe through the whole path."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import click

from metrics import catalogue, losses, mapping
from metrics.client import Client
from metrics.model import Metric, PushedGauge, Timer, wire_name
from scout import settings as scout_settings
from scout.errors import ScoutError

if TYPE_CHECKING:
    from collections.abc import Callable

#: The mapping file, in the checkout's root.
FILE = scout_settings.PROJECT / "statsd-exporter-mapping.yml"

_PATIENCE = 5.0
_PAGE_LIMIT = 64 * 1024 * 1024


class MetricsError(ScoutError):
    """A metric is unknown, the mapping file is stale, or a probe did not arrive."""


@click.group()
def metrics() -> None:
    """What is measured, and whether it arrives.

    Example: scout metrics doctor
    """


@metrics.command("mapping")
@click.option("--write", "action", flag_value="write", help="Write statsd-exporter-mapping.yml.")
@click.option(
    "--check", "action", flag_value="check", help="Fail when the file is not what would be written."
)
def mapping_(action: str | None) -> None:
    """Print, write or check statsd_exporter's mapping file, made from the catalogue.

    Example: scout metrics mapping --check
    """
    text = mapping.render()
    if action == "write":
        FILE.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {FILE.name}.")
    elif action == "check":
        if not FILE.is_file() or FILE.read_text(encoding="utf-8") != text:
            raise MetricsError(
                f"{FILE.name} is not what the catalogue says: run `scout metrics mapping --write`."
            )
        click.echo(f"{FILE.name} is up to date.")
    else:
        click.echo(text, nl=False)


@metrics.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(as_json: bool) -> None:  # noqa: FBT001 - click passes its flags so
    """List every metric, by golden signal.

    Example: scout metrics list --json
    """
    if as_json:
        click.echo(json.dumps([_as_dict(metric) for metric in catalogue.ALL], indent=2))
        return
    width = max(len(metric.name) for metric in catalogue.ALL)
    for signal in dict.fromkeys(metric.signal for metric in catalogue.ALL):
        click.secho(signal.value, bold=True)
        for metric in catalogue.ALL:
            if metric.signal == signal:
                click.echo(f"  {metric.name:{width}}  {mapping.kind(metric):9}  {metric.help}")


@metrics.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(name: str, as_json: bool) -> None:  # noqa: FBT001 - click passes its flags so
    """Show all about one metric.

    Example: scout metrics show http_requests_total
    """
    metric = catalogue.BY_NAME.get(name)
    if metric is None:
        near = [known for known in catalogue.BY_NAME if name.lower() in known]
        hint = f"similar: {', '.join(near)}." if near else "`scout metrics list` prints all."
        raise MetricsError(f"There is no metric {name}; {hint}")
    if as_json:
        click.echo(json.dumps(_as_dict(metric), indent=2))
        return
    click.echo(f"{metric.name}: {metric.help}")
    click.echo(f"  kind       {mapping.kind(metric)}, {metric.signal.value}")
    click.echo(f"  raised by  {metric.raised_by}")
    if metric.unit:
        click.echo(f"  unit       {metric.unit.value}")
    for label in metric.labels:
        click.echo(f"  label      {label.name}: {', '.join(label.values) or f'at most {label.bound} values'}")
    if isinstance(metric, Timer):
        click.echo(f"  buckets    {', '.join(f'{bound:g}' for bound in metric.buckets)} seconds")
    click.echo(f"  arrives by {'Pushgateway' if isinstance(metric, PushedGauge) else 'statsd_exporter'}")


def _as_dict(metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "kind": mapping.kind(metric),
        "help": metric.help,
        "signal": metric.signal.value,
        "unit": metric.unit.value,
        "raised_by": metric.raised_by,
        "labels": [
            {"name": label.name, "values": list(label.values), "bound": label.bound or len(label.values)}
            for label in metric.labels
        ],
        "buckets": list(metric.buckets) if isinstance(metric, Timer) else [],
        "arrives_by": "pushgateway" if isinstance(metric, PushedGauge) else "statsd_exporter",
    }


@metrics.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def doctor(as_json: bool) -> None:  # noqa: FBT001 - click passes its flags so
    """Send a probe through the whole path, and say where it is lost if it is.

    Example: scout metrics doctor
    """
    settings = scout_settings.load()
    finding = probe(settings.statsd, settings.exporter)
    if as_json:
        click.echo(json.dumps({"arrived": finding is None, "lost": finding}))
    elif finding is None:
        click.echo(f"The probe went to {settings.statsd} and arrived at {settings.exporter}.")
    else:
        click.echo(f"The probe is lost: {finding}", err=True)
    if finding is not None:
        sys.exit(1)


def probe(statsd: str, exporter: str, patience: float = _PATIENCE) -> str | None:
    """Send one probe counter and look for it at the exporter.

    Args:
        statsd: Where samples are sent (STATSD_URL).
        exporter: Web address of the exporter that they lead to (STATSD_EXPORTER_URL).
        patience: Seconds to wait for it.

    Returns:
        None when it arrived; otherwise where it was lost, and what to do.
    """
    try:
        before = _page(exporter)
    except (OSError, ValueError) as error:
        return f"the exporter's page {exporter}/metrics cannot be read ({error}). Is it running there?"
    # A client of its own: nothing else is sent, and a running one is left alone.
    sender = Client(statsd)
    sender.run()
    sender.incr(wire_name(catalogue.CLIENT_PROBES.name, ()))
    sender.close()
    if losses.DROPPED["resolve"].take():
        return (
            f"the host in {statsd} has no address. Is STATSD_URL right, and does name resolution work here?"
        )
    if losses.DROPPED["send"].take():
        return (
            f"{statsd} refuses it: nobody listens there. Is the exporter running, and STATSD_URL its address?"
        )
    after = _waited(exporter, before, patience)
    if _rose(before, after, catalogue.CLIENT_PROBES.name):
        return None
    return _where(statsd, exporter, lambda name: _rose(before, after, name))


def _waited(exporter: str, before: dict[str, float], patience: float) -> dict[str, float]:
    deadline = time.monotonic() + patience
    while True:
        try:
            after = _page(exporter)
        except (OSError, ValueError):
            after = before
        if _rose(before, after, catalogue.CLIENT_PROBES.name) or time.monotonic() > deadline:
            return after
        time.sleep(0.1)


def _where(statsd: str, exporter: str, rose: Callable[[str], bool]) -> str:
    if rose("statsd_exporter_events_unmapped_total"):
        return (
            f"it reached the exporter, which does not know the name. Start it with --statsd.mapping-config "
            f"{FILE.name} as it is now, or reload it."
        )
    if rose("statsd_exporter_sample_errors_total"):
        return "it reached the exporter, which could not read it. Is that a statsd_exporter?"
    if rose("statsd_exporter_events_conflict_total"):
        return f"the exporter holds {catalogue.CLIENT_PROBES.name} as another kind of metric: restart it."
    if rose("statsd_exporter_lines_total") or rose("statsd_exporter_udp_packets_total"):
        return "datagrams arrive at the exporter, but not this one. Is another process on the way?"
    return (
        f"{statsd} took it, or nobody listens there, but {exporter} received nothing. Do STATSD_URL and "
        f"STATSD_EXPORTER_URL lead to the same exporter, and does its --statsd.listen-udp match?"
    )


def _page(exporter: str) -> dict[str, float]:
    """The sums of the exporter's families by sample name."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{exporter}/metrics", timeout=2) as answer:
        text = answer.read(_PAGE_LIMIT).decode("utf-8", "replace")
    sums: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name = line.split("{", 1)[0].split(" ", 1)[0]
            sums[name] = sums.get(name, 0.0) + float(line.rsplit(" ", 1)[1])
    return sums


def _rose(before: dict[str, float], after: dict[str, float], name: str) -> bool:
    return after.get(name, 0.0) > before.get(name, 0.0)
