from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from scout.postings import Remote
from scout.sources import KINDS, recognise
from scout.sources.bamboohr import BambooHR
from scout.sources.board import Board, Page
from scout.sources.smartrecruiters import SmartRecruiters
from scout.sources.workday import Workday
from tests.employer_boards import EXAMPLES
from tests.samples import SAMPLES, needs_samples
from tests.unit.test_sources_samples import assert_complete

pytestmark = needs_samples

#: Under which member a recorded listing has its postings, and under which each has its id.
MEMBERS: dict[str, tuple[str | None, str]] = {
    "smartrecruiters": ("content", "id"),
    "workday": ("jobPostings", "bulletFields"),
    "workable": ("jobs", "shortcode"),
    "recruitee": ("offers", "id"),
    "teamtailor": ("items", "id"),
    "bamboohr": ("result", "id"),
    "breezy": (None, "id"),
    "pinpoint": ("data", "id"),
}
LISTINGS = [
    (kind, path)
    for kind in sorted(EXAMPLES)
    for path in sorted((SAMPLES / kind).glob("*.*"))
    if "detail" not in path.name
]


def parsed(kind: str, name: str) -> Page:
    return KINDS[kind].parse((SAMPLES / kind / name).read_bytes(), EXAMPLES[kind].board)


def recorded_ids(kind: str, path: Path) -> list[str]:
    if kind == "personio":
        return [str(each.findtext("id")) for each in ET.fromstring(path.read_text()).findall("position")]  # noqa: S314 - our own files
    document: Any = json.loads(path.read_text())
    member, name = MEMBERS[kind]
    items = document if member is None else document[member]
    return [str(each[name][0] if isinstance(each[name], list) else each[name]) for each in items]


@pytest.mark.parametrize(("kind", "path"), LISTINGS, ids=lambda value: getattr(value, "name", value))
def test_each_posting_of_a_recorded_board_is_read(kind: str, path: Path) -> None:
    page = parsed(kind, path.name)
    assert page.unparsed == ()
    # What is listed once for each of its places, or by mistake, is one posting.
    assert [posting.source_job_id for posting in page.postings] == list(
        dict.fromkeys(recorded_ids(kind, path))
    )
    for posting in page.postings:
        assert_complete(posting)
        # A list may say "2 Locations", or nothing: the places come with the details.
        assert posting.locations or kind in {"bamboohr", "workday"}


def test_every_kind_with_recorded_answers_was_read() -> None:
    assert {kind for kind, _ in LISTINGS} == set(MEMBERS) | {"personio"}
    assert len(LISTINGS) >= 18


def test_a_recorded_posting_that_is_listed_for_two_places_is_one_with_both() -> None:
    (posting,) = parsed("workable", "zaelab.json").postings
    assert posting.locations == ("Spain", "Portugal")
    assert posting.remote is Remote.REMOTE


def test_a_recorded_position_that_is_listed_twice_is_one() -> None:
    (posting,) = parsed("personio", "careerkit-twice.xml").postings
    assert posting.locations == ("Munich", "Berlin")


def test_recorded_details_of_smartrecruiters_complete_a_listed_posting() -> None:
    listed = parsed("smartrecruiters", "hirevue.json").postings[0]
    body = (SAMPLES / "smartrecruiters" / "hirevue-detail.json").read_bytes()
    whole = SmartRecruiters().parse_detail(body, Board(kind="smartrecruiters", token="HireVue"))
    assert whole.source_job_id == listed.source_job_id
    assert whole.title == listed.title
    assert whole.description_text.startswith("Company Description\n")
    assert "Data Science Intern" in whole.description_text
    assert whole.remote is Remote.REMOTE
    assert whole.url.endswith("-data-science-intern-fully-remote-us")


def test_recorded_details_of_workday_complete_a_listed_posting() -> None:
    body = (SAMPLES / "workday" / "nvidia-detail.json").read_bytes()
    whole = Workday().parse_detail(body, parsed("workday", "nvidia-list.json").postings[0])
    assert whole.title == "Senior AI Security Researcher"
    assert whole.requisition_id == "JR2017578"
    assert len(whole.locations) == 6
    assert whole.posted_at is not None
    assert whole.posted_at.date().isoformat() == "2026-08-18"
    assert "AI Security Researcher" in whole.description_text


def test_recorded_bamboohr_places_are_read_from_either_field() -> None:
    page = BambooHR().parse((SAMPLES / "bamboohr" / "ergon.json").read_bytes(), EXAMPLES["bamboohr"].board)
    assert [posting.locations for posting in page.postings][:2] == [
        ("Edmonton International Airport, Alberta",),
        ("Edmonton, Alberta, Canada",),
    ]


# --- Addresses --------------------------------------------------------------------------------------------

HOSTS = {
    "smartrecruiters": ("smartrecruiters.com",),
    "workday": ("myworkdayjobs.com", "myworkdaysite.com"),
    "workable": ("workable.com",),
    "recruitee": ("recruitee.com",),
    "teamtailor": ("teamtailor.com",),
    "bamboohr": ("bamboohr.com",),
    "personio": ("jobs.personio.de", "jobs.personio.com"),
    "breezy": ("breezy.hr",),
    "pinpoint": ("pinpointhq.com",),
    "rippling": ("rippling.com",),
    "comeet": ("comeet.com",),
}
#: How many rows of the registry have each kind's own host in their address. One row of Workable's has not the
#: company's name there: jobs.workable.com/company/ID.
ROWS = {
    "smartrecruiters": 46, "workday": 164, "workable": 31, "recruitee": 62, "teamtailor": 28, "bamboohr": 4,
    "personio": 28, "breezy": 3, "pinpoint": 65, "rippling": 8, "comeet": 6,
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(HOSTS))
def test_every_board_in_the_registry_whose_address_names_its_kind_is_recognised(kind: str) -> None:
    listed = csv.DictReader((SAMPLES / "board-urls" / "boards.csv").read_text().splitlines())
    ends = tuple(f".{host}" for host in HOSTS[kind])
    named = [
        row
        for row in listed
        if (urlsplit(row["url"]).hostname or "").endswith(ends)
        # The registry reads Teamtailor's feeds as feeds.
        and row["kind"] == ("rss" if kind == "teamtailor" else kind)
    ]
    assert len(named) == ROWS[kind]
    for row in named:
        if row["url"].startswith("https://jobs.workable.com/company/"):
            continue
        board = recognise(row["url"])
        assert board.kind == kind, row
        assert recognise(board.url) == board, row
        if row["token"]:
            assert board.token.rpartition("/")[2].casefold() == row["token"].casefold(), row
