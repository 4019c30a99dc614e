import base64
import os

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection as database

from accounts.scope import workspace_scope
from lib.crypto import ID_BYTES, KeyRing, SecretField, UnreadableSecret, parse_keys, ring
from social.models import NetworkApp

OLD, NEW = os.urandom(32), os.urandom(32)
SECRET = "top secret 咖啡"


def text_of(*keys: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in keys)


def test_what_was_encrypted_can_be_read():
    assert KeyRing([OLD]).decrypt(KeyRing([OLD]).encrypt(SECRET)) == SECRET


@pytest.mark.parametrize("text", ["", "x", "a" * 10_000, "\0\n"])
def test_any_text_survives(text):
    assert KeyRing([OLD]).decrypt(KeyRing([OLD]).encrypt(text)) == text


def test_the_stored_form_shows_nothing():
    assert SECRET.encode() not in KeyRing([OLD]).encrypt(SECRET)


def test_the_same_secret_is_stored_differently_each_time():
    keys = KeyRing([OLD])
    assert keys.encrypt(SECRET) != keys.encrypt(SECRET)


def test_the_first_key_writes():
    assert KeyRing([NEW, OLD]).encrypt(SECRET)[:ID_BYTES] == KeyRing([NEW]).write_id


def test_every_key_reads():
    stored = KeyRing([OLD]).encrypt(SECRET)
    assert KeyRing([NEW, OLD]).decrypt(stored) == SECRET


def test_a_key_that_has_left_the_ring_is_named_as_the_reason():
    stored = KeyRing([OLD]).encrypt(SECRET)
    with pytest.raises(UnreadableSecret, match="no longer in FIELD_KEYS"):
        KeyRing([NEW]).decrypt(stored)


@pytest.mark.parametrize("position", [4, 10, 30, -1])
def test_a_changed_byte_is_noticed(position):
    stored = bytearray(KeyRing([OLD]).encrypt(SECRET))
    stored[position] ^= 1
    with pytest.raises(UnreadableSecret, match="changed"):
        KeyRing([OLD]).decrypt(bytes(stored))


@pytest.mark.parametrize("length", [0, 3, 4, 20])
def test_a_value_that_was_cut_off_is_noticed(length):
    stored = KeyRing([OLD]).encrypt(SECRET)[:length]
    with pytest.raises(UnreadableSecret):
        KeyRing([OLD]).decrypt(stored)


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b"x" * 33]])
def test_a_ring_needs_keys_of_32_bytes(keys):
    with pytest.raises(ImproperlyConfigured, match="32 bytes"):
        KeyRing(keys)


def test_keys_are_read_from_a_list_with_blanks():
    assert parse_keys(f" {text_of(OLD)} , {text_of(NEW)},") == [OLD, NEW]


def test_the_padding_of_a_key_may_be_missing():
    assert parse_keys(text_of(OLD).rstrip("=")) == [OLD]


def test_a_key_that_is_no_base64_fails_loudly_without_showing_it():
    with pytest.raises(ImproperlyConfigured) as caught:
        parse_keys("geheim")
    assert "geheim" not in str(caught.value)


def test_the_ring_follows_the_setting(settings):
    settings.FIELD_KEYS = text_of(OLD)
    stored = ring().encrypt(SECRET)
    settings.FIELD_KEYS = text_of(NEW, OLD)
    assert ring().decrypt(stored) == SECRET


# --- the field ----------------------------------------------------------------------------------------------


@pytest.fixture
def app(workspace):
    with workspace_scope(workspace.pk):
        yield NetworkApp.objects.create(workspace=workspace, network="x", name="Ours", client_secret=SECRET)


def test_a_field_gives_back_what_was_saved(app):
    assert NetworkApp.objects.get(pk=app.pk).client_secret == SECRET


def test_a_field_is_bytes_in_the_database(app):
    with database.cursor() as cursor:
        cursor.execute("SELECT client_secret, pg_typeof(client_secret)::text FROM social_networkapp")
        stored, kind = cursor.fetchone()
    assert kind == "bytea"
    assert SECRET.encode() not in bytes(stored)


def test_a_field_cannot_be_searched(app):
    with pytest.raises(FieldError):
        NetworkApp.objects.filter(client_secret=SECRET).exists()


def test_an_update_is_encrypted_too(app):
    NetworkApp.objects.filter(pk=app.pk).update(client_secret="changed")
    assert NetworkApp.objects.get(pk=app.pk).client_secret == "changed"


def test_a_field_survives_migrations():
    field = SecretField(blank=True, default="")
    _name, path, _args, kwargs = field.deconstruct()
    assert (path, kwargs) == ("lib.crypto.SecretField", {"blank": True, "default": ""})
    assert isinstance(field.clone(), SecretField)


def test_no_model_shows_a_secret_in_its_repr(app):
    assert SECRET not in repr(app)
