"""`scout backup` and `scout restore`: everything that is kept, in one file and back."""

from __future__ import annotations

from pathlib import Path

import click

from scout import settings
from scout.backup import NEEDED, Manifest, make, prune
from scout.database import for_command


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--keep", type=click.IntRange(1), help="Afterwards keep only so many of those in the data directory."
)
def backup(file: Path | None, keep: int | None) -> None:
    """Write everything into one file, while the program runs and scans.

    Without FILE it goes to the folder backups of the data directory, named by the time. The file can be
    restored on SQLite and on PostgreSQL. It holds no password and no key, but all that you wrote: keep it as
    you would keep a diary. For one each night: 0 3 * * * scout backup --keep 7

    Exit codes: 0 done, 1 failed: then there is no file.

    Example: scout backup before-the-move.zip
    """
    chosen = settings.load()
    if keep is not None and file is not None:
        raise click.UsageError("--keep counts the backups in the data directory: leave FILE out.")
    with for_command(chosen) as database:
        path, manifest = make(database, chosen, file)
    click.echo(f"{path}: {_told(manifest)}, {path.stat().st_size:,} bytes.")
    for old in prune(chosen, keep) if keep is not None else []:
        click.echo(f"Removed {old}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="What is in the database now goes.")
@click.option("--check", is_flag=True, help="Only look whether the file is whole; change nothing.")
def restore(file: Path, *, replace: bool, check: bool) -> None:
    """Put a backup into the database. All of it is checked first; it is all or nothing.

    Stop the program first, or its scans and pages must wait. Backups of older versions are brought up to
    date. Scans that were going on when the backup was made count as failed. The password stays.

    Exit codes: 0 done, 1 failed: then the database is as it was.

    Example: scout restore before-the-move.zip
    """
    from scout.restore import examine  # noqa: PLC0415 - it needs alembic, which `scout backup` need not load
    from scout.restore import restore as put_back  # noqa: PLC0415 - as above

    if check:
        click.echo(f"{file} is whole: {_told(examine(file))}.")
        return
    manifest = put_back(settings.load(), file, replace=replace)
    click.echo(f"Restored {file}: {_told(manifest)}.")
    click.echo(NEEDED, err=True)


def _told(manifest: Manifest) -> str:
    rows = {part.table: part.rows for part in manifest.parts}
    return f"{rows.get('jobs', 0):,} jobs, {rows.get('sources', 0):,} sources, {manifest.rows:,} rows in all"
