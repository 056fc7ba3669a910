from __future__ import annotations

import datetime as dt
import json
import re
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree as ET

import demo
from demo.boards import boards
from demo.words import COMPANIES, IDENTITY_FAMILIES, ORDINARY, PLACES, SLOTS
from demo.world import World

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TICKS = range(0, 300, 3)


def world(*, seed: int = 7, count: int = 12, slots: int = 30) -> World:
    return World(boards=boards(count), seed=seed, slots=slots, epoch=EPOCH)


def listing(of: World, board: int, tick: int) -> bytes:
    return b"".join(of.listing(board, of.entries(board, tick), full=True))


def test_the_same_seed_and_tick_give_the_same_bytes() -> None:
    for board in range(12):
        assert listing(world(), board, 17) == listing(world(), board, 17)


def test_another_seed_is_another_world() -> None:
    assert listing(world(seed=1), 0, 0) != listing(world(seed=2), 0, 0)


def test_postings_open_change_and_close_as_ticks_go_by() -> None:
    here = world(slots=10)
    opened = edited = closed = 0
    for before, after in pairwise(TICKS):
        was, now = (here.truth(0, tick)["open"] for tick in (before, after))
        opened += len(now.keys() - was.keys())
        closed += len(was.keys() - now.keys())
        edited += sum(now[job] > was[job] for job in was.keys() & now.keys())
    assert min(opened, edited, closed) > 5


def test_a_posting_that_closed_never_comes_back() -> None:
    here = world(slots=10)
    seen: set[str] = set()
    gone: set[str] = set()
    for tick in TICKS:
        now = set(here.truth(1, tick)["open"])
        gone |= seen - now
        assert not now & gone
        seen |= now


def test_an_edit_changes_what_the_board_says_and_nothing_else_does() -> None:
    here = world(slots=8)
    for number, board in enumerate(here.boards):
        versions: dict[tuple[int, int], str] = {}
        for tick in TICKS:
            for entry in here.entries(number, tick):
                # Greenhouse moves `updated_at` without a real change; everything else stays.
                said = re.sub(r'"updated_at":"[^"]*"', "", here.render(number, entry, full=True))
                known = versions.setdefault((entry.number, entry.version), said)
                assert said == known, board.key
        for (number_on_board, version), said in versions.items():
            assert versions.get((number_on_board, version - 1)) != said


def test_ids_are_unique_on_a_board_and_those_of_greenhouse_have_ten_digits() -> None:
    here = world(slots=400)
    for number, board in enumerate(here.boards):
        entries = here.entries(number, 3)
        ids = [here.job_id(number, entry) for entry in entries]
        assert len(set(ids)) == len(ids)
        if board.kind == "greenhouse":
            assert all(re.fullmatch(r"[1-9]\d{9}", job) for job in ids)


def test_greenhouse_answers_have_the_fields_of_its_api() -> None:
    here = world()
    answer = json.loads(listing(here, 0, 4))
    assert answer["meta"]["total"] == len(answer["jobs"])
    ids = [str(job["id"]) for job in answer["jobs"]]
    assert ids == list(here.truth(0, 4)["open"])
    for job in answer["jobs"]:
        assert job.keys() >= {
            "id", "internal_job_id", "title", "location", "absolute_url", "updated_at", "first_published",
            "requisition_id", "company_name", "content", "departments", "offices", "metadata", "language",
            "application_deadline",
        }  # fmt: skip
        assert job["absolute_url"].endswith(f"/latchway-demo/jobs/{job['id']}")
        assert "<" not in job["content"]
        assert re.match(r'<div class="content-intro"><h2>', unescape(job["content"]))
        assert dt.datetime.fromisoformat(job["first_published"]) <= dt.datetime.fromisoformat(
            job["updated_at"]
        )


def test_several_posts_of_greenhouse_share_one_job_in_different_cities() -> None:
    jobs = json.loads(listing(world(slots=90), 0, 0))["jobs"]
    by_job: dict[int, list[dict[str, object]]] = {}
    for job in jobs:
        by_job.setdefault(job["internal_job_id"], []).append(job)
    shared = [posts for posts in by_job.values() if len(posts) > 1]
    assert shared
    assert all(len({post["requisition_id"] for post in posts}) == 1 for posts in shared)


def test_lever_answers_have_the_fields_of_its_api() -> None:
    here = world()
    postings = json.loads(listing(here, 1, 0))
    assert [posting["id"] for posting in postings] == list(here.truth(1, 0)["open"])
    for posting in postings:
        assert posting.keys() >= {
            "id", "text", "categories", "country", "workplaceType", "createdAt", "description",
            "descriptionPlain", "opening", "openingPlain", "descriptionBody", "descriptionBodyPlain", "lists",
            "additional", "additionalPlain", "hostedUrl", "applyUrl",
        }  # fmt: skip
        assert posting["workplaceType"] in {"on-site", "hybrid", "remote"}
        assert posting["createdAt"] > 1e12
        assert posting["categories"]["location"] in posting["categories"]["allLocations"]
    pays = [posting["salaryRange"] for posting in postings if "salaryRange" in posting]
    assert pays
    assert all(pay["min"] <= pay["max"] and pay["interval"].startswith("per-") for pay in pays)


def test_ashby_answers_have_the_fields_of_its_api_and_drafts_are_not_listed() -> None:
    here = world(slots=120)
    jobs = json.loads(listing(here, 2, 0))["jobs"]
    truth = here.truth(2, 0)
    assert [job["id"] for job in jobs if job["isListed"]] == list(truth["open"])
    assert [job["id"] for job in jobs if not job["isListed"]] == list(truth["drafts"])
    assert truth["drafts"]
    for job in jobs:
        assert job.keys() >= {
            "id", "title", "department", "team", "employmentType", "location", "secondaryLocations",
            "publishedAt", "isListed", "isRemote", "workplaceType", "address", "jobUrl", "applyUrl",
            "descriptionHtml", "descriptionPlain", "compensation",
        }  # fmt: skip
    components = [part for job in jobs for part in job["compensation"]["summaryComponents"]]
    assert {part["interval"] for part in components} >= {"1 YEAR", "NONE"}


def test_the_feed_is_rss_with_the_company_before_the_title() -> None:
    here = world()
    root = ET.fromstring(listing(here, 10, 0))  # noqa: S314 - our own feed
    items = root.findall("./channel/item")
    assert [item.findtext("guid") for item in items] == list(here.truth(10, 0)["open"])
    companies = {company.name for company in COMPANIES}
    for item in items:
        company, _, title = str(item.findtext("title")).partition(": ")
        assert company in companies
        assert title
        assert "<h3>" in str(item.findtext("description"))
        assert item.findtext("pubDate")


def test_descriptions_are_of_a_real_length_and_no_slot_stays_open() -> None:
    here = world(slots=150)
    for number, board in enumerate(here.boards):
        for text in (here.render(number, entry, full=True) for entry in here.entries(number, 0)):
            assert not re.search(r"\{[a-z_]+\}", text), board.key
            assert 2000 < len(text) < 12_000


def test_every_sentence_can_be_filled() -> None:
    slots = {name: values[0] for name, values in SLOTS.items()}
    slots |= {"company": "A company", "people": "people"}
    for family in {id(each): each for each in IDENTITY_FAMILIES + ORDINARY}.values():
        for sentence in (*family.summary, *family.duties, *family.needs, *family.nice):
            assert sentence.format_map(slots)
    cities = {place.city for place in PLACES}
    assert all(city in cities for company in COMPANIES for city in company.cities)


def test_there_are_identity_roles_among_others_and_words_that_only_look_like_them() -> None:
    here = world(slots=80)
    titles = [here.opening(number, entry).title for number in range(12) for entry in here.entries(number, 0)]
    identity = re.compile(r"\bIAM\b(?! Local| Union)|Identity|Okta|SailPoint|CyberArk|Entra|Privileged")
    share = sum(bool(identity.search(title)) for title in titles) / len(titles)
    assert 0.1 < share < 0.5
    assert any("Partner Account Manager (PAM)" in title for title in titles)
    assert any("IAM Local" in title for title in titles)
    assert any("Market Access" in title for title in titles)
    everything = listing(here, 0, 0).decode()
    assert "gender identity" in everything


def test_dates_are_never_after_the_tick_that_shows_them() -> None:
    here = world()
    for tick in (0, 50, 200):
        moment = EPOCH + dt.timedelta(seconds=tick)
        for number in range(12):
            made = [here.opening(number, entry) for entry in here.entries(number, tick)]
            assert all(each.published <= moment for each in made)


def test_the_boards_are_a_dozen_over_all_kinds_and_more_can_be_had() -> None:
    assert len(demo.BOARDS) == 12
    assert {board.kind for board in demo.BOARDS} == {"greenhouse", "lever", "ashby", "feed"}
    many = demo.boards(2000)
    assert many[:12] == demo.BOARDS
    assert len({(board.kind, board.token) for board in many}) == 2000
    kind, token, company, url = demo.BOARDS[0]
    assert (kind, token, company) == ("greenhouse", "latchway-demo", "Latchway")
    assert url == "https://boards.greenhouse.io/latchway-demo"


def test_overrides_send_every_origin_to_the_simulator() -> None:
    pairs = dict(part.split("=") for part in demo.overrides("http://127.0.0.1:8800/").split(","))
    assert pairs == dict.fromkeys(demo.ORIGINS, "http://127.0.0.1:8800")


def test_a_feed_of_one_category_lists_that_category_only() -> None:
    here = world(slots=60)
    root = ET.fromstring(listing(here, 11, 0))  # noqa: S314 - our own feed
    assert {item.findtext("category") for item in root.iter("item")} == {"DevOps and Sysadmin"}
