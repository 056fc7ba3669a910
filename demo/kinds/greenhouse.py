"""Greenhouse's Job Board API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from html import escape
from typing import Any

from demo.kinds.kind import Ask, Board, Kind, as_json, long_number, routes, spread
from demo.kinds.wording import HYPHENED, html, pay_sentence, where
from demo.openings import Opening, mix

#: Greenhouse writes its times with the offset of the American east coast.
_EAST_COAST = dt.timezone(dt.timedelta(hours=-4))


class Greenhouse(Kind):
    """One list, with texts when `content=true`; each job by its number too."""

    name = "greenhouse"
    origins = ("https://boards-api.greenhouse.io",)
    routes = routes(
        r"(?:boards-api\.greenhouse\.io)?/v1/boards/(?P<token>[^/]+)(?:/jobs(?:/(?P<job>\d+))?)?/?"
    )

    def board(self, token: str, company: str) -> Board:
        """A board at boards.greenhouse.io."""
        return Board(self.name, token, company, f"https://boards.greenhouse.io/{token}")

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """Texts come on request."""
        del what, document
        return Ask(full=query.get("content") == "true")

    def link(self, board: Board, made: Opening) -> str:
        """The job's page."""
        return f"https://job-boards.greenhouse.io/{board.token}/jobs/{self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The list and its length."""
        del board, ask
        return '{"jobs":[', f'],"meta":{{"total":{total}}}}}'

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One job."""
        style = len(board.token) % 3
        if made.workplace == "remote":
            place = f"Remote ({made.places[0].code})" if style == 1 else f"Remote, {made.region}"
        else:
            place = (" | " if style else "; ").join(where(each, style) for each in made.places)
        job: dict[str, Any] = {
            "absolute_url": self.link(board, made),
            "data_compliance": [
                {
                    "type": "gdpr",
                    "requires_consent": False,
                    "requires_processing_consent": False,
                    "requires_retention_consent": False,
                    "retention_period": None,
                    "demographic_data_consent_applies": False,
                }
            ],
            # Several posts of one job, one a city, share this number.
            "internal_job_id": spread(made.key),
            "location": {"name": place},
            "metadata": _metadata(made, style, 4_000_000_000 + mix(*board.token.encode()) % 1_000_000),
            "id": long_number(board, made.number),
            "updated_at": _stamp(made.updated),
            "requisition_id": made.requisition,
            "title": made.title,
            # Now and then a name carries a space at its end, as it does on the real boards.
            "company_name": made.company.name + (" " if style == 0 else ""),
            "first_published": _stamp(made.published),
            "language": made.family.language,
            "application_deadline": None,
        }
        return as_json(job | _content(made) if ask.full or ask.job else job)


def _content(made: Opening) -> dict[str, Any]:
    intro = f'<div class="content-intro">{html(made.sections[:1], "h2")}</div>'
    text = [intro, html(made.sections[1:7], "h2")]
    if made.pay is not None:
        text.append(f'<div class="pay-transparency"><p>{pay_sentence(made)}</p></div>')
    text.append(html(made.sections[7:], "h2"))
    # An entity within the escaped text: readers who unescape once still find it.
    body = "\n".join(text).replace("What we offer</h2>", "What we&nbsp;offer</h2>")
    department = made.family.department
    return {
        "content": escape(body, quote=True),
        "departments": [
            {
                "id": 4_100_000_000 + mix(*department.encode()) % 1_000_000,
                "name": department,
                "child_ids": [],
                "parent_id": None,
            }
        ],
        "offices": [
            {
                "id": 4_200_000_000 + mix(*place.city.encode()) % 1_000_000,
                "name": place.city,
                "location": where(place, 2),
                "child_ids": [],
                "parent_id": None,
            }
            for place in made.places
        ],
    }


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(_EAST_COAST).isoformat(timespec="seconds")


def _metadata(made: Opening, style: int, first: int) -> list[dict[str, Any]] | None:
    """Custom fields, which some boards have, some fill with the pay, and some do without."""
    if style == 2:  # noqa: PLR2004 - one of the three styles
        return None
    workplace = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site"}[made.workplace]
    fields: list[tuple[str, Any, str]] = [
        ("Workplace Type", workplace, "single_select"),
        ("Employment Type", HYPHENED[made.employment], "single_select"),
    ]
    if style == 1:
        pay = made.pay and {
            "unit": made.pay.currency,
            "min_value": f"{made.pay.minimum}.0",
            "max_value": f"{made.pay.maximum}.0",
        }
        period = made.pay.period if made.pay else "year"
        fields.append((f"Salary Range (per {period})", pay, "currency_range"))
    return [
        {"id": first + number, "name": name, "value": value, "value_type": kind}
        for number, (name, value, kind) in enumerate(fields)
    ]
