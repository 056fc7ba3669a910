"""The database: its calls and their time, locks and errors, connections, size, disk and backups."""

from __future__ import annotations

from metrics import catalogue
from metrics.forms import Rate
from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Ratio, Top
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Look,
    Panel,
    Row,
    Variable,
    age,
    alerts,
    asked,
    heat,
    hourly,
    level,
    quantile,
    rate,
)

_GLANCE = Row(
    title="The database",
    panels=(
        alerts(wide=12, tall=8),
        Panel(
            title="Sizes",
            help="Of the database, and of its last backup.",
            unit=Quantity.BYTES,
            lines=(
                level(catalogue.DATABASE_SIZE, most=True, name="database"),
                level(catalogue.LAST_BACKUP_SIZE, most=True, name="last backup"),
            ),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Since the last backup",
            help="Decades mean that none was ever made.",
            unit=Quantity.SECONDS,
            lines=(age(catalogue.LAST_BACKUP, name="since then"),),
            look=Look.FIGURE,
            wide=4,
            limits=(Limit("ScoutBackupOld"),),
        ),
        Panel(
            title="Calls in a second",
            help="Statements, and what begins and ends transactions.",
            unit=Quantity.PER_SECOND,
            lines=(rate(catalogue.DB_QUERY_DURATION),),
            look=Look.FIGURE,
            wide=4,
        ),
    ),
)

_LATENCY = Row(
    title="Latency",
    panels=(
        asked("database_duration"),
        Panel(
            title="By operation",
            help="On SQLite, `begin` waits for another writer and `commit` for the disk: p95.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.DB_QUERY_DURATION, "operation"),),
            limits=(Limit("ScoutDatabaseSlow"),),
        ),
        Panel(
            title="How calls' durations spread",
            help="Each column is a moment, each cell a span of durations: the brighter, the more calls.",
            unit=Quantity.SECONDS,
            lines=(heat(catalogue.DB_QUERY_DURATION),),
            look=Look.HEAT,
        ),
    ),
)

_TRAFFIC = Row(
    title="Traffic",
    panels=(
        Panel(
            title="Calls by operation",
            help="How often each is asked for.",
            unit=Quantity.PER_SECOND,
            lines=(rate(catalogue.DB_QUERY_DURATION, "operation"),),
            wide=12,
            stacked=True,
        ),
        Panel(
            title="Time by table",
            help="Seconds that the database worked in a second, by the main table: where it pays to look.",
            unit=Quantity.COUNT,
            lines=(
                Line(
                    Top(most=10, of=Rate(metric=catalogue.DB_QUERY_DURATION, by=("table",), spent=True)),
                    "{{table}}",
                ),
            ),
            wide=12,
        ),
    ),
)

_ERRORS = Row(
    title="Errors",
    panels=(
        Panel(
            title="Calls that failed",
            help="By operation and type: on SQLite, a failed `begin` or `commit` is a lock, or a full disk.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.DB_ERRORS, "operation", "type"),),
            wide=24,
            tall=6,
            empty="None so far.",
        ),
    ),
)

_SATURATION = Row(
    title="Saturation",
    panels=(
        Panel(
            title="Waiting for a connection",
            help="Of the pool, opening or testing one included.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.5, catalogue.DB_POOL_WAIT), quantile(0.95, catalogue.DB_POOL_WAIT)),
            limits=(Limit("ScoutDatabasePoolWait"),),
        ),
        Panel(
            title="Connections of our processes",
            help="Overflow are those past the pool's size.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.DB_POOL_CONNECTIONS, "state"),),
            stacked=True,
        ),
        asked("disk_free", limits=(Limit("ScoutDiskNearlyFull"),)),
    ),
)

_POSTGRES = Row(
    title="PostgreSQL, where a postgres_exporter tells of it",
    panels=(
        Panel(
            title="Connections to PostgreSQL",
            help="By state. Those that are idle in a transaction hold locks.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.POSTGRES_CONNECTIONS), "{{datname}} {{state}}"),),
            wide=12,
            empty="No postgres_exporter.",
        ),
        Panel(
            title="Connections that are taken",
            help="The share of what PostgreSQL allows.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Ratio(
                        part=others.summed(others.POSTGRES_CONNECTIONS, "instance"),
                        whole=others.summed(others.POSTGRES_CONNECTIONS_MOST, "instance"),
                    ),
                    "{{instance}}",
                ),
            ),
            wide=12,
            limits=(Limit("ScoutPostgresConnectionsHigh"),),
            empty="No postgres_exporter.",
        ),
    ),
)

BOARD = Board(
    uid="scout-database",
    rows=(_GLANCE, _LATENCY, _TRAFFIC, _ERRORS, _SATURATION, _POSTGRES),
    variables=(
        Variable(name="operation", title="Operation", source=catalogue.DB_QUERY_DURATION),
        Variable(name="table", title="Table", source=catalogue.DB_QUERY_DURATION),
    ),
)
