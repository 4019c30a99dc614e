"""The page of choices: a signed link, no log-in, no cookies, and withdrawing is as easy as agreeing."""

import json

import pytest
from django.core import signing
from django.db import connection
from django.test import Client

from accounts.models import AuditEntry, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.consent import ANY, GPC_PURPOSES, give_consent, may_contact
from compliance.consent_links import SALT, choices_token, choices_url, unsubscribe_headers
from compliance.consent_texts import CHANNELS, TEXTS
from compliance.contacts import create_contact, restrict_contact
from compliance.models import Consent, Contact
from compliance.notices import publish_notice
from marketing.logs import hide_secrets

pytestmark = pytest.mark.django_db


@pytest.fixture
def mei(workspace, bob_actor, alice_actor) -> Contact:
    """She agreed to the newsletter by e-mail and to marketing by text message."""
    with workspace_scope(workspace.pk):
        contact = create_contact(by=bob_actor, name="Mei", email="mei@example.org")
        notice = publish_notice(by=alice_actor, purpose="newsletter", language="en", text="One <mail> a month.")
        how = {"by": bob_actor, "method": "form", "evidence": {"form": "spring"}}
        give_consent(contact, "newsletter", "email", notice=notice, **how)
        give_consent(contact, "marketing", "sms", **how)
    return contact


@pytest.fixture
def person() -> Client:
    """Without a session, and with CSRF checks on, as a browser meets the page."""
    return Client(enforce_csrf_checks=True)


def page_of(contact: Contact) -> str:
    return f"/privacy-choices/{choices_token(contact)}"


def html(response) -> str:
    return " ".join(response.content.decode().split())


def rows(contact: Contact) -> list[tuple[str, str, str, str]]:
    with workspace_scope(contact.workspace_id):
        ledger = Consent.objects.exclude(method="form").order_by("at", "id")
        return list(ledger.values_list("purpose", "channel", "state", "method"))


def may(contact: Contact, purpose: str = "newsletter", channel: str = "email") -> bool:
    with workspace_scope(contact.workspace_id):
        return may_contact(Contact.objects.get(pk=contact.pk), purpose, channel).allowed


# --- looking ----------------------------------------------------------------------------------------------------


def test_the_page_shows_what_one_agreed_to_and_what_one_was_told(person, mei):
    page = html(person.get(page_of(mei)))
    assert "Newsletter, by e-mail" in page
    assert "Marketing, by text message" in page
    assert "One &lt;mail&gt; a month." in page
    assert page.count('name="act" value="withdraw"') == 2
    assert "Roastery" in page


def test_the_page_sets_no_cookie_and_asks_for_no_log_in(person, mei):
    for response in (
        person.get(page_of(mei)),
        person.post(page_of(mei), {"act": "stop"}),
        person.post(f"{page_of(mei)}/unsubscribe"),
    ):
        assert response.status_code in {200, 302}
        assert not response.cookies
        assert "/accounts/login" not in response.get("Location", "")


def test_the_page_is_kept_by_nobody_and_passed_on_to_nobody(person, mei):
    response = person.get(page_of(mei))
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"


def test_the_page_works_without_scripts(person, mei):
    page = html(person.get(page_of(mei)))
    assert "onclick" not in page
    assert "hx-" not in page
    assert "csrfmiddlewaretoken" not in page


def test_looking_changes_nothing(person, mei):
    person.get(page_of(mei))
    person.get(f"{page_of(mei)}/unsubscribe")
    person.head(page_of(mei))
    assert rows(mei) == []


@pytest.mark.parametrize(
    ("headers", "query", "language", "said"),
    [
        ({}, "", "", "Your choices"),
        ({"Accept-Language": "zh-CN,zh;q=0.9"}, "", "", "您的选择"),
        ({"Accept-Language": "de, fr;q=0.5"}, "", "", "Your choices"),
        ({"Accept-Language": "zh"}, "", "en", "Your choices"),
        ({"Accept-Language": "en"}, "", "zh-Hans", "您的选择"),
        ({}, "?lang=zh", "en", "您的选择"),
        ({}, "?lang=xx", "zh", "您的选择"),
    ],
)
def test_the_page_speaks_the_language_of_the_person(person, mei, headers, query, language, said):
    with workspace_scope(mei.workspace_id):
        Contact.objects.update(language=language)
    page = html(person.get(page_of(mei) + query, headers=headers))
    assert said in page
    assert ('lang="zh-hans"' in page) == (said != "Your choices")


def test_both_languages_say_the_same_things():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    assert CHANNELS["en"].keys() == CHANNELS["zh"].keys()


# --- deciding -----------------------------------------------------------------------------------------------------


def test_one_click_withdraws_and_one_click_agrees_again(person, mei):
    newsletter = {"purpose": "newsletter", "channel": "email"}
    page = html(person.post(page_of(mei), {"act": "withdraw"} | newsletter, follow=True))
    assert "Saved. It holds from now on." in page
    assert "You withdrew" in page
    assert not may(mei)
    assert may(mei, "marketing", "sms")
    page = html(person.post(page_of(mei), {"act": "give"} | newsletter, follow=True))
    assert page.count('value="withdraw"') == 2
    assert may(mei)
    assert rows(mei) == [("newsletter", "email", "withdrawn", "link"), ("newsletter", "email", "given", "link")]


def test_agreeing_again_names_the_newest_notice_in_ones_language(person, mei, alice_actor):
    with workspace_scope(mei.workspace_id):
        for language in ("en", "zh"):
            publish_notice(by=alice_actor, purpose="newsletter", language=language, text=f"New, {language}")
    person.post(f"{page_of(mei)}?lang=zh", {"act": "give", "purpose": "newsletter", "channel": "email"})
    with workspace_scope(mei.workspace_id):
        row = Consent.objects.select_related("notice").get(method="link")
    assert (row.notice.version, row.notice.language, row.evidence["language"]) == (2, "zh", "zh")


def test_stopping_everything_is_one_click(person, mei):
    page = html(person.post(page_of(mei), {"act": "stop"}, follow=True))
    assert "You objected to everything." in page
    assert 'value="stop"' not in page
    assert rows(mei) == [(ANY, ANY, "objected", "link")]
    assert not may(mei)
    assert not may(mei, "marketing", "sms")


def test_an_act_is_in_the_trail_as_the_persons_own(person, mei):
    person.post(page_of(mei), {"act": "stop"})
    with workspace_scope(mei.workspace_id):
        entry = AuditEntry.objects.select_related("detail").order_by("-number")[0]
        assert Consent.objects.get(method="link").recorded_by == "the person, by link"
    assert (entry.action, entry.object_id, entry.detail.actor) == ("consent.object", str(mei.pk), "the person, by link")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"act": "give", "purpose": "sharing", "channel": "web"},
        {"act": "withdraw", "purpose": "newsletter", "channel": "sms"},
        {"act": "give", "purpose": ANY, "channel": ANY},
        {"act": "delete", "purpose": "newsletter", "channel": "email"},
    ],
)
def test_nobody_can_post_what_the_page_does_not_offer(person, mei, data):
    response = person.post(page_of(mei), data)
    assert response.status_code == 422
    assert "Nothing was changed." in html(response)
    assert rows(mei) == []


def test_a_restriction_is_said(person, mei, bob_actor):
    with workspace_scope(mei.workspace_id):
        restrict_contact(mei, by=bob_actor)
    assert "restricted at the moment" in html(person.get(page_of(mei)))


def test_who_agreed_to_nothing_can_still_object(person, workspace, bob_actor):
    with workspace_scope(workspace.pk):
        jon = create_contact(by=bob_actor, name="Jon")
    assert "You have agreed to nothing here." in html(person.get(page_of(jon)))
    person.post(page_of(jon), {"act": "stop"})
    assert rows(jon) == [(ANY, ANY, "objected", "link")]


def test_a_suspended_workspace_lets_people_withdraw(person, mei):
    Workspace.objects.filter(pk=mei.workspace_id).update(is_suspended=True)
    assert person.post(page_of(mei), {"act": "stop"}).status_code == 302
    assert not may(mei)


# --- Global Privacy Control -----------------------------------------------------------------------------------------


def test_gpc_is_heeded_once(person, mei):
    for _ in range(3):
        page = html(person.get(page_of(mei), headers={"Sec-GPC": "1"}))
        assert "Global Privacy Control" in page
    assert sorted(rows(mei)) == sorted((purpose, ANY, "objected", "gpc") for purpose in GPC_PURPOSES)
    assert may(mei)


@pytest.mark.parametrize("value", ["0", "", "true", "1, 1"])
def test_another_value_is_no_signal(person, mei, value):
    person.get(page_of(mei), headers={"Sec-GPC": value})
    assert rows(mei) == []


def test_gpc_is_heeded_also_where_somebody_only_clicks(person, mei):
    person.post(page_of(mei), {"act": "stop"}, headers={"Sec-GPC": "1"})
    assert {row[3] for row in rows(mei)} == {"gpc", "link"}


# --- one click in a mail program --------------------------------------------------------------------------------------


def one_click(contact: Contact, **about: str) -> str:
    with workspace_scope(contact.workspace_id):
        headers = unsubscribe_headers(contact, **about)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return headers["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")


def test_one_click_ends_everything(person, mei):
    response = person.post(one_click(mei), {"List-Unsubscribe": "One-Click"})
    assert (response.status_code, response.content) == (200, b"Done.")
    assert rows(mei) == [(ANY, ANY, "objected", "link")]


def test_one_click_ends_one_purpose(person, mei):
    person.post(one_click(mei, purpose="newsletter", channel="email"), {"List-Unsubscribe": "One-Click"})
    assert rows(mei) == [("newsletter", "email", "objected", "link")]
    assert may(mei, "marketing", "sms")


def test_a_second_click_writes_nothing(person, mei):
    for _ in range(2):
        assert person.post(one_click(mei)).status_code == 200
    assert len(rows(mei)) == 1


def test_opening_the_address_leads_to_the_page(person, mei):
    response = person.get(one_click(mei), follow=True)
    assert "Your choices" in html(response)
    assert rows(mei) == []


def test_a_made_up_purpose_is_refused(person, mei):
    response = person.post(f"{page_of(mei)}/unsubscribe?purpose=A B&channel=pigeon")
    assert response.status_code == 422
    assert rows(mei) == []


# --- the link ---------------------------------------------------------------------------------------------------------


def forged(contact: Contact) -> list[str]:
    good = choices_token(contact)
    return [
        "x",
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.rpartition(":")[0],
        signing.dumps([contact.workspace_id.hex, contact.pk.hex], salt="another"),
        signing.dumps([contact.workspace_id.hex], salt=SALT),
        signing.dumps({"a": 1}, salt=SALT),
        signing.dumps(7, salt=SALT),
        signing.dumps([contact.workspace_id.hex, "1"], salt=SALT),
    ]


def test_a_link_that_was_not_signed_here_is_missing(person, mei):
    for token in forged(mei):
        for address in (f"/privacy-choices/{token}", f"/privacy-choices/{token}/unsubscribe"):
            assert person.get(address).status_code == 404
            assert person.post(address, {"act": "stop"}).status_code == 404
    assert rows(mei) == []


def test_a_contact_is_not_reached_through_another_workspace(person, mei, other_workspace):
    token = signing.dumps([other_workspace.pk.hex, mei.pk.hex], salt=SALT)
    assert person.get(f"/privacy-choices/{token}").status_code == 404


def test_the_link_of_an_erased_contact_is_missing(person, mei):
    address = page_of(mei)
    with all_workspaces_scope("test"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.erasing', 'on', true)")
        Contact.objects.all().delete()
    assert person.get(address).status_code == 404


def test_the_link_stands_at_the_root_wherever_it_is_made(mei):
    assert choices_url(mei).startswith("http://127.0.0.1:8000/privacy-choices/")


def test_the_link_is_hidden_in_logs(mei):
    written = json.dumps(hide_secrets(None, "", {"event": f"GET {page_of(mei)}/unsubscribe"}))
    assert choices_token(mei).split(":")[0] not in written
    assert "/privacy-choices/***" in written


def test_the_link_on_a_contacts_page_opens(bob_client, person, mei):
    page = html(bob_client.get(f"/w/roastery/contacts/{mei.pk}"))
    link = page.partition('id="choices-link">')[2].partition("<")[0].removeprefix("http://127.0.0.1:8000")
    assert person.get(link).status_code == 200
