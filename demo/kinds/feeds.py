"""Feeds: the one of We Work Remotely, and RSS and Atom of employers' own sites."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime
from html import escape

from demo.kinds.kind import ATOM, RSS, Ask, Board, Kind, routes
from demo.kinds.wording import CAPITALS, described, html, pay_sentence, text, uuid, where
from demo.openings import Opening


class WeWorkRemotely(Kind):
    """RSS with fields of its own: the title is `Company: Title`. One feed of all jobs, one of a category."""

    name = "weworkremotely"
    origins = ("https://weworkremotely.com",)
    routes = routes(r"(?:weworkremotely\.com)?/(?:categories/)?(?P<token>remote-[a-z-]*jobs)\.rss")
    tokens = ("remote-jobs", "remote-devops-sysadmin-jobs")
    remote = True
    slugged = True
    content_type = RSS
    between = ""

    def board(self, token: str, company: str) -> Board:
        """A feed."""
        path = token if token == "remote-jobs" else f"categories/{token}"  # noqa: S105 - a board's name
        return Board(self.name, token, company, f"https://weworkremotely.com/{path}.rss")

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """The job's page on the site."""
        del board
        return f"https://weworkremotely.com/remote-jobs/{slug}-{number:x}{key & 0xFFF:03x}"

    def link(self, board: Board, made: Opening) -> str:
        """Its id."""
        return self.id_of(board, made)

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The feed around its entries."""
        del ask, total
        return rss_head("Remote jobs of the simulated world", board.url), RSS_TAIL

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One entry: its description is escaped HTML."""
        del ask
        link = self.link(board, made)
        place = made.places[0]
        flag = "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in place.code)
        pay = pay_sentence(made)
        words = (
            f"<p>\n  <strong>Headquarters:</strong> {escape(place.city)}\n</p>\n\n{html(made.sections)}"
            + (f"\n<p>{pay}</p>" if pay else "")
        )
        anywhere = made.region == "Worldwide"
        region = "Anywhere in the World" if anywhere else place.region or place.country
        country = "" if anywhere else f"{flag} {place.country}"
        expires = made.published + dt.timedelta(days=30)
        return (
            "    <item>\n"
            f"      <title>{escape(f'{made.company.name}: {made.title}', quote=False)}</title>\n"
            f"      <region>{text(region)}</region>\n"
            f"      <country>{country}</country>\n"
            f"      <state>{text(place.short)}</state>\n"
            f"      <skills>{escape(', '.join(made.family.tags), quote=False)}</skills>\n"
            f"      <category>{escape(made.family.category, quote=False)}</category>\n"
            f"      <type>{CAPITALS[made.employment]}</type>\n"
            f"      <description>{escape(words)}</description>\n"
            f"      <pubDate>{format_datetime(made.published)}</pubDate>\n"
            f"      <expires_at>{format_datetime(expires)}</expires_at>\n"
            f"      <guid>{link}</guid>\n"
            f"      <link>{link}</link>\n"
            "    </item>\n"
        )


def rss_head(title: str, url: str) -> str:
    """What stands before the entries of a feed."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n  <channel>\n'
        f"    <title>{escape(title, quote=False)}</title>\n"
        f"    <link>{escape(url, quote=False)}</link>\n"
        "    <description>Invented openings of invented companies</description>\n"
        "    <language>en-US</language>\n    <ttl>60</ttl>\n"
    )


RSS_TAIL = "  </channel>\n</rss>\n"


class Feed(Kind):
    """The feed of an employer's own site: RSS of some, Atom of others, as the length of the name falls."""

    name = "feed"
    origins = ("https://*.jobs-demo.example",)
    routes = routes(r"(?P<token>[^./]+)\.jobs-demo\.example/feed/jobs\.(?:rss|atom)")
    between = ""

    def board(self, token: str, company: str) -> Board:
        """A feed at the employer's host."""
        ending = "atom" if len(token) % 2 else "rss"
        return Board(self.name, token, company, f"https://{token}.jobs-demo.example/feed/jobs.{ending}")

    def type_of(self, board: Board, ask: Ask) -> str:
        """That of its format."""
        del ask
        return ATOM if board.url.endswith("atom") else RSS

    def id(self, board: Board, key: int, number: int, slug: str) -> str:
        """A URN."""
        del board, slug
        return f"urn:uuid:{uuid(key, number)}"

    def link(self, board: Board, made: Opening) -> str:
        """The opening's page."""
        return f"https://{board.token}.jobs-demo.example/jobs/{made.slug}-{made.number}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The feed around its entries; its title is the employer's name."""
        del ask, total
        if not board.url.endswith("atom"):
            return rss_head(board.company, board.url), RSS_TAIL
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"  <title>{escape(board.company, quote=False)}</title>\n"
            f"  <id>{board.url}</id>\n  <updated>2026-01-01T00:00:00Z</updated>\n"
        ), "</feed>\n"

    def item(self, board: Board, made: Opening, ask: Ask) -> str:
        """One entry."""
        del ask
        title, words = escape(made.title, quote=False), escape(described(made))
        own = (
            f"<location>{escape(where(made.places[0]), quote=False)}</location>"
            f"<type>{CAPITALS[made.employment]}</type>"
            f"<department>{escape(made.family.department, quote=False)}</department>"
        )
        tags = [escape(tag, quote=True) for tag in made.family.tags[:3]]
        identity, link = self.id_of(board, made), self.link(board, made)
        if not board.url.endswith("atom"):
            categories = "".join(f"<category>{tag}</category>" for tag in tags)
            return (
                f"<item><title>{title}</title>{own}{categories}<description>{words}</description>"
                f"<pubDate>{format_datetime(made.published)}</pubDate>"
                f'<guid isPermaLink="false">{identity}</guid><link>{link}</link></item>\n'
            )
        categories = "".join(f'<category term="{tag}"/>' for tag in tags)
        return (
            f"<entry><title>{title}</title>{own}{categories}"
            f'<content type="html">{words}</content><published>{made.published.isoformat()}</published>'
            f"<updated>{made.published.isoformat()}</updated>"
            f'<id>{identity}</id><link rel="alternate" href="{link}"/></entry>\n'
        )
