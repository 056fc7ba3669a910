"""Names of companies: one to read, and one to compare."""

from __future__ import annotations

import functools
import re
import unicodedata


def company_of(token: str) -> str:
    """A readable name out of a board's token: `acme-corp` is `Acme Corp`."""
    words = re.split(r"[-_ ]+", token.strip())
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


_CYRILLIC = ("ооо", "зао", "пао", "оао", "тов")  # noqa: RUF001 - these letters are Cyrillic
#: Legal forms as they look once signs are gone, the longest first where one ends in another.
_FORMS = tuple(
    form.split()
    for form in (
        "gmbh and co kg", "gmbh and co kgaa", "gmbh und co kg", "gmbh co kg", "ag and co kg",
        "ag and co kgaa", "ag co kg", "s a de c v", "s a b de c v", "sab de cv", "sa de cv",
        "s de r l de c v", "s de rl de cv", "sp z o o", "sp zoo", "sp z oo", "spzoo", "s p a",
        "s r l", "s r o", "d o o", "d d",
        "s a s", "s a r l", "s a", "s l u", "s l", "n v", "b v", "a s", "k k", "p l c", "l l c", "l l p",
        "l p", "g m b h", "pty ltd", "pty limited", "pvt ltd", "pvt limited", "private limited",
        "private ltd",
        "pte ltd", "co ltd", "sdn bhd", "public limited company", "public company limited",
        "limited liability company",
        "joint stock company", "inc", "incorporated", "llc", "llp", "lp", "pllc", "ltd", "limited", "corp",
        "corporation", "co", "company", "plc", "gmbh", "mbh", "ggmbh", "ag", "kg", "kgaa", "ohg", "gbr", "ug",
        "ug haftungsbeschränkt", "ev", "e v", "eg", "se", "sa", "sas", "sasu", "sarl", "snc", "eurl", "bv",
        "nv", "cv", "vof", "bvba", "srl", "spa", "sl", "slu", "slp", "sau", "lda", "ltda", "eireli", "oy",
        "oyj", "ab", "publ", "ua", "as", "asa", "aps", "a s", "hf", "ehf", "oü", "uab", "sia", "as",
        "doo", "d o o",
        "sro", "kft",
        "zrt", "nyrt", "eood", "ood", "ead", "sa", "pty", "pvt", "pte", "bhd", "tbk", "kk",
        "fz llc", "fze", "fzco",
        "a ş", "aş", "ltd şti", "anonim şirketi", *_CYRILLIC, "株式会社", "合同会社", "有限公司",
        "股份有限公司", "有限责任公司", "주식회사",
    )
)  # fmt: skip
_ENDS = frozenset(tuple(form) for form in _FORMS)
_LONGEST_FORM = max(len(form) for form in _FORMS)
#: Forms that stand before the name.
_BEGINS = frozenset({*_CYRILLIC, "株式会社", "合同会社", "주식회사", "pt", "uab", "sia"})
#: Han and Hangul forms are written without a space.
_ATTACHED = re.compile(
    r"^(?:株式会社|合同会社|有限会社|주식회사|\(주\))|(?:株式会社|合同会社|股份有限公司|有限责任公司|有限公司|주식회사)$"
)
#: "E.ON", "U.S. Bank", "S.p.A.": letters with points are one word.
_INITIALS = re.compile(r"\b(\w)\.(?=\w)")
_SIGNS = re.compile(r"[^\w]+|_+")
#: Two different words with these: "AT&T", "Johnson & Johnson".
_AND = re.compile(r"\s*(?:&|\+)\s*")


@functools.lru_cache(maxsize=4_000)
def company_key(name: str) -> str:
    """The form in which names of companies are compared: equal keys are one company.

    Compatibility-normalised (NFKC), without case, signs and legal forms (`Acme, Inc.` and `ACME GmbH & Co.
    KG` are
    `acme`). Letters keep their marks: Škoda is not Koda. A name that is nothing but a legal form stays.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    # Lower-casing İ leaves a dot that nobody typed.
    text = unicodedata.normalize("NFKC", text.replace("i\u0307", "i")).replace("'", "").replace("\u2019", "")
    text = _INITIALS.sub(r"\1", text)
    text = _ATTACHED.sub(" ", text).strip() or text
    if "&" in text or "+" in text:
        text = _AND.sub(" and ", text)
    return " ".join(_without_forms(_SIGNS.sub(" ", text).split()))


def _without_forms(words: list[str]) -> list[str]:
    if len(words) > 1 and words[0] in _BEGINS:
        words = words[1:]
    if len(words) > 2 and words[0] == "the":  # noqa: PLR2004 - "The Trade Desk"; "The Muse" keeps it
        words = words[1:]
    while len(words) > 1:
        longest = min(_LONGEST_FORM, len(words) - 1)
        form = next((n for n in range(longest, 0, -1) if tuple(words[-n:]) in _ENDS), 0)
        if not form:
            break
        words = words[:-form]
        if len(words) > 1 and words[-1] == "and":  # "Goldman Sachs & Co."
            words = words[:-1]
    return words
