"""The API's own description: OpenAPI 3.1, made from the code when it is first asked for."""

from __future__ import annotations

import importlib.metadata
from typing import Any, cast

from flask import Response, current_app
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.models.tag import Tag
from flask_openapi.openapi import OpenAPI

from webapp.api import answers
from webapp.api.operation import KEY, OPERATIONS, Declared, Resource
from webapp.api.problems import KINDS, MEDIA_TYPE
from webapp.api.shapes import Problem

VERSION = "3.1.0"
_ABOUT = (
    "Everything that the pages do, for programs. Requests carry a token of the account page as"
    " `Authorization: Bearer`, or the session of a browser that is signed in. Bodies are JSON. Errors are"
    " problem details (RFC 9457). Other sites' scripts may not call it: there is no CORS."
)
#: Kinds of problems that any operation answers with.
_ALWAYS = ("not-signed-in", "missing-scope", "invalid", "too-many-requests", "fault", "unavailable")

api = Resource("about", "What the API is.")


def new_app(import_name: str, **options: Any) -> OpenAPI:
    """A Flask application that gathers the operations registered with it."""
    app = OpenAPI(
        import_name,
        info=Info(title="IAM Job Scout", version="1.0.0", description=_ABOUT),
        security_schemes={
            "token": SecurityScheme(
                type="http", scheme="bearer", bearerFormat="scout_<prefix>_<secret>",
                description="A token of the account page, with the scopes that it needs.",
            ),
            "session": SecurityScheme.model_validate(
                {"type": "apiKey", "in": "cookie", "name": "scout_session",
                 "description": "A browser that is signed in."}
            ),
            "csrf": SecurityScheme.model_validate(
                {"type": "apiKey", "in": "header", "name": "X-CSRFToken",
                 "description": "The session's CSRF token, for writes."}
            ),
        },
        validation_error_model=Problem,
        doc_ui=False,
        **options,
    )  # fmt: skip
    app.openapi_version = VERSION
    return app


def document() -> dict[str, Any]:
    """The whole description."""
    app = cast("OpenAPI", current_app)
    if "scout_api_document" not in app.extensions:
        app.extensions["scout_api_document"] = _completed(app.api_doc)
    return cast("dict[str, Any]", app.extensions["scout_api_document"])


def _completed(told: dict[str, Any]) -> dict[str, Any]:
    """What flask-openapi gathered, with what all operations have in common said once, by reference."""
    told["info"]["x-program-version"] = importlib.metadata.version("iam-job-scout")
    components = told["components"]
    components["responses"] = {name: _problem(name) for name in KINDS}
    components["parameters"] = {"idempotency_key": _IDEMPOTENCY_KEY, "if_match": _IF_MATCH}
    for path, item in told["paths"].items():
        for operation in item.values():
            _complete(
                operation,
                OPERATIONS[operation["operationId"]],
                reads=item.get("get") is operation,
                named="{" in path,
            )
    return told


def _complete(operation: dict[str, Any], declared: Declared, *, reads: bool, named: bool) -> None:
    operation.pop("deprecated", None)
    if "description" in operation:
        operation["description"] = operation["description"].replace("<br/>", "\n").strip()
    parameters = operation.setdefault("parameters", [])
    refuses = [*_ALWAYS, *declared.refuses]
    if named and "not-found" not in refuses:
        refuses.append("not-found")  # what the path names cannot be there
    if declared.scope is None and reads:
        refuses.remove("missing-scope")
    if declared.replays:
        parameters.append({"$ref": "#/components/parameters/idempotency_key"})
        refuses += ["still-running", "malformed"]
    if declared.matches:
        parameters.append({"$ref": "#/components/parameters/if_match"})
        refuses.append("changed-meanwhile")
    if "requestBody" in operation:
        refuses += ["malformed", "too-large", "not-json"]
    if not parameters:
        del operation["parameters"]
    session = [] if reads else ["csrf"]
    operation["security"] = [
        {"token": [str(declared.scope)] if declared.scope else []},
        {"session": [], **{each: [] for each in session}},
    ]
    said = {status: each for status, each in operation["responses"].items() if int(status) < 400}  # noqa: PLR2004 - errors are told by kind
    if reads:
        said["304"] = {"description": "Nothing changed since the `ETag` that `If-None-Match` names."}
        said["200"]["headers"] = {"ETag": {"description": "Of the very bytes.", "schema": {"type": "string"}}}
    for code in sorted({KINDS[name].status for name in refuses}):
        first = next(name for name in refuses if KINDS[name].status == code)
        said[str(code)] = {"$ref": f"#/components/responses/{first}"}
    operation["responses"] = said
    operation["x-problems"] = sorted(set(refuses), key=list(KINDS).index)
    operation["x-scope"] = str(declared.scope) if declared.scope else ""


def _problem(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    example = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": kind.meaning}
    return {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


_IDEMPOTENCY_KEY = {
    "name": KEY, "in": "header", "required": False,
    "description": "A name that you give this one request, such as a UUID. Sent again with it within a day,"
    " the request is not done twice: it gets the answer of the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}  # fmt: skip
_IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False,
    "description": "The ETag of the job as it was read, or its `version` in quotes. Its status changed since,"
    " nothing is done. A scan that touches the job changes no status.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}(\\.[0-9a-f]+)?"$'},
    "example": '"3"',
}  # fmt: skip


_DOCUMENT = {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}}


@api.operation("GET", "/openapi.json", scope=None, answer=_DOCUMENT)
def get_openapi() -> Response:
    """Read this description, for programs that make clients of it."""
    return answers.say(document())


def tags() -> list[Tag]:
    """The groups of operations, in their order."""
    return cast("OpenAPI", current_app).tags
