"""Lever's Postings API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.kinds.kind import Ask, Board, Kind, routes, whole
from demo.kinds.wording import HYPHENED, html, items, pay_sentence, plain, uuid, where
from demo.openings import Opening, mix


class Lever(Kind):
    """A list in pages of any size; each posting by its id too. There is no name of the company."""

    name = "lever"
    origins = ("https://api.lever.co",)
    routes = routes(r"(?:api\.lever\.co)?/v0/postings/(?P<token>[^/]+)(?:/(?P<job>[^/]+))?/?")
    page = 100

    def board(self, token: str, company: str) -> Board:
        """A site at jobs.lever.co."""
        return Board(self.name, token, company, f"https://jobs.lever.co/{token}")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """From `skip` on, `limit` of them."""
        del what, document
        limit = whole(query["limit"], 0, 100_000) if "limit" in query else None
        return Ask(skip=whole(query.get("skip"), 0, 1_000_000), limit=limit)

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A UUID."""
        del board, slug
        return uuid(mix(key, number))

    def link(self, board: Board, made: Opening) -> str:
        """The posting's page."""
        return f"https://jobs.lever.co/{board.token}/{self.id_of(board, made)}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One posting. `createdAt` is in milliseconds."""
        del ask
        country = made.places[0].country
        style = len(board.token) % 3
        places = [
            f"{country} - {place.city}" if style == 1 else where(place, 1 if style else 0)
            for place in made.places
        ]
        if made.workplace == "remote" and style == 2:  # noqa: PLR2004 - one of the three styles
            places = [f"{place} - Remote" for place in places]
        about, role, duties, needs, nice, how, offers, process, equal = made.sections
        page = self.link(board, made)
        posting: dict[str, Any] = {
            "additionalPlain": plain([how, process, equal]),
            "additional": html([how, process, equal]),
            "categories": {
                "commitment": HYPHENED[made.employment],
                "department": made.family.department,
                "location": places[0],
                "team": made.family.team,
                "allLocations": places,
            },
            "createdAt": int(made.published.timestamp() * 1000) + made.key % 1000,
            "descriptionPlain": plain([about, role]),
            "description": f"<div>{html([about, role])}</div>",
            "id": self.id_of(board, made),
            "lists": [
                {"text": part.heading, "content": items(part.bullets)}
                for part in (duties, needs, nice, offers)
            ],
            "text": made.title,
            "country": made.places[0].code if made.key % 7 else None,
            "workplaceType": made.workplace if made.workplace != "onsite" else "on-site",
            "opening": f"<div>{html([about])}</div>",
            "openingPlain": plain([about]),
            "descriptionBody": f"<div>{html([role])}</div>",
            "descriptionBodyPlain": plain([role]),
            "hostedUrl": page,
            "applyUrl": f"{page}/apply",
        }
        if made.pay is not None:
            interval = {"year": "per-year-salary", "day": "per-day-wage", "hour": "per-hour-wage"}
            sentence = pay_sentence(made)
            posting |= {
                "salaryRange": {
                    "currency": made.pay.currency,
                    "interval": interval[made.pay.period],
                    "min": made.pay.minimum,
                    "max": made.pay.maximum,
                },
                "salaryDescription": f"<div>{sentence}</div>",
                "salaryDescriptionPlain": sentence,
            }
        return posting
