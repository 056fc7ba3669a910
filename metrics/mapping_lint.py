"""What is wrong with a mapping file of statsd_exporter, this project's or any other.

The real program takes most of these files without a word and then serves something else than was meant:
rules that never match, labels that are always empty, seconds divided twice. Each finding says what is wrong,
why that matters, and the mend; its code is the rule of the real program that it rests on (M: `pkg/mapper`, E:
`pkg/exporter` and `pkg/registry`), and the tests show each danger on the real program.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from metrics.embedded.errors import StartError
from metrics.embedded.exporter import rules, yamlfile
from metrics.embedded.exporter.yamlfile import Field

#: The label of what one process says of itself.
PROCESS_LABEL = "slot"

_SUFFIXES = ("_bucket", "_count", "_sum")
_OWN_LABEL = {"histogram": "le", "summary": "quantile"}
_CAPTURE = re.compile(r"\$\$|\$\{([^}]*)\}|\$([a-zA-Z0-9_]+)")
#: Regexes that match every name.
_EVERYTHING = frozenset({".", ".*", ".+", "^.*$", "^.+$", "^.*", "^.+", ".*$", ".+$"})
_MILLI = 0.001
#: Keys that statsd_exporter 0.31 took away, and what stands in their place.
_GONE = {
    "timer_type": "'observer_type'",
    "buckets": "'buckets' below 'histogram_options'",
    "quantiles": "'quantiles' below 'summary_options'",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a mapping file.

    Attributes:
        line: Where, counted from 1.
        code: The exporter's rule that it breaks.
        text: What, why, and the mend.
    """

    line: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text} [{self.code}]"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule as far as the checks need it; what is wrong in itself is left at its default.

    Attributes:
        line: Where it begins.
        match: Its glob or regex.
        regex: Whether that is a regex.
        name: The metric's name, perhaps with captures.
        labels: Its labels, each with the line and the template.
        kind: `counter`, `gauge`, `observer`, or empty for all.
        type: What Prometheus will call the metric; empty where that depends on what is sent.
        drop: Whether it drops.
        ttl: Whether its series are forgotten after a time.
        scale: What values are multiplied by.
    """

    line: int
    match: str = ""
    regex: bool = False
    name: str = ""
    labels: dict[str, tuple[int, str]] = field(default_factory=dict)
    kind: str = ""
    type: str = ""
    drop: bool = False
    ttl: bool = False
    scale: float = 1.0

    @property
    def segments(self) -> list[str]:
        return self.match.split(".")

    @property
    def everything(self) -> bool:
        return self.regex and self.match in _EVERYTHING and not self.kind

    def meets(self, other: _Rule) -> bool:
        """Whether one event can be for both."""
        return not self.kind or not other.kind or self.kind == other.kind


def lint(text: str) -> list[Finding]:
    """Everything wrong with the text of a mapping file, in the order of its lines; empty for a good one."""
    try:
        document = yamlfile.read(text, "", "the mapping file")
    except StartError as error:
        found = re.search(r"line (\d+)", str(error))
        return [Finding(int(found[1]) if found else 1, "yaml", f"This is no YAML: {_reason(error)}")]
    if document is None or document.is_null:
        return [_no_last_rule(1)]
    reader = _Reader()
    reader.document(document)
    reader.found += _across(reader.rules, ordered=reader.ordered)
    return sorted(reader.found, key=lambda finding: (finding.line, finding.code))


class _Reader:
    """Reads the file rule by rule, and goes on after what is wrong.

    Attributes:
        found: What was wrong.
        rules: The rules that could be read, in the file's order.
        ordered: Whether the first glob that matches wins, and not the most specific one.
    """

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.rules: list[_Rule] = []
        self.ordered = True
        self._observer = ""
        self._match_type = "glob"
        self._ttl = False
        self._defaults = rules.Defaults()

    def document(self, document: Field) -> None:
        fields = self._fields(document, ("defaults", "mappings"), "The file") or {}
        defaults = fields.get("defaults")
        if defaults is not None and not defaults.is_null:
            self._read_defaults(defaults)
        mappings = fields.get("mappings")
        try:
            items = [] if mappings is None or mappings.is_null else mappings.sequence()
        except StartError as error:
            self._add(document.line, "keys", _sentence(error))
            return
        for item in items:
            self._read_rule(item)
        if not any(rule.everything and rule.drop for rule in self.rules):
            self.found.append(_no_last_rule(self.rules[-1].line if self.rules else document.line))

    def _add(self, line: int, code: str, text: str) -> None:
        self.found.append(Finding(line, code, text))

    def _fields(self, node: Field, known: Sequence[str], what: str) -> dict[str, Field] | None:
        """The known fields, or None where there are none to read; the others are found wrong."""
        try:
            fields = node.mapping()
        except StartError as error:
            self._add(node.line, "keys", _sentence(error))
            return None
        for key, value in fields.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                mend = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
                mend = f"Write {_GONE[key]}." if key in _GONE else mend
                self._add(
                    value.line,
                    "keys",
                    f"{what} has no key {key!r}: statsd_exporter 0.31 refuses the whole file for it, which "
                    f"earlier ones took. {mend}",
                )
        return {key: value for key, value in fields.items() if key in known}

    def _read_defaults(self, section: Field) -> None:
        fields = self._fields(section, rules.DEFAULT_KEYS, "'defaults'") or {}
        try:
            self._defaults = rules.read_defaults(fields)
        except StartError as error:
            self._add(section.line, "keys", _sentence(error))
            return
        self.ordered = not self._defaults.disable_ordering
        self._observer = self._defaults.observer
        self._match_type = self._defaults.match_type
        self._ttl = self._defaults.ttl > 0

    def _read_rule(self, item: Field) -> None:
        fields = self._fields(item, rules.RULE_KEYS, "A rule")
        if fields is None:
            return
        before = len(self.found)
        self._label_names(fields.get("labels"))
        rule = self._rule(item, fields)
        if rule is None:
            return
        self._options(rule, fields)
        if len(self.found) == before:
            # Nothing of ours: what else the exporter would refuse, in its own words.
            try:
                rules.read_rule(item, fields, self._defaults)
            except StartError as error:
                self._add(item.line, "load", _sentence(error))
                return
        self.rules.append(rule)
        self.found += _alone(rule)

    def _label_names(self, labels: Field | None) -> None:
        if labels is None or labels.is_null:
            return
        try:
            fields = labels.mapping()
        except StartError:
            return  # `_rule` reads them too, and tells.
        for key, value in fields.items():
            if re.fullmatch("[a-zA-Z_]", key):
                self._add(
                    value.line,
                    "M3",
                    f"The label {key!r} has one letter: the exporter refuses the whole file for it. Give it "
                    "a name of two letters or more.",
                )

    def _rule(self, item: Field, fields: dict[str, Field]) -> _Rule | None:
        def text(key: str) -> str:
            return fields[key].text() if key in fields else ""

        try:
            labels = {}
            if "labels" in fields and not fields["labels"].is_null:
                labels = {
                    key: (value.line, value.text()) for key, value in fields["labels"].mapping().items()
                }
            kind = text("match_metric_type")
            observer = text("observer_type") or self._observer or "summary"
            return _Rule(
                line=item.line,
                match=text("match"),
                regex=(text("match_type") or self._match_type) == "regex",
                name=text("name"),
                labels=labels,
                kind=kind,
                type=observer if kind == "observer" else kind,
                drop=text("action") == "drop",
                ttl=self._ttl or ("ttl" in fields and fields["ttl"].seconds() > 0),
                scale=fields["scale"].number() if "scale" in fields else 1.0,
            )
        except StartError as error:
            self._add(item.line, "keys", _sentence(error))
            return None

    def _options(self, rule: _Rule, fields: dict[str, Field]) -> None:
        observer = rule.type if rule.kind == "observer" else ""
        written = fields.get("observer_type")
        observer = observer or (written.text() if written is not None else self._observer)
        wrong = {"histogram": "summary_options", "summary": "histogram_options"}.get(observer, "")
        if wrong in fields:
            right = "histogram_options" if observer == "histogram" else "summary_options"
            self._add(
                fields[wrong].line,
                "M7",
                f"{rule.match!r} becomes a {observer} and has {wrong!r}: the exporter refuses the whole file "
                f"for it. Write {right!r}, or another 'observer_type'; the one in 'defaults' counts too.",
            )


def _no_last_rule(line: int) -> Finding:
    return Finding(
        line,
        "drop",
        "No last rule drops what the others do not know: every name that anybody sends to the port becomes a "
        'series, and the memory grows with them. End the file with a rule of match: ".", match_type: regex, '
        "action: drop, name: dropped.",
    )


# --- One rule by itself -----------------------------------------------------------------------------------


def _alone(rule: _Rule) -> Iterator[Finding]:
    if rule.regex and rule.match not in _EVERYTHING and not _is_anchored(rule.match):
        middle = rule.match.removeprefix("^").removesuffix("$")
        yield Finding(
            rule.line,
            "M5",
            f"The regex {rule.match!r} is not held at both ends: the exporter searches for it anywhere in a "
            f"name, so that longer names match too. Write ^(?:{middle})$.",
        )
    yield from _templates(rule)
    yield from _double_scaling(rule)
    if rule.type == "gauge" and PROCESS_LABEL in rule.labels and not rule.ttl and not rule.drop:
        yield Finding(
            rule.line,
            "E11",
            f"{rule.name} is a gauge of one process, by its label {PROCESS_LABEL!r}, and has no 'ttl': what "
            "a process said last stays for ever after it died. Give the rule a 'ttl' of a few of its "
            "reports.",
        )
    own = _OWN_LABEL.get(rule.type, "")
    if own in rule.labels:
        yield Finding(
            rule.labels[own][0],
            "E8",
            f"{rule.name} is a {rule.type}, whose own lines carry the label {own!r}: the exporter dies or "
            "its page does, at the first value. Call the label something else.",
        )


def _is_anchored(pattern: str) -> bool:
    """Whether a regex begins and ends where the name does; a bar outside of brackets undoes that."""
    begins = re.match(r"(?:\(\?[a-zA-Z]+\))?(?:\^|\\A)", pattern)
    ends = re.search(r"(?<!\\)(?:\\\\)*(?:\$|\\z)\Z", pattern)
    depth = 0
    in_class = False
    skip = False
    for character in pattern:
        if skip:
            skip = False
        elif character == "\\":
            skip = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "|" and not depth:
            return False
    return begins is not None and ends is not None


def _templates(rule: _Rule) -> Iterator[Finding]:
    if rule.drop:
        return
    if rule.regex:
        if rules.FOREIGN.search(rule.match):
            return
        try:
            compiled = re.compile(rule.match)
        except re.error:
            return
        count, groups = compiled.groups, set(compiled.groupindex)
    else:
        count, groups = rule.segments.count("*"), set()
    places = [(rule.line, "The name", rule.name)]
    places += [(line, f"The label {label!r}", text) for label, (line, text) in rule.labels.items()]
    for line, place, text in places:
        where = f"{place} of {rule.match!r}"
        # A doubled dollar sign is a plain one, in regex rules.
        captures = [found for found in _CAPTURE.finditer(text) if not (rule.regex and found[0] == "$$")]
        for capture in captures:
            trouble = _capture_trouble(capture[1] or capture[2] or "", capture[0], count, groups, rule)
            if trouble:
                yield Finding(line, "M6", f"{where} says {trouble}")
        if captures and "%" in text and not rule.regex:
            yield Finding(
                line,
                "M6",
                f"{where} has a percent sign beside a capture: the exporter "
                f"fills templates through a printf, and garbles it. Leave the sign away.",
            )


def _capture_trouble(key: str, written: str, count: int, groups: set[str], rule: _Rule) -> str:
    if key in groups:
        return ""
    number = re.fullmatch(r"([0-9]+)(.*)", key)
    if number is None:
        return f"{written}, and no capture has that name: it is always empty. Write the capture's number."
    digits, rest = number.groups()
    if rest:
        return (
            f"{written}, which the exporter reads as a capture called {key!r} and leaves empty. "
            f"Write ${{{digits}}}{rest}."
        )
    least = 0 if rule.regex else 1
    if not least <= int(digits) <= count:
        return (
            f"{written}, and the match has {count} capture{'' if count == 1 else 's'}, counted from 1: it is "
            f"always empty. Write a number that is there, or leave it away."
        )
    return ""


def _double_scaling(rule: _Rule) -> Iterator[Finding]:
    timed = rule.kind == "observer" or (not rule.kind and rule.name.endswith("_seconds"))
    if timed and rule.scale == _MILLI and not rule.drop:
        yield Finding(
            rule.line,
            "E4",
            f"{rule.name} is scaled by 0.001: the exporter has made seconds of a timer's milliseconds "
            "already, so that its times come out a thousand times too short. Leave 'scale' away, and send "
            "it as 'ms'.",
        )


# --- Rules beside each other --------------------------------------------------------------------------------


def _across(found: Sequence[_Rule], *, ordered: bool) -> Iterator[Finding]:
    yield from _never_reached(found, ordered=ordered)
    yield from _names(found)
    last = next((place for place, rule in enumerate(found) if rule.everything and rule.drop), None)
    if last is not None:
        for rule in found[last + 1 :]:
            if rule.regex:
                yield Finding(
                    rule.line,
                    "drop",
                    f"{rule.match!r} comes after the regex that drops everything, and is never tried: "
                    f"regexes are tried in the file's order. Put it above line {found[last].line}.",
                )


def _never_reached(found: Sequence[_Rule], *, ordered: bool) -> Iterator[Finding]:
    for place, rule in enumerate(found):
        for earlier in found[:place]:
            if earlier.regex != rule.regex or not earlier.meets(rule) or earlier.everything:
                continue
            if earlier.match == rule.match:
                if earlier.kind not in ("", rule.kind):
                    continue
                yield Finding(
                    rule.line,
                    "M9",
                    f"{rule.match!r} stands in line {earlier.line} already, for the same kind of metric: "
                    "only that rule is ever used, in this one's place. Remove one, or give both a "
                    "'match_metric_type' of their own.",
                )
                break
            if rule.regex:
                continue
            if earlier.segments[: len(rule.segments)] == rule.segments:
                yield Finding(
                    rule.line,
                    "M8",
                    f"{rule.match!r} comes after the longer {earlier.match!r} of line {earlier.line}, which "
                    "passes through its last part: the exporter never finds it, and says nothing. Put "
                    "shorter rules first.",
                )
                break
            if ordered and _covers(earlier, rule):
                yield Finding(
                    rule.line,
                    "M8",
                    f"{rule.match!r} comes after the wider {earlier.match!r} of line {earlier.line}, and "
                    "the first rule wins: it is never used. Put it first, or set 'glob_disable_ordering' "
                    "in 'defaults'.",
                )
                break


def _covers(wide: _Rule, narrow: _Rule) -> bool:
    pairs = list(zip(wide.segments, narrow.segments, strict=False))
    return (
        len(wide.segments) == len(narrow.segments)
        and wide.kind in ("", narrow.kind)
        and all(left in ("*", right) for left, right in pairs)
    )


def _names(found: Sequence[_Rule]) -> Iterator[Finding]:
    mapped = [rule for rule in found if rule.name and not rule.drop]
    by_name: dict[str, _Rule] = {}
    for rule in mapped:
        first = by_name.setdefault(rule.name, rule)
        if first.type and rule.type and first.type != rule.type and "$" not in rule.name:
            yield Finding(
                rule.line,
                "E8",
                f"{rule.name} is a {rule.type} here and a {first.type} in line {first.line}: whichever comes "
                f"first has the name until the exporter restarts, and the other's values are lost. Give one "
                f"another name.",
            )
    for rule in mapped:
        for suffix in _SUFFIXES:
            base = by_name.get(rule.name.removesuffix(suffix)) if rule.name.endswith(suffix) else None
            if base is None or base.type in ("", "counter"):
                continue
            if rule.type in _OWN_LABEL and (
                base.type == "gauge" or (base.type, suffix) == ("summary", "_bucket")
            ):
                continue
            yield Finding(
                rule.line,
                "E8",
                f"{rule.name} is called like a line of the {base.type} {base.name} of line {base.line}: the "
                f"exporter drops the values of whichever comes second. Give it another name.",
            )


def _sentence(error: StartError) -> str:
    text = _reason(error)
    return f"{text[:1].upper()}{text[1:]}"


def _reason(error: StartError) -> str:
    return re.sub(r"^[^:]*line \d+: ", "", str(error))
