"""Sites that gather many companies' jobs, and give them as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.kinds.kind import Ask, Board, Kind, as_json, long_number, routes, spread, whole
from demo.kinds.wording import HYPHENED, SPACED, described, html, open_to, plain, short, utc, where
from demo.openings import Opening


class Site(Kind):
    """What they share: one board, and an address on the site that leads to the employer."""

    tokens = ("all",)
    home = ""

    def board(self, token: str, company: str) -> Board:
        """The site itself."""
        return Board(self.name, token, company, self.home)


class Remotive(Site):
    """Remote jobs in one answer; pay is words."""

    name = "remotive"
    origins = ("https://remotive.com",)
    routes = routes(r"(?:remotive\.com)?/api/remote-jobs")
    home = "https://remotive.com/remote-jobs"
    remote = True

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return f"{board.url}/{short(made.family.department)}/{made.slug}-{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list after its terms."""
        del board, ask
        terms = "The simulator's jobs are invented: link back to nobody."
        return (
            f'{{"0-legal-notice":{as_json(terms)},"job-count":{total},"total-job-count":{total},"jobs":[',
            "]}",
        )

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        return {
            "id": long_number(board, made.number),
            "url": self.link(board, made),
            "title": made.title,
            "company_name": made.company.name,
            "company_logo": None,
            "category": made.family.department,
            "tags": list(made.family.tags),
            "job_type": made.employment,
            "publication_date": made.published.strftime("%Y-%m-%dT%H:%M:%S"),
            "candidate_required_location": open_to(made),
            "salary": made.pay.text if made.pay else "",
            "description": html(made.sections),
        }


class RemoteOk(Site):
    """Jobs after a first element with the site's terms; amounts are dollars a year."""

    name = "remoteok"
    origins = ("https://remoteok.com",)
    routes = routes(r"(?:remoteok\.com)?/api/?")
    home = "https://remoteok.com/remote-jobs"
    remote = True

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return f"{board.url}/{made.slug}-{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The terms, then the jobs."""
        del board, ask
        terms = {"last_updated": 0, "legal": "The simulator's jobs are invented: link back to nobody."}
        return f"[{as_json(terms)}{',' if total else ''}", "]"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        link = self.link(board, made)
        dollars = made.pay if made.pay and (made.pay.currency, made.pay.period) == ("USD", "year") else None
        return {
            "slug": f"{made.slug}-{self.id_of(board, made)}",
            "id": self.id_of(board, made),
            "epoch": int(made.published.timestamp()),
            "date": made.published.isoformat(timespec="seconds"),
            "company": made.company.name,
            "company_logo": "",
            "position": made.title,
            "tags": [*(tag.lower() for tag in made.family.tags[:4]), HYPHENED[made.employment].lower()],
            "logo": "",
            "description": described(made),
            "location": open_to(made),
            "apply_url": made.apply_url or link,
            "salary_min": dollars.minimum if dollars else 0,
            "salary_max": dollars.maximum if dollars else 0,
            "url": link,
        }


class Himalayas(Site):
    """Remote jobs, twenty at a time. Some lead to the employer's own board."""

    name = "himalayas"
    origins = ("https://himalayas.app",)
    routes = routes(r"(?:himalayas\.app)?/jobs/api")
    home = "https://himalayas.app/jobs"
    remote = True
    page = 20
    _PERIODS: Mapping[str, str] = {"year": "annual", "day": "day", "hour": "hourly"}

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """From `offset` on, `limit` of them."""
        del what, document
        return Ask(skip=whole(query.get("offset"), 0, 1_000_000), limit=whole(query.get("limit"), 20, 20))

    def id_of(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return self.id(board, made.key, made.number, made.slug)

    slugged = True

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """An address."""
        del key
        return f"https://himalayas.app/jobs/{slug}-{long_number(board, number)}"

    def link(self, board: Board, made: Opening) -> str:
        """Where one applies."""
        return made.apply_url or self.id_of(board, made)

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and where it stands in the whole."""
        del board
        return f'{{"totalCount":{total},"offset":{ask.skip},"limit":{ask.limit},"jobs":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        pay = made.pay
        anywhere = made.region == "Worldwide"
        return {
            "title": made.title,
            "excerpt": plain(made.sections[:1])[:200],
            "companyName": made.company.name,
            "companySlug": short(made.company.name),
            "companyLogo": "",
            "employmentType": SPACED[made.employment],
            "minSalary": pay.minimum if pay else None,
            "maxSalary": pay.maximum if pay else None,
            "salaryPeriod": self._PERIODS[pay.period] if pay else "annual",
            "seniority": ["Mid-level"],
            "currency": pay.currency if pay else None,
            "locationRestrictions": [] if anywhere else [open_to(made)],
            "timezoneRestrictions": [],
            "categories": [tag.replace(" ", "-") for tag in made.family.tags[:3]],
            "parentCategories": ["Developer"],
            "description": html(made.sections),
            "pubDate": int(made.published.timestamp()),
            "expiryDate": int(made.published.timestamp()) + 5_184_000,
            "applicationLink": self.link(board, made),
            "guid": self.id_of(board, made),
        }


class Jobicy(Site):
    """Remote jobs in one answer."""

    name = "jobicy"
    origins = ("https://jobicy.com",)
    routes = routes(r"(?:jobicy\.com)?/api/v2/remote-jobs")
    home = "https://jobicy.com/jobs"
    remote = True
    page = 100
    _PERIODS: Mapping[str, str] = {"year": "yearly", "day": "day", "hour": "hourly"}

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """The newest `count`, a hundred at most."""
        del what, document
        return Ask(limit=whole(query.get("count"), 100, 100))

    def reads(self, total: int) -> Iterator[Ask]:
        """One answer."""
        del total
        yield Ask(limit=100)

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return f"{board.url}/{self.id_of(board, made)}-{made.slug}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and its length."""
        del board, ask
        return f'{{"apiVersion":"2.2.13","jobCount":{total},"jobs":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        pay = made.pay
        job = {
            "id": long_number(board, made.number),
            "url": self.link(board, made),
            "jobSlug": f"{self.id_of(board, made)}-{made.slug}",
            "jobTitle": made.title,
            "companyName": made.company.name,
            "companyLogo": "",
            "jobIndustry": [made.family.department],
            "jobType": [HYPHENED[made.employment]],
            "jobGeo": "Anywhere" if made.region == "Worldwide" else open_to(made),
            "jobLevel": "Midweight",
            "jobExcerpt": plain(made.sections[:1])[:200],
            "jobDescription": html(made.sections),
            "pubDate": made.published.isoformat(timespec="seconds"),
        }
        if pay is None:
            return job
        return job | {
            "salaryMin": pay.minimum,
            "salaryMax": pay.maximum,
            "salaryCurrency": pay.currency,
            "salaryPeriod": self._PERIODS[pay.period],
        }


class Arbeitnow(Site):
    """Jobs remote and not, a hundred a page. Some lead to the employer's own board."""

    name = "arbeitnow"
    origins = ("https://www.arbeitnow.com",)
    routes = routes(r"(?:www\.arbeitnow\.com)?/api/job-board-api")
    home = "https://www.arbeitnow.com/"
    page = 100
    slugged = True

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """A page."""
        del what, document
        return Ask.page(max(whole(query.get("page"), 1, 10_000), 1) - 1, 100)

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """Words and a number."""
        del key
        return f"{slug}-{long_number(board, number)}"

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site, or the employer's."""
        return (
            made.apply_url
            or f"{board.url}jobs/companies/{short(made.company.name)}/{self.id_of(board, made)}"
        )

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list, and where it goes on."""
        number = ask.skip // 100 + 1
        after = f"{board.url}api/job-board-api?page={number + 1}" if ask.skip + 100 < total else None
        links = {"first": f"{board.url}api/job-board-api?page=1", "last": None, "prev": None, "next": after}
        return '{"data":[', f'],"links":{as_json(links)},"meta":{{"current_page":{number},"per_page":100}}}}'

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        return {
            "slug": self.id_of(board, made),
            "company_name": made.company.name,
            "title": made.title,
            "description": described(made),
            "remote": made.workplace == "remote",
            "url": self.link(board, made),
            "tags": list(made.family.tags[:3]),
            "job_types": [SPACED[made.employment].lower()],
            "location": made.places[0].city,
            "created_at": int(made.published.timestamp()),
        }


class TheMuse(Site):
    """Jobs, twenty a page."""

    name = "themuse"
    origins = ("https://www.themuse.com",)
    routes = routes(r"(?:www\.themuse\.com)?/api/public/jobs")
    home = "https://www.themuse.com/jobs"
    page = 20

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """A page."""
        del what, document
        return Ask.page(max(whole(query.get("page"), 1, 100_000), 1) - 1, 20)

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return f"{board.url}/{short(made.company.name)}/{made.slug}-{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The page and how many there are."""
        del board
        head = {
            "page": ask.skip // 20 + 1,
            "page_count": max(1, -(-total // 20)),
            "items_per_page": 20,
            "total": total,
        }
        return as_json(head)[:-1] + ',"results":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        places = [where(place, 1) for place in made.places]
        if made.workplace == "remote":
            places.append("Flexible / Remote")
        return {
            "contents": described(made),
            "name": made.title,
            "type": "external",
            "publication_date": utc(made.published),
            "short_name": made.slug,
            "model_type": "jobs",
            "id": long_number(board, made.number),
            "locations": [{"name": place} for place in places],
            "categories": [{"name": made.family.department}],
            "levels": [{"name": "Mid Level", "short_name": "mid"}],
            "tags": [],
            "refs": {"landing_page": self.link(board, made)},
            "company": {
                "id": spread(made.key) % 100_000,
                "short_name": short(made.company.name),
                "name": made.company.name,
            },
        }


class WorkingNomads(Site):
    """Remote jobs in one answer; addresses are redirects to the employer."""

    name = "workingnomads"
    origins = ("https://www.workingnomads.com",)
    routes = routes(r"(?:www\.workingnomads\.com)?/api/exposed_jobs/?")
    home = "https://www.workingnomads.com/jobs"
    remote = True

    def link(self, board: Board, made: Opening) -> str:
        """A redirect."""
        return f"https://www.workingnomads.com/job/go/{self.id_of(board, made)}/"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        return {
            "url": self.link(board, made),
            "title": made.title,
            "description": described(made),
            "company_name": made.company.name,
            "category_name": made.family.department,
            "tags": ",".join(tag.lower() for tag in made.family.tags[:4]),
            "location": open_to(made),
            "pub_date": made.published.isoformat(timespec="seconds"),
        }


class UsaJobs(Site):
    """The search API, for those who send a key and their mail address."""

    name = "usajobs"
    origins = ("https://data.usajobs.gov",)
    routes = routes(r"(?:data\.usajobs\.gov)?/api/search")
    home = "https://www.usajobs.gov/search/results/"
    page = 250
    _PERIODS: Mapping[str, str] = {"year": "PA", "day": "PD", "hour": "PH"}

    def refusal(self, query: Mapping[str, str], headers: Mapping[str, str]) -> int:
        """Any key will do, but there must be one, and an address."""
        del query
        return 0 if headers.get("authorization-key") and "@" in headers.get("user-agent", "") else 401

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """A page."""
        del what, document
        size = whole(query.get("ResultsPerPage"), 25, 500)
        return Ask.page(max(whole(query.get("Page"), 1, 10_000), 1) - 1, size)

    def link(self, board: Board, made: Opening) -> str:
        """The job's page on the site."""
        return f"https://www.usajobs.gov/job/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The result within the result."""
        del board, ask
        head = (
            f'{{"LanguageCode":"EN","SearchParameters":{{}},"SearchResult":{{"SearchResultCountAll":{total},'
        )
        return f'{head}"SearchResultItems":[', "]}}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job."""
        del ask
        about, role, duties, needs, nice, *rest = made.sections
        pay = made.pay
        link = self.link(board, made).replace(".gov/", ".gov:443/")
        remuneration = []
        if pay is not None and pay.currency == "USD":
            remuneration = [
                {
                    "MinimumRange": f"{pay.minimum}.0",
                    "MaximumRange": f"{pay.maximum}.0",
                    "RateIntervalCode": self._PERIODS[pay.period],
                }
            ]
        return {
            "MatchedObjectId": self.id_of(board, made),
            "MatchedObjectDescriptor": {
                "PositionID": made.requisition,
                "PositionTitle": made.title,
                "PositionURI": link,
                "ApplyURI": [made.apply_url or link],
                "PositionLocationDisplay": where(made.places[0], 0),
                "PositionLocation": [
                    {
                        "LocationName": f"{place.city}, {place.region}" if place.region else place.city,
                        "CountryCode": place.country,
                        "CountrySubDivisionCode": place.region,
                        "CityName": place.city,
                    }
                    for place in made.places
                ],
                "OrganizationName": made.company.name,
                "DepartmentName": made.family.department,
                "JobCategory": [{"Name": made.family.team, "Code": "2210"}],
                "PositionSchedule": [{"Name": HYPHENED[made.employment], "Code": "1"}],
                "PositionOfferingType": [{"Name": "Permanent", "Code": "15317"}],
                "QualificationSummary": "\n".join((*needs.bullets, *nice.bullets)),
                "PositionRemuneration": remuneration,
                "PositionStartDate": made.published.isoformat(timespec="seconds"),
                "PublicationStartDate": made.published.isoformat(timespec="seconds"),
                "UserArea": {
                    "Details": {
                        "JobSummary": plain([about, role]),
                        "MajorDuties": duties.bullets,
                        "Education": plain(rest),
                        "RemoteIndicator": made.workplace == "remote",
                        "SecurityClearance": "Not Required",
                    }
                },
            },
        }


class Adzuna(Site):
    """The search API, for those who send an id and a key; texts end after five hundred letters."""

    name = "adzuna"
    origins = ("https://api.adzuna.com",)
    routes = routes(r"(?:api\.adzuna\.com)?/v1/api/jobs/us/search/(?P<what>\d+)")
    home = "https://www.adzuna.com/search"
    page = 50

    def refusal(self, query: Mapping[str, str], headers: Mapping[str, str]) -> int:
        """Any id and key will do, but there must be both."""
        del headers
        return 0 if query.get("app_id") and query.get("app_key") else 401

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """The page that the path names."""
        del document
        return Ask.page(max(int(what), 1) - 1, whole(query.get("results_per_page"), 10, 50))

    def link(self, board: Board, made: Opening) -> str:
        """A redirect to the employer."""
        return f"https://www.adzuna.com/land/ad/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and how many there are."""
        del board, ask
        return f'{{"count":{total},"results":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One job. A pay that is not stated is guessed, and said to be."""
        del ask
        stated = made.pay if made.pay and (made.pay.currency, made.pay.period) == ("USD", "year") else None
        low, high = made.family.pay
        place = made.places[0]
        return {
            "id": self.id_of(board, made),
            "title": made.title,
            "description": f"{plain(made.sections)[:499]}…",
            "created": utc(made.published),
            "redirect_url": f"{self.link(board, made)}?se=simulated",
            "salary_min": stated.minimum if stated else low * 1000,
            "salary_max": stated.maximum if stated else high * 1000,
            "salary_is_predicted": "0" if stated else "1",
            "contract_time": made.employment if made.employment.endswith("time") else None,
            "contract_type": made.employment if not made.employment.endswith("time") else None,
            "company": {"display_name": made.company.name},
            "category": {"label": made.family.department, "tag": short(made.family.department)},
            "location": {"display_name": where(place, 0), "area": [place.country, place.region, place.city]},
        }
