"""Where the work is done, with the words that say so, and from where it may be done."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from scout.normalise.places import country_named, place
from scout.normalise.text import line
from scout.postings import Place, Remote

_FIELD_VALUES = {
    "remote": Remote.REMOTE, "fullyremote": Remote.REMOTE, "fullremote": Remote.REMOTE,
    "remoteonly": Remote.REMOTE,
    "remotefirst": Remote.REMOTE, "remoteemployee": Remote.REMOTE, "remoteworker": Remote.REMOTE,
    "telecommute": Remote.REMOTE, "telework": Remote.REMOTE, "homebased": Remote.REMOTE,
    "workfromhome": Remote.REMOTE,
    "homeoffice": Remote.REMOTE, "virtual": Remote.REMOTE, "anywhere": Remote.REMOTE,
    "workfromanywhere": Remote.REMOTE,
    "fully": Remote.REMOTE, "remoto": Remote.REMOTE, "hybrid": Remote.HYBRID, "hybridremote": Remote.HYBRID,
    "remotehybrid": Remote.HYBRID, "partiallyremote": Remote.HYBRID, "partlyremote": Remote.HYBRID,
    "partialremote": Remote.HYBRID, "flexhybrid": Remote.HYBRID, "onsitehybrid": Remote.HYBRID,
    "hibrido": Remote.HYBRID, "hbrido": Remote.HYBRID, "onsite": Remote.ONSITE, "inoffice": Remote.ONSITE,
    "inperson": Remote.ONSITE, "office": Remote.ONSITE, "officebased": Remote.ONSITE,
    "notremote": Remote.ONSITE, "noremote": Remote.ONSITE,
    "onsiteonly": Remote.ONSITE, "presencial": Remote.ONSITE, "onpremise": Remote.ONSITE,
}  # fmt: skip
_FIELD_BEGINS = (
    (
        re.compile(
            r"(?:fully |100% )?remote(?:\s*[-\u2013,:(/]| (?:within|in|from|across|anywhere)\b)",
            re.IGNORECASE,
        ),
        Remote.REMOTE,
    ),
    (re.compile(r"hybrid\b", re.IGNORECASE), Remote.HYBRID),
    (re.compile(r"on-?\s?site\s*[-\u2013,:(]", re.IGNORECASE), Remote.ONSITE),
)


def remote_field(value: Any) -> Remote:
    """What a board's own field for the place of work says; unknown for words that say nothing."""
    return _field(value[:80]) if isinstance(value, str) else Remote.UNKNOWN


@functools.lru_cache(maxsize=2_000)
def _field(value: str) -> Remote:
    found = _FIELD_VALUES.get(re.sub(r"[^a-z]", "", value.lower()), Remote.UNKNOWN)
    if found is Remote.UNKNOWN and "or " not in value:
        found = next((kind for words, kind in _FIELD_BEGINS if words.match(value)), found)
    return found


_ROLE = (
    r"(?:role|position|job|opportunity|vacancy|opening|post|posting|assignment|internship|contract|"
    r"requisition)"
)
_THIS = rf"(?:(?:this|the|our)(?: [\w-]+){{0,3}}? {_ROLE}|this|it)"
_NOT = (
    r"(?: is| are| will| can| does)?(?: not|n['\u2019]t|not)(?: currently| be| offer| an?| eligible for|"
    r" open to| available| "
    r"suitable for| considered| support| allow| as| for| to be| performed| done| worked)*"
)

# What a title or a place says.
_HYBRID = re.compile(
    r"\bhybrid(?:e|-remote)?\b(?![- ](?:cloud|identit|infrastr|vehicle|mobile|app|integrat|it\b|bond|"
    r"electr|power|"
    r"network|search|warfare|azure|environment|multi|propuls|hr\b|data|ai\b|it |fund|retail|event|pixel|"
    r"compute|storage))|"
    r"\bh[ií]brid[oa]\b|\bhybryd\w+|\bpartially remote\b",
    re.IGNORECASE,
)
_REMOTE = re.compile(
    r"\bremote(?:ly)?\b(?![- ](?:sensing|pilot|monitor|access|desktop|support|control|patient|"
    r"infrastruct|manage|"
    r"operat|hands|vehicle|diagnos|site|sites|team|interpret|captur|deposit|weapon|handling|"
    r"identity (?:verif|proof)|vpn|"
    r"device|"
    r"proctor|office|offices|service|services|teleop|connect|visual|health|driv|test))|"
    r"\bwork(?:ing)? from (?:home|anywhere)\b|"
    r"\btelecommut\w*|\btelewerk\w*|\bhome[- ]?office\b|\bhome[- ]based\b|\bwfh\b|\bt[ée]l[ée]travail\b|"
    r"\bteletrabajo\b|"
    r"\bremot[oa]\b|\bzdaln\w+|\banywhere\b",
    re.IGNORECASE,
)
_ONSITE = re.compile(
    r"\bon[- ]?site\b|\bin[- ]office\b|\bin[- ]person\b|\bpresencial\b|\boffice[- ]based\b|\bnot remote\b",
    re.IGNORECASE,
)


def _of_lowered(pattern: str) -> re.Pattern[str]:
    """A pattern for text in lower case: several times as fast as one that ignores case."""
    return re.compile(pattern.lower())


# What a text says outright. Perks ("work from anywhere for four weeks a year") are told apart afterwards.
_DENIAL = _of_lowered(
    rf"\b(?:{_THIS}{_NOT}(?: an?)?(?: (?:fully|100%|completely|entirely|full[- ]time))?[- ]remote|"
    r"not (?:an? )?(?:(?:fully|100%) )?remote (?:role|position|job|opportunity)|"
    r"remote (?:work|working|employment|applicants|candidates|applications|arrangements?|"
    r"options?)(?: (?:is|are|will|can))?"
    r"(?: not|n['\u2019]t|not) (?:be )?(?:an option|available|offered|possible|permitted|allowed|"
    r"considered|supported|accepted|eligible)|"
    r"(?:no|without any) remote (?:work|option|working|candidates|possibilit|opportunit|applicants|"
    r"arrangement)\w*|"
    r"not (?:open|able) to (?:offer |consider |accommodate |support )?(?:fully )?remote|"
    r"(?:do not|don['\u2019]t|cannot|can['\u2019]t|are unable to|not able to|unable to) (?:offer|support|"
    r"allow|consider|accommodate|provide|accept|hire)"
    r" (?:any )?(?:fully )?remote|kein(?:e)? (?:remote|home[- ]?office)|pas de t[ée]l[ée]travail|"
    r"no remote\b(?! sens)|"
    r"(?:sin|no hay) (?:teletrabajo|trabajo remoto))",
)
#: A label before the word itself: "Workplace type: Remote".
_LABEL = (
    r"(?:work ?place|work(?:ing)?|location|job|office|remote)(?: (?:type|location|mode|model|"
    r"setting|arrangement|"
    r"policy|style|status))?\s?:\s?(?:fully |100% )?"
)
_TEXT_ONSITE = _of_lowered(
    rf"\b(?:{_LABEL}(?:in[- ]person|on[- ]?site|in[- ]office)\b(?! or| /)|"
    r"commut\w+ (?:daily )?to (?:our|the) [\w ]{0,30}(?:office|site|hq|campus)(?: daily|"
    r" every day| each day)|"
    r""
    r"work (?:is|will be|must be) (?:performed|done|carried out|conducted) (?:on[- ]?site|"
    r"in[- ]person|in[- ]office)|"
    r"in[- ](?:the )?office,? mon(?:day)? ?(?:to|through|thru|-|\u2013) ?fri(?:day)?|"
    r""
    r"(?:will|must) (?:be )?(?:work(?:ing)?|based) (?:full[- ]time )?(?:on[- ]?site|in[- ]person|"
    r"in[- ]office) (?:at|in)\b|"
    rf"{_THIS}(?: is| will be| requires| must be)(?: an?)?(?: (?:fully|100%|strictly|completely|"
    rf"full[- ]time|entirely|primarily|"
    r"five days|5 days|work(?:ing)?))*[ -](?:on[- ]?site|in[- ]office|in[- ]person|"
    r"office[- ]based)(?! (?:or|and) remote)|"
    r"(?:fully|100%|strictly) (?:on[- ]?site|in[- ]office|in[- ]person)|"
    r"must (?:be|work)(?: fully| able to work)? on[- ]?site(?! (?:up to|occasionally|once|two|three|2|3|"
    r"1|one))|"
    r"on[- ]?site (?:only|(?:five|5) days|full[- ]time|role|position)|"
    r"(?:five|5) days (?:a|per|/|each) ?week (?:on[- ]?site|in[- ](?:the |our )?(?:\w+ )?office|"
    r"in[- ]person|from (?:the|our) (?:\w+ )?office)|"
    r"(?:in|at)[- ](?:the |our )?(?:\w+ )?office,? (?:five|5) days|(?:on[- ]?site|in[- ]person) (?:work|"
    r"presence|attendance) is required|"
    r"requires? (?:daily |full[- ]time |regular )?(?:on[- ]?site|in[- ]person|in[- ]office) (?:presence|"
    r"attendance|work)|100% presencial|"
    r"vor ort in (?:unserem|unserer)|(?:Monday (?:to|through|-) Friday) (?:in|at) (?:the|our) office)",
)
_DAYS = r"(?:[1-4]|one|two|three|four)(?:\s?(?:-|\u2013|to|or)\s?(?:\d|two|three|four))?"
_TEXT_HYBRID = _of_lowered(
    rf"\b(?:telework(?:ing)? (?:up to )?{_DAYS} days|{_LABEL}hybrid\b|"
    r"hybrid ways? of working|in[- ]office (?:expectations?|requirements?|days)\s?:|"
    r""
    r""
    r"\d{2} ?% (?:of (?:the|your) time )?(?:in[- ])?(?:the )?office|"
    r"(?:office|hub|hq|site) (?:at least )?(?:once|twice|(?:one|two|"
    r"three) days?) (?:or twice )?(?:a|per|each) week|"
    r"(?:once|twice) (?:or twice )?(?:a|per|each) week (?:in|at|from) (?:the|"
    r"our) (?:[\w.]+ ){0,3}?(?:office|hub|hq|site)|"
    r"(?:in|at|to) (?:the |our )?(?:\w+ )?office (?:on|every|each) (?:mon|tues|wednes|thurs|fri)days?|"
    rf"{_THIS}(?: is| will be| follows| offers| has| operates (?:on|in)|"
    rf" requires)(?: an?)?(?: fully| currently)? hybrid(?!-? ?cloud)|"
    r"hybrid (?:role|position|job|opportunity|schedule|work(?:ing|place)? (?:model|schedule|arrangement|"
    r"policy|setup|pattern|environment|mode|style|approach)|model|setup|arrangement|policy|office|"
    r"remote)\b(?! cloud)|"
    rf"{_DAYS} days?(?: (?:a|per|each|every) ?(?:week|month)|/week|pw)?(?: (?:working|spent|"
    rf"work))?[ ,]*(?:in|at|from|on)[- ]?"
    r"(?:the |our |an? )?(?:[\w.]+ ){0,3}?(?:office|site|hub|hq|campus|headquarters)\b|"
    rf"(?:in|at|from)[- ](?:the |our )?(?:\w+ ){{0,2}}?(?:office|hq|site)(?: (?:at least|minimum|"
    rf"a minimum of|for))? {_DAYS} (?:days|times)|"
    rf"(?:office|on[- ]?site|in[- ]person|"
    rf"in[- ]office)(?: presence)?(?: of)?(?: at least)? {_DAYS} (?:days|times) (?:a|per|each|"
    rf"/) ?(?:week|month)|"
    rf"work(?:ing)? (?:remotely|from home|remote)(?: for)?(?: up to)? {_DAYS} days (?:a|per|each|/) ?week|"
    rf"{_DAYS} days?(?: (?:a|per|each|/) ?week)? (?:remote|remotely|wfh|(?:working |work )?from home|"
    rf"of remote work|home[- ]office)|"
    rf"{_DAYS} jours? (?:de |par semaine de |en )?t[ée]l[ée]travail|t[ée]l[ée]travail (?:partiel|"
    rf"{_DAYS} jours)|"
    rf"{_DAYS} tage?(?: (?:pro|die|in der) woche)? (?:home[- ]?office|mobiles arbeiten|remote|im home)|"
    rf"hybrides? arbeit\w*|"
    r"modal(?:idad|idade) h[ií]brida|trabajo h[ií]brido|trabalho h[ií]brido|modelo h[ií]brido|"
    r"praca hybrydowa|"
    r"(?:mix of|combination of|split between) (?:remote|office|home|on[- ]?site|"
    r"in[- ]office)[\w -]{0,20} and (?:remote|office|home|on[- ]?site|"
    r"in[- ]office))",
)
_TEXT_REMOTE = _of_lowered(
    rf"\b(?:{_LABEL}remote\b(?! ?(?:/|or\b|and\b))|"
    rf"work(?:ing)? from (?:the comfort of )?your (?:own )?home\b|"
    r"(?:t[\u00e9e]l[\u00e9e]travail|teletrabajo|remoto|home[- ]?office) (?:[\u00e0a] |al )?100 ?%|"
    rf"{_THIS}(?: is| will be| can be| may be)(?: an?)?(?: (?:fully|100%|completely|entirely|"
    rf"currently|permanently|also|open to|"
    r"performed|done|worked|based|located|full[- ]time|primarily|work|US|U\.S\.|UK|"
    r"EU))*[ -]remote(?:ly)?(?![- ](?:first company|friendly|optional))|"
    rf"(?:fully|100 ?%|completely|entirely|permanently)[- ]?remote\b(?! (?:sens|access))|"
    rf"remote(?:[- ]only)? {_ROLE}\b(?! (?:boards?|sites?|search|seekers?|market|listings?))|"
    r"(?:you(?: can| will|['\u2019]ll| may)|candidates? (?:can|may|will)|employees? (?:can|"
    r"may)) (?:be )?(?:work(?:ing)? )?(?:fully |100% |completely )?"
    r"(?:remotely|from home|remote|from anywhere)\b|"
    r"(?:we are|we['\u2019]re) (?:an? )?(?:fully |100% |all[- ]|entirely )remote (?:company|team|"
    r"organi[sz]ation)|"
    r"work(?:ing)? (?:is )?(?:fully |100% )remote(?:ly)?|(?:location|workplace|work location|"
    r"work type)\s?: (?:fully |100% )?remote\b|"
    r"remote(?:ly)? (?:within|in|from|across|anywhere in) (?:the )?(?:US|USA|U\.S\.|UK|EU|EEA|United|Europe|"
    r"Canada|Germany|India|North|Latin|any)|"
    r"work(?:ing)? remotely from (?:anywhere|within|any)|(?:role|job|position|work) can be (?:done|performed|"
    r"based|carried out) (?:fully )?(?:remotely|from (?:home|anywhere))|home[- ]based (?:role|position|job)|"
    r"work[- ]from[- ]home (?:role|position|job)|"
    r"100 ?% (?:home[- ]?office|t[ée]l[ée]travail|remoto|teletrabajo|zdaln\w+)|"
    r"t[ée]l[ée]travail (?:complet|total|int[ée]gral|[àa] 100)|"
    r"full remote|vollständig remote|komplett remote|trabajo (?:100% )?remoto|praca (?:w pełni )?zdalna)",
)
#: What follows or stands before words about remote work that makes of them a perk and no place.
_PERK_AFTER = _of_lowered(
    r"^[^.;\n]{0,40}?\b(?:up to|for (?:a|\d+|two|three|four|several)|weeks?|days? (?:a|per) (?:year|"
    r"month|quarter)|occasional(?:ly)?(?! travel)|when needed|"
    r"as needed|from time to time|if needed|after (?:the )?(?:probation|training|onboarding)|on occasion|"
    r"on fridays|"
    r"temporar\w+|during (?:the )?(?:summer|august|interview))\b",
)
_PERK_BEFORE = _of_lowered(
    r"(?:occasional(?:ly)?|weeks? (?:of|a year)|some|partial(?:ly)?|support(?:s|ing)?|temporar\w+|"
    r"manag\w+|with|for|our|"
    r"option(?:al)?(?: to)?|flexib\w+|ability to|days? (?:of|to)|interview\w*(?: is| are)?|"
    r"onboarding(?: is)?|initially)\s*$",
)
# What every pattern for the text holds one of. Finding these words is far cheaper than trying the patterns.
_REMOTE_MENTIONS = ("remot", "home", "anywhere", "travail", "teletrabajo", "zdaln")
_HYBRID_MENTIONS = (
    "brid",
    "bryd",
    "mix of",
    "combination of",
    "split between",
    "partiel",
    "office ex",
    "office re",
)
_ONSITE_MENTIONS = (
    "site", "n-office", "n office", "office-based", "n-person", "n person", "presencial",
    "vor ort", "commut",
)  # fmt: skip
_DAY_MENTIONS = (
    " day", " times ", " jours", " tage", "once ", "twice ", "% ", "office on", "office every",
    "telework",
)  # fmt: skip
#: A day is of interest beside one of these only.
_WORKPLACES = (
    "office", "site", " hq", " hub", "campus", "headq", "home", "remot", "person", "travail", "arbeit",
    "telework",
)  # fmt: skip
_LIMIT_MENTIONS = (" only", "based ", "residents", " remote")
_LIVING_MENTIONS = (
    "remote",
    "anywhere",
    "based ",
    "located ",
    "resid",
    "live ",
    "living ",
    "to work ",
    "work from",
)
_BEFORE, _AFTER = 90, 160


def _around(lowered: str, mentions: Iterable[str], text: str = "") -> str:
    """The parts of a text in lower case, or of the text itself, around its mentions of something."""
    spans: list[tuple[int, int]] = []
    for word in mentions:
        at = lowered.find(word)
        while at >= 0:
            spans.append((max(0, at - _BEFORE), at + _AFTER))
            at = lowered.find(word, at + len(word))
    return "\n".join((text or lowered)[start:end] for start, end in _merged(spans))


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _around_days(lowered: str) -> str:
    """The parts of a text around days that are spent somewhere."""
    near = _around(lowered, _DAY_MENTIONS)
    return "\n".join(part for part in near.split("\n") if any(word in part for word in _WORKPLACES))


def remote(
    *, fields: Iterable[tuple[str, Any]] = (), title: str = "", places: Iterable[str] = (), text: str = ""
) -> tuple[Remote, str]:
    """Where the work is done, and the words that say so. The strongest evidence wins; silence is unknown.

    The order: an explicit denial of remote work in the text, a field of the board, the title, a plain
    statement in the text of days in the office or of work on site, the places, other plain statements in the
    text. A bare mention in the text ("remote-friendly benefits", weeks of working from anywhere) is no
    evidence.

    Args:
        fields: Names and values of the board's own fields, the most telling first.
        title: The posting's title.
        places: Its locations.
        text: Its description as plain text.
    """
    lowered = text.lower()
    fields = tuple(fields)
    near_remote = _around(lowered, _REMOTE_MENTIONS)
    denial = _DENIAL.search(near_remote) if near_remote else None
    if denial:
        # "Not fully remote" is said of hybrid work as often as of work on site.
        hybrid = _hybrid_by_text(lowered, _around_days(lowered))
        kind = Remote.HYBRID if hybrid or _says_hybrid(fields, title) else Remote.ONSITE
        return kind, _quoted(hybrid or denial, text, lowered)
    for name, value in fields:
        found = remote_field(value)
        if found is not Remote.UNKNOWN:
            return found, f"{name}: {line(value, 60)}"
    found = _in_words(title)
    if found is not Remote.UNKNOWN:
        return found, f"title: {title[:120]}"
    near_days = _around_days(lowered)
    hybrid = _hybrid_by_text(lowered, near_days)
    if hybrid:
        return Remote.HYBRID, _quoted(hybrid, text, lowered)
    onsite = _TEXT_ONSITE.search(f"{_around(lowered, _ONSITE_MENTIONS)}\n{near_days}")
    if onsite:
        return Remote.ONSITE, _quoted(onsite, text, lowered)
    return _by_place(tuple(places)) or _remote_by_text(near_remote, text, lowered)


def _hybrid_by_text(lowered: str, near_days: str) -> re.Match[str] | None:
    return _TEXT_HYBRID.search(f"{_around(lowered, _HYBRID_MENTIONS)}\n{near_days}")


def _by_place(places: Sequence[str]) -> tuple[Remote, str] | None:
    for kind in (Remote.HYBRID, Remote.REMOTE, Remote.ONSITE):
        for each in places:
            if _in_words(each) is kind:
                return kind, f"location: {each[:120]}"
    return None


def _remote_by_text(near: str, text: str, lowered: str) -> tuple[Remote, str]:
    """Remote by a plain statement in the text that is no perk; unknown without one."""
    for said in _TEXT_REMOTE.finditer(near):
        after, before = near[said.end() : said.end() + 60], near[max(0, said.start() - 30) : said.start()]
        if not _PERK_AFTER.search(after) and not _PERK_BEFORE.search(before):
            return Remote.REMOTE, _quoted(said, text, lowered)
    return Remote.UNKNOWN, ""


def _says_hybrid(fields: Sequence[tuple[str, Any]], title: str) -> bool:
    return bool(_HYBRID.search(title)) or any(remote_field(value) is Remote.HYBRID for _, value in fields)


def _quoted(match: re.Match[str], text: str, lowered: str) -> str:
    """The words as the text has them."""
    at = lowered.find(match[0])
    # A few letters are longer in lower case; then the places in the two do not agree.
    words = text[at : at + len(match[0])] if at >= 0 and len(text) == len(lowered) else match[0]
    return f"text: \u201c{' '.join(words.split())[:120]}\u201d"


@functools.lru_cache(maxsize=4_000)
def _in_words(words: str) -> Remote:
    """What a title or a place says."""
    for kind, pattern in (
        (Remote.HYBRID, _HYBRID),
        (Remote.ONSITE, _NOT_REMOTE),
        (Remote.REMOTE, _REMOTE),
        (Remote.ONSITE, _ONSITE),
    ):
        if pattern.search(words):
            return kind
    return Remote.UNKNOWN


_NOT_REMOTE = re.compile(r"\b(?:not|no|non)[- ]remote\b", re.IGNORECASE)

#: Groups of countries by the words for them, the narrower first.
_GROUPS = (
    ("EMEA", r"\bemea\b|europe,? (?:the )?middle east,? (?:and|&) africa"),
    ("EU", r"\beu\b|european union|\beea\b|\beuropean economic area"),
    ("EUROPE", r"\beurope\b|\beuropean (?:time|countr)|\beuropa\b|\bcet\b|\bcee\b|\bnordics?\b|\bdach\b"),
    ("APAC", r"\bapac\b|asia[- ]pacific|\basia\b|\banz\b|\boceania\b|\bsoutheast asia\b"),
    ("LATAM", r"\blatam\b|latin america|south america|am[ée]rica latina|\bcentral america\b"),
    ("NORTH_AMERICA", r"\bnorth america\b|\bnoram\b|\bnamer\b"),
    ("AMERICAS", r"\bamericas\b|\bamer\b"),
    ("AFRICA", r"\bafrica\b(?<!south africa)"),
    ("MIDDLE_EAST", r"\bmiddle east\b|\bmena\b|\bgcc\b"),
    ("WORLDWIDE", r"\bworld ?-?wide\b|\bglobal(?:ly)?\b|\bany ?where(?! in\b(?! the world))"),
)  # fmt: skip
_GROUP = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _GROUPS), re.IGNORECASE)
_WHERE = r"(?:the )?(?P<where>[A-Z][\w.]*(?:[ /&,-]+(?:(?:and|or|the|of|&) )*[A-Z][\w.]*){0,6}|the world)"
_REMOTE_FROM = re.compile(
    r"\b(?i:remote(?:ly)?|anywhere)\s*(?i:only |exclusively |positions? |roles? |jobs? |work )?"
    r"(?:[(\u2013,:-]|in|within|across|from|anywhere in|based in|throughout|inside)\s*"
    rf"(?:anywhere in |one of |any of |either )?{_WHERE}"
)
_MUST_LIVE = re.compile(
    r"\b(?i:must|need to|should|required to|candidates?|applicants?|you(?:['\u2019]re| are)?|"
    r"eligible to|"
    r"able to|authori[sz]ed to|open to|hiring|only)\b[^.\n]{0,40}?\b(?:based|located|resid\w+|live|"
    r"living|work)\s+"
    rf"(?:anywhere )?(?:in|within|from|across)\s+(?:anywhere in |one of |any of |either )?{_WHERE}"
)
_LIMIT = re.compile(
    r"\b(?P<where>US|U\.S\.|USA|UK|EU|EEA|Canada|Europe|EMEA|LATAM|APAC|Germany|India|Brazil|Poland|"
    r"Spain|France|Mexico|Australia|"
    r"North America|United States|United Kingdom)(?:[ -](?:only|based candidates|residents only|remote)|"
    r"[- ]based (?:only|candidates|applicants))",
)
_BREAKS = re.compile(r"[,/&;()|]|\s+(?:and|or|und|et|-)\s+|\s+[-\u2013]\s+|\s[-\u2013]|[-\u2013]\s")
_UNITED_STATES = re.compile(r"^(?:the )?(?:contiguous |continental )?(?:US|U\.S\.?|USA|U\.S\.A\.|Us)$")


def remote_regions(*, places: Sequence[Place] = (), title: str = "", text: str = "") -> tuple[str, ...]:
    """From where remote work may be done: ISO country codes, and names of groups of countries.

    Groups are `EU`, `EUROPE`, `EMEA`, `APAC`, `LATAM`, `NORTH_AMERICA`, `AMERICAS`, `AFRICA`, `MIDDLE_EAST`
    and
    `WORLDWIDE`. Empty means that nobody says: a bare "Remote" is not the whole world.

    The order: places and title beside their word for remote ("Remote - EU"), a statement in the text ("must
    reside in Canada"), the countries of the places.
    """
    found: dict[str, None] = {}
    for each in places:
        if _REMOTE.search(each.raw) or not each.country:
            _add(found, each.raw, each.country)
    if not found and _REMOTE.search(title):
        beside = _REMOTE.split(title)
        # The words beside "remote" in the title, not those of the role: "Global Sales Manager (Remote, UK)".
        _add(found, re.split(r"[)\]|]", beside[-1].lstrip(" |:,(\u2013-"))[0][:60], "")
    if not found:
        lowered = text.lower()
        near = _around(lowered, _LIVING_MENTIONS, text)
        limits = _around(lowered, _LIMIT_MENTIONS, text)
        for pattern, words in ((_LIMIT, limits), (_MUST_LIVE, near), (_REMOTE_FROM, near)):
            for said in pattern.finditer(words):
                if said["where"] == "the world":
                    found["WORLDWIDE"] = None
                else:
                    _add(found, said["where"], "")
            if found:
                break
    if not found:
        found = dict.fromkeys(each.country for each in places if each.country)
    return tuple(found)


def _add(found: dict[str, None], words: str, country: str) -> None:
    if country:
        found[country] = None
    for group in _GROUP.finditer(words):
        if group.lastgroup is not None and (group.lastgroup != "WORLDWIDE" or not country):
            found[group.lastgroup] = None
    for part in _BREAKS.split(words):
        name = part.strip(" .:").removeprefix("the ")
        # Beside a place whose country is known, another country's name is a second one: "(US or Canada)".
        code = country_named(name) if country else _country_of(name)
        if code:
            found[code] = None


@functools.lru_cache(maxsize=4_000)
def _country_of(part: str) -> str:
    if _UNITED_STATES.match(part):
        return "US"
    if _GROUP.fullmatch(part) or not part[:1].isupper():
        return ""
    return place(part).country
