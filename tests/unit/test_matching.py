from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout import matching
from scout.matching import Match, ProfileUnusable, load_profile, parse_profile, score
from scout.matching.words import folded, words_of
from scout.postings import Posting

IAM = load_profile("iam")

EEO = (
    "Acme is an equal opportunity employer. We consider applicants without regard to race, religion, sex,"
    " sexual orientation, gender identity or expression, national origin, disability or veteran status."
)
DUTIES = (
    "You will run our identity governance program on SailPoint, automate joiner-mover-leaver with SCIM,\n"
    "own access certifications and segregation of duties, and bring SAML and OpenID Connect everywhere."
)


def posting(title: str, text: str = "", company: str = "Acme", department: str = "") -> Posting:
    return Posting(
        source_job_id="1",
        title=title,
        company=company,
        url="https://example.com",
        department=department,
        description_text=text,
    )


def points(title: str, text: str = "", **more: str) -> int:
    return score(posting(title, text, **more), IAM).score


def reasons(match: Match) -> set[tuple[str, str]]:
    return {(reason["term"], reason["where"]) for reason in match.reasons}


@pytest.mark.parametrize(
    "title",
    [
        "IAM Engineer III",
        "Security Engineer II - IAM & SaaS Governance",
        "Security Software Engineer, IAM",
        "Security Engineer - Identity & Access Management",
        "Identity & PAM Security Engineer (CyberArk)",
        "Identity Security Engineer",
        "CyberArk SME",
        "Cyber Security Consultant - Identity and Access Management",
        "Senior Backend Engineer, Identity & Access Management",
        "Software Engineer (Identity Platform)",
        "iam analyst",
        "IDENTITY AND ACCESS MANAGEMENT ANALYST",
        "User Access Administrator",
        "Active Directory Administrator",
        "Entra ID Engineer",
        "CIAM Architect",
        "Customer Identity Product Manager",
        "Head of IAM",
        "Director, Identity and Access Management",
        "PAM Engineer",
        "Privileged Access Management Specialist",
        "Machine Identity Engineer",
        "IGA Analyst",
        "Identity Governance Engineer",
        "SailPoint Developer",
        "Saviynt Consultant",
        "Okta Administrator",
        "Ping Identity Engineer",
        "Zero Trust Engineer",
        "Cloud Entitlements (CIEM) Engineer",
        "IT-Spezialist Berechtigungsmanagement (m/w/d)",
        "Consultant Identitäts- und Zugriffsmanagement",
        "Ingénieur IAM H/F",
        "Chef de projet gestion des identités et des accès",
    ],
)
def test_a_title_of_the_trade_is_enough_to_match_well(title: str) -> None:
    assert points(title) >= 45


@pytest.mark.parametrize(
    "title", ["Senior Software Engineer, Identity", "Senior Backend Engineer - Access Control"]
)
def test_an_ambiguous_title_matches_beside_duties_of_the_trade(title: str) -> None:
    assert points(title) == 0
    assert points(title, DUTIES) >= 60


def test_the_best_match_is_the_title_with_duties() -> None:
    assert points("Identity Governance Engineer", DUTIES) >= 90


def test_a_title_weighs_far_more_than_a_description() -> None:
    everything = "\n".join(term.label for term in IAM.terms)
    assert points("Gardener", everything) <= 45 < points("IAM Engineer")


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Gardener", EEO),
        ("Care Assistant", "We respect every gender identity. All are welcome."),
        ("Erzieher", "Unabhängig von geschlechtlicher Herkunft, geschlechtliche Identität und Alter."),
        (
            "IAM Union Representative",
            "Work with the machinists of IAM Local 751 under collective bargaining.",
        ),
        ("IAM Lodge Secretary", "District Lodge 751 of the International Association of Machinists."),
        ("IAM Consultant", "Institute of Asset Management certification is a plus."),
        ("Baker", "I AM looking for a baker. IAM happy to teach."),
        ("PAM Account Manager", "As our Partner Account Manager (PAM) you grow channel revenue."),
        ("Product Account Manager (PAM)", "Grow accounts."),
        ("PAM Nurse Specialist", "Prior authorization (PAM) for pharmacy."),
        ("SSO Site Safety Officer", "Site safety on construction sites."),
        ("Special Security Officer (SSO)", "Guard a SCIF."),
        ("IGA Grocery Store Manager", "Run an IGA supermarket."),
        ("IGA Analyst", "Intergovernmental Affairs for the city."),
        ("Access Control Technician", "Install badge readers, CCTV and access control panels."),
        (
            "Access Management Specialist",
            "Patient access: you sit at the registration desk and verify insurance.",
        ),
        ("Market Access Manager", "Pharma payer negotiations."),
        ("Brand Identity Designer", "Shape our visual identity."),
        ("Identity Verification Agent", "Check passports."),
        ("Directory Editor", "Maintain the telephone directory."),
        ("Account Executive", "Okta is the identity company. Okta helps everyone with SSO and MFA."),
        ("Football Federation Manager", "Lead a sports federation."),
        ("Vault Cashier", "Count cash in the vault. Duo shifts."),
        ("Ping Pong Coach", "Teach ping pong."),
    ],
)
def test_false_friends_score_nothing(title: str, text: str) -> None:
    company = "Okta" if "Okta" in text else "Acme"
    assert score(posting(title, text, company=company), IAM).score == 0, score(posting(title, text), IAM)


def test_iam_in_a_devops_list_of_skills_is_worth_little() -> None:
    text = "AWS (EC2, S3, IAM, Lambda), Terraform, Kubernetes, Jenkins, Prometheus."
    assert points("Senior DevOps Engineer", text) == 0
    assert points("Senior DevOps Engineer", f"{text} RBAC and AWS IAM policies.") <= 10


def test_the_employers_own_name_is_no_skill() -> None:
    about = (
        "About Okta\nOkta secures identity for the world with single sign-on, MFA and lifecycle management."
    )
    assert points("Payroll Accountant", about, company="Okta, Inc.") == 0
    assert points("Account Executive, Okta", "Sell Okta to CIOs.", company="Okta") == 0
    assert points("Identity Engineer", "Run Okta and SAML.", company="Okta") >= 60
    assert points("Okta Administrator", "Run Okta and SAML.", company="Acme") > points(
        "Okta Administrator", "Run Okta and SAML.", company="Okta"
    )


def test_an_about_us_section_ends_at_the_next_heading() -> None:
    text = "About us\nWe sell SailPoint services and CyberArk.\nWhat you will do\nBake bread with SAML."
    assert reasons(score(posting("Baker", text), IAM)) == {("SAML", "description")}


def test_about_the_role_is_about_the_work() -> None:
    assert points("Engineer", "About the role\nYou will own SailPoint.") > 0


def test_boilerplate_takes_only_its_own_sentence() -> None:
    text = f"You will own SailPoint. {EEO} You also know CyberArk."
    assert reasons(score(posting("Engineer", text), IAM)) == {
        ("SailPoint", "description"),
        ("CyberArk", "description"),
    }


def test_reasons_say_what_was_found_where_and_add_up() -> None:
    match = score(
        posting("PAM Analyst", "CyberArk and privileged access", department="Identity Security"), IAM
    )
    assert match.reasons[0] == {"term": "PAM analyst", "where": "title", "points": 60}
    assert {reason["where"] for reason in match.reasons} == {"title", "department", "description"}
    assert match.score == sum(reason["points"] for reason in match.reasons)


def test_other_work_at_an_identity_company_is_taken_down() -> None:
    assert (
        points("Account Executive, Identity Security", DUTIES)
        < points("Engineer, Identity Security", DUTIES) - 30
    )


def test_the_longest_phrase_counts_once() -> None:
    found = score(posting("Cook", "privileged access management"), IAM)
    assert [reason["term"] for reason in found.reasons] == ["privileged access management"]


@pytest.mark.parametrize(
    "text",
    [
        "SAML",
        "(SAML)",
        "SAML/OIDC",
        "“SAML”",
        "SAML\u2011based",
        "\uff33\uff21\uff2d\uff2c",
        "saml,",
        "•SAML•",
        "SAML\u00a0x",
    ],
)
def test_words_are_found_between_any_signs(text: str) -> None:
    assert points("Cook", text) > 0


@pytest.mark.parametrize("text", ["SAMLs1", "xSAML", "SAMLé", "Samlingen"])
def test_parts_of_words_are_not_found(text: str) -> None:
    assert points("Cook", text) == 0


def test_accents_may_be_composed_or_not() -> None:
    assert points("Chef, gestion des identite\u0301s") == points("Chef, gestion des identités") > 0


@given(st.text(max_size=300))
def test_words_are_those_that_a_regular_expression_finds(text: str) -> None:
    text = text.replace("+", " ").replace("#", " ")
    found = words_of(text)
    assert all(re.fullmatch(r"\w+", word) for word in found)
    if text.isascii():
        assert found == re.findall(r"[^\W_]+", text.replace("&", " and ").lower())


@given(st.lists(st.text(max_size=40), max_size=6))
def test_a_text_has_the_words_of_its_lines(lines: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in lines]
    found = [line.split() for line in folded("\n".join(lines)).split("\n")]
    assert found == ([words_of(line) for line in lines] or [[]])


@given(st.text(max_size=200), st.text(max_size=500))
def test_any_text_gets_a_score(title: str, text: str) -> None:
    match = score(posting(title, text), IAM)
    assert 0 <= match.score <= 100


def profile(**more: Any) -> matching.Profile:
    import yaml  # noqa: PLC0415 - only to write what is read back

    groups = more.pop(
        "groups", [{"name": "g", "title": 50, "description": 5, "terms": more.pop("terms", ["bread"])}]
    )
    return parse_profile(yaml.safe_dump({"name": "test", "groups": groups, **more}), "test")


def test_an_unrelated_profile_finds_its_own_trade_only() -> None:
    data = load_profile("data-engineering")
    good = posting("Senior Data Engineer", "Spark, Airflow, dbt and SQL on Snowflake: data pipelines.")
    assert score(good, data).score >= 80
    assert score(good, IAM).score == 0
    assert score(posting("Identity Engineer", DUTIES), data).score == 0
    assert score(posting("Data Entry Clerk", "Type."), data).score == 0


def test_every_profile_that_comes_with_the_program_can_be_used() -> None:
    assert {"iam", "data-engineering"} <= set(matching.names())
    for name in matching.names():
        assert load_profile(name).name == name


def test_points_below_nothing_take_away_and_may_veto() -> None:
    found = profile(
        groups=[
            {"name": "g", "title": 50, "terms": ["baker"]},
            {"name": "no", "title": -20, "terms": ["junior", {"term": "robot", "title": -100}]},
        ]
    )
    assert score(posting("Baker"), found).score == 50
    assert score(posting("Junior Baker"), found).score == 30
    assert score(posting("Robot Baker"), found).score == 0


def test_a_place_gives_no_more_than_its_limit() -> None:
    found = profile(limits={"description": 8}, terms=["bread", "rolls", "cake"])
    assert score(posting("x", "bread rolls cake"), found) == Match(
        8,
        [
            {"term": "bread", "where": "description", "points": 5},
            {"term": "cake", "where": "description", "points": 3},
        ],
    )


def test_a_term_may_need_others_and_its_own_case() -> None:
    found = profile(terms=["bread", {"term": "SSO", "case": True, "also": ["sign-on"], "others": 1}])
    assert score(posting("x", "SSO"), found).score == 0
    assert score(posting("x", "SSO bread"), found).score == 10
    assert score(posting("x", "sso bread"), found).score == 5
    assert score(posting("x", "Sign-On bread"), found).score == 10


def test_a_choice_is_named_by_what_was_found() -> None:
    found = profile(terms=["(bread|cake) baker"])
    assert score(posting("Cake Baker"), found).reasons[0]["term"] == "cake baker"


def test_plurals_and_ands_are_understood() -> None:
    found = profile(terms=["access review", "salt and pepper", "bakery"])
    for text in ("access reviews", "Salt & Pepper", "bakeries"):
        assert score(posting("x", text), found).score == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (": :", "not YAML"),
        ("[]", "names with values"),
        ("name: x", "lacks 'groups'"),
        ("{name: x, groups: [], colour: red}", "lacks 'groups'"),
        ("{name: x, colour: red, groups: [{name: g, terms: [a]}]}", "'colour'"),
        ("{name: x, groups: [{name: g, terms: [a]}]}", "no points"),
        ("{name: x, groups: [{name: g, title: 500, terms: [a]}]}", "-100 to 100"),
        ("{name: x, groups: [{name: g, title: yes, terms: [a]}]}", "-100 to 100"),
        ("{name: x, groups: [{name: g, title: 5, terms: [7]}]}", "names with values"),
        ("{name: x, groups: [{name: g, title: 5, terms: [{term: 7}]}]}", "no word"),
        ("{name: x, groups: [{name: g, title: 5, terms: ['--']}]}", "no word"),
        ("{name: x, groups: [{name: g, title: 5, terms: [{term: a, near: b}]}]}", "'near'"),
        ("{name: x, groups: [{name: g, title: 5, terms: [{term: a, needs: b}]}]}", "a list"),
        ("{name: x, groups: [{name: g, title: 5, terms: [{term: a, others: two}]}]}", "no number"),
        ("{name: x, limits: {title: -5}, groups: [{name: g, title: 5, terms: [a]}]}", "0 to 100"),
        ("{name: x, groups: {}}", "lacks 'groups'"),
        ("{name: x, groups: {a: b}}", "must be a list"),
        ("&a [*a]", "not YAML|names with values"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_a_profile_that_is_wrong_says_where(text: str, why: str) -> None:
    with pytest.raises(ProfileUnusable, match=why):
        parse_profile(text, "mine.yaml")


def test_a_profile_of_the_owner_is_read_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("{name: mine, groups: [{name: g, title: 5, terms: [bread]}]}", encoding="utf-8")
    assert load_profile(file).name == "mine"
    monkeypatch.setenv("SCOUT_PROFILE", str(file))
    assert load_profile().name == "mine"
    monkeypatch.setenv("SCOUT_PROFILE", "data-engineering")
    assert load_profile().name == "data-engineering"
    monkeypatch.delenv("SCOUT_PROFILE")
    monkeypatch.chdir(tmp_path)
    assert load_profile().name == "iam"
    with pytest.raises(ProfileUnusable, match=r"no profile 'nowhere'.*data-engineering, iam"):
        load_profile("nowhere")
    file.write_bytes(b"\xff")
    with pytest.raises(ProfileUnusable, match="cannot be read"):
        load_profile(file)
