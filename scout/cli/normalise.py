"""`scout normalise`: how the fields of a posting are read, and how well."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from scout.cli import table
from scout.errors import ScoutError
from scout.normalise import (
    company_key,
    language,
    level,
    locations,
    places,
    plain_title,
    remote,
    remote_regions,
    salary_in_text,
    title_key,
)
from scout.normalise.measure import Figures, measure
from scout.postings import Remote

#: Rows written for this project, beside its tests.
_OURS = Path(__file__).resolve().parents[2] / "tests" / "labelled"


@click.group()
def normalise() -> None:
    """How the fields of a posting are read, and how well."""


@normalise.command("try")
@click.argument("title")
@click.option("--location", "written", multiple=True, help="A place, as a board writes it; may be repeated.")
@click.option("--text", default="", help="Words of the description.")
@click.option(
    "--text-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the description.",
)
@click.option("--company", default="", help="The employer's name.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def try_(
    title: str,
    written: tuple[str, ...],
    text: str,
    text_file: Path | None,
    company: str,
    *,
    as_json: bool,
) -> None:
    """Show what would be kept of one posting's words, and change nothing.

    Example: scout normalise try "Senior IAM Engineer (m/w/d)" --location "Remote - Germany"
    """
    if text_file is not None:
        text = text_file.read_text(encoding="utf-8")
    found = places(locations(written))
    kind, evidence = remote(title=title, places=[each.raw for each in found], text=text)
    pay = salary_in_text(text)
    kept: dict[str, object] = {
        "title": plain_title(title),
        "title_key": title_key(title),
        "level": level(title),
        "company_key": company_key(company),
        "places": [dataclasses.asdict(each) for each in found],
        "remote": kind.value,
        "remote_evidence": evidence,
        "remote_regions": list(remote_regions(places=found, title=title, text=text))
        if kind is Remote.REMOTE
        else [],
        "salary": dataclasses.asdict(pay) if pay else None,
        "language": language(text),
    }
    if as_json:
        click.echo(json.dumps(kept, indent=2, ensure_ascii=False))
        return
    table.show(
        ["FIELD", "KEPT"],
        [[name, value if isinstance(value, str) else _shown(value)] for name, value in kept.items()],
        shrink=[1],
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items() if each not in {None, ""})
    if isinstance(value, list):
        return "; ".join(_shown(each) if isinstance(each, dict) else str(each) for each in value)
    return "" if value is None else str(value)


@normalise.command("measure")
@click.option(
    "--corpus",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder of labelled rows; may be repeated. Without it, those beside the program's tests.",
)
@click.option("--misses", is_flag=True, help="List the rows that were read otherwise than labelled.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def measure_(folders: tuple[Path, ...], *, misses: bool, as_json: bool) -> None:
    """Print how well each field is read from labelled rows.

    Exact counts all rows, silence included; precision is of the values given, recall of those labelled. A
    corpus is a folder of files such as salaries.tsv, places.tsv and levels.tsv: tab-separated, the first
    line names the columns, "-" is nothing.

    Example: scout normalise measure --misses
    """
    if not folders and not _OURS.is_dir():
        raise ScoutError(
            "The labelled rows of the tests are not installed here; name a folder with --corpus."
        )
    figures = [each for folder in folders or (_OURS,) for each in measure(folder)]
    if as_json:
        click.echo(json.dumps([_as_dict(each) for each in figures], indent=2, ensure_ascii=False))
        return
    table.show(
        ["CORPUS", "FIELD", "ROWS", "EXACT", "PRECISION", "RECALL"],
        [
            [
                each.source,
                each.what,
                str(each.rows),
                *(f"{share:.3f}" for share in (each.exactness, each.precision, each.recall)),
            ]
            for each in figures
        ],
        shrink=[0],
    )
    if misses:
        rows = [
            [each.what, miss.wanted, miss.found, " ".join(miss.written.split())]
            for each in figures
            for miss in each.misses
        ]
        click.echo()
        table.show(["FIELD", "LABEL", "READ", "WRITTEN"], rows, shrink=[3])


def _as_dict(figures: Figures) -> dict[str, object]:
    return {
        "corpus": figures.source,
        "field": figures.what,
        "rows": figures.rows,
        "exactness": round(figures.exactness, 4),
        "precision": round(figures.precision, 4),
        "recall": round(figures.recall, 4),
        "misses": [dataclasses.asdict(miss) for miss in figures.misses],
    }
