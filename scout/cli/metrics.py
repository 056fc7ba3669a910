"""`scout metrics`: what is measured, the exporter's mapping file, what watches, and a probe through it."""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from pathlib import Path

import click

from metrics import catalogue, mapping, mapping_lint
from metrics.model import Metric, PushedGauge, Timer, wire_name
from metrics.watch.dashboards import dashboard
from metrics.watch.grafana import boards
from metrics.watch.reference import example
from scout import probe
from scout import settings as scout_settings
from scout.cli import dashboards, documents, table, watch
from scout.errors import ScoutError

#: The mapping file, in the checkout's root.
FILE = scout_settings.PROJECT / probe.FILE
#: Where its copy for Kubernetes is: kustomize reads nothing above its own folder. The image has none.
_KUBERNETES = "deploy/kubernetes/base"

_COLOURS = {
    probe.Verdict.OK: "green",
    probe.Verdict.WARNING: "yellow",
    probe.Verdict.LOST: "red",
    probe.Verdict.NOT_ASKED: "cyan",
}


class MetricsError(ScoutError):
    """A metric is unknown, or a mapping file is stale or wrong."""


@click.group()
def metrics() -> None:
    """What is measured, and whether it arrives.

    Example: scout metrics doctor
    """


for _command in (
    watch.rules_,
    watch.alerts,
    watch.receive_alerts,
    dashboards.dashboards,
    documents.docs,
):
    metrics.add_command(_command)


@metrics.command("mapping")
@click.option("--write", "action", flag_value="write", help="Write statsd-exporter-mapping.yml.")
@click.option(
    "--check", "action", flag_value="check", help="Fail when the file is not what would be written, or wrong."
)
@click.option(
    "--lint",
    "linted",
    is_flag=False,
    flag_value=str(FILE),
    metavar="[FILE]",
    help="Say what is wrong with a mapping file, ours or another.",
)
def mapping_(action: str | None, linted: str | None) -> None:
    """Print, write, check or lint statsd_exporter's mapping file, made from the catalogue.

    Examples: scout metrics mapping --check; scout metrics mapping --lint /etc/statsd_exporter.yml
    """
    if linted is not None:
        _lint(Path(linted), _read(Path(linted)))
        click.echo(f"{Path(linted).name} is well.")
    if action is None and linted is None:
        click.echo(mapping.render(), nl=False)
    elif action == "write":
        for path in _files():
            path.write_text(mapping.render(), encoding="utf-8")
        click.echo(f"Wrote {FILE.name}.")
    elif action == "check":
        text = mapping.render()
        for path in _files():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                where = path.relative_to(FILE.parent)
                raise MetricsError(
                    f"{where} is not what the catalogue says: run `scout metrics mapping --write`."
                )
        _lint(FILE, text)
        click.echo(f"{FILE.name} is up to date.")


def _files() -> list[Path]:
    """The mapping file, and its copy for Kubernetes where that has a place."""
    copy = FILE.parent / _KUBERNETES / FILE.name
    return [path for path in (FILE, copy) if path.parent.is_dir()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MetricsError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise MetricsError(f"{path} is not UTF-8 text.") from None


def _lint(path: Path, text: str) -> None:
    found = mapping_lint.lint(text)
    if found:
        lines = "\n".join(f"{path.name}, {table.plain(str(finding))}" for finding in found)
        raise MetricsError(f"{path} would not do what it says:\n{lines}")


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
        near = _near(name)
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
    if metric.statsd_type:
        click.echo(f"  on wire    {_on_the_wire(metric)}")
    click.echo(f"  query      {example(metric)}")
    shown = ", ".join(dashboard(uid) for uid in boards.holding(metric))
    click.echo(f"  shown on   {shown or f'no dashboard: {metric.internal}'}")


def _near(name: str) -> list[str]:
    """The metrics that somebody may have meant, the likeliest first."""
    asked = name.lower()
    holding = [known for known in catalogue.BY_NAME if asked in known]
    close = difflib.get_close_matches(asked, catalogue.BY_NAME, 5)
    return list(dict.fromkeys([*holding, *close]))[:5]


def _on_the_wire(metric: Metric) -> str:
    kinds = {"counter": "3|c", "gauge": "7|g", "histogram": "12:8:250|ms"}
    name = wire_name(metric.name, tuple(f"<{label.name}>" for label in metric.labels))
    return f"{name}:{kinds[mapping.kind(metric)]}"


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
        "wire_name": _on_the_wire(metric) if metric.statsd_type else None,
        "query": example(metric),
        "dashboards": boards.holding(metric),
    }


@metrics.command("doctor", epilog="Exit codes: 0 the probes arrived, 1 one is lost.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with all steps.")
def doctor(as_json: bool) -> None:  # noqa: FBT001 - click passes its flags so
    """Send a probe through the whole path, and say where it is lost if it is.

    Uses the settings of this terminal: run it with the environment, or beside the .env, of `scout up`.

    Example: scout metrics doctor
    """
    steps = []
    for step in probe.examine(scout_settings.load()):
        steps.append(step)
        if not as_json:
            _print(step)
    lost = [step for step in steps if step.verdict is probe.Verdict.LOST]
    if as_json:
        finding = f"{lost[0].name}: {lost[0].text}. {lost[0].advice}" if lost else None
        told = [dataclasses.asdict(step) for step in steps]
        click.echo(json.dumps({"arrived": not lost, "lost": finding, "steps": told}, indent=2))
    if lost:
        sys.exit(1)


def _print(step: probe.Step) -> None:
    verdict = click.style(f"{step.verdict.value:<10}", fg=_COLOURS[step.verdict])
    click.echo(f"{verdict}{step.name:<15} {table.plain(step.text)}")
    if step.advice:
        click.echo(f"{'':<26}{table.plain(step.advice)}")
