"""Employers' own sites: pages with schema.org's JobPosting, maps of such pages, and JSON of their own."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from demo.kinds.kind import HTML, JSON, XML, Ask, Board, Kind, as_json, routes
from demo.kinds.wording import HYPHENED, html, json_ld, text, where
from demo.openings import Opening

_DOMAIN = "jobs-demo.example"
_HOST = r"(?P<token>[^./]+)\.jobs-demo\.example"


class OwnSite(Kind):
    """What they share: a host of the employer's own, and pages of openings on it."""

    origins = (f"https://*.{_DOMAIN}",)

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """The opening's page."""
        del slug
        return f"https://{board.token}.{_DOMAIN}/jobs/{self.asked_by(board, key, number)}"

    def asked_by(self, board: Board, key: int, number: int) -> str:
        """The number in the page's address."""
        del board
        return f"{number}-{key & 0xFFFF:04x}"

    def link(self, board: Board, made: Opening) -> str:
        """The opening's page."""
        return f"https://{board.token}.{_DOMAIN}/jobs/{self.asked_by(board, made.key, made.number)}"


def _script(told: object) -> str:
    """JSON-LD in a page, with nothing in it that would end the script."""
    return '<script type="application/ld+json">' + as_json(told).replace("</", "<\\/") + "</script>"


class JobPostingPage(OwnSite):
    """One page with all openings in a graph of JSON-LD."""

    name = "jobposting"
    routes = routes(rf"{_HOST}/openings")
    content_type = HTML

    def board(self, token: str, company: str) -> Board:
        """The page."""
        return Board(self.name, token, company, f"https://{token}.{_DOMAIN}/openings")

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The page around the openings."""
        del ask, total
        named = escape(board.company)
        return (
            f"<!doctype html><html><head><title>Work at {named}</title>"
            '<script type="application/ld+json">{"@context":"https://schema.org/","@graph":['
        ), f"]}}</script></head><body><h1>Work at {named}</h1></body></html>"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One opening."""
        del ask
        return as_json(json_ld(made, self.link(board, made))).replace("</", "<\\/")


class Sitemap(OwnSite):
    """A map of pages, and each of them with the JSON-LD of one opening; a robots file besides."""

    name = "sitemap"
    routes = routes(
        rf"{_HOST}/(?:sitemap-jobs\.xml|(?P<what>robots)\.txt)",
        rf"{_HOST}/jobs/(?P<job>[^/]+)",
    )
    between = ""
    detailed = True

    def board(self, token: str, company: str) -> Board:
        """The map."""
        return Board(self.name, token, company, f"https://{token}.{_DOMAIN}/sitemap-jobs.xml")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """The map, a page, or the robots file."""
        del query, document
        return Ask(what, limit=0 if what else None)

    def type_of(self, board: Board, ask: Ask) -> str:
        """Of the map, a page, or the robots file."""
        del board
        return "text/plain; charset=utf-8" if ask.what else HTML if ask.job else XML

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The map around its pages."""
        del board, total
        if ask.what:
            return "User-agent: *\nDisallow: /private/\n", ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        ), "</urlset>\n"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One page of the map."""
        del ask
        changed = made.updated.isoformat(timespec="seconds")
        return f"<url><loc>{self.link(board, made)}</loc><lastmod>{changed}</lastmod></url>\n"

    def alone(self, board: Board, made: Opening) -> str:
        """One page."""
        told = json_ld(made, self.link(board, made))
        return (
            f"<!doctype html><html><head><title>{text(made.title)}</title>{_script(told)}</head>"
            f"<body><h1>{text(made.title)}</h1>{html(made.sections)}</body></html>"
        )


class Mapped(OwnSite):
    """JSON in a form of the employer's own, which a file describes to its reader."""

    name = "mapped"
    routes = routes(rf"{_HOST}/api/openings")
    content_type = JSON

    def board(self, token: str, company: str) -> Board:
        """The list."""
        return Board(self.name, token, company, f"https://{token}.{_DOMAIN}/api/openings")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A number."""
        del slug
        return self.asked_by(board, key, number)

    @staticmethod
    def described(board: Board) -> dict[str, Any]:
        """What the file says of the list."""
        return {
            "url": board.url,
            "list": "data.openings",
            "company": board.company,
            "fields": {
                "id": "ref",
                "title": "attributes.headline",
                "url": f"https://{board.token}.{_DOMAIN}/jobs/{{ref}}",
                "location": "offices.label",
                "remote": "attributes.workplace",
                "description": "attributes.body",
                "employment_type": "attributes.hours",
                "department": "attributes.unit",
                "requisition_id": "attributes.requisition",
                "posted_at": "attributes.since",
                "tags": "attributes.topics",
                "salary_min": "pay.from",
                "salary_max": "pay.to",
                "salary_currency": "pay.in",
                "salary_period": "pay.per",
            },
        }

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list within the answer."""
        del board, ask
        return f'{{"count":{total},"data":{{"openings":[', "]}}"

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One opening."""
        del ask
        pay = made.pay
        return {
            "ref": self.id_of(board, made),
            "attributes": {
                "headline": made.title,
                "workplace": made.workplace,
                "body": html(made.sections),
                "hours": HYPHENED[made.employment],
                "unit": made.family.department,
                "requisition": made.requisition,
                "since": made.published.isoformat(timespec="seconds"),
                "topics": ", ".join(made.family.tags[:3]),
            },
            "offices": [{"label": where(place)} for place in made.places],
            "pay": {"from": pay.minimum, "to": pay.maximum, "in": pay.currency, "per": pay.period}
            if pay
            else None,
        }
