"""Ashby's public job posting API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.kinds.kind import Ask, Board, Kind, routes
from demo.kinds.wording import html, plain, uuid, where
from demo.openings import Opening, mix
from demo.words import Place

_TYPE = {"full_time": "FullTime", "part_time": "PartTime", "contract": "Contract", "internship": "Intern"}


class Ashby(Kind):
    """One list, with pay when `includeCompensation=true`. It carries drafts, which no one may show."""

    name = "ashby"
    origins = ("https://api.ashbyhq.com",)
    routes = routes(r"(?:api\.ashbyhq\.com)?/posting-api/job-board/(?P<token>[^/]+)/?")

    def board(self, token: str, company: str) -> Board:
        """A board at jobs.ashbyhq.com."""
        return Board(self.name, token, company, f"https://jobs.ashbyhq.com/{token}")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """Pay comes on request."""
        del what, document
        return Ask(full=query.get("includeCompensation") == "true")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A UUID."""
        del board, slug
        return uuid(mix(key, number))

    def link(self, board: Board, made: Opening) -> str:
        """The job's page."""
        return f"https://jobs.ashbyhq.com/{board.token}/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list with its version."""
        del board, ask, total
        return '{"apiVersion":"1","jobs":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        page = self.link(board, made)
        remote = made.workplace == "remote"
        job: dict[str, Any] = {
            "id": self.id_of(board, made),
            "title": made.title,
            "department": made.family.department,
            "team": made.family.team,
            "employmentType": _TYPE[made.employment],
            "location": _name(made.places[0], remote=remote),
            "shouldDisplayCompensationOnJobPostings": made.pay is not None,
            "secondaryLocations": [
                {"location": _name(place, remote=remote), "address": _address(place)}
                for place in made.places[1:]
            ],
            "publishedAt": made.published.isoformat(timespec="milliseconds"),
            "isListed": made.listed,
            "isRemote": remote,
            "workplaceType": {"remote": "Remote", "hybrid": "Hybrid", "onsite": "OnSite"}[made.workplace],
            "address": _address(made.places[0]),
            "jobUrl": page,
            "applyUrl": f"{page}/application",
            "descriptionHtml": html(made.sections, "h2"),
            "descriptionPlain": plain(made.sections),
        }
        return job | {"compensation": _compensation(made)} if ask.full else job


def _name(place: Place, *, remote: bool) -> str:
    return f"Remote, {place.country}" if remote else where(place, 1)


def _address(place: Place) -> dict[str, Any]:
    return {
        "postalAddress": {
            "addressRegion": place.region,
            "addressCountry": place.country,
            "addressLocality": place.city,
        }
    }


def _compensation(made: Opening) -> dict[str, Any]:
    if made.pay is None:
        return {
            "compensationTierSummary": None,
            "scrapeableCompensationSalarySummary": None,
            "compensationTiers": [],
            "summaryComponents": [],
        }
    pay = made.pay
    salary = {
        "compensationType": "Salary",
        "interval": {"year": "1 YEAR", "day": "1 DAY", "hour": "1 HOUR"}[pay.period],
        "currencyCode": pay.currency,
        "minValue": pay.minimum,
        "maxValue": pay.maximum,
    }
    equity = {
        "compensationType": "EquityPercentage",
        "interval": "NONE",
        "currencyCode": None,
        "minValue": None,
        "maxValue": None,
    }
    return {
        "compensationTierSummary": f"{pay.text} • Offers Equity",
        "scrapeableCompensationSalarySummary": pay.text if pay.period == "year" else None,
        "compensationTiers": [
            {
                "id": uuid(made.key, 1),
                "tierSummary": f"{pay.text} • Offers Equity",
                "title": None,
                "additionalInformation": None,
                "components": [
                    {"id": uuid(made.key, 2), "summary": pay.text, **salary},
                    {"id": uuid(made.key, 3), "summary": "Offers Equity", **equity},
                ],
            }
        ],
        "summaryComponents": [salary, equity],
    }
