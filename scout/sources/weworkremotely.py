"""We Work Remotely, a site of remote jobs.

It is read by its feeds: of all jobs, or of one category. They have fields of their own beside those of RSS,
and titles that begin with the company's name. Its pages refuse programs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult

from scout import normalise
from scout.fetch import Door
from scout.html import plain, sanitise
from scout.postings import Posting
from scout.sources import searches
from scout.sources.about import About
from scout.sources.answers import ask, gather, remember, required
from scout.sources.board import Board, Page, Validators
from scout.sources.feed import decoded, described, entries_of, identity

_CATEGORY = re.compile(r"/categories/([a-z0-9-]{1,80})")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}\\s*")


class WeWorkRemotely:
    """All jobs at weworkremotely.com, or those of a category."""

    name = "weworkremotely"
    title = "We Work Remotely"
    origins: tuple[str, ...] = ("https://weworkremotely.com",)
    interval = dt.timedelta(hours=1)
    attribution = "From We Work Remotely (weworkremotely.com)"
    terms = (
        "The feeds are offered for being read by programs; they ask for an hour between two readings "
        "(their ttl), and for the jobs' pages there to be linked."
    )
    complete = False
    about = About(
        gathers=True,
        fills=(
            "locations", "remote", "description_text", "employment_type", "department", "posted_at", "tags",
        ),
        searches=("category",),
    )  # fmt: skip

    def recognise(self, url: SplitResult) -> Board | None:
        """Any page of the site, a category's page, or the address of a feed."""
        if searches.host(url) != "weworkremotely.com":
            return None
        category = _CATEGORY.match(url.path)
        if category is None:
            return Board(
                kind=self.name, token=searches.ALL, url=f"{self.origins[0]}/remote-jobs", title=self.title
            )
        words = category[1].removeprefix("remote-").removesuffix("-jobs").replace("-", " ")
        return Board(
            kind=self.name,
            token=category[1],
            url=f"{self.origins[0]}/categories/{category[1]}",
            title=f"{self.title}: {words}",
        )

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """The feed's entries, in one answer."""
        path = "remote-jobs" if board.token == searches.ALL else f"categories/{board.token}"
        url = f"{self.origins[0]}/{path}.rss"
        answer = ask(door, url, validators, accept="application/rss+xml, application/xml;q=0.9")
        page = self._page(answer.body, url, answer.headers.get("content-type", ""))
        remember(validators, url, answer)
        yield page

    def parse(self, body: bytes, board: Board) -> Page:
        """The entries of a feed.

        Raises:
            FetchError: It is no feed.
        """
        del board
        return self._page(body, self.origins[0], "")

    def _page(self, body: bytes, address: str, content_type: str) -> Page:
        entries, _ = entries_of(decoded(body, content_type), address)
        shared = Counter(str(entry.get("id")) for entry in entries)
        return gather(entries, lambda entry: _posting(entry, shared))


def _posting(entry: Mapping[str, Any], shared: Counter[str]) -> Posting:
    # "Company: Title"; titles may hold further colons.
    company, colon, title = normalise.line(entry.get("title")).partition(": ")
    link = required(normalise.public_url(entry.get("link")), "link that can be followed")
    safe = sanitise(described(entry))
    text = plain(safe)
    places = normalise.locations(
        _FLAG.sub("", value) for name in ("region", "country") if isinstance(value := entry.get(name), str)
    )
    remote, evidence = searches.remote_only(
        WeWorkRemotely.title, normalise.remote(title=title, places=places, text=text)
    )
    skills = entry.get("skills")
    tags = (
        normalise.line(each.strip().removeprefix("and "), 80)
        for each in (skills.split(",") if isinstance(skills, str) else ())
    )
    return Posting(
        source_job_id=identity(entry, link, shared),
        title=required(title, "title after its company's name"),
        company=required(company if colon else "", "company before its title"),
        url=link,
        locations=places,
        remote=remote,
        remote_evidence=evidence,
        description_html=safe,
        description_text=text,
        employment_type=normalise.employment_type(entry.get("type")),
        department=normalise.line(entry.get("category"), 200),
        posted_at=normalise.when(entry.get("published")),
        tags=tuple(dict.fromkeys(each for each in tags if each)),
    )
