"""The jobs: which there are, how well they match, what the owner does with them, and the messages."""

from __future__ import annotations

from metrics import catalogue
from metrics.quantities import Quantity
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Look,
    Panel,
    Row,
    Variable,
    alerts,
    asked,
    hourly,
    level,
    quantile,
    risen,
)

#: Also on the overview.
KEPT = Panel(
    title="Jobs kept, and new today",
    help="All that are kept, and those first seen since midnight UTC.",
    unit=Quantity.COUNT,
    lines=(
        level(catalogue.JOBS, most=True, name="kept"),
        level(catalogue.JOBS_NEW_TODAY, most=True, name="new today"),
    ),
    look=Look.FIGURE,
    wide=4,
)

_GLANCE = Row(
    title="Jobs",
    panels=(
        alerts(wide=12, tall=8),
        KEPT,
        Panel(
            title="By status",
            help="Where the owner stands with them.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.JOBS_BY_STATUS, "status", most=True),),
            look=Look.BARS,
            wide=4,
        ),
        Panel(
            title="By score",
            help="How well they match the profile.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.JOBS_BY_SCORE_BAND, "band", most=True),),
            look=Look.BARS,
            wide=4,
        ),
    ),
)

_FOUND = Row(
    title="What is found",
    panels=(
        asked("new_jobs"),
        Panel(
            title="New jobs by score",
            help="How well the jobs match that were seen for the first time.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.MATCHES, "band"),),
            stacked=True,
        ),
        Panel(
            title="What boards changed",
            help="In postings that were stored already, by field.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.JOB_EDITS, "field"),),
        ),
        Panel(
            title="The same job twice",
            help="In one answer of a board, from several boards, and posted anew after it was gone.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.DUPLICATES_MERGED, name="twice in an answer"),
                hourly(catalogue.MERGES, name="from several boards"),
                hourly(catalogue.REPOSTS, name="posted anew"),
            ),
        ),
        Panel(
            title="Merges by what told them",
            help="Their addresses, company with title and place, or the owner.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.MERGES, "tier"),),
        ),
        Panel(
            title="Merges undone",
            help="By what had told them. Many of one kind mean that it is told too easily.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SPLITS, "tier"),),
        ),
    ),
)

_DONE = Row(
    title="What the owner does",
    panels=(
        Panel(
            title="Changes of status",
            help="To which status jobs went, in the time that is shown; those of scans are among them.",
            unit=Quantity.COUNT,
            lines=(risen(catalogue.STATUS_UPDATES, "to_status"),),
            look=Look.BARS,
        ),
        Panel(
            title="Changes from status to status",
            help="And those that were taken back.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.STATUS_UPDATES, "from_status", "to_status"),
                hourly(catalogue.STATUS_UNDOS, name="taken back"),
            ),
        ),
        Panel(
            title="Bulk changes",
            help="How many, and what became of their jobs.",
            unit=Quantity.PER_HOUR,
            lines=(
                hourly(catalogue.BULK_UPDATES, name="changes"),
                hourly(catalogue.BULK_UPDATED_JOBS, "outcome"),
            ),
        ),
        Panel(
            title="Jobs to score again",
            help="After the profile changed. It falls while the workers score them.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.JOBS_TO_RESCORE, most=True, name="left"),),
            wide=6,
        ),
        Panel(
            title="Jobs scored again",
            help="By whether that changed their match.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.JOBS_RESCORED, "result"),),
            wide=6,
        ),
        Panel(
            title="Appointments",
            help="Added, changed and removed.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.APPOINTMENT_CHANGES, "change"),),
            wide=6,
        ),
        Panel(
            title="Rows imported",
            help="From files of jobs. Refused ones could not be read.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.IMPORTED_ROWS, "outcome"),),
            wide=6,
        ),
    ),
)

_MESSAGES = Row(
    title="Messages to the owner",
    panels=(
        asked("messages", empty="No message yet."),
        Panel(
            title="How long channels take",
            help="To take or refuse a message: p95.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.MESSAGE_DURATION, "channel", "outcome"),),
            empty="No message yet.",
        ),
        Panel(
            title="Reminders",
            help="Dates that messages reminded of.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.REMINDERS, "kind"),),
        ),
        Panel(
            title="Messages that are not sent",
            help="Waiting ones are tried again; parked ones failed too often, and wait for the owner.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.MESSAGES_IN_OUTBOX, "state", most=True),),
            wide=12,
        ),
        Panel(
            title="The oldest message that waits",
            help="A message is made when it may go: what waits was tried.",
            unit=Quantity.SECONDS,
            lines=(level(catalogue.OUTBOX_OLDEST_AGE, most=True, name="oldest"),),
            wide=12,
            limits=(Limit("ScoutMessagesLate"),),
        ),
    ),
)

BOARD = Board(
    uid="scout-business",
    rows=(_GLANCE, _FOUND, _DONE, _MESSAGES),
    variables=(Variable(name="channel", title="Channel", source=catalogue.MESSAGES),),
)
