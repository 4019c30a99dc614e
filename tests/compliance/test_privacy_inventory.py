"""Every model says what it keeps about whom: a new one cannot be forgotten."""

import re

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, EmailField, Field, JSONField, Model, TextField

from accounts.inventory import (
    INVENTORY,
    Category,
    Declaration,
    Keep,
    Person,
    Rule,
    categories,
    declare,
    keep_days,
    of_workspaces,
)
from accounts.inventory_categories import OPERATION
from accounts.models import Switch, User, Workspace
from accounts.tenancy import TenantModel
from compliance.models import Contact
from lib.crypto import SecretField

MODELS = apps.get_models(include_auto_created=True)
PEOPLE = {User, Contact}
WORDS = (CharField, TextField, EmailField, JSONField, SecretField)


def looks_personal(field: Field) -> bool:
    """Whether it can hold words. A list of fixed choices cannot."""
    if isinstance(field, ArrayField):
        return looks_personal(field.base_field)
    is_vector = "vector" in (field.db_type(None) or "") if hasattr(field, "dimensions") else False
    return is_vector or (isinstance(field, WORDS) and not field.choices)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_model_is_declared_down_to_its_last_field(model: type[Model]):
    assert model in INVENTORY, "Declare it in its app's inventory.py: what, why, how long, and how it is erased."
    declaration = INVENTORY[model]
    said = {*declaration.personal, *declaration.not_personal}
    fields = model._meta.concrete_fields
    assert {f.name for f in fields if looks_personal(f)} <= said, "Personal or not? Say so."
    references = {f.name for f in fields if f.is_relation and f.related_model in PEOPLE}
    assert references <= declaration.personal.keys(), "What becomes of the reference when the person is erased?"


def test_nothing_is_declared_that_does_not_exist():
    assert set(INVENTORY) == set(MODELS)


@pytest.mark.parametrize("declaration", INVENTORY.values(), ids=lambda declaration: declaration.label)
def test_a_declaration_holds_together(declaration: Declaration):
    own = set(declaration.fields(Rule.OWN))
    assert not own or declaration.subjects or declaration.model._meta.label == "sessions.Session"
    for name in declaration.fields(Rule.UNLINK):
        assert declaration.model._meta.get_field(name).null, "A reference that cannot be empty goes with its row."
    assert set(declaration.labelled_by) <= set(declaration.fields(Rule.LABEL))
    assert bool(declaration.keep.since) == (declaration.keep.days is not None)
    if declaration.keep.since:
        assert declaration.model._meta.get_field(declaration.keep.since)
    assert set(declaration.keep.text) == {"en", "zh"}
    assert all(declaration.keep.text.values())


@pytest.mark.parametrize("model", [m for m in MODELS if issubclass(m, TenantModel)], ids=lambda m: m._meta.label)
def test_every_tenant_model_leads_to_its_workspace(model: type[Model]):
    assert INVENTORY[model].path == "workspace"


def test_what_is_encrypted_or_named_secret_is_hidden():
    labels = {d.label: d.hidden for d in INVENTORY.values()}
    assert {"access_token", "refresh_token", "token_secret"} <= labels["social.Credential"]
    assert labels["accounts.User"] == {"password"}
    assert "key_hash" in labels["accounts.ApiKey"]
    assert "data" in labels["mfa.Authenticator"]


def test_categories_cover_all_personal_models_in_two_languages():
    found = categories()
    covered = {d.label for _category, declarations in found for d in declarations}
    assert covered == {d.label for d in INVENTORY.values() if d.personal}
    for category, _declarations in found:
        for text in (category.what, category.why, category.basis, category.recipients):
            assert set(text) == {"en", "zh"}
            assert re.search("[\u4e00-\u9fff]", text["zh"])


def test_the_workspace_itself_belongs_to_what_goes_with_it():
    assert INVENTORY[Workspace] in of_workspaces()
    assert INVENTORY[User] not in of_workspaces()
    assert INVENTORY[User].subjects == {Person.USER: "pk"}


def test_days_are_said_in_both_languages():
    assert keep_days(30, "at").text == {"en": "30 days", "zh": "30 天"}
    assert keep_days(0, "expires_at").text == {"en": "until it expires", "zh": "到期即删"}


@pytest.fixture
def put_back():
    before = INVENTORY[Switch]
    yield
    INVENTORY[Switch] = before


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"personal": {"nothing": Rule.LABEL}}, "has no field nothing"),
        ({"not_personal": ("nothing",)}, "has no field nothing"),
        ({"secret": ("nothing",)}, "has no field nothing"),
        ({"known_by": ("nothing",)}, "has no field nothing"),
        ({"personal": {"reason": Rule.MENTION}, "not_personal": ("reason",)}, "both personal and not personal"),
    ],
)
def test_a_declaration_that_is_wrong_fails_at_start(put_back, facts, complaint):
    with pytest.raises(ValueError, match=complaint):
        declare(Switch, OPERATION, Keep("always", "永久"), **facts)


def test_categories_are_told_apart_by_their_key():
    keys = [category.key for category, _declarations in categories()]
    assert len(keys) == len(set(keys))
    assert all(isinstance(category, Category) for category, _declarations in categories())
