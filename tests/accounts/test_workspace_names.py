"""A workspace's name in any script, and the address made of it."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.middleware import PREFIX
from accounts.models import AuditEntry, Membership, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café Zürich", "cafe-zurich"),
        ("☕ Coffee ☕", "coffee"),
        ("烘焙 Bakery", "bakery"),
        ("مخبز", "workspace"),
        ("👩🏽‍🍳", "workspace"),
        ("---", "workspace"),
        ("../admin", "admin"),
        ("a/b?c#d", "abcd"),
        ("x" * 200, "x" * 40),
        ("ＦＵＬＬ width", "full-width"),
        ("new\nline", "new-line"),
    ],
)
def test_address_is_what_letters_of_the_name_allow(alice, name, slug):
    assert create_workspace(name, owner=alice).slug == slug


def test_names_in_other_scripts_share_an_address_by_number(alice):
    slugs = [create_workspace(name, owner=alice).slug for name in ("烘焙", "مخبز", "🥐", "Workspace")]
    assert slugs == ["workspace", "workspace-2", "workspace-3", "workspace-4"]


def test_address_with_a_number_that_somebody_chose_is_passed_over(alice):
    for name in ("Tea 2", "Tea", "Tea"):
        create_workspace(name, owner=alice)
    assert set(Workspace.objects.values_list("slug", flat=True)) == {"tea-2", "tea", "tea-3"}


def test_address_that_begins_alike_is_not_taken(alice):
    create_workspace("Teahouse", owner=alice)
    assert create_workspace("Tea", owner=alice).slug == "tea"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=90))
def test_every_name_gets_an_address_that_opens(alice, name):
    made = create_workspace(f"{name}!", owner=alice)
    assert PREFIX.fullmatch(f"/w/{made.slug}/settings")
    assert re.fullmatch(r"[a-z0-9_-]{1,60}", made.slug)
    assert made.name == f"{name}!".strip()[:80]


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000", "\u2003 \xa0"])
def test_name_of_blanks_in_any_script_is_none(alice, name):
    with pytest.raises(ValidationError, match="Give the workspace a name"):
        create_workspace(name, owner=alice)
    assert not Workspace.objects.exists()


def test_name_is_kept_without_blanks_around_it(alice):
    assert create_workspace("\u3000 烘焙坊 ", owner=alice).name == "烘焙坊"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "europe/berlin", "../UTC", "UTC\0"])
def test_zone_that_is_none_becomes_utc(alice, zone):
    assert create_workspace("Tea", owner=alice, time_zone=zone).time_zone == "UTC"


def test_owner_finds_themself_in_the_new_workspace(alice):
    made = create_workspace("Tea", owner=alice)
    alice.refresh_from_db()
    assert (alice.last_workspace_id, Membership.objects.get().role) == (made.pk, "owner")
    assert str(Membership.objects.get()) == "Alice in Tea"


def test_trail_begins_with_the_workspace_itself(alice):
    made = create_workspace("Tea", owner=alice)
    with workspace_scope(made.pk):
        entry = AuditEntry.objects.get()
        assert (entry.number, entry.action, entry.detail.data) == (1, "workspace.create", {"name": "Tea"})
        assert (entry.previous_hash, entry.detail.actor) == ("", alice.email)


def test_name_is_shown_as_text_on_every_page(alice, client_of):
    made = create_workspace("<script>alert(1)</script>", owner=alice)
    html = client_of(alice).get(f"/w/{made.slug}{reverse('accounts:members')}").content.decode()
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
