"""The pages: one's own, the workspace's, and those for people without an account."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from accounts.inventory import categories
from accounts.models import Role, User, Workspace
from accounts.scope import workspace_scope
from compliance import tasks
from compliance.models import Contact, LegalHold, PrivacyRequest
from compliance.privacy import mails, requests, run
from compliance.privacy.requests import by_member
from lib.clock import now, shifted
from tests.compliance.privacy_cast import add_contact, again
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ADMINS = {Role.OWNER, Role.ADMIN}
PAGES = ["/settings/privacy", "/settings/privacy/data", "/settings/privacy/rules"]


@pytest.fixture
def anna(workspace) -> Contact:
    with workspace_scope(workspace.pk):
        return add_contact(workspace)


@pytest.fixture
def asked(anna, alice_actor, workspace):
    def ask(kind: str = "export", **facts) -> PrivacyRequest:
        with workspace_scope(workspace.pk):
            return requests.open_contact_request(kind, anna, by=alice_actor, **facts)

    return ask


@pytest.fixture
def proven(client_of):
    """Logged in, with the password typed a moment ago."""

    def log_in(user: User):
        client = client_of(user)
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return client

    return log_in


# --- one's own --------------------------------------------------------------------------------------------------


def test_the_password_is_asked_for_again(bob, client_of):
    client = client_of(bob)
    response = client.post("/account/privacy/ask/export")
    assert response.status_code == 302
    assert "/accounts/reauthenticate/" in response["Location"]
    assert requests.own_requests(bob) == []
    # After the password the button's act goes on by itself.
    client.post(response["Location"], {"password": PASSWORD})
    assert [row.kind for row in requests.own_requests(bob)] == ["export"]


def test_a_wrong_password_asks_nothing(bob, client_of):
    client = client_of(bob)
    response = client.post("/account/privacy/ask/erase")
    client.post(response["Location"], {"password": "wrong"})
    assert requests.own_requests(bob) == []


def test_a_copy_is_made_listed_and_fetched(bob, proven):
    client = proven(bob)
    assert client.post("/account/privacy/ask/export", follow=True).status_code == 200
    row = requests.own_requests(bob)[0]
    assert "Being made" in client.get("/account/privacy").content.decode()
    run.run(row.pk)
    page = client.get("/account/privacy").content.decode()
    assert f"/account/privacy/{row.pk}/file" in page
    response = client.get(f"/account/privacy/{row.pk}/file")
    assert b"".join(response)[:2] == b"PK"
    assert "/account/privacy" in mail.outbox[-1].body


def test_nobody_fetches_the_copy_of_somebody_else(bob, alice, proven):
    row = requests.open_own_request("export", user=bob)
    run.run(row.pk)
    assert proven(alice).get(f"/account/privacy/{row.pk}/file").status_code == 404


def test_an_account_ends_by_the_button(bob, proven):
    client = proven(bob)
    response = client.post("/account/privacy/ask/erase")
    assert "Your account is being deleted" in response.content.decode()
    assert client.get("/account/privacy").status_code == 302
    row = requests.own_requests(bob)[0]
    tasks.run_privacy_request(str(row.pk))
    assert not User.objects.filter(email="bob@example.org").exists()
    assert mail.outbox[-1].to == ["bob@example.org"]


def test_a_sole_owner_reads_what_to_do_first_and_sees_no_button(alice, workspace, proven):
    client = proven(alice)
    page = client.get("/account/privacy").content.decode()
    assert "only owner of Roastery" in page
    assert "ask/erase" not in page
    client.post("/account/privacy/ask/erase")
    assert requests.own_requests(alice) == []
    assert client.get("/account/privacy").status_code == 200


def test_a_pause_logs_out_and_its_link_ends_it(bob, proven, client):
    proven(bob).post("/account/privacy/ask/restrict")
    run.run(requests.own_requests(bob)[0].pk)
    path = re.search(r"/privacy/resume/\S+", mail.outbox[-1].body)[0]
    # Programs that open the links of a mail lift nothing.
    assert "End the pause?" in client.get(path).content.decode()
    assert not User.objects.get(pk=bob.pk).is_active
    assert "Your account is back" in client.post(f"{path}/now").content.decode()
    assert User.objects.get(pk=bob.pk).is_active
    assert "Nothing to lift" in client.post(f"{path}/now").content.decode()


@pytest.mark.parametrize("kind", ["rectify", "everything", "EXPORT"])
def test_only_what_the_page_offers_can_be_asked(bob, proven, kind):
    assert proven(bob).post(f"/account/privacy/ask/{kind}").status_code == 404


def test_visitors_log_in_first(client):
    assert client.get("/account/privacy").status_code == 302
    assert client.post("/account/privacy/ask/export").status_code == 302


def test_an_account_without_any_workspace_has_the_page(charlie, client_of):
    assert "No requests yet" in client_of(charlie).get("/account/privacy").content.decode()


# --- the workspace's --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("path", PAGES)
def test_only_admins_open_the_pages(role, path, join, client_of, workspace):
    status = client_of(join("Somebody", role)).get(path).status_code
    assert status == (200 if role in ADMINS else 403)


def test_empty_pages_say_what_they_are_for(alice_client):
    texts = [alice_client.get(path).content.decode() for path in PAGES]
    assert "Nobody has asked" in texts[0]
    assert "Make a copy" in texts[1]
    assert "No holds" in texts[2]


@pytest.mark.parametrize("name", ["anna@example.net", "ANNA@example.net", "@anna", "anna"])
def test_a_request_is_noted_by_address_or_handle(alice_client, anna, name):
    response = alice_client.post("/settings/privacy", {"contact": name, "kind": "erase", "law": "ccpa"})
    assert response.status_code == 302
    page = alice_client.get(response["Location"]).content.decode()
    assert "Make sure who asks" in page
    assert "CCPA" in page


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"contact": "nobody@example.net", "kind": "erase", "law": "gdpr"}, "No contact has this address"),
        ({"contact": "anna", "kind": "steal", "law": "gdpr"}, "Select a valid choice"),
        ({"contact": "anna", "kind": "rectify", "law": "gdpr"}, "Give new values"),
    ],
)
def test_a_refusal_stands_beside_the_form(alice_client, anna, data, error):
    response = alice_client.post("/settings/privacy", data)
    assert response.status_code == 422
    assert error in response.content.decode()


def test_a_request_from_note_to_answer(alice_client, asked, anna):
    row = asked("erase")
    base = f"/settings/privacy/requests/{row.pk}"
    alice_client.post(f"{base}/verify")
    assert "Erase Anna Berg for good?" in alice_client.get(base).content.decode()
    alice_client.post(f"{base}/start")
    assert "Being carried out" in alice_client.get(base).content.decode()
    run.run(row.pk)
    page = alice_client.get(base).content.decode()
    assert "compliance.Contact: 1" in page
    assert "Anna" not in page
    assert "Erased contact" in alice_client.get("/settings/privacy").content.decode()


def test_the_mailed_link_says_who_asks_and_later_hands_out_the_copy(
    alice_client, asked, client, django_capture_on_commit_callbacks, workspace, alice_actor
):
    row = asked()
    alice_client.post(f"/settings/privacy/requests/{row.pk}/link")
    tasks.mail_privacy_link(str(row.pk))
    path = re.search(r"/privacy/requests/\S+", mail.outbox[-1].body)[0]
    assert "Did you ask for this?" in client.get(path).content.decode()
    assert again(row).status == "verifying"
    client.post(f"{path}/confirm")
    assert (again(row).status, again(row).identity_method) == ("open", "mail link")
    assert "Thank you" in client.get(path).content.decode()
    with workspace_scope(workspace.pk):
        requests.start(again(row), by=by_member(alice_actor))
    run.run(row.pk)
    assert f"{path}/file" in client.get(path).content.decode()
    assert b"".join(client.get(f"{path}/file"))[:2] == b"PK"
    with shifted(timedelta(days=8)):
        assert client.get(f"{path}/file").status_code == 404


@pytest.mark.parametrize(("act", "field"), [("refuse", "refusal"), ("extend", "extended_because")])
def test_refusing_and_extending_say_why(alice_client, asked, act, field):
    row = asked()
    address = f"/settings/privacy/requests/{row.pk}/{act}"
    assert alice_client.post(address, {"reason": ""}).status_code == 422
    assert alice_client.post(address, {"reason": "Too many letters."}).status_code == 302
    assert getattr(again(row), field) == "Too many letters."
    alice_client.post(address, {"reason": "Once more."})
    assert getattr(again(row), field) == "Too many letters."


def test_a_late_request_is_shown_as_late(alice_client, asked, workspace):
    row = asked()
    with workspace_scope(workspace.pk):
        PrivacyRequest.objects.filter(pk=row.pk).update(due_at=now() - timedelta(days=1))
    assert "late since" in alice_client.get("/settings/privacy").content.decode()


def test_a_contact_without_an_address_is_verified_by_a_document(alice_client, asked, anna, workspace):
    row = asked()
    with workspace_scope(workspace.pk):
        Contact.objects.filter(pk=anna.pk).update(email="")
    response = alice_client.post(f"/settings/privacy/requests/{row.pk}/link")
    assert response.status_code == 422
    assert "no e-mail address" in response.content.decode()


@pytest.mark.parametrize("act", ["", "/file", "/verify", "/start", "/nonsense"])
def test_strangers_find_nothing(charlie_client, asked, act):
    row = asked()
    method = charlie_client.get if act in {"", "/file"} else charlie_client.post
    assert method(f"/settings/privacy/requests/{row.pk}{act}").status_code == 404


def test_the_copy_of_the_workspace(alice_client, workspace):
    alice_client.post("/settings/privacy/data/export")
    page = alice_client.get("/settings/privacy/data").content.decode()
    assert "Running" in page
    assert "Make a copy</button>" not in page
    with workspace_scope(workspace.pk):
        row = PrivacyRequest.objects.get()
    run.run(row.pk)
    assert f"requests/{row.pk}/file" in alice_client.get("/settings/privacy/data").content.decode()


def test_the_end_of_the_workspace_by_the_page(alice_client, workspace):
    assert alice_client.post("/settings/privacy/data/delete", {"name": "Wrong"}).status_code == 422
    alice_client.post("/settings/privacy/data/delete", {"name": "Roastery"})
    assert "It will be deleted on" in alice_client.get("/settings/privacy/data").content.decode()
    assert Workspace.objects.get(pk=workspace.pk).is_stopped
    alice_client.post("/settings/privacy/data/keep")
    assert Workspace.objects.get(pk=workspace.pk).deletes_at is None


def test_an_admin_sees_no_button_to_end_it(join, client_of, workspace):
    client = client_of(join("Adam", Role.ADMIN))
    assert "Only the owner" in client.get("/settings/privacy/data").content.decode()
    assert client.post("/settings/privacy/data/delete", {"name": "Roastery"}).status_code == 403


@pytest.mark.parametrize(("contact", "kind"), [("", "workspace"), ("anna", "contact")])
def test_a_hold_is_set_and_released(alice_client, anna, workspace, contact, kind):
    alice_client.post("/settings/privacy/rules", {"contact": contact, "reason": "Case 7"})
    with workspace_scope(workspace.pk):
        hold = LegalHold.objects.get()
    assert hold.subject_kind == kind
    assert "Case 7" in alice_client.get("/settings/privacy/rules").content.decode()
    alice_client.post(f"/settings/privacy/holds/{hold.pk}/release")
    assert "released" in alice_client.get("/settings/privacy/rules").content.decode()


@pytest.mark.parametrize("data", [{"contact": "nobody", "reason": "x"}, {"contact": "", "reason": ""}])
def test_a_hold_on_nobody_or_without_a_reason_is_refused(alice_client, anna, data):
    assert alice_client.post("/settings/privacy/rules", data).status_code == 422


# --- for everybody ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_public_page_says_all_that_the_inventory_says(client, language):
    response = client.get(f"/privacy?lang={language}")
    page = response.content.decode()
    assert response["Content-Language"] == language
    for category, declarations in categories():
        for text in (category.what, category.why, category.basis, category.recipients):
            assert text[language].replace("'", "&#x27;") in page
        for declaration in declarations:
            assert declaration.keep.text[language] in page


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "zh-CN,zh;q=0.9", "zh"),
        ("", "de-DE", "en"),
        ("", "", "en"),
        ("?lang=zh", "en", "zh"),
        ("?lang=xx", "en", "en"),
    ],
)
def test_the_public_page_speaks_the_language_of_its_reader(client, query, header, language):
    response = client.get(f"/privacy{query}", HTTP_ACCEPT_LANGUAGE=header)
    assert response["Content-Language"] == language


@pytest.mark.parametrize("path", ["/", "/privacy", "/privacy?lang=zh", "/privacy/requests/forged", "/accounts/login/"])
def test_public_pages_set_no_cookie(client, path, asked):
    response = client.get(path)
    # A form against which forgeries count needs one; a page to read does not.
    allowed = {"csrftoken"} if path.startswith("/accounts") else set()
    assert set(response.cookies) <= allowed


def test_links_of_mails_set_no_cookie(client, asked):
    path = reverse("public:privacy-request", args=[mails.token_of(asked())])
    for response in (client.get(path), client.post(f"{path}/confirm"), client.get(path)):
        assert not response.cookies


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/"])
def test_every_page_before_the_log_in_leads_to_it(client, path):
    assert 'href="/privacy"' in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/privacy/requests/{}", "/privacy/requests/{}/file", "/privacy/resume/{}"])
def test_a_forged_link_is_a_missing_page(client, path, asked):
    token = mails.token_of(asked())
    assert client.get(path.format("forged")).status_code == 404
    assert client.get(path.format(token[:-2])).status_code == 404
