"""The ledger of consents: what holds, what is written down, and that nothing is ever taken back silently."""

from datetime import timedelta
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import Error, connection, connections, transaction
from django.http import Http404
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import verify_chain
from accounts.models import AuditEntry, Event
from accounts.scope import workspace_scope
from compliance.consent import (
    ANY,
    GPC_PURPOSES,
    give_consent,
    ledger_of,
    may_contact,
    newest,
    object_to,
    record_gpc,
    standing,
    withdraw_consent,
)
from compliance.contacts import create_contact, restrict_contact
from compliance.models import Consent, Contact, Notice
from compliance.notices import get_notice, latest_notice, publish_notice, update_notice
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
MISSING = "018f0000-0000-7000-8000-000000000000"
PROOF = {"form": "spring"}


@pytest.fixture
def mei(in_workspace, bob_actor) -> Contact:
    return create_contact(by=bob_actor, name="Mei", email="mei@example.org", language="zh")


@pytest.fixture
def notice(in_workspace, alice_actor) -> Notice:
    return publish_notice(by=alice_actor, purpose="newsletter", language="en", text="One mail a month.")


@pytest.fixture
def say(mei, bob_actor):
    """`say("give")` is about the newsletter by e-mail."""
    acts = {"give": give_consent, "withdraw": withdraw_consent, "object": object_to}

    def act(what: str, purpose: str = "newsletter", channel: str = "email", **more) -> Consent:
        more = {"method": "form", "evidence": PROOF} | more
        return acts[what](mei, purpose, channel, by=bob_actor, **more)

    return act


def may(contact: Contact, purpose: str = "newsletter", channel: str = "email") -> bool:
    return may_contact(contact, purpose, channel).allowed


# --- may we write? ----------------------------------------------------------------------------------------------

N, M = "newsletter", "marketing"
CASES = {
    "never asked": ([], False),
    "agreed": ([("give", N, "email")], True),
    "agreed to another purpose": ([("give", M, "email")], False),
    "agreed on another channel": ([("give", N, "sms")], False),
    "withdrew": ([("give", N, "email"), ("withdraw", N, "email")], False),
    "withdrew another channel": ([("give", N, "email"), ("withdraw", N, "sms")], True),
    "withdrew another purpose": ([("give", N, "email"), ("withdraw", M, "email")], True),
    "agreed again": ([("give", N, "email"), ("withdraw", N, "email"), ("give", N, "email")], True),
    "objected without agreeing": ([("object", N, "email")], False),
    "objected and agreed afterwards": ([("object", N, "email"), ("give", N, "email")], True),
    "withdrew every channel": ([("give", N, "email"), ("withdraw", N, ANY)], False),
    "withdrew every purpose": ([("give", N, "email"), ("withdraw", ANY, "email")], False),
    "objected to everything": ([("give", N, "email"), ("object", ANY, ANY)], False),
    "everything of another channel": ([("give", N, "email"), ("object", ANY, "sms")], True),
    "objected to everything, then agreed": ([("object", ANY, ANY), ("give", N, "email")], True),
    "agreed to another one after everything": ([("object", ANY, ANY), ("give", N, "sms")], False),
}


@pytest.mark.parametrize(("acts", "allowed"), CASES.values(), ids=CASES)
def test_the_last_word_counts(say, mei, acts, allowed):
    for act in acts:
        say(*act)
    assert may(mei) is allowed


ACTS = st.tuples(
    st.sampled_from(["give", "withdraw", "object"]),
    st.sampled_from([N, M, ANY]),
    st.sampled_from(["email", "sms", ANY]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=7))
def test_any_history_answers_as_a_plain_reading_of_it(say, mei, acts):
    """The model keeps a switch per purpose and channel; refusals of everything switch all of them off."""
    switches = {(purpose, channel): False for purpose in (N, M) for channel in ("email", "sms")}
    with transaction.atomic():
        for what, purpose, channel in acts:
            if what == "give" and ANY in {purpose, channel}:
                with pytest.raises(ValidationError):
                    say(what, purpose, channel)
                continue
            say(what, purpose, channel)
            for key in switches:
                if purpose in {key[0], ANY} and channel in {key[1], ANY}:
                    switches[key] = what == "give"
        assert {key: may(mei, *key) for key in switches} == switches
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("acts", "why"),
    [
        ([], "This person has not agreed to it."),
        ([("give", N, "email")], "Agreed on {day} (form)."),
        ([("give", N, "email"), ("withdraw", N, "email")], "Withdrew on {day} (form)."),
        ([("object", ANY, ANY)], "Objected on {day} (form)."),
    ],
)
def test_the_answer_says_why(say, mei, acts, why):
    for act in acts:
        say(*act)
    assert may_contact(mei, N, "email").why == why.format(day=f"{now():%Y-%m-%d}")


def test_the_answer_names_the_notice(say, mei, notice):
    say("give", notice=notice)
    assert may_contact(mei, N, "email").why.endswith("(form, notice 1).")


def test_a_restriction_stands_above_consent(say, mei, bob_actor):
    say("give")
    restrict_contact(mei, by=bob_actor)
    assert may_contact(mei, N, "email") == (False, "The use of this person's data is restricted.")
    restrict_contact(mei, by=bob_actor, restricted=False)
    assert may(mei)


def test_what_holds_is_listed_for_all_that_was_agreed_to(say, mei):
    say("give")
    say("give", M, "sms")
    say("object", ANY, "sms")
    rows = [(row.purpose, row.channel, row.state) for row in standing(ledger_of(mei))]
    assert rows == [(M, "sms", "objected"), (N, "email", "given")]


def test_the_last_word_is_asked_in_one_query(say, mei, django_assert_num_queries):
    for _ in range(5):
        say("give")
        say("withdraw")
    with django_assert_num_queries(1):
        may(mei)


# --- Global Privacy Control ---------------------------------------------------------------------------------------


def test_gpc_is_an_objection_to_sale_sharing_and_profiling_once(say, mei, bob_actor):
    say("give")
    say("give", "sharing", "web")
    assert record_gpc(mei, by=bob_actor, evidence={"header": "Sec-GPC: 1"})
    assert not record_gpc(mei, by=bob_actor)
    rows = Consent.objects.filter(method="gpc").values_list("purpose", "channel", "state")
    assert sorted(rows) == sorted((purpose, ANY, "objected") for purpose in GPC_PURPOSES)
    assert may(mei)
    assert not may(mei, "sharing", "web")


def test_gpc_known_from_elsewhere_says_so(mei):
    Contact.objects.update(has_gpc=True)
    mei.refresh_from_db()
    assert "Global Privacy Control" in may_contact(mei, "sale", "web").why
    assert "Global Privacy Control" not in may_contact(mei, N, "email").why


def test_who_agrees_to_sharing_after_gpc_has_the_last_word(say, mei, bob_actor):
    record_gpc(mei, by=bob_actor)
    say("give", "sharing", "web")
    assert may(mei, "sharing", "web")
    assert not may(mei, "sale", "web")


# --- what is written down -------------------------------------------------------------------------------------------


def test_a_row_says_who_how_and_why(say, mei, notice):
    row = say("give", notice=notice, evidence={"form": "spring", "row": 4})
    row.refresh_from_db()
    assert (row.contact, row.purpose, row.channel, row.state, row.method) == (mei, N, "email", "given", "form")
    assert (row.notice, row.evidence, row.recorded_by) == (notice, {"form": "spring", "row": 4}, "bob@example.org")


def test_the_trail_has_before_and_after_and_no_person(say, mei, notice):
    say("give", notice=notice)
    say("withdraw")
    say("object", ANY, ANY)
    entries = AuditEntry.objects.filter(action__startswith="consent.").select_related("detail").order_by("number")
    found = [
        (e.action, e.object_id, e.detail.data["before"]["state"], e.detail.data["after"]["state"]) for e in entries
    ]
    pk = str(mei.pk)
    assert found == [
        ("consent.give", pk, None, "given"),
        ("consent.withdraw", pk, "given", "withdrawn"),
        ("consent.object", pk, None, "objected"),
    ]
    assert entries[0].detail.data["notice"] == "newsletter 1 (en)"
    assert "Mei" not in str([entry.detail.data for entry in entries])
    assert list(verify_chain(mei.workspace)) == []
    kinds = list(Event.objects.filter(kind__startswith="consent.").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["consent.given", "consent.withdrawn", "consent.objected"]


@pytest.mark.parametrize(
    ("acts", "rows"),
    [
        ([("withdraw", N, "email")] * 2, 1),
        ([("object", N, "email")] * 2, 1),
        ([("object", N, "email"), ("withdraw", N, "email")], 1),
        ([("withdraw", N, "email"), ("object", N, "email")], 2),
        ([("object", ANY, ANY), ("object", N, "email")], 1),
        ([("object", N, "email"), ("object", ANY, ANY)], 2),
        ([("object", ANY, ANY), ("give", N, "email"), ("object", ANY, ANY)], 3),
        ([("object", ANY, ANY), ("give", N, "email"), ("object", M, "sms")], 2),
        ([("give", N, "email")] * 2, 2),
    ],
)
def test_a_refusal_that_is_known_is_not_written_again(say, mei, acts, rows):
    for act in acts:
        say(*act)
    assert Consent.objects.count() == rows


@pytest.mark.parametrize(
    ("act", "more", "field"),
    [
        ("give", {"purpose": ANY}, "purpose"),
        ("give", {"channel": ANY}, "purpose"),
        ("give", {"purpose": "News letter"}, "purpose"),
        ("give", {"purpose": "x" * 41}, "purpose"),
        ("object", {"purpose": ""}, "purpose"),
        ("give", {"channel": "pigeon"}, "channel"),
        ("give", {"method": "guess"}, "method"),
        ("give", {"evidence": {}}, "evidence"),
        ("give", {"evidence": None}, "evidence"),
        ("withdraw", {"evidence": {"note": "x" * 2001}}, "evidence"),
    ],
)
def test_what_cannot_be_meant_is_refused(say, mei, act, more, field):
    with pytest.raises(ValidationError) as refusal:
        say(act, **more)
    assert field in refusal.value.message_dict
    assert not Consent.objects.exists()


@pytest.mark.parametrize("sql", ["UPDATE compliance_consent SET state = 'given'", "DELETE FROM compliance_consent"])
def test_the_database_refuses_to_change_a_row(say, sql):
    say("withdraw")
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_roles(mei, vic_actor, rita_actor, gwen_actor):
    for actor in (vic_actor, rita_actor, gwen_actor):
        for act in (give_consent, withdraw_consent, object_to):
            with pytest.raises(PermissionDenied):
                act(mei, N, "email", by=actor, method="staff", evidence=PROOF)
        with pytest.raises(PermissionDenied):
            record_gpc(mei, by=actor)
    assert not Consent.objects.exists()


def test_a_contact_of_another_workspace_is_missing(mei, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        for act in (give_consent, withdraw_consent, object_to):
            with pytest.raises(Http404):
                act(mei, N, "email", by=charlie_actor, method="staff", evidence=PROOF)


@pytest.mark.django_db(transaction=True)
def test_two_who_refuse_at_once_write_one_row(workspace, bob_actor):
    with workspace_scope(workspace.pk):
        contact = create_contact(by=bob_actor, name="Mei")

    def refuse(_number: int) -> None:
        try:
            with workspace_scope(workspace.pk):
                object_to(contact, ANY, ANY, by=bob_actor, method="link")
        finally:
            connections.close_all()

    with ThreadPool(4) as pool:
        pool.map(refuse, range(8), chunksize=1)
    with workspace_scope(workspace.pk):
        assert Consent.objects.count() == 1


def test_newest_reads_rows_in_their_order():
    rows = [Consent(purpose=N, channel="email", state=state) for state in ("given", "withdrawn", "given")]
    assert newest(rows, N, "email") is rows[2]
    assert newest(rows[:2], N, "email") is rows[1]
    assert newest(rows, M, "email") is None


# --- notices --------------------------------------------------------------------------------------------------------


def publish(by, language: str = "en", text: str = "Text", purpose: str = N) -> tuple[int, str]:
    notice = publish_notice(by=by, purpose=purpose, language=language, text=text)
    return notice.version, notice.language


def test_a_language_that_is_missing_is_a_translation_and_one_that_is_there_a_version(alice_actor, in_workspace):
    assert [publish(alice_actor, language) for language in ("en", "zh", "en", "zh", "de", "de")] == [
        (1, "en"),
        (1, "zh"),
        (2, "en"),
        (2, "zh"),
        (2, "de"),
        (3, "de"),
    ]
    assert publish(alice_actor, purpose=M) == (1, "en")


def test_the_newest_version_is_shown_in_ones_language_or_another(alice_actor, mei):
    assert latest_notice(mei, N, "zh") is None
    for language in ("en", "zh-Hans"):
        publish(alice_actor, language)
    assert latest_notice(mei, N, "zh").language == "zh-Hans"
    assert latest_notice(mei, N, "fr").version == 1
    publish(alice_actor, "en")
    assert (latest_notice(mei, N, "zh").version, latest_notice(mei, N, "zh").language) == (2, "en")


def test_a_text_may_be_mended_until_somebody_agreed_to_it(say, notice, alice_actor):
    update_notice(notice, by=alice_actor, text="Two mails a month.")
    say("give", notice=notice)
    with pytest.raises(ValidationError) as refusal:
        update_notice(notice, by=alice_actor, text="A mail a day.")
    assert "Publish a new version" in refusal.value.message_dict["text"][0]
    notice.refresh_from_db()
    assert notice.text == "Two mails a month."
    changed = AuditEntry.objects.select_related("detail").get(action="notice.update").detail.data
    assert (changed["before"], changed["after"]) == ("One mail a month.", "Two mails a month.")


def test_saving_the_same_text_leaves_no_trace(notice, alice_actor):
    update_notice(notice, by=alice_actor, text=" One mail a month. ")
    assert not AuditEntry.objects.filter(action="notice.update").exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"purpose": ANY}, "purpose"),
        ({"purpose": "two words"}, "purpose"),
        ({"language": "english"}, "language"),
        ({"text": " \0 "}, "text"),
        ({"text": "x" * 10_001}, "text"),
    ],
)
def test_what_makes_no_notice_is_refused(alice_actor, in_workspace, fields, field):
    with pytest.raises(ValidationError) as refusal:
        publish_notice(by=alice_actor, **({"purpose": N, "language": "en", "text": "Text"} | fields))
    assert field in refusal.value.message_dict
    assert not Notice.objects.exists()


def test_a_notice_of_another_purpose_proves_nothing(say, alice_actor, notice):
    with pytest.raises(ValidationError) as refusal:
        say("give", M, notice=notice)
    assert "notice" in refusal.value.message_dict


def test_only_admins_publish(notice, bob_actor, rita_actor):
    for actor in (bob_actor, rita_actor):
        with pytest.raises(PermissionDenied):
            publish_notice(by=actor, purpose=N, language="en", text="Text")
        with pytest.raises(PermissionDenied):
            update_notice(notice, by=actor, text="Text")
    assert get_notice(bob_actor, notice.pk) == notice


@pytest.mark.django_db(transaction=True)
def test_a_text_never_changes_under_a_consent_that_is_being_given(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        contact = create_contact(by=alice_actor, name="Mei")
        notice = publish_notice(by=alice_actor, purpose=N, language="en", text="Before")

    def change(_number: int) -> str:
        try:
            with workspace_scope(workspace.pk), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                update_notice(notice, by=alice_actor, text="After")
            return "changed"
        except (Error, ValidationError) as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPool(1) as pool:
        with workspace_scope(workspace.pk):
            give_consent(contact, N, "email", by=alice_actor, method="form", notice=notice)
            assert pool.map(change, [1]) == ["OperationalError"]
        assert pool.map(change, [2]) == ["ValidationError"]


# --- pages ----------------------------------------------------------------------------------------------------------


def html(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_member_writes_down_what_somebody_said(bob_client, mei, notice):
    data = {
        "act": "give",
        "purpose": "Newsletter ",
        "channel": "email",
        "notice": str(notice.pk),
        "proof": "At the fair",
    }
    page = html(bob_client.post(f"/contacts/{mei.pk}/consent", data, follow=True))
    row = Consent.objects.get()
    assert (row.state, row.purpose, row.method, row.notice) == ("given", N, "staff", notice)
    assert row.evidence == {"note": "At the fair"}
    assert "At the fair" in page
    assert '<span class="badge badge-success">Yes</span>' in page
    bob_client.post(f"/contacts/{mei.pk}/consent", {"act": "object", "purpose": "any", "channel": "any"})
    page = html(bob_client.get(f"/contacts/{mei.pk}"))
    assert '<span class="badge badge-danger">No</span>' in page
    assert "Objected on" in page


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"purpose": N, "channel": "email"}, "Say what proves it"),
        ({"purpose": "a b", "channel": "email", "proof": "x"}, "Use small letters"),
        ({"purpose": N, "channel": "any", "proof": "x"}, "Nobody can agree to everything"),
        ({"purpose": N, "channel": "email", "notice": MISSING}, "Select a valid choice"),
    ],
)
def test_what_is_refused_says_why_beside_the_field(bob_client, mei, data, said):
    response = bob_client.post(f"/contacts/{mei.pk}/consent", {"act": "give"} | data)
    assert response.status_code == 422
    assert said in html(response)
    assert not Consent.objects.exists()


def test_a_viewer_sees_the_ledger_and_no_form(vic_client, mei, say):
    say("give")
    page = html(vic_client.get(f"/contacts/{mei.pk}"))
    assert "spring" in page
    assert "/consent" not in page
    assert "privacy-choices" not in page
    assert vic_client.post(f"/contacts/{mei.pk}/consent", {"act": "give"}).status_code == 403


def test_words_of_others_are_shown_as_text(bob_client, mei, say):
    say("give", evidence={"<b>": "<script>alert(1)</script>"})
    assert "<script>alert(1)" not in html(bob_client.get(f"/contacts/{mei.pk}"))


def test_notices_are_published_and_mended_on_their_pages(alice_client, in_workspace):
    data = {"purpose": N, "language": "en", "text": "One <mail>."}
    page = html(alice_client.post("/notices/new", data, follow=True))
    assert "One &lt;mail&gt;." in page
    notice = Notice.objects.get()
    alice_client.post(f"/notices/{notice.pk}", {"text": "Two mails."})
    notice.refresh_from_db()
    assert notice.text == "Two mails."


def test_a_notice_in_use_offers_a_new_version(alice_client, say, notice):
    say("give", notice=notice)
    page = html(alice_client.get(f"/notices/{notice.pk}"))
    assert "/notices/new?purpose=newsletter" in page
    assert "<textarea" not in page
    refused = alice_client.post(f"/notices/{notice.pk}", {"text": "Other"})
    assert refused.status_code == 422
    assert "agreed to, fixed" in html(alice_client.get("/notices"))


def test_editors_read_notices_and_admins_write_them(bob_client, alice_client, charlie_client, notice):
    assert "One mail a month." in html(bob_client.get(f"/notices/{notice.pk}"))
    assert "<textarea" not in html(bob_client.get(f"/notices/{notice.pk}"))
    assert bob_client.get("/notices/new").status_code == 403
    assert bob_client.post(f"/notices/{notice.pk}", {"text": "x"}).status_code == 403
    assert charlie_client.get(f"/notices/{notice.pk}").status_code == 404
    assert "Write the first" in html(charlie_client.get("/notices"))


# --- API ------------------------------------------------------------------------------------------------------------


def body(**more) -> dict:
    return {"state": "given", "purpose": N, "channel": "email", "evidence": PROOF} | more


def test_the_api_writes_and_lists_the_ledger(api, bob, mei, notice):
    client, address = api(bob), f"/api/contacts/{mei.pk}/consents"
    given = client.post(address, body(notice=str(notice.pk), method="form"), format="json")
    assert given.status_code == 201
    assert (given.json()["notice"], given.json()["method"], given.json()["recorded_by"]) == (
        str(notice.pk),
        "form",
        "bob@example.org",
    )
    client.post(address, body(state="withdrawn", purpose=ANY, channel=ANY), format="json")
    assert [row["state"] for row in client.get(address).json()["results"]] == ["withdrawn", "given"]


def test_the_api_says_whether_one_may_write(api, bob, mei, say):
    address = f"/api/contacts/{mei.pk}/may-contact?purpose=newsletter&channel=email"
    assert api(bob).get(address).json() == {"allowed": False, "why": "This person has not agreed to it."}
    say("give")
    assert api(bob).get(address).json()["allowed"] is True
    assert api(bob).get(f"/api/contacts/{mei.pk}/may-contact").status_code == 400


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"purpose": ANY}, 400, "purpose"),
        ({"channel": "pigeon"}, 400, "channel"),
        ({"state": "maybe"}, 400, "state"),
        ({"evidence": {}}, 400, "evidence"),
        ({"notice": MISSING}, 404, None),
    ],
)
def test_the_api_names_what_is_wrong(api, bob, mei, more, status, field):
    answer = api(bob).post(f"/api/contacts/{mei.pk}/consents", body(**more), format="json")
    assert answer.status_code == status
    assert field is None or field in answer.json()["errors"]


def test_a_repeated_request_writes_one_row(api, bob, mei):
    for _ in range(2):
        answer = api(bob).post(
            f"/api/contacts/{mei.pk}/consents", body(), format="json", headers={"Idempotency-Key": "1"}
        )
        assert answer.status_code == 201
    assert Consent.objects.count() == 1


def test_the_api_publishes_notices(api, alice, bob, in_workspace):
    fields = {"purpose": N, "language": "zh", "text": "每月一封邮件。"}
    made = api(alice).post("/api/notices", fields, format="json")
    assert (made.status_code, made.json()["version"], made.json()["is_used"]) == (201, 1, False)
    address = f"/api/notices/{made.json()['id']}"
    assert api(alice).patch(address, {"text": "每周一封邮件。"}, format="json").json()["text"] == "每周一封邮件。"
    assert api(bob).get(address).json()["text"] == "每周一封邮件。"
    assert [row["purpose"] for row in api(bob).get("/api/notices").json()["results"]] == [N]
    assert api(bob).post("/api/notices", fields, format="json").status_code == 403
    assert api(bob).patch(address, {"text": "x"}, format="json").status_code == 403


def test_the_api_knows_no_notice_of_others(api, charlie, other_workspace, notice):
    for method in ("get", "patch"):
        theirs, missing = (getattr(api(charlie), method)(f"/api/notices/{pk}") for pk in (notice.pk, MISSING))
        assert (theirs.status_code, theirs.content) == (404, missing.content)
    assert api(charlie).get("/api/notices").json()["results"] == []


def test_roles_at_the_api(api, api_key, vic, gwen, mei):
    address = f"/api/contacts/{mei.pk}/consents"
    for caller, read in ((vic, 200), (gwen, 403), (api_key("read"), 200)):
        assert api(caller).get(address).status_code == read
        assert api(caller).post(address, body(), format="json").status_code == 403
    assert api(api_key("write")).post(address, body(), format="json").status_code == 201


def test_an_older_row_stays_older(say, mei):
    with shifted(-timedelta(days=3)):
        say("give")
    say("withdraw")
    assert [row.state for row in ledger_of(mei)] == ["given", "withdrawn"]
