"""The language of a text, by its small words.

Descriptions of jobs are long and hold many of them, so this needs no model: the detectors that are alive take
numpy, 96 MB of n-grams, or a download at first use.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict

_SMALL_WORDS = {
    "en": (
        "the and of to in for with you your our we are is will be on as or that this from have an by "
        "their experience"
    ),
    "de": (
        "und der die das den mit für wir ist ein eine dich du sie ihre bei von zu im dein deine auf "
        "sind nicht als sowie unser oder dem"
    ),
    "fr": (
        "et les des est une vous nous dans pour avec sur du au aux votre nos notre qui plus êtes sont "
        "ou par vos ce une le"
    ),
    "es": (
        "los las del una para con por nuestro nuestra es el y tu experiencia como más se te en "
        "nuestros sus al que somos equipo buscamos"
    ),
    "pt": (
        "os as uma para com não você em do da dos das que seu sua nossa nosso e ao na no mais são por "
        "experiência equipe"
    ),
    "it": (
        "il gli della delle per con una sono che nel nella nostro nostra alla dei di e anche più "
        "lavoro è del si team esperienza"
    ),
    "nl": (
        "het een van en je voor met zijn ons onze wij bij jij aan op dat niet jouw deze naar de als "
        "ook werken"
    ),
    "sv": ("och att det som för med av är du vi på en ett vår våra inom har dig till eller i om"),
    "da": (
        "og at det som for med af er du vi p\u00e5 en et vores har dig til eller i om hos samt vil "
        "bliver arbejder arbejde vores af ved mere dine v\u00e6re"
    ),
    "no": (
        "og \u00e5 det som for med av er du vi p\u00e5 en et v\u00e5r v\u00e5re har deg til "
        "eller i om hos samt vil "
        "blir jobber jobbe av ved mer dine v\u00e6re"
    ),
    "fi": ("ja on ei että se ovat sekä olet tai kanssa meillä sinulla myös kuin työ voit sinä olemme mukaan"),
    "pl": (
        "i w na z do się jest oraz dla nie o lub naszym po od przez twoje praca pracy jako masz za co "
        "możliwość zespołu"
    ),
    "cs": (
        "a v na se je pro s z do nebo jsme jako k práce nás které práci nabízíme vám bude také jsou znalost"
    ),
    "sk": ("a v na sa je pre s z do alebo sme ako k práce nás ktoré práci ponúkame vám bude tiež sú znalosť"),
    "hu": (
        "és a az egy hogy nem vagy van is meg csapat munka ismeret vagyunk tapasztalat aki amely "
        "számára mint lesz"
    ),
    "ro": (
        "și în de la cu pentru este un o din sau care să ale al noastră echipa experiență sunt prin pe ne mai"
    ),
    "tr": (
        "ve bir için ile bu olan veya olarak en az da de çal\u0131şma göre iyi deneyim sahibi ekip "
        "tercihen olmak gibi"
    ),
    "id": (
        "dan yang untuk dengan di dari dalam atau pada akan ini kami anda adalah memiliki sebagai "
        "kerja dapat tim"
    ),
    "ca": ("els les dels amb per una és i que del al nostre nostra més com equip feina en ser tu som"),
    "hr": ("i u na za je se s od do ili koji kao te smo naš rad radnog znanje iskustvo nudimo će su"),
    "lt": ("ir su yra kad arba mūsų darbo patirtis tai bei kaip nuo iš į tavo esi jei"),
    "vi": ("và của các cho với có là trong được không công việc những kinh nghiệm"),
}
#: How much a word says: one that five languages share says a fifth.
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in _SMALL_WORDS.items():
    for _word in set(_words.split()):
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)

#: Languages with a script of their own, or nearly.
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("uk", re.compile("[\u0456\u0457\u0454\u0491\u0406\u0407\u0404]")),
    ("ru", re.compile("[\u0430-\u044f]")),
    ("el", re.compile("[\u03b1-\u03c9]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
    ("ar", re.compile("[\u0627-\u064a]")),
    ("th", re.compile("[\u0e01-\u0e2e]")),
    ("hi", re.compile("[\u0905-\u0939]")),
)
_FOREIGN = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\u0590-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+"
)
#: Articles and small words that Russian and Ukrainian lack.
_BULGARIAN = re.compile(
    r"\b(?:\u0437\u0430|\u0441\u0430|\u0449\u0435|\u0432\u044a\u0432|\u0441\u044a\u0441|\u043a\u044a\u043c)\b.*\u044a"
)
_READ = 1_500
_ENOUGH = 2.0
_CLEARLY = 1.25


def language(text: str) -> str:
    """The ISO 639-1 code of the language that a text is written in; empty where it is too short to tell."""
    # The middle: companies introduce themselves, and add their legal words, in English everywhere.
    start = max(0, (len(text) - _READ) // 3)
    part = text[start : start + _READ].lower()
    if not part.isascii():
        foreign = "".join(_FOREIGN.findall(part))
        if len(foreign) > len(part) * 0.15:
            return _by_script(foreign, part)
    points: defaultdict[str, float] = defaultdict(float)
    # Counted by the languages that share a word: few, where the words are many.
    for languages, times in Counter(map(_LANGUAGES_OF.get, part.split())).items():
        for each in languages or ():
            points[each] += times / len(languages or ())
    first, second = heapq.nlargest(
        2, [(0.0, ""), (0.0, ""), *((value, name) for name, value in points.items())]
    )
    return first[1] if first[0] >= max(_ENOUGH, _CLEARLY * second[0]) else ""


def _by_script(foreign: str, text: str) -> str:
    if "\u0430" in foreign and _BULGARIAN.search(text):
        return "bg"
    for name, script in _SCRIPTS:
        if len(script.findall(foreign)) > len(foreign) * 0.03:
            return name
    return ""
