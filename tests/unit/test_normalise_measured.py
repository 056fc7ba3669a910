"""Every field against rows that were labelled by hand, in `tests/labelled`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scout.cli.normalise import normalise
from scout.errors import ScoutError
from scout.normalise.measure import Figures, measure
from tests.samples import SAMPLES, needs_samples

LABELLED = Path(__file__).resolve().parents[1] / "labelled"
RECORDED = SAMPLES / "normalisation"


@pytest.fixture(scope="module")
def ours() -> dict[str, Figures]:
    return {each.what: each for each in measure(LABELLED)}


@pytest.mark.parametrize(
    ("what", "least", "rows"),
    [
        ("salary", 0.95, 150),
        ("country", 0.95, 150),
        ("city", 0.9, 150),
        ("level", 0.95, 150),
        ("remote", 0.95, 150),
        ("company", 1.0, 150),
        ("title", 0.95, 30),
        ("region", 0.95, 40),
        ("language", 0.95, 25),
    ],
)
def test_a_field_is_read_as_people_labelled_it(
    ours: dict[str, Figures], what: str, least: float, rows: int
) -> None:
    assert ours[what].rows >= rows
    assert ours[what].exactness >= least, ours[what].misses


def test_two_postings_are_one_job_where_a_person_says_so(ours: dict[str, Figures]) -> None:
    pairs = ours["one job"]
    assert pairs.rows >= 300
    assert pairs.precision >= 0.98, [miss for miss in pairs.misses if miss.found]
    assert pairs.recall >= 0.9, [miss for miss in pairs.misses if miss.wanted]


@needs_samples
@pytest.mark.parametrize(("what", "least"), [("salary", 0.95), ("country", 0.95), ("level", 0.95)])
def test_a_field_is_read_as_others_labelled_what_boards_wrote(what: str, least: float) -> None:
    figures = {each.what: each for each in measure(RECORDED)}
    assert figures[what].exactness >= least, figures[what].misses


@needs_samples
def test_companies_that_are_told_apart_stay_apart() -> None:
    from scout.normalise import company_key  # noqa: PLC0415

    cases = json.loads((RECORDED / "company-key-cases.json").read_text(encoding="utf-8"))["cases"]
    keys = {case["input"]: company_key(case["input"] or "") for case in cases}
    for one, other in (("Škoda", "Koda"), ("Żubr", "Zubr"), ("Ėmė", "Eme"), ("Ġenerali", "Generali")):
        assert keys[one] != keys[other]
    assert len({keys[name] for name in keys if name and name.startswith("Nestl")}) == 1
    assert keys["İstanbul Tekstil"] == company_key("Istanbul Tekstil")
    assert all(keys[name] for name in keys if name)


def test_precision_and_recall_count_what_was_given_and_what_was_labelled() -> None:
    figures = Figures("a", "b")
    for wanted, found in (("x", "x"), ("x", "y"), ("x", ""), ("", "x"), ("", "")):
        figures.count("row", wanted, found)
    assert (figures.exactness, figures.precision, figures.recall) == (0.4, 1 / 3, 1 / 3)
    assert len(figures.misses) == 3


def test_a_folder_without_labelled_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ScoutError, match="no labelled rows"):
        measure(tmp_path)


def test_the_command_prints_a_row_a_field_and_the_misses(tmp_path: Path) -> None:
    (tmp_path / "levels.tsv").write_text(
        "title\tlevel\nSenior Engineer\tsenior\nEngineer\tlead\n", encoding="utf-8"
    )
    shown = CliRunner().invoke(normalise, ["measure", "--corpus", str(tmp_path), "--misses"])
    assert shown.exit_code == 0, shown.output
    assert "0.500" in shown.output
    assert "Engineer" in shown.output
    listed = CliRunner().invoke(normalise, ["measure", "--corpus", str(tmp_path), "--json"])
    assert json.loads(listed.output)[0]["misses"] == [{"written": "Engineer", "wanted": "lead", "found": ""}]


def test_the_command_shows_what_would_be_kept_of_one_posting() -> None:
    arguments = [
        "try",
        "Senior IAM Engineer (m/w/d)",
        "--location",
        "Remote - Germany",
        "--company",
        "Acme GmbH",
    ]
    text = "We pay a salary of 80.000 € bis 95.000 € pro Jahr."
    shown = CliRunner().invoke(normalise, [*arguments, "--text", text, "--json"])
    assert shown.exit_code == 0, shown.output
    kept = json.loads(shown.output)
    assert kept["title"] == "Senior IAM Engineer"
    assert (kept["level"], kept["company_key"], kept["remote"]) == ("senior", "acme", "remote")
    assert kept["remote_regions"] == ["DE"]
    assert kept["places"] == [{"raw": "Remote - Germany", "city": "", "region": "", "country": "DE"}]
    assert kept["salary"]["minimum"] == 80_000
    assert kept["salary"]["origin"] == "parsed"
    table = CliRunner().invoke(normalise, [*arguments, "--text", text])
    assert "country DE" in table.output
