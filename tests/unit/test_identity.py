"""What of two postings tells that they are one job, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from scout.identity import decision, keys, resemblance
from scout.normalise import completed, places
from scout.postings import Posting, Remote
from tests.boards_in_folders import posting

UUID = "5ac21346-8e0c-4494-8e7a-3eb92ff77902"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://boards.greenhouse.io/acme/jobs/123?gh_src=x", "greenhouse 123"),
        ("https://job-boards.eu.greenhouse.io/acme/jobs/123", "greenhouse 123"),
        ("https://boards.greenhouse.io/embed/job_app?for=acme&token=123", "greenhouse 123"),
        ("https://acme.example/careers?gh_jid=123&utm_source=y", "greenhouse 123"),
        (f"https://jobs.lever.co/acme/{UUID.upper()}/apply", f"lever {UUID}"),
        (f"https://jobs.ashbyhq.com/acme/{UUID}/application", f"ashby {UUID}"),
        (f"https://acme.example/jobs?ashby_jid={UUID}", f"ashby {UUID}"),
        ("https://apply.workable.com/acme/j/3FA85F6457/", "workable 3fa85f6457"),
        ("https://jobs.smartrecruiters.com/Acme/743999912345678-iam", "smartrecruiters 743999912345678"),
        ("https://acme.wd5.myworkdayjobs.com/en-US/Ext/job/Berlin/IAM_R0045678-2", "workday acme r0045678"),
        (
            "https://wd5.myworkdaysite.com/recruiting/acme/Ext/job/Berlin/IAM_R0045678",
            "workday acme r0045678",
        ),
        ("https://acme.wd5.myworkdayjobs.com/Ext/job/Berlin/IAM_2024-12", "workday acme 2024-12"),
        ("https://acme.jobs.personio.de/job/889?language=en", "personio acme 889"),
        ("https://acme.bamboohr.com/careers/41/detail", "bamboohr acme 41"),
        (
            "https://agg.example/go?url=https%3A%2F%2Fboards.greenhouse.io%2Facme%2Fjobs%2F123",
            "greenhouse 123",
        ),
        ("https://boards.greenhouse.io/acme", ""),
        ("https://acme.example/jobs/123", ""),
        ("mailto:jobs@acme.example", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_an_applicant_systems_id_is_found_in_any_address(url: str, found: str) -> None:
    assert keys.ats_id(url) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://www.Acme.example/jobs/12/?utm_source=x&b=2&a=1#top", "acme.example/jobs/12?a=1&b=2"),
        ("http://acme.example/jobs/12/apply?ref=y&fbclid=z", "acme.example/jobs/12"),
        ("https://acme.example/#/jobs/12", "acme.example/#/jobs/12"),
        ("https://acme.example/view?jk=ab12", "acme.example/view?jk=ab12"),
        ("https://acme.example/jobs/iam-engineer", "acme.example/jobs/iam-engineer"),
        ("https://acme.example/careers", ""),
        ("https://acme.example/about/open-positions?utm_source=2", ""),
        ("https://acme.example/", ""),
        ("https://[::1", ""),
    ],
)
def test_an_address_is_compared_without_what_changes_nothing(url: str, found: str) -> None:
    assert keys.comparable_url(url) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Sr. Engineer, Identity", "Acme, Inc."), ("Senior Identity Engineer (m/w/d)", "ACME GmbH")),
        (("IAM Engineer at Acme", "Acme"), ("IAM Engineer", "Acme")),
        (("Acme: Back-End Engineer", "Acme"), ("Backend Engineer", "Acme (YC W21)")),
        (("Privileged Access Management (PAM) Engineer", "Acme"), ("PAM Engineer", "Acme Germany")),
        (("Customer Identity (CIAM) Architect", "Acme"), ("Customer Identity Architect", "Acme")),
        (("Engineer II, IAM", "Booking.com"), ("IAM Engineer 2", "Booking")),
    ],
)
def test_a_role_is_one_however_it_is_spelled(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert keys.role(*one) == keys.role(*other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Senior IAM Engineer", "Acme"), ("IAM Engineer", "Acme")),
        (("IAM Engineer I", "Acme"), ("IAM Engineer II", "Acme")),
        (("IAM Engineer", "Bank of Ireland"), ("IAM Engineer", "Bank of India")),
        (("Okta Engineer", "Okta"), ("Engineer", "Okta")),
        (("C++ Developer", "Acme"), ("C# Developer", "Acme")),
    ],
)
def test_other_roles_have_other_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert keys.role(*one) != keys.role(*other)


def test_nothing_is_told_where_company_or_title_is_missing() -> None:
    assert keys.role("IAM Engineer", "") == keys.role("", "Acme") == ""
    told = keys.of(posting(1, url="https://acme.example/careers", company=""))
    assert (told.address, told.role) == (None, None)


@pytest.mark.parametrize(
    ("written", "found"),
    [("R-00123", "r00123"), ("evergreen", ""), ("", ""), ("  BER / 17 ", "ber17")],
)
def test_a_requisition_id_is_compared_without_signs(written: str, found: str) -> None:
    assert keys.requisition(written) == found


@pytest.mark.parametrize(
    ("title", "found"),
    [("IAM Engineer (R12345)", "r12345"), ("IAM Engineer - Req ID: 555", "555"), ("Engineer 2", ""),
     ("Shift 2024 Planner", "")],
)  # fmt: skip
def test_a_requisition_id_is_found_in_a_title(title: str, found: str) -> None:
    assert keys.requisition_in_title(title) == found


def told(*where: str, **changes: Any) -> decision.Facts:
    given: dict[str, Any] = {"title": "Okta Engineer", "company": "Acme", "url": "", "places": places(where)}
    return decision.Facts(**{**given, **changes})


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (["Munich"], ["München, Germany"], "same"),
        (["Berlin", "London"], ["London, UK"], "same"),
        (["Berlin"], ["Hamburg"], "none"),
        (["Springfield, IL"], ["Springfield, MA"], "none"),
        (["Berlin, Germany"], ["Germany"], "perhaps"),
        (["Berlin, Germany"], ["France"], "none"),
        (["Berlin"], [], "perhaps"),
        (["Germany"], ["Deutschland"], "same"),
        (["Germany"], ["France"], "none"),
        ([], [], "perhaps"),
    ],
)
def test_places_overlap_as_sets_of_towns(one: list[str], other: list[str], overlap: str) -> None:
    assert decision.overlapping(told(*one), told(*other))[0] == overlap
    assert decision.overlapping(told(*other), told(*one))[0] == overlap


def test_remote_work_and_an_office_are_two_unless_a_town_is_shared() -> None:
    office = told("Berlin, Germany", remote=Remote.ONSITE)
    assert decision.by_role(office, told("Germany", remote=Remote.REMOTE)) is None
    assert decision.by_role(office, told("Berlin", remote=Remote.REMOTE)) is not None


def test_evidence_is_in_words() -> None:
    verdict = decision.judge(told("Berlin"), told("Berlin, Germany"), one_board=False)
    assert verdict == decision.Verdict("role", certain=True, why="the same company and title, place (Berlin)")
    url = "https://boards.greenhouse.io/acme/jobs/123"
    verdict = decision.judge(told(url=url), told(url=f"{url}?gh_src=1"), one_board=True)
    assert verdict is not None
    assert verdict.why == "both addresses hold Greenhouse's id 123"


def test_other_levels_by_the_boards_own_fields_are_two_unless_the_text_is_one() -> None:
    words = " ".join(f"word{number}" for number in range(50))
    senior, entry = told("Berlin", level="senior"), told("Berlin", level="entry")
    assert decision.by_role(senior, entry) is None
    senior, entry = (decision.with_text(each, words) for each in (senior, entry))
    assert decision.by_role(senior, entry) is not None


def test_long_texts_of_one_language_that_share_little_are_two_roles() -> None:
    one = " ".join(f"word{number}" for number in range(100))
    other = " ".join(f"other{number}" for number in range(100))
    assert decision.by_role(told("Berlin", text=one), told("Berlin", text=other)) is None
    french = told("Berlin", text=other, language="fr")
    assert decision.by_role(told("Berlin", text=one, language="en"), french) is not None


def test_facts_of_a_posting_hold_what_its_title_says() -> None:
    facts = decision.facts(completed(posting(1, title="Okta Engineer (R-12345)", requisition_id="")))
    assert facts.requisition == "r12345"
    assert [place.city for place in facts.places][:1] == ["Basel"]


def test_texts_that_are_much_alike_share_marks_and_short_ones_have_none() -> None:
    words = [f"word{number % 97}x{number}" for number in range(300)]
    copied = ["For", "our", "client", *words]
    other = [f"else{number}" for number in range(300)]
    own = resemblance.marks(" ".join(words))
    assert 1 < len(own) <= 8
    assert len(own & resemblance.marks(" ".join(copied))) >= len(own) - 1
    assert not own & resemblance.marks(" ".join(other))
    assert resemblance.marks("too short to tell") == set()


def test_any_text_has_keys() -> None:
    strange = Posting(
        source_job_id="1",
        title="\ud800 (",
        company="(",
        url="https://x.example/\ud800/1",
        requisition_id="\ud800",
    )
    assert keys.of(strange).address is not None
