"""What the forms offer, to whom, and the arguments they hand on."""

from datetime import timedelta

import pytest
from django import forms

from accounts.access import SCOPES
from accounts.forms import (
    ROLE_HINTS,
    SCOPE_HINTS,
    ApiKeyForm,
    InviteForm,
    NewWorkspaceForm,
    ProfileForm,
    SignupForm,
    WorkspaceForm,
    roles_for,
    zones,
)
from accounts.models import Role
from accounts.services import WORKSPACE_SETTINGS
from lib.clock import now

pytestmark = pytest.mark.django_db
KEY = {"name": "Importer", "scopes": ["read"], "days": "90"}
SETTINGS = {"name": "Roastery", "time_zone": "Europe/Berlin", "late_minutes": "60", "late_policy": "ask"}


def offered(form: forms.BaseForm, name: str) -> list[str]:
    return [value for value, _label in form.fields[name].choices]


def test_owner_may_give_every_role(alice_actor):
    assert [role for role, _label in roles_for(alice_actor)] == Role.values


def test_nobody_else_may_give_the_role_of_an_owner(bob_actor):
    assert [role for role, _label in roles_for(bob_actor)] == [role for role in Role.values if role != Role.OWNER]


def test_guests_are_invited_from_a_campaign_and_not_here(alice_actor):
    assert offered(InviteForm(actor=alice_actor), "role") == ["owner", "admin", "editor", "reviewer", "viewer"]


@pytest.mark.parametrize("role", [Role.OWNER, Role.GUEST])
def test_role_that_is_not_offered_is_not_taken(bob_actor, role):
    form = InviteForm({"email": "new@example.org", "role": role}, actor=bob_actor)
    assert list(form.errors) == ["role"]


def test_every_role_and_scope_is_explained():
    assert (set(ROLE_HINTS), set(SCOPE_HINTS)) == (set(Role), set(SCOPES))


@pytest.mark.parametrize("email", ["", "nobody", "a@b", f"{'a' * 250}@example.org", "a@example.org, b@example.org"])
def test_address_that_is_none_is_named(alice_actor, email):
    assert list(InviteForm({"email": email, "role": "viewer"}, actor=alice_actor).errors) == ["email"]


# --- zones -----------------------------------------------------------------------------------------------------------


def test_zones_are_places_and_utc_in_the_order_of_the_alphabet():
    names = [name for name, _label in zones()]
    assert names == sorted(names)
    assert {"UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires"} <= set(names)
    assert not {"EST", "GMT0", "Zulu", "localtime"} & set(names)


def test_zone_is_written_for_people():
    assert dict(zones())["America/New_York"] == "America/New York"


def test_zone_of_a_person_may_be_that_of_the_workspace(alice):
    form = ProfileForm({"name": "Alice", "time_zone": ""}, instance=alice)
    assert form.is_valid()
    assert offered(form, "time_zone")[0] == ""


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "EST", "europe/berlin"])
def test_workspace_needs_a_zone_of_the_list(zone):
    assert list(NewWorkspaceForm({"name": "Tea", "time_zone": zone}).errors) == ["time_zone"]


def test_browser_is_asked_for_its_zone_where_somebody_begins():
    assert "data-browser-zone" in str(SignupForm()["time_zone"])
    assert "data-browser-zone" in str(NewWorkspaceForm()["time_zone"])


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "taken"), [("0", False), ("1", True), ("10080", True), ("10081", False), ("", False)]
)
def test_post_is_late_after_a_minute_at_least_and_a_week_at_most(workspace, minutes, taken):
    assert WorkspaceForm(SETTINGS | {"late_minutes": minutes}, instance=workspace).is_valid() is taken


def test_switch_left_out_is_off(workspace):
    form = WorkspaceForm(SETTINGS, instance=workspace)
    assert form.is_valid()
    assert form.cleaned_data["four_eyes"] is False


def test_staff_switches_are_no_part_of_the_settings(workspace):
    form = WorkspaceForm(SETTINGS | {"is_suspended": "on", "slug": "other"}, instance=workspace)
    assert form.is_valid()
    assert set(form.settings()) == WORKSPACE_SETTINGS


@pytest.mark.parametrize(("form", "field"), [(NewWorkspaceForm, "name"), (SignupForm, "workspace")])
def test_name_longer_than_its_column_is_refused_beside_it(form, field):
    assert field in form({field: "x" * 81, "time_zone": "UTC"}).errors


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", ["30", "90", "365"])
def test_key_ends_after_the_days_that_were_chosen(days):
    form = ApiKeyForm(KEY | {"days": days})
    assert form.is_valid()
    left = form.create_arguments()["expires_at"] - now()
    assert timedelta(days=int(days), seconds=-30) < left <= timedelta(days=int(days))


def test_key_that_never_ends_has_no_end():
    form = ApiKeyForm(KEY | {"days": "never"})
    assert form.is_valid()
    assert form.create_arguments() == {"name": "Importer", "scopes": ["read"], "expires_at": None}


@pytest.mark.parametrize(
    ("field", "value"), [("days", "36500"), ("days", ""), ("scopes", []), ("scopes", ["read", "all"]), ("name", " ")]
)
def test_what_is_not_offered_for_a_key_is_refused_beside_its_field(field, value):
    assert list(ApiKeyForm(KEY | {field: value}).errors) == [field]


def test_key_that_may_do_nothing_is_explained():
    assert ApiKeyForm(KEY | {"scopes": []}).errors["scopes"] == ["Choose at least one thing the key may do."]
