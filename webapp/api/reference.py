"""The API's description as people read it: operations with their examples, schemas, kinds of problems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from webapp.api.problems import KINDS, Kind

_REF = "#/components/schemas/"
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is: words, and the name of the schema that tells more, or empty."""

    words: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, where it is, what it is, whether it is needed, and what it means."""

    name: str
    where: str
    type: Type
    needed: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        id: Its name; `#op-NAME` is its anchor.
        method: The method.
        path: The path, with its parameters in braces.
        summary: What it does, in a sentence.
        about: More about it, or empty.
        scope: What a token needs, or empty where any will do.
        fields: What it takes in its path, address and headers.
        body: The schema of its body, or empty.
        curl: How it is called.
        answers: By status, what it answers with.
        problems: What it may refuse with.
    """

    id: str
    method: str
    path: str
    summary: str
    about: str
    scope: str
    fields: tuple[Field, ...]
    body: str
    curl: str
    answers: tuple[tuple[str, str, Type], ...]
    problems: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Operations about one thing: its name, what it is about, and they."""

    name: str
    about: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A form that something has: its name, what it is, its fields, or the values that it can have."""

    name: str
    about: str
    fields: tuple[Field, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All of it: what the API is, its groups, the schemas by name, and the kinds of problems."""

    about: str
    groups: tuple[Group, ...]
    schemas: dict[str, Schema]
    problems: tuple[Kind, ...]

    def group(self, name: str) -> Group | None:
        """The group of this name."""
        return next((each for each in self.groups if each.name == name), None)

    def used_by(self, group: Group) -> list[Schema]:
        """The schemas that a group's operations take and give, with those that they are made of, by name."""
        wanted = {
            name
            for operation in group.operations
            for name in (operation.body, *(type_.schema for _, _, type_ in operation.answers))
            if name
        }
        found: set[str] = set()
        while wanted:
            name = wanted.pop()
            found.add(name)
            wanted |= {field.type.schema for field in self.schemas[name].fields if field.type.schema} - found
        named = {each.type.schema for operation in group.operations for each in operation.fields}
        return [self.schemas[name] for name in sorted(found | (named - {""}))]


def read(document: dict[str, Any], address: str) -> Reference:
    """The reference that a description makes.

    Args:
        document: The description, as `document.document` gives it.
        address: Where this installation is, for the examples.
    """
    schemas: dict[str, Any] = document["components"]["schemas"]
    operations = [
        (operation["tags"][0], _operation(method, path, operation, document, address))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return Reference(
        about=document["info"]["description"],
        groups=tuple(
            Group(
                tag["name"],
                tag["description"],
                tuple(operation for name, operation in operations if name == tag["name"]),
            )
            for tag in document["tags"]
        ),
        schemas={name: _schema(name, schemas[name]) for name in schemas},
        problems=tuple(KINDS.values()),
    )


def _operation(
    method: str, path: str, told: dict[str, Any], document: dict[str, Any], address: str
) -> Operation:
    components = document["components"]
    parameters = [
        components["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in told.get("parameters", [])
    ]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        about=told.get("description", ""),
        scope=told["x-scope"],
        fields=tuple(
            Field(
                each["name"],
                each["in"],
                _type(each["schema"]),
                bool(each.get("required")),
                each.get("description", ""),
            )
            for each in parameters
        ),
        body=body.get("$ref", "").removeprefix(_REF),
        curl=_curl(
            method.upper(), path, parameters, _example(body, components["schemas"]) if body else None, address
        ),
        answers=tuple(
            (status, _status_words(status, each), _answer(each))
            for status, each in told["responses"].items()
            if "$ref" not in each
        ),
        problems=tuple(KINDS[name] for name in told["x-problems"]),
    )


def _status_words(status: str, answer: dict[str, Any]) -> str:
    return str(answer.get("description") or status)


def _answer(answer: dict[str, Any]) -> Type:
    content = answer.get("content", {})
    if not content:
        return Type("no body")
    if set(content) == {"application/json"}:
        return _type(content["application/json"]["schema"])
    return Type(", ".join(content))


def _schema(name: str, told: dict[str, Any]) -> Schema:
    needed = set(told.get("required", ()))
    return Schema(
        name,
        told.get("description", ""),
        tuple(
            Field(field, "", _type(each), field in needed, each.get("description", ""))
            for field, each in told.get("properties", {}).items()
        ),
        tuple(str(each) for each in told.get("enum", ())),
    )


def _type(told: dict[str, Any]) -> Type:
    if "$ref" in told:
        name = str(told["$ref"]).removeprefix(_REF)
        return Type(name, name)
    if "anyOf" in told:
        others = [_type(each) for each in told["anyOf"] if each.get("type") != "null"]
        words = " or ".join(each.words for each in others)
        null = " or null" if any(each.get("type") == "null" for each in told["anyOf"]) else ""
        return Type(words + null, next((each.schema for each in others if each.schema), ""))
    choices = [told["const"]] if "const" in told else told.get("enum", ())
    if choices:
        return Type(" or ".join(f"“{each}”" for each in choices))
    return _plain(told)


def _plain(told: dict[str, Any]) -> Type:
    match told.get("type"):
        case "array":
            inner = _type(told.get("items", {}))
            return Type(f"list of {inner.words}", inner.schema)
        case "object":
            inner = _type(cast("dict[str, Any]", told.get("additionalProperties") or {}))
            return Type(f"object of {inner.words}" if inner.words != "anything" else "object", inner.schema)
        case "string":
            return Type(f"text ({told['format']})" if "format" in told else "text")
        case "integer" | "number" as kind:
            return Type(f"{'whole ' if kind == 'integer' else ''}number{_bounds(told)}")
        case "boolean":
            return Type("true or false")
        case _:
            return Type("anything")


def _bounds(told: dict[str, Any]) -> str:
    least, most = told.get("minimum"), told.get("maximum")
    if least is None or most is None or most >= 2**31 - 1:
        return ""
    return f", {least:g} to {most:g}"


def _example(told: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:  # noqa: PLR0911 - likewise
    if "$ref" in told:
        return _example(schemas[told["$ref"].removeprefix(_REF)], schemas, depth)
    for key in ("examples", "enum"):
        if told.get(key):
            return told[key][0]
    if "const" in told:
        return told["const"]
    if "anyOf" in told:
        return _example(told["anyOf"][0], schemas, depth)
    match told.get("type"):
        case "object":
            needed = told.get("required", ())
            shown = {
                name: each
                for name, each in told.get("properties", {}).items()
                if name in needed or "examples" in each
            }
            return {name: _example(each, schemas, depth + 1) for name, each in shown.items()}
        case "array":
            return [_example(told["items"], schemas, depth + 1)] if depth < _DEEPEST else []
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return "text"


def _curl(method: str, path: str, parameters: list[dict[str, Any]], body: Any, address: str) -> str:
    query = []
    for each in parameters:
        example = next(iter(each["schema"].get("examples", ())), None)
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(1 if example is None else example))
        elif each["in"] == "query" and example is not None:
            query.append("  --data-urlencode " + _quoted(f"{each['name']}={example}"))
    lines = [
        f"curl {'--get ' if query else ''}{_method(method)}{address}{path}",
        '  -H "Authorization: Bearer $TOKEN"',
    ]
    lines += query
    if body is not None:
        lines.append(f"  --json {_quoted(json.dumps(body, ensure_ascii=False))}")
    return " \\\n".join(lines)


def _method(method: str) -> str:
    return "" if method == "GET" else f"-X {method} "


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
