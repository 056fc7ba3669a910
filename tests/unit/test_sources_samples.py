from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from scout.postings import Posting, Remote
from scout.sources import KINDS, UnknownBoard, recognise
from scout.sources.about import about
from scout.sources.board import Board, Page
from tests.samples import SAMPLES, needs_samples

pytestmark = needs_samples

LISTINGS = [
    (kind, path)
    for kind in ("greenhouse", "lever", "ashby")
    for path in sorted((SAMPLES / kind).glob("*.json"))
    if "detail" not in path.name
]


def parsed(kind: str, name: str, token: str = "acme") -> Page:  # noqa: S107 - a board's token is public
    return KINDS[kind].parse((SAMPLES / kind / name).read_bytes(), Board(kind=kind, token=token))


def assert_complete(posting: Posting) -> None:
    assert posting.source_job_id
    assert posting.title == posting.title.strip() != ""
    assert posting.company
    assert posting.url.startswith("https://")
    assert posting.posted_at is None or posting.posted_at.tzinfo is not None
    assert bool(posting.remote_evidence) == (posting.remote is not Remote.UNKNOWN)
    assert "<" not in posting.description_text or "<" in posting.description_html
    assert len(set(posting.locations)) == len(posting.locations)


@pytest.mark.parametrize(("kind", "path"), LISTINGS, ids=lambda value: getattr(value, "name", value))
def test_each_published_posting_of_a_recorded_board_is_read(kind: str, path: Path) -> None:
    document = json.loads(path.read_text())
    items = document if isinstance(document, list) else document["jobs"]
    page = parsed(kind, path.name)
    assert page.unparsed == ()
    published = [str(each["id"]) for each in items if each.get("isListed") is not False]
    assert [posting.source_job_id for posting in page.postings] == published
    for posting in page.postings:
        assert_complete(posting)


@pytest.mark.parametrize(
    ("path", "address", "count"),
    [
        ("teamtailor/1komma5.json", "https://1komma5.teamtailor.com/jobs.json", 2),
    ],
)
def test_each_entry_of_a_recorded_feed_is_read(path: str, address: str, count: int) -> None:
    page = KINDS["feed"].parse((SAMPLES / path).read_bytes(), Board(kind="feed", token=address))
    assert page.unparsed == ()
    assert len(page.postings) == count
    for posting in page.postings:
        assert_complete(posting)


def test_greenhouse_text_is_unescaped_once_and_made_safe() -> None:
    posting = parsed("greenhouse", "gitlab.json").postings[0]
    assert posting.company == "GitLab"
    assert "<p>" in posting.description_html
    assert "&lt;p" not in posting.description_html
    assert "<img" not in posting.description_html
    assert "style=" not in posting.description_html
    assert posting.description_text.startswith("GitLab is the intelligent orchestration platform")
    assert posting.remote is Remote.REMOTE
    assert posting.requisition_id == "6263"


def test_greenhouse_names_lose_their_trailing_space() -> None:
    assert parsed("greenhouse", "amplitude.json").postings[0].company == "Amplitude"


def test_greenhouse_places_on_one_line_are_several() -> None:
    assert parsed("greenhouse", "gong.json").postings[0].locations == (
        "Austin", "Chicago", "New York City", "Salt Lake City", "San Francisco",
    )  # fmt: skip


def test_lever_lists_are_part_of_the_description() -> None:
    posting = parsed("lever", "idealist.json", "idealistconsulting").postings[0]
    assert "How You'll Contribute" in posting.description_text
    assert "- Guide full project life cycle" in posting.description_text
    assert posting.company == "Idealistconsulting"
    assert posting.employment_type == "contract"
    assert posting.posted_at is not None
    assert posting.posted_at.year == 2025


def test_lever_pay_is_the_employers() -> None:
    pay = parsed("lever", "outreach.json").postings[0].salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period, pay.origin) == (
        140_000, 160_000, "USD", "year", "employer",
    )  # fmt: skip


def test_ashby_hybrid_jobs_are_not_called_remote() -> None:
    posting = parsed("ashby", "ergon.json", "ramp").postings[0]
    assert posting.title == "Security Engineer, Cloud"
    assert posting.remote is Remote.HYBRID
    assert posting.locations == ("New York, NY (HQ)", "Miami, FL", "Remote (US)", "Remote (Canada)")
    assert posting.salary is not None
    assert (posting.salary.minimum, posting.salary.period) == (211_400, "year")


GATHERED = {
    "remotive": {"breteai.json": 3, "ergon.json": 3, "lcarlini.json": 5, "nacefmoula.json": 12},
    "remoteok": {"breteai.json": 3, "ergon.json": 3, "lcarlini.json": 4, "nacefmoula.json": 32},
    "arbeitnow": {"breteai.json": 3, "lcarlini.json": 5},
    "himalayas": {"breteai.json": 3, "ergon.json": 3, "nacefmoula.json": 14},
    "jobicy": {"breteai.json": 3, "ergon.json": 3, "lcarlini.json": 5},
    "themuse": {"ergon.json": 3, "lcarlini.json": 10},
    "workingnomads": {"ikevinxie.json": 4},
    "weworkremotely": {"all.xml": 4, "devops-malformed.xml": 3},
    "usajobs": {"job-press-2016.json": 5, "usagovjobs-2022.json": 1},
    "adzuna": {"gb-it-jobs-2022.json": 6, "us-iam-engineer-2026.json": 1},
}


@pytest.mark.parametrize(
    ("kind", "name", "count"),
    [(kind, name, count) for kind, files in GATHERED.items() for name, count in files.items()],
)
def test_each_posting_of_a_recorded_site_is_read(kind: str, name: str, count: int) -> None:
    page = parsed(kind, name, "all")
    assert page.unparsed == ()
    assert len(page.postings) == count
    for posting in page.postings:
        assert_complete(posting)
        assert posting.posted_at is not None
        assert "example-adref" not in repr(posting)
        assert "utm_" not in posting.url


@pytest.mark.parametrize("kind", [*GATHERED, "greenhouse", "lever", "ashby"])
def test_recorded_postings_fill_no_field_that_their_kind_does_not_name(kind: str) -> None:
    always = {"source_job_id", "title", "company", "url", "description_html", "remote_evidence"}
    names = GATHERED.get(kind) or [path.name for each, path in LISTINGS if each == kind]
    filled = {
        each.name
        for name in names
        for posting in parsed(kind, name, "all").postings
        for each in dataclasses.fields(posting)
        if getattr(posting, each.name) not in (None, "", (), Remote.UNKNOWN)
    }
    assert filled - always <= set(about(KINDS[kind]).fills)


def test_every_recorded_file_of_a_site_is_counted_here() -> None:
    for kind, files in GATHERED.items():
        assert {path.name for path in (SAMPLES / kind).iterdir()} == set(files)


def test_we_work_remotely_titles_are_split_into_company_and_title() -> None:
    page = parsed("weworkremotely", "all.xml", "all")
    assert [(p.company, p.title) for p in page.postings][:2] == [
        ("Mathmo", "Maths Coach"),
        ("Qase", "Developer Advocate"),
    ]
    assert page.postings[0].remote is Remote.REMOTE
    assert page.postings[0].locations == ("Anywhere in the World",)


def test_remote_oks_request_with_the_readers_address_is_cut_off() -> None:
    for name in GATHERED["remoteok"]:
        for posting in parsed("remoteok", name, "all").postings:
            assert "Please mention the word" not in posting.description_text


def test_usajobs_contacts_are_not_kept() -> None:
    for name in GATHERED["usajobs"]:
        for posting in parsed("usajobs", name, "all").postings:
            assert ":443" not in posting.url
            assert "contact@example.com" not in repr(posting)
            assert posting.salary is not None
            assert posting.salary.period == "year"


def test_the_recorded_thread_gives_a_posting_for_each_role_and_none_for_a_reply() -> None:
    path = SAMPLES / "hn" / "whoishiring-2026-05-comments.json"
    hits = json.loads(path.read_text())["hits"]
    page = KINDS["hackernews"].parse(path.read_bytes(), Board(kind="hackernews", token="whoishiring"))
    assert page.unparsed == ()
    employers = {str(hit["objectID"]) for hit in hits if hit["parent_id"] == hit["story_id"]}
    assert {posting.source_job_id.split("-")[0] for posting in page.postings} == employers
    assert (len(employers), len(page.postings)) == (40, 47)
    kept = repr(page)
    assert "poster_" not in kept
    assert "contact@example.com" not in kept
    told = {posting.company: posting for posting in page.postings}
    assert told["UMH"].title == "Product Engineer"
    assert told["UMH"].remote is Remote.HYBRID
    assert told["The New York Times"].locations == ("NYC", "DC")
    assert told["SalesJack"].employment_type == "full_time"


def test_a_recorded_page_with_json_ld_is_read() -> None:
    address = "https://jobs.neura-robotics.com/offer/x"
    body = (SAMPLES / "jsonld" / "neura-robotics.html").read_bytes()
    (posting,) = KINDS["jobposting"].parse(body, Board(kind="jobposting", token=address)).postings
    assert_complete(posting)
    assert posting.title == "Manager Ecosystem Integration & Certification (Human)"
    assert posting.company == "Neura Robotics GmbH"
    assert posting.locations == ("Metzingen, DE",)
    assert posting.requisition_id == "00df0928-b013-448c-b3dd-6c6fb80eadc2"
    assert "\\n" not in posting.description_text


HOSTS = {"greenhouse.io": "greenhouse", "lever.co": "lever", "ashbyhq.com": "ashby"}


def test_every_board_in_the_registry_whose_address_names_its_kind_is_recognised() -> None:
    rows = list(csv.DictReader((SAMPLES / "board-urls" / "boards.csv").read_text().splitlines()))
    checked = 0
    for row in rows:
        host = urlsplit(row["url"]).hostname or ""
        kind = next((kind for name, kind in HOSTS.items() if host.endswith(f".{name}")), None)
        if kind is None or row["kind"] != kind:
            continue
        board = recognise(row["url"])
        assert board.kind == kind, row
        assert board.token.casefold() in unquote(row["url"]).casefold(), row
        if row["token"]:
            assert board.token.casefold() == row["token"].casefold(), row
        assert recognise(board.url) == board, row
        checked += 1
    assert checked > 2000


def test_registry_rows_of_other_systems_are_not_taken_for_ours() -> None:
    rows = csv.DictReader((SAMPLES / "board-urls" / "boards.csv").read_text().splitlines())
    for row in rows:
        if row["kind"] not in KINDS and row["kind"] != "rss":
            with pytest.raises(UnknownBoard):
                recognise(row["url"])
