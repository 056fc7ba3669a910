"""A program that calls the API with a token, and holds each answer against the API's own description."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, cast

import jsonschema_rs
from flask import Flask
from werkzeug.test import TestResponse

from scout import tokens
from scout.database import Database
from scout.tokens import Scope
from webapp.api.document import document


def make_token(db: Database, *scopes: str) -> str:
    with db.session() as session:
        return tokens.create(session, "test", scopes or tuple(Scope))[1]


class Program:
    """One program, from one address."""

    def __init__(self, app: Flask, token: str = "") -> None:
        self.app = app
        self.client = app.test_client(use_cookies=False)
        self.token = token

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> TestResponse:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.client.open(
            path if path.startswith("/") and "/api/" in path else f"/api/v1{path}",
            method=method,
            headers={**own, **(headers or {})},
            buffered=True,
            **options,
        )
        self.check(answer)
        return answer

    def get(self, path: str, /, *, headers: Mapping[str, str] | None = None, **query: Any) -> TestResponse:
        return self.ask("GET", path, headers=headers, **({"query_string": query} if query else {}))

    def send(
        self, method: str, path: str, body: Any = None, /, *, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        options = {} if body is None else {"json": body}
        return self.ask(method, path, headers=headers, **options)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def put(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.send("PUT", path, body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path: str) -> TestResponse:
        return self.send("DELETE", path)

    def check(self, answer: TestResponse) -> None:
        """See that an answer is one that the description names, to the last field."""
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", answer.text
            told = answer.get_json(force=True) if answer.request.method != "HEAD" else None
            if told is not None:
                assert told["status"] == answer.status_code
                assert "Traceback" not in answer.text
                wrong = _complies(self.app, {"$ref": "#/components/schemas/Problem"}, told)
                assert not wrong, wrong
            return
        operation = self.operation(answer)
        if operation is None or answer.request.method not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            return
        declared = operation["responses"][str(answer.status_code)]
        content = declared.get("content", {})
        if content:
            assert answer.mimetype in content
        if answer.mimetype == "application/json" and answer.data:
            schema = content["application/json"]["schema"]
            wrong = _complies(self.app, schema, json.loads(answer.data))
            assert not wrong, f"{answer.request.path}: {wrong}"

    def operation(self, answer: TestResponse) -> dict[str, Any] | None:
        with self.app.app_context():
            told = document()
        for path, item in told["paths"].items():
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), answer.request.path) and (
                operation := item.get(answer.request.method.lower())
            ):
                return cast("dict[str, Any]", operation)
        return None


@functools.cache
def _strict(app: Flask) -> dict[str, Any]:
    """The schemas, with each field that they do not name forbidden: what is told is what is described."""
    with app.app_context():
        schemas = json.loads(json.dumps(document()["components"]["schemas"]))
    for schema in schemas.values():
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return {"schemas": schemas}


def _complies(app: Flask, schema: dict[str, Any], told: Any) -> str:
    """What is wrong with it, or nothing."""
    whole = {**schema, "components": _strict(app)}
    error = next(jsonschema_rs.Draft202012Validator(whole).iter_errors(told), None)
    return "" if error is None else f"{error.message} at {error.instance_path}"
