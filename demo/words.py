"""What the invented postings are made of: roles, sentences, places, and the rules that join them.

Sentences hold slots such as `{idp}` or `{years}`. `SLOTS` lists what may stand in each; `{company}` and
`{people}` (those whom the company serves) come from the company.
"""

# ruff: noqa: E501 - a sentence stands on one line, so that it is read and changed as one
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

#: Levels as engineering titles carry them.
ENGINEERING = ("", "", "Senior ", "Senior ", "Staff ", "Lead ", "Principal ", "Junior ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of work, and how postings for it speak.

    Attributes:
        department: The department, and `team` within it.
        titles: Titles, without a level.
        levels: Words that may stand before a title; empty means none.
        summary: Sentences of the opening, of which a few are taken.
        duties: Bullets of what the person does.
        needs: Bullets of what the person brings.
        nice: Bullets that are welcome, not needed.
        pay: Lowest and highest yearly pay in the United States, in thousands of dollars.
        tags: Skills as a feed lists them.
        category: The category of a feed.
        remote: How often the work may be done remotely, from 0 to 1.
        language: `en`, `de` or `fr`.
        countries: ISO codes where it is offered; empty means anywhere.
    """

    department: str
    team: str
    titles: tuple[str, ...]
    summary: tuple[str, ...]
    duties: tuple[str, ...]
    needs: tuple[str, ...]
    nice: tuple[str, ...] = ()
    levels: tuple[str, ...] = ("", "", "Senior ")
    pay: tuple[int, int] = (95, 165)
    tags: tuple[str, ...] = ()
    category: str = "All Other Remote"
    remote: float = 0.4
    language: str = "en"
    countries: tuple[str, ...] = ()


SLOTS: dict[str, tuple[str, ...]] = {
    "idp": ("Okta", "Microsoft Entra ID", "PingFederate", "Keycloak", "Okta Workforce Identity", "Auth0"),
    "iga": ("SailPoint IdentityIQ", "SailPoint Identity Security Cloud", "Saviynt", "Omada", "One Identity"),
    "pam": ("CyberArk", "BeyondTrust", "Delinea Secret Server", "Teleport", "HashiCorp Vault"),
    "cloud": ("AWS", "Google Cloud", "Azure", "AWS and Azure"),
    "language": ("Go", "Java", "Python", "Kotlin", "TypeScript", "C#"),
    "database": ("PostgreSQL", "MySQL", "CockroachDB"),
    "apps": ("60", "90", "140", "210", "350"),
    "staff": ("800", "2,400", "6,000", "11,000", "18,500"),
    "few": ("three", "four", "five", "six", "eight"),
    "few_fr": ("trois", "quatre", "cinq", "six", "huit"),
    "years": ("2", "3", "4", "5", "6", "8"),
    "weeks": ("two", "three", "four", "six"),
    "hours": ("one", "two", "four"),
    "percent": ("15", "20", "30", "40"),
    "tooling": (
        "Terraform",
        "Terraform and a small Go tool",
        "PowerShell and the Graph API",
        "Python scripts",
    ),
}

IDENTITY_ENGINEERING = Family(
    levels=ENGINEERING,
    department="Information Security",
    team="Identity and Access Management",
    titles=(
        "IAM Engineer",
        "Identity Engineer",
        "Identity & Access Management Engineer",
        "Security Engineer, Identity & Access Management",
        "Okta Engineer",
        "Entra ID Engineer",
        "Identity Security Engineer",
        "SSO and Federation Engineer",
        "Cloud IAM Engineer",
        "IAM Automation Engineer",
    ),
    summary=(
        "You will look after the way {staff} colleagues prove who they are and reach what they need.",
        "Our identity platform is built on {idp}; it works, and it has grown faster than its documentation.",
        "You will own sign-on for {apps} applications and shape where it goes over the coming two years.",
        "Every login at {company} passes through something this team runs, so we change it carefully and often.",
        "We are moving from tickets to self-service, and from standing rights to access that ends by itself.",
    ),
    duties=(
        "Run {idp} as the front door to {apps} applications, and keep it dull in the best sense of the word",
        "Move the remaining applications from local passwords to SAML 2.0 or OpenID Connect, one owner at a time",
        "Build provisioning over SCIM where vendors keep their promise, and over plain REST where they do not",
        "Keep joiner, mover and leaver flows correct within {hours} hours of a change in the HR system",
        "Roll out passkeys and FIDO2 security keys, and retire SMS codes for good",
        "Write {tooling} for policies and groups, with review, a test tenant and a way back",
        "Design conditional access rules that people barely notice and attackers do",
        "Cut standing administrator rights with just-in-time elevation, and show the curve going down",
        "Answer auditors with evidence drawn by script rather than with screenshots",
        "Take part in a calm on-call rotation, one week in {few}, and write up what went wrong without blame",
        "Watch sign-in logs with the detection team and turn patterns into identity threat detections (ITDR)",
    ),
    needs=(
        "{years}+ years of hands-on work with an identity provider such as {idp}, Entra ID or Ping",
        "You can read a SAML assertion and an OAuth 2.0 trace, and say in plain words what is wrong with them",
        "Solid knowledge of Active Directory, LDAP and Kerberos, including the parts nobody likes to touch",
        "You automate: {language}, PowerShell or Python, in version control, with tests",
        "A clear idea of least privilege, RBAC and where attribute-based rules pay off",
        "You explain risk to people who only want to get their work done, and they thank you afterwards",
        "Experience with SCIM provisioning and lifecycle automation driven by an HR system",
    ),
    nice=(
        "A certification such as SC-300, Okta Certified Professional or CISSP",
        "Access reviews and segregation of duties with {iga}",
        "Workload identity: SPIFFE, mTLS, secrets rotation",
        "You have lived through the merger of two directories",
    ),
    pay=(118, 182),
    tags=("IAM", "Okta", "Entra ID", "SAML", "OpenID Connect", "SCIM", "Terraform", "Zero Trust"),
    category="DevOps and Sysadmin",
    remote=0.55,
)

GOVERNANCE = Family(
    department="Information Security",
    team="Identity Governance",
    titles=(
        "Identity Governance Engineer",
        "IGA Developer",
        "SailPoint Engineer",
        "SailPoint Developer",
        "Saviynt Consultant",
        "IAM Analyst",
        "Access Governance Analyst",
        "Access Certification Analyst",
        "Identity Governance Manager",
        "User Access Analyst",
    ),
    summary=(
        "You will make sure that {staff} people have the access their work needs, and not one entitlement more.",
        "Reviews here used to be a spreadsheet that went round in October; now they run on {iga}, and you keep them honest.",
        "The role sits between security, HR and the owners of {apps} applications, and talks to all of them.",
        "We answer to SOX and ISO 27001 auditors, and we would like the evidence to collect itself.",
    ),
    duties=(
        "Run quarterly access reviews on {iga} so that managers decide in minutes, with context, not in bulk",
        "Model roles from real usage, retire those nobody needs, and write down who owns the rest",
        "Build and test connectors, rules and workflows for joiners, movers and leavers",
        "Define segregation of duties for finance systems with the people who work in them",
        "Track orphaned and dormant accounts to zero, and keep them there",
        "Measure time to access and time to revoke, publish both, and shorten them",
        "Prepare evidence for internal and external audits and close findings within the promised date",
        "Onboard {few} applications each quarter to automated provisioning and certification",
        "Coach application owners on entitlement names that a reviewer understands",
    ),
    needs=(
        "{years}+ years in identity governance and administration, with {iga} or a comparable product",
        "Working knowledge of entitlement management, role mining and access certification",
        "SQL that you can rely on, and enough Java or BeanShell to read a rule and fix it",
        "You know what SOX, ISO 27001 or NIST 800-63 ask for, and what they leave to judgement",
        "Careful writing: a control described by you is understood by the people who run it",
        "Experience with Active Directory, Entra ID and an HR system as the source of truth",
    ),
    nice=(
        "SailPoint Certified IdentityIQ Engineer, CISA or CIDPRO",
        "You have migrated a governance product without stopping the business",
        "Cloud entitlement management (CIEM) across {cloud}",
    ),
    pay=(98, 160),
    tags=("IGA", "SailPoint", "Saviynt", "Access Certification", "SoD", "SOX", "RBAC"),
    category="DevOps and Sysadmin",
)

PRIVILEGED = Family(
    levels=ENGINEERING,
    department="Information Security",
    team="Privileged Access",
    titles=(
        "PAM Engineer",
        "Privileged Access Management Engineer",
        "CyberArk Engineer",
        "PAM Administrator",
        "Privileged Access Management Specialist",
        "Secrets Management Engineer",
        "PKI Engineer",
        "Machine Identity Engineer",
    ),
    summary=(
        "You will guard the accounts that can change everything, and make using them quick and recorded.",
        "Our vault holds the keys of {apps} systems; too many of them still rotate by hand.",
        "{company} wants no standing administrator left by the end of next year. That is the job.",
        "Machines outnumber people here by forty to one, and each of them carries a secret. You look after those.",
    ),
    duties=(
        "Operate and extend our {pam} estate: vaulting, rotation, session recording, break-glass",
        "Replace shared administrator accounts by just-in-time elevation with an approval that takes minutes",
        "Bring service accounts and other non-human identities under rotation, starting with the riskiest",
        "Run the internal certificate authority: X.509 profiles, short lifetimes, renewal without a pager",
        "Give developers secrets through workload identity, so that none are written to a repository",
        "Review recorded sessions with the detection team and sharpen what raises an alarm",
        "Test the break-glass path every quarter, with the people who would need it at three in the morning",
        "Write onboarding guides that system owners follow without calling you",
    ),
    needs=(
        "{years}+ years with privileged access management, ideally {pam}",
        "A firm grip on Windows and Linux administration, Active Directory tiering and Kerberos delegation",
        "Scripting in PowerShell or Python against product APIs",
        "You understand PKI, mTLS and certificate renewal well enough to teach it",
        "Calm in incidents, exact in changes",
        "Experience in talking long-serving administrators out of the accounts they love",
    ),
    nice=(
        "CyberArk Defender or Sentry, or a comparable certificate",
        "HashiCorp Vault, Conjur or cloud key management in production",
        "Regulated surroundings: banking, energy, health",
    ),
    pay=(112, 178),
    tags=("PAM", "CyberArk", "Vault", "PKI", "Least Privilege", "PowerShell"),
    category="DevOps and Sysadmin",
)

CUSTOMER_IDENTITY = Family(
    levels=ENGINEERING,
    department="Engineering",
    team="Identity Platform",
    titles=(
        "Software Engineer, Identity Platform",
        "Backend Engineer, Authentication",
        "Software Engineer (Customer Identity)",
        "CIAM Engineer",
        "Full Stack Engineer, Identity",
        "Backend Engineer, Access Control",
        "Product Manager, Customer Identity",
    ),
    summary=(
        "You will build the sign-in, sign-up and session services that {people} use without thinking about them.",
        "Our authorisation service answers every request in the product, and must do so in a few milliseconds.",
        "The team owns accounts, sessions, consent and permissions for everything {company} ships.",
        "Passkeys went live in spring; now we want the password to become the exception.",
    ),
    duties=(
        "Design and run services in {language} for authentication, sessions and token issuance",
        "Build OAuth 2.1 and OpenID Connect flows for web, mobile and partner APIs, by the specification",
        "Move permission checks from scattered conditionals to one relationship-based model (ReBAC)",
        "Stop credential stuffing and account takeover without sending honest people round in circles",
        "Give enterprise customers SAML single sign-on and SCIM provisioning that their admins set up alone",
        "Keep p99 latency of token checks flat while traffic doubles",
        "Write the threat model before the code, and revisit it after",
        "Work with design on recovery flows that help people who lost their phone",
    ),
    needs=(
        "{years}+ years of building backend services in {language} or a similar language",
        "Real experience with OAuth 2.0, OpenID Connect, JWT or SAML in production",
        "You know {database} and caches well enough to reason about consistency and revocation",
        "Care for abuse cases, rate limits and quiet failure modes",
        "You write tests first where mistakes are expensive, and sign-in is expensive",
    ),
    nice=(
        "WebAuthn and passkeys in a product with many users",
        "Policy engines such as OPA or Cedar",
        "You have run Keycloak, Auth0 or ForgeRock at scale",
    ),
    pay=(132, 210),
    tags=("OAuth", "OpenID Connect", "Passkeys", "Backend", "Authorization", "CIAM"),
    category="Back-End Programming",
    remote=0.6,
)

IDENTITY_LEADERSHIP = Family(
    department="Information Security",
    team="Identity and Access Management",
    titles=(
        "IAM Architect",
        "Identity Architect",
        "Director, Identity and Access Management",
        "Head of IAM",
        "IAM Manager",
        "IAM Product Owner",
        "IAM Program Manager",
        "Zero Trust Architect",
    ),
    levels=("", "", "", "Senior ", "Principal "),
    summary=(
        "You will set the direction for identity across {company}, and then get it done with a team of {few}.",
        "Identity is our first line of defence and the most frequent cause of a bad Monday. You own both sides.",
        "We have the budget, the mandate and an honest inventory. What we lack is someone to lead it.",
        "You will report to the chief information security officer and present to the board twice a year.",
    ),
    duties=(
        "Write the identity strategy for workforce, customers and machines, on pages that people read",
        "Decide what we build, buy and retire among {idp}, {iga} and {pam}",
        "Lead a programme from password resets to phishing-resistant sign-in for {staff} people",
        "Set reference patterns for federation, provisioning and privileged access, and help teams apply them",
        "Own the budget and the contracts, and tell us when we pay for shelfware",
        "Report on a handful of measures: coverage, time to revoke, standing privilege, failed sign-ins",
        "Hire, grow and keep engineers and analysts",
        "Speak for identity in mergers, audits and incidents",
    ),
    needs=(
        "{years}+ years in identity and access management, some of them leading people or programmes",
        "Depth in at least two of: federation, governance, privileged access, customer identity",
        "You have carried a zero trust plan from slides into production",
        "Fluency with risk owners, auditors and engineers alike",
        "Sound judgement about which exceptions to grant, and when to let them lapse",
    ),
    nice=(
        "CISSP, CISM or CIDPRO",
        "Experience with a directory consolidation after an acquisition",
        "You have spoken or written about identity in public",
    ),
    pay=(150, 235),
    tags=("IAM", "Architecture", "Zero Trust", "Leadership", "IGA", "PAM"),
    category="Management and Finance",
)

DIRECTORY = Family(
    department="IT",
    team="Workplace and Directory Services",
    titles=(
        "Active Directory Engineer",
        "Directory Services Engineer",
        "Identity Administrator",
        "IAM Administrator",
        "IAM Specialist",
        "Okta Administrator",
        "User Access Administrator",
    ),
    levels=("", "", "Senior ", "Junior "),
    summary=(
        "You will keep accounts, groups and devices in order for {staff} people in {few} countries.",
        "It is a hands-on role: half planned work, half helping colleagues who cannot get in.",
        "Two directories became one last year. The tidying up is yours, and there is much to be proud of in it.",
    ),
    duties=(
        "Administer Active Directory, Entra ID and {idp}: accounts, groups, devices, policies",
        "Handle access requests within {hours} working hours and automate the ones that repeat",
        "Clean up group policies and nested groups that nobody can explain",
        "Run multi-factor enrolment and recovery with kindness and proof",
        "Patch, back up and restore domain controllers, and rehearse the forest recovery twice a year",
        "Write short guides and keep them right",
        "Support audits with lists that can be reproduced",
    ),
    needs=(
        "{years}+ years of administering Active Directory or Entra ID for more than a thousand people",
        "PowerShell beyond one-liners",
        "DNS, DHCP, certificates and Kerberos: you know which of them it is this time",
        "Patience, and a friendly voice on the telephone",
        "MFA, SSO and conditional access from the administrator's side",
    ),
    nice=("SC-300 or MS-102", "Experience with macOS and Linux clients", "A first project with {tooling}"),
    pay=(72, 118),
    tags=("Active Directory", "Entra ID", "PowerShell", "MFA", "Support"),
    category="DevOps and Sysadmin",
    remote=0.25,
)

GERMAN_IDENTITY = Family(
    department="Informationssicherheit",
    team="Berechtigungsmanagement",
    titles=(
        "IAM Engineer (m/w/d)",
        "Spezialist Berechtigungsmanagement (m/w/d)",
        "Identity & Access Management Consultant (m/w/d)",
        "IT Security & Identity Engineer (m/w/d)",
        "Referent Identitäts- und Zugriffsmanagement (m/w/d)",
    ),
    levels=("", "", "Senior "),
    summary=(
        "Du sorgst dafür, dass {staff} Kolleginnen und Kollegen genau die Rechte haben, die sie brauchen.",
        "Unser Identitäts- und Zugriffsmanagement läuft auf {iga}; du entwickelst es mit uns weiter.",
        "Bei {company} arbeitest du eng mit Revision, Personalbereich und den Fachabteilungen zusammen.",
    ),
    duties=(
        "Weiterentwicklung unserer Plattform auf Basis von {iga} und {idp}",
        "Anbindung neuer Anwendungen über SAML, OpenID Connect und SCIM",
        "Durchführung der Rezertifizierung von Berechtigungen und Nachverfolgung der Ergebnisse",
        "Aufbau von Rollen nach dem Prinzip der geringsten Rechte gemeinsam mit den Fachbereichen",
        "Ablösung dauerhafter Administratorrechte durch zeitlich begrenzte Freigaben",
        "Erstellung von Nachweisen für interne und externe Prüfungen",
        "Automatisierung wiederkehrender Aufgaben mit PowerShell oder Python",
    ),
    needs=(
        "Mindestens {years} Jahre Erfahrung im Identity and Access Management",
        "Gute Kenntnisse in Active Directory, Entra ID und LDAP",
        "Verständnis für Funktionstrennung und regulatorische Vorgaben",
        "Sichere Deutschkenntnisse und gutes Englisch",
        "Freude daran, Abläufe verständlich zu beschreiben",
    ),
    nice=("Erfahrung mit {pam}", "Zertifizierungen wie CISSP oder SC-300"),
    pay=(105, 160),
    tags=("IAM", "SailPoint", "Entra ID", "Berechtigungen"),
    category="DevOps and Sysadmin",
    language="de",
    countries=("DE", "AT", "CH"),
)

FRENCH_IDENTITY = Family(
    department="Cybersécurité",
    team="Gestion des identités",
    titles=(
        "Ingénieur IAM (H/F)",
        "Consultant gestion des identités et des accès (H/F)",
        "Architecte IAM (H/F)",
        "Chef de projet IAM (H/F)",
    ),
    levels=("",),
    summary=(
        "Vous ferez évoluer la gestion des identités et des accès pour {staff} personnes.",
        "Chez {company}, l'équipe compte {few_fr} personnes et s'appuie sur {idp} et {iga}.",
        "Le poste mêle conception, intégration et accompagnement des métiers.",
    ),
    duties=(
        "Intégrer les applications au portail d'authentification en SAML et OpenID Connect",
        "Automatiser les arrivées, mobilités et départs à partir du système RH",
        "Mener les campagnes de revue des droits et suivre les écarts jusqu'à leur clôture",
        "Réduire les comptes à privilèges permanents avec {pam}",
        "Rédiger les procédures et former les équipes de support",
        "Contribuer aux audits et à l'analyse des incidents",
    ),
    needs=(
        "Au moins {years} ans d'expérience en gestion des identités",
        "Bonne maîtrise d'Active Directory, de LDAP et des protocoles de fédération",
        "Pratique d'un langage de script, PowerShell ou Python",
        "Aisance à l'oral comme à l'écrit, en français et en anglais",
    ),
    nice=("Une certification éditeur ou CISSP", "Une expérience en milieu bancaire ou énergétique"),
    pay=(88, 140),
    tags=("IAM", "SAML", "Active Directory"),
    category="DevOps and Sysadmin",
    language="fr",
    countries=("FR", "BE", "CH"),
)

IDENTITY_FAMILIES: tuple[Family, ...] = (
    IDENTITY_ENGINEERING,
    IDENTITY_ENGINEERING,
    IDENTITY_ENGINEERING,
    GOVERNANCE,
    GOVERNANCE,
    PRIVILEGED,
    PRIVILEGED,
    CUSTOMER_IDENTITY,
    CUSTOMER_IDENTITY,
    IDENTITY_LEADERSHIP,
    DIRECTORY,
    DIRECTORY,
)

BACKEND = Family(
    levels=ENGINEERING,
    department="Engineering",
    team="Core Services",
    titles=("Backend Engineer", "Software Engineer", "Platform Engineer", "API Engineer", "Java Developer"),
    summary=(
        "You will build the services behind everything {people} see, and answer for how they behave.",
        "The core of {company} is a set of services in {language} over {database}, with a queue between most.",
        "We ship several times a day, and nobody needs to be brave to do it.",
    ),
    duties=(
        "Design, write and run services in {language}, from the first sketch to the pager",
        "Split a large table that has served us well and now holds us back",
        "Make imports restartable, so that a failed night is a shrug and not a morning",
        "Review code with an eye for the reader who comes next year",
        "Measure before tuning, and keep the graph as proof",
        "Work with product on the smallest version that teaches us something",
        "Keep our {cloud} bill explainable, roles and IAM policies included",
    ),
    needs=(
        "{years}+ years of professional work in {language} or a similar language",
        "You model data with care and know what {database} does with it",
        "Experience with distributed systems and their partial failures",
        "Clear written English",
        "You like tests that fail for one reason",
    ),
    nice=("Event-driven designs in production", "You have mentored colleagues", "Kubernetes on {cloud}"),
    pay=(120, 195),
    tags=("Backend", "Go", "Java", "PostgreSQL", "AWS"),
    category="Back-End Programming",
    remote=0.6,
)

FRONTEND = Family(
    levels=ENGINEERING,
    department="Engineering",
    team="Web",
    titles=("Frontend Engineer", "Web Engineer", "Design Systems Engineer", "Mobile Engineer, iOS"),
    summary=(
        "You will make the screens that {people} look at for most of their working day.",
        "Speed and clarity are features here; we measure both on the slowest laptop we can find.",
    ),
    duties=(
        "Build accessible interfaces in TypeScript, and test them with a keyboard and a screen reader",
        "Grow a component library that designers and engineers both call their own",
        "Bring the time to first useful paint under two seconds on a poor connection",
        "Pair with support every month and fix what annoys people most",
        "Replace a home-grown state store by something smaller",
    ),
    needs=(
        "{years}+ years of building for the web or for mobile",
        "A sense for typography, motion and when to leave things out",
        "You know the platform beneath the framework",
        "Experience with automated tests in real browsers",
    ),
    nice=("Work on charts or maps", "An eye for wording"),
    pay=(112, 175),
    tags=("TypeScript", "Accessibility", "React", "CSS"),
    category="Front-End Programming",
    remote=0.6,
)

DATA = Family(
    levels=ENGINEERING,
    department="Data",
    team="Analytics",
    titles=("Data Engineer", "Data Scientist", "Analytics Engineer", "Machine Learning Engineer"),
    summary=(
        "You will turn what our systems know into answers that people act on.",
        "Most decisions at {company} start with a number, and you make sure that the number is right.",
    ),
    duties=(
        "Own pipelines from source to report, with tests on the data itself",
        "Forecast demand by region and week, and say how sure you are",
        "Give analysts tables with names they understand",
        "Trace a wrong figure back to its first cause, and put a check there",
        "Keep personal data where it belongs, and out of everywhere else",
        "Present findings in a page of text and one good chart",
    ),
    needs=(
        "{years}+ years with SQL and Python on data of some size",
        "Statistics that you can explain without the formula",
        "Experience with a warehouse and an orchestrator",
        "Scepticism towards your own results",
    ),
    nice=("Time series", "You have built a metrics layer", "Experience in {cloud}"),
    pay=(115, 185),
    tags=("SQL", "Python", "dbt", "Forecasting"),
    category="Full-Stack Programming",
    remote=0.5,
)

RELIABILITY = Family(
    levels=ENGINEERING,
    department="Engineering",
    team="Reliability",
    titles=("Site Reliability Engineer", "DevOps Engineer", "Cloud Infrastructure Engineer"),
    summary=(
        "You will keep {company} up, and make it cheaper and calmer to run while you do.",
        "Our platform runs on {cloud} in three regions; one of them is being drained right now, on purpose.",
    ),
    duties=(
        "Run Kubernetes clusters, and upgrade them in office hours",
        "Set service levels with the teams, and let the error budget decide what comes next",
        "Write Terraform modules that others can use without asking",
        "Tighten cloud permissions: AWS IAM roles, short-lived credentials, no keys on laptops",
        "Lead incident reviews that end in fewer incidents",
        "Retire {few} alerts for every one that you add",
    ),
    needs=(
        "{years}+ years of operating production systems on {cloud}",
        "Linux, networks and the patience to read a packet capture",
        "Infrastructure as code, and opinions about state files",
        "Experience of being on call, and of making it better",
    ),
    nice=("Prometheus at scale", "Experience with bare metal", "Go"),
    pay=(125, 190),
    tags=("Kubernetes", "Terraform", "AWS", "Prometheus", "Linux"),
    category="DevOps and Sysadmin",
    remote=0.6,
)

SECURITY = Family(
    department="Information Security",
    team="Security Operations",
    titles=(
        "Security Operations Analyst",
        "Application Security Engineer",
        "Detection Engineer",
        "GRC Analyst",
    ),
    summary=(
        "You will find what is wrong before somebody else does, and help the owners to put it right.",
        "The security team at {company} is small, trusted and asked early.",
    ),
    duties=(
        "Triage alerts, and tune away those that never meant anything",
        "Review designs and pull requests of the riskiest changes",
        "Run tabletop exercises in which people learn rather than suffer",
        "Follow vulnerabilities to closure with dates and owners",
        "Automate evidence for ISO 27001 and SOC 2",
        "Work with the identity team on suspicious sign-ins",
    ),
    needs=(
        "{years}+ years in security operations, application security or risk",
        "You can read code and logs, and write a page that a manager acts on",
        "Scripting in Python or {language}",
        "Good manners under pressure",
    ),
    nice=("OSCP, GCIA or Security+", "Cloud detection in {cloud}"),
    pay=(105, 168),
    tags=("SIEM", "Threat Detection", "Python", "ISO 27001"),
    category="DevOps and Sysadmin",
)

SALES = Family(
    department="Sales",
    team="New Business",
    titles=(
        "Account Executive, Mid-Market",
        "Enterprise Account Executive",
        "Sales Development Representative",
        "Account Manager",
        "Sales Engineer",
    ),
    summary=(
        "You will bring {company} to customers who do not know yet how much time they lose.",
        "Our customers stay for years, so we sell what fits and say so when it does not.",
    ),
    duties=(
        "Build and work a territory from the first letter to the signed contract",
        "Run discovery calls in which you listen more than you speak",
        "Prepare proposals with solutions engineering and finance",
        "Keep the forecast honest to within {percent} per cent",
        "Represent us at {few} trade fairs a year",
        "Bring back from customers what the product should learn",
    ),
    needs=(
        "{years}+ years of selling software to businesses",
        "A record of meeting targets, and a story of one that you missed",
        "Curiosity about how other people's work is done",
        "Fluent English; another language helps",
    ),
    nice=("Experience in our industry", "You have opened a new region"),
    pay=(80, 150),
    tags=("B2B", "SaaS", "Negotiation"),
    category="Sales and Marketing",
    remote=0.35,
)

MARKETING = Family(
    department="Marketing",
    team="Growth",
    titles=("Content Marketer", "Product Marketing Manager", "Lifecycle Marketing Manager", "Field Marketer"),
    summary=(
        "You will tell the story of {company} to {people}, in words that survive a second reading.",
        "Marketing here is a team of {few}, with room for craft and a dislike of noise.",
    ),
    duties=(
        "Write case studies with customers, on site where that is possible",
        "Plan launches together with product and support",
        "Improve the first month of a customer's life with us, message by message",
        "Test headlines, keep what works, and bury what only shouts",
        "Look after our voice across site, product and letters",
    ),
    needs=(
        "{years}+ years of marketing, preferably for software",
        "A portfolio of writing that we will want to forward",
        "Comfort with analytics, and distance from vanity figures",
    ),
    nice=("Experience with events", "Basic design skills"),
    pay=(70, 125),
    tags=("Content", "Email", "Positioning"),
    category="Sales and Marketing",
    remote=0.5,
)

FINANCE = Family(
    department="Finance",
    team="Controlling",
    titles=("Financial Analyst", "Senior Accountant", "Controller", "Payroll Specialist", "Tax Manager"),
    levels=("",),
    summary=(
        "You will keep the books of {company} right, on time and readable.",
        "We close the month in {few} days, and would like to do it in fewer without anyone staying late.",
    ),
    duties=(
        "Prepare monthly, quarterly and yearly statements",
        "Explain differences between plan and result to the people who caused them",
        "Own a part of the ledger, from invoice to report",
        "Work with auditors, and have the answer ready when they ask",
        "Improve the tools: fewer spreadsheets, more checks",
    ),
    needs=(
        "{years}+ years in accounting, controlling or audit",
        "A degree in finance or a comparable qualification",
        "Exactness, discretion and a sense of humour at month's end",
    ),
    nice=("Knowledge of IFRS and local rules", "SQL"),
    pay=(68, 120),
    tags=("Accounting", "IFRS", "ERP"),
    category="Management and Finance",
    remote=0.2,
)

PEOPLE = Family(
    department="People",
    team="Talent",
    titles=("Technical Recruiter", "People Partner", "Learning Manager", "Compensation Analyst"),
    summary=(
        "You will help {company} to find good people, and be a place where they stay.",
        "We hire slowly and keep long, so each conversation counts.",
    ),
    duties=(
        "Lead searches from the first meeting with the team to the signed offer",
        "Train interviewers to ask the same fair questions",
        "Look after onboarding in the first ninety days",
        "Advise managers on growth, conflict and leave",
        "Keep policies short enough to be read",
    ),
    needs=(
        "{years}+ years in recruiting or personnel work",
        "Discretion, warmth and a good memory",
        "Familiarity with the law on work in at least one of our countries",
    ),
    nice=("Experience with a works council", "Coaching training"),
    pay=(66, 118),
    tags=("Recruiting", "Onboarding"),
    category="Human Resources",
    remote=0.3,
)

SUPPORT = Family(
    department="Customer Success",
    team="Support",
    titles=("Customer Support Specialist", "Technical Support Engineer", "Customer Success Manager"),
    summary=(
        "You will be the voice that {people} hear when something does not work.",
        "Support is where product decisions are checked against life, and the product team listens.",
    ),
    duties=(
        "Answer questions by mail, chat and telephone, and close the loop each time",
        "Reproduce faults and write them up so that an engineer can start at once",
        "Help customers to set up single sign-on and imports",
        "Turn repeated questions into one good article",
        "Lead onboarding sessions for new customers",
    ),
    needs=(
        "{years}+ years in a customer-facing role",
        "Clear, friendly writing",
        "Curiosity for the cause behind the symptom",
    ),
    nice=("SQL or an API client at your fingertips", "A second language"),
    pay=(52, 92),
    tags=("Support", "Troubleshooting"),
    category="Customer Support",
    remote=0.55,
)

DESIGN = Family(
    department="Design",
    team="Product Design",
    titles=("Product Designer", "UX Researcher", "Brand Identity Designer", "Illustrator"),
    summary=(
        "You will shape how {company} looks, reads and feels.",
        "Design sits with engineering here, and a sketch on paper is a welcome contribution.",
    ),
    duties=(
        "Take problems from interviews to prototypes to shipped screens",
        "Look after our visual identity: marks, colour, type and the rules to break them by",
        "Test with {people} every other week",
        "Write interface text with the support team",
        "Keep the component library small and documented",
    ),
    needs=(
        "{years}+ years in product or brand design",
        "A portfolio that shows how you got there, not only where",
        "Knowledge of accessible contrast and motion",
    ),
    nice=("Motion design", "Some CSS"),
    pay=(92, 152),
    tags=("Figma", "Research", "Brand"),
    category="Design",
    remote=0.5,
)

NURSING = Family(
    department="Clinical Operations",
    team="Rostering",
    titles=(
        "Clinical Implementation Nurse",
        "Nurse Scheduling Product Specialist",
        "Clinical Informatics Analyst",
        "Patient Access Representative",
        "Ward Rostering Coordinator",
    ),
    summary=(
        "You will help hospitals to plan shifts that are safe for patients and fair to nurses.",
        "You know the ward at four in the morning, and you want software that knows it too.",
    ),
    duties=(
        "Guide wards through their first roster, on site for {weeks} weeks and by telephone after that",
        "Translate rest-time rules and skill mixes into the planner's settings",
        "Teach charge nurses in small groups, at hours that suit them",
        "Collect what does not fit, and bring it to the product team in words they can build from",
        "Register patients and check their coverage when a clinic opens",
    ),
    needs=(
        "A nursing licence, or {years}+ years in hospital administration",
        "Experience with rosters on paper, on a board or on a screen",
        "Patience, tact and sensible shoes",
    ),
    nice=("Training as a teacher or mentor", "Knowledge of HL7 or FHIR"),
    pay=(62, 104),
    tags=("Healthcare", "Rostering", "Training"),
    category="Customer Support",
    remote=0.15,
)

UNION = Family(
    department="Operations",
    team="Workshops",
    titles=(
        "Machinist, Heavy Repair (IAM Local 1186)",
        "IAM Union Business Representative Liaison",
        "Aircraft and Rail Maintenance Mechanic (IAMAW)",
        "Site Safety Officer (SSO)",
    ),
    levels=("",),
    summary=(
        "You will keep rolling stock rolling, in a workshop with daylight and good tools.",
        "The position is covered by the collective bargaining agreement with IAM Local 1186.",
        "You will work with the lodge and with management so that grievances are settled early and on paper.",
    ),
    duties=(
        "Machine and fit parts to drawings, with tolerances that your gauge and your conscience agree on",
        "Inspect axles, bearings and brakes, and sign for what you saw",
        "Keep the lodge's seniority list and the shift bids in order",
        "Walk the site each morning as safety officer, and stop work that is not safe",
        "Train apprentices of the International Association of Machinists scheme",
    ),
    needs=(
        "A completed apprenticeship as a machinist or mechanic",
        "Readiness to join the union within the time that the agreement sets",
        "A driving licence, and the health for shift work",
    ),
    nice=("Welding certificates", "Experience with wheel lathes"),
    pay=(58, 88),
    tags=("Machining", "Safety", "Shift work"),
    remote=0.0,
)

PARTNERS = Family(
    department="Partnerships",
    team="Alliances",
    titles=("Partner Account Manager (PAM)", "PAM, Northern Region", "Channel Partner Manager"),
    summary=(
        "As our Partner Account Manager you will look after the resellers who carry {company} to market.",
        "A PAM here owns a dozen partners, and knows the names of their children.",
    ),
    duties=(
        "Agree yearly plans with partners and review them each quarter",
        "Register deals, untangle conflicts and keep the rules even-handed",
        "Train partner sellers on what is new",
        "Work with marketing on joint events",
    ),
    needs=(
        "{years}+ years in channel sales or alliances",
        "A network among resellers in your region",
        "Willingness to travel for {percent} per cent of your time",
    ),
    nice=("Experience as a PAM at a software company",),
    pay=(85, 145),
    tags=("Channel", "Alliances"),
    category="Sales and Marketing",
    remote=0.4,
)

MARKET_ACCESS = Family(
    department="Commercial",
    team="Market Access",
    titles=(
        "Market Access Manager",
        "Director, Market Access and Pricing",
        "Prior Authorisation (PA) Specialist",
        "Access and Reimbursement Manager",
    ),
    levels=("",),
    summary=(
        "You will see to it that patients can be given our medicines, and that payers understand why.",
        "Access management here means formularies, payers and evidence.",
    ),
    duties=(
        "Write value dossiers with the health economics team",
        "Lead negotiations with payers in {few} markets",
        "Follow changes in reimbursement rules, and warn early",
        "Support clinics with prior authorisation and appeals",
    ),
    needs=(
        "{years}+ years in market access, health economics or pricing",
        "A degree in life sciences, pharmacy or economics",
        "Careful reading of long documents",
    ),
    nice=("Launch experience in Europe",),
    pay=(98, 165),
    tags=("Pharma", "Pricing", "Payers"),
    remote=0.3,
)

FACILITIES = Family(
    department="Facilities",
    team="Site Security",
    titles=(
        "Physical Access Control Technician",
        "Badge Office Coordinator",
        "Security Officer, Access Control",
        "Identity Verification (KYC) Associate",
    ),
    levels=("",),
    summary=(
        "You will look after doors, badges and cameras at our sites.",
        "Visitors see you first, and colleagues see you when their badge has stopped working.",
    ),
    duties=(
        "Install and maintain readers, locks and CCTV",
        "Issue and collect badges, and check documents of visitors with care",
        "Run the quarterly check of who may enter the server rooms",
        "Log incidents and hand them over in good order",
    ),
    needs=(
        "Experience with physical access control systems",
        "A clean record and a friendly manner",
        "Readiness to work shifts",
    ),
    nice=("An electrician's training",),
    pay=(44, 70),
    tags=("Facilities", "CCTV"),
    remote=0.0,
)

PRODUCT_DATA = Family(
    department="Commerce",
    team="Catalogue",
    titles=("PIM Specialist (Product Information)", "Master Data (MIM) Analyst", "Catalogue Manager"),
    summary=(
        "You will keep product data right for every shop that shows it.",
        "A wrong size in the product information system becomes a thousand parcels sent back.",
    ),
    duties=(
        "Maintain attributes, pictures and texts in the PIM",
        "Agree data feeds with suppliers and check them by rule",
        "Plan the lifecycle of articles from first sample to last sale",
        "Report on completeness by category",
    ),
    needs=(
        "{years}+ years with product data or master data",
        "Spreadsheets, SQL or both",
        "An eye for what does not match",
    ),
    nice=("Akeneo or a similar system",),
    pay=(58, 98),
    tags=("PIM", "E-commerce", "Data quality"),
    category="Product",
    remote=0.4,
)

ORDINARY: tuple[Family, ...] = (
    BACKEND,
    BACKEND,
    FRONTEND,
    DATA,
    RELIABILITY,
    SECURITY,
    SALES,
    SALES,
    MARKETING,
    FINANCE,
    PEOPLE,
    SUPPORT,
    DESIGN,
    PARTNERS,
)


class Place(NamedTuple):
    """A city where people work: its names, and what pay is like there.

    `short` is the region's postal abbreviation where people use one; `factor` turns thousands of dollars into
    thousands of `currency`.
    """

    city: str
    region: str
    short: str
    country: str
    code: str
    currency: str
    factor: float


PLACES: tuple[Place, ...] = (
    Place("Austin", "Texas", "TX", "United States", "US", "USD", 1.0),
    Place("Denver", "Colorado", "CO", "United States", "US", "USD", 1.0),
    Place("New York", "New York", "NY", "United States", "US", "USD", 1.12),
    Place("Seattle", "Washington", "WA", "United States", "US", "USD", 1.1),
    Place("Chicago", "Illinois", "IL", "United States", "US", "USD", 1.0),
    Place("Atlanta", "Georgia", "GA", "United States", "US", "USD", 0.94),
    Place("Raleigh", "North Carolina", "NC", "United States", "US", "USD", 0.92),
    Place("Boston", "Massachusetts", "MA", "United States", "US", "USD", 1.08),
    Place("Toronto", "Ontario", "ON", "Canada", "CA", "CAD", 1.06),
    Place("Montréal", "Quebec", "QC", "Canada", "CA", "CAD", 0.98),
    Place("London", "England", "", "United Kingdom", "GB", "GBP", 0.62),
    Place("Manchester", "England", "", "United Kingdom", "GB", "GBP", 0.52),
    Place("Edinburgh", "Scotland", "", "United Kingdom", "GB", "GBP", 0.53),
    Place("Dublin", "Leinster", "", "Ireland", "IE", "EUR", 0.68),
    Place("Berlin", "Berlin", "", "Germany", "DE", "EUR", 0.62),
    Place("Munich", "Bavaria", "", "Germany", "DE", "EUR", 0.68),
    Place("Hamburg", "Hamburg", "", "Germany", "DE", "EUR", 0.61),
    Place("Vienna", "Vienna", "", "Austria", "AT", "EUR", 0.58),
    Place("Zürich", "Zürich", "", "Switzerland", "CH", "CHF", 0.95),
    Place("Paris", "Île-de-France", "", "France", "FR", "EUR", 0.57),
    Place("Lyon", "Auvergne-Rhône-Alpes", "", "France", "FR", "EUR", 0.5),
    Place("Brussels", "Brussels", "", "Belgium", "BE", "EUR", 0.58),
    Place("Amsterdam", "North Holland", "", "Netherlands", "NL", "EUR", 0.62),
    Place("Madrid", "Community of Madrid", "", "Spain", "ES", "EUR", 0.46),
    Place("Lisbon", "Lisbon", "", "Portugal", "PT", "EUR", 0.42),
    Place("Milan", "Lombardy", "", "Italy", "IT", "EUR", 0.48),
    Place("Warsaw", "Masovia", "", "Poland", "PL", "PLN", 1.75),
    Place("Prague", "Prague", "", "Czechia", "CZ", "CZK", 11.0),
    Place("Stockholm", "Stockholm", "", "Sweden", "SE", "SEK", 5.6),
    Place("Oslo", "Oslo", "", "Norway", "NO", "NOK", 6.6),
    Place("Copenhagen", "Capital Region", "", "Denmark", "DK", "DKK", 4.9),
    Place("Bengaluru", "Karnataka", "", "India", "IN", "INR", 26.0),
    Place("Singapore", "", "", "Singapore", "SG", "SGD", 1.02),
    Place("Sydney", "New South Wales", "NSW", "Australia", "AU", "AUD", 1.18),
)

SIGNS = {"USD": "$", "CAD": "CA$", "GBP": "£", "EUR": "€", "AUD": "A$", "SGD": "S$", "INR": "₹"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An invented employer: what it says of itself, and whom it hires.

    Attributes:
        about: Sentences of its own description; the first is always used.
        people: Those whom it serves, in the plural.
        cities: Where it has offices.
        extra: Families that it hires beside the ordinary ones.
        identity: The share of identity roles among its openings, from 0 to 1.
    """

    name: str
    about: tuple[str, ...]
    people: str
    cities: tuple[str, ...]
    extra: tuple[Family, ...] = ()
    identity: float = 0.2


COMPANIES: tuple[Company, ...] = (
    Company(
        name="Latchway",
        about=(
            "Latchway makes sign-in software for organisations that have outgrown one office and not yet built a department for it.",
            "Twelve hundred customers trust us with their identity, their access and their quiet weekends.",
            "We started in a spare room above a locksmith, and kept the sign.",
        ),
        people="administrators",
        cities=("Denver", "Raleigh", "Toronto", "Dublin", "London"),
        extra=(PARTNERS,),
        identity=0.4,
    ),
    Company(
        name="Harborline Freight",
        about=(
            "Harborline Freight moves containers between ninety ports, and the papers that travel with them.",
            "Our software tells a dispatcher at noon what used to be known at midnight.",
            "We are 6,000 people, most of them within sight of a crane.",
        ),
        people="dispatchers",
        cities=("Hamburg", "New York", "Seattle", "Singapore", "Amsterdam"),
        extra=(UNION, FACILITIES, PRODUCT_DATA),
    ),
    Company(
        name="Calder Wren Health",
        about=(
            "Calder Wren Health builds nurse scheduling software for hospitals that cannot afford an empty shift.",
            "Four hundred wards plan with it every week, from small clinics to teaching hospitals.",
            "A quarter of us have worked on a ward, and the product shows it.",
        ),
        people="charge nurses",
        cities=("Boston", "Chicago", "Manchester", "Edinburgh"),
        extra=(NURSING, NURSING, NURSING),
        identity=0.15,
    ),
    Company(
        name="Ironbark Rail",
        about=(
            "Ironbark Rail repairs, leases and runs freight trains across two continents.",
            "Our oldest workshop opened when steam was new, and it has better wireless than the head office.",
            "Safety comes first, and it comes with a budget.",
        ),
        people="crews",
        cities=("Atlanta", "Chicago", "Sydney", "Austin"),
        extra=(UNION, UNION, FACILITIES),
        identity=0.15,
    ),
    Company(
        name="Nordlicht Bank",
        about=(
            "Nordlicht Bank is a bank for small businesses, supervised like a large one.",
            "Two hundred thousand bakeries, workshops and practices keep their accounts with us.",
            "We run our own core banking, and can say what each part of it does.",
        ),
        people="business owners",
        cities=("Berlin", "Munich", "Hamburg", "Vienna", "Zürich"),
        extra=(FACILITIES,),
        identity=0.35,
    ),
    Company(
        name="Marisol Therapeutics",
        about=(
            "Marisol Therapeutics develops medicines for rare diseases of the kidney.",
            "Three of our products are with patients, and five more are in trials.",
            "We publish what fails as well as what works.",
        ),
        people="patients and clinicians",
        cities=("Boston", "Paris", "Madrid", "Milan"),
        extra=(MARKET_ACCESS, MARKET_ACCESS),
        identity=0.15,
    ),
    Company(
        name="Fjordvik Energi",
        about=(
            "Fjordvik Energi runs wind, water and the wires between them for two million homes.",
            "As critical infrastructure we take access seriously, on the network and at the gate.",
            "Half of our engineers work within a day's walk of a turbine.",
        ),
        people="households and grid operators",
        cities=("Oslo", "Stockholm", "Copenhagen"),
        extra=(FACILITIES,),
        identity=0.25,
    ),
    Company(
        name="Tessellate Cloud",
        about=(
            "Tessellate Cloud gives software teams databases that look after themselves.",
            "Nine thousand teams run on it, some of them larger than we are.",
            "We are spread over fifteen time zones, and write things down.",
        ),
        people="developers",
        cities=("Seattle", "Lisbon", "Warsaw", "Bengaluru", "Toronto"),
        identity=0.3,
    ),
    Company(
        name="Pixelgrove Games",
        about=(
            "Pixelgrove Games makes slow games about gardens, rivers and neighbours.",
            "Thirty million players have an account with us, and many have kept it for ten years.",
            "No crunch: the last month before a release has the same hours as any other.",
        ),
        people="players",
        cities=("Montréal", "Stockholm", "Austin"),
        extra=(DESIGN,),
        identity=0.2,
    ),
    Company(
        name="Bramble Cover",
        about=(
            "Bramble Cover insures the things that large insurers find too small: bicycles, hives, market stalls.",
            "Claims are paid in two days, and questions are answered by people.",
            "We hold licences in eleven countries.",
        ),
        people="policyholders",
        cities=("London", "Dublin", "Brussels", "Prague"),
        extra=(FINANCE,),
        identity=0.25,
    ),
    Company(
        name="Quillmark Press",
        about=(
            "Quillmark Press publishes school books, and the software that reads them aloud.",
            "Half a million pupils sign in each morning between eight and a quarter past.",
            "We pay authors first.",
        ),
        people="teachers",
        cities=("Edinburgh", "Lyon", "Vienna"),
    ),
    Company(
        name="Orchard & Vale",
        about=(
            "Orchard & Vale delivers groceries from farms to towns within the day.",
            "Our routes are planned by software and corrected by drivers, in that order.",
            "Everyone spends a day a year on a van.",
        ),
        people="farmers and families",
        cities=("Manchester", "Amsterdam", "Raleigh"),
        extra=(PRODUCT_DATA,),
    ),
)

#: Parts of names of further companies, for worlds larger than the list above.
FIRST_NAMES = (
    "Amber", "Birch", "Cobalt", "Dune", "Ember", "Fallow", "Granite", "Heron", "Indigo", "Juniper", "Kestrel",
    "Larch", "Marlow", "Nimbus", "Otter", "Pewter", "Quarry", "Russet", "Sable", "Thistle", "Umber", "Vesper",
    "Willow", "Yarrow", "Zephyr",
)  # fmt: skip
LAST_NAMES = (
    "Analytics", "Bank", "Biotech", "Build", "Care", "Foods", "Freight", "Games", "Grid", "Health", "Insurance",
    "Labs", "Learning", "Logistics", "Mobility", "Motors", "Optics", "Payments", "Robotics", "Systems",
    "Telecom", "Travel", "Water", "Works",
)  # fmt: skip

SHARED_NEEDS = (
    "You finish things, and tell people when you cannot",
    "You are at ease in a team that works across time zones",
    "Good written English; most of our decisions are made in documents",
    "The right to work in the country of the posting",
)

HOW_WE_WORK = {
    "remote": (
        "This role is fully remote. We meet in person twice a year, and pay for the journey.",
        "You may work from anywhere in the countries listed, at hours that overlap ours by four.",
    ),
    "hybrid": (
        "We work in a hybrid way: two or three days a week in the office, agreed within the team.",
        "The team is in the office on Tuesdays and Thursdays; the other days are yours to arrange.",
    ),
    "onsite": (
        "The work is done on site, with colleagues and machines that cannot be taken home.",
        "This position is based at our office, five days a week, with flexible hours.",
    ),
}

OFFERS = (
    "Thirty days of paid leave, and a company that is closed in the last week of the year",
    "A pension plan to which we add as much as you do, up to {few} per cent",
    "Health cover for you and your family from the first day",
    "A budget for books, courses and one conference a year",
    "Sixteen weeks of parental leave at full pay, for every parent",
    "Shares, so that we grow together",
    "A travel pass, or a bicycle if you prefer",
    "Equipment of your choice, and a proper chair",
    "Work from abroad for up to {weeks} weeks a year",
)

PROCESS = (
    "After a first call of half an hour you meet the team twice; one of the meetings is a practical exercise drawn from our own work. You hear from us within {weeks} weeks either way.",
    "We read every application ourselves. Expect a call, a working session and a conversation with the person you would report to. No puzzles.",
    "There are {few} steps, and we tell you all of them before the first. If you need an adjustment at any point, ask, and it is arranged.",
)

#: Statements of equal opportunity: boilerplate that speaks of "identity" in a sense of its own.
EQUAL_OPPORTUNITY = (
    "{company} is an equal opportunity employer. We decide on merit, and never on race, colour, religion, sex, sexual orientation, gender identity or expression, national origin, age, disability or veteran status.",
    "We welcome everyone. No applicant at {company} is treated worse for origin, belief, age, disability, family status, sexual orientation or gender identity, and we adjust the process for whoever asks us to.",
    "Different backgrounds make better work. {company} considers all qualified applicants whatever their gender identity, ethnicity, faith, age or way of life, and checks its own numbers every year.",
)

HEADINGS = {
    "en": (
        ("About {company}", "The role", "What you will do", "What you bring", "Nice to have", "How we work",
         "What we offer", "How we hire"),
        ("Who we are", "Why this role", "Your work", "Your experience", "A plus", "Where and how", "Benefits",
         "The process"),
        ("Hello from {company}", "About the position", "Responsibilities", "Requirements", "Preferred",
         "Working pattern", "Pay and benefits", "Next steps"),
    ),
    "de": (
        ("Über {company}", "Die Stelle", "Deine Aufgaben", "Dein Profil", "Von Vorteil", "Arbeitsweise",
         "Wir bieten", "So geht es weiter"),
    ),
    "fr": (
        ("À propos de {company}", "Le poste", "Vos missions", "Votre profil", "Les plus", "Organisation",
         "Nous offrons", "La suite"),
    ),
}  # fmt: skip

#: A sentence that an edit adds, so that a reader sees what changed.
NEWS = (
    "Update: the team has grown, and this position now reports to the head of the department.",
    "Update: we have extended the deadline, since the first round brought more letters than we could read.",
    "Update: part-time from 80 per cent is possible.",
    "Update: relocation support is now part of the offer.",
    "Update: the start date has moved to the beginning of next quarter.",
)
