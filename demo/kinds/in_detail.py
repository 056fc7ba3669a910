"""Employers' boards whose lists leave texts out, and give them posting by posting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.kinds.kind import Ask, Board, Kind, as_json, long_number, routes, several, spread, whole
from demo.kinds.wording import CAPITALS, HYPHENED, content, html, millis, uuid, where
from demo.openings import Opening


class SmartRecruiters(Kind):
    """The Posting API: lists of at most a hundred, and each posting by its id."""

    name = "smartrecruiters"
    origins = ("https://api.smartrecruiters.com",)
    routes = routes(
        r"(?:api\.smartrecruiters\.com)?/v1/companies/(?P<token>[^/]+)/postings(?:/(?P<job>[^/]+))?"
    )
    page = 100
    detailed = True

    def board(self, token: str, company: str) -> Board:
        """A company at careers.smartrecruiters.com."""
        return Board(self.name, token, company, f"https://careers.smartrecruiters.com/{token}")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """From `offset` on, `limit` of them."""
        del what, document
        return Ask(skip=whole(query.get("offset"), 0, 1_000_000), limit=whole(query.get("limit"), 10, 100))

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """Fifteen digits."""
        del key, slug
        return f"74400{long_number(board, number)}"

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"https://jobs.smartrecruiters.com/{board.token}/{self.id_of(board, made)}-{made.slug}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and where it stands in the whole."""
        del board
        limit = ask.limit if ask.limit is not None else 100
        return f'{{"offset":{ask.skip},"limit":{limit},"totalFound":{total},"content":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting; with its text, pay and addresses when it is asked for by its id."""
        place, number = made.places[0], self.id_of(board, made)
        posting: dict[str, Any] = {
            "id": number,
            "name": made.title,
            "uuid": uuid(made.key, made.number),
            "jobAdId": uuid(made.key, made.number + 1),
            "defaultJobAd": True,
            "refNumber": made.requisition,
            "company": {"identifier": board.token, "name": made.company.name},
            "releasedDate": millis(made.published),
            "location": {
                "city": place.city,
                "region": place.short or place.region,
                "country": place.code.lower(),
                "remote": made.workplace == "remote",
                "hybrid": made.workplace == "hybrid",
                "fullLocation": where(place),
            },
            "industry": {"id": "computer_software", "label": "Computer Software"},
            "department": {"id": str(spread(made.key)), "label": made.family.department},
            "function": {"id": "information_technology", "label": made.family.team},
            "typeOfEmployment": {
                "id": HYPHENED[made.employment].lower(),
                "label": HYPHENED[made.employment],
            },
            "experienceLevel": {"id": "mid_senior_level", "label": "Mid-Senior Level"},
            "customField": [],
            "visibility": "PUBLIC",
            "ref": f"https://api.smartrecruiters.com/v1/companies/{board.token}/postings/{number}",
            "language": {"code": made.family.language, "label": "", "labelNative": ""},
        }
        if not ask.job:
            return posting
        about, role, duties, needs, nice, *rest = made.sections
        parts = {
            "companyDescription": ("Company Description", content(about)),
            "jobDescription": ("Job Description", content(role) + content(duties)),
            "qualifications": ("Qualifications", content(needs) + html([nice])),
            "additionalInformation": ("Additional Information", html(rest)),
        }
        posting |= {
            "active": True,
            "postingUrl": self.link(board, made),
            "applyUrl": f"{self.link(board, made)}?oga=true",
            "jobAd": {
                "sections": {name: {"title": title, "text": text} for name, (title, text) in parts.items()}
            },
        }
        if made.pay is not None:
            posting["compensation"] = {
                "min": made.pay.minimum,
                "max": made.pay.maximum,
                "currency": made.pay.currency,
                "period": made.pay.period.upper(),
            }
        return posting


class Workday(Kind):
    """A site's own interface: lists of at most twenty by POST, of which only the first tells the total."""

    name = "workday"
    origins = ("https://*.myworkdayjobs.com",)
    routes = routes(
        r"(?P<token>[^./]+)\.wd5\.myworkdayjobs\.com/wday/cxs/[^/]+/Careers/jobs",
        r"(?P<token>[^./]+)\.wd5\.myworkdayjobs\.com/wday/cxs/[^/]+/Careers/job/[^/]+/[^/]+_(?P<job>[^/_]+)",
    )
    page = 20
    detailed = True
    validators = False

    def board(self, token: str, company: str) -> Board:
        """A site at COMPANY.wd5.myworkdayjobs.com."""
        return Board(self.name, token, company, f"https://{token}.wd5.myworkdayjobs.com/Careers")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """From `offset` on, `limit` of them: numbers of the document that is sent."""
        del what, query
        return Ask(skip=_number(document.get("offset"), 0), limit=_number(document.get("limit"), 20))

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A requisition's number."""
        del key, slug
        return f"JR{long_number(board, number)}"

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return board.url + self._path(board, made)

    def _path(self, board: Board, made: Opening) -> str:
        city = made.places[0].city.replace(" ", "-")
        return f"/job/{city}/{made.slug}_{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list; answers after the first one count nought."""
        del board
        counted = 0 if ask.skip else total
        return f'{{"total":{counted},"jobPostings":[', '],"facets":[],"userAuthenticated":false}'

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting of the list."""
        del ask
        several_places = f"{len(made.places)} Locations"
        return {
            "title": made.title,
            "externalPath": self._path(board, made),
            "locationsText": where(made.places[0]) if len(made.places) == 1 else several_places,
            "postedOn": _ago(made.days),
            "remoteType": _WORKPLACES[made.workplace],
            "timeType": _TIMES[made.employment],
            "bulletFields": [self.id_of(board, made)],
        }

    def alone(self, board: Board, made: Opening) -> str:
        """One posting with its text."""
        number = self.id_of(board, made)
        first, *others = made.places
        return as_json(
            {
                "jobPostingInfo": {
                    "id": uuid(made.key, made.number).replace("-", ""),
                    "title": made.title,
                    "jobDescription": html(made.sections),
                    "location": where(first),
                    "additionalLocations": [where(place) for place in others],
                    "postedOn": _ago(made.days),
                    "startDate": made.published.date().isoformat(),
                    "timeType": _TIMES[made.employment],
                    "remoteType": _WORKPLACES[made.workplace],
                    "jobReqId": number,
                    "jobPostingId": f"{made.slug}_{number}",
                    "jobPostingSiteId": "Careers",
                    "country": {"descriptor": first.country, "id": uuid(made.key).replace("-", "")},
                    "canApply": True,
                    "posted": True,
                    "externalUrl": self.link(board, made),
                },
                "userAuthenticated": False,
            }
        )


_WORKPLACES = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site"}
_TIMES = {"full_time": "Full time", "part_time": "Part time", "contract": "Contract", "internship": "Intern"}


def _number(value: Any, default: int) -> int:
    return max(0, value) if isinstance(value, int) else default


def _ago(days: int) -> str:
    if days > 30:  # noqa: PLR2004 - Workday counts no further
        return "Posted 30+ Days Ago"
    return {0: "Posted Today", 1: "Posted Yesterday"}.get(days, f"Posted {days} Days Ago")


class BambooHR(Kind):
    """A list with places and departments, and each posting by its number."""

    name = "bamboohr"
    origins = ("https://*.bamboohr.com",)
    routes = routes(
        r"(?P<token>[^./]+)\.bamboohr\.com/careers/list",
        r"(?P<token>[^./]+)\.bamboohr\.com/careers/(?P<job>\d+)/detail",
    )
    detailed = True
    _WHERE: Mapping[str, str] = {"onsite": "0", "remote": "1", "hybrid": "2"}

    def board(self, token: str, company: str) -> Board:
        """A company at COMPANY.bamboohr.com/careers."""
        return Board(self.name, token, company, f"https://{token}.bamboohr.com/careers")

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"{board.url}/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and its length."""
        del board, ask
        return f'{{"meta":{{"totalCount":{total}}},"result":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting of the list."""
        del ask
        place = made.places[0]
        return {
            "id": self.id_of(board, made),
            "jobOpeningName": made.title,
            "departmentId": str(spread(made.key)),
            "departmentLabel": made.family.department,
            "employmentStatusLabel": CAPITALS[made.employment],
            "location": {"city": place.city, "state": place.region, "addressCountry": place.country},
            "atsLocation": {"country": None, "state": None, "province": None, "city": None},
            "isRemote": True if made.workplace == "remote" else None,
            "locationType": self._WHERE[made.workplace],
        }

    def alone(self, board: Board, made: Opening) -> str:
        """One posting with its text and its date; its number is not repeated."""
        opening = self.fields(board, made, Ask())
        del opening["id"]
        opening |= {
            "jobOpeningShareUrl": self.link(board, made),
            "description": html(made.sections),
            "datePosted": made.published.date().isoformat(),
            "compensation": made.pay.text if made.pay else None,
            "jobOpeningStatus": "Open",
        }
        return as_json({"meta": {}, "result": {"jobOpening": opening, "formFields": {}}})


class Rippling(Kind):
    """The Job Board API. A posting of several places is listed once for each."""

    name = "rippling"
    origins = ("https://api.rippling.com",)
    routes = routes(
        r"(?:api\.rippling\.com)?/platform/api/ats/v1/board/(?P<token>[^/]+)/jobs(?:/(?P<job>[^/]+))?"
    )
    detailed = True
    _TYPES: Mapping[str, str] = {
        "full_time": "SALARIED_FT",
        "part_time": "SALARIED_PT",
        "contract": "CONTRACTOR",
        "internship": "INTERN",
    }

    def board(self, token: str, company: str) -> Board:
        """A board at ats.rippling.com."""
        return Board(self.name, token, company, f"https://ats.rippling.com/{token}/jobs")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A UUID."""
        del board, slug
        return uuid(key, number)

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"{board.url}/{self.id_of(board, made)}"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """An item for each place."""
        del ask
        return several(list(self._items(board, made)))

    def _items(self, board: Board, made: Opening) -> Iterator[str]:
        remote = "Remote, " if made.workplace == "remote" else ""
        for place in made.places:
            yield as_json(
                {
                    "uuid": self.id_of(board, made),
                    "name": made.title,
                    "department": {"id": made.family.department, "label": made.family.department},
                    "url": self.link(board, made),
                    "workLocation": {"id": place.city, "label": remote + where(place)},
                }
            )

    def alone(self, board: Board, made: Opening) -> str:
        """One posting with its text, its date and its pay."""
        remote = "Remote, " if made.workplace == "remote" else ""
        pay = made.pay
        return as_json(
            {
                "uuid": self.id_of(board, made),
                "name": made.title,
                "description": {
                    "company": html(made.sections[:1]),
                    "role": html(made.sections[1:]),
                },
                "workLocations": [remote + where(place) for place in made.places],
                "department": {"name": made.family.department},
                "employmentType": {
                    "id": HYPHENED[made.employment],
                    "label": self._TYPES[made.employment],
                },
                "createdOn": millis(made.published),
                "url": self.link(board, made),
                "companyName": made.company.name,
                "payRangeDetails": [
                    {
                        "rangeStart": pay.minimum,
                        "rangeEnd": pay.maximum,
                        "currency": pay.currency,
                        "frequency": pay.period.upper(),
                    }
                ]
                if pay
                else [],
            }
        )
