"""Finding people in texts, and the corners of an erasure that the proof does not reach."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import verify_chain
from accounts.models import AuditDetail, Membership, Notification, User
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_api_key, remove_member
from campaigns.models import Post, PostPart, PostVersion
from compliance.models import Consent, Contact, Erasure
from compliance.privacy import ledger
from compliance.privacy.erase import erase_contact, erase_user, replay
from compliance.privacy.errors import NotErasable
from compliance.privacy.traces import ERASED, Finder, stands_in, traces_of_contact, traces_of_user, without
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post
from tests.compliance.privacy_cast import add_contact

NOBODY = Finder([])
ANN = Finder(["ann@example.org", "7001"], ["Ann Lee", "张三丰", "Will", "高兴"])


# --- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Ask ann@example.org.", f"Ask {ERASED}."),
        ("ANN@Example.ORG", ERASED),
        ("<ann@example.org>, Ann Lee", f"<{ERASED}>, {ERASED}"),
        ("mailto:ann@example.org?subject=x", f"mailto:{ERASED}?subject=x"),
        ("Ann Lee's idea", f"{ERASED}'s idea"),
        ("张三丰说，请找张三丰。", f"{ERASED}说，请找{ERASED}。"),
        # A name that is a word as well: only where nothing else is said.
        ("Will", ERASED),
        (" will ", ERASED),
        ("@Will", ERASED),
        ("高兴", ERASED),
        ("We will be there, Will.", None),
        ("我很高兴", None),
        ("I met ANN LEE.", None),
        ("user 7001 left", f"user {ERASED} left"),
        # Somebody else.
        ("joann@example.org", None),
        ("mary.ann@example.org", None),
        ("ann@example.org.uk", None),
        ("ann@example.organic", None),
        ("Joann Lee", None),
        ("Ann Leeson", None),
        ("17001 and 70015", None),
        ("", None),
    ],
)
def test_a_trace_counts_as_a_word_of_its_own(text, after):
    assert without(text, ANN) == (text if after is None else after)
    assert stands_in(text, ANN) == (after is not None)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ({"by": "ann@example.org", "n": 7001, "ok": True}, {"by": ERASED, "n": ERASED, "ok": True}),
        ({"ann@example.org": {"deep": ["Ann Lee", None, 1.5]}}, {ERASED: {"deep": [ERASED, None, 1.5]}}),
        ([7002, "Ann"], [7002, "Ann"]),
        (None, None),
    ],
)
def test_json_is_searched_to_its_depth_in_keys_and_numbers_too(value, after):
    assert without(value, ANN) == after


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(JSON)
def test_whoever_stands_in_nothing_changes_nothing(value):
    assert without(value, NOBODY) == value
    assert not stands_in(value, NOBODY)


@QUICK
@given(JSON, st.sampled_from(["ann@example.org", "Ann Lee", "张三丰"]))
def test_what_was_taken_out_is_not_found_again_and_its_shape_stays(value, trace):
    seeded = {"value": value, "trace": f"x {trace} y"}
    after = without(seeded, ANN)
    assert stands_in(seeded, ANN)
    assert not stands_in(after, ANN)
    assert without(after, ANN) == after
    assert json.dumps(after, ensure_ascii=False).count(ERASED) >= 1


@QUICK
@given(st.text(alphabet="abcXYZ.@+-_ 7\\(*", max_size=30))
def test_any_text_can_be_looked_for(text):
    assert Finder([text], [text]).finds("somebody") in {True, False}


# --- who is meant -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_traces_are_addresses_ids_keys_and_names(bob, bob_actor, workspace, alice_actor):
    with workspace_scope(workspace.pk):
        key, _secret = create_api_key("Importer", ["read"], by=alice_actor)
    of_alice = traces_of_user(alice_actor.user)
    assert {"alice@example.org", str(alice_actor.user.pk), key.prefix} <= of_alice.strong
    assert of_alice.names == {"Alice"}
    assert of_alice.name_workspaces == {workspace.pk}
    assert traces_of_user(bob).strong == {"bob@example.org", str(bob.pk)}


@pytest.mark.django_db
def test_a_name_that_another_member_bears_means_nobody(bob, join, workspace):
    other = join("Other", "viewer")
    User.objects.filter(pk=other.pk).update(name="Bob")
    assert traces_of_user(bob).name_workspaces == frozenset()


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "is_used"), [("Bo", False), ("李雷", True), ("Bob", True), ("", False)])
def test_a_name_too_short_to_mean_somebody_is_left(bob, workspace, name, is_used):
    User.objects.filter(pk=bob.pk).update(name=name)
    assert (name in traces_of_user(User.objects.get(pk=bob.pk)).names) == is_used


@pytest.mark.django_db
def test_a_contact_is_known_in_its_workspace_only(workspace):
    with workspace_scope(workspace.pk):
        anna = add_contact(workspace, remote_id="555000111")
        found = traces_of_contact(anna)
        add_contact(workspace, "Anna Berg", email="second@example.net")
        assert traces_of_contact(anna).name_workspaces == frozenset()
    assert found.strong == {str(anna.pk), "anna@example.net", "555000111"}
    assert found.names == {"Anna Berg", "anna"}
    assert found.name_workspaces == {workspace.pk}


# --- erasing ----------------------------------------------------------------------------------------------------


@pytest.fixture
def bobs_work(workspace, bob, bob_actor, alice_actor) -> Post:
    with workspace_scope(workspace.pk):
        return add_post(bob_actor, add_connection(workspace), text="Write to bob@example.org or Alice.")


@pytest.mark.django_db
def test_work_stays_with_the_workspace_without_the_name(bobs_work, bob, workspace):
    erase_user(bob)
    with workspace_scope(workspace.pk):
        post = Post.objects.get(pk=bobs_work.pk)
        assert (post.created_by, post.authors) == (None, [])
        assert PostPart.objects.get(post=post).text == f"Write to {ERASED} or Alice."
        assert {*PostVersion.objects.filter(post=post).values_list("author", flat=True)} == {""}
        assert [*verify_chain(workspace)] == []
        assert AuditDetail.objects.filter(actor="alice@example.org").exists()


@pytest.mark.django_db
def test_a_member_who_left_before_is_found_by_what_they_did(bobs_work, bob, workspace, alice_actor):
    with workspace_scope(workspace.pk):
        remove_member(Membership.objects.get(user=bob, workspace=workspace).pk, by=alice_actor)
    erase_user(bob)
    with workspace_scope(workspace.pk):
        assert {*PostVersion.objects.values_list("author", flat=True)} == {""}
        assert not AuditDetail.objects.filter(data__icontains="bob@").exists()


@pytest.mark.django_db
def test_a_namesake_keeps_the_label(bob, bob_actor, join, workspace):
    with workspace_scope(workspace.pk):
        add_post(bob_actor, add_connection(workspace))
    User.objects.filter(pk=join("Other", "viewer").pk).update(name="Bob")
    erase_user(bob)
    with workspace_scope(workspace.pk):
        assert {*PostVersion.objects.values_list("author", flat=True)} == {"Bob"}


@pytest.mark.django_db
def test_an_erasure_that_died_in_the_middle_is_done_again(bobs_work, bob, workspace, monkeypatch):
    def die(*_args: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(ledger, "append", die)
    with pytest.raises(RuntimeError):
        erase_user(bob)
    monkeypatch.undo()
    assert User.objects.get(pk=bob.pk).is_active is False
    erase_user(User.objects.get(pk=bob.pk))
    assert not User.objects.filter(pk=bob.pk).exists()
    assert Erasure.objects.count() == 1


@pytest.mark.django_db
def test_a_sole_owner_is_not_erased_by_any_door(alice, workspace):
    with pytest.raises(NotErasable, match="only owner"):
        erase_user(alice)
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()


@pytest.mark.django_db
def test_sessions_keys_and_tokens_stop_at_once(bob, client_of, api, workspace, bob_actor):
    client, api_client = client_of(bob), api(bob, workspace=workspace)
    erase_user(bob)
    assert client.get("/profile").status_code == 302
    assert api_client.get("/api/auth/me").status_code == 401


@pytest.mark.django_db
def test_who_recorded_a_consent_is_erased_and_the_consent_stays(workspace, bob):
    with workspace_scope(workspace.pk):
        anna = add_contact(workspace)
        row = Consent.objects.create(
            workspace=workspace,
            contact=anna,
            purpose="newsletter",
            channel="email",
            state="given",
            method="import",
            recorded_by="bob@example.org",
            evidence={"file": "list.csv", "by": "bob@example.org"},
            at=now() - timedelta(days=3),
        )
    erase_user(bob)
    with workspace_scope(workspace.pk):
        kept = Consent.objects.get(pk=row.pk)
        assert (kept.recorded_by, kept.evidence) == ("", {"file": "list.csv", "by": ERASED})
        assert (kept.at, kept.state) == (row.at, "given")


@pytest.mark.django_db
def test_notices_to_others_stay_without_the_name(workspace, bob, alice):
    with workspace_scope(workspace.pk):
        row = Notification.objects.create(
            workspace=workspace, user=alice, kind="t", text="bob@example.org stopped all publishing."
        )
    erase_user(bob)
    with workspace_scope(workspace.pk):
        assert Notification.objects.get(pk=row.pk).text == f"{ERASED} stopped all publishing."


@pytest.mark.django_db
def test_two_rows_that_were_unique_by_the_name_stay_two(workspace, bob, bob_actor):
    with workspace_scope(workspace.pk):
        first = Post.objects.create(workspace=workspace, external_id="bob@example.org")
        second = Post.objects.create(workspace=workspace, external_id="BOB@example.org")
    erase_user(bob)
    with workspace_scope(workspace.pk):
        names = {*Post.objects.filter(pk__in=[first.pk, second.pk]).values_list("external_id", flat=True)}
    assert len(names) == 2
    assert all(name.startswith("[erased") for name in names)


# --- after a restore --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_restored_account_is_erased_again(workspace, bob):
    pk = bob.pk
    erase_user(bob)
    # The backup brings back the same row.
    User.objects.create_user("bob@example.org", "correct horse battery", id=pk, name="Bob")
    assert replay("user", pk) is True
    assert not User.objects.filter(pk=pk).exists()
    assert replay("user", pk) is False


@pytest.mark.django_db
def test_ownership_and_holds_were_settled_the_first_time(workspace, alice):
    assert replay("user", alice.pk) is True
    assert not User.objects.filter(pk=alice.pk).exists()


@pytest.mark.django_db
def test_a_restored_contact_is_erased_again(workspace):
    with workspace_scope(workspace.pk):
        anna = add_contact(workspace)
        pk = anna.pk
        erase_contact(anna)
        add_contact(workspace, id=pk)
    assert replay("contact", pk) is True
    with all_workspaces_scope("look"):
        assert not Contact.objects.filter(pk=pk).exists()


@pytest.mark.django_db
def test_the_list_outlives_torn_lines(workspace, bob, request, tmp_path):
    request.getfixturevalue("settings").ERASURES_FILE = str(tmp_path / "elsewhere" / "erased.jsonl")
    erase_user(bob)
    path = tmp_path / "elsewhere" / "erased.jsonl"
    path.write_text("{torn\n" + path.read_text() + '{"kind": "user"}\n[]\nnull\n')
    assert [line.kind for line in ledger.lines()] == ["user"]
    assert "bob" not in path.read_text()


def test_without_a_file_nobody_was_erased():
    assert [*ledger.lines()] == []
