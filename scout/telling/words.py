"""What a message says: the best matches first, so many, and how many more there are; as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from scout.html import legible
from scout.models import Job
from scout.postings import Remote

#: Jobs that a message shows; the others are counted.
SHOWN = 20
_REASONS = 4
_LONGEST_LINE = 300
_REMOTE = {Remote.REMOTE: "remote", Remote.HYBRID: "hybrid", Remote.ONSITE: "on site", Remote.UNKNOWN: ""}


@dataclass(frozen=True, slots=True)
class Item:
    """A job as a message or feed names it. Every text is one line, without characters nobody can see.

    Attributes:
        title: `IAM Engineer, Acme`.
        facts: Lines: place and pay; the score and what it comes from.
        page: Address of the job's page here.
        posting: Address of the posting, or empty where the board gave none that a browser may be sent to.
    """

    title: str
    facts: tuple[str, ...]
    page: str
    posting: str


def item(job: Job, pages: str) -> Item:
    """A job as messages and feeds name it.

    Args:
        job: The job.
        pages: The address of the pages, without a slash at its end.
    """
    where = "; ".join(str(place) for place in job.locations)
    pay = str((job.salary or {}).get("raw") or "")
    reasons = ", ".join(f"{each['term']} ({each['where']})" for each in job.reasons[:_REASONS])
    facts = (
        " · ".join(filter(None, (where, _REMOTE[job.remote], pay))),
        f"Score {job.score}: {reasons}" if reasons else f"Score {job.score}",
    )
    return Item(
        title=line(", ".join(filter(None, (job.title, job.company)))),
        facts=tuple(line(fact) for fact in facts if fact),
        page=f"{pages}/jobs/{job.id}",
        posting=_outward(job.url),
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to tell.

    Attributes:
        search: The name of the search.
        items: What it found, best first.
        pages: The address of the pages.
        lead: A line above all others; empty for none.
        headline: The message in one line, where it tells of something else than new jobs; else empty.
    """

    search: str
    items: Sequence[Item]
    pages: str
    lead: str = ""
    headline: str = ""

    @property
    def subject(self) -> str:
        """The message in one line."""
        if self.headline:
            return line(self.headline)
        count = len(self.items)
        if count == 1:
            return f"{line(self.search)}: {self.items[0].title}"
        return f"{line(self.search)}: {count or 'no'} new jobs"

    def text(self, most: int = SHOWN) -> str:
        """The message as plain text, with at most so many jobs."""
        parts = [self.lead] if self.lead else []
        for each in self.items[:most]:
            links = [each.page, *([each.posting] if each.posting else [])]
            parts.append("\n".join((each.title, *each.facts, *links)))
        if len(self.items) > most:
            parts.append(f"and {len(self.items) - most} more: {self.pages}/")
        return "\n\n".join(parts) + "\n"

    def html(self, most: int = SHOWN) -> str:
        """The same as HTML: no pictures, no styles, nothing loaded from anywhere."""
        parts = [f"<p>{escape(self.lead)}</p>"] if self.lead else []
        parts.append("<ul>")
        for each in self.items[:most]:
            facts = "".join(f"<br>{escape(fact)}" for fact in each.facts)
            posting = f'<br><a href="{escape(each.posting)}">The posting</a>' if each.posting else ""
            head = f'<a href="{escape(each.page)}"><b>{escape(each.title)}</b></a>'
            parts.append(f"<li>{head}{facts}{posting}</li>")
        parts.append("</ul>")
        if len(self.items) > most:
            more = len(self.items) - most
            parts.append(f'<p>and <a href="{escape(self.pages)}/">{more} more</a></p>')
        return "\n".join(parts) + "\n"

    def fitting(self, room: int, *, html: bool = False) -> str:
        """The message with as many jobs as a channel has room for, in characters."""
        write = self.html if html else self.text
        for most in (SHOWN, SHOWN // 2, SHOWN // 4, 3, 2, 1):
            body = write(most)
            if len(body) <= room:
                return body
        return self.subject[:room] if html or not self.items else self.text(1)[:room]


def line(text: str) -> str:
    """A text as one line that is not too long, without characters nobody can see."""
    return " ".join(legible(text).split())[:_LONGEST_LINE]


def _outward(address: str) -> str:
    # Boards write what they like into a link.
    address = "".join(legible(address).split())
    try:
        split = urlsplit(address)
    except ValueError:
        return ""
    return address if split.scheme in {"http", "https"} and split.netloc else ""
