"""What every operation of the API has in common: who may call it, what it takes, and that it is done once."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from scout import replays
from scout.errors import ScoutError
from scout.tokens import Scope
from webapp.api import problems
from webapp.api.caller import caller, needs
from webapp.api.problems import Problem
from webapp.parts import parts

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
View = Callable[..., Response]

#: The header that makes a repeated request harmless, and the most characters of it.
KEY = "Idempotency-Key"
_LONGEST_KEY = 255
_FORM = re.compile(rf"[!-~]{{1,{_LONGEST_KEY}}}")
_ERRORS_FROM = 500
#: In place of a status, where an answer held a secret and was not kept.
_SECRET = 0


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of an operation, besides what flask-openapi reads from its function.

    Attributes:
        scope: What a token needs to call it; None where any will do.
        endpoint: Flask's name of it.
        does: What it does in words for the list of what was done, or empty where it changes nothing.
        refuses: Names of kinds of problems that it answers with, besides those of every operation.
        matches: Whether it takes `If-Match` with the job's version.
        replays: Whether it takes an `Idempotency-Key`.
        keeps_answer: Whether a replay gives the first answer again. One with a secret in it is not kept.
    """

    scope: Scope | None
    endpoint: str
    does: str
    refuses: tuple[str, ...]
    matches: bool
    replays: bool
    keeps_answer: bool


#: All operations by their ids.
OPERATIONS: dict[str, Declared] = {}


def done(endpoint: str | None) -> str:
    """What the operation with Flask's name `endpoint` does, in words; empty where it changes nothing."""
    return next((each.does for each in OPERATIONS.values() if each.endpoint == endpoint), "")


class Resource(APIBlueprint):
    """A group of operations about one thing."""

    def __init__(self, name: str, about: str) -> None:
        super().__init__(
            f"api_{name}",
            __name__,
            url_prefix="/api/v1",
            abp_tags=[Tag(name=name, description=about)],
            operation_id_callback=_operation_id,
        )

    def operation(
        self,
        method: Method,
        rule: str,
        *,
        scope: Scope | None,
        answer: type[BaseModel] | dict[str, Any] | None,
        status: int = 200,
        refuses: tuple[str, ...] = (),
        matches: bool = False,
        keeps_answer: bool = True,
        does: str = "",
    ) -> Callable[[View], View]:
        """Declare a function as an operation. Its name is the operation's id, its docstring the words on it.

        It takes what its arguments `path`, `query` and `body` are annotated with, checked: a body in
        pydantic's strict mode, and nothing with a field that does not exist.

        Args:
            method: The method.
            rule: The route below /api/v1, as Flask has it.
            scope: What a token needs; None where any will do.
            answer: The model of the answer; a response of OpenAPI where it is no JSON; None for no body.
            status: The status of the answer.
            refuses: Names of `problems.KINDS` that it answers with, besides those of every operation.
            matches: Whether `If-Match` is looked at.
            keeps_answer: Whether a request with the same key gets the same answer again.
            does: What it does, in words for the list of what was done; empty where it changes nothing.
        """

        def declare(view: View) -> View:
            declared = Declared(
                scope=scope,
                endpoint=f"{self.name}.{view.__name__}",
                does=does,
                refuses=refuses,
                matches=matches,
                replays=method == "POST",
                keeps_answer=keeps_answer,
            )
            OPERATIONS[view.__name__] = declared
            register: Callable[..., Callable[[View], View]] = getattr(self, method.lower())
            register(rule, responses={status: answer})(_guarded(view, declared))
            return view

        return declare


def _operation_id(*, name: str, path: str, method: str) -> str:
    del path, method
    return name


def _guarded(view: View, declared: Declared) -> View:
    models = {
        name: model
        for name, model in get_type_hints(view).items()
        if name in {"path", "query", "body"} and issubclass(model, BaseModel)
    }
    readers = {"path": _path, "query": _query, "body": _body}

    @functools.wraps(view)
    def guarded(**values: Any) -> Response:
        if declared.scope is not None:
            needs(declared.scope)
        taken = {name: readers[name](model, values) for name, model in models.items()}
        if "query" not in models and request.args:
            raise _unknown(next(iter(request.args)))
        if declared.replays and KEY in request.headers:
            return _once(lambda: view(**taken), keeps_answer=declared.keeps_answer)
        return view(**taken)

    # flask-openapi would decode a JSON string twice, take a repeated field's first value in silence, and make
    # the schema of the query anew for each request. It leaves the reading to views that say so.
    guarded.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return guarded


def _path(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError:
        raise Problem("not-found") from None


def _query(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    del values
    said: dict[str, Any] = {}
    for name, each in request.args.lists():
        field = model.model_fields.get(name)
        if field is None:
            raise _unknown(name)
        if _takes_many(field.annotation):
            said[name] = each
        elif len(each) == 1:
            said[name] = each[0]
        else:
            raise _wrong("query", name, "This is said more than once.")
    try:
        return model.model_validate(said)
    except ValidationError as error:
        raise problems.invalid(error.errors(), "query") from None


def _takes_many(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) in {tuple, list}


def _unknown(name: str) -> Problem:
    return _wrong("query", name, "There is no such field.")


def _wrong(where: str, name: str, detail: str) -> Problem:
    pointer = f"/{name[:100].replace('~', '~0').replace('/', '~1')}"
    return Problem("invalid", errors=[{"in": where, "pointer": pointer, "detail": detail}])


def _body(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    del values
    if request.mimetype != "application/json":
        raise Problem("not-json")
    try:
        return model.model_validate_json(request.get_data(cache=True))
    except ValidationError as error:
        raise problems.invalid(error.errors(), "body") from None


def _once(act: Callable[[], Response], *, keeps_answer: bool) -> Response:
    key = request.headers[KEY]
    if not _FORM.fullmatch(key):
        raise Problem(
            "malformed", f"An {KEY} has 1 to {_LONGEST_KEY} printable ASCII characters, and no space."
        )
    if len(key) > 2 and key[0] == key[-1] == '"':  # noqa: PLR2004 - the draft's form, with something in quotes
        key = key[1:-1]
    database, who = parts().database, caller().name
    asked = b"\n".join(
        [request.method.encode(), request.full_path.encode(), request.mimetype.encode(), request.get_data()]
    )
    before = replays.begin(database, who, key, hashlib.sha256(asked).hexdigest())
    if before is not None and before.status is not None:
        return _again(before.status, before.headers, before.body)
    try:
        answer = _carried_out(act)
    except BaseException:
        replays.forget(database, who, key)
        raise
    if answer.status_code >= _ERRORS_FROM:
        replays.forget(database, who, key)
    elif keeps_answer:
        kept = {name: value for name, value in answer.headers if name in {"Content-Type", "ETag", "Location"}}
        replays.finish(
            database, who, key, status=answer.status_code, headers=kept, body=answer.get_data(as_text=True)
        )
    else:
        replays.finish(database, who, key, status=_SECRET, headers={}, body="")
    return answer


def _carried_out(act: Callable[[], Response]) -> Response:
    """The answer, also where it is a refusal: sent again, the request is refused again."""
    try:
        return act()
    except ScoutError as error:
        return problems.answer(problems.of_scout(error))
    except HTTPException as error:
        return problems.answer(error)


def _again(status: int, headers: Mapping[str, str], body: str) -> Response:
    if status == _SECRET:
        raise Problem(
            "conflict",
            "This was done already, and its answer held a secret that is not kept. Look at what is there.",
        )
    answer = Response(body, status, dict(headers))
    answer.headers["Idempotent-Replayed"] = "true"
    return answer
