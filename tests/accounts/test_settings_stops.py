"""Stop everything: who may, what is told, and how it ends. In a workspace and in the whole installation."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts.models import AuditEntry, Event, Notification, Switch, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.stops import (
    instance_stop,
    release_instance,
    release_workspace,
    stop_instance,
    stop_workspace,
    workspace_stop,
)

pytestmark = pytest.mark.django_db


def is_stopped(workspace) -> bool:
    return Workspace.objects.get(pk=workspace.pk).is_stopped


def actions(workspace=None) -> list[str]:
    with all_workspaces_scope("test"):
        return list(AuditEntry.objects.filter(workspace=workspace).values_list("action", flat=True))


# --- a workspace --------------------------------------------------------------------------------------------------


def test_editor_stops_everything(in_workspace, bob_actor):
    assert stop_workspace("Wrong price in all posts.", by=bob_actor)
    row = Workspace.objects.get(pk=in_workspace.pk)
    assert (row.is_stopped, row.stopped_text) == (True, "Wrong price in all posts.")
    assert actions(in_workspace)[-1] == "workspace.stop"
    assert Event.objects.filter(kind="workspace.stopped").exists()


def test_everybody_who_publishes_is_alerted(in_workspace, bob_actor, alice, rita):
    stop_workspace("Wrong price.", by=bob_actor)
    told = Notification.objects.filter(kind="workspace.stopped", is_alert=True)
    assert set(told.values_list("user__email", flat=True)) == {"alice@example.org", "bob@example.org"}
    assert told[0].text == "bob@example.org stopped all publishing: Wrong price."


@pytest.mark.parametrize("who", ["rita_actor", "vic_actor", "gwen_actor"])
def test_who_may_not_publish_neither_stops_nor_releases(in_workspace, bob_actor, request, who):
    actor = request.getfixturevalue(who)
    with pytest.raises(PermissionDenied):
        stop_workspace(by=actor)
    assert not is_stopped(in_workspace)
    stop_workspace(by=bob_actor)
    with pytest.raises(PermissionDenied):
        release_workspace(by=actor)
    assert is_stopped(in_workspace)


def test_first_reason_stays(in_workspace, bob_actor, alice_actor):
    stop_workspace("First.", by=bob_actor)
    assert not stop_workspace("Second.", by=alice_actor)
    assert Workspace.objects.get(pk=in_workspace.pk).stopped_text == "First."
    assert actions(in_workspace).count("workspace.stop") == 1


def test_release_lets_it_go_on(in_workspace, bob_actor):
    stop_workspace("Wrong price.", by=bob_actor)
    assert release_workspace(by=bob_actor)
    row = Workspace.objects.get(pk=in_workspace.pk)
    assert (row.is_stopped, row.stopped_text) == (False, "")
    assert actions(in_workspace)[-1] == "workspace.release"


def test_release_of_what_runs_changes_nothing(in_workspace, bob_actor):
    assert not release_workspace(by=bob_actor)
    assert "workspace.release" not in actions(in_workspace)


@pytest.mark.parametrize(("reason", "kept"), [("x" * 500, "x" * 200), ("a\x00\r\nb", "a b"), ("  ", "")])
def test_any_reason_can_be_given(in_workspace, bob_actor, reason, kept):
    stop_workspace(reason, by=bob_actor)
    assert Workspace.objects.get(pk=in_workspace.pk).stopped_text == kept


def test_other_workspaces_go_on(in_workspace, other_workspace, bob_actor):
    stop_workspace(by=bob_actor)
    assert not is_stopped(other_workspace)


def test_banner_knows_who_and_when(in_workspace, bob_actor):
    stop_workspace("Wrong price.", by=bob_actor)
    found = workspace_stop(Workspace.objects.get(pk=in_workspace.pk))
    assert (found.reason, found.who) == ("Wrong price.", "bob@example.org")
    assert found.since is not None


def test_banner_bears_with_an_erased_trail(in_workspace):
    in_workspace.is_stopped, in_workspace.stopped_text = True, "Why."
    assert workspace_stop(in_workspace).who == ""


def test_nothing_is_asked_about_a_workspace_that_runs(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert workspace_stop(workspace) is None


# --- its pages ----------------------------------------------------------------------------------------------------


def test_button_stops_and_every_page_says_so(workspace, bob_client, vic_client):
    page = bob_client.post(reverse("accounts:stop"), {"reason": "Wrong <price>."}, follow=True)
    assert "Everything is stopped" in page.content.decode()
    html = vic_client.get(reverse("campaigns:post-list")).content.decode()
    assert "Wrong &lt;price&gt;." in html
    assert "bob@example.org" in html
    assert "Europe/Berlin" in html


def test_release_is_offered_to_those_who_may(workspace, bob_client, vic_client):
    bob_client.post(reverse("accounts:stop"))
    assert reverse("accounts:release") in bob_client.get(reverse("accounts:settings")).content.decode()
    assert reverse("accounts:release") not in vic_client.get(reverse("accounts:settings")).content.decode()


def test_released_workspace_has_no_banner(workspace, bob_client):
    bob_client.post(reverse("accounts:stop"))
    html = bob_client.post(reverse("accounts:release"), follow=True).content.decode()
    assert "Publishing goes on" in html
    assert reverse("accounts:release") not in html


def test_menu_offers_to_stop_what_runs_only(workspace, bob_client, vic_client):
    url = reverse("campaigns:dashboard")
    assert "Stop everything" in bob_client.get(url).content.decode()
    assert "Stop everything" not in vic_client.get(url).content.decode()
    bob_client.post(reverse("accounts:stop"))
    assert "Stop everything" not in bob_client.get(url).content.decode()


@pytest.mark.parametrize("name", ["stop", "release"])
def test_pages_refuse_those_who_may_not(workspace, vic_client, name):
    assert vic_client.post(reverse(f"accounts:{name}")).status_code == 403
    assert vic_client.get(reverse(f"accounts:{name}")).status_code == 405


# --- its API ------------------------------------------------------------------------------------------------------


def test_api_stops_and_releases(api, bob, workspace):
    answer = api(bob).post("/api/workspace/stop", {"reason": "Wrong price."}, format="json")
    said = answer.json()
    assert (answer.status_code, said["is_stopped"], said["stopped_text"]) == (200, True, "Wrong price.")
    assert is_stopped(workspace)
    answer = api(bob).post("/api/workspace/release")
    assert (answer.status_code, answer.json()["is_stopped"]) == (200, False)
    assert not is_stopped(workspace)


@pytest.mark.parametrize("act", ["stop", "release"])
def test_api_refuses_those_who_may_not(api, vic, workspace, act):
    assert api(vic).post(f"/api/workspace/{act}").status_code == 403


def test_key_that_may_publish_stops_and_one_that_reads_does_not(api, api_key, workspace):
    assert api(api_key("read")).post("/api/workspace/stop").status_code == 403
    assert api(api_key("publish")).post("/api/workspace/stop").status_code == 200


def test_too_long_a_reason_is_named(api, bob):
    answer = api(bob).post("/api/workspace/stop", {"reason": "x" * 201}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])


# --- the installation ---------------------------------------------------------------------------------------------


@pytest.fixture
def everywhere(db):
    with all_workspaces_scope("test"):
        yield


def test_staff_stop_everybody(everywhere, staff):
    assert stop_instance("X is down.", staff=staff)
    switch = Switch.objects.get(name=Switch.PUBLISHING)
    assert (switch.is_on, switch.reason, switch.changed_by) == (True, "X is down.", "staff@example.org")
    assert actions()[-1] == "instance.stop"
    assert (instance_stop().reason, instance_stop().who) == ("X is down.", "")


def test_staff_release_everybody(everywhere, staff):
    stop_instance("X is down.", staff=staff)
    assert release_instance(staff=staff)
    assert (instance_stop(), actions()[-1]) == (None, "instance.release")


def test_stop_without_a_reason_is_refused(everywhere, staff):
    with pytest.raises(ValidationError, match="Say why"):
        stop_instance(" ", staff=staff)
    assert instance_stop() is None


def test_only_staff_stop_everybody(everywhere, alice):
    with pytest.raises(PermissionDenied):
        stop_instance("Mine.", staff=alice)
    with pytest.raises(PermissionDenied):
        release_instance(staff=alice)


def test_second_stop_and_second_release_change_nothing(everywhere, staff):
    stop_instance("First.", staff=staff)
    assert not stop_instance("Second.", staff=staff)
    assert instance_stop().reason == "First."
    release_instance(staff=staff)
    assert not release_instance(staff=staff)
    assert actions() == ["instance.stop", "instance.release"]


def test_every_page_says_that_everybody_is_stopped(workspace, staff, vic_client):
    with all_workspaces_scope("test"):
        stop_instance("X is down.", staff=staff)
    html = vic_client.get(reverse("accounts:settings")).content.decode()
    assert "stopped for everybody" in html
    assert "X is down." in html
    assert "staff@example.org" not in html


SWITCH = "/admin/accounts/switch/publishing/change/"


def test_staff_throw_the_switch_on_its_page(staff_client, staff):
    assert "publishing" in staff_client.get("/admin/accounts/switch/").content.decode()
    staff_client.post(SWITCH, {"is_on": "on", "reason": "X is down."})
    assert instance_stop().reason == "X is down."
    staff_client.post(SWITCH, {"reason": ""})
    assert instance_stop() is None
    assert [act for act in actions() if act.startswith("instance.")] == ["instance.stop", "instance.release"]


def test_switch_without_a_reason_is_refused_on_its_page(staff_client):
    staff_client.get("/admin/accounts/switch/")
    page = staff_client.post(SWITCH, {"is_on": "on", "reason": ""})
    assert "Say why" in page.content.decode()
    assert instance_stop() is None


def test_staff_stop_and_release_one_workspace(staff_client, workspace):
    data = {"action": "stop", "_selected_action": [str(workspace.pk)]}
    staff_client.post("/admin/accounts/workspace/", data)
    assert is_stopped(workspace)
    staff_client.post("/admin/accounts/workspace/", data | {"action": "release"})
    assert not is_stopped(workspace)
    assert actions()[-2:] == ["workspace.stop", "workspace.release"]
    assert actions(workspace)[-2:] == ["workspace.stop", "workspace.release"]


def test_stopped_workspace_is_still_worked_in(workspace, bob_client, bob_actor):
    with workspace_scope(workspace.pk):
        stop_workspace(by=bob_actor)
    assert bob_client.get(reverse("campaigns:post-new")).status_code == 200
