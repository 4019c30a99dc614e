import pytest
from django.contrib.auth.tokens import default_token_generator
from django.utils.http import int_to_base36

from accounts.services import invitation_token, invite_member

pytestmark = pytest.mark.django_db


def test_invitation_token_reaches_no_log(client, charlie_client, alice_actor, in_workspace, caplog):
    caplog.set_level("DEBUG")
    token = invitation_token(invite_member("new@example.org", "editor", by=alice_actor))
    for visitor in (client, charlie_client):
        visitor.get(f"/invitations/{token}")
        visitor.post(f"/w/bakery/invitations/{token}")
        visitor.post(f"/invitations/{token}")
    assert "/invitations/***" in caplog.text
    assert token not in caplog.text


def test_reset_key_reaches_no_log(client, caplog, alice):
    caplog.set_level("DEBUG")
    key = default_token_generator.make_token(alice)
    client.get(f"/accounts/password/reset/key/{int_to_base36(1)}-{key}/")
    assert "/reset/key/***" in caplog.text
    assert key not in caplog.text


def test_query_of_an_address_reaches_no_log_line_of_a_request(client, caplog):
    caplog.set_level("DEBUG")
    client.get("/settings?code=s3cret&state=s3cret")
    assert "GET /settings" in caplog.text
    assert "s3cret" not in caplog.text
