"""Several exporters' pages as one page of Prometheus text (format 0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: What a program tells about itself. Two programs tell different things under these names, so they stay out.
_OWN = (b"go_", b"process_", b"promhttp_", b"python_")
#: A page that says more than this is broken off, so that a runaway exporter cannot fill our memory.
_LARGEST_PAGE = 32 * 1024 * 1024
#: A line longer than this is no line of an exporter.
_LONGEST_LINE = 1024 * 1024

_COMMENT = re.compile(rb"#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?", re.DOTALL)
_VALUE = rb"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[Ii]nf|NaN)"
# Written so that it reads each byte once: text outside of quotes, then a quoted value, and so on.
_LABELS = rb'\{[^"}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"}]*)*\}'
_SAMPLE = re.compile(
    rb"([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*("
    + _LABELS
    + rb")?[ \t]*(?<=[ \t}])"
    + _VALUE
    + rb"(?:[ \t]+-?[0-9]+)?"
)
_LABEL = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*("[^"\\]*(?:\\.[^"\\]*)*")')
_SUFFIXES = {b"histogram": (b"_bucket", b"_sum", b"_count"), b"summary": (b"_sum", b"_count")}
_KINDS = (b"counter", b"gauge", b"histogram", b"summary", b"untyped")


class _Broken(Exception):  # noqa: N818  # an answer about a page, not a failure of ours
    """A page is not in the format; says why."""


class _Family:
    """One family of the merged page.

    Attributes:
        kind: Its type, empty until somebody says it.
        help: Its help, empty until somebody says it.
        samples: Its lines by name and labels, each once.
        page: The page that gave it its first sample.
        sorted: Whether the labels in the samples' keys are in order, which a second page makes necessary.
    """

    __slots__ = ("help", "kind", "page", "samples", "sorted")

    def __init__(self) -> None:
        self.kind = b""
        self.help = b""
        self.samples: dict[bytes, bytes] = {}
        self.page = 0
        self.sorted = False

    def open_to(self, page: int) -> None:
        """Get ready for samples of a page. What two pages say may differ in the order of labels alone."""
        self.page = self.page or page
        if page != self.page and not self.sorted:
            self.sorted = True
            samples: dict[bytes, bytes] = {}
            for key, line in self.samples.items():
                samples.setdefault(_in_order(key), line)
            self.samples = samples


def merged(pages: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """One valid page out of several.

    A family that several pages have stands once, under the first help and type; a sample that two pages have
    is taken from the first. Families of the programs themselves (`go_*`, `process_*`, `promhttp_*`,
    `python_*`) are left out. A page that is broken off or wrong, or whose type for a family contradicts an
    earlier page, loses what is wrong, and a comment at the end says so.

    Families stand in a page in one piece but in any order, so all lines are read before the first is given;
    what is kept of a page is at most 32 MB.

    Args:
        pages: Each page as pieces of bytes, cut anywhere. A page that raises `OSError` counts as broken off.

    Yields:
        The merged page, a family at a time.
    """
    families: dict[bytes, _Family] = {}
    troubles: list[str] = []
    for number, page in enumerate(pages, start=1):
        try:
            _Page(number, families).read(page)
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


class _Page:
    """Reads one page into the families. Lines that are right stay, whatever comes after them."""

    def __init__(self, number: int, families: dict[bytes, _Family]) -> None:
        self._number = number
        self._families = families
        #: The types that this page said, by name.
        self._kinds: dict[bytes, bytes] = {}
        #: Names whose type here is not the one of an earlier page.
        self._contradicted: set[bytes] = set()
        #: Where the samples of a name go; None where they are left out.
        self._places: dict[bytes, _Family | None] = {}

    def read(self, page: Iterable[bytes]) -> None:
        """Read it to its end. Raises _Broken for the first thing that was wrong."""
        first_trouble = ""
        troubles = 0
        for number, line in enumerate(_lines(page), start=1):
            try:
                self._line(line.strip(b" \t\r"))
            except _Broken as broken:
                troubles += 1
                first_trouble = first_trouble or f"line {number}: {broken}"
        if troubles:
            raise _Broken(first_trouble + (f", and {troubles - 1} more lines" if troubles > 1 else ""))

    def _line(self, line: bytes) -> None:
        if line.startswith(b"#"):
            comment = _COMMENT.fullmatch(line)
            if comment:
                self._comment(comment[1], comment[2], comment[3] or b"")
            return
        if not line:
            return
        sample = _SAMPLE.fullmatch(line)
        if not sample:
            raise _Broken(f"this is no sample: {line[:80]!r}")
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                raise _Broken(f"this is not UTF-8: {line[:80]!r}") from None
        name, labels = sample.groups(b"")
        if name not in self._places:
            self._places[name] = self._place(name)
        family = self._places[name]
        if family is not None:
            key = name + labels
            family.samples.setdefault(_in_order(key) if family.sorted else key, line)

    def _comment(self, word: bytes, name: bytes, rest: bytes) -> None:
        self._places.clear()
        if name.startswith(_OWN):
            return
        family = self._families.setdefault(name, _Family())
        if word == b"HELP":
            family.help = family.help or rest.decode(errors="replace").encode()
            return
        if rest not in _KINDS:
            raise _Broken(f"{name.decode()} has no type that we know: {rest[:40]!r}")
        self._kinds[name] = rest
        if family.kind and family.kind != rest:
            self._contradicted.add(name)
            there, here = family.kind.decode(), rest.decode()
            raise _Broken(f"{name.decode()} is a {here} here and a {there} before: left out")
        family.kind = rest

    def _place(self, name: bytes) -> _Family | None:
        name = self._family_name(name)
        if name.startswith(_OWN) or name in self._contradicted:
            return None
        family = self._families.setdefault(name, _Family())
        family.open_to(self._number)
        return family

    def _family_name(self, name: bytes) -> bytes:
        """The family of a sample's name: a histogram's `x_bucket` belongs to `x`."""
        if name in self._kinds:
            return name
        for suffix in (b"_bucket", b"_sum", b"_count"):
            base = name.removesuffix(suffix)
            if base != name:
                known = self._families.get(base)
                kind = self._kinds.get(base) or (known.kind if known else b"")
                if suffix in _SUFFIXES.get(kind, ()):
                    return base
        return name


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


def _in_order(key: bytes) -> bytes:
    """A sample's name and labels, with the labels in order."""
    name, _, labels = key.partition(b"{")
    return name + b"{" + b",".join(label + value for label, value in sorted(_LABEL.findall(labels)))
