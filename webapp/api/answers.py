"""What the API answers: JSON, with an ETag where it was read, and links to the pages around."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

#: Where the API begins.
PREFIX = "/api/v1/"


def as_json(told: Any) -> bytes:
    """JSON without a space too many."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def say(
    told: Any, status: int = 200, *, version: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with a body.

    What was read carries a strong ETag: a digest of the very bytes, with the version in front where there is
    one (`"3.9f0c..."`). Asked again with it, and with nothing changed, the answer is 304 without a body.

    Args:
        told: What to say, as data for JSON.
        status: The status.
        version: Of a job, what `If-Match` is compared with.
        headers: More headers.
    """
    body = as_json(told)
    answer = Response(body, status, headers, content_type="application/json")
    reads = request.method in {"GET", "HEAD"}
    if reads or version is not None:
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        answer.set_etag(digest if version is None else f"{version}.{digest}")
    if reads:
        answer.make_conditional(request)
    return answer


def created(told: Any, at: str, *, version: int | None = None) -> Response:
    """The answer to what made something, and where that is."""
    return say(told, 201, version=version, headers={"Location": at})


def nothing() -> Response:
    """The answer to what has nothing to say."""
    return Response(status=204)


def page(
    items: Sequence[Any], *, next_: Mapping[str, str] | None, previous: Mapping[str, str] | None, **more: Any
) -> Response:
    """A page of a list: its items, and the addresses of the pages around it, in `Link` too (RFC 8288).

    Args:
        items: What is on it.
        next_: What to ask with for the page after it, besides what was asked with; None at the end.
        previous: Likewise for the page before it.
        more: More that the page says of itself.
    """
    around = {"next": _with(next_), "previous": _with(previous)}
    return _linked(
        say({"items": list(items), **more, **around}), next=around["next"], prev=around["previous"]
    )


def onward(items: Sequence[Any], *, after: int | str | None, **more: Any) -> Response:
    """A page of a list that is read from its beginning.

    Args:
        items: What is on it.
        after: What names the place after its last item; None at the end of the list.
        more: More that the page says of itself.
    """
    address = _with(None if after is None else {"after": str(after)})
    return _linked(say({"items": list(items), **more, "next": address}), next=address)


def _linked(answer: Response, **around: str | None) -> Response:
    links = [f'<{address}>; rel="{rel}"' for rel, address in around.items() if address]
    if links:
        answer.headers["Link"] = ", ".join(links)
    return answer


def _with(changes: Mapping[str, str] | None) -> str | None:
    if changes is None:
        return None
    kept: Iterable[tuple[str, str]] = (
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in {"after", "before", *changes}
    )
    return f"{request.path}?{urlencode([*kept, *changes.items()])}"
