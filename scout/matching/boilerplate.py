"""What speaks of law, benefits and the employer rather than of the work, in every trade."""

from __future__ import annotations

import re

#: A sentence with one of these speaks of law and benefits, not of the work, in every trade. None begins with
#: a word that is in every text: each line that holds its first word must be looked at.
BOILERPLATE = (
    "equal opportunity",
    "equal employment",
    "affirmative action",
    "gender identity",
    "sexual identity",
    "gender expression",
    "sexual orientation",
    "without regard to",
    "regardless of race",
    "protected veteran",
    "veteran status",
    "reasonable accommodation",
    "applicants with disabilities",
    "celebrate diversity",
    "privacy notice",
    "e verify",
    "health insurance",
    "dental and vision",
    "parental leave",
    "identity theft protection",
    "verify your identity",
    "verify the identity",
    "proof of identity",
    "verification of identity",
    "identity and eligibility",
    "geschlechtliche identität",
    "geschlechtsidentität",
    "sexuelle orientierung",
    "sexuellen orientierung",
    "chancengleichheit",
    "identité de genre",
    "orientation sexuelle",
    "égalité des chances",
    "identidad de género",
)
#: What an employer does, said of itself: the sentence is about the employer, not about the job.
SELF_PRAISE = frozenset(
    {
        "is",
        "was",
        "are",
        "has",
        "helps",
        "secures",
        "provides",
        "delivers",
        "offers",
        "empowers",
        "enables",
        "makes",
        "builds",
        "protects",
        "gives",
        "ist",
        "bietet",
        "hilft",
        "est",
        "offre",
        "aide",
    }
)
ABOUT = re.compile(
    r"\W*(?:about (?:us|the company|our company|(?P<name>[\w .&-]+))|who we are"
    r"|our (?:story|mission|company|values)|company (?:overview|description|profile)"
    r"|(?:wir )?über uns|wer wir sind|qui sommes[- ]nous|à propos(?: de nous)?)\W*",
    re.IGNORECASE,
)
#: How each of those begins: far cheaper to ask.
ABOUT_BEGINS = frozenset({"about", "who", "our", "company", "wir", "über", "wer", "qui", "à"})
#: A line this short, without a full stop, is a heading.
HEADING_LENGTH = 70
#: An about-us section without a heading after it ends after this many characters.
ABOUT_LENGTH = 2500
