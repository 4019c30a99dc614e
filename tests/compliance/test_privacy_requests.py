"""Asking, knowing who asks, answering in time."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditEntry, Notification, User
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.consent import may_contact
from compliance.models import Consent, Contact, PrivacyRequest
from compliance.privacy import clocks, mails, people, requests, run
from compliance.privacy.errors import Held, NotErasable
from compliance.privacy.holds import release_hold, set_hold, set_hold_by_staff
from compliance.privacy.requests import by_member, by_staff
from lib.clock import now, shifted
from tests.compliance.privacy_cast import add_contact, again

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(in_workspace) -> Contact:
    return add_contact(in_workspace)


@pytest.fixture
def asked(anna, alice_actor):
    def ask(kind: str = "erase", **facts) -> PrivacyRequest:
        return requests.open_contact_request(kind, anna, by=alice_actor, **facts)

    return ask


@pytest.fixture
def opened(asked, alice_actor):
    """Asked, and we know who asks."""

    def ask(kind: str = "erase", **facts) -> PrivacyRequest:
        row = asked(kind, **facts)
        requests.verify(row, requests.DOCUMENT, by=by_member(alice_actor))
        return again(row)

    return ask


@pytest.mark.parametrize(("law", "days", "more"), [("gdpr", 30, 60), ("ccpa", 45, 45)])
def test_the_clock_follows_the_law_and_is_extended_once(asked, alice_actor, law, days, more):
    row = asked("export", law=law)
    assert row.due_at - row.received_at == pytest.approx(timedelta(days=days), abs=timedelta(seconds=5))
    due_at = requests.extend(row, "Many letters to read.", by=by_member(alice_actor))
    assert due_at - row.due_at == timedelta(days=more)
    assert again(row).extended_because == "Many letters to read."
    with pytest.raises(requests.RequestClosed):
        requests.extend(again(row), "Still more letters.", by=by_member(alice_actor))


def test_a_request_cannot_be_carried_out_before_it_is_known_who_asks(asked, alice_actor):
    row = asked()
    with pytest.raises(ValidationError, match="who asks"):
        requests.start(row, by=by_member(alice_actor))
    requests.verify(row, requests.DOCUMENT, by=by_member(alice_actor))
    with pytest.raises(requests.RequestClosed):
        requests.verify(row, requests.DOCUMENT, by=by_member(alice_actor))
    requests.start(again(row), by=by_member(alice_actor))
    assert again(row).status == "running"
    with pytest.raises(requests.RequestClosed):
        requests.start(again(row), by=by_member(alice_actor))


def test_the_same_is_not_asked_twice_at_once(asked, alice_actor):
    row = asked()
    with pytest.raises(ValidationError, match="not answered yet"):
        asked()
    requests.refuse(row, "Nobody came.", by=by_member(alice_actor))
    assert asked().pk != row.pk


@pytest.mark.parametrize("act", [requests.refuse, requests.extend])
def test_refusing_and_extending_need_a_reason(asked, alice_actor, act):
    with pytest.raises(ValidationError, match="Say why"):
        act(asked(), "  ", by=by_member(alice_actor))


def test_a_refusal_ends_it_and_is_in_the_trail(opened, alice_actor, workspace):
    row = opened()
    requests.refuse(row, "It is somebody else.", by=by_member(alice_actor))
    assert (again(row).status, again(row).refusal) == ("refused", "It is somebody else.")
    with pytest.raises(requests.RequestClosed):
        requests.start(again(row), by=by_member(alice_actor))
    actions = AuditEntry.objects.filter(workspace=workspace).order_by("number").values_list("action", flat=True)
    assert [*actions][-3:] == ["privacy.open", "privacy.verify", "privacy.refuse"]


@pytest.mark.parametrize("who", ["bob_actor", "rita_actor", "vic_actor", "gwen_actor"])
def test_only_admins_answer(request, who, anna):
    actor = request.getfixturevalue(who)
    with pytest.raises(PermissionDenied):
        requests.open_contact_request("erase", anna, by=actor)
    with pytest.raises(PermissionDenied):
        requests.requests_of(actor)
    with pytest.raises(PermissionDenied):
        set_hold("contact", anna.pk, "Court", by=actor)


def test_a_stranger_finds_nothing(asked, charlie_actor):
    row = asked()
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Http404):
        requests.get_request(charlie_actor, row.pk)


def test_a_member_cannot_pose_as_staff(alice):
    with pytest.raises(PermissionDenied):
        by_staff(alice)


# --- what is asked for ----------------------------------------------------------------------------------------


def carry_out(row: PrivacyRequest, actor) -> PrivacyRequest:
    requests.start(row, by=by_member(actor))
    assert run.run(row.pk) is True
    return again(row)


def test_a_correction_changes_the_contact_and_says_which_fields(opened, anna, alice_actor):
    row = opened("rectify", details={"corrections": {"name": "Anna  Bergmann", "country": "DE"}})
    done = carry_out(row, alice_actor)
    anna.refresh_from_db()
    assert (done.refusal, anna.name, anna.country) == ("", "Anna Bergmann", "DE")
    assert (done.status, done.manifest) == ("done", {"corrected": ["country", "name"]})


@pytest.mark.parametrize("corrections", [{}, {"created_by": "x"}, {"workspace": "x", "name": "y"}])
def test_only_their_own_facts_can_be_corrected(asked, corrections):
    with pytest.raises(ValidationError, match="new values"):
        asked("rectify", details={"corrections": corrections})


def test_a_correction_that_is_no_address_is_refused_with_the_reason(opened, alice_actor):
    done = carry_out(opened("rectify", details={"corrections": {"email": "nowhere"}}), alice_actor)
    assert done.status == "refused"
    assert "valid email" in done.refusal.lower()


def test_restriction_keeps_the_contact_unused(opened, anna, alice_actor):
    carry_out(opened("restrict"), alice_actor)
    anna.refresh_from_db()
    assert anna.restricted_at is not None


def test_an_objection_is_a_row_of_the_ledger_for_each_purpose_and_channel(opened, anna, alice_actor, workspace):
    Consent.objects.create(
        workspace=workspace, contact=anna, purpose="newsletter", channel="telegram", state="given", method="form"
    )
    done = carry_out(opened("object", details={"purposes": ["newsletter", "profiling"]}), alice_actor)
    ledger = Consent.objects.filter(contact=anna, state="objected").values_list("purpose", "channel")
    assert {*ledger} == {("newsletter", "any"), ("profiling", "any")}
    assert not may_contact(anna, "newsletter", "telegram")[0]
    assert done.manifest == {"objected": ["newsletter", "profiling"]}


def test_an_erasure_says_what_went_and_who_else_must_be_told(opened, anna, alice_actor):
    done = carry_out(opened(), alice_actor)
    assert not Contact.objects.filter(pk=anna.pk).exists()
    assert done.manifest["erased"]["compliance.Contact"] == 1
    assert (done.subject_label, done.details, done.status) == ("", {}, "done")
    assert mail.outbox[-1].to == ["anna@example.net"]
    assert "erased" in mail.outbox[-1].body


def test_third_parties_are_those_outside(anna):
    assert run.third_parties({"campaigns.Post": 1, "accounts.Notification": 2}) == [
        "Members of the same workspace; the networks you connect (X, Telegram)"
    ]


# --- an account -------------------------------------------------------------------------------------------------


def test_a_pause_shuts_every_door_until_its_link_opens_them(bob, client_of, workspace, api):
    client = client_of(bob)
    row = requests.open_own_request("restrict", user=bob)
    run.run(row.pk)
    bob.refresh_from_db()
    assert bob.is_active is False
    assert client.get("/profile").status_code == 302
    assert api(bob, workspace=workspace).get("/api/workspace").status_code == 401
    token = re.search(r"/privacy/resume/(\S+)", mail.outbox[-1].body)[1]
    assert mails.request_of(token, mails.LIFT_SALT) == row
    assert people.lift_restriction(row.pk) is True
    assert people.lift_restriction(row.pk) is False
    bob.refresh_from_db()
    assert bob.is_active is True


def test_no_link_brings_back_an_account_that_staff_switched_off(bob):
    row = requests.open_own_request("export", user=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert people.lift_restriction(row.pk) is False


def test_an_objection_of_a_member_ends_the_mails(bob):
    run.run(requests.open_own_request("object", user=bob).pk)
    bob.refresh_from_db()
    assert bob.mail_alerts is False


@pytest.mark.parametrize(
    ("corrections", "status", "name"),
    [({"name": "Robert"}, "done", "Robert"), ({"time_zone": "Mars/Base"}, "refused", "Bob")],
)
def test_a_member_corrects_name_and_zone(bob, corrections, status, name):
    row = requests.open_own_request("rectify", user=bob, details={"corrections": corrections})
    run.run(row.pk)
    bob.refresh_from_db()
    assert (again(row).status, bob.name) == (status, name)


def test_a_sole_owner_hands_over_first(alice, workspace, bob):
    with pytest.raises(NotErasable, match="only owner of Roastery"):
        requests.open_own_request("erase", user=alice)
    assert requests.blockers_of(alice)
    workspace.memberships.filter(user=bob).update(role="owner")
    assert requests.blockers_of(alice) == []
    assert requests.open_own_request("erase", user=alice).status == "running"


def test_an_owner_may_go_when_the_workspace_goes_as_well(alice, workspace):
    workspace.deletes_at = now() + timedelta(days=3)
    workspace.save()
    assert requests.blockers_of(alice) == []


def test_the_last_administrator_stays(staff):
    assert "last administrator" in requests.blockers_of(staff)[0]


# --- holds ------------------------------------------------------------------------------------------------------


def test_a_hold_stops_an_erasure_until_it_is_released(opened, anna, alice_actor):
    row = opened()
    hold = set_hold("contact", anna.pk, "Case 7", by=alice_actor)
    with pytest.raises(Held, match="legal hold has stood since"):
        requests.start(row, by=by_member(alice_actor))
    assert release_hold(hold.pk, by=alice_actor) is True
    assert release_hold(hold.pk, by=alice_actor) is False
    assert carry_out(row, alice_actor).status == "done"


def test_a_hold_that_comes_after_the_start_stops_it_too(opened, anna, alice_actor):
    row = opened()
    requests.start(row, by=by_member(alice_actor))
    set_hold("workspace", alice_actor.workspace.pk, "Case 7", by=alice_actor)
    run.run(row.pk)
    assert (again(row).status, "legal hold" in again(row).refusal) == ("refused", True)
    assert Contact.objects.filter(pk=anna.pk).exists()


def test_staff_hold_an_account_and_a_held_workspace_holds_its_members(bob, staff, alice_actor, in_workspace):
    with all_workspaces_scope("staff"):
        set_hold_by_staff("user", bob.pk, "Order 12", staff=staff)
    assert "this account" in requests.blockers_of(bob)[0]
    with pytest.raises(PermissionDenied):
        set_hold_by_staff("user", bob.pk, "Order 12", staff=bob)
    with pytest.raises(Http404):
        set_hold("user", bob.pk, "Mine", by=alice_actor)
    with pytest.raises(ValidationError, match="Say why"):
        set_hold("workspace", in_workspace.pk, " ", by=alice_actor)


# --- clocks and workers -----------------------------------------------------------------------------------------


def test_admins_are_reminded_a_week_before_and_once_it_is_late(asked, workspace):
    row = asked("export")
    assert clocks.remind_due() == 0
    for days, reminders in [(24, 1), (25, 0), (31, 1), (40, 0)]:
        with shifted(timedelta(days=days)):
            assert clocks.remind_due() == reminders, days
    with workspace_scope(workspace.pk):
        told = Notification.objects.filter(kind="privacy.due").order_by("created_at")
        assert [row.text.split(" (")[0] for row in told] == ["A privacy request"] * 2
        assert told[0].is_alert
        assert "is due" in told[0].text
        assert "was due" in told[1].text
        assert str(row.pk) in told[0].path


def test_staff_are_reminded_of_accounts(staff, bob):
    requests.open_request_by_staff("erase", bob, staff=staff)
    with shifted(timedelta(days=28)):
        assert clocks.remind_due() == 1
    assert mail.outbox[-1].to == [staff.email]


def test_an_answered_request_reminds_nobody(asked, alice_actor):
    requests.refuse(asked(), "Spam.", by=by_member(alice_actor))
    with shifted(timedelta(days=60)):
        assert clocks.remind_due() == 0


def test_a_lease_keeps_others_out_until_it_ends(bob):
    row = requests.open_own_request("object", user=bob)
    assert run.waiting() == [row.pk]
    with all_workspaces_scope("a worker that died"):
        PrivacyRequest.objects.filter(pk=row.pk).update(lease_until=now() + run.LEASE)
    assert run.waiting() == []
    assert run.run(row.pk) is False
    with shifted(run.LEASE * 2):
        assert run.run(row.pk) is True
    assert run.run(row.pk) is False
    assert again(row).status == "done"


def test_a_worker_that_died_after_the_erasure_is_followed_by_one_that_says_so(opened, anna, alice_actor):
    row = opened()
    requests.start(row, by=by_member(alice_actor))
    with all_workspaces_scope("gone already"):
        anna.delete()
    assert run.run(row.pk) is True
    assert again(row).status == "done"


def test_the_link_goes_to_the_address_we_know(asked, anna):
    row = asked()
    assert mails.send_verification(row.pk) is True
    assert mail.outbox[-1].to == [anna.email]
    assert "/privacy/requests/" in mail.outbox[-1].body
    assert mails.request_of(mails.token_of(row)) == row
    assert mails.request_of(mails.token_of(row, mails.LIFT_SALT)) is None
    assert mails.request_of("forged") is None
    Contact.objects.filter(pk=anna.pk).update(email="")
    assert mails.send_verification(row.pk) is False
