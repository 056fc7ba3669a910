"""Several exporters' pages as one page of Prometheus text (format 0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: What a program tells about itself. Two programs tell different things under these names, so they stay out.
_OWN = ("go_", "process_", "promhttp_", "python_")
#: A page that says more than this is broken off, so that a runaway exporter cannot fill our memory.
_LARGEST_PAGE = 32 * 1024 * 1024
#: A line longer than this is no line of an exporter.
_LONGEST_LINE = 1024 * 1024

_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_COMMENT = re.compile(rb"#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?", re.DOTALL)
_VALUE = rb"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[Ii]nf|NaN)"
_SAMPLE = re.compile(
    rb'([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]*(?<=[ \t}])'
    + _VALUE
    + rb"(?:[ \t]+-?[0-9]+)?"
)
_SUFFIXES = {b"histogram": (b"_bucket", b"_sum", b"_count"), b"summary": (b"_sum", b"_count")}
_KINDS = (b"counter", b"gauge", b"histogram", b"summary", b"untyped")


class _Broken(Exception):  # noqa: N818  # an answer about a page, not a failure of ours
    """A page is not in the format; says why."""


class _Family:
    """One family of the merged page.

    Attributes:
        kind: Its type, empty until somebody says it.
        help: Its help, empty until somebody says it.
        samples: Its lines, without what was said twice.
    """

    __slots__ = ("help", "kind", "samples")

    def __init__(self) -> None:
        self.kind = b""
        self.help = b""
        self.samples: dict[bytes, bytes] = {}


def merged(pages: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """One valid page out of several.

    A family that several pages have stands once, under the first help and type; a sample that two pages have is
    taken from the first. Families of the programs themselves (`go_*`, `process_*`, `promhttp_*`, `python_*`) are
    left out. A page that is broken off or wrong, or whose type for a family contradicts an earlier page, loses
    what is wrong, and a comment at the end says so.

    Families stand in a page in one piece but in any order, so all lines are read before the first is given; what
    is kept of a page is at most 32 MB.

    Args:
        pages: Each page as pieces of bytes, cut anywhere. A page that raises `OSError` counts as broken off.

    Yields:
        The merged page, a family at a time.
    """
    families: dict[bytes, _Family] = {}
    troubles: list[str] = []
    for number, page in enumerate(pages, start=1):
        try:
            _read(page, families)
        except _Broken as broken:
            troubles.append(f"page {number}: {broken}")
        except OSError as error:
            troubles.append(f"page {number} broke off: {error}")
    for name in sorted(families):
        family = families.pop(name)
        if not family.samples:
            continue
        opening = b"# HELP %b %b\n" % (name, family.help) if family.help else b""
        lines = b"\n".join(family.samples.values())
        yield b"%b# TYPE %b %b\n%b\n" % (opening, name, family.kind or b"untyped", lines)
    for trouble in troubles:
        # A trouble may quote bytes of the page: one line, plain characters.
        plain = trouble.encode("ascii", "backslashreplace").decode().replace("\n", " ").replace("\r", " ")
        yield f"# Trouble with {plain}\n".encode()


def _read(page: Iterable[bytes], families: dict[bytes, _Family]) -> None:
    """Read one page into the families. Lines that are right stay, whatever comes after them."""
    troubles: list[str] = []
    contradicted: set[bytes] = set()
    here: dict[bytes, bytes] = {}
    for number, line in enumerate(_lines(page), start=1):
        try:
            _line(line, families, here, contradicted)
        except _Broken as broken:
            troubles.append(f"line {number}: {broken}")
    if troubles:
        more = f", and {len(troubles) - 1} more lines" if len(troubles) > 1 else ""
        raise _Broken(troubles[0] + more)


def _lines(page: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    size = 0
    for piece in page:
        size += len(piece)
        if size > _LARGEST_PAGE:
            raise _Broken(f"it has more than {_LARGEST_PAGE} bytes, the rest is left out")
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > _LONGEST_LINE:
            raise _Broken(f"a line has more than {_LONGEST_LINE} bytes, the rest is left out")
    if rest.strip():
        raise _Broken("its last line does not end: it was broken off")


def _line(
    line: bytes,
    families: dict[bytes, _Family],
    here: dict[bytes, bytes],
    contradicted: set[bytes],
) -> None:
    """Read one line.

    Args:
        line: The line without its end.
        families: Where it goes.
        here: The types that this page said, by name.
        contradicted: Names whose type here is not the one of an earlier page.
    """
    line = line.strip(b" \t\r")
    if not line:
        return
    if line.startswith(b"#"):
        comment = _COMMENT.fullmatch(line)
        if comment:
            _comment(comment[1], comment[2], comment[3] or b"", families, here, contradicted)
        return
    sample = _SAMPLE.fullmatch(line)
    if not sample:
        raise _Broken(f"this is no sample: {line[:80]!r}")
    try:
        line.decode()
    except UnicodeDecodeError:
        raise _Broken(f"this is not UTF-8: {line[:80]!r}") from None
    name = _family_name(sample[1], here, families)
    if name.decode().startswith(_OWN) or name in contradicted:
        return
    family = families.setdefault(name, _Family())
    family.samples.setdefault(_key(sample[1], sample[2] or b""), line)


def _comment(
    word: bytes,
    name: bytes,
    rest: bytes,
    families: dict[bytes, _Family],
    here: dict[bytes, bytes],
    contradicted: set[bytes],
) -> None:
    if name.decode().startswith(_OWN):
        here[name] = rest
        return
    family = families.setdefault(name, _Family())
    if word == b"HELP":
        family.help = family.help or rest.decode(errors="replace").encode()
        return
    if rest not in _KINDS:
        raise _Broken(f"{name.decode()} has no type that we know: {rest[:40]!r}")
    here[name] = rest
    if family.kind and family.kind != rest:
        contradicted.add(name)
        raise _Broken(
            f"{name.decode()} is a {rest.decode()} here and a {family.kind.decode()} before, so it is left out"
        )
    family.kind = rest


def _family_name(name: bytes, here: dict[bytes, bytes], families: dict[bytes, _Family]) -> bytes:
    """The family of a sample's name: a histogram's `x_bucket` belongs to `x`."""
    if name in here:
        return name
    for suffix in (b"_bucket", b"_sum", b"_count"):
        base = name.removesuffix(suffix)
        if base != name:
            kind = here.get(base) or (families[base].kind if base in families else b"")
            if suffix in _SUFFIXES.get(kind, ()):
                return base
    return name


def _key(name: bytes, labels: bytes) -> bytes:
    """What makes a sample the same as another: its name and its labels in any order."""
    if labels.count(b'="') < 2:  # noqa: PLR2004  # nothing to sort
        return name + labels
    pairs = re.findall(rb'([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*")', labels)
    return name + b",".join(key + value for key, value in sorted(pairs))
