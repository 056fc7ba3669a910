"""A YAML file read strictly: every key known, every value of its kind, every complaint with its line.

PyYAML's own constructors guess types and forget lines, so we read the parsed nodes themselves. Scalars are
taken as they are written, as the real exporter's YAML reader does where a text is wanted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import yaml

from metrics.embedded import floats
from metrics.embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Value = TypeVar("Value")

_DURATION = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_YAML_INFINITY = re.compile(r"^([+-]?)\.inf$", re.IGNORECASE)
_TRUE = ("true", "yes", "on", "y")
_FALSE = ("false", "no", "off", "n")
_NULL = ("", "~", "null")


class Field:
    """A value in the file, and where it stands."""

    def __init__(self, node: yaml.Node, file: str, what: str) -> None:
        self._node = node
        self._file = file
        self._what = what

    def wrong(self, trouble: str) -> StartError:
        """An error that names the file and the line."""
        return StartError(f"{self._file}, line {self.line}: {trouble}.")

    @property
    def line(self) -> int:
        """The line it begins at, counted from 1."""
        return int(self._node.start_mark.line) + 1

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here."""
        return self._plain and str(self._node.value).lower() in _NULL

    @property
    def _plain(self) -> bool:
        return isinstance(self._node, yaml.ScalarNode) and not self._node.style

    def mapping(self, known: Sequence[str] | None = None) -> dict[str, Field]:
        """The fields by key; with `known`, any other key is an error."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.wrong(f"{self._what} must be a mapping of keys to values")
        fields: dict[str, Field] = {}
        for key_node, value_node in self._node.value:
            key = str(key_node.value)
            here = Field(key_node, self._file, self._what)
            if not isinstance(key_node, yaml.ScalarNode):
                raise here.wrong(f"a key in {self._what} must be a plain word")
            if known is not None and key not in known:
                raise here.wrong(f"{self._what} has no key {key!r}; it may have {', '.join(known)}")
            if key in fields:
                raise here.wrong(f"{self._what} has the key {key!r} twice")
            fields[key] = Field(value_node, self._file, f"{key!r}")
        return fields

    def sequence(self) -> list[Field]:
        """The items of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.wrong(f"{self._what} must be a list")
        return [Field(node, self._file, f"an item of {self._what}") for node in self._node.value]

    def text(self) -> str:
        """The value as it is written."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.wrong(f"{self._what} must be a text")
        return "" if self.is_null else str(self._node.value)

    def truth(self) -> bool:
        """A yes or a no."""
        word = self.text().lower()
        if self._plain and word in (*_TRUE, *_FALSE):
            return word in _TRUE
        raise self.wrong(f"{self._what} must be true or false, not {self.text()!r}")

    def number(self) -> float:
        """A number."""
        try:
            return floats.parse(_YAML_INFINITY.sub(r"\1inf", self.text()))
        except (ValueError, OverflowError):
            raise self.wrong(f"{self._what} must be a number, not {self.text()!r}") from None

    def whole_number(self) -> int:
        """A number of 0 or more without a fraction."""
        if self.text().isdecimal():
            return int(self.text())
        raise self.wrong(f"{self._what} must be a whole number, not {self.text()!r}")

    def seconds(self) -> float:
        """A duration in Go's way of writing, in seconds: `30s`, `1m30s`, `1.5h`; a bare `0` is none."""
        text = self.text()
        if text.strip("+-0") == "":
            return 0.0
        if not _DURATION.fullmatch(text):
            raise self.wrong(f"{self._what} must be a duration like 30s or 5m, not {text!r}")
        total = sum(float(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text))
        return -total if text.startswith("-") else total

    def choice(self, choices: Mapping[str, Value]) -> Value:
        """One of a few words."""
        word = self.text()
        if word in choices:
            return choices[word]
        raise self.wrong(f"{self._what} must be one of {', '.join(filter(None, choices))}, not {word!r}")


def read(text: str, file: str, what: str) -> Field | None:
    """The file's one document, or None for an empty file.

    Raises:
        StartError: The text is no YAML.
    """
    loader: Callable[[str], yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise StartError(f"{file}{line}: this is not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise StartError(f"{file}: this is not valid YAML: {error}.") from None
    return None if node is None else Field(node, file, what)
