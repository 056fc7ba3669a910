"""Does a metric arrive, and where is it lost if it does not?

One probe goes the way of every metric: client, socket, exporter, mapping, page, the application's page,
Prometheus. Another goes the way of every scan's result: Pushgateway, its page, and away again. Each step says
what was found and, where the probe is lost, what to do.

The requests made here are an exception to the fetch door (`scout/fetch.py`): they go to parts of this stack,
whose addresses come from our own settings and are private by nature.
"""

from __future__ import annotations

import enum
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar

from metrics import catalogue, kernel, losses, mapping
from metrics.client import Client
from metrics.model import wire_name

if TYPE_CHECKING:
    from scout.settings import Settings

#: Seconds to wait for the probe at each step.
PATIENCE = 5.0
#: The most seconds to wait for Prometheus, whatever its scrape interval is.
MOST_PATIENCE = 60.0
#: The mapping file's name, for what to do.
FILE = "statsd-exporter-mapping.yml"
#: The `job` of the group that is pushed and deleted again.
JOB = "scout_doctor"

_MOST = 64 * 1024 * 1024
_ANSWER = 2.0
_PROBE = catalogue.CLIENT_PROBES.name
_LOADED = catalogue.LOADED_MAPPING_VERSION.name
_DROPPED = 'statsd_exporter_events_actions_total{action="drop"}'
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

Page = dict[str, float]
Found = TypeVar("Found")


class Verdict(enum.StrEnum):
    """What became of the probe at a step."""

    OK = "ok"
    WARNING = "warning"
    LOST = "lost"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a probe's way.

    Attributes:
        name: Which step.
        verdict: What became of the probe there.
        text: What was found.
        advice: What to do, where something is not well.
    """

    name: str
    verdict: Verdict
    text: str
    advice: str = ""


class Refused(OSError):  # noqa: N818 - an answer, which the text says
    """A part answered, but not with what was asked for."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"it answers {status}{f': {said}' if said else ''}")
        self.status = status


def examine(settings: Settings, patience: float = PATIENCE) -> Iterator[Step]:
    """Send both probes, and tell of each step as it is done.

    Args:
        settings: Where the parts are.
        patience: Seconds to wait for a probe at each step; for Prometheus, two of its scrapes are waited for.
    """
    lost = False
    for step in statsd_path(settings.statsd, settings.exporter, patience):
        yield step
        lost = lost or step.verdict is Verdict.LOST
    yield from kernel_drops(settings.statsd)
    if not lost:
        yield from _beyond(settings, patience)
    yield from gateway_path(settings.pushgateway, patience)


def _beyond(settings: Settings, patience: float) -> Iterator[Step]:
    """From the exporter's page on."""
    try:
        count = _sum(_page(settings.exporter), _PROBE)
    except (OSError, ValueError) as error:
        yield Step("page", Verdict.LOST, f"{settings.exporter}/metrics cannot be read any more ({error})")
        return
    yield _app(settings, count, patience)
    if settings.prometheus_url:
        yield from prometheus_path(settings.prometheus_url, settings.exporter, count, patience)


# --- The way of every metric ------------------------------------------------------------------------------


def statsd_path(statsd: str, exporter: str, patience: float = PATIENCE) -> Iterator[Step]:
    """Send one probe counter, and follow it to the exporter's page. The step where it is lost is the last.

    Args:
        statsd: Where samples are sent (STATSD_URL).
        exporter: Web address of the exporter that they lead to (STATSD_EXPORTER_URL).
        patience: Seconds to wait for it.
    """
    before: Page | None = None
    trouble = ""
    try:
        before = _page(exporter)
    except (OSError, ValueError) as error:
        trouble = str(error)
    sent = _send(statsd)
    yield from sent
    if sent[-1].verdict is Verdict.LOST:
        return
    if before is None:
        yield Step(
            "exporter",
            Verdict.LOST,
            f"its page {exporter}/metrics cannot be read ({trouble})",
            "Is the exporter running, and STATSD_EXPORTER_URL its web address?",
        )
        return
    after = _waited(exporter, before, patience)
    yield from _at_the_exporter(statsd, exporter, before, after)


def _send(statsd: str) -> list[Step]:
    # A client of its own: nothing else is sent, and a running one is left alone.
    sender = Client(statsd)
    sender.run()
    sender.gauge(wire_name(_LOADED, ()), 1)
    sender.incr(wire_name(_PROBE, ()))
    sender.close()
    if losses.DROPPED["resolve"].take():
        return [
            Step(
                "address",
                Verdict.LOST,
                f"the host in {statsd} has no address",
                "Is STATSD_URL right, and does name resolution work here?",
            )
        ]
    steps = [Step("address", Verdict.OK, f"{statsd} leads somewhere")]
    if losses.DROPPED["send"].take():
        steps.append(
            Step(
                "socket",
                Verdict.LOST,
                f"{statsd} refuses it: nobody listens there",
                "Is the exporter running, and STATSD_URL its address?",
            )
        )
    else:
        steps.append(Step("socket", Verdict.OK, "the kernel took the probe, and nobody refused it"))
    return steps


def _at_the_exporter(statsd: str, exporter: str, before: Page, after: Page) -> Iterator[Step]:
    def rose(name: str) -> bool:
        return _sum(after, name) > _sum(before, name)

    here = rose(_PROBE)
    if not here and not any(
        rose(f"statsd_exporter_{name}_total") for name in ("lines", "udp_packets", "unixgram_packets")
    ):
        yield Step(
            "exporter",
            Verdict.LOST,
            f"{statsd} took it, or nobody listens there, but {exporter} received nothing",
            "Do STATSD_URL and STATSD_EXPORTER_URL lead to the same exporter, and does its "
            "--statsd.listen-udp match?",
        )
        return
    yield Step("exporter", Verdict.OK, f"{exporter} received datagrams")
    if not here and rose("statsd_exporter_sample_errors_total"):
        yield Step(
            "parsed",
            Verdict.LOST,
            "the exporter could not read it",
            "Is that a statsd_exporter, of release 0.27 or later?",
        )
        return
    yield Step(
        "parsed", Verdict.OK, "no line was malformed" if here else "nothing says that it was malformed"
    )
    yield _mapped(here, rose, after)
    if not here:
        return
    yield Step("page", Verdict.OK, f"{_PROBE} rose to {after[_PROBE]:g} at {exporter}/metrics")


def _mapped(here: bool, rose: Callable[[str], bool], after: Page) -> Step:  # noqa: FBT001 - one of a few facts
    reload = f"Start it with --statsd.mapping-config {FILE} as it is now, or reload it with SIGHUP."
    if not here:
        if rose(_DROPPED):
            text = "the exporter's last rule dropped it: it does not know the name"
        elif rose("statsd_exporter_events_unmapped_total"):
            text = "the exporter does not know the name, and its file is older than the rule that drops those"
        elif rose("statsd_exporter_events_conflict_total"):
            text = f"the exporter holds {_PROBE} as another kind of metric"
            reload = "Restart the exporter: a name keeps its kind for as long as it runs."
        else:
            text = "datagrams arrive at the exporter, but not this one"
            reload = "Is another process or a filter on the way?"
        return Step("mapped", Verdict.LOST, text, reload)
    loaded = after.get(_LOADED)
    if loaded is None:
        text = "the exporter's file is older than ours: it does not know its own version"
        return Step("mapped", Verdict.WARNING, text, reload)
    if loaded != mapping.version():
        text = f"the exporter has the rules of version {loaded:.0f}, and ours are {mapping.version()}"
        return Step("mapped", Verdict.WARNING, text, reload)
    return Step("mapped", Verdict.OK, f"by rules of our version, {mapping.version()}")


def _waited(exporter: str, before: Page, patience: float) -> Page:
    def looked() -> Page | None:
        page = _page(exporter)
        # Both samples of the probe travel in one datagram, but the exporter may show one before the other.
        arrived = _sum(page, _PROBE) > _sum(before, _PROBE)
        return page if arrived and page.get(_LOADED) is not None else None

    found = _until(looked, patience)
    if found is not None:
        return found
    try:
        return _page(exporter)
    except (OSError, ValueError):
        return before


def kernel_drops(statsd: str) -> Iterator[Step]:
    """What the kernel dropped at the StatsD port of this host, or holds: no exporter can see that."""
    port = kernel.port_here(statsd)
    found = None if port is None else kernel.receive_drops(port)
    if found is None or not any(found):
        return
    drops, waiting = found
    if drops:
        yield Step(
            "kernel",
            Verdict.WARNING,
            f"it dropped {drops} datagrams at port {port} since the exporter opened it, and "
            f"{waiting} bytes wait there: they came faster than the exporter reads",
            "Raise net.core.rmem_max, and with it the exporter's --statsd.read-buffer.",
        )
    else:
        yield Step(
            "kernel",
            Verdict.WARNING,
            f"{waiting} bytes wait at port {port} for the exporter to read them; none was dropped",
            "If that stays so, the exporter hangs or is too slow.",
        )


def _app(settings: Settings, count: float, patience: float) -> Step:
    """The application's merged page."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104 - compared, not bound
    origin = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    try:
        page = _page(origin)
    except Refused as refused:
        return Step(
            "app",
            Verdict.NOT_ASKED,
            f"{origin}/metrics cannot be read: {refused}",
            "SCOUT_METRICS_ALLOW says who may read it; or is that another program?",
        )
    except (OSError, ValueError):
        return Step("app", Verdict.NOT_ASKED, f"no web process answers at {origin}")
    if not any(name.startswith("scout_exposition_up") for name in page):
        return Step("app", Verdict.NOT_ASKED, f"what answers at {origin} is not our web process")

    def looked() -> bool | None:
        return _sum(_page(origin), _PROBE) >= count or None

    if _until(looked, patience):
        return Step("app", Verdict.OK, f"{origin}/metrics shows it")
    return Step(
        "app",
        Verdict.LOST,
        f"{origin}/metrics does not show it",
        "The web process reads STATSD_EXPORTER_URL of its own environment: is it the same as here?",
    )


def prometheus_path(url: str, exporter: str, count: float, patience: float = PATIENCE) -> Iterator[Step]:
    """Whether Prometheus has the exporter among its targets, and the probe.

    Args:
        url: Web address of Prometheus (PROMETHEUS_URL).
        exporter: Web address of the exporter.
        count: The probes that its page shows.
        patience: Seconds to wait beside two scrapes.
    """
    targets: list[dict[str, Any]] = []
    trouble: Exception | None = None

    def looked() -> list[dict[str, Any]] | None:
        nonlocal targets, trouble
        try:
            targets = _json(f"{url}/api/v1/targets?state=active")["data"]["activeTargets"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            trouble = error
            return []
        return [target for target in targets if _is_exporter(target, exporter)] or None

    # One that has just started reads its list of targets a little later.
    ours = _until(looked, patience)
    if trouble is not None:
        yield Step(
            "prometheus",
            Verdict.LOST,
            f"{url} does not tell its targets ({trouble})",
            "Is Prometheus running, and PROMETHEUS_URL its web address?",
        )
        return
    if not ours:
        yield Step(
            "prometheus",
            Verdict.LOST,
            f"{exporter} is not among the {len(targets)} targets of {url}",
            "Put it into prometheus/targets/statsd_exporter.yml.",
        )
        return
    up = [target for target in ours if target.get("health") == "up"]
    if not up and all(target.get("health") == "unknown" for target in ours):
        up = ours  # it has not been scraped yet; the wait below tells
    if not up:
        yield Step(
            "prometheus",
            Verdict.LOST,
            f"the target {ours[0].get('scrapeUrl')} is down: {ours[0].get('lastError')}",
            "Can the machine of Prometheus reach that address?",
        )
        return
    yield Step("prometheus", Verdict.OK, f"{up[0].get('scrapeUrl')} is a target of {url}")
    yield _stored(url, up[0], count, patience)


def _stored(url: str, target: dict[str, Any], count: float, patience: float) -> Step:
    instance = str(target.get("labels", {}).get("instance", "")).replace("\\", "\\\\").replace('"', '\\"')
    query = urllib.parse.urlencode({"query": f'max({_PROBE}{{instance="{instance}"}})'})
    wait = min(patience + 2 * _duration(str(target.get("scrapeInterval", "15s"))), MOST_PATIENCE)

    def looked() -> bool | None:
        result = _json(f"{url}/api/v1/query?{query}")["data"]["result"]
        return bool(result and float(result[0]["value"][1]) >= count) or None

    if _until(looked, wait):
        return Step("stored", Verdict.OK, "Prometheus answers with the probe")
    return Step(
        "stored",
        Verdict.LOST,
        f"Prometheus did not have the probe within {wait:.0f} seconds",
        "Does a relabelling drop it, or does another exporter have that instance's name?",
    )


def _is_exporter(target: dict[str, Any], exporter: str) -> bool:
    """By its address, or by the job that prometheus.yml gives it: in containers, names differ by who asks."""
    labels = target.get("labels", {})
    return (
        str(target.get("scrapeUrl", "")).startswith(f"{exporter}/") or labels.get("job") == "statsd_exporter"
    )


# --- The way of every scan's result -------------------------------------------------------------------------


def gateway_path(url: str, patience: float = PATIENCE) -> Iterator[Step]:
    """Push a group that holds nothing but its push time, look for it, and delete it.

    Args:
        url: Web address of the Pushgateway (PUSHGATEWAY_URL).
        patience: Seconds to wait for it.
    """
    name = uuid.uuid4().hex[:12]
    group = f"{url}/metrics/job/{JOB}/probe/{name}"
    try:
        _ask(group, "PUT")
    except (OSError, ValueError) as error:
        yield Step(
            "gateway",
            Verdict.LOST,
            f"{url} does not take a push ({error})",
            "Is the Pushgateway running, and PUSHGATEWAY_URL its address?",
        )
        return
    yield Step("gateway", Verdict.OK, f"{url} took a push")

    def there() -> bool:
        return any(sample.startswith("push_time_seconds{") and name in sample for sample in _page(url))

    seen = _until(lambda: there() or None, patience)
    if seen:
        yield Step("gateway page", Verdict.OK, f"{url}/metrics shows the group")
    else:
        yield Step(
            "gateway page",
            Verdict.LOST,
            f"{url}/metrics does not show the group",
            "Is another program or a proxy between here and the Pushgateway?",
        )
    yield _deleted(group, there, patience)


def _deleted(group: str, there: Callable[[], bool], patience: float) -> Step:
    trouble = "it is still there"
    try:
        _ask(group, "DELETE")
        # The gateway deletes later, in its own order.
        if _until(lambda: not there() or None, patience):
            return Step("gateway delete", Verdict.OK, "the group is gone again")
    except (OSError, ValueError) as error:
        trouble = str(error)
    return Step(
        "gateway delete",
        Verdict.LOST,
        f"the group could not be deleted ({trouble})",
        f"Delete it by hand: curl -X DELETE {group}",
    )


# --- Asking -------------------------------------------------------------------------------------------------


def _until(look: Callable[[], Found | None], patience: float) -> Found | None:
    """What `look` finds within so many seconds; a page that cannot be read now may be readable later."""
    deadline = time.monotonic() + patience
    while True:
        try:
            found = look()
        except (OSError, ValueError, KeyError, TypeError):
            found = None
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _ask(url: str, method: str = "GET") -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=b"" if method == "PUT" else None, method=method)  # noqa: S310 - the address is the owner's setting
    try:
        with opener.open(request, timeout=_ANSWER) as answer:
            return str(answer.read(_MOST).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(1000).decode("utf-8", "replace").strip().partition("\n")[0]
        raise Refused(error.code, said) from None
    except urllib.error.URLError as error:
        # Its own text is in angle brackets.
        raise OSError(getattr(error.reason, "strerror", None) or str(error.reason)) from None
    except HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from None


def _json(url: str) -> Any:
    return json.loads(_ask(url))


def _page(origin: str) -> Page:
    """The samples of a page, by name and labels as they are written."""
    found: Page = {}
    for line in _ask(f"{origin}/metrics").splitlines():
        if line and not line.startswith("#"):
            sample, _, value = line.rpartition(" ")
            found[sample] = float(value)
    return found


def _sum(page: Page, name: str) -> float:
    """The sum of a name's samples, or the value of one sample."""
    if name in page:
        return page[name]
    return sum(value for sample, value in page.items() if sample.startswith(f"{name}{{"))


def _duration(text: str) -> float:
    """Seconds of a duration as Prometheus writes it: `15s`, `1m30s`."""
    return sum(float(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)(ms|s|m|h)", text))
