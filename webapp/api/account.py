"""The account: signed-in browsers, tokens, and what was done."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AwareDatetime, Field

from scout import audit, clock, devices, sessions, tokens
from scout.models import ApiToken, AuditEvent
from scout.tokens import LONGEST_NAME, Scope
from webapp.api import answers, cursors, shapes
from webapp.api.caller import caller
from webapp.api.operation import Resource
from webapp.api.shapes import Asked, Given, Taken
from webapp.parts import parts
from webapp.sessions import browser_session

api = Resource("account", "The account: signed-in browsers, tokens, and what was done.")


class Me(Given):
    """Who asks."""

    caller: str = Field(
        description="`token` and its prefix, or `session` and a name.", examples=["token k3v9x2m1"]
    )
    scopes: list[Scope]


@api.operation("GET", "/me", scope=None, answer=Me)
def get_me() -> Response:
    """Read who asks, and what that may do. Any token may."""
    return answers.say({"caller": caller().name, "scopes": sorted(caller().scopes)})


# --- Signed-in browsers -----------------------------------------------------------------------------------


class Session(Given):
    """A signed-in browser."""

    handle: str = Field(description="What it is called here; no secret.")
    device: str = Field(examples=["Firefox on Linux"])
    address: str = Field(description="Where it signed in from.")
    created_at: shapes.Time
    last_seen_at: shapes.Time
    expires_at: shapes.Time
    this: bool = Field(description="Whether it is the browser that asks.")


class Sessions(Given):
    """The signed-in browsers, the last used first."""

    items: list[Session]


@api.operation("GET", "/sessions", scope=Scope.ACCOUNT, answer=Sessions)
def list_sessions() -> Response:
    """List the browsers that are signed in."""
    token = browser_session().token
    with parts().database.reading() as db:
        items = [
            {
                "handle": sessions.handle(each),
                "device": devices.told(each.browser),
                "address": each.address,
                "created_at": clock.iso(each.created_at),
                "last_seen_at": clock.iso(each.last_seen_at),
                "expires_at": clock.iso(each.expires_at),
                "this": sessions.is_of(each, token),
            }
            for each in sessions.living(db)
        ]
    return answers.say({"items": items})


class HandlePath(Asked):
    """A signed-in browser."""

    handle: str = Field(min_length=1, max_length=64, description="Its handle.")


@api.operation(
    "DELETE",
    "/sessions/<handle>",
    scope=Scope.ACCOUNT,
    answer=None,
    status=204,
    refuses=("not-found",),
    does="Signed a browser out",
)
def end_session(path: HandlePath) -> Response:
    """Sign a browser out."""
    with parts().database.session() as db:
        ended = sessions.end_one(db, path.handle)
    if sessions.is_of(ended, browser_session().token):
        browser_session().end()
    return answers.nothing()


class Ended(Given):
    """How many browsers were signed out."""

    ended: int


@api.operation(
    "POST", "/sessions/end", scope=Scope.ACCOUNT, answer=Ended, does="Signed all other browsers out"
)
def end_other_sessions() -> Response:
    """Sign all browsers out, but for the one that asks."""
    with parts().database.session() as db:
        return answers.say({"ended": sessions.end_all(db, keep=browser_session().token)})


# --- Tokens -----------------------------------------------------------------------------------------------


class Token(Given):
    """A token of the API. Its text is told once, when it is made."""

    prefix: str = Field(description="What it is called here; no secret.", examples=["k3v9x2m1"])
    name: str
    scopes: list[Scope]
    state: Literal["valid", "revoked", "expired"]
    created_at: shapes.Time
    last_used_at: shapes.Time | None
    expires_at: shapes.Time | None
    revoked_at: shapes.Time | None


class Tokens(Given):
    """Tokens, valid ones first, the newest first."""

    items: list[Token]


def _token(each: ApiToken) -> dict[str, Any]:
    return {
        "prefix": each.prefix,
        "name": each.name,
        "scopes": list(each.scopes),
        "state": tokens.state_of(each),
        "created_at": clock.iso(each.created_at),
        "last_used_at": clock.iso(each.last_used_at),
        "expires_at": clock.iso(each.expires_at),
        "revoked_at": clock.iso(each.revoked_at),
    }


@api.operation("GET", "/tokens", scope=Scope.ACCOUNT, answer=Tokens)
def list_tokens() -> Response:
    """List the tokens, and when each was used last. Those that ended stay for 90 days."""
    with parts().database.reading() as db:
        return answers.say({"items": [_token(each) for each in tokens.every(db)]})


class NewToken(Taken):
    """A token to make."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="Such as where it is used.",
                      examples=["backup script"])  # fmt: skip
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] = Field(
        description="What it may do. Who may write may read the same."
    )
    expires_at: AwareDatetime | None = Field(None, description="When it ends; null is when it is revoked.")


class MadeToken(Token):
    """A token that was made."""

    token: str = Field(description="Its text, which is kept nowhere here: it is told only now.")


@api.operation(
    "POST",
    "/tokens",
    scope=Scope.ACCOUNT,
    answer=MadeToken,
    status=201,
    refuses=("unusable",),
    keeps_answer=False,
    does="Made an API token",
)
def create_token(body: NewToken) -> Response:
    """Make a token. Its text is in the answer, and nowhere afterwards."""
    expires_at: dt.datetime | None = body.expires_at
    with parts().database.session() as db:
        token, text = tokens.create(db, body.name, body.scopes, expires_at)
        told = _token(token)
    return answers.created({**told, "token": text}, "/api/v1/tokens")


class PrefixPath(Asked):
    """A token."""

    prefix: str = Field(min_length=1, max_length=16, description="Its prefix.")


@api.operation(
    "DELETE",
    "/tokens/<prefix>",
    scope=Scope.ACCOUNT,
    answer=None,
    status=204,
    refuses=("not-found",),
    does="Revoked an API token",
)
def revoke_token(path: PrefixPath) -> Response:
    """End a token at once, and for good."""
    with parts().database.session() as db:
        tokens.revoke(db, path.prefix)
    return answers.nothing()


# --- What was done ----------------------------------------------------------------------------------------


class Done(Given):
    """Something that was done."""

    id: int
    at: shapes.Time
    action: str = Field(description="A name for programs.", examples=["jobs.change_status"])
    words: str = Field(examples=["Moved a job"])
    subject: str = Field(description="What it was done to, or empty.")
    by: str = Field(examples=["token: backup script"])
    address: str
    times: int = Field(description="How often, where the same is told in sums.")


class ListedDone(shapes.OnwardPage):
    """What was done, the newest first."""

    items: list[Done]
    total: int


class AskedDone(shapes.Onward):
    """Which of it."""

    q: str = Field("", max_length=100, description="Words that all occur in it.")
    who: Literal["", "browser", "token", "command", "nobody"] = Field(
        "", description="By whom; empty is all."
    )


def _done(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": clock.iso(event.at),
        "action": event.action,
        "words": event.words,
        "subject": event.subject,
        "by": event.by,
        "address": event.address,
        "times": event.times,
    }


@api.operation("GET", "/audit", scope=Scope.ACCOUNT, answer=ListedDone)
def list_audit(query: AskedDone) -> Response:
    """List what was done, when, by whom and from where."""
    before = cursors.place(query.after)
    with parts().database.reading() as db:
        found = audit.find(
            db,
            audit.AuditQuery(text=query.q, who=query.who, before=before, per_page=query.limit + 1),
        )
        page, more = cursors.cut(found.events, query.limit)
        items = [_done(each) for each in page]
    return answers.onward(items, after=page[-1].id if more else None, total=found.total)
