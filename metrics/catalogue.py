"""Every metric of the system, each declared once.

Code emits by the object declared here, so an unknown metric or label cannot be written. The mapping file
(`statsd-exporter-mapping.yml`) and the metrics reference are generated from this module, and the rules and
dashboards are checked against it.
"""

from __future__ import annotations

from metrics.model import (
    DB_BUCKETS,
    JOB_BUCKETS,
    Counter,
    Gauge,
    Label,
    Metric,
    PushedGauge,
    Signal,
    Timer,
    Unit,
)

# --- The labels, and what they may say -------------------------------------------------------------------

METHOD = Label("method", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
#: The route as written (`/jobs/{job_id}`), never the path; what no route matches is `__unmatched__`.
ENDPOINT = Label("endpoint", bound=240)
STATUS_CODE = Label("status", bound=60)
#: A template's name, with its dot as `_`: `jobs/list_html`.
TEMPLATE = Label("template", bound=80)
#: Who writes a line of the log, by the first part of its logger's name; `python` are Python's own warnings.
LOGGER = Label(
    "logger",
    (
        "webapp",
        "workers",
        "scout",
        "metrics",
        "gunicorn",
        "rq",
        "redis",
        "sqlalchemy",
        "alembic",
        "urllib3",
        "apprise",
        "opentelemetry",
        "python",
    ),
)
#: Four statements of SQL, and what costs time around them: SQLite waits for its write lock in `begin` and for
#: its disk in `commit`; `connect` is a connection that could not be had.
OPERATION = Label(
    "operation", ("select", "insert", "update", "delete", "begin", "commit", "connect", "other")
)
TABLE = Label("table", bound=40)
EXCEPTION = Label("type", bound=60)
#: A board's kind (`greenhouse`). One board's own figures are in its Pushgateway group.
KIND = Label("kind", bound=60)
OUTCOME = Label("outcome", ("ok", "not_modified", "error"))
#: Why a fetch or a scan of a board failed: `scout.fetch.Reason` and what scanning adds to it.
REASON = Label("reason", bound=60)
SCAN_STATE = Label("status", ("succeeded", "partial", "failed", "cancelled"))
#: What told that two listings are one job: their addresses, company with title and place, or the owner.
TIER = Label("tier", ("address", "role", "owner"))
PHASE = Label("phase", ("fetch", "parse", "match", "store"))
CHANGE = Label("change", ("new", "updated", "unchanged", "closed", "reopened"))
#: How well a job matches; the lowest and the highest score of each band.
BAND = Label("band", ("0-24", "25-49", "50-69", "70-84", "85-100"))
#: What carries a message, by the scheme of its address (`smtp`, `ntfy`); `unknown` is one that is not set up.
CHANNEL = Label("channel", bound=40)
QUEUE = Label("queue", ("scans",))
#: The queue's functions (`workers.jobs`), by the last part of their names.
FUNCTION = Label("function", ("scan_sources", "rescore", "tell"))
#: `interrupted` handed itself back to be run again; `killed` ended without a word, its process with it.
JOB_OUTCOME = Label("outcome", ("succeeded", "failed", "interrupted", "killed"))
JOB_STATUSES = ("new", "saved", "applied", "interviewing", "offer", "rejected", "dismissed", "closed")
FROM_STATUS = Label("from_status", JOB_STATUSES)
TO_STATUS = Label("to_status", JOB_STATUSES)
#: What of a posting a person would care about (`scout.changes.FIELDS`).
EDITED_FIELD = Label(
    "field",
    ("title", "pay", "places", "remote", "level", "employment_type", "department", "description"),
)
#: What became of a job in a bulk change: `illegal` cannot go there, `conflict` was changed meanwhile.
BULK_OUTCOME = Label("outcome", ("changed", "unchanged", "illegal", "conflict", "missing"))
#: What part of the system a process is: a gunicorn worker, gunicorn's arbiter, an RQ worker, the scheduler,
#: a command of `scout`.
ROLE = Label("role", ("web", "arbiter", "worker", "scheduler", "command"))
#: A small number that a process keeps while it lives, so that a restart does not make a new series.
SLOT = Label("slot", bound=64)
#: Seconds after which the exporter forgets what a process said of itself. It says it every 5 seconds, so this
#: outlives some lost datagrams, and is how long a killed process still shows.
LIFETIME = 30
#: Seconds after which totals of a slot are forgotten. They stay true when its process has ended; a slot that
#: no process used for a day is used no more.
TOTALS_LIFETIME = 86_400
#: Seconds after which the exporter forgets what the sampler said. It says it every 30 seconds; a dead
#: scheduler must not leave old figures standing for ever.
SAMPLED_LIFETIME = 300

# --- HTTP, in ---------------------------------------------------------------------------------------------

HTTP_REQUESTS = Counter(
    name="http_requests_total",
    help="Requests answered, by method, route and status code.",
    raised_by="every request, by the middleware",
    signal=Signal.TRAFFIC,
    labels=(METHOD, ENDPOINT, STATUS_CODE),
)
HTTP_REQUEST_DURATION = Timer(
    name="http_request_duration_seconds",
    help="Time from a request's arrival in the application to the end of its answer.",
    raised_by="every request, by the middleware",
    signal=Signal.LATENCY,
    labels=(METHOD, ENDPOINT, STATUS_CODE),
)
HTTP_RESPONSE_BYTES = Counter(
    name="http_response_bytes_total",
    help="Bytes of answer bodies, by route.",
    raised_by="every request, by the middleware",
    signal=Signal.TRAFFIC,
    labels=(ENDPOINT,),
    unit=Unit.BYTES,
)
HTTP_REQUEST_BYTES = Counter(
    name="http_request_bytes_total",
    help="Bytes of request bodies as Content-Length announces them, by route.",
    raised_by="every request with a body, by the middleware",
    signal=Signal.TRAFFIC,
    labels=(ENDPOINT,),
    unit=Unit.BYTES,
)
HTTP_IN_PROGRESS = Gauge(
    name="http_requests_in_progress",
    help="Requests that one of our processes is answering, those of excluded routes included.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
HTTP_EXCEPTIONS = Counter(
    name="http_exceptions_total",
    help="Exceptions that no view caught, by type and route.",
    raised_by="a view that raises, by the middleware",
    signal=Signal.ERRORS,
    labels=(EXCEPTION, ENDPOINT),
)
API_CALLS = Counter(
    name="iam_api_calls_total",
    help="Requests to the routes that programs call, by how they ended: refused is 4xx, failed 5xx.",
    raised_by="every request to /metrics and below /api/v1/, by the middleware",
    signal=Signal.TRAFFIC,
    labels=(ENDPOINT, Label("outcome", ("succeeded", "refused", "failed"))),
)
API_LIMITS = Counter(
    name="iam_api_limits_total",
    help="Requests of the API that were over their caller's limit, or that nobody could count.",
    raised_by="a request past its caller's limit (limited), or while Redis is away (uncounted)",
    signal=Signal.SATURATION,
    labels=(Label("outcome", ("limited", "uncounted")),),
)
API_REPLAYS = Counter(
    name="iam_api_replays_total",
    help="Requests of the API that were sent again under the same Idempotency-Key, by what came of it.",
    raised_by="a request whose key is known: answered as before, still running, or used for something else",
    signal=Signal.TRAFFIC,
    labels=(Label("outcome", ("replayed", "running", "reused")),),
)
PAGE_RENDER_DURATION = Timer(
    name="page_render_duration_seconds",
    help="Time that the rendering of a page took, by template.",
    raised_by="every rendering of a Jinja template as a whole, by the middleware",
    signal=Signal.LATENCY,
    labels=(TEMPLATE,),
)
SIGN_INS = Counter(
    name="iam_sign_ins_total",
    help="Tries to sign in, by how they ended.",
    raised_by="the sign-in form",
    signal=Signal.ERRORS,
    labels=(Label("outcome", ("succeeded", "failed", "limited")),),
)
SESSIONS_STARTED = Counter(
    name="iam_sessions_started_total",
    help="Sessions begun by signing in.",
    raised_by="a successful sign-in",
    signal=Signal.TRAFFIC,
)
SECOND_STEPS = Counter(
    name="iam_second_steps_total",
    help="One-time and recovery codes that were given, by what came of them; `again` is one used before.",
    raised_by="the form for a code after the password, and the account's page",
    signal=Signal.ERRORS,
    labels=(Label("outcome", ("accepted", "recovered", "wrong", "again", "limited")),),
)
API_TOKENS_PRESENTED = Counter(
    name="iam_api_tokens_presented_total",
    help="API tokens that programs presented, by what came of them; `scope` is one not made for it.",
    raised_by="a request with `Authorization: Bearer`",
    signal=Signal.ERRORS,
    labels=(Label("outcome", ("accepted", "unknown", "expired", "revoked", "scope")),),
)
CSRF_REJECTED = Counter(
    name="iam_csrf_rejected_total",
    help="Unsafe requests refused because they did not come from our own pages.",
    raised_by="a POST without a valid token, or from another origin",
    signal=Signal.ERRORS,
    labels=(Label("reason", ("token", "origin")),),
)

STATUS_ASKED = Timer(
    name="iam_status_request_duration_seconds",
    help="Time that a part of the stack took to answer the status page, or to fail to.",
    raised_by="the status page and `scout status`, for each request to the exporter, gateway or Prometheus",
    signal=Signal.LATENCY,
    labels=(
        Label("part", ("exporter", "gateway", "prometheus")),
        Label("outcome", ("succeeded", "failed")),
    ),
)

# --- Database ---------------------------------------------------------------------------------------------

DB_QUERY_DURATION = Timer(
    name="db_query_duration_seconds",
    help="Time of one database call, by operation and main table.",
    raised_by="every statement, by SQLAlchemy's events, and `track_query`",
    signal=Signal.LATENCY,
    labels=(OPERATION, TABLE),
    buckets=DB_BUCKETS,
)
DB_ERRORS = Counter(
    name="db_errors_total",
    help="Database calls that failed, by operation and type of error.",
    raised_by="a statement that raises, by SQLAlchemy's events, and `track_query`",
    signal=Signal.ERRORS,
    labels=(OPERATION, EXCEPTION),
)
DB_POOL_WAIT = Timer(
    name="db_pool_wait_seconds",
    help="Time that a caller waited for a connection from the pool, opening or testing one included.",
    raised_by="every checkout from an instrumented engine's pool, also one that fails",
    signal=Signal.SATURATION,
    buckets=DB_BUCKETS,
)
DB_POOL_CONNECTIONS = Gauge(
    name="db_pool_connections",
    help="Connections that a process holds to the database; `overflow` are those past the pool's size.",
    raised_by="each process that has an engine, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(Label("state", ("active", "idle", "overflow")), ROLE, SLOT),
    ttl=LIFETIME,
)

# --- HTTP, out --------------------------------------------------------------------------------------------

OUTBOUND_REQUESTS = Counter(
    name="outbound_requests_total",
    help="Requests to job boards, by kind of board and outcome; a redirect's hops count as one.",
    raised_by="the fetch door",
    signal=Signal.TRAFFIC,
    labels=(KIND, OUTCOME),
)
OUTBOUND_DURATION = Timer(
    name="outbound_request_duration_seconds",
    help="Time of one request to a job board, retries and redirects included.",
    raised_by="the fetch door",
    signal=Signal.LATENCY,
    labels=(KIND, OUTCOME),
    buckets=JOB_BUCKETS,
)
OUTBOUND_ERRORS = Counter(
    name="outbound_errors_total",
    help="Requests to job boards that failed, by kind of board and named reason.",
    raised_by="the fetch door",
    signal=Signal.ERRORS,
    labels=(KIND, REASON),
)
OUTBOUND_RETRIES = Counter(
    name="outbound_retries_total",
    help="Repeated tries of requests to job boards.",
    raised_by="the fetch door, after a transient failure",
    signal=Signal.ERRORS,
    labels=(KIND,),
)
OUTBOUND_BLOCKED = Counter(
    name="outbound_blocked_total",
    help="Fetches that were refused before any connection, by what was wrong.",
    raised_by="the fetch door: a private address, a scheme that is not http(s), a malformed URL",
    signal=Signal.ERRORS,
    labels=(Label("reason", ("address", "scheme", "url")),),
)
OUTBOUND_BYTES = Counter(
    name="outbound_received_bytes_total",
    help="Decoded bytes received from job boards.",
    raised_by="the fetch door",
    signal=Signal.TRAFFIC,
    labels=(KIND,),
    unit=Unit.BYTES,
)
OUTBOUND_CONNECTION = Timer(
    name="outbound_connection_seconds",
    help="Time to open one connection to a job board, by step; failed steps are in it too.",
    raised_by="the fetch door, when no open connection can be used again",
    signal=Signal.LATENCY,
    labels=(KIND, Label("step", ("look_up", "connect", "tls"))),
)
OUTBOUND_TURN_WAIT = Timer(
    name="outbound_turn_wait_seconds",
    help="Time that a request to a job board waited for its turn, also where none came.",
    raised_by="courtesy, before each request that is owed one",
    signal=Signal.SATURATION,
    labels=(KIND,),
)
OUTBOUND_TURNS_REFUSED = Counter(
    name="outbound_turns_refused_total",
    help="Requests to job boards that had no turn and were not sent, by why.",
    raised_by="courtesy: other scans ask the host, it asked to be left alone, or its circuit is open",
    signal=Signal.SATURATION,
    labels=(KIND, Label("reason", ("busy", "held", "circuit_open"))),
)
OUTBOUND_CIRCUITS_OPENED = Counter(
    name="outbound_circuits_opened_total",
    help="Origins of job boards that are left alone for half an hour, since scans of them kept failing.",
    raised_by="courtesy: the third failed scan in ten minutes, or a failed try after half an hour",
    signal=Signal.ERRORS,
    labels=(KIND,),
)
OUTBOUND_CIRCUITS = Gauge(
    name="outbound_circuits",
    help="Origins of the boards that are watched, by whether they are asked, tried once, or left alone.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.ERRORS,
    labels=(KIND, Label("state", ("closed", "half_open", "open"))),
    ttl=SAMPLED_LIFETIME,
)

# --- Scans ------------------------------------------------------------------------------------------------

SCAN_RUNS = Counter(
    name="iam_scan_runs_total",
    help="Scan runs that ended, by how.",
    raised_by="the last source of a run, or who cancels it",
    signal=Signal.BUSINESS,
    labels=(SCAN_STATE,),
)
SCAN_STREAMS = Counter(
    name="iam_scan_streams_total",
    help="Times that a page asked to be told of a scan as it goes on, by whether there was a place.",
    raised_by="pages that follow a scan",
    signal=Signal.SATURATION,
    labels=(Label("outcome", ("opened", "refused")),),
)
SCAN_STREAMS_OPEN = Gauge(
    name="iam_scan_streams_open",
    help="Pages that are being told of a scan now; each holds a thread of the web server.",
    raised_by="pages that follow a scan",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
SCAN_DURATION = Timer(
    name="iam_scan_duration_seconds",
    help="Time of one source's scan, from claim to end.",
    raised_by="every source's scan",
    signal=Signal.LATENCY,
    labels=(KIND, SCAN_STATE),
    buckets=JOB_BUCKETS,
)
SCAN_PHASE_DURATION = Timer(
    name="iam_scan_phase_duration_seconds",
    help="Time that one source's scan spent in one phase.",
    raised_by="every source's scan",
    signal=Signal.LATENCY,
    labels=(PHASE,),
    buckets=JOB_BUCKETS,
)
SCAN_ERRORS = Counter(
    name="iam_scan_errors_total",
    help="What went wrong in scans, by kind of board and named reason.",
    raised_by="a source's scan that ends partial or failed",
    signal=Signal.ERRORS,
    labels=(KIND, REASON),
)
POSTINGS_PARSED = Counter(
    name="iam_postings_parsed_total",
    help="Postings read from boards' answers.",
    raised_by="a source's parser",
    signal=Signal.TRAFFIC,
    labels=(KIND,),
)
POSTINGS_UNPARSED = Counter(
    name="iam_postings_unparsed_total",
    help="Postings in boards' answers that could not be read.",
    raised_by="a source's parser",
    signal=Signal.ERRORS,
    labels=(KIND,),
)
SCAN_LISTINGS = Counter(
    name="iam_scan_listings_total",
    help="Listings that scans stored, by what the scan found.",
    raised_by="the store phase of a scan",
    signal=Signal.BUSINESS,
    labels=(KIND, CHANGE),
)
MATCHES = Counter(
    name="iam_matches_total",
    help="Jobs seen for the first time, by how well they match.",
    raised_by="the store phase of a scan",
    signal=Signal.BUSINESS,
    labels=(BAND,),
)
JOBS_RESCORED = Counter(
    name="iam_jobs_rescored_total",
    help="Jobs kept that were scored again after the profile changed, by whether that changed their match.",
    raised_by="the workers, a batch at a time",
    signal=Signal.BUSINESS,
    labels=(Label("result", ("changed", "unchanged")),),
)
DUPLICATES_MERGED = Counter(
    name="iam_duplicates_merged_total",
    help="Postings that one answer of a board held again, and that were kept once.",
    raised_by="the store phase of a scan",
    signal=Signal.BUSINESS,
    labels=(KIND,),
)
MERGES = Counter(
    name="iam_merges_total",
    help="Listings of other boards that became one job with what was there, by what told it.",
    raised_by="the store phase of a scan, and the owner, who merges two jobs",
    signal=Signal.BUSINESS,
    labels=(TIER,),
)
SPLITS = Counter(
    name="iam_splits_total",
    help="Merges that were undone, by what had told them.",
    raised_by="the owner, who says that a listing is not the same job",
    signal=Signal.BUSINESS,
    labels=(TIER,),
)
REPOSTS = Counter(
    name="iam_reposts_total",
    help="Jobs that were posted anew after they were gone.",
    raised_by="the store phase and the end of a scan",
    signal=Signal.BUSINESS,
)
SCAN_CLAIMS_LOST = Counter(
    name="iam_scan_claims_lost_total",
    help="Scans given up because another worker held the source.",
    raised_by="two workers meeting at one source",
    signal=Signal.SATURATION,
)
SCANS_POSTPONED = Counter(
    name="iam_scans_postponed_total",
    help="Scans that were handed back to be asked for again in a moment, by why.",
    raised_by="a scan that would have to wait for its turn",
    signal=Signal.SATURATION,
    labels=(KIND, Label("reason", ("busy", "held", "circuit_open"))),
)
SCANS_ABANDONED = Counter(
    name="iam_scans_abandoned_total",
    help="Scans whose worker died, by what was done about it.",
    raised_by="the reaper in the scheduler",
    signal=Signal.ERRORS,
    labels=(Label("action", ("requeued", "parked")),),
)
SCAN_PUSHES = Counter(
    name="iam_scan_pushes_total",
    help="Pushes of scan results to the Pushgateway, by outcome.",
    raised_by="the end of every source's scan",
    signal=Signal.PIPELINE,
    # refused: the gateway answered, but took it not, as where a type conflicts. unreachable: it did not
    # answer. failed: the push could not even be made.
    labels=(Label("outcome", ("succeeded", "refused", "unreachable", "failed")),),
)

# --- Messages to the owner ----------------------------------------------------------------------------------

MESSAGES = Counter(
    name="iam_messages_total",
    help="Tries to send a message of new matches or of what is due, by what came of them.",
    raised_by="the round that sends what waits in the outbox",
    signal=Signal.BUSINESS,
    # failed: it is tried again later. parked: it failed too often, and waits for the owner. empty: all its
    # jobs were dismissed or closed meanwhile, or its day was over, so that nothing was sent.
    labels=(CHANNEL, Label("outcome", ("sent", "failed", "parked", "empty"))),
)
MESSAGE_DURATION = Timer(
    name="iam_message_duration_seconds",
    help="Time that a channel took to take or refuse a message.",
    raised_by="every try to send a message",
    signal=Signal.LATENCY,
    labels=(CHANNEL, Label("outcome", ("sent", "failed"))),
    buckets=JOB_BUCKETS,
)
REMINDERS = Counter(
    name="iam_reminders_total",
    help="Dates that messages reminded of, by kind.",
    raised_by="each message of what is due that a channel took",
    signal=Signal.BUSINESS,
    labels=(Label("kind", ("appointment", "action", "overdue")),),
)
APPOINTMENT_CHANGES = Counter(
    name="iam_appointment_changes_total",
    help="Appointments that were added, changed and removed.",
    raised_by="the owner's clicks, the API and the command line",
    signal=Signal.BUSINESS,
    labels=(Label("change", ("added", "changed", "removed")),),
)
MESSAGES_IN_OUTBOX = Gauge(
    name="iam_messages_in_outbox",
    help="Messages that are not sent, by whether they will be tried again.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    labels=(Label("state", ("waiting", "parked")),),
    ttl=SAMPLED_LIFETIME,
)
OUTBOX_OLDEST_AGE = Gauge(
    name="iam_outbox_oldest_age_seconds",
    help="How long the oldest waiting message has been in the outbox; 0 when none waits.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    unit=Unit.SECONDS,
    ttl=SAMPLED_LIFETIME,
)

# --- The queue --------------------------------------------------------------------------------------------

RQ_JOBS_ENQUEUED = Counter(
    name="rq_jobs_enqueued_total",
    help="Jobs put on a queue.",
    raised_by="the scheduler, the pages and the command line",
    signal=Signal.TRAFFIC,
    labels=(QUEUE, FUNCTION),
)
RQ_JOBS_RETRIED = Counter(
    name="rq_jobs_retried_total",
    help="Jobs put on a queue once more, since the try before came to nothing.",
    raised_by="the reaper, when a scan's worker died; and RQ's own retries",
    signal=Signal.ERRORS,
    labels=(QUEUE, FUNCTION),
)
RQ_JOBS_FINISHED = Counter(
    name="rq_jobs_finished_total",
    help="Queue jobs that ended, by outcome.",
    raised_by="the wrapper around every job; the worker, where the job's process was killed",
    signal=Signal.TRAFFIC,
    labels=(QUEUE, FUNCTION, JOB_OUTCOME),
)
RQ_JOB_DURATION = Timer(
    name="rq_job_duration_seconds",
    help="Time that a queue job ran.",
    raised_by="the wrapper around every job; the worker, where the job's process was killed",
    signal=Signal.LATENCY,
    labels=(QUEUE, FUNCTION, JOB_OUTCOME),
    buckets=JOB_BUCKETS,
)
RQ_JOB_WAIT = Timer(
    name="rq_job_wait_seconds",
    help="Time that a queue job waited from being put on the queue to its start.",
    raised_by="the wrapper around every job, at its start: the wait of a job that hangs is told too",
    signal=Signal.LATENCY,
    labels=(QUEUE, FUNCTION),
    buckets=JOB_BUCKETS,
)
RQ_QUEUE_JOBS = Gauge(
    name="rq_queue_jobs",
    help="Jobs in a queue's registries, by state.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    # RQ keeps jobs that were stopped with the failed ones, and rate-limited ones by key instead of by queue.
    labels=(
        QUEUE,
        Label(
            "state",
            (
                "queued",
                "intermediate",
                "started",
                "deferred",
                "ready",
                "scheduled",
                "finished",
                "failed",
                "canceled",
            ),
        ),
    ),
    ttl=SAMPLED_LIFETIME,
)
RQ_WORKERS = Gauge(
    name="rq_workers",
    help="RQ workers, by state.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    labels=(Label("state", ("started", "idle", "busy", "suspended")),),
    ttl=SAMPLED_LIFETIME,
)
RQ_WORKERS_KEPT = Gauge(
    name="rq_workers_kept",
    help="RQ workers that a pool was set up to keep; rq_workers are those that give a sign of life.",
    raised_by="each pool of scan workers, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
RQ_OLDEST_JOB_AGE = Gauge(
    name="rq_oldest_job_age_seconds",
    help="How long the oldest queued job has waited; 0 when none waits.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    labels=(QUEUE,),
    unit=Unit.SECONDS,
    ttl=SAMPLED_LIFETIME,
)

RQ_WORKER_HEARTBEAT_AGE = Gauge(
    name="rq_worker_heartbeat_age_seconds",
    help="Age of the oldest heartbeat among the registered RQ workers; 0 when there is none.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    unit=Unit.SECONDS,
    ttl=SAMPLED_LIFETIME,
)

# --- The business, sampled --------------------------------------------------------------------------------

JOBS = Gauge(
    name="iam_jobs_total",
    help="Jobs kept. A gauge: it keeps the name that earlier dashboards use.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    ttl=SAMPLED_LIFETIME,
)
JOBS_BY_STATUS = Gauge(
    name="iam_jobs_by_status",
    help="Jobs kept, by status.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    labels=(Label("status", JOB_STATUSES),),
    ttl=SAMPLED_LIFETIME,
)
JOBS_NEW_TODAY = Gauge(
    name="iam_jobs_new_today",
    help="Jobs first seen since midnight UTC.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    ttl=SAMPLED_LIFETIME,
)
JOBS_BY_SCORE_BAND = Gauge(
    name="iam_jobs_by_score_band",
    help="Jobs kept, by how well they match.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    labels=(BAND,),
    ttl=SAMPLED_LIFETIME,
)
SCAN_RUNS_OPEN = Gauge(
    name="iam_scan_runs_open",
    help="Scan runs that have not ended, by state.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    labels=(Label("status", ("queued", "running")),),
    ttl=SAMPLED_LIFETIME,
)
JOBS_TO_RESCORE = Gauge(
    name="iam_jobs_to_rescore",
    help="Jobs kept whose score is still of an earlier profile.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    ttl=SAMPLED_LIFETIME,
)
STATUS_UPDATES = Counter(
    name="iam_job_status_updates_total",
    help="Changes of a job's status, by from and to.",
    raised_by="the owner's clicks, the API, the command line, and scans that close or reopen",
    signal=Signal.BUSINESS,
    labels=(FROM_STATUS, TO_STATUS),
)
STATUS_UNDOS = Counter(
    name="iam_job_status_undos_total",
    help="Changes of a job's status that the owner took back.",
    raised_by="the owner's clicks, the API and the command line",
    signal=Signal.BUSINESS,
)
BULK_UPDATES = Counter(
    name="iam_bulk_updates_total",
    help="Bulk changes of statuses; the size of each follows from iam_bulk_updated_jobs_total.",
    raised_by="the owner's clicks, the API and the command line",
    signal=Signal.BUSINESS,
)
BULK_UPDATED_JOBS = Counter(
    name="iam_bulk_updated_jobs_total",
    help="Jobs that bulk changes were asked to change, by what became of them.",
    raised_by="the owner's clicks, the API and the command line",
    signal=Signal.BUSINESS,
    labels=(BULK_OUTCOME,),
)
JOB_EDITS = Counter(
    name="iam_job_edits_total",
    help="Changes that boards made to postings that were stored already, by field.",
    raised_by="the store phase of a scan",
    signal=Signal.BUSINESS,
    labels=(EDITED_FIELD,),
)
LAST_SUCCESSFUL_SCAN = Gauge(
    name="iam_last_successful_scan_timestamp_seconds",
    help="When a source's scan last succeeded, in Unix time; 0 when none ever did.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    unit=Unit.TIMESTAMP,
    ttl=SAMPLED_LIFETIME,
)
SOURCES_BY_HEALTH = Gauge(
    name="iam_sources",
    help="Sources, by health.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    labels=(Label("health", ("new", "ok", "partial", "failing", "paused")),),
    ttl=SAMPLED_LIFETIME,
)
SESSIONS_ACTIVE = Gauge(
    name="iam_sessions_active",
    help="Signed-in sessions that have not expired.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    ttl=SAMPLED_LIFETIME,
)
DATABASE_SIZE = Gauge(
    name="iam_database_size_bytes",
    help="Size of the database.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    unit=Unit.BYTES,
    ttl=SAMPLED_LIFETIME,
)
DATA_DISK_FREE = Gauge(
    name="iam_data_disk_free_bytes",
    help="Free space on the disk of the data directory.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.SATURATION,
    unit=Unit.BYTES,
    ttl=SAMPLED_LIFETIME,
)
LAST_BACKUP = Gauge(
    name="iam_last_backup_timestamp_seconds",
    help="When the last backup was made, in Unix time; 0 when none ever was.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    unit=Unit.TIMESTAMP,
    ttl=SAMPLED_LIFETIME,
)
LAST_BACKUP_SIZE = Gauge(
    name="iam_last_backup_size_bytes",
    help="Size of the last backup; 0 when none was ever made.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.BUSINESS,
    unit=Unit.BYTES,
    ttl=SAMPLED_LIFETIME,
)
IMPORTED_ROWS = Counter(
    name="iam_imported_rows_total",
    help="Rows of files of jobs, by what came of them: refused ones could not be read.",
    raised_by="scout import",
    signal=Signal.BUSINESS,
    labels=(Label("outcome", ("added", "updated", "known", "refused")),),
)

SAMPLED = Gauge(
    name="iam_sampled_timestamp_seconds",
    help="When the sampler last asked the database, the queue or the exporter with success, in Unix time.",
    raised_by="the sampler, every 30 seconds",
    signal=Signal.PIPELINE,
    labels=(Label("part", ("database", "queue", "metrics")),),
    unit=Unit.TIMESTAMP,
)

# --- Gunicorn ---------------------------------------------------------------------------------------------

GUNICORN_WORKERS_STARTED = Counter(
    name="gunicorn_workers_started_total",
    help="Workers that gunicorn started, the first ones included.",
    raised_by="gunicorn's arbiter, before it forks",
    signal=Signal.SATURATION,
)
GUNICORN_WORKER_EXITS = Counter(
    name="gunicorn_worker_exits_total",
    help="Gunicorn workers that ended, by why.",
    raised_by="gunicorn's arbiter, when it has reaped a worker",
    signal=Signal.ERRORS,
    # recycled: after max_requests. timeout: it gave no sign of life, and the arbiter ended it. killed: it
    # ended without a word, as when memory is short. crashed: an error of its own. stopped: it was asked to.
    labels=(Label("reason", ("recycled", "timeout", "killed", "crashed", "stopped")),),
)
GUNICORN_WORKERS = Gauge(
    name="gunicorn_workers",
    help="Gunicorn workers, by whether a request is in progress: each says 1 for its state, 0 for the other.",
    raised_by="each gunicorn worker, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(Label("state", ("busy", "idle")), ROLE, SLOT),
    ttl=LIFETIME,
)
GUNICORN_THREADS = Gauge(
    name="gunicorn_threads",
    help="Threads of a gunicorn worker, by whether a connection holds them, reading its request included.",
    raised_by="each gunicorn worker, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(Label("state", ("busy", "idle")), ROLE, SLOT),
    ttl=LIFETIME,
)
GUNICORN_WAITING = Gauge(
    name="gunicorn_connections_waiting",
    help="Connections that a gunicorn worker has accepted and has no thread for.",
    raised_by="each gunicorn worker, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)

# --- Processes --------------------------------------------------------------------------------------------

PROCESS_MEMORY = Gauge(
    name="scout_process_resident_memory_bytes",
    help="Resident memory of one of our processes.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    unit=Unit.BYTES,
    ttl=LIFETIME,
)
PROCESS_CPU = Counter(
    name="scout_process_cpu_seconds_total",
    help="Processor time that our processes used.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE,),
    unit=Unit.SECONDS,
)
PROCESS_OPEN_FILES = Gauge(
    name="scout_process_open_files",
    help="File descriptors that one of our processes holds open.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
PROCESS_MOST_FILES = Gauge(
    name="scout_process_open_files_limit",
    help="File descriptors that one of our processes may hold open.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
PROCESS_START = Gauge(
    name="scout_process_start_timestamp_seconds",
    help="When one of our processes began, in Unix time: time() less this is its uptime.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    unit=Unit.TIMESTAMP,
    ttl=LIFETIME,
)
PROCESS_COLLECTIONS = Counter(
    name="scout_process_gc_collections_total",
    help="Runs of Python's garbage collector, by generation: the last one stops the process the longest.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, Label("generation", ("0", "1", "2"))),
)
PROCESS_THREADS = Gauge(
    name="scout_process_threads",
    help="Threads of one of our processes.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.SATURATION,
    labels=(ROLE, SLOT),
    ttl=LIFETIME,
)
APP_ERRORS = Counter(
    name="iam_errors_total",
    help="Errors that the application met and dealt with, by type and place.",
    raised_by="whoever catches an error on the way: `metrics.instruments.count_error`",
    signal=Signal.ERRORS,
    labels=(
        EXCEPTION,
        Label("place", ("web", "scan", "schedule", "sampler", "queue", "push", "cli", "tell")),
    ),
)

LOG_LINES = Counter(
    name="iam_log_lines_total",
    help="Lines of the log from a warning on, by level and by the first part of the logger's name.",
    raised_by="the log's handler: `scout.logs.setup`",
    signal=Signal.ERRORS,
    labels=(Label("level", ("warning", "error", "critical")), LOGGER),
)
LOG_LINES_LOST = Counter(
    name="iam_log_lines_lost_total",
    help="Lines of the log that nobody has: the pipe was full or closed (`untaken`), or what they were to say"
    " could not be made a text (`unwritable`).",
    raised_by="the log's handler: `scout.logs.setup`",
    signal=Signal.ERRORS,
    labels=(Label("reason", ("untaken", "unwritable")),),
)

SPANS_LOST = Counter(
    name="iam_spans_lost_total",
    help="Spans of traces that the collector did not take, or that were not offered to it while it was away.",
    raised_by="what sends spans: `scout.traces.on`",
    signal=Signal.PIPELINE,
)

# --- The pipeline itself ----------------------------------------------------------------------------------

# Totals of each role and slot since the machine's temporary folder was emptied, told as gauges. In
# metrics/slots.py stands why they are no counters. They only rise: `rate()` over them is right.

CLIENT_QUEUED = Gauge(
    name="statsd_client_queued_samples",
    help="Samples that the processes of a slot packed so far: sent, dropped, or lost with a kill.",
    raised_by="the client's flush",
    signal=Signal.PIPELINE,
    labels=(ROLE, SLOT),
    ttl=TOTALS_LIFETIME,
)
CLIENT_SENT = Gauge(
    name="statsd_client_sent_samples",
    help="Samples that the processes of a slot handed to the kernel so far.",
    raised_by="the client's flush",
    signal=Signal.PIPELINE,
    labels=(ROLE, SLOT),
    ttl=TOTALS_LIFETIME,
)
CLIENT_DATAGRAMS = Gauge(
    name="statsd_client_sent_datagrams",
    help="Datagrams that the processes of a slot handed to the kernel so far.",
    raised_by="the client's flush",
    signal=Signal.PIPELINE,
    labels=(ROLE, SLOT),
    ttl=TOTALS_LIFETIME,
)
CLIENT_BYTES = Gauge(
    name="statsd_client_sent_bytes",
    help="Bytes of datagrams that the processes of a slot handed to the kernel so far.",
    raised_by="the client's flush",
    signal=Signal.PIPELINE,
    labels=(ROLE, SLOT),
    unit=Unit.BYTES,
    ttl=TOTALS_LIFETIME,
)
CLIENT_DROPPED = Gauge(
    name="statsd_client_dropped_samples",
    help="Samples that the processes of a slot lost before the kernel had them so far, by why.",
    raised_by="the client: exporter gone, name not resolved, buffer full, line too long, emitted wrongly",
    signal=Signal.PIPELINE,
    labels=(Label("reason", ("send", "resolve", "full", "oversize", "invalid")), ROLE, SLOT),
    ttl=TOTALS_LIFETIME,
)
CLIENT_UNCLEAN_ENDS = Gauge(
    name="statsd_client_unclean_ends",
    help="Processes of a slot that ended without sending the rest so far: each lost up to a second.",
    raised_by="the next process of the slot, when it finds that its predecessor was killed",
    signal=Signal.PIPELINE,
    labels=(ROLE, SLOT),
    ttl=TOTALS_LIFETIME,
)
CLIENT_LABEL_OVERFLOWS = Counter(
    name="statsd_client_label_overflows_total",
    help="Label values that became `__other__`.",
    raised_by="a value that is unsafe, not allowed, or past its label's bound",
    signal=Signal.PIPELINE,
    labels=(Label("metric", bound=100),),
)

CLIENT_EXPORTER_RESTARTS = Counter(
    name="statsd_client_exporter_restarts_total",
    help="Returns of the exporter that our processes noticed: each process counts for itself.",
    raised_by="the client, when datagrams are taken again after they were refused, or the host has moved",
    signal=Signal.PIPELINE,
)
CLIENT_PROBES = Counter(
    name="statsd_client_probes_total",
    help="Probes sent through the whole path.",
    raised_by="`scout metrics doctor`",
    signal=Signal.PIPELINE,
    internal="whoever sends a probe looks for it at once, and the doctor says whether it arrived",
)
CLIENT_MAPPING_VERSION = Gauge(
    name="statsd_client_mapping_version",
    help="Number of the mapping rules that our processes were built with, by role.",
    raised_by="each process, with its flush, every 5 seconds",
    signal=Signal.PIPELINE,
    labels=(ROLE,),
    ttl=LIFETIME,
)
LOADED_MAPPING_VERSION = Gauge(
    name="statsd_loaded_mapping_version",
    help="Number of the mapping rules that the exporter has loaded: its own file writes it.",
    raised_by="a 1 that each process sends every 5 seconds, which the exporter multiplies",
    signal=Signal.PIPELINE,
    ttl=LIFETIME,
)
RECEIVE_DROPS = Gauge(
    name="statsd_receive_drops",
    help="Datagrams that the kernel dropped at the StatsD port since the exporter opened it.",
    raised_by="the scheduler's look at the kernel's table of sockets, every 5 seconds",
    signal=Signal.PIPELINE,
    ttl=LIFETIME,
)
RECEIVE_QUEUE = Gauge(
    name="statsd_receive_queue_bytes",
    help="Memory of datagrams that wait at the StatsD port for the exporter to read them.",
    raised_by="the scheduler's look at the kernel's table of sockets, every 5 seconds",
    signal=Signal.PIPELINE,
    unit=Unit.BYTES,
    ttl=LIFETIME,
)

# --- Scan results, on the Pushgateway -----------------------------------------------------------------------
# One group per source: job="iam_scan", source=<slug>. Every push replaces the whole group.

SCAN_LAST_SUCCESS = PushedGauge(
    name="iam_scan_last_success_timestamp_seconds",
    help="When the source's scan last succeeded, in Unix time; 0 when it never did.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
    unit=Unit.TIMESTAMP,
)
SCAN_LAST_RUN = PushedGauge(
    name="iam_scan_last_run_timestamp_seconds",
    help="When the source's last scan ended, in Unix time.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
    unit=Unit.TIMESTAMP,
)
SCAN_LAST_DURATION = PushedGauge(
    name="iam_scan_last_duration_seconds",
    help="How long the source's last scan took.",
    raised_by="the end of every source's scan",
    signal=Signal.LATENCY,
    unit=Unit.SECONDS,
)
SCAN_LAST_SUCCEEDED = PushedGauge(
    name="iam_scan_last_succeeded",
    help="Whether the source's last scan brought jobs at all: 1 succeeded or partial, 0 failed.",
    raised_by="the end of every source's scan",
    signal=Signal.ERRORS,
)
SCAN_LAST_COMPLETE = PushedGauge(
    name="iam_scan_last_complete",
    help="Whether the source's last scan read the whole board: 1 succeeded, 0 partial or failed.",
    raised_by="the end of every source's scan",
    signal=Signal.ERRORS,
)
SCAN_LAST_SEEN = PushedGauge(
    name="iam_scan_last_seen",
    help="Postings that the source's last scan saw.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
)
SCAN_LAST_NEW = PushedGauge(
    name="iam_scan_last_new",
    help="Postings that the source's last scan saw for the first time.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
)
SCAN_LAST_UPDATED = PushedGauge(
    name="iam_scan_last_updated",
    help="Postings that had changed in the source's last scan.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
)
SCAN_LAST_CLOSED = PushedGauge(
    name="iam_scan_last_closed",
    help="Postings that were gone in the source's last scan.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
)
SCAN_LISTED = PushedGauge(
    name="iam_scan_listed",
    help="Postings that the source has open now, as far as we know.",
    raised_by="the end of every source's scan",
    signal=Signal.BUSINESS,
)

ALL: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""Every metric, in the order of this page."""

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in ALL}
