"""A workspace's own keys: who may, what is checked, that they win, and that they are nobody else's."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404

from accounts.models import AuditEntry, Notification
from accounts.scope import workspace_scope
from agents import keys, llm
from agents.llm.types import ModelError
from agents.models import AISettings, ProviderKey
from tests.agents.llm.conftest import ASK, WIRES

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(in_workspace, alice_actor):
    def make(**fields):
        given = {"provider": "anthropic", "name": "Ours", "secret": "sk-ant-0123456789abcdef", **fields}
        return keys.add_key(**given, by=alice_actor)

    return make


def test_a_key_is_kept_encrypted_and_known_by_its_end(add):
    key = add()
    assert (key.hint, ProviderKey.objects.get().secret) == ("cdef", "sk-ant-0123456789abcdef")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM agents_providerkey")
        assert b"0123456789" not in bytes(cursor.fetchone()[0])
    entry = AuditEntry.objects.get(action="provider_key.create")
    assert entry.detail.data == {"provider": "anthropic", "name": "Ours"}


def test_a_short_key_gives_nothing_of_itself_away(add):
    assert add(secret="abc123").hint == ""


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"provider": "acme"}, "provider"),
        ({"provider": "sandbox"}, "provider"),
        ({"name": " "}, "name"),
        ({"name": "a:b"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"secret": ""}, "secret"),
        ({"secret": "two words"}, "secret"),
        ({"secret": "line\nbreak"}, "secret"),
        ({"secret": "s" * 401}, "secret"),
        ({"secret": "ключ"}, "secret"),
        ({"base_url": "https://example.org/v1"}, "base_url"),
        ({"provider": "compatible"}, "base_url"),
        ({"provider": "compatible", "base_url": "ftp://example.org"}, "base_url"),
        ({"provider": "compatible", "base_url": "http://127.0.0.1:11434/v1"}, "base_url"),
        ({"provider": "compatible", "base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"provider": "compatible", "base_url": "https://user:pw@example.org/v1"}, "base_url"),
        ({"provider": "compatible", "base_url": "https://example.org/v1?x=1"}, "base_url"),
    ],
)
def test_what_is_wrong_is_said_by_field(add, fields, field):
    with pytest.raises(ValidationError) as caught:
        add(**fields)
    assert list(caught.value.message_dict) == [field]
    assert not ProviderKey.objects.exists()


def test_names_are_used_once_and_keys_are_counted(add, monkeypatch):
    add()
    with pytest.raises(ValidationError, match="of this name"):
        add()
    monkeypatch.setattr(keys, "KEYS", 1)
    with pytest.raises(ValidationError, match="at most 1"):
        add(name="Second")


@pytest.mark.parametrize("who", ["bob_actor", "rita_actor", "vic_actor", "gwen_actor"])
def test_only_admins_come_near(add, who, request):
    key, actor = add(), request.getfixturevalue(who)
    acts = [
        lambda: keys.add_key("anthropic", "Mine", "sk-x", by=actor),
        lambda: keys.keys_of(actor),
        lambda: keys.remove_key(key.pk, by=actor),
        lambda: keys.set_active(key.pk, False, by=actor),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()


def test_a_stranger_s_key_is_not_there(add, charlie_actor):
    key = add()
    with workspace_scope(charlie_actor.workspace.pk):
        for act in (keys.get_key, lambda by, pk: keys.remove_key(pk, by=by)):
            with pytest.raises(Http404):
                act(charlie_actor, key.pk)


def test_a_removed_key_is_gone_and_told(add, alice_actor):
    keys.remove_key(add().pk, by=alice_actor)
    assert not ProviderKey.objects.exists()
    assert AuditEntry.objects.filter(action="provider_key.remove").count() == 1


# --- in calls ---------------------------------------------------------------------------------------------


def used_keys(sandbox):
    return [call["key"] for call in sandbox.get("/llm/calls")["calls"]]


def test_the_own_key_wins_over_the_installation_s(add, speaking, payer, in_workspace):
    port = speaking("anthropic")
    add(secret="sk-own")
    assert port.complete().text
    assert used_keys(port.sandbox) == ["sk-own"]
    key = ProviderKey.objects.get()
    assert key.last_used_at


def test_the_own_key_is_used_by_nobody_else(add, speaking, payer, other_workspace):
    port = speaking("anthropic")
    add(secret="sk-own")
    with workspace_scope(other_workspace.pk):
        llm.complete(port.ask(), payer=payer(workspace=other_workspace))
    assert used_keys(port.sandbox) == ["sk-test"]


def test_a_key_makes_its_provider_usable(add, sandbox, settings, payer):
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = "", "https://api.anthropic.com"
    assert llm.complete(ASK, payer=payer()).is_sandbox
    add()
    # Now it would go to the provider, which tests may not.
    with pytest.raises(ModelError) as caught:
        llm.complete(ASK, payer=payer())
    assert caught.value.code == "live_calls_off"


def test_a_key_that_is_switched_off_is_not_used(add, speaking, alice_actor):
    port = speaking("anthropic")
    keys.set_active(add(secret="sk-own").pk, False, by=alice_actor)
    port.complete()
    assert used_keys(port.sandbox) == ["sk-test"]


def test_a_refused_key_is_marked_told_once_and_well_again(add, speaking, alice, alice_actor, no_long_pauses):
    port = speaking("anthropic")
    key = add(secret="sk-own")
    port.fault("http", status=401, account="sk-own")
    assert port.complete(models=(port.case.model, "sandbox-writer")).is_sandbox
    key.refresh_from_db()
    assert "refuses the key" in key.problem
    told = Notification.objects.filter(kind="ai_key")
    assert [(row.user, row.is_alert) for row in told] == [(alice, True)]
    # The installation's key does not pay for a workspace whose own is refused.
    assert used_keys(port.sandbox)[:1] == ["sk-own"]
    assert port.error().code == "circuit_open"
    port_key = keys.set_active(key.pk, False, by=alice_actor)
    keys.set_active(port_key.pk, True, by=alice_actor)
    key.refresh_from_db()
    assert key.problem == ""


def test_a_compatible_server_is_reached_by_its_name(add, sandbox, settings, payer, in_workspace):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    add(provider="compatible", name="Lab", base_url=f"{sandbox.url}/gemini/v1beta/openai", secret="sk-lab")
    AISettings.objects.create(workspace=in_workspace, role_models={"chat": ["compatible:Lab:gemini-3.5-flash"]})
    answer = llm.complete(ASK, payer=payer())
    assert (answer.model, answer.provider, answer.cost_micro) == ("compatible:Lab:gemini-3.5-flash", "compatible", 0)
    (call,) = sandbox.get("/llm/calls")["calls"]
    assert (call["key"], call["request"]["model"]) == ("sk-lab", "gemini-3.5-flash")


def test_a_compatible_server_must_stay_public(add, sandbox, settings, payer, in_workspace, no_long_pauses):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    add(provider="compatible", name="Lab", base_url=f"{sandbox.url}/openai/v1")
    settings.OUTBOUND_ALLOW_CIDRS = []
    with pytest.raises(ModelError) as caught:
        llm.complete(replace(ASK, models=("compatible:Lab:gemini-3.5-flash",)), payer=payer())
    assert caught.value.code == "bad_request"
    assert sandbox.get("/llm/calls")["calls"] == []


def test_choices_of_the_workspace_come_first(speaking, in_workspace, payer, settings, sandbox):
    for name in ("anthropic", "responses"):
        speaking(name)
    AISettings.objects.create(workspace=in_workspace, role_models={"chat": ["gpt-6-luna"]})
    assert llm.complete(ASK, payer=payer()).model == "gpt-6-luna"
    assert llm.complete(replace(ASK, role="memory"), payer=payer()).model == "claude-haiku-5-5"


def test_paused_assistants_ask_nobody(sandbox, in_workspace, payer):
    AISettings.objects.create(workspace=in_workspace, is_paused=True)
    with pytest.raises(ModelError, match="paused"):
        llm.complete(ASK, payer=payer())
    assert sandbox.get("/llm/calls")["calls"] == []


def test_without_any_provider_it_is_said(settings, payer, sandbox):
    settings.SANDBOX_LLM_URL = ""
    with pytest.raises(ModelError) as caught:
        llm.complete(ASK, payer=payer())
    assert caught.value.code == "no_model"


@pytest.mark.parametrize("wire", WIRES)
def test_the_sandbox_is_not_asked_where_a_provider_is_usable(wire, speaking):
    answer = speaking(wire).complete()
    assert not answer.is_sandbox
    assert answer.provider == WIRES[wire].provider
