"""SmartRecruiters company pages.

The Posting API gives a company's postings in pages, without a key
(https://developers.smartrecruiters.com/docs/posting-api). The list has no texts: they come with each
posting's details. A company that it does not know looks like one without openings.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, quote

from scout import normalise
from scout.fetch import Door, FetchError, Limits, Reason
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources.about import About
from scout.sources.answers import (
    ask,
    detail_of,
    gather,
    listed,
    mapping,
    nothing,
    path_of,
    place,
    read_json,
    remember,
    required,
    sections,
    unknown,
)
from scout.sources.board import Board, Page, Validators

_API = "https://api.smartrecruiters.com"
_HOSTS = frozenset(
    {
        "careers.smartrecruiters.com",
        "jobs.smartrecruiters.com",
        "www.smartrecruiters.com",
        "smartrecruiters.com",
    }
)
#: First parts of a path that name no company, and how many parts stand before the company then.
_BEFORE = {
    "job-api": 4,
    "oneclick-ui": 2,
    "external-referrals": 2,
    "ni": 1,
    "sr-jobs": -1,
    "app": -1,
    "static": -1,
}
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PAGE = 100
#: Ten thousand postings of one company: past that, something loops.
_MOST_PAGES = 100
_LIMITS = Limits(read=30.0, total=90.0)
_PARTS = ("companyDescription", "jobDescription", "qualifications", "additionalInformation")


class SmartRecruiters:
    """Companies at careers.smartrecruiters.com and jobs.smartrecruiters.com."""

    name = "smartrecruiters"
    title = "SmartRecruiters"
    origins: tuple[str, ...] = (_API,)
    interval = dt.timedelta(hours=1)
    attribution = ""
    terms = (
        "The Posting API is documented as public, for showing a company's postings elsewhere; ten requests a "
        "second are allowed (SmartRecruiters, Posting API; API rate limits)."
    )
    complete = True
    about = About(
        fills=(
            "locations",
            "remote",
            "description_text",
            "salary",
            "employment_type",
            "department",
            "requisition_id",
            "posted_at",
            "tags",
        )
    )
    details = 100

    def recognise(self, url: SplitResult) -> Board | None:
        """A company's page, one posting's page, its one-click form, or the API's address."""
        parts = path_of(url)
        if url.hostname == "api.smartrecruiters.com":
            parts = parts[2:] if parts[:2] == ["v1", "companies"] else []
        elif url.hostname not in _HOSTS:
            return None
        elif parts:
            skipped = _BEFORE.get(parts[0], 0)
            # The site of the vendor itself has pages that are no company's.
            own = url.hostname.removeprefix("www.") == "smartrecruiters.com" and len(parts) < 2  # noqa: PLR2004
            parts = [] if skipped < 0 or own else parts[skipped:]
        if not parts or not _TOKEN.fullmatch(parts[0]):
            return None
        return Board(kind=self.name, token=parts[0], url=f"https://careers.smartrecruiters.com/{parts[0]}")

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The company's postings, a hundred at a time."""
        seen = 0
        for number in range(_MOST_PAGES):
            url = f"{_API}/v1/companies/{board.token}/postings?limit={_PAGE}&offset={seen}"
            try:
                # Validators are kept for a company of one page only: of several, another may change.
                answer = ask(door, url, validators if number == 0 else Validators(), limits=_LIMITS)
            except FetchError as error:
                if error.reason is Reason.NOT_FOUND and number == 0:
                    raise unknown(self.title, board, called="company") from error
                raise
            document = read_json(answer.body, self.title)
            items = listed(document, "content", self.title)
            total = document.get("totalFound")
            seen += len(items)
            last = seen >= total if isinstance(total, int) else len(items) < _PAGE
            if number == 0 and last:
                remember(validators, url, answer)
            page = gather(items, lambda item: _posting(item, board))
            if seen == 0 and last:
                yield Page(postings=(), note=nothing(self.title, board))
            else:
                yield page
            if last:
                return
            if not items:
                raise FetchError(
                    Reason.TRUNCATED,
                    f"SmartRecruiters counts {total} postings of “{board.token}” and gave {seen}. The next "
                    "scan tries again.",
                )
        raise FetchError(
            Reason.TOO_LARGE,
            f"SmartRecruiters lists more than {_MOST_PAGES * _PAGE} postings for “{board.token}”. The rest "
            "was left there.",
        )

    def parse(self, body: bytes, board: Board) -> Page:
        """The public postings of one answer, without their texts.

        Raises:
            FetchError: It is no listing.
        """
        items = listed(read_json(body, self.title), "content", self.title)
        return gather(items, lambda item: _posting(item, board))

    def detailed(self, posting: Posting, board: Board, door: Door) -> Posting:
        """The posting with its text, its pay where stated, and its page's own address."""
        url = f"{_API}/v1/companies/{board.token}/postings/{quote(posting.source_job_id, safe='')}"
        answer = door.get(url, headers={"accept": "application/json"}, limits=_LIMITS)
        return self.parse_detail(answer.body, board)

    def parse_detail(self, body: bytes, board: Board) -> Posting:
        """The posting of one answer with details.

        Raises:
            FetchError: It is none.
        """
        return detail_of(read_json(body, self.title), lambda item: _posting(item, board), self.title)


def _posting(item: Any, board: Board) -> Posting | None:
    job = mapping(item)
    if job.get("visibility") not in {None, "PUBLIC"} or job.get("active") is False:
        return None
    number = required(normalise.identifier(job.get("id")), "id")
    title = required(normalise.line(job.get("name")), "title")
    company = mapping(job.get("company"))
    slug = normalise.line(company.get("identifier"), 100) or board.token
    texts = mapping(mapping(job.get("jobAd")).get("sections"))
    parts = [mapping(texts.get(name)) for name in _PARTS]
    safe = sanitise(sections((part.get("title"), part.get("text")) for part in parts))
    text = plain(safe)
    where = mapping(job.get("location"))
    whole = normalise.line(where.get("fullLocation"), 200) or place(
        where.get("city"), where.get("region"), normalise.line(where.get("country")).upper()
    )
    places = normalise.locations([place(*whole.split(","))])
    # Both are false for a job on site, and where nothing was chosen: that is no evidence.
    fields = [(f"location.{name}", name) for name in ("hybrid", "remote") if where.get(name) is True]
    remote, evidence = normalise.remote(fields=fields, title=title, places=places, text=text)
    pay = mapping(job.get("compensation"))
    kind = mapping(job.get("typeOfEmployment"))
    return Posting(
        source_job_id=number,
        title=title,
        company=normalise.line(company.get("name"), 200)
        or board.company
        or normalise.company_of(board.token),
        url=normalise.public_url(job.get("postingUrl"))
        or required(
            normalise.public_url(f"https://jobs.smartrecruiters.com/{slug}/{number}"),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=normalise.salary(
            least=pay.get("min"),
            most=pay.get("max"),
            currency=pay.get("currency"),
            per=pay.get("period"),
        ),
        # The label is in the company's language; the id is not.
        employment_type=normalise.employment_type(kind.get("id"))
        or normalise.employment_type(kind.get("label")),
        department=normalise.line(mapping(job.get("department")).get("label"), 200),
        requisition_id=normalise.identifier(job.get("refNumber")),
        posted_at=normalise.when(job.get("releasedDate")),
        tags=_tags(job),
    )


def _tags(job: dict[str, Any]) -> tuple[str, ...]:
    named = (mapping(job.get(name)) for name in ("function", "industry"))
    labels = (normalise.line(each.get("label"), 80) for each in named if each.get("id") != "other")
    return tuple(dict.fromkeys(label for label in labels if label))
