"""The pages: what is asked for, how long it takes, what fails, and the workers that answer."""

from __future__ import annotations

from metrics import catalogue
from metrics.forms import Rate, Share
from metrics.quantities import Quantity
from metrics.watch.grafana.asking import Top
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Look,
    Panel,
    Row,
    Variable,
    alerts,
    asked,
    heat,
    hourly,
    level,
    quantile,
    rate,
)

_MOST = 10

_GLANCE = Row(
    title="Pages",
    panels=(
        alerts(wide=12, tall=8),
        Panel(
            title="Pages in an hour",
            help="All requests that were answered.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.HTTP_REQUESTS),),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Signed in",
            help="Sessions that have not expired.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.SESSIONS_ACTIVE, most=True),),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Requests in progress",
            help="What the processes are answering at this moment.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.HTTP_IN_PROGRESS),),
            look=Look.FIGURE,
            wide=4,
        ),
    ),
)

_LATENCY = Row(
    title="Latency",
    panels=(
        asked("http_duration", limits=(Limit("ScoutPagesSlow"),)),
        Panel(
            title="How durations spread",
            help="Each column is a moment, each cell a span of durations: the brighter, the more requests.",
            unit=Quantity.SECONDS,
            lines=(heat(catalogue.HTTP_REQUEST_DURATION),),
            look=Look.HEAT,
        ),
        Panel(
            title="The slowest routes",
            help="19 of 20 requests to the route were answered within this time.",
            unit=Quantity.SECONDS,
            lines=(
                Line(
                    Top(most=_MOST, of=quantile(0.95, catalogue.HTTP_REQUEST_DURATION, "endpoint").form),
                    "{{endpoint}}",
                ),
            ),
            limits=(Limit("ScoutPagesSlow"),),
        ),
        Panel(
            title="Rendering",
            help="Time to make the page of its template, without what the view did before: p95.",
            unit=Quantity.SECONDS,
            lines=(
                Line(
                    Top(most=_MOST, of=quantile(0.95, catalogue.PAGE_RENDER_DURATION, "template").form),
                    "{{template}}",
                ),
            ),
            wide=12,
        ),
        Panel(
            title="Parts asked for the status page",
            help="How long the exporter, the gateway and Prometheus take to answer it: p95.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.STATUS_ASKED, "part", "outcome"),),
            wide=12,
            empty="Nobody looked at the status page.",
        ),
    ),
)

_TRAFFIC = Row(
    title="Traffic",
    panels=(
        asked("http_requests"),
        Panel(
            title="The busiest routes",
            help="Requests by route; what no route matches is `__unmatched__`.",
            unit=Quantity.PER_SECOND,
            lines=(Line(Top(most=_MOST, of=rate(catalogue.HTTP_REQUESTS, "endpoint").form), "{{endpoint}}"),),
        ),
        Panel(
            title="Bytes in and out",
            help="Of the bodies of requests and answers.",
            unit=Quantity.BYTES_PER_SECOND,
            lines=(
                rate(catalogue.HTTP_RESPONSE_BYTES, name="answers"),
                rate(catalogue.HTTP_REQUEST_BYTES, name="requests"),
            ),
        ),
        Panel(
            title="Calls of programs",
            help="To the API and to /metrics, by how they ended: refused is 4xx, failed 5xx.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.API_CALLS, "outcome"),),
            wide=6,
            empty="No program called.",
        ),
        Panel(
            title="Calls over the limit",
            help="Limited callers came too often; uncounted ones came while Redis was away.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.API_LIMITS, "outcome"),),
            wide=6,
        ),
        Panel(
            title="Calls sent again",
            help="Under the same Idempotency-Key: answered as before, running still, or used for another.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.API_REPLAYS, "outcome"),),
            wide=6,
        ),
        Panel(
            title="Pages that follow a scan",
            help="Opened, and refused as there was no place; open ones hold a thread each.",
            unit=Quantity.COUNT,
            lines=(
                level(catalogue.SCAN_STREAMS_OPEN, name="open now"),
                Line(
                    Rate(metric=catalogue.SCAN_STREAMS, by=("outcome",), times=3600), "{{outcome}} in an hour"
                ),
            ),
            wide=6,
        ),
    ),
)

_ERRORS = Row(
    title="Errors",
    panels=(
        asked("http_error_ratio", limits=(Limit("ScoutServerErrorBurst", 1),)),
        Panel(
            title="Routes that fail",
            help="The share of a route's requests that ended with a 5xx: one broken page drowns in all.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Top(
                        most=_MOST,
                        of=Share(
                            part=Rate(
                                metric=catalogue.HTTP_REQUESTS, by=("endpoint",), where={"status": "5.."}
                            ),
                            whole=Rate(metric=catalogue.HTTP_REQUESTS, by=("endpoint",)),
                        ),
                    ),
                    "{{endpoint}}",
                ),
            ),
            limits=(Limit("ScoutRouteFailing", 1),),
        ),
        Panel(
            title="Exceptions that no view caught",
            help="By type and route. Well is none.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.HTTP_EXCEPTIONS, "type", "endpoint"),),
            empty="None so far.",
        ),
    ),
)

_DOORS = Row(
    title="Who comes in",
    panels=(
        Panel(
            title="Tries to sign in",
            help="Failed and limited ones in a row are somebody who guesses.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SIGN_INS, "outcome"),),
        ),
        Panel(
            title="Second steps",
            help="One-time and recovery codes; `again` is one that was used before.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SECOND_STEPS, "outcome"),),
        ),
        Panel(
            title="API tokens",
            help="`scope` is a token that was not made for what it was used for.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.API_TOKENS_PRESENTED, "outcome"),),
        ),
        Panel(
            title="Forged requests",
            help="Refused, as they did not come from our own pages.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.CSRF_REJECTED, "reason"),),
            wide=12,
            limits=(Limit("ScoutForgedRequests"),),
        ),
        Panel(
            title="Sessions begun",
            help="By signing in.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SESSIONS_STARTED, name="begun"),),
            wide=12,
        ),
    ),
)

_WORKERS = Row(
    title="Saturation: the web server's workers",
    panels=(
        asked("web_threads"),
        Panel(
            title="Workers",
            help="Gunicorn's processes: one is busy while a request of it is in progress.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.GUNICORN_WORKERS, "state"),),
            stacked=True,
        ),
        Panel(
            title="Connections that wait for a thread",
            help="Accepted, and no thread is free for them. Well is 0.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.GUNICORN_WAITING, "role", "slot"),),
        ),
        Panel(
            title="Workers that ended",
            help="Recycled and stopped ones are as they should be; the others took their requests with them.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.GUNICORN_WORKER_EXITS, "reason"),),
            wide=12,
        ),
        Panel(
            title="Workers started",
            help="One for each that ended, and the first ones.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.GUNICORN_WORKERS_STARTED, name="started"),),
            wide=12,
        ),
    ),
)

BOARD = Board(
    uid="scout-web",
    rows=(_GLANCE, _LATENCY, _TRAFFIC, _ERRORS, _WORKERS, _DOORS),
    variables=(
        Variable(name="endpoint", title="Route", source=catalogue.HTTP_REQUESTS),
        Variable(name="method", title="Method", source=catalogue.HTTP_REQUESTS),
    ),
)
