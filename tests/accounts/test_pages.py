import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import audit
from accounts.models import ApiKey, AuditDetail, AuditEntry, Invitation, Membership, Notification, Role, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, create_workspace, invite_member, notify

pytestmark = pytest.mark.django_db
SETTINGS = {"name": "Roastery", "time_zone": "Europe/Berlin", "late_minutes": "60", "late_policy": "ask"}
KEY = {"name": "Importer", "scopes": ["read"], "days": "30"}


def text(response) -> str:
    return " ".join(response.content.decode().split())


def toasts(response) -> list[str]:
    return re.findall(r'<div class="toast toast-(\w+)">', response.content.decode())


def errors_of(response, name: str) -> list[str]:
    return list(response.context["form"].errors.get(name, []))


# --- every page --------------------------------------------------------------------------------------------------

PAGES = ["settings", "members", "plan", "keys", "audit", "profile", "notifications", "workspace-new"]


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_for_an_owner(alice_client, name):
    response = alice_client.get(reverse(f"accounts:{name}"))
    assert response.status_code == 200
    assert response.content.count(b"<h1") == 1


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_nobody_in_particular_to_log_in(client, name):
    assert client.get(reverse(f"accounts:{name}")).url.startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["keys", "audit"])
def test_page_of_admins_is_closed_to_an_editor(bob_client, name):
    assert bob_client.get(reverse(f"accounts:{name}")).status_code == 403


@pytest.mark.parametrize("name", ["settings", "members", "keys", "audit", "notifications"])
def test_person_without_a_workspace_is_asked_to_make_one(client_of, staff, name):
    assert client_of(staff).get(reverse(f"accounts:{name}")).url == reverse("accounts:workspace-new")


@pytest.mark.parametrize("name", PAGES)
def test_every_input_has_a_label(alice_client, name):
    html = alice_client.get(reverse(f"accounts:{name}")).content.decode()
    labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", html):
        found = re.search(r' id="([^"]+)"', tag)
        is_named = "aria-label" in tag or 'type="hidden"' in tag or (found and found[1] in labelled)
        is_wrapped = re.search(rf"<label[^>]*>\s*{re.escape(tag)}", html)
        assert is_named or is_wrapped, tag


@pytest.mark.parametrize("name", ["members", "keys", "audit", "notifications"])
def test_number_of_queries_does_not_grow_with_the_rows(alice, alice_client, alice_actor, workspace, name):
    counts = []
    for batch in range(2):
        with workspace_scope(workspace.pk):
            for number in range(5):
                create_api_key("Key", ["read"], by=alice_actor)
                invite_member(f"new{batch}{number}@example.org", Role.VIEWER, by=alice_actor)
                notify(workspace, "test", "Look", path="/posts")
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(reverse(f"accounts:{name}"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- workspaces --------------------------------------------------------------------------------------------------


def test_new_workspace_is_made_and_entered(alice, alice_client):
    response = alice_client.post(reverse("accounts:workspace-new"), {"name": "Tea House", "time_zone": "UTC"})
    assert response.url == "/w/tea-house/"
    assert Membership.objects.get(workspace__slug="tea-house").role == Role.OWNER


def test_new_workspace_without_a_name_is_explained_and_nothing_is_lost(alice_client):
    response = alice_client.post(reverse("accounts:workspace-new"), {"name": " ", "time_zone": "Asia/Shanghai"})
    assert response.status_code == 422
    assert errors_of(response, "name")
    assert '<option value="Asia/Shanghai" selected' in text(response)


def test_switch_leads_to_the_other_workspace(alice, alice_client):
    create_workspace("Second", owner=alice)
    response = alice_client.post("/w/roastery/workspaces/switch", {"workspace": "second"})
    assert response.url == "/w/second/"


def test_switch_to_a_foreign_workspace_is_answered_like_to_a_missing_one(alice_client, other_workspace):
    answers = [alice_client.post("/workspaces/switch", {"workspace": slug}) for slug in ("bakery", "nothing")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_switch_by_a_link_is_refused(alice_client):
    assert alice_client.get(reverse("accounts:workspace-switch")).status_code == 405


def test_switcher_lists_ones_own_workspaces_only(alice, alice_client, other_workspace):
    create_workspace("Second", owner=alice)
    html = alice_client.get("/w/roastery/settings").content.decode()
    assert re.findall(r'name="workspace" value="([^"]+)"', html) == ["roastery", "second"]


# --- theme ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_kept_by_the_browser(client, theme):
    client.post(reverse("accounts:theme"), {"theme": theme})
    assert client.cookies["theme"].value == theme
    assert f'data-theme="{theme}"' in text(client.get("/accounts/login/"))


def test_theme_form_leads_back_to_the_page(client):
    response = client.post(reverse("accounts:theme"), {"theme": "dark"}, HTTP_REFERER="http://testserver/settings")
    assert response.url == "http://testserver/settings"


def test_theme_form_leads_to_no_other_site(client):
    response = client.post(reverse("accounts:theme"), {"theme": "dark"}, HTTP_REFERER="https://evil.example/")
    assert response.url == "/"


def test_theme_by_script_needs_no_page(client):
    response = client.post(reverse("accounts:theme"), {"theme": "dark"}, HTTP_HX_REQUEST="true")
    assert response.status_code == 204


def test_theme_that_is_none_is_refused(client):
    response = client.post(reverse("accounts:theme"), {"theme": '"><script>'})
    assert response.status_code == 400
    assert "theme" not in response.cookies


def test_forged_theme_cookie_is_not_shown(client):
    client.cookies["theme"] = "x"
    assert 'data-theme="auto"' in text(client.get("/accounts/login/"))


# --- settings ------------------------------------------------------------------------------------------------------


def test_settings_are_saved(alice_client, workspace):
    data = SETTINGS | {"name": "Roastery 2", "four_eyes": "on"}
    response = alice_client.post(reverse("accounts:settings"), data, follow=True)
    workspace.refresh_from_db()
    assert (workspace.name, workspace.four_eyes) == ("Roastery 2", True)
    assert toasts(response) == ["success"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", ""), ("name", "x" * 81), ("late_minutes", "0"), ("late_minutes", "x"), ("time_zone", "X")],
)
def test_wrong_setting_is_explained_beside_its_field(alice_client, workspace, name, value):
    response = alice_client.post(reverse("accounts:settings"), SETTINGS | {"late_minutes": "7"} | {name: value})
    assert response.status_code == 422
    assert errors_of(response, name)
    assert f'id="id_{name}_error"' in text(response)
    workspace.refresh_from_db()
    assert workspace.late_minutes == 60


def test_refused_name_shows_in_the_field_but_not_in_the_frame(alice_client):
    html = text(alice_client.post(reverse("accounts:settings"), SETTINGS | {"name": "New name", "late_minutes": "0"}))
    assert 'value="New name"' in html
    assert '<b class="truncate">Roastery</b>' in html


def test_viewer_sees_settings_but_no_button(vic_client):
    html = text(vic_client.get(reverse("accounts:settings")))
    assert "Only admins can change these settings" in html
    assert "disabled" in html
    assert ">Save</button>" not in html


def test_viewer_who_posts_settings_is_refused(vic_client, workspace):
    assert vic_client.post(reverse("accounts:settings"), SETTINGS | {"name": "Mine"}).status_code == 403
    assert Workspace.objects.get(pk=workspace.pk).name == "Roastery"


# --- members -------------------------------------------------------------------------------------------------------


def test_members_are_listed_with_their_roles(alice_client, bob, gwen):
    html = text(alice_client.get(reverse("accounts:members")))
    assert [name in html for name in ("Alice", "bob@example.org", "gwen@example.org")] == [True] * 3


def test_role_is_changed(alice_client, bob):
    member = Membership.objects.get(user=bob)
    response = alice_client.post(reverse("accounts:member-role", args=[member.pk]), {"role": "reviewer"}, follow=True)
    assert "Bob is now reviewer." in text(response)
    assert Membership.objects.get(user=bob).role == Role.REVIEWER


def test_last_owner_is_told_why_nothing_changes(alice, alice_client):
    member = Membership.objects.get(user=alice)
    response = alice_client.post(reverse("accounts:member-role", args=[member.pk]), {"role": "viewer"}, follow=True)
    assert toasts(response) == ["error"]
    assert "A workspace needs an owner" in text(response)
    assert Membership.objects.get(user=alice).role == Role.OWNER


def test_role_that_is_none_changes_nothing(alice_client, bob):
    member = Membership.objects.get(user=bob)
    response = alice_client.post(reverse("accounts:member-role", args=[member.pk]), {"role": "x"}, follow=True)
    assert toasts(response) == ["error"]
    assert Membership.objects.get(user=bob).role == Role.EDITOR


def test_editor_is_offered_no_change_of_roles_and_refused(bob, bob_client):
    member = Membership.objects.get(user=bob)
    assert "Role of" not in text(bob_client.get(reverse("accounts:members")))
    assert bob_client.post(reverse("accounts:member-role", args=[member.pk]), {"role": "admin"}).status_code == 403


def test_member_is_removed(alice_client, bob):
    member = Membership.objects.get(user=bob)
    response = alice_client.post(reverse("accounts:member-remove", args=[member.pk]), follow=True)
    assert toasts(response) == ["success"]
    assert not Membership.objects.filter(user=bob).exists()


def test_member_who_leaves_is_led_out(bob, bob_client):
    member = Membership.objects.get(user=bob)
    response = bob_client.post(f"/w/roastery/settings/members/{member.pk}/remove")
    assert response.url == "/"
    assert bob_client.get("/w/roastery/settings").status_code == 404


def test_last_owner_cannot_leave(alice, alice_client):
    member = Membership.objects.get(user=alice)
    response = alice_client.post(reverse("accounts:member-remove", args=[member.pk]), follow=True)
    assert toasts(response) == ["error"]
    assert Membership.objects.filter(user=alice).exists()


@pytest.mark.parametrize("name", ["member-role", "member-remove"])
def test_foreign_member_is_answered_like_a_missing_one(alice_client, charlie, other_workspace, name):
    theirs = Membership.objects.get(user=charlie).pk
    answers = [alice_client.post(reverse(f"accounts:{name}", args=[pk]), {"role": "viewer"}) for pk in (theirs, 10**9)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_invitation_is_sent_and_listed(alice_client):
    data = {"email": "new@example.org", "role": "editor"}
    response = alice_client.post(reverse("accounts:member-invite"), data, follow=True)
    assert "Invitation sent to new@example.org." in text(response)
    assert Invitation.objects.get().role == Role.EDITOR
    assert "Open invitations" in text(response)


@pytest.mark.parametrize(
    ("email", "reason"), [("x", "valid"), ("alice@example.org", "already a member"), ("", "required")]
)
def test_wrong_invitation_is_explained_and_nothing_is_lost(alice_client, email, reason):
    response = alice_client.post(reverse("accounts:member-invite"), {"email": email, "role": "reviewer"})
    assert response.status_code == 422
    assert reason in errors_of(response, "email")[0]
    assert f'value="{email}"' in text(response) or not email
    assert '<option value="reviewer" selected' in text(response)


def test_invitation_is_withdrawn(alice_client, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        invitation = invite_member("new@example.org", Role.VIEWER, by=alice_actor)
    response = alice_client.post(reverse("accounts:invitation-withdraw", args=[invitation.pk]), follow=True)
    assert toasts(response) == ["success"]
    assert not Invitation.objects.exists()


def test_editor_sees_no_invitations(bob_client, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        invite_member("new@example.org", Role.VIEWER, by=alice_actor)
    assert "new@example.org" not in text(bob_client.get(reverse("accounts:members")))


# --- keys ----------------------------------------------------------------------------------------------------------


def test_new_key_is_shown_once(alice_client):
    response = alice_client.post(reverse("accounts:keys"), KEY)
    secret = re.search(r'id="new-key">(rk_[\w-]+)<', response.content.decode())[1]
    assert len(secret) > 40
    assert secret not in text(alice_client.get(reverse("accounts:keys")))


def test_page_with_a_new_key_is_kept_by_no_cache(alice_client):
    assert "no-store" in alice_client.post(reverse("accounts:keys"), KEY)["Cache-Control"]


def test_new_key_is_in_no_session(alice_client):
    response = alice_client.post(reverse("accounts:keys"), KEY)
    secret = re.search(r'id="new-key">(rk_[\w-]+)<', response.content.decode())[1]
    assert secret not in str(dict(alice_client.session))


def test_new_key_expires_when_asked(alice_client, workspace):
    alice_client.post(reverse("accounts:keys"), KEY)
    alice_client.post(reverse("accounts:keys"), KEY | {"name": "Forever", "days": "never"})
    with workspace_scope(workspace.pk):
        assert ApiKey.objects.get(name="Forever").expires_at is None
        key = ApiKey.objects.get(name="Importer")
    assert round((key.expires_at - key.created_at).total_seconds() / 86_400) == 30


@pytest.mark.parametrize(
    ("change", "field"), [({"name": ""}, "name"), ({"scopes": []}, "scopes"), ({"days": "7"}, "days")]
)
def test_wrong_key_is_explained_and_nothing_is_lost(alice_client, workspace, change, field):
    response = alice_client.post(reverse("accounts:keys"), KEY | {"days": "365"} | change)
    assert response.status_code == 422
    assert errors_of(response, field)
    with workspace_scope(workspace.pk):
        assert not ApiKey.objects.exists()


def test_key_is_revoked(alice_client, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        key, _secret = create_api_key("Importer", ["read"], by=alice_actor)
    response = alice_client.post(reverse("accounts:key-revoke", args=[key.pk]), follow=True)
    assert "Revoked" in text(response)


def test_expired_key_is_marked(alice_client, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        create_api_key("Importer", ["read"], by=alice_actor)
        ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert "Expired" in text(alice_client.get(reverse("accounts:keys")))


# --- audit ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def trail(workspace, alice_actor, bob_actor):
    """Of 62 entries, the last was written by bob."""
    with workspace_scope(workspace.pk):
        for _ in range(60):
            audit.record("test.act", workspace, by=alice_actor)
        audit.record("test.other", workspace, by=bob_actor, note="<b>bold</b>")


def numbers(response) -> list[int]:
    return [entry.number for entry in response.context["rows"]]


def test_trail_begins_with_the_newest(alice_client, trail):
    assert numbers(alice_client.get(reverse("accounts:audit"))) == list(range(62, 12, -1))


def test_older_entries_are_on_the_next_page(alice_client, trail):
    first = alice_client.get(reverse("accounts:audit"))
    second = alice_client.get(reverse("accounts:audit"), {"before": first.context["older"]})
    assert numbers(second) == list(range(12, 0, -1))
    assert second.context["older"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "workspace.create"}, [1]),
        ({"who": "BOB@"}, [62]),
        ({"about": "workspace", "action": "test.other"}, [62]),
        ({"about": "nothing"}, []),
        ({"who": "bob@", "action": "workspace.create"}, []),
    ],
)
def test_trail_is_filtered(alice_client, trail, query, expected):
    assert numbers(alice_client.get(reverse("accounts:audit"), query)) == expected


@pytest.mark.parametrize(
    "query", [{"before": "x"}, {"before": "9" * 30}, {"who": "\0"}, {"about": "%"}, {"page": "-1"}]
)
def test_nonsense_in_the_filter_breaks_nothing(alice_client, trail, query):
    assert alice_client.get(reverse("accounts:audit"), query).status_code == 200


def test_details_are_shown_as_text(alice_client, trail):
    assert "&lt;b&gt;bold&lt;/b&gt;" in text(alice_client.get(reverse("accounts:audit")))


def test_times_name_their_zone(alice_client, trail):
    assert "When, Europe/Berlin" in text(alice_client.get(reverse("accounts:audit")))


def test_whole_chain_is_said_to_be_whole(alice_client, trail):
    assert "The chain is whole" in text(alice_client.get(reverse("accounts:audit"), {"verify": "1"}))


def test_broken_chain_is_said_to_be_broken(alice_client, workspace, trail):
    with workspace_scope(workspace.pk):
        AuditDetail.objects.filter(entry__number=7).update(actor="mallory")
    html = text(alice_client.get(reverse("accounts:audit"), {"verify": "1"}))
    assert "The chain is broken" in html
    assert "the detail of entry 7 was changed" in html


def test_trail_of_another_workspace_is_not_shown(alice_client, trail, other_workspace):
    with workspace_scope(other_workspace.pk):
        theirs = AuditEntry.objects.get()
    assert theirs.pk not in [entry.pk for entry in alice_client.get(reverse("accounts:audit")).context["rows"]]


# --- oneself -------------------------------------------------------------------------------------------------------


def test_profile_is_saved(alice, alice_client):
    data = {"name": "Alicia", "time_zone": "Asia/Shanghai"}
    response = alice_client.post(reverse("accounts:profile"), data, follow=True)
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alicia", "Asia/Shanghai")
    assert toasts(response) == ["success"]


def test_wrong_profile_is_explained(alice, alice_client):
    response = alice_client.post(reverse("accounts:profile"), {"name": "x" * 121, "time_zone": "Mars"})
    assert response.status_code == 422
    assert errors_of(response, "name")
    assert errors_of(response, "time_zone")


def test_profile_opens_without_a_workspace(client_of, staff):
    assert client_of(staff).get(reverse("accounts:profile")).status_code == 200


def test_notifications_are_ones_own(alice_client, bob, workspace):
    with workspace_scope(workspace.pk):
        notify(workspace, "test", "For everybody", path="/posts/1")
        Notification.objects.create(workspace=workspace, user=bob, kind="test", text="For Bob only")
    html = text(alice_client.get("/w/roastery/notifications"))
    assert 'href="/w/roastery/posts/1">For everybody' in html
    assert "For Bob only" not in html


def test_notifications_are_marked_read(alice_client, workspace):
    with workspace_scope(workspace.pk):
        notify(workspace, "test", "Look")
    assert "New</span>" in text(alice_client.get(reverse("accounts:notifications")))
    response = alice_client.post(reverse("accounts:notifications-read"), follow=True)
    assert "New</span>" not in text(response)


def test_nothing_new_says_so(alice_client):
    assert "Nothing new" in text(alice_client.get(reverse("accounts:notifications")))
