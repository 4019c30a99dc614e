from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.queries.audience import audience
from analytics.queries.cohorts import NO_COOKIE, cohorts
from analytics.queries.patience import answer_soon
from analytics.queries.segments import MOST_RULES, check_rules, contacts_in, segment_size
from analytics.rollups import roll_up
from compliance.consent import give_consent, withdraw_consent
from compliance.contacts import create_contact, restrict_contact
from compliance.models import Contact
from compliance.notices import publish_notice
from tests.analytics.results_cast import DAY, NOON, add_clicks, add_conversion, add_link, set_tracking


def rule(field: str, op: str, value: str) -> dict[str, str]:
    return {"field": field, "op": op, "value": value}


@pytest.fixture
def people(in_workspace: Workspace, alice_actor: Actor) -> dict[str, Contact]:
    notice = publish_notice(by=alice_actor, purpose="newsletter", language="en", text="One mail a month.")
    rows = {
        "anna": {"email": "anna@acme.example", "language": "de", "country": "DE"},
        "ben": {"email": "ben@other.example", "language": "en", "country": "US"},
        "mei": {"handle": "mei", "network": "telegram", "language": "zh", "country": "CN"},
        "tom": {"email": "tom@acme.example", "language": "de", "country": "AT"},
    }
    found = {name: create_contact(by=alice_actor, name=name.title(), **fields) for name, fields in rows.items()}
    for name in ("anna", "mei"):
        give_consent(found[name], "newsletter", "email", by=alice_actor, method="form", notice=notice)
    withdraw_consent(found["mei"], "newsletter", "email", by=alice_actor, method="staff")
    Contact.objects.filter(pk=found["tom"].pk).update(created_at=NOON - 90 * DAY, has_gpc=True)
    return found


CONTACT_RULES = [
    (rule("language", "is", "DE"), "anna tom"),
    (rule("language", "is_not", "de"), "ben mei"),
    (rule("email", "contains", "@acme"), "anna tom"),
    (rule("name", "starts", "a"), "anna"),
    (rule("network", "is", "telegram"), "mei"),
    (rule("network", "is", ""), "anna ben tom"),
    (rule("country", "is", "us"), "ben"),
    (rule("consent", "given", "newsletter"), "anna"),
    (rule("consent", "given", "newsletter/email"), "anna"),
    (rule("consent", "given", "newsletter/sms"), ""),
    (rule("consent", "given", "offers"), ""),
    (rule("consent", "not_given", "newsletter"), "ben mei tom"),
    (rule("source", "is", "form"), "anna mei"),
    (rule("source", "is_not", "form"), "ben tom"),
    (rule("added", "before", "2026-01-01"), "tom"),
    (rule("added", "after", "2026-01-01"), "anna ben mei"),
    (rule("gpc", "is", "yes"), "tom"),
    (rule("name", "contains", "%"), ""),
]


def test_every_rule_about_contacts_finds_whom_it_should(people, in_workspace) -> None:
    for asked, names in CONTACT_RULES:
        rules = {"all": [asked]}
        check_rules("contact", rules)
        found = [contact.name.lower() for contact in contacts_in(in_workspace, rules)]
        assert sorted(found) == names.split(), asked
        assert segment_size(in_workspace, "contact", rules) == len(found)


def test_groups_nest(people, in_workspace) -> None:
    german = rule("language", "is", "de")
    chinese_or_american = {"any": [rule("country", "is", "CN"), rule("country", "is", "US")]}
    sizes = [
        segment_size(in_workspace, "contact", rules)
        for rules in (
            {"any": [german, chinese_or_american]},
            {"all": [german, chinese_or_american]},
            {"all": [{"any": [german, rule("name", "is", "mei")]}, {"all": [rule("email", "contains", "acme")]}]},
            {"all": []},
        )
    ]
    assert sizes == [4, 0, 2, 4]


def test_people_whose_data_must_not_be_used_are_in_no_segment(people, in_workspace, alice_actor) -> None:
    restrict_contact(people["anna"], by=alice_actor)
    assert segment_size(in_workspace, "contact", {"all": []}) == 3


def test_contacts_of_another_workspace_are_in_no_segment(people, in_workspace, other_workspace) -> None:
    with workspace_scope(other_workspace.pk):
        assert segment_size(other_workspace, "contact", {"all": []}) == 0


# --- visitors ---------------------------------------------------------------------------------------------


@pytest.fixture
def visits(in_workspace: Workspace, spring):
    """a: phone, clicked twice, bought. b: desktop, clicked the other link. c: only looked. Bots and old ones beside."""
    link, other = add_link(in_workspace, spring, code="spring"), add_link(in_workspace, code="other")
    ids = {name: name * 32 for name in "abcd"}
    told = {"link_id": link.pk, "campaign_id": spring.pk, "language": "de-DE", "referrer": "t.co"}
    add_clicks(in_workspace, NOON - DAY, 2, visitor=ids["a"], **told)
    add_clicks(in_workspace, NOON - DAY, kind="conversion", name="purchase", visitor=ids["a"], device="")
    add_clicks(in_workspace, NOON - DAY, visitor=ids["b"], link_id=other.pk, device="desktop", language="en")
    add_clicks(in_workspace, NOON - DAY, visitor=ids["c"], kind="view", device="tablet")
    add_clicks(in_workspace, NOON - 40 * DAY, visitor=ids["d"], **told)
    add_clicks(in_workspace, NOON - DAY, is_bot=True, **told)
    add_clicks(in_workspace, NOON - DAY, visitor="", **told)
    return spring


def test_every_rule_about_visitors_finds_as_many_as_it_should(visits, in_workspace) -> None:
    wanted = [
        (rule("link", "is", "spring"), 1),
        (rule("link", "is_not", "spring"), 2),
        (rule("link", "is", "nosuch"), 0),
        (rule("link", "is_not", "nosuch"), 3),
        (rule("campaign", "is", str(visits.pk)), 1),
        (rule("campaign", "is_not", str(visits.pk)), 2),
        (rule("device", "is", "phone"), 1),
        (rule("device", "is_not", "phone"), 2),
        (rule("language", "is", "de"), 1),
        (rule("language", "is_not", "de"), 2),
        (rule("referrer", "contains", "T.CO"), 1),
        (rule("referrer", "is_not", "t.co"), 2),
        (rule("converted", "is", "yes"), 1),
        (rule("converted", "is", "no"), 2),
        (rule("clicks", "at_least", "2"), 1),
        (rule("clicks", "at_least", "1"), 2),
    ]
    for asked, number in wanted:
        assert segment_size(in_workspace, "visitor", {"all": [asked]}) == number, asked


def test_groups_of_visitors_nest(visits, in_workspace) -> None:
    bought = rule("converted", "is", "yes")
    not_a_phone = rule("device", "is_not", "phone")
    assert segment_size(in_workspace, "visitor", {"any": [bought, {"all": [not_a_phone]}]}) == 3
    assert segment_size(in_workspace, "visitor", {"all": [bought, not_a_phone]}) == 0
    assert segment_size(in_workspace, "visitor", {"all": []}) == 3


# --- what rules may say -----------------------------------------------------------------------------------

REFUSED = [
    ("planet", {"all": []}),
    ("contact", []),
    ("contact", {}),
    ("contact", {"none": []}),
    ("contact", {"all": [], "any": []}),
    ("contact", {"all": "name"}),
    ("contact", {"all": [3]}),
    ("contact", {"all": [rule("device", "is", "phone")]}),
    ("contact", {"all": [rule("name", "before", "x")]}),
    ("contact", {"all": [rule("name", "is", " ")]}),
    ("contact", {"all": [rule("name", "is", "x" * 121)]}),
    ("contact", {"all": [rule("name", "is", "a\0")]}),
    ("contact", {"all": [{"field": "name", "op": "is", "value": 3}]}),
    ("contact", {"all": [rule("network", "is", "myspace")]}),
    ("contact", {"all": [rule("added", "before", "soon")]}),
    ("contact", {"all": [rule("name", "is", "x")] * (MOST_RULES + 1)}),
    ("contact", {"all": [{"all": [{"all": [{"all": [{"all": []}]}]}]}]}),
    ("visitor", {"all": [rule("clicks", "at_least", "0")]}),
    ("visitor", {"all": [rule("clicks", "at_least", "²")]}),
    ("visitor", {"all": [rule("clicks", "at_least", "9" * 100)]}),
    ("visitor", {"all": [rule("campaign", "is", "x")]}),
    ("visitor", {"all": [rule("campaign", "is", "018f0000-0000-7000-8000-000000000000")]}),
]


def test_rules_that_make_no_sense_are_refused_with_words(in_workspace) -> None:
    for subject, rules in REFUSED:
        with pytest.raises(ValidationError) as refused:
            segment_size(in_workspace, subject, rules)
        assert refused.value.messages[0].endswith("."), (subject, rules)


# --- who clicks -------------------------------------------------------------------------------------------


def test_the_audience_is_of_people_who_clicked(visits, in_workspace, week) -> None:
    found = audience(in_workspace, week)
    assert found.clicks == 4
    shares = {name: [(row.label, row.number) for row in rows] for name, rows in found.parts.items()}
    assert shares["device"] == [("Phone", 3), ("Desktop", 1)]
    assert shares["language"] == [("de", 3), ("en", 1)]
    assert shares["referrer"] == [("t.co", 3), ("Direct, or not said", 1)]
    assert audience(in_workspace, week, campaign=visits).clicks == 3


def test_nobody_is_an_audience_of_none(in_workspace, week) -> None:
    assert (audience(in_workspace, week).clicks, audience(in_workspace, week).parts["device"]) == (0, [])


def test_many_referrers_are_summed_up(in_workspace, week) -> None:
    for number in range(12):
        add_clicks(in_workspace, NOON, 12 - number, referrer=f"site{number}.example")
    rows = audience(in_workspace, week).parts["referrer"]
    assert [rows[0].label, rows[-1].label, rows[-1].number] == ["site0.example", "Others", 4 + 3 + 2 + 1]
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_a_question_that_takes_too_long_is_given_up_and_nothing_breaks(in_workspace) -> None:
    def sleep() -> str:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return "slept"

    def timeout() -> str:
        with database.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    before = timeout()
    assert answer_soon(sleep, most_ms=20) is None
    assert answer_soon(timeout, most_ms=70) == "70ms"
    assert timeout() == before
    assert Workspace.objects.exists()


# --- cohorts ----------------------------------------------------------------------------------------------


def test_without_a_cookie_nobody_can_be_seen_coming_back(in_workspace) -> None:
    assert cohorts(in_workspace).why_not == NO_COOKIE
    set_tracking(in_workspace, uses_cookie=False)
    assert cohorts(in_workspace).why_not == NO_COOKIE


def test_visitors_by_their_first_week(in_workspace) -> None:
    set_tracking(in_workspace, uses_cookie=True)
    link = add_link(in_workspace)
    monday = NOON - DAY
    for visitor, weeks in {"a": (3, 2, 0), "b": (3,), "c": (3, 3), "d": (1, 0)}.items():
        for ago in weeks:
            add_clicks(in_workspace, monday - timedelta(weeks=ago), visitor=visitor * 32, link_id=link.pk)
    add_clicks(in_workspace, monday, visitor="a" * 32, kind="conversion", name="purchase")
    roll_up()
    found = cohorts(in_workspace)
    assert found.why_not == ""
    assert [(row.size, row.shares, row.converted) for row in found.rows] == [
        (3, [33, 0, 33, None, None], 1),
        (1, [100, None, None, None, None], 0),
    ]
    assert found.rows[0].converted_percent == 33


def test_a_new_workspace_with_a_cookie_has_no_cohorts_yet(in_workspace) -> None:
    set_tracking(in_workspace, uses_cookie=True)
    add_conversion(in_workspace, NOON, 1)
    assert (cohorts(in_workspace).rows, cohorts(in_workspace).why_not) == ([], "")
