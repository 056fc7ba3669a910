"""Pay: out of a board's fields, and out of the text where no field says it."""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

from scout.normalise.text import line
from scout.postings import Salary

_PERIODS = ("year", "month", "week", "day", "hour")


def period(value: Any) -> str:
    """`hour`, `day`, `week`, `month` or `year` out of a board's word for it (`per-year-salary`, `1 HOUR`)."""
    if not isinstance(value, str):
        return ""
    words = value[:40].lower()
    if re.search(r"\b(?:[02-9]|\d{2,})\b", words):
        return ""  # "2 WEEK": not one of our periods
    if "annual" in words:
        return "year"
    return next((name for name in _PERIODS if name in words), "")


def amount(value: Any) -> float | None:
    """A stated amount of money; None for what is not a number, and for zero, which boards use for unknown."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.replace(",", "").strip()[:20])
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or not 0 < value < 1e12:  # noqa: PLR2004 - past any pay
        return None
    return float(value)


def salary(*, least: Any, most: Any, currency: Any, per: Any, raw: Any = "") -> Salary | None:
    """Pay from a board's fields; None when they state no amount."""
    minimum, maximum = amount(least), amount(most)
    if minimum is None and maximum is None:
        return None
    if minimum is not None and maximum is not None and minimum > maximum:
        minimum, maximum = maximum, minimum
    code = line(currency).upper()
    return Salary(
        minimum=minimum,
        maximum=maximum,
        currency=code if re.fullmatch(r"[A-Z]{3}", code, re.ASCII) else "",
        period=period(per),
        raw=line(raw, 200),
    )


#: How much of each currency buys what a US dollar does, about: only to tell an hour's pay from a year's.
_WORTH = {
    "USD": 1, "EUR": 1, "GBP": 1, "CHF": 1, "CAD": 1.3, "AUD": 1.5, "NZD": 1.6, "SGD": 1.3, "HKD": 7.8,
    "JPY": 130,
    "INR": 40, "CNY": 6, "KRW": 1200, "PLN": 3, "SEK": 9, "NOK": 9, "DKK": 6.5, "CZK": 20, "HUF": 300,
    "RON": 4,
    "BGN": 1.7, "ILS": 3.5, "AED": 3.6, "SAR": 3.7, "QAR": 3.6, "ZAR": 12, "BRL": 4, "MXN": 12, "ARS": 900,
    "CLP": 800,
    "COP": 3500, "PEN": 3.5, "TRY": 25, "THB": 25, "PHP": 35, "IDR": 9000, "VND": 15000, "MYR": 3, "TWD": 25,
    "UAH": 30, "RUB": 60, "NGN": 600, "KES": 100, "EGP": 30, "PKR": 150, "ISK": 130,
}  # fmt: skip
_SYMBOLS = {
    "$": "USD", "us$": "USD", "usd$": "USD", "c$": "CAD", "ca$": "CAD", "cad$": "CAD", "cdn$": "CAD",
    "a$": "AUD",
    "au$": "AUD", "aud$": "AUD", "nz$": "NZD", "s$": "SGD", "sg$": "SGD", "hk$": "HKD", "nt$": "TWD",
    "mx$": "MXN",
    "r$": "BRL", "€": "EUR", "£": "GBP", "₹": "INR", "rs.": "INR", "rs": "INR", "¥": "JPY", "zł": "PLN",
    "zl": "PLN",
    "₪": "ILS", "₩": "KRW", "₺": "TRY", "₱": "PHP", "₫": "VND", "฿": "THB", "₴": "UAH", "₽": "RUB",
    "kč": "CZK",
    "euro": "EUR", "euros": "EUR", "eur": "EUR", "sfr": "CHF", "円": "JPY", "万円": "JPY", "元": "CNY",
    "rmb": "CNY",
    "pounds": "GBP", "dollars": "USD", "us dollars": "USD", "lei": "RON", "ft": "HUF", "kr": "SEK",
    "kr.": "DKK",
}  # fmt: skip
_CODES = "|".join(_WORTH)
_SIGN = (
    r"(?:(?:US|USD|CA|CAD|CDN|C|AU|AUD|A|NZ|SG|S|HK|NT|MX|R)?\s?\$|[€£₹¥₪₩₺₱₫฿₴₽]|\bRs\.?|"
    rf"\b(?:{_CODES}|RMB|SFr)\b(?:\s?[$€£])?)"
)
_AFTER_SIGN = (
    rf"(?:(?:{_CODES}|RMB)\b|[€£₹$₪₩₺₱₫฿₴₽]|zł\b|zl\b|Kč|[Ee]uros?\b|万円|円|元|lei\b|Ft\b|kr\b\.?|"
    r"US dollars\b|dollars\b|pounds\b)"
)
# A point, comma, apostrophe or narrow space between groups of three; then up to two decimals.
_NUMBER = (
    r"\d{1,3}(?:[.,'\u2019 \u00a0\u202f\u2009]\d{3})+(?:[.,]\d{1,2})?(?!\d)|"
    r"\d{1,3}(?:,\d{2})+,\d{3}(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d)"
)
_THOUSAND = (
    r"(?:\s?(?:[kK](?![^\W\d_])|Tsd\.?|LPA\b|[lL]akhs?\b|[lL]acs?\b|[lL]\b|[mM](?![^\W\d_])|mil(?:lion)?s?\b|MM\b|"
    r"[bB]n?(?![^\W\d_])|billion\b))"
)
_TO = (
    r"\s*(?:/\s*(?:yr|year|hr|hour|h|mo|month)\.?|per (?:year|hour|annum|month)|\+)?\s*"
    r"(?:[-\u2013\u2014\u2212~\uff5e]+|\u00e2(?:\u20ac[\u201c\u201d])?|"
    r"\b(?:to|and|bis|und|à|et|a|till|e|até|hasta|y|do|tot|en)\b)\s*"
    r"(?:up to\s*)?"
)
_AMOUNT = re.compile(
    rf"(?P<before>{_SIGN})?\s?(?<![A-Za-z0-9_.,])(?P<low>{_NUMBER})(?P<lowk>{_THOUSAND})?\s?(?P<mid>{_AFTER_SIGN})?"
    rf"(?:{_TO}(?P<before2>{_SIGN})?\s?(?P<high>{_NUMBER})(?P<highk>{_THOUSAND})?)?"
    rf"(?P<plus>\s?\+(?!\s?\w))?\s?(?P<after>{_AFTER_SIGN})?"
)
# Where money is named at all: most texts end here.
# The first class lets the engine skip to what can begin a mark.
_MARK = re.compile(
    r"[$€£₹¥₪₩₺₱₫฿₴₽円元0-9A-Z](?:(?<=[$€£₹¥₪₩₺₱₫฿₴₽円元])|(?<=\d)\s?[kK]\b|(?<=[A-Z])[A-Z]{2,})"
)
_MONEY_CODES = frozenset({*_WORTH, "RMB", "LPA"})
_MONEY_WORDS = (
    "euro", "Euro", "zł", "Kč", "Rs", " kr", " lei", "lakh", "alary range", "ay range",
)  # fmt: skip

_WORDS = re.compile(
    r"salar|compensation|\bcomp\b|\bpay\b|\bpays\b|\bpaid\b|\bwage|\bbase\b|\brate|remuneration|\bearn|"
    r"\bOTE\b|on[- ]target|"
    r"\bincome\b|\brange\b|\bpackage\b|stipend|gehalt|verg\u00fctung|entgelt|brutto|"
    r"r\u00e9mun\u00e9ration|salaire|"
    r"salari|sal\u00e1ri|sueldo|retribu|wynagrodzeni|widełki|l\u00f6n|l\u00f8n|palkka|\bplat\b|mzd|"
    r"fizet\u00e9s|"
    r"\bCTC\b|fourchette|\bRAL\b|年収|月給|薪",
    re.IGNORECASE,
)
_NOT_PAY_BEFORE = re.compile(
    r"(?:bonus(?:es)?(?! eligible)|stipend|allowance|reimburse\w*|revenues?|funding|raised|raising|"
    r"valu(?:ed|ation)|401\(?k?\)?|"
    r"\bequity|credits?|budgets?|donat\w+|grants?|referral|scholarships?|tuition|sav(?:e|ings?)|\bARR|"
    r"assets|invest\w*|market cap|insurance|coverage|deductible|portfolio|series [a-e]|fees?|prize|"
    r"discounts?|"
    r"match(?:ing)?|subsid\w+|deals?|quota|contracts? (?:worth|of|valued)|sales of|turnover|P&L|spend|umsatz|"
    r"zuschuss|prime|voucher|gift|perks?|sign[- ]?on|relocation)\b[^.;\n]{0,28}$",
    re.IGNORECASE,
)
_NOT_PAY_AFTER = re.compile(
    r"^[ \t)]*+(?!\+|plus\b|and\b|base\b)(?:(?:annual|monthly|yearly|one[- ]time|quarterly|per (?:year|"
    r"month|quarter)|a (?:year|month)|/(?:year|month|mo|yr))?\s*(?:for|in|towards?|of)?\s*"
    r"(?:our |your |an? )?(?:\w+ ){0,2}(?:sign|sign-?on|bonus|stipends?|allowances?|reimburse\w*|"
    r"credits?|allotment|funding|revenues?|"
    r"assets|investment|valuation|budgets?|gift|voucher|referral|perks?|insurance|(?:ARR|AUM|GMV)\b|"
    r"match|equity|in stock|RSU|"
    r"(?:company|startup|business|customers|users|employees|deals?)\b|contribution|membership))|"
    r"^\s?(?:toward|%|\+?\s?(?:years|customers|employees|countries))",
    re.IGNORECASE,
)
_PER = {
    "hour": r"/\s?(?:h|hr|hour|std|stunde)s?\b|(?:per|an|each|every|a)[ -]hour|hourly|"
    r"\bp\.?h\.?\b|pro stunde|st\u00fcndlich|"
    r"stundenlohn|de l['\u2019]heure|par heure|por hora|la hora|/heure|/godz|na godzin\u0119|uur\b|"
    r"\ball['\u2019]ora",
    "day": r"/\s?(?:d|day|tag|jour)\b|(?:per|a|each)[ -]day|daily|day rate|"
    r"\bp\.?d\.|pro tag|tagessatz|par jour|"
    r"\bTJM\b|por d[i\u00ed]a|per diem",
    "week": r"/\s?(?:wk|week)\b|(?:per|a|each)[ -]week|(?<!bi)(?<!bi-)weekly|pro woche|"
    "par semaine|por semana|semanal",
    "month": r"/\s?(?:mo|mth|month|monat|mois|mes|m\u00eas|mies\w*|m-c)\b|(?:per|a|each)[ -]month|"
    r"monthly|\bp\.?m\.|pro monat|"
    r"monatlich|mtl\b|par mois|\bmens(?:uel|ual|al|ile|ili)\w*|al mes|por m\u00eas|"
    r"miesi\u0119czn\w+|/mc\b|per maand|"
    r"m\u00e5nad|m\u00e5ned|"
    r"kuukausi|m\u011bs\u00ed\u010dn\u011b|havi\b|月給|/月",
    "year": r"/\s?(?:y|yr|year|jahr|an|a\u00f1o|ano|annum)\b|(?:per|a|each)[ -](?:year|annum)|annual\w*|"
    r"yearly|\bp\.?\s?a\b\.?|"
    r"pro jahr|j\u00e4hrlich|jahresgehalt|jahresbrutto|im jahr|par an\b|annuel\w*|brut/an|al a\u00f1o|"
    r"anual\w*|anuales|por ano|\bLPA\b|\bCTC\b|rocznie|per jaar|"
    r"all['\u2019]anno|\bRAL\b|lordi annui|年収|\bOTE\b",
}  # fmt: skip
_PERIOD = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _PER.items()), re.IGNORECASE)
_UP_TO = re.compile(
    r"(?:up to|maximum(?: of)?|max\.?|bis zu|jusqu['\u2019]à|hasta|até|"
    r"to a max\w* of|maximum (?:base )?(?:salary|pay):?)\s*(?:an? (?:annual|base) (?:salary )?of )?$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"(?:from|starting (?:at|from)|minimum(?: of)?|min\.?|at least|ab|mindestens|à partir de|desde|"
    r"a partir de|od|from a|minimum (?:base )?(?:salary|pay):?)\s*$",
    re.IGNORECASE,
)
#: Plausible amounts for a period, in dollars' worth.
_PLAUSIBLE = {
    "hour": (5, 600), "day": (40, 6000), "week": (150, 20_000), "month": (350, 60_000),
    "year": (4_500, 3_000_000),
}  # fmt: skip


class _Found(NamedTuple):
    low: float | None
    high: float | None
    currency: str
    period: str
    points: int
    raw: str


def salary_in_text(text: str) -> Salary | None:
    """Pay that a text states, as `parsed`; None where it states none that could be told from other money.

    Bonuses, allowances, funding and revenue are no pay. Ranges of several places or grades become one from
    the least to the most, within the currency that is named first. A period is guessed from the size of the
    amount only where no other would make sense; otherwise it stays empty. Amounts are never converted.
    """
    text = text[:_LONGEST]
    found = [each for match in _near_money(text) if (each := _candidate(match, text))]
    if not found:
        return None
    best = max(each.points for each in found)
    # Several ranges of one kind are one offer for several grades or places; a lone amount is the best only.
    first = next(each for each in found if each.points == best)
    kept = [
        each
        for each in found
        # "Minimum $1. Maximum $2." has two halves of one range.
        if each.points + (each.low is None or each.high is None) >= min(best, _CERTAIN)
        and (each.currency, each.period) == (first.currency, first.period)
    ]
    lows = [each.low for each in kept if each.low is not None]
    highs = [each.high for each in kept if each.high is not None]
    least, most = min(lows, default=None), max(highs, default=None)
    if least is not None and most is not None and least > most:  # "from $2 for some, up to $1 for others"
        least, most = most, least
    return Salary(
        minimum=least,
        maximum=most,
        currency=first.currency,
        period=first.period,
        origin="parsed",
        raw=line("; ".join(dict.fromkeys(each.raw for each in kept)), 200),
    )


_LONGEST = 60_000
_CERTAIN = 4
_THOUSANDS = 1000
_GROUP = 3
_TWO_SIGNS = 2
_YEARLY = 10_000
#: Less than this, in dollars' worth, is nobody's pay for any period but an hour or a day.
_SOME_PAY = 1000
_BEFORE, _AFTER = 90, 45
_BACK, _NEAR = 48, 60
_DIGITS = re.compile(r"\d+")
_SIGN_BEFORE = re.compile(rf"{_SIGN}\s?$")
_SIGN_LENGTH = 7
_NEXT = 16
#: How near before an amount a word must stand to make of it something else than pay.
_CLOSE = 48
#: Where money is named more often, the text is no posting.
_MOST_MARKS = 150


def _marks(text: str) -> list[int]:
    """Where a text names money, in order."""
    marks = []
    for match in itertools.islice(_MARK.finditer(text), 2 * _MOST_MARKS):
        written = match[0]
        # Capitals are a currency's code or nothing.
        if not ("A" <= written[0] <= "Z") or written in _MONEY_CODES:
            marks.append(match.start())
    for word in _MONEY_WORDS:
        at = text.find(word)
        while at >= 0 and len(marks) < 2 * _MOST_MARKS:
            marks.append(at)
            at = text.find(word, at + len(word))
    return sorted(marks)


def _near_money(text: str) -> list[re.Match[str]]:
    """The amounts near where a text names money, each with its signs, in order."""
    found: list[re.Match[str]] = []
    end = 0
    for mark in _marks(text)[:_MOST_MARKS]:
        for digits in _DIGITS.finditer(text, max(end, mark - _BACK), mark + _NEAR):
            if digits.start() < end or (digits.start() and text[digits.start() - 1].isdigit()):
                continue
            sign = _SIGN_BEFORE.search(text, max(end, digits.start() - _SIGN_LENGTH), digits.start())
            match = _AMOUNT.match(text, sign.start() if sign else digits.start())
            if match:
                found.append(match)
                end = match.start() + len(match[0].rstrip())
    return found


def _candidate(match: re.Match[str], text: str) -> _Found | None:
    """What an amount with its surroundings says of pay; None where it is other money."""
    end = match.start() + len(match[0].rstrip())
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    after = text[end : end + _AFTER].partition("\n")[0]
    here = before.rpartition("\n")[2]
    currency = _currency(match)
    low, high = _amounts(match)
    if low is None or not (currency or match["lowk"] or match["highk"] or _bare_range(low, high, here)):
        return None
    if _NOT_PAY_AFTER.search(after) or _NOT_PAY_BEFORE.search(_since_pay(here)[-_CLOSE:]):
        return None
    said = _stated_period(before, after, match)
    per = _period_of(low if high is None else high, currency, said)
    words = [word.start() for word in _WORDS.finditer(before)]
    named = bool(words and words[-1] >= len(before) - len(here)) + bool(words or _WORDS.search(after[:_NEXT]))
    if per is None or not (per or named):
        return None
    stated = bool(said)
    points = 2 * (high is not None) + 2 * stated + named + bool(_WORDS.search(after))
    weak = points < _TWO_SIGNS and not (named and per)
    # A lone amount wants a word for pay, and a small one its period: "Earn $100 for ten rides".
    lone = high is None and not stated and (not named or per == "hour")
    if weak or lone:
        return None
    if high is None:
        low, high = _bounds(low, before, more=bool(match["plus"]))
    unit = _PERIOD.match(after.lstrip())
    raw = " ".join(match[0].split()) + (f" {unit[0]}" if unit else "")
    return _Found(low, high, currency, per, points, raw)


def _bare_range(low: float, high: float | None, here: str) -> bool:
    """Whether a range without a currency is pay all the same: a year's, after "salary range"."""
    return high is not None and low >= _YEARLY and bool(_RANGE.search(here))


def _bounds(money: float, before: str, *, more: bool) -> tuple[float | None, float | None]:
    """Least and most of a lone amount: "up to" has no least, "from" and "+" no most."""
    if _UP_TO.search(before):
        return None, money
    return money, None if more or _FROM.search(before) else money


def _period_of(money: float, currency: str, stated: str) -> str | None:
    """The period, as stated or guessed; None where the amount makes no sense for what is stated."""
    worth = _WORTH.get(currency, 1)
    if stated and not _plausible(stated, money, worth):
        return None
    guessed = stated or _guessed_period(money, worth, currency)
    return guessed if guessed or money >= _SOME_PAY * worth else None


def _since_pay(here: str) -> str:
    """What stands on the line after the last word for pay: "bonus, base salary of $1" has none of a bonus."""
    words = list(_STRONG.finditer(here))
    return here[words[-1].end() :] if words else here


_RANGE = re.compile(r"\b(?:salary|pay) range", re.IGNORECASE)
_STRONG = re.compile(
    r"salary|salaries|base pay|pay range|compensation|hourly rate|gehalt|salaire|\bpay\b|income",
    re.IGNORECASE,
)


def _currency(match: re.Match[str]) -> str:
    found = ""
    for name in ("before", "before2", "mid", "after"):
        sign = (match[name] or "").strip().lower().replace(" ", "")
        if not sign:
            continue
        code = sign[:3].upper()
        if code in _WORTH and (len(sign) == 3 or sign not in _SYMBOLS):  # noqa: PLR2004 - ISO 4217
            return code  # a code says more than a sign: "$120,000 CAD"
        found = found or _SYMBOLS.get(sign, "")
    # Lakhs are counted in rupees.
    unit = (match["lowk"] or "").strip().lower()
    return found or ("INR" if unit.startswith(("lpa", "lakh", "lac")) else "")


def _amounts(match: re.Match[str]) -> tuple[float | None, float | None]:
    low, high = _number(match["low"]), _number(match["high"]) if match["high"] else None
    low_unit, high_unit = _unit(match["lowk"]), _unit(match["highk"])
    if (match["after"] or match["mid"] or "").startswith("万"):
        low_unit = high_unit = 10_000
    if high is not None and high_unit != 1 and low_unit == 1 and low < high * high_unit / 50:
        low_unit = high_unit  # "$70-90k"
    thousands = high_unit == low_unit == 1 and high is not None and low < _THOUSANDS <= high
    if thousands and high is not None and low * _THOUSANDS <= high:
        low_unit = _THOUSANDS  # "60-80.000 €"
    if max(low_unit, high_unit) >= 1_000_000:  # noqa: PLR2004 - millions are no pay
        return None, None
    low *= low_unit
    high = None if high is None else high * high_unit
    if high is not None and high < low:
        # "$120,000 - 5 weeks of leave": no range.
        high = None
    return low or None, high


def _unit(word: str | None) -> int:
    if not word:
        return 1
    unit = word.strip().lower().rstrip(".")
    if unit in {"k", "tsd"}:
        return 1000
    if unit in {"lpa", "l"} or unit.startswith(("lakh", "lac")):
        return 100_000
    return 1_000_000


def _number(written: str) -> float:
    digits = re.sub(r"['\u2019 \u00a0\u202f\u2009]", "", written)
    last = max(digits.rfind("."), digits.rfind(","))
    decimals = len(digits) - last - 1
    mixed = "." in digits and "," in digits
    if last < 0 or (decimals == _GROUP and not mixed and not digits.startswith("0")):
        return float(re.sub(r"[.,]", "", digits))
    return float(f"{re.sub(r'[.,]', '', digits[:last])}.{digits[last + 1 :]}")


def _stated_period(before: str, after: str, match: re.Match[str]) -> str:
    inside = _PERIOD.search(match[0])
    if inside:
        return str(inside.lastgroup)
    following = _PERIOD.search(after)
    if following and not re.search(r"\d|[.;]\s", after[: following.start()]):
        return str(following.lastgroup)
    here = before.rpartition("\n")[2] or before
    preceding = list(_PERIOD.finditer(here))
    return str(preceding[-1].lastgroup) if preceding else ""


def _plausible(per: str, money: float, worth: float) -> bool:
    least, most = _PLAUSIBLE[per]
    return least * worth <= money <= most * worth


def _guessed_period(money: float, worth: float, currency: str) -> str:
    """The one period that makes sense of an amount; empty where a month's or a day's pay would do too."""
    if currency in {"USD", "EUR", "GBP", "CAD", "AUD", "CHF", "NZD", ""}:
        if money >= 15_000 * worth:
            return "year"
        return "hour" if 7 * worth <= money <= 150 * worth and currency else ""
    return "year" if money >= 30_000 * worth else ""
