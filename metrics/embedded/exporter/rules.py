"""The mapping file's rules, read and checked.

Keys, defaults and refusals are those of prometheus/statsd_exporter 0.31 (README, "Metric mapping and
configuration"; rules M1 to M10). Where the real program takes a file that it later breaks on, we refuse it:
label names that begin with `__`, buckets that do not rise.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.embedded.errors import StartError
from metrics.embedded.exporter import yamlfile
from metrics.embedded.exporter.globs import Globs
from metrics.embedded.exporter.templates import GlobTemplate, expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metrics.embedded.exporter.yamlfile import Field

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DEFAULT_QUANTILES = (0.5, 0.9, 0.99)
DEFAULT_MAX_AGE = 600.0

_CAPTURE = r"\$\{?[0-9]+\}?"
_MATCH = re.compile(r"(?:\*|[a-zA-Z_][a-zA-Z0-9_-]*)(?:\.\*|\.[a-zA-Z0-9_][a-zA-Z0-9_-]*)*")
_NAME = re.compile(rf"(?:[a-zA-Z_]|{_CAPTURE})(?:[a-zA-Z0-9_]|{_CAPTURE})*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]+")
#: What Python's regexes know and Go's do not: looking around, back references, atoms. And named classes, the
#: other way about.
FOREIGN = re.compile(r"\(\?(?:[=!>]|<[=!]|P=|\()|\\[1-9]|[*+?}]\+|\[\[:")

_OBSERVERS = {"histogram": "histogram", "summary": "summary", "": "summary"}
_MATCH_TYPES = {"glob": "glob", "regex": "regex", "": "glob"}
_ACTIONS = {"map": "map", "drop": "drop", "": "map"}
_KINDS = {"counter": "counter", "gauge": "gauge", "observer": "observer"}

_SUMMARY_KEYS = ("quantiles", "max_age", "age_buckets", "buf_cap")
_HISTOGRAM_KEYS = ("buckets", "native_histogram_bucket_factor", "native_histogram_max_buckets")
DEFAULT_KEYS = (
    "observer_type",
    "match_type",
    "glob_disable_ordering",
    "ttl",
    "summary_options",
    "histogram_options",
)
RULE_KEYS = (
    "match",
    "name",
    "labels",
    "honor_labels",
    "observer_type",
    "match_type",
    "help",
    "action",
    "match_metric_type",
    "ttl",
    "summary_options",
    "histogram_options",
    "scale",
)


class Defaults:
    """The `defaults` section."""

    __slots__ = ("buckets", "disable_ordering", "match_type", "max_age", "observer", "quantiles", "ttl")

    def __init__(self) -> None:
        self.observer = ""
        self.match_type = "glob"
        self.disable_ordering = False
        self.ttl = 0.0
        self.buckets: tuple[float, ...] = DEFAULT_BUCKETS
        self.quantiles: tuple[float, ...] = DEFAULT_QUANTILES
        self.max_age = DEFAULT_MAX_AGE


class Rule:
    """One entry of `mappings`.

    Attributes:
        match: The glob or regex as written.
        kind: `counter`, `gauge`, `observer`, or empty for all.
        drop: Whether what it matches is thrown away.
        help: The metric's help, or empty.
        honor_labels: Whether a tag of the event wins over the rule's label.
        observer: `histogram`, `summary`, or empty where neither the rule nor the defaults say.
        ttl: Seconds after which a series that nobody feeds is forgotten; 0 keeps it.
        scale: What values are multiplied by, or None.
        buckets: Upper bounds of the histogram.
        quantiles: The summary's quantiles.
        max_age: Seconds for which the summary remembers.
    """

    __slots__ = (
        "_label_templates",
        "_labels",
        "_name",
        "_name_template",
        "buckets",
        "drop",
        "help",
        "honor_labels",
        "kind",
        "match",
        "max_age",
        "observer",
        "quantiles",
        "regex",
        "scale",
        "ttl",
    )

    def __init__(self, match: str, name: str, labels: dict[str, str]) -> None:
        self.match = match
        self.kind = ""
        self.drop = False
        self.help = ""
        self.honor_labels = False
        self.observer = ""
        self.ttl = 0.0
        self.scale: float | None = None
        self.buckets: tuple[float, ...] = ()
        self.quantiles: tuple[float, ...] = ()
        self.max_age = DEFAULT_MAX_AGE
        self.regex: re.Pattern[str] | None = None
        self._name = name
        self._labels = labels
        self._name_template: GlobTemplate | None = None
        self._label_templates: dict[str, GlobTemplate] = {}

    def prepare(self, captures: int) -> None:
        """Get a glob rule's templates ready. Raises ValueError for one that cannot be filled."""
        self._name_template = GlobTemplate(self._name, captures)
        self._label_templates = {key: GlobTemplate(text, captures) for key, text in self._labels.items()}

    def fill(self, name: str, captures: Sequence[str]) -> tuple[str, dict[str, str]]:
        """The metric's name (not made safe yet) and labels, for a StatsD name and what its stars found."""
        if self._name_template is None:
            return self._name, dict(self._labels)
        labels = {key: template.fill(name, captures) for key, template in self._label_templates.items()}
        return self._name_template.fill(name, captures), labels

    def expand(self, found: re.Match[str]) -> tuple[str, dict[str, str]]:
        """The same for what the regex found."""
        labels = {key: expand(template, found) for key, template in self._labels.items()}
        return expand(self._name, found), labels


class Rules:
    """All rules of one mapping file. Without a file there are none, and every metric is taken as it comes."""

    def __init__(self, defaults: Defaults | None = None, rules: Sequence[Rule] = ()) -> None:
        self.defaults = defaults or Defaults()
        self._count = len(rules)
        self._regexes = [rule for rule in rules if rule.regex is not None]
        self._globs: Globs[Rule] = Globs(ordered=not self.defaults.disable_ordering)
        for rule in rules:
            if rule.regex is None:
                try:
                    rule.prepare(self._globs.add(rule.match, rule.kind, rule))
                except ValueError as error:
                    raise StartError(f"The mapping rule {rule.match!r}: {error}.") from None
        self._globs.close()

    def __len__(self) -> int:
        return self._count

    def find(self, name: str, kind: str) -> tuple[Rule, str, dict[str, str]] | None:
        """The rule for a StatsD name, with the metric's name and labels. Globs go before all regexes."""
        found = self._globs.find(name, kind)
        if found is not None:
            rule, captures = found
            return (rule, *rule.fill(name, captures))
        for rule in self._regexes:
            if rule.kind and rule.kind != kind:
                continue
            match = rule.regex.search(name) if rule.regex else None
            if match:
                return (rule, *rule.expand(match))
        return None


def load(path: Path | None) -> Rules:
    """The rules of a mapping file, or no rules.

    Raises:
        StartError: The file cannot be read, or says something that is not allowed; with its name and line.
    """
    if path is None:
        return Rules()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(f"The mapping file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StartError(f"The mapping file {path} is not UTF-8 text.") from None
    return parse(text, str(path))


def parse(text: str, file: str = "mapping file") -> Rules:
    """The rules in a mapping file's text. Raises StartError as `load` does."""
    document = yamlfile.read(text, file, "the mapping file")
    if document is None or document.is_null:
        return Rules()
    fields = document.mapping(("defaults", "mappings"))
    defaults = Defaults()
    if "defaults" in fields and not fields["defaults"].is_null:
        defaults = read_defaults(fields["defaults"].mapping(DEFAULT_KEYS))
    rules = []
    if "mappings" in fields and not fields["mappings"].is_null:
        items = fields["mappings"].sequence()
        rules = [read_rule(item, item.mapping(RULE_KEYS), defaults) for item in items]
    return Rules(defaults, rules)


def read_defaults(fields: dict[str, Field]) -> Defaults:
    """The `defaults` section, from its fields. Raises StartError as `load` does."""
    defaults = Defaults()
    if "observer_type" in fields:
        defaults.observer = fields["observer_type"].choice(_OBSERVERS)
    if "match_type" in fields:
        defaults.match_type = fields["match_type"].choice(_MATCH_TYPES)
    if "glob_disable_ordering" in fields:
        defaults.disable_ordering = fields["glob_disable_ordering"].truth()
    if "ttl" in fields:
        defaults.ttl = fields["ttl"].seconds()
    if "summary_options" in fields:
        quantiles, max_age = _summary(fields["summary_options"])
        defaults.quantiles = quantiles or defaults.quantiles
        defaults.max_age = max_age or defaults.max_age
    if "histogram_options" in fields:
        defaults.buckets = _histogram(fields["histogram_options"]) or defaults.buckets
    return defaults


def read_rule(item: Field, fields: dict[str, Field], defaults: Defaults) -> Rule:
    """One of `mappings`, from its fields. Raises StartError as `load` does."""
    match = fields["match"].text() if "match" in fields else ""
    name = fields["name"].text() if "name" in fields else ""
    if not name:
        raise item.wrong("a mapping needs a 'name', even to drop what it matches")
    if not _NAME.fullmatch(name):
        raise fields["name"].wrong(
            f"{name!r} is no metric name; letters, digits, _ and captures like $1 make one, "
            "a digit does not begin it"
        )
    rule = Rule(match, name, _labels(fields["labels"]) if "labels" in fields else {})
    if "match_metric_type" in fields:
        rule.kind = fields["match_metric_type"].choice(_KINDS)
    if "action" in fields:
        rule.drop = fields["action"].choice(_ACTIONS) == "drop"
    if "help" in fields:
        rule.help = fields["help"].text()
    if "honor_labels" in fields:
        rule.honor_labels = fields["honor_labels"].truth()
    if "scale" in fields:
        rule.scale = fields["scale"].number()
    rule.ttl = (fields["ttl"].seconds() if "ttl" in fields else 0.0) or max(defaults.ttl, 0.0)
    match_type = fields["match_type"].choice(_MATCH_TYPES) if "match_type" in fields else defaults.match_type
    if match_type == "regex":
        rule.regex = _regex(fields.get("match", item), match)
    elif not _MATCH.fullmatch(match):
        raise fields.get("match", item).wrong(
            f"{match!r} is no glob; its parts between dots are letters, digits, _ and -, or a lone *"
        )
    _observer(rule, fields, defaults)
    return rule


def _observer(rule: Rule, fields: dict[str, Field], defaults: Defaults) -> None:
    rule.observer = (
        fields["observer_type"].choice(_OBSERVERS) if "observer_type" in fields else defaults.observer
    )
    summary, histogram = fields.get("summary_options"), fields.get("histogram_options")
    if rule.observer == "histogram" and summary is not None:
        raise summary.wrong("a histogram has no 'summary_options'")
    if rule.observer == "summary" and histogram is not None:
        raise histogram.wrong("a summary has no 'histogram_options'")
    quantiles, max_age = _summary(summary) if summary is not None else ((), 0.0)
    buckets = _histogram(histogram) if histogram is not None else ()
    rule.buckets = buckets or defaults.buckets
    rule.quantiles = quantiles or defaults.quantiles
    rule.max_age = max_age or defaults.max_age


def _labels(field: Field) -> dict[str, str]:
    if field.is_null:
        return {}
    labels = {}
    for key, value in field.mapping().items():
        if not _LABEL.fullmatch(key) or key.startswith("__"):
            raise value.wrong(
                f"{key!r} is no label name; two or more letters, digits and _ make one, "
                "neither a digit nor two _ begin it"
            )
        labels[key] = value.text()
    return labels


def _regex(field: Field, pattern: str) -> re.Pattern[str]:
    if FOREIGN.search(pattern):
        raise field.wrong(
            f"the regex {pattern!r} uses what Go's RE2 and Python do not share "
            "(looking around, back references, possessive repeats, named classes)"
        )
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise field.wrong(f"the regex {pattern!r} is not valid: {error}") from None


def _summary(field: Field) -> tuple[tuple[float, ...], float]:
    if field.is_null:
        return (), 0.0
    fields = field.mapping(_SUMMARY_KEYS)
    for key in ("age_buckets", "buf_cap"):
        if key in fields:
            fields[key].whole_number()
    quantiles = _quantiles(fields["quantiles"]) if "quantiles" in fields else ()
    max_age = fields["max_age"].seconds() if "max_age" in fields else 0.0
    if max_age < 0:
        raise fields["max_age"].wrong("'max_age' must not be negative")
    return quantiles, max_age


def _quantiles(field: Field) -> tuple[float, ...]:
    quantiles = []
    for item in field.sequence():
        fields = item.mapping(("quantile", "error"))
        quantile = fields["quantile"].number() if "quantile" in fields else 0.0
        if "error" in fields:
            fields["error"].number()
        if not 0 <= quantile <= 1:
            raise item.wrong(f"a quantile lies between 0 and 1, not at {quantile:g}")
        quantiles.append(quantile)
    return tuple(sorted(set(quantiles)))


def _histogram(field: Field) -> tuple[float, ...]:
    if field.is_null:
        return ()
    fields = field.mapping(_HISTOGRAM_KEYS)
    if "native_histogram_bucket_factor" in fields:
        fields["native_histogram_bucket_factor"].number()
    if "native_histogram_max_buckets" in fields:
        fields["native_histogram_max_buckets"].whole_number()
    return _buckets(fields["buckets"]) if "buckets" in fields else ()


def _buckets(field: Field) -> tuple[float, ...]:
    bounds = [item.number() for item in field.sequence()]
    if any(math.isnan(bound) for bound in bounds) or bounds != sorted(set(bounds)):
        raise field.wrong("buckets must rise from one to the next")
    # The last bucket is always the infinite one, whether it is written down or not.
    return tuple(bound for bound in bounds if bound != math.inf)
