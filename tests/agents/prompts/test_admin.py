import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditEntry, User
from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import Assistant
from agents.prompts.assistants import create_assistant
from agents.prompts.templates import create_template
from agents.prompts.versions import PromptDraft

pytestmark = pytest.mark.django_db
BASE = "/admin/agents"


@pytest.fixture
def planted(alice_actor, workspace):
    with workspace_scope(workspace.pk):
        base = create_assistant(by=alice_actor, name="Base", key="base", draft=PromptDraft("Be kind."))
        top = create_assistant(
            by=alice_actor, name="Top", draft=PromptDraft("@@@prompt:name=base|version=1@@@ <b>Go</b>.")
        )
        template = create_template(by=alice_actor, name="Ours", body="Hi")
        return {"assistant": top, "promptversion": top.versions.get(), "prompttemplate": template, "base": base}


@pytest.mark.parametrize("kind", ["assistant", "promptversion", "prompttemplate"])
def test_staff_read_everything_and_edit_nothing(kind, planted, staff_client):
    one = f"{BASE}/{kind}/{planted[kind].pk}/change/"
    assert staff_client.get(f"{BASE}/{kind}/").status_code == 200
    page = staff_client.get(one)
    assert page.status_code == 200
    assert "<b>Go</b>" not in page.content.decode()
    assert staff_client.get(f"{BASE}/{kind}/add/").status_code == 403
    assert staff_client.post(one, {"name": "x", "body": "x"}).status_code == 403
    assert staff_client.post(f"{BASE}/{kind}/{planted[kind].pk}/delete/", {"post": "yes"}).status_code == 403


def archive(client, *rows):
    form = {"action": "archive", "_selected_action": [str(row.pk) for row in rows]}
    return client.post(f"{BASE}/assistant/", form, follow=True)


def test_staff_archive_what_nothing_names(planted, staff_client):
    top, base = planted["assistant"], planted["base"]
    page = archive(staff_client, base).content.decode()
    assert "0 archived" in page
    assert "names it" in page
    for row in (top, base):
        assert "1 archived" in archive(staff_client, row).content.decode()
    with all_workspaces_scope("test"):
        assert not Assistant.objects.filter(archived_at=None).exists()
        actions = list(AuditEntry.objects.order_by("at").values_list("action", "workspace__slug"))
    assert actions.count(("assistant.archive", planted["base"].workspace.slug)) == 2
    assert actions.count(("assistant.archive", None)) == 2


def test_who_may_only_look_archives_nothing(planted, client_of, db):
    looker = User.objects.create_user("looker@example.org", "x", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_assistant"))
    client = client_of(looker)
    assert client.get(f"{BASE}/assistant/").status_code == 200
    archive(client, planted["assistant"])
    with all_workspaces_scope("test"):
        assert not Assistant.objects.exclude(archived_at=None).exists()
