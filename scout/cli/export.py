"""`scout export`: jobs as a file for other programs."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, get_args

import click

from scout import settings
from scout.database import for_command
from scout.errors import ScoutError
from scout.export import FORMS, Form, write
from scout.jobs import JobQuery, Sort
from scout.models import Status
from scout.watchlist import get as get_source


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, not stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    help="A table, an array, or an object a line; unset, as the file's name ends, else csv.",
)
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, for an Excel that needs one.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([status.value for status in Status]),
    multiple=True,
    help="Only these; may be given several times.",
)
@click.option("--source", default="", metavar="SLUG", help="Only jobs of this source.")
@click.option("--search", default="", metavar="WORDS", help="Only jobs that this finds: docs/SEARCHING.md.")
@click.option("--min-score", type=click.IntRange(0, 100), default=0, help="Only jobs that match this well.")
@click.option("--sort", type=click.Choice(get_args(Sort)), default="newest", show_default=True)
def export(
    *,
    output: Path | None,
    form: Form | None,
    bom: bool,
    statuses: tuple[str, ...],
    source: str,
    search: str,
    min_score: int,
    sort: Sort,
) -> None:
    """Write jobs as CSV, JSON or JSON Lines, with notes and history.

    The columns are told in docs/DATA.md. `scout import` reads the file again. Exit codes: 0 done, 1 failed.

    Example: scout export --status applied -o applied.csv
    """
    query = JobQuery(
        text=search,
        statuses=tuple(Status(status) for status in statuses),
        source=source,
        min_score=min_score,
        sort=sort,
    )
    with for_command(settings.load()) as database:
        if source:
            with database.reading() as session:
                get_source(session, source)  # an unknown one is an error, not an empty file
        with _opened(output) as file:
            for piece in write(database, query, form or _by_name(output), mark=bom):
                file.write(piece.encode())


def _by_name(output: Path | None) -> Form:
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    for form in FORMS:
        if suffix == form:
            return form
    return "csv"


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Where to write: stdout, or a file that has its name only when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.", suffix=".partial")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ScoutError(
            f"{output} cannot be written: {error.strerror or error}. Choose another place with --output."
        ) from error
