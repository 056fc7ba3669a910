from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

import demo
from demo.boards import UnknownKindError, boards
from demo.kinds import KINDS
from demo.words import COMPANIES, IDENTITY_FAMILIES, ORDINARY, PLACES, SLOTS
from demo.world import Entry, World

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TICKS = range(0, 300, 3)


def world(*, seed: int = 7, count: int = len(demo.BOARDS), slots: int = 30) -> World:
    return World(boards=boards(count), seed=seed, slots=slots, epoch=EPOCH)


def listing(of: World, board: int, tick: int) -> bytes:
    entries = of.entries(board, tick)
    return b"".join(of.listing(board, entries, len(entries), full=True))


def said_of(of: World, board: int, entry: Entry) -> str:
    """All that a board says of a posting, in its list and alone."""
    alone = KINDS[of.boards[board].kind].detailed
    return of.render(board, entry, full=True) + (
        of.render(board, entry, full=True, alone=True) if alone else ""
    )


def place_of(kind: str, of: World) -> int:
    """The first board of a kind."""
    return next(number for number, board in enumerate(of.boards) if board.kind == kind)


def test_the_same_seed_and_tick_give_the_same_bytes() -> None:
    for board in range(len(demo.BOARDS)):
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
                said = re.sub(r'"updated_at":"[^"]*"', "", said_of(here, number, entry))
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
    feed = place_of("weworkremotely", here)
    root = ET.fromstring(listing(here, feed, 0))  # noqa: S314 - our own feed
    items = root.findall("./channel/item")
    assert [item.findtext("guid") for item in items] == list(here.truth(feed, 0)["open"])
    companies = [company.name for company in COMPANIES]
    for item in items:
        company, _, title = str(item.findtext("title")).partition(": ")
        assert company.startswith(tuple(companies))
        assert title
        assert "<h3>" in str(item.findtext("description"))
        assert item.findtext("pubDate")


def test_descriptions_are_of_a_real_length_and_no_slot_stays_open() -> None:
    here = world(slots=150)
    for number, board in enumerate(here.boards):
        for text in (said_of(here, number, entry) for entry in here.entries(number, 0)):
            assert not re.search(r"\{[a-z_]+\}", text), board.key
            assert (1000 if board.kind == "hackernews" else 2000) < len(text) < 12_000


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
    titles = [
        here.opening(number, entry).title
        for number in range(len(demo.BOARDS))
        for entry in here.entries(number, 0)
    ]
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
        for number in range(len(demo.BOARDS)):
            made = [here.opening(number, entry) for entry in here.entries(number, tick)]
            assert all(each.published <= moment for each in made)


def test_the_boards_are_of_many_kinds_and_more_can_be_had() -> None:
    assert len(demo.BOARDS) == 14
    assert len({board.kind for board in demo.BOARDS}) == 13
    many = demo.boards(2000)
    assert many[:14] == demo.BOARDS
    assert len({(board.kind, board.token) for board in many}) == 2000
    kind, token, company, url = demo.BOARDS[0]
    assert (kind, token, company) == ("greenhouse", "latchway-demo", "Latchway")
    assert url == "https://boards.greenhouse.io/latchway-demo"


def test_overrides_send_every_origin_to_the_simulator() -> None:
    pairs = dict(part.split("=") for part in demo.overrides("http://127.0.0.1:8800/").split(","))
    assert pairs == dict.fromkeys(demo.ORIGINS, "http://127.0.0.1:8800")


def test_a_feed_of_one_category_lists_that_category_only() -> None:
    category = KINDS["weworkremotely"].board("remote-devops-sysadmin-jobs", "")
    here = World(boards=(*boards(5), category), slots=60, epoch=EPOCH)
    root = ET.fromstring(listing(here, 5, 0))  # noqa: S314 - our own feed
    assert {item.findtext("category") for item in root.iter("item")} == {"DevOps and Sysadmin"}


def test_boards_can_be_asked_for_by_kind_as_many_as_there_can_be() -> None:
    found = boards(10, ("workday", "remotive", "recruitee"))
    kinds = [board.kind for board in found]
    assert (kinds.count("remotive"), len(found), len(set(found))) == (1, 10, 10)
    with pytest.raises(UnknownKindError, match=r"'monster' is no kind of board\. There are greenhouse, "):
        boards(3, ("monster",))
    with pytest.raises(UnknownKindError, match=r"There are only 1 boards of remotive\. Name an employers' "):
        boards(3, ("remotive",))


def test_sites_that_gather_list_jobs_of_employers_and_the_truth_tells_which() -> None:
    here = World(boards=boards(9, ("greenhouse", "workday", "arbeitnow", "himalayas")), slots=60, epoch=EPOCH)
    styles = {"address": 0, "name": 0, "neither": 0}
    for number in (place_of("arbeitnow", here), place_of("himalayas", here)):
        told = here.truth(number, 5)
        assert 0 < len(told["same"]) < len(told["open"])
        for entry in here.entries(number, 5):
            if entry.origin is None:
                continue
            employer, theirs = entry.origin
            key, job = told["same"][here.job_id(number, entry)]
            assert key == here.boards[employer].key
            assert job in here.truth(employer, 5)["open"]
            made, own = here.opening(number, entry), here.opening(employer, theirs)
            assert (made.title, made.sections) == (own.title, own.sections)
            if made.apply_url:
                styles["address"] += 1
                assert job in made.apply_url
                assert made.apply_url in here.render(number, entry, full=True)
            elif made.company.name != own.company.name:
                styles["name"] += 1
                assert made.company.name.startswith(own.company.name)
            else:
                styles["neither"] += 1
    assert min(styles.values()) > 3


def test_a_site_of_remote_work_gathers_nothing_else() -> None:
    here = World(boards=boards(4, ("greenhouse", "lever", "ashby", "remotive")), slots=60, epoch=EPOCH)
    number = place_of("remotive", here)
    made = [here.opening(number, entry) for entry in here.entries(number, 0)]
    assert {each.workplace for each in made} == {"remote"}
    assert here.truth(number, 0)["same"]


def test_now_and_then_a_job_is_posted_again_under_another_id() -> None:
    here = world(slots=40)
    again = 0
    for number in (0, 1, 2):
        seen: dict[str, int] = {}
        for tick in range(0, 600, 20):
            told = here.truth(number, tick)
            for entry in here.entries(number, tick):
                seen.setdefault(here.job_id(number, entry), entry.key)
            for job, former in told["again"].items():
                assert former not in told["open"]
                again += former in seen
                assert seen.get(former, seen[job]) == seen[job]
    assert again > 5


def test_edits_by_hand_change_one_posting_of_each_board() -> None:
    before, after = world(), dataclasses.replace(world(), edits=1)
    for number in range(len(before.boards)):
        then, now = (of.truth(number, 0)["open"] for of in (before, after))
        assert then.keys() == now.keys()
        assert sum(now[job] != then[job] for job in then) == 1
        changed = [
            said_of(before, number, was) != said_of(after, number, is_now)
            for was, is_now in zip(before.entries(number, 0), after.entries(number, 0), strict=True)
        ]
        assert sum(changed) == 1


def test_texts_can_be_as_long_as_those_of_real_postings() -> None:
    short, long = world(), dataclasses.replace(world(), long=True)
    for number in (0, 1, 2):
        sizes = [
            sum(len(said_of(of, number, entry)) for entry in of.entries(number, 0)) for of in (short, long)
        ]
        assert sizes[1] > sizes[0] * 1.3
        assert not re.search(r"\{[a-z_]+\}", listing(long, number, 0).decode())
