"""USAJobs, the jobs of the United States' federal government.

Its search API (https://developer.usajobs.gov/) is read with a key that is given to a mail address: both are
settings, and boards are off until they are set. Addresses carry a port that readers do not need; the
agencies' contacts come along and are left out. `RateIntervalCode` is a phrase in some answers and a code in
others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import SplitResult, urlencode

from scout import normalise
from scout.fetch import Answer, Door
from scout.html import plain, sanitise
from scout.postings import Posting, Salary
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import gather, listed, mapping, read_json, required, sequence, switched_on
from scout.sources.board import Board, Page, Validators
from scout.sources.contacts import without_contacts

_PAGE = 250
#: A thousand jobs.
_MOST_PAGES = 4
_NAMES = {
    "k": "Keyword", "keyword": "Keyword", "Keyword": "Keyword", "l": "LocationName",
    "location": "LocationName", "LocationName": "LocationName", "a": "Organization",
    "Organization": "Organization", "j": "JobCategoryCode", "JobCategoryCode": "JobCategoryCode",
    "RemoteIndicator": "RemoteIndicator",
}  # fmt: skip
_PERIODS = {"PA": "year", "PH": "hour", "PM": "month", "PD": "day", "WK": "week"}


class UsaJobs:
    """A search at usajobs.gov."""

    name = "usajobs"
    title = "USAJobs"
    origins: tuple[str, ...] = ("https://data.usajobs.gov",)
    interval = dt.timedelta(hours=3)
    attribution = ""
    terms = (
        "The search API is open to whoever registers for a key, which is sent with a mail address in "
        "each request (USAJobs, API terms of use)."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "salary", "employment_type", "department",
            "requisition_id", "posted_at", "tags",
        ),
        searches=("words", "location", "organisation", "job category", "remote"),
        settings=("SCOUT_USAJOBS_EMAIL", "SCOUT_USAJOBS_KEY"),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """The site, a search there, or the API's address."""
        if searches.host(url) not in {"usajobs.gov", "data.usajobs.gov"}:
            return None
        return searches.board(self, "https://www.usajobs.gov/search/results/", searches.narrowed(url, _NAMES))

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The search's jobs, page by page, the newest first."""
        switched_on(self, door)
        narrowed = searches.query(board.token)

        def address(number: int) -> str:
            asked = {
                **narrowed, "ResultsPerPage": _PAGE, "Page": number + 1, "SortField": "opendate",
                "SortDirection": "desc",
            }  # fmt: skip
            return f"{self.origins[0]}/api/search?{urlencode(asked)}"

        yield from searches.paged(
            door,
            validators,
            address=address,
            parse=self._page,
            most=_MOST_PAGES,
            headers={
                "user-agent": door.settings.usajobs_email,
                "authorization-key": door.settings.usajobs_key,
            },
        )

    def _page(self, answer: Answer) -> tuple[Page, bool]:
        items = self._items(answer.body)
        return gather(items, _posting), len(items) >= _PAGE

    def _items(self, body: bytes) -> list[Any]:
        result = mapping(read_json(body, self.title)).get("SearchResult")
        return listed(result, "SearchResultItems", self.title)

    def parse(self, body: bytes, board: Board) -> Page:
        """The jobs of one answer.

        Raises:
            FetchError: It is no listing.
        """
        del board
        return gather(self._items(body), _posting)


def _posting(item: Any) -> Posting:
    job = mapping(mapping(item).get("MatchedObjectDescriptor"))
    details = mapping(mapping(job.get("UserArea")).get("Details"))
    safe = sanitise(without_contacts(_description(job, details)))
    text = plain(safe)
    title = required(normalise.line(job.get("PositionTitle")), "title")
    # A place's name holds its state after a comma.
    places = normalise.locations(
        mapping(each).get("LocationName") for each in sequence(job.get("PositionLocation"))
    )
    stated = details.get("RemoteIndicator")
    remote, evidence = normalise.remote(
        fields=[("RemoteIndicator", "remote")] if str(stated).lower() == "true" else [],
        title=title,
        places=places,
        text=text,
    )
    categories = _names(job, "JobCategory")
    schedules = [normalise.employment_type(each) for each in _names(job, "PositionSchedule")]
    return Posting(
        source_job_id=required(normalise.identifier(mapping(item).get("MatchedObjectId")), "id"),
        title=title,
        company=required(
            normalise.line(job.get("OrganizationName"), 200)
            or normalise.line(job.get("DepartmentName"), 200),
            "company",
        ),
        url=required(
            normalise.public_url(str(job.get("PositionURI") or "").replace(".gov:443/", ".gov/")),
            "link that can be followed",
        ),
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        salary=_salary(job),
        employment_type=next((each for each in schedules if each), ""),
        department=normalise.line(job.get("DepartmentName"), 200),
        requisition_id=normalise.identifier(job.get("PositionID")),
        posted_at=normalise.when(job.get("PublicationStartDate")),
        tags=tuple(dict.fromkeys((*categories, *_clearance(details)))),
    )


def _names(job: dict[str, Any], name: str) -> list[str]:
    found = (normalise.line(mapping(each).get("Name"), 80) for each in sequence(job.get(name)))
    return [each for each in found if each]


def _clearance(details: dict[str, Any]) -> list[str]:
    found = normalise.line(details.get("SecurityClearance"), 60)
    return [f"Clearance: {found}"] if found and found not in {"Not Required", "Other"} else []


def _salary(job: dict[str, Any]) -> Salary | None:
    for each in sequence(job.get("PositionRemuneration")):
        pay = mapping(each)
        code = normalise.line(pay.get("RateIntervalCode"))
        found = normalise.salary(
            least=pay.get("MinimumRange"),
            most=pay.get("MaximumRange"),
            currency="USD",
            per=_PERIODS.get(code, code),
        )
        if found is not None:
            return found
    return None


def _description(job: dict[str, Any], details: dict[str, Any]) -> str:
    """Summary, duties and qualifications: plain texts, some with markup in them."""
    parts = []
    duties = details.get("MajorDuties")
    for heading, value in (
        ("", details.get("JobSummary")),
        ("Duties", duties if isinstance(duties, list) else [duties]),
        ("Qualifications", job.get("QualificationSummary")),
        ("Education", details.get("Education")),
    ):
        texts = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
        paragraphs = [
            f"<p>{words if '<' in words else escape(words, quote=False)}</p>"
            for each in texts
            for words in each.splitlines()
            if words.strip()
        ]
        if paragraphs:
            parts.append((f"<h3>{heading}</h3>" if heading else "") + "".join(paragraphs))
    return "\n".join(parts)
