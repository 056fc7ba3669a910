"""Titles: one to read, and one to compare."""

from __future__ import annotations

import functools
import re
import unicodedata

from scout.normalise.gazetteer import find, folded
from scout.normalise.places import STATES, country_named, towns_called

#: "(m/w/d)", "(f/m/x)", "(all genders)", "H/F": who may apply, which is everybody.
_GENDERS = re.compile(
    r"[\s,|\u2013-]*[(\[]\s*(?:(?:[mwfdxhgnikv]|div|gn|male|female|diverse?|"
    r"any)(?:\s*[/|,*:-]\s*(?:[mwfdxhgnikv]|div|gn|\*|male|female|diverse?|any)){1,4}|"
    r"all genders?(?: welcome)?|gn|any gender|all humans|human|w\*m\*d|m\*w\*d|homme\s*/\s*femme|"
    r"f\s*/\s*h\s*/\s*x)\s*[)\]]|"
    r"(?:^|[\s,\u2013-]+)(?:[mwfdxh](?:\s*/\s*[mwfdxh]){1,3}|homme/femme)(?=$|[\s,)])",
    re.IGNORECASE,
)
_REQUISITION = re.compile(
    r"[\s,|\u2013-]*[(\[#]*\s*\b(?:job ?(?:code|id|number|ref(?:erence)?)|jobid|"
    r"req(?:uisition)?(?: ?(?:id|no|number|#))?|ref(?:erence)?(?:\.|\b)|"
    r"posting id|vacancy (?:id|no)|kennziffer|jr|"
    r"r)\s*[:#.\u2013-]*\s*[A-Z]{0,4}[-_]?\d{3,}[\w-]*\s*[)\]]?|\s*[(\[]?#\s?[A-Z]{0,3}-?\d{3,}[)\]]?|"
    r"\s*[(\[]\s*[A-Z]{0,4}-?\d{4,}\s*[)\]]",
    re.IGNORECASE,
)
_WORKPLACE = (
    r"(?:100 ?% |fully |full )?(?:remote|hybrid|on-?\s?site|home ?office|wfh|telework|remoto|"
    r"t[ée]l[ée]travail|h[ií]brido)"
    r"(?: (?:work|position|role|only|possible|ok|eligible|friendly|available|first|opportunity|job))?"
)
_MARKED = re.compile(
    rf"\s*[(\[]\s*{_WORKPLACE}\b[^)\]]{{0,60}}[)\]]|\s*[(\[][^)\]]{{0,60}}\b{_WORKPLACE}\s*[)\]]",
    re.IGNORECASE,
)
_TRAILING = re.compile(rf"\s*(?:[-\u2013\u2014|,/:]\s*)+{_WORKPLACE}\b[^()]{{0,60}}$", re.IGNORECASE)
_LEADING = re.compile(rf"^{_WORKPLACE}\s*[-\u2013\u2014|:]\s*", re.IGNORECASE)
_KEEP = re.compile(
    r"remote (?:sensing|access|support|desktop|monitor|pilot|operat)|hybrid (?:cloud|identit|infra)",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{2,60})[)\]]\s*$")
_LAST_PART = re.compile(r"^(.{4,}?)\s+[-\u2013\u2014|@]\s+([^-\u2013\u2014|]{2,60})$")
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U000e0020-\U000e007f]+")
_LOUD = re.compile(
    r"\s*(?:!{1,}|\*{2,}|\bURGENT(?:LY)?\b(?: HIRING)?\s*[:!-]*|\bNOW HIRING\b\s*[:!-]*|"
    r"\bHIRING\b\s*[:!]+)\s*",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"^[\s,|/:;\u2013\u2014-]+|[\s,|/:;\u2013\u2014-]+$")
_WORD = re.compile(r"[^\w+#]+|_+")
_SHORT = {
    "sr": "senior", "snr": "senior", "jr": "junior", "eng": "engineer", "engr": "engineer", "mgr": "manager",
    "dev": "developer", "sw": "software", "admin": "administrator", "asst": "assistant", "assoc": "associate",
    "dir": "director", "vp": "vice president", "svp": "senior vice president", "tech": "technology",
    "ops": "operations", "iam": "identity access management", "spec": "specialist", "coord": "coordinator",
    "rep": "representative",
}  # fmt: skip
_SMALL = frozenset({"and", "the", "of", "for", "in", "a", "an", "to", "und", "et", "de", "la"})


@functools.lru_cache(maxsize=4_000)
def plain_title(title: str) -> str:
    """A title without what is no part of the role: `(m/w/d)`, requisition ids, pictures, places.

    Never empty: a title that is nothing else stays as it was.
    """
    text = _LOUD.sub(" ", _PICTURES.sub(" ", " ".join(title[:500].split())))
    text = _REQUISITION.sub(" ", _GENDERS.sub(" ", text))
    if not _KEEP.search(text):
        text = _LEADING.sub("", _TRAILING.sub("", _MARKED.sub(" ", text)))
    text = _LOOSE.sub("", " ".join(text.split()))
    # A place in brackets or after the last dash; twice, for "Engineer - Berlin (Germany)".
    for _ in range(2):
        found = _IN_BRACKETS.search(text)
        if found and found.start() >= 4 and _is_place(found[1]):  # noqa: PLR2004 - a role has some letters
            text = text[: found.start()].rstrip(" ,-\u2013|")
        elif (
            (parts := _LAST_PART.match(text))
            and parts[1].count("(") == parts[1].count(")")
            and _is_place(parts[2])
        ):
            text = parts[1].rstrip(" ,-\u2013|")
        else:
            break
        if not _KEEP.search(text):
            text = _TRAILING.sub("", text)  # "Engineer - Remote (US)"
    return _LOOSE.sub("", text) or " ".join(title.split())


def _is_place(words: str) -> bool:
    """Whether words are places and nothing else: well-known towns, or with their state or country."""
    pieces = re.split(r"\s*[,/]\s*|\s+or\s+", words.strip())
    small = False
    certain = 0
    for piece in pieces:
        name = folded(piece)
        found = find(name)
        if piece in _CODES or country_named(piece) or found.regions or (piece in STATES and len(pieces) > 1):
            certain += 1
        elif towns_called(piece):
            small = small or towns_called(piece)[0].people < _WELL_KNOWN
        else:
            return False
    return not small or certain > 0


#: Thousands of people: "Aurora" and "Solana" are databases and chains before they are towns.
_WELL_KNOWN = 500
_CODES = frozenset({"US", "USA", "UK", "UAE", "EU", "EMEA", "APAC", "LATAM", "DACH", "MENA", "ANZ"})


@functools.lru_cache(maxsize=4_000)
def title_key(title: str) -> str:
    """The form in which titles are compared: the plain title without case and signs, short words written out.

    Words keep their order, and words of level stay: `Sr. Engineer` and `Senior Engineer` are equal, `Senior
    Engineer` and `Engineer` are not.
    """
    text = unicodedata.normalize("NFKC", plain_title(title)).casefold().replace("&", " and ")
    words = [_SHORT.get(word, word) for word in _WORD.sub(" ", text).split()]
    return " ".join(word for word in words if word not in _SMALL)
