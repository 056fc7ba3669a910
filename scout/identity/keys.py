"""Keys of a posting: what of it is compared to find the same job elsewhere, made once, cheaply.

Two numbers are stored and indexed: what the address says (an applicant system's own id of the posting, or
else the address without what changes nothing), and the role (company and title). What is not to be found by
an index, such as places and requisition ids, is compared by `scout.identity.decision`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from scout.normalise import company_key, title_key
from scout.postings import Posting

_MOST = 100


@dataclass(frozen=True, slots=True)
class Keys:
    """What of a posting is compared. `address` and `role` are fingerprints, or None where nothing is told.

    Attributes:
        address: Of the id that an applicant system gave it, or of its address.
        role: Of company and title.
        requisition: The employer's own number, folded, or empty.
    """

    address: int | None
    role: int | None
    requisition: str


def of(posting: Posting) -> Keys:
    """The keys of a posting."""
    return Keys(
        address=_number(ats_id(posting.url) or comparable_url(posting.url)),
        role=_number(role(posting.title, posting.company)),
        requisition=requisition(posting.requisition_id) or requisition_in_title(posting.title),
    )


def _number(text: str) -> int | None:
    if not text:
        return None
    # 64 bits: among a million postings, two share one by chance once in thirty million times.
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


# --- Addresses --------------------------------------------------------------------------------------------

_TRACKING = frozenset({
    "gh_src", "ref", "referer", "referrer", "source", "src", "fbclid", "gclid", "msclkid", "dclid", "yclid",
    "igshid", "mc_cid", "mc_eid", "lever-source", "lever-origin", "lever-via", "trk", "trackingid", "refid",
    "campaign", "medium", "jr_id", "jobboardsource", "ccuid", "rx_source", "rx_campaign", "rx_medium",
    "rx_job", "_ga", "_gl", "gad_source", "utm", "via", "origin", "from", "share", "lang", "locale",
    "language", "hl", "partnerid", "jobpipeline", "iis", "iisn", "codes", "q", "embed", "session", "sid",
})  # fmt: skip
#: Ends of paths that lead to a form, or to the list of all postings.
_FORMS = frozenset({"apply", "application", "apply-now", "thanks", "bewerben"})
_LISTS = frozenset({
    "careers", "career", "jobs", "job", "openings", "open-positions", "open-roles", "vacancies", "positions",
    "join-us", "join", "work-with-us", "work-for-us", "karriere", "stellenangebote", "stellen",
    "offene-stellen",
    "about-us", "current-openings", "job-openings", "join-our-team", "we-are-hiring", "job-board",
    "jobs-careers", "who-is-hiring", "now-hiring",
})  # fmt: skip


def comparable_url(url: str) -> str:
    """An address in the form in which addresses are compared; empty if it is not that of one posting.

    Without scheme, `www.`, tracking, the order of parameters, a slash at the end, and the form to apply by.
    An address that leads to a company's list of jobs says nothing of one of them.
    """
    split = _split(url)
    if split is None:
        return ""
    host = _host(split)
    segments = [each for each in split.path.split("/") if each]
    if segments and segments[-1].lower() in _FORMS:
        segments.pop()
    kept = [
        (name, value)
        for name, value in (parse_qsl(split.query) if split.query else ())
        if not (name.lower().startswith("utm_") or name.lower() in _TRACKING)
    ]
    # A page that shows everything by itself names its posting behind the hash.
    fragment = split.fragment if split.fragment.startswith(("/", "!")) else ""
    if not _of_one_posting(segments, kept, fragment):
        return ""
    query = f"?{urlencode(sorted(kept))}" if kept else ""
    return f"{host}/{'/'.join(segments)}{query}{f'#{fragment}' if fragment else ''}"


def _of_one_posting(segments: list[str], query: list[tuple[str, str]], fragment: str) -> bool:
    if any(_DIGIT.search(value) for _, value in query) or _DIGIT.search(fragment):
        return True
    if not segments:
        return False
    last = segments[-1].lower()
    if last in _LISTS:
        return False
    return _DIGIT.search(last) is not None or last.count("-") > 1 or (len(segments) > 1 and "-" in last)


def _split(url: str) -> SplitResult | None:
    try:
        split = urlsplit(url)
        host = split.hostname
    except ValueError:
        return None
    return split if host else None


def _host(split: SplitResult) -> str:
    return (split.hostname or "").removeprefix("www.")


_DIGIT = re.compile(r"\d")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IN_QUERY = re.compile(rf"(?:^|&)(?:(gh_jid)=(\d+)|(ashby_jid)=({_UUID}))", re.IGNORECASE)
_GREENHOUSE_FORM = re.compile(r"(?:^|&)token=(\d+)")
#: Applicant systems by the end of their hosts: the name, and where in the path (after the host's own part)
#: the id stands. What names the company belongs to the id where ids are the company's own.
_BY_HOST: dict[str, tuple[str, re.Pattern[str]]] = {
    "greenhouse.io": ("greenhouse", re.compile(r"/jobs/(\d+)")),
    "lever.co": ("lever", re.compile(rf"/({_UUID})", re.IGNORECASE)),
    "ashbyhq.com": ("ashby", re.compile(rf"/({_UUID})", re.IGNORECASE)),
    "workable.com": ("workable", re.compile(r"/j/([0-9A-F]{6,})", re.IGNORECASE)),
    "smartrecruiters.com": ("smartrecruiters", re.compile(rf"/(\d{{9,}}|{_UUID})(?=[-/]|$)", re.IGNORECASE)),
    "rippling.com": ("rippling", re.compile(rf"/jobs/({_UUID})", re.IGNORECASE)),
    "pinpointhq.com": ("pinpoint", re.compile(rf"/postings/({_UUID})", re.IGNORECASE)),
    "comeet.com": (
        "comeet",
        re.compile(r"/jobs/[^/]+/[^/]+/[^/]+/([0-9A-F]{2}\.[0-9A-F]{3,4})", re.IGNORECASE),
    ),
    "jobvite.com": ("jobvite", re.compile(r"/job/(o\w{6,})")),
    "breezy.hr": ("breezy", re.compile(r"/p/([0-9a-f]{12})")),
}
_OWN_HOST: dict[str, tuple[str, re.Pattern[str]]] = {
    "personio.de": ("personio", re.compile(r"/job/(\d+)")),
    "personio.com": ("personio", re.compile(r"/job/(\d+)")),
    "bamboohr.com": ("bamboohr", re.compile(r"/(?:careers|jobs)/(\d+)")),
    "icims.com": ("icims", re.compile(r"/jobs/(\d+)/")),
    "teamtailor.com": ("teamtailor", re.compile(r"/jobs/(\d+)")),
    "recruitee.com": ("recruitee", re.compile(r"/o/([^/?]+)")),
}
_WORKDAY = re.compile(r"/job/(?:[^/]+/)*[^/]*_([^/_]+)/?(?:apply/?)?$")
#: One requisition on a second site, or in a second place: "R0012345-1".
_AGAIN = re.compile(r"(?<=\d{5})-\d{1,2}$")


def ats_id(url: str) -> str:  # noqa: PLR0911 - one return a way to hold the id
    """The name of an applicant system and its id of the posting that an address leads to, or empty."""
    split = _split(url)
    if split is None:
        return ""
    host = _host(split).lower()
    query = split.query
    if query and (found := _IN_QUERY.search(query)):
        return f"greenhouse {found[2]}" if found[1] else f"ashby {found[4].lower()}"
    labels = host.rsplit(".", 2)
    domain = ".".join(labels[-2:])
    if domain in {"myworkdayjobs.com", "myworkdaysite.com"}:
        return _workday(split, host)
    if (system := _BY_HOST.get(domain)) is not None:
        name, pattern = system
        if name == "greenhouse" and (form := _GREENHOUSE_FORM.search(query)):
            return f"greenhouse {form[1]}"
        found = pattern.search(split.path)
        return f"{name} {found[1].lower()}" if found else ""
    if (own := _OWN_HOST.get(domain)) is not None and len(labels) > 2:  # noqa: PLR2004 - a label of its own
        found = own[1].search(split.path)
        return f"{own[0]} {labels[0].removesuffix('.jobs')} {found[1]}" if found else ""
    if query and "http" in query:
        # An aggregator's way out: "?url=https%3A%2F%2Fboards.greenhouse.io...".
        for _, value in parse_qsl(query):
            inner = unquote(value)
            if inner.startswith(("http://", "https://")):
                return ats_id(inner)
    return ""


def _workday(split: SplitResult, host: str) -> str:
    found = _WORKDAY.search(split.path)
    if not found:
        return ""
    if host.endswith("myworkdaysite.com"):
        parts = [each for each in split.path.split("/") if each]
        at = parts.index("recruiting") if "recruiting" in parts else -1
        tenant = parts[at + 1] if at >= 0 and len(parts) > at + 1 else host.split(".", 1)[0]
    else:
        tenant = host.split(".", 1)[0]
    return f"workday {tenant.lower()} {_AGAIN.sub('', found[1]).lower()}"


# --- The role ---------------------------------------------------------------------------------------------

#: Two words that others write as one.
_PAIRS = {
    ("back", "end"): "backend", ("front", "end"): "frontend", ("full", "stack"): "fullstack",
    ("dev", "operations"): "devops", ("cyber", "security"): "cybersecurity", ("e", "commerce"): "ecommerce",
    ("data", "base"): "database", ("sail", "point"): "sailpoint", ("cyber", "ark"): "cyberark",
    ("single", "sign"): "sso", ("multi", "factor"): "mfa",
}  # fmt: skip
_FIRST_HALVES = frozenset(first for first, _ in _PAIRS)
#: Short forms that title keys leave as they are, beside grades in Latin numbers.
_LONG_FORMS: dict[str, tuple[str, ...]] = {
    "i": ("1",), "ii": ("2",), "iii": ("3",), "iv": ("4",), "v": ("5",),
    "pam": ("privileged", "access", "management"), "iga": ("identity", "governance", "administration"),
    "ciam": ("customer", "identity", "access", "management"), "sre": ("site", "reliability", "engineer"),
    "qa": ("quality", "assurance"), "ml": ("machine", "learning"), "hr": ("human", "resources"),
}  # fmt: skip
#: A part of a company in one country; not where the country is what the name is about ("Bank of Ireland").
_COUNTRIES = frozenset({
    "germany", "deutschland", "uk", "usa", "us", "france", "austria", "österreich", "switzerland", "schweiz",
    "suisse", "india", "canada", "australia", "ireland", "netherlands", "nederland", "poland", "polska",
    "spain", "españa", "italy", "italia", "europe", "emea", "singapore", "japan", "brasil", "brazil",
    "belgium",
})  # fmt: skip
_ABOUT_COUNTRIES = frozenset({
    "of", "air", "bank", "and", "telecom", "post", "royal", "national", "republic", "for", "in", "rail",
    "radio", "teach", "save", "network", "gas", "power", "steel", "food", "foods", "visit", "business",
    "media", "sport",
})  # fmt: skip
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")


def company(name: str) -> str:
    """A company's key for roles: `scout.normalise.company_key`, without asides, `.com` and countries."""
    bare = _ASIDE.sub("", name).strip() or name if "(" in name or "[" in name else name
    words = company_key(bare).split()
    if len(words) > 1 and words[-1] == "com":
        words.pop()
    if len(words) > 1 and words[-1] in _COUNTRIES and words[-2] not in _ABOUT_COUNTRIES:
        words.pop()
    return " ".join(words)


def title_words(title: str, employer: str = "") -> frozenset[str]:
    """The words of a title that make the role, in whatever order they stand, without the employer's name."""
    words = title_key(_without_abbreviation(title)).split()
    if not _FIRST_HALVES.isdisjoint(words):
        words = _joined(words)
    named = employer.split()
    if named and len(words) >= len(named) + 2:
        # "IAM Engineer at Acme", "Acme: IAM Engineer". A role of two words is left at least.
        if words[-len(named) :] == named:
            words = words[: -len(named)]
            if words[-1] in {"at", "bei", "chez"}:
                words.pop()
        elif words[: len(named)] == named:
            words = words[len(named) :]
    return frozenset(part for word in words for part in _LONG_FORMS.get(word, (word,)))


_ABBREVIATED = re.compile(r"\s*\(([A-Za-z]{2,5})\)")


def _without_abbreviation(title: str) -> str:
    """A title without what in brackets only repeats the words before: "Privileged Access (PA) Engineer"."""
    found = _ABBREVIATED.search(title) if "(" in title else None
    if found is None:
        return title
    words = re.findall(r"\w+", title[: found.start()].casefold())
    initials = "".join(word[0] for word in words if word not in {"and", "of", "und"})
    short = found[1].casefold()
    # "Customer Identity (CIAM) Architect", "Threat Detection (TD)": the last initials begin or make it.
    repeats = initials.endswith(short) or any(
        initials.endswith(short[:size]) for size in range(2, len(short)) if found[1].isupper()
    )
    return _ABBREVIATED.sub("", title, count=1) if repeats else title


def _joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
            continue
        pair = _PAIRS.get((word, words[at + 1])) if at + 1 < len(words) else None
        joined.append(pair or word)
        skip = pair is not None
    return joined


def role(title: str, employer: str) -> str:
    """Company and title in the form in which roles are compared; empty if one of them is missing."""
    firm = company(employer)
    words = title_words(title, firm)
    return f"{firm}|{' '.join(sorted(words))}" if firm and words else ""


# --- Requisitions -----------------------------------------------------------------------------------------

_IN_TITLE = re.compile(
    r"\b(?:job ?(?:code|id|number|ref(?:erence)?)|req(?:uisition)?(?: ?(?:id|no|number))?|ref(?:erence)?|"
    r"posting id|vacancy (?:id|no)|kennziffer)\b\s*[:#.\u2013-]*\s*([A-Z]{0,4}[-_]?\d{3,}[\w-]*)"
    r"|[(\[#]\s*((?:JR|R|REQ)?[-_]?\d{4,})\s*[)\]]?",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[\W_]+")


def requisition(written: str) -> str:
    """A requisition id in the form in which they are compared; empty if it is none, as "evergreen"."""
    text = _SIGNS.sub("", unicodedata.normalize("NFKC", written[:_MOST]).casefold()) if written else ""
    return text if _DIGIT.search(text) else ""


def requisition_in_title(title: str) -> str:
    """The requisition id that a title names, likewise; empty where it names none."""
    if not _DIGIT.search(title):
        return ""
    found = _IN_TITLE.search(title[:500])
    return requisition(found[1] or found[2]) if found else ""
