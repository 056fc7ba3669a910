"""Hacker News' monthly thread "Who is hiring?", by the search that Algolia offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.kinds.gathering import Site
from demo.kinds.kind import Ask, Board, as_json, long_number, routes, whole
from demo.kinds.wording import HYPHENED, text, utc
from demo.openings import Opening

_STORY = 40_000_001


class HackerNews(Site):
    """One thread; each comment at its top is an employer's, its first line tells of one opening."""

    name = "hackernews"
    origins = ("https://hn.algolia.com",)
    routes = routes(r"(?:hn\.algolia\.com)?/api/v1/search_by_date")
    tokens = ("whoishiring",)
    home = "https://news.ycombinator.com/submitted?id=whoishiring"
    page = 1000

    def ask(self, what: str, query: Mapping[str, str], document: Mapping[str, Any]) -> Ask:
        """The threads, or a page of the comments."""
        del what, document
        if query.get("tags", "").startswith("story"):
            return Ask("threads", limit=0)
        return Ask.page(whole(query.get("page"), 0, 1000), whole(query.get("hitsPerPage"), 20, 1000))

    def link(self, board: Board, made: Opening) -> str:
        """The comment."""
        return f"https://news.ycombinator.com/item?id={self.id_of(board, made)}"

    def frame(self, board: Board, ask: Ask, total: int) -> tuple[str, str]:
        """The hits of a search; a search for threads finds one."""
        del board
        size = ask.limit or 20
        counts = {
            "nbHits": total,
            "page": ask.skip // size,
            "nbPages": -(-total // size),
            "hitsPerPage": size,
        }
        tail = f"],{as_json(counts)[1:]}"
        if ask.what != "threads":
            return '{"hits":[', tail
        thread = {
            "_tags": ["story", "author_whoishiring", f"story_{_STORY}"],
            "author": "whoishiring",
            "created_at": "2026-01-01T15:00:00Z",
            "created_at_i": 1_767_279_600,
            "num_comments": total,
            "objectID": str(_STORY),
            "story_id": _STORY,
            "title": "Ask HN: Who is hiring? (simulated)",
        }
        return '{"hits":[' + as_json(thread), tail

    def fields(self, board: Board, made: Opening, ask: Ask) -> Any:
        """One comment."""
        del ask
        workplace = {"remote": f"REMOTE ({made.region})", "hybrid": "HYBRID", "onsite": "ONSITE"}
        line = [made.company.name, made.title, made.places[0].city, workplace[made.workplace]]
        line.append(HYPHENED[made.employment])
        if made.pay is not None:
            line.append(made.pay.text)
        about, role, duties, needs = made.sections[:4]
        paragraphs = [
            " | ".join(line),
            *about.paragraphs,
            *role.paragraphs,
            " ".join(f"{each}." for each in duties.bullets),
            " ".join(f"{each}." for each in needs.bullets),
            f"Apply at {made.apply_url or 'our site'}",
        ]
        return {
            "_tags": ["comment", f"story_{_STORY}"],
            "author": f"poster-{long_number(board, made.number) % 997}",
            "comment_text": "<p>".join(text(words) for words in paragraphs),
            "created_at": utc(made.published),
            "created_at_i": int(made.published.timestamp()),
            "objectID": self.id_of(board, made),
            "parent_id": _STORY,
            "story_id": _STORY,
            "story_title": "Ask HN: Who is hiring? (simulated)",
        }
