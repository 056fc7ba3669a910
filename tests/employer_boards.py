"""Answers of employers' boards, written for tests: one well-formed posting of each kind, and its listing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from scout.fetch import Door
from scout.settings import Settings
from scout.sources import KINDS
from scout.sources.board import Board, Page, Validators
from tests.serving import Asked, Reply, serving

Item = dict[str, Any]


def smartrecruiters(number: int = 1, **changes: Any) -> Item:
    return {
        "id": str(700000 + number),
        "name": "IAM Engineer",
        "refNumber": f"REF{number}",
        "company": {"identifier": "Acme1", "name": "Acme Inc"},
        "releasedDate": "2026-01-02T03:04:05.678Z",
        "location": {
            "city": "Warsaw",
            "country": "pl",
            "remote": False,
            "hybrid": True,
            "fullLocation": "Warsaw, , Poland",
        },
        "department": {},
        "function": {"id": "information_technology", "label": "Information Technology"},
        "typeOfEmployment": {"id": "permanent", "label": "Pełny etat"},
        "visibility": "PUBLIC",
        "creator": {"name": "A Recruiter"},
        **changes,
    }


def workday(number: int = 1, **changes: Any) -> Item:
    return {
        "title": "IAM Engineer",
        "externalPath": f"/job/US-TX-Austin/IAM-Engineer_JR{number}",
        "locationsText": "US, TX, Austin",
        "postedOn": "Posted 3 Days Ago",
        "bulletFields": [f"JR{number}"],
        **changes,
    }


def workable(number: int = 1, **changes: Any) -> Item:
    return {
        "shortcode": f"ABC{number}",
        "title": "IAM Engineer",
        "code": "R-7",
        "employment_type": "Full-time",
        "telecommuting": False,
        "department": "Security",
        "url": f"https://apply.workable.com/j/ABC{number}",
        "published_on": "2026-01-02",
        "country": "Greece",
        "city": "Athens",
        "state": "Attica",
        "locations": [
            {"country": "Greece", "countryCode": "GR", "city": "Athens", "region": "Attica", "hidden": False}
        ],
        "description": "<p>Run SSO.</p>",
        **changes,
    }


def recruitee(number: int = 1, **changes: Any) -> Item:
    return {
        "id": number,
        "title": "IAM Engineer",
        "company_name": "Acme BV",
        "careers_url": f"https://acme.recruitee.com/o/iam-engineer-{number}",
        "location": "Utrecht, Utrecht, Netherlands",
        "locations": [{"name": "HQ", "city": "Utrecht", "state": "Utrecht", "country": "Netherlands"}],
        "remote": False,
        "hybrid": True,
        "on_site": False,
        "description": "<p>Run SSO.</p>",
        "requirements": "<ul><li>SAML</li></ul>",
        "salary": {"min": "5000", "max": "6500", "period": "month", "currency": "EUR"},
        "employment_type_code": "fulltime_fixed_term",
        "department": "Security",
        "published_at": "2026-01-02 03:04:05 UTC",
        "status": "published",
        "mailbox_email": "job.1@recruitment.example",
        **changes,
    }


def teamtailor(number: int = 1, **changes: Any) -> Item:
    return {
        "id": f"uuid-{number}",
        "title": "IAM Engineer",
        "url": f"https://acme.teamtailor.com/jobs/{number}-iam-engineer",
        "date_published": "2026-01-02T03:04:05+02:00",
        "content_html": "<p>Run SSO.</p>",
        "_jobposting": {
            "@type": "JobPosting",
            "employmentType": "FULL_TIME",
            "hiringOrganization": {"name": "Acme AB"},
            "jobLocation": [
                {
                    "address": {
                        "addressLocality": "Stockholm",
                        "addressRegion": "Stockholm",
                        "addressCountry": "SE",
                    }
                }
            ],
            "baseSalary": {
                "currency": "SEK",
                "value": {"unitText": "MONTH", "minValue": "50000", "maxValue": "60000"},
            },
        },
        **changes,
    }


def bamboohr(number: int = 1, **changes: Any) -> Item:
    return {
        "id": str(number),
        "jobOpeningName": "IAM Engineer",
        "departmentLabel": "Security",
        "employmentStatusLabel": "Full-Time",
        "location": {"city": "Lindon", "state": "Utah"},
        "atsLocation": {"country": None, "state": None, "province": None, "city": None},
        "isRemote": None,
        "locationType": "2",
        **changes,
    }


def breezy(number: int = 1, **changes: Any) -> Item:
    return {
        "id": f"id{number}",
        "name": "IAM Engineer",
        "url": f"https://acme.breezy.hr/p/id{number}-iam-engineer",
        "published_date": "2026-01-02T03:04:05.678Z",
        "type": {"id": "fullTime", "name": "Full-Time"},
        "location": {
            "country": {"name": "United States", "id": "US"},
            "state": {"id": "WA", "name": "Washington"},
            "city": "Tacoma",
            "is_remote": False,
            "name": "Tacoma, WA",
        },
        "department": "Security",
        "salary": "$140k - $180k",
        "company": {"name": "Acme"},
        **changes,
    }


def pinpoint(number: int = 1, **changes: Any) -> Item:
    return {
        "id": str(number),
        "title": "IAM Engineer",
        "url": f"https://acme.pinpointhq.com/en/postings/{number}",
        "description": "<div><!--block-->Run SSO.</div>",
        "key_responsibilities_header": "Key Responsibilities",
        "key_responsibilities": "<ul><li>Okta</li></ul>",
        "skills_knowledge_expertise_header": "Skills",
        "skills_knowledge_expertise": "",
        "benefits": None,
        "benefits_header": "Benefits",
        "employment_type": "permanent_full_time",
        "workplace_type": "hybrid",
        "compensation": "£50,000 / year",
        "compensation_minimum": 50000.0,
        "compensation_maximum": None,
        "compensation_currency": "GBP",
        "compensation_frequency": "year",
        "compensation_visible": True,
        "job": {"requisition_id": "PIN-7", "department": {"name": "Security"}},
        "location": {"city": "", "province": "", "name": "Jersey"},
        **changes,
    }


def rippling(number: int = 1, **changes: Any) -> Item:
    return {
        "uuid": f"uuid-{number}",
        "name": "IAM Engineer",
        "department": {"id": "Security", "label": "Security"},
        "url": f"https://ats.rippling.com/acme/jobs/uuid-{number}",
        "workLocation": {"label": "Remote (United States)", "id": "x"},
        **changes,
    }


def comeet(number: int = 1, **changes: Any) -> Item:
    return {
        "uid": f"8A.{number:03d}",
        "name": "IAM Engineer",
        "department": "R&D",
        "company_name": "Acme Ltd",
        "employment_type": "Full-time",
        "workplace_type": "Hybrid",
        "location": {"name": "HQ", "city": "Tel Aviv", "country": "IL", "is_remote": True},
        "url_comeet_hosted_page": f"https://www.comeet.com/jobs/acme/12.345/iam-engineer/8A.{number:03d}",
        "time_updated": "2026-01-02T03:04:05Z",
        "details": [
            {"name": "Description", "value": "<p>Run SSO.</p>"},
            {"name": "Requirements", "value": "<p>SAML</p>"},
        ],
        "email": "acme.8A@applynow.example",
        **changes,
    }


def personio(number: int = 1, **changes: Any) -> Item:
    return {
        "id": str(number),
        "name": "IAM Engineer (m/w/d)",
        "subcompany": "Acme SE & Co. KG",
        "office": "Munich",
        "additionalOffices": ["Berlin"],
        "department": "Security",
        "recruitingCategory": "Engineering",
        "jobDescriptions": [("Your tasks", "<p>Run SSO.</p>"), ("Your profile", "<ul><li>SAML</li></ul>")],
        "employmentType": "permanent",
        "schedule": "part-time",
        "createdAt": "2026-01-02T03:04:05+00:00",
        "salaryInformation": {"min": "48000.00", "max": "56000.00", "currencyCode": "EUR", "type": "yearly"},
        **changes,
    }


def position(item: Any) -> str:
    """A position of Personio's feed as XML. Members that are None are left out; text goes in as it is."""
    if not isinstance(item, dict):
        return f"<position>{item}</position>"
    parts = []
    for name, value in item.items():
        if name == "additionalOffices":
            inner = "".join(f"<office>{escape(each)}</office>" for each in value)
        elif name == "jobDescriptions":
            inner = "".join(
                f"<jobDescription><name>{escape(heading)}</name><value><![CDATA[{html}]]></value></jobDescription>"
                for heading, html in value
            )
        elif name == "salaryInformation" and isinstance(value, dict):
            inner = "".join(f"<{each}>{escape(text)}</{each}>" for each, text in value.items())
        elif value is None:
            continue
        else:
            inner = escape(str(value))
        parts.append(f"<{name}>{inner}</{name}>")
    return f"<position>{''.join(parts)}</position>"


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _feed(items: list[Any]) -> bytes:
    inner = "\n".join(position(item) for item in items)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<workzag-jobs>\n{inner}\n</workzag-jobs>\n'.encode()


def _page(items: list[Any]) -> bytes:
    data = json.dumps(items)
    script = f"COMPANY_POSITIONS_DATA = {data};\nPOSITION_DATA = {{}};"
    return f"<!doctype html><html><script>{script}</script></html>".encode()


@dataclass(frozen=True)
class Example:
    """One kind, as tests see it: a board, one posting, and a listing of several.

    `path` is what a read of the board asks for first, and `host` whom.
    """

    board: Board
    make: Callable[..., Item]
    wrap: Callable[[list[Any]], bytes]
    host: str
    path: str
    title: str = "title"
    id: str = "id"
    link: str = ""

    @property
    def kind(self) -> str:
        return self.board.kind

    def parse(self, *items: Any) -> Page:
        return KINDS[self.kind].parse(self.wrap(list(items)), self.board)


EXAMPLES = {
    example.kind: example
    for example in (
        Example(
            Board(kind="smartrecruiters", token="Acme1", url="https://careers.smartrecruiters.com/Acme1"),
            smartrecruiters,
            lambda items: _json({"offset": 0, "limit": 100, "totalFound": len(items), "content": items}),
            "api.smartrecruiters.com",
            "/v1/companies/Acme1/postings?limit=100&offset=0",
            title="name",
        ),
        Example(
            Board(kind="workday", token="acme.wd5/Ext", url="https://acme.wd5.myworkdayjobs.com/Ext"),
            workday,
            lambda items: _json({"total": len(items), "jobPostings": items}),
            "acme.wd5.myworkdayjobs.com",
            "/wday/cxs/acme/Ext/jobs",
            id="externalPath",
        ),
        Example(
            Board(kind="workable", token="acme", url="https://apply.workable.com/acme/"),
            workable,
            lambda items: _json({"name": "Acme", "description": None, "jobs": items}),
            "apply.workable.com",
            "/api/v1/widget/accounts/acme?details=true",
            id="shortcode",
            link="url",
        ),
        Example(
            Board(kind="recruitee", token="acme", url="https://acme.recruitee.com/"),
            recruitee,
            lambda items: _json({"offers": items}),
            "acme.recruitee.com",
            "/api/offers/",
            link="careers_url",
        ),
        Example(
            Board(kind="teamtailor", token="acme", url="https://acme.teamtailor.com/jobs"),
            teamtailor,
            lambda items: _json(
                {"version": "https://jsonfeed.org/version/1.1", "title": "Acme", "items": items}
            ),
            "acme.teamtailor.com",
            "/jobs.json",
            link="url",
        ),
        Example(
            Board(kind="bamboohr", token="acme", url="https://acme.bamboohr.com/careers"),
            bamboohr,
            lambda items: _json({"meta": {"totalCount": len(items)}, "result": items}),
            "acme.bamboohr.com",
            "/careers/list",
            title="jobOpeningName",
        ),
        Example(
            Board(kind="personio", token="acme", url="https://acme.jobs.personio.de/"),
            personio,
            _feed,
            "acme.jobs.personio.de",
            "/xml?language=en",
            title="name",
        ),
        Example(
            Board(kind="breezy", token="acme", url="https://acme.breezy.hr/"),
            breezy,
            _json,
            "acme.breezy.hr",
            "/json?verbose=true",
            title="name",
            link="url",
        ),
        Example(
            Board(kind="pinpoint", token="acme", url="https://acme.pinpointhq.com/"),
            pinpoint,
            lambda items: _json({"data": items}),
            "acme.pinpointhq.com",
            "/postings.json",
            link="url",
        ),
        Example(
            Board(kind="rippling", token="acme", url="https://ats.rippling.com/acme/jobs"),
            rippling,
            _json,
            "api.rippling.com",
            "/platform/api/ats/v1/board/acme/jobs",
            title="name",
            id="uuid",
            link="url",
        ),
        Example(
            Board(kind="comeet", token="acme/12.345", url="https://www.comeet.com/jobs/acme/12.345"),
            comeet,
            _page,
            "www.comeet.com",
            "/jobs/acme/12.345",
            title="name",
            id="uid",
            link="url_comeet_hosted_page",
        ),
    )
}


def read(
    board: Board, answer: Callable[[Asked], Reply], validators: Validators | None = None
) -> tuple[list[Page], list[Asked]]:
    """What reading a board gives when every request of its kind is answered by `answer`."""
    with serving(answer) as server, playing(board.kind, server.origin) as door:
        return list(KINDS[board.kind].read(board, door, validators or Validators())), server.asked


def playing(kind: str, target: str) -> Door:
    """A door through which all hosts of a kind are `target`, and which does not wait between tries."""
    settings = Settings(origin_overrides=dict.fromkeys(KINDS[kind].origins, target))
    return Door(settings, kind=kind, sleep=lambda _: None)
