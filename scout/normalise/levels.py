"""The level of a job, out of its title."""

from __future__ import annotations

import functools
import re

#: From the lowest to the highest; a manager leads people. Empty means that the title does not say.
LEVELS = (
    "intern", "entry", "mid", "senior", "staff", "principal", "lead", "manager", "director", "executive",
)  # fmt: skip

_INTERN = re.compile(
    r"\b(?:intern(?:s|ship)?|trainee(?:ship)?|apprentice(?:ship)?|working student|werkstudent(?:in)?|"
    r"praktik(?:um|ant(?:in)?)|"
    r"stagiaire|stage|alternan(?:ce|t)|co-?op|student|estágio|estagi[aá]ri[oa]|becari[oa]|pasant[ií]a|"
    r"practicante|"
    r"auszubildende[r]?|ausbildung|azubi|v\.?i\.?e\.?|staż(?:ysta)?|tirocinio|summer (?:analyst|"
    r"associate)|duales studium)\b"
    r"|インターン|实习",
    re.IGNORECASE,
)
#: What is done for students, or is named so, is no internship.
_NO_INTERN = re.compile(
    r"\b(?:student (?:affairs|services?|success|recruitment|housing|life|support|engagement|experience|"
    r"loans?|advis|"
    r"accounts|financ|enrol|admission|outcomes|records|wellness|care|activities|health|programs?|union|"
    r"conduct)|"
    r"(?:early|late|growth|multi|on|back|main|first|two|next)[- ]stage|stage (?:manager|hand|design|"
    r"technician|gate)|"
    r"intern(?:ship)? (?:program|coordinator|recruit)|co-?op (?:program|manager|store)|international)\b",
    re.IGNORECASE,
)
_EXECUTIVE = re.compile(
    r"\b(?:chief (?!of staff\b)[\w&, ]{0,50}officer|c[efiotmprs]o|ciso|cpto|chro|(?:s|e|a)?vp|"
    r"(?:assistant |senior |executive |"
    r"associate |regional )?vice[- ]president|vice chancellor|provost|president|founder|co-?founder|"
    r"managing partner|"
    r"geschäftsführer(?:in)?|vorstand|partner and head|directeur général|chief [\w]+ (?:&|"
    r"and) [\w]+ officer)\b",
    re.IGNORECASE,
)
#: A person who helps, reports to or sells to one is none.
_NO_EXECUTIVE = re.compile(
    r"\b(?:(?:assistant|advisor|analyst|partner|coordinator|counsel|associate|support|admin\w*) to (?:the )?|"
    r"office of (?:the )?|(?:to|for) (?:the|our) )(?:chief|c[efiotmprs]o|ciso|president|vice)\b",
    re.IGNORECASE,
)
_DIRECTOR = re.compile(
    r"\b(?:director|directeur|directrice|direktor(?:in)?|diretora?|head of|head,|global head|regional head|"
    r"group head|leiter(?:in)? der|leiter(?:in)? (?:it|edv)|bereichsleiter(?:in)?|"
    r"abteilungsleiter(?:in)?)\b|\bhead$",
    re.IGNORECASE,
)
_NO_DIRECTOR = re.compile(
    r"\b(?:art|creative|film|video|casting|funeral|music|technical) director\b|\b(?:assistant|"
    r"support) to (?:the )?"
    r"(?:\w+ )?director\b|\bactive director",
    re.IGNORECASE,
)
_MANAGER = re.compile(
    r"\b(?:manager(?:in)?|mgr|managing|gerente|responsable|teamleiter(?:in)?|kierownik|manageress)\b",
    re.IGNORECASE,
)
#: Managers of things rather than of people: by their titles these are professionals.
_THINGS = (
    r"product|project|program(?:me)?|account|partner(?:ship)?s?|customer success|success|vendor|"
    r"portfolio|change|policy|community|content|campaign|product marketing|release|delivery|"
    r"relationship|treasury|contract|operations manager(?=, (?:product|platform))|product operations|"
    r"territory|property|grants?|alliance|category|brand|social media|event|bid|incident|knowledge|"
    r"merchant operations|strategy & operations|strategy and operations|technical program"
)
_MANAGER_OF_THINGS = re.compile(
    rf"\b(?:{_THINGS})s?[ -](?:management )?(?:manager(?:in)?|mgr)\b", re.IGNORECASE
)
_PROJECT_LEAD = re.compile(
    r"\b(?:projektleiter(?:in)?|projektmanager(?:in)?|produktmanager(?:in)?|chef(?:fe)? de projet)\b",
    re.IGNORECASE,
)
_CASE_MANAGER = re.compile(
    r"\b(?:case|care|nurse case|night|duty|shift|floor) manager\b|\baccess manager\b", re.IGNORECASE
)
_SENIOR_MANAGER = re.compile(r"\b(?:senior|sr\.?) manager\b", re.IGNORECASE)
_PRINCIPAL = re.compile(r"\b(?:principal|distinguished|fellow)\b", re.IGNORECASE)
_NO_PRINCIPAL = re.compile(
    r"\b(?:(?:assistant|vice|school|deputy) principal|(?:postdoctoral|research|clinical|teaching|graduate|"
    r"surgery|visiting) fellow|principal investigator)\b",
    re.IGNORECASE,
)
_STAFF = re.compile(
    r"\bstaff\b(?! (?:assistant|nurse|accountant|attorney|pharmacist|member|scientist i\b|augment|training|"
    r"development|support|physician|writer|operations and))",
    re.IGNORECASE,
)
_NO_STAFF = re.compile(
    r"\b(?:chief of staff|(?:support|medical|nursing|bar|kitchen|wait|event|office|cleaning) staff)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\b(?:lead|team[- ]?lead(?:er)?|tech(?:nical)?[- ]?lead(?:er)?|(?:engineering|group|squad|practice|"
    r"shift) leader|"
    r"leader|teamlead(?:er)?|líder|chef d['\u2019]équipe|leitung)\b",
    re.IGNORECASE,
)
_NO_LEAD = re.compile(
    r"\blead(?:s)? (?:gen(?:eration)?|qualif|develop(?:ment)? rep|management|nurtur|conversion|scoring)|"
    r"\blead[- ](?:acid|free|time)",
    re.IGNORECASE,
)
_SENIOR = re.compile(
    r"\b(?:senior|sênior|sénior|snr|sr|expert|experienced|erfahrene[rn]?|confirmé|"
    r"starszy|sse)\b|高级|シニア",
    re.IGNORECASE,
)
_NO_SENIOR = re.compile(
    r"\bsubject[- ]matter experts?\b|\bsemi[- ]?senior\b|\bsenior (?:support|living|care|housing|"
    r"leadership|citizens?|"
    r"management)\b"
    r"|\bexpert (?:systems|witness|network)",
    re.IGNORECASE,
)
_SENIOR_OR_LEAD = re.compile(r"\b(?:senior|sr)\b\.?\s*[/&]\s*lead\b", re.IGNORECASE)
_MID_TO_SENIOR = re.compile(r"\bmid(?:-level)?(?:\s*[-/]\s*|\s+to\s+|\s+)senior\b", re.IGNORECASE)
_ENTRY = re.compile(
    r"\b(?:junior|jr|jnr|graduate|grad|new grad|entry[- ]?level|early[- ]career|débutant|júnior|młodszy|"
    r"absolvent|"
    r"berufseinsteiger(?:in)?|associate|trainee engineer|rotational associates|nachwuchs\w*)\b",
    re.IGNORECASE,
)
_NO_ENTRY = re.compile(
    r"\b(?:associate (?:director|partner|professor|dean|principal|general counsel|vp|vice)|"
    r"graduate school|graduate medical|graduate admission)",
    re.IGNORECASE,
)
_MID = re.compile(
    r"\b(?:mid(?:[- ]?level)?(?![- ]?(?:market|size|cap\b|atlantic|day))|"
    r"intermediate|medior|pleno|semi[- ]?senior|ssr)\b|\b[a-z]*level ii\b",
    re.IGNORECASE,
)
_SEVERAL_LEVELS = re.compile(
    r"\ball levels\b|\bmultiple levels\b|\bearly career to senior\b|\bi\s*[/-]\s*ii\s*[/-]\s*iii\b|"
    r"\bjunior (?:to|-|/) senior\b",
    re.IGNORECASE,
)
#: "Engineer/Sr Engineer": the plain one is offered too.
_EITHER = re.compile(r"\b(\w+)\s*/\s*(?:sr\.?|senior)\s+\1\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<=[a-z.)])(?<!tier)(?<!shift)(?<!phase)(?<!zone)(?<!band)"
    r"[ ,-]+(?:level |l|grade )?(iv|iii|ii|i|v|[1-5])\b(?![.%+/&'\u2019]|\s*(?:/|st\b|nd\b|"
    r"x\b|years?|listings))",
    re.IGNORECASE,
)
_NUMBERS = {
    "i": "entry", "1": "entry", "ii": "mid", "2": "mid", "iii": "senior", "3": "senior", "iv": "senior",
    "4": "senior",
    "v": "senior", "5": "senior",
}  # fmt: skip
_LATIN = frozenset({"i", "ii", "iii", "iv", "v"})


@functools.lru_cache(maxsize=4_000)
def level(title: str) -> str:
    """One of `LEVELS`, or empty where the title does not say.

    The highest word counts: `Senior Director` is a director, `Lead, Manager` a manager. Managers of products,
    projects and accounts are no managers of people: `mid`, or what else the title says. Roman numbers count
    as grades; a title that is offered at several levels has none.
    """
    title = title[:300]
    if _SEVERAL_LEVELS.search(title):
        return ""
    if _EXECUTIVE.search(title) and not _NO_EXECUTIVE.search(title):
        return "executive"
    if _INTERN.search(_NO_INTERN.sub(" ", title)):
        return "intern"
    if _DIRECTOR.search(title) and not _NO_DIRECTOR.search(title):
        return "director"
    return _managing(title) or _professional(title)


def _managing(title: str) -> str:
    if not _MANAGER.search(title):
        return "mid" if _PROJECT_LEAD.search(title) and not _professional(title) else ""
    if _SENIOR_MANAGER.search(title) and not _MANAGER_OF_THINGS.search(title):
        return "manager"
    if _PRINCIPAL.search(title) and not _NO_PRINCIPAL.search(title):
        return "principal"
    if _MANAGER_OF_THINGS.search(title):
        return _professional(title) or "mid"
    if _CASE_MANAGER.search(title):
        return _professional(title)
    return _numbered(title) if _numbered(title) == "entry" else "manager"


def _professional(title: str) -> str:  # noqa: PLR0911 - one return a level
    if _EITHER.search(title):
        return ""
    if _PRINCIPAL.search(title) and not _NO_PRINCIPAL.search(title):
        return "principal"
    if _STAFF.search(_NO_STAFF.sub(" ", title)):
        return "staff"
    if _SENIOR_OR_LEAD.search(title):
        return "senior"
    if _LEAD.search(_NO_LEAD.sub(" ", title)):
        return "lead"
    if _MID_TO_SENIOR.search(title):
        return "mid"
    if _SENIOR.search(_NO_SENIOR.sub(" ", title)):
        return "senior"
    numbered = _numbered(title)
    if numbered:
        return numbered
    if _ENTRY.search(_NO_ENTRY.sub(" ", title)):
        return "entry"
    return "mid" if _MID.search(title) else ""


def _numbered(title: str) -> str:
    """The level by a grade after a role's name: `Engineer II`, `Nurse Clinician III (RN)`, `SPEC 2`."""
    for found in _NUMBER.finditer(title):
        grade = found[1].lower()
        if grade in {"4", "5"} and found[0].strip(" ,-").lower().startswith("l"):
            continue  # "L4" and "Level 5" are companies' own grades
        # A digit is a grade after the role, at the end: elsewhere it counts shifts, floors and listings.
        if grade in _LATIN and (found[1].isupper() or found.end() == len(title)):
            return _NUMBERS[grade]
        if grade not in _LATIN and re.match(r"\s*(?:$|[(,|-]|[A-Z]{2}\b)", title[found.end() :]):
            return _NUMBERS[grade]
    return ""
