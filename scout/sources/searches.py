"""What sites that gather many companies' jobs share: a board is a search there, read page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode

from scout.fetch import Answer, Door
from scout.normalise import line
from scout.postings import Remote
from scout.sources.answers import ask, remember
from scout.sources.board import Board, Kind, Page, Validators

#: The token of a board that is not narrowed by anything.
ALL = "all"
#: A narrowing longer than this, in characters, is no search but an attempt at something.
_LONGEST = 100
#: Characters of a token; the database keeps somewhat more.
_LONGEST_TOKEN = 400


def board(kind: Kind, page: str, narrowed: Mapping[str, str]) -> Board:
    """The board that a search is.

    Args:
        kind: The site.
        page: The site's public page.
        narrowed: What the search is narrowed by, by the names of the site's API; empty values say nothing.
    """
    kept = {name: text for name, value in sorted(narrowed.items()) if (text := line(value, _LONGEST))}
    while len(urlencode(kept)) > _LONGEST_TOKEN:
        name, text = kept.popitem()
        if len(text) > 1:
            kept[name] = text[: len(text) // 2]
    token = urlencode(kept) or ALL
    words = ", ".join(kept.values())
    return Board(
        kind=kind.name,
        token=token,
        url=f"{page}?{token}" if kept else page,
        title=f"{kind.title}: {words}" if words else kind.title,
    )


def narrowed(url: SplitResult, names: Mapping[str, str]) -> dict[str, str]:
    """What a site's URL narrows its search by: `names` brings the names in its query to those of the API."""
    return {names[name]: value for name, value in parse_qsl(url.query) if name in names}


def query(token: str) -> dict[str, str]:
    """What a board is narrowed by, out of its token."""
    return {} if token == ALL else dict(parse_qsl(token))


def paged(
    door: Door,
    validators: Validators,
    *,
    address: Callable[[int], str],
    parse: Callable[[Answer], tuple[Page, bool]],
    most: int,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Page]:
    """Read a search page by page, the newest first, to its end or to `most` pages.

    Such a search is not expected to be read whole: what lies past the last page read is older, and absence
    from it means nothing.

    Args:
        door: The way out.
        validators: Of last time. They are kept for a search of one page only: of several, one may change and
            not the first.
        address: The address of the page with this number, from 0.
        parse: Makes a page of an answer, and tells whether another one follows.
        most: How many pages are read at most.
        headers: To send besides the usual ones.

    Raises:
        NotModified: It is what it was.
        FetchError: A page could not be had, or is no listing.
    """
    seen: set[str] = set()
    for number in range(most):
        url = address(number)
        answer = ask(door, url, validators if number == 0 else Validators(), headers=headers)
        page, more = parse(answer)
        fresh = tuple(each for each in page.postings if each.source_job_id not in seen)
        seen.update(each.source_job_id for each in fresh)
        if number == 0 and not more:
            remember(validators, url, answer)
        yield Page(postings=fresh, unparsed=page.unparsed)
        # A server that does not know of pages gives the same one for ever.
        if not more or (page.postings and not fresh):
            return


def remote_only(site: str, found: tuple[Remote, str]) -> tuple[Remote, str]:
    """Where the work is done, for a site of remote jobs only: remote, unless the posting says else."""
    if found[0] is Remote.UNKNOWN:
        return Remote.REMOTE, f"{site} lists remote jobs only"
    return found


_SITE = re.compile(r"(?:www\.|api\.)")


def host(url: SplitResult) -> str:
    """A URL's host without `www.` or `api.` in front."""
    return _SITE.sub("", url.hostname or "", count=1)
