"""Employers' boards that give everything in one answer, texts included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from demo.kinds.kind import HTML, XML, Ask, Board, Kind, as_json, long_number, routes, several, whole
from demo.kinds.wording import CAPITALS, HYPHENED, content, html, json_ld, millis, uuid, where
from demo.openings import Opening
from demo.words import Place


class Workable(Kind):
    """The widget's list. A posting of several places is listed once for each."""

    name = "workable"
    origins = ("https://apply.workable.com",)
    routes = routes(r"(?:apply\.workable\.com)?/api/v1/widget/accounts/(?P<token>[^/]+)")

    def board(self, token: str, company: str) -> Board:
        """A company at apply.workable.com."""
        return Board(self.name, token, company, f"https://apply.workable.com/{token}/")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """Ten digits of base sixteen."""
        del key, slug
        return f"{long_number(board, number):010X}"

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"https://apply.workable.com/j/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The company and its list."""
        del ask, total
        return f'{{"name":{as_json(board.company)},"description":null,"jobs":[', "]}"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """An item for each place."""
        del ask
        link = self.link(board, made)
        return several(
            [
                as_json(
                    {
                        "title": made.title,
                        "shortcode": self.id_of(board, made),
                        "code": made.requisition,
                        "employment_type": HYPHENED[made.employment],
                        "telecommuting": made.workplace == "remote",
                        "department": made.family.department,
                        "url": link,
                        "shortlink": link,
                        "application_url": f"{link}/apply",
                        "published_on": made.published.date().isoformat(),
                        "created_at": made.published.date().isoformat(),
                        "country": place.country,
                        "city": place.city,
                        "state": place.region,
                        "education": "",
                        "experience": "Mid-Senior level",
                        "function": made.family.team,
                        "industry": "",
                        "locations": [
                            {
                                "country": place.country,
                                "countryCode": place.code,
                                "city": place.city,
                                "region": place.region,
                                "hidden": False,
                            }
                        ],
                        "description": html(made.sections),
                    }
                )
                for place in made.places
            ]
        )


class Recruitee(Kind):
    """The Careers Site API: amounts of money are text, the description comes in two parts."""

    name = "recruitee"
    origins = ("https://*.recruitee.com",)
    routes = routes(r"(?P<token>[^./]+)\.recruitee\.com/api/offers/?")
    _TYPES: Mapping[str, str] = {
        "full_time": "fulltime_permanent",
        "part_time": "parttime_permanent",
        "contract": "contract",
        "internship": "internship",
    }

    def board(self, token: str, company: str) -> Board:
        """A site at COMPANY.recruitee.com."""
        return Board(self.name, token, company, f"https://{token}.recruitee.com/")

    def link(self, board: Board, made: Opening) -> str:
        """The offer's page."""
        return f"https://{board.token}.recruitee.com/o/{made.slug}-{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list."""
        del board, ask, total
        return '{"offers":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One offer."""
        del ask
        link, first, pay = self.link(board, made), made.places[0], made.pay
        stamp = made.published.strftime("%Y-%m-%d %H:%M:%S UTC")
        return {
            "id": long_number(board, made.number),
            "position": made.number,
            "title": made.title,
            "careers_url": link,
            "careers_apply_url": f"{link}/c/new",
            "location": where(first),
            "city": first.city,
            "state_name": first.region,
            "state_code": first.short,
            "country": first.country,
            "country_code": first.code,
            "department": made.family.department,
            "description": html(made.sections[:3]),
            "requirements": html(made.sections[3:]),
            "created_at": stamp,
            "published_at": stamp,
            "updated_at": made.updated.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "employment_type_code": self._TYPES[made.employment],
            "remote": made.workplace == "remote",
            "on_site": made.workplace == "onsite",
            "hybrid": made.workplace == "hybrid",
            "salary": {
                "min": str(pay.minimum) if pay else None,
                "max": str(pay.maximum) if pay else None,
                "period": pay.period if pay else None,
                "currency": pay.currency if pay else None,
            },
            "company_name": made.company.name,
            "slug": f"{made.slug}-{self.id_of(board, made)}",
            "tags": list(made.family.tags[:3]),
            "locations": [
                {
                    "id": long_number(board, number),
                    "name": place.city,
                    "city": place.city,
                    "state": place.region,
                    "state_code": place.short,
                    "country": place.country,
                    "country_code": place.code,
                    "note": None,
                }
                for number, place in enumerate(made.places)
            ],
            "status": "published",
        }


class Breezy(Kind):
    """A bare list, with texts when `verbose=true`."""

    name = "breezy"
    origins = ("https://*.breezy.hr",)
    routes = routes(r"(?P<token>[^./]+)\.breezy\.hr/json/?")
    _TYPES: Mapping[str, str] = {
        "full_time": "fullTime",
        "part_time": "partTime",
        "contract": "contract",
        "internship": "other",
    }

    def board(self, token: str, company: str) -> Board:
        """A company at COMPANY.breezy.hr."""
        return Board(self.name, token, company, f"https://{token}.breezy.hr/")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """Texts come on request."""
        del what, document
        return Ask(full=query.get("verbose") == "true")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """Twelve digits of base sixteen."""
        del key, slug
        return f"{long_number(board, number):012x}"

    def link(self, board: Board, made: Opening) -> str:
        """The position's page."""
        return f"https://{board.token}.breezy.hr/p/{self.id_of(board, made)}-{made.slug}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One position."""
        remote = made.workplace == "remote"
        places = [self._place(place, remote=remote) for place in made.places]
        position = {
            "id": self.id_of(board, made),
            "friendly_id": f"{self.id_of(board, made)}-{made.slug}",
            "name": made.title,
            "url": self.link(board, made),
            "published_date": millis(made.published),
            "type": {"id": self._TYPES[made.employment], "name": CAPITALS[made.employment]},
            "location": places[0] | {"primary": True},
            "locations": places,
            "department": made.family.department,
            "salary": made.pay.text if made.pay else "",
            "company": {
                "name": made.company.name,
                "logo_url": None,
                "friendly_id": board.token,
                "isMultipleLocationsEnabled": len(places) > 1,
            },
        }
        return position | {"description": html(made.sections)} if ask.full else position

    @staticmethod
    def _place(place: Place, *, remote: bool) -> dict[str, Any]:
        return {
            "country": {"name": place.country, "id": place.code},
            "state": {"id": place.short or place.code, "name": place.region},
            "city": place.city,
            "primary": False,
            "is_remote": remote,
            "name": where(place, 1),
        }


class Pinpoint(Kind):
    """A list with headed parts of the text, and one place for each posting."""

    name = "pinpoint"
    origins = ("https://*.pinpointhq.com",)
    routes = routes(r"(?P<token>[^./]+)\.pinpointhq\.com/postings\.json")

    def board(self, token: str, company: str) -> Board:
        """A site at COMPANY.pinpointhq.com."""
        return Board(self.name, token, company, f"https://{token}.pinpointhq.com/")

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"https://{board.token}.pinpointhq.com/en/postings/{uuid(made.key, made.number)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list."""
        del board, ask, total
        return '{"data":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting."""
        del ask
        about, role, duties, needs, nice, how, offers, process, equal = made.sections
        pay, place = made.pay, made.places[0]
        link = self.link(board, made)
        return {
            "id": self.id_of(board, made),
            "title": made.title,
            "url": link,
            "path": link.partition(".com")[2],
            "description": html([about, role]),
            "key_responsibilities_header": duties.heading,
            "key_responsibilities": content(duties),
            "skills_knowledge_expertise_header": needs.heading,
            "skills_knowledge_expertise": content(needs) + html([nice]),
            "benefits_header": offers.heading,
            "benefits": content(offers) + html([how, process, equal]),
            "compensation": pay.text if pay else "",
            "compensation_minimum": float(pay.minimum) if pay else None,
            "compensation_maximum": float(pay.maximum) if pay else None,
            "compensation_currency": pay.currency if pay else None,
            "compensation_frequency": pay.period if pay else None,
            "compensation_visible": pay is not None,
            "deadline_at": None,
            "employment_type": made.employment,
            "employment_type_text": HYPHENED[made.employment],
            "reporting_to": "",
            "workplace_type": made.workplace,
            "workplace_type_text": made.workplace.title(),
            "job": {
                "id": self.id_of(board, made),
                "requisition_id": made.requisition,
                "department": {"id": "1", "name": made.family.department},
                "division": {"id": "1", "name": made.company.name},
            },
            "location": {
                "id": "1",
                "city": place.city,
                "name": place.city,
                "postal_code": "",
                "province": place.region,
                "country": place.country,
            },
        }


class Teamtailor(Kind):
    """A JSON Feed (https://www.jsonfeed.org/version/1.1/) with schema.org's JobPosting in each entry."""

    name = "teamtailor"
    origins = ("https://*.teamtailor.com",)
    routes = routes(r"(?P<token>[^./]+)\.teamtailor\.com/jobs\.json")
    page = 100
    content_type = "application/feed+json; charset=utf-8"

    def board(self, token: str, company: str) -> Board:
        """A site at COMPANY.teamtailor.com."""
        return Board(self.name, token, company, f"https://{token}.teamtailor.com/jobs")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """A page of the feed."""
        del what, document
        return Ask.page(max(whole(query.get("page"), 1, 10_000), 1) - 1, 100)

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A UUID."""
        del board, slug
        return uuid(key, number)

    def link(self, board: Board, made: Opening) -> str:
        """The job's page."""
        return f"https://{board.token}.teamtailor.com/jobs/{long_number(board, made.number)}-{made.slug}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The feed, and where it goes on."""
        home = f"https://{board.token}.teamtailor.com/jobs"
        head = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": board.company,
            "home_page_url": home,
            "feed_url": f"{home}.json",
        }
        after = ask.skip + (ask.limit or total)
        if after < total:
            head["next_url"] = f"{home}.json?page={after // 100 + 1}"
        return as_json(head)[:-1] + ',"items":[', "]}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One entry."""
        del ask
        link = self.link(board, made)
        return {
            "id": self.id_of(board, made),
            "title": made.title,
            "url": link,
            "date_published": made.published.isoformat(timespec="seconds"),
            "content_html": html(made.sections),
            "_jobposting": json_ld(made, link),
        }


class Comeet(Kind):
    """A company's page, whose script holds all its positions."""

    name = "comeet"
    origins = ("https://www.comeet.com",)
    routes = routes(r"(?:www\.comeet\.com)?/jobs/(?P<token>[^/]+)/12\.345")
    content_type = HTML

    def board(self, token: str, company: str) -> Board:
        """A company at www.comeet.com/jobs."""
        return Board(self.name, token, company, f"https://www.comeet.com/jobs/{token}/12.345")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """Two numbers of base sixteen."""
        del key, slug
        digits = f"{long_number(board, number):09X}"
        return f"{digits[:5]}.{digits[5:]}"

    def link(self, board: Board, made: Opening) -> str:
        """The position's page."""
        return f"{board.url}/{made.slug}/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The page around the positions."""
        del ask, total
        head = (
            f"<!doctype html><html><head><title>Jobs at {escape(board.company)}</title></head><body><script>"
        )
        return f"{head}\n  COMPANY_POSITIONS_DATA = [", "];\n</script></body></html>"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One position, with nothing in it that would end the script."""
        return as_json(self.fields(board, made, ask)).replace("</", "<\\/")

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One position."""
        del ask
        place = made.places[0]
        return {
            "uid": self.id_of(board, made),
            "name": made.title,
            "department": made.family.department,
            "location": {
                "name": where(place, 1),
                "country": place.code,
                "city": place.city,
                "state": place.region,
                "is_remote": made.workplace != "onsite",
            },
            "url_comeet_hosted_page": self.link(board, made),
            "url_active_page": self.link(board, made),
            "employment_type": HYPHENED[made.employment],
            "experience_level": None,
            "internal_use_custom_id": made.requisition,
            "email": None,
            "is_internal": False,
            "company_name": made.company.name,
            "workplace_type": {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site"}[made.workplace],
            "time_updated": millis(made.published),
            "details": [
                {"name": part.heading, "value": content(part), "order": order}
                for order, part in enumerate(made.sections, 1)
            ],
        }


class Personio(Kind):
    """A feed of XML."""

    name = "personio"
    origins = ("https://*.jobs.personio.de",)
    routes = routes(r"(?P<token>[^./]+)\.jobs\.personio\.de/xml")
    content_type = XML
    between = ""

    def board(self, token: str, company: str) -> Board:
        """A company at COMPANY.jobs.personio.de."""
        return Board(self.name, token, company, f"https://{token}.jobs.personio.de/")

    def link(self, board: Board, made: Opening) -> str:
        """The position's page."""
        return f"{board.url}job/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The feed around the positions."""
        del board, ask, total
        return '<?xml version="1.0" encoding="UTF-8"?>\n\n<workzag-jobs>\n', "\n</workzag-jobs>\n"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One position."""
        del ask
        employment = "intern" if made.employment == "internship" else "permanent"
        if made.employment == "contract":
            employment = "freelance contract"
        return "".join(("<position>", *self._elements(board, made, employment), "</position>\n"))

    def _elements(self, board: Board, made: Opening, employment: str) -> Iterator[str]:
        schedule = "part-time" if made.employment == "part_time" else "full-time"
        for name, words in (
            ("id", self.id_of(board, made)),
            ("subcompany", made.company.name),
            ("office", made.places[0].city),
            ("department", made.family.department),
            ("recruitingCategory", made.family.team),
            ("name", made.title),
            ("employmentType", employment),
            ("seniority", "experienced"),
            ("schedule", schedule),
            ("yearsOfExperience", "2-5"),
            ("createdAt", made.published.isoformat(timespec="seconds")),
        ):
            yield f"<{name}>{escape(words, quote=False)}</{name}>"
        others = "".join(f"<office>{escape(place.city)}</office>" for place in made.places[1:])
        yield f"<additionalOffices>{others}</additionalOffices>"
        yield "<jobDescriptions>"
        for part in made.sections:
            named = f"<name>{escape(part.heading, quote=False)}</name>"
            yield f"<jobDescription>{named}<value><![CDATA[{content(part)}]]></value></jobDescription>"
        yield "</jobDescriptions>"
        if made.pay is not None:
            yield (
                f"<salaryInformation><min>{made.pay.minimum}</min><max>{made.pay.maximum}</max>"
                f"<currencyCode>{made.pay.currency}</currencyCode><type>{made.pay.period}</type>"
                "</salaryInformation>"
            )
