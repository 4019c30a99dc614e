"""The person's own switches: mail on or off, quiet hours, time zone."""

from datetime import time

import pytest
from django.urls import reverse

from accounts.forms import ProfileForm

pytestmark = pytest.mark.django_db
PROFILE = {
    "name": "Alice",
    "time_zone": "Asia/Shanghai",
    "mail_alerts": "on",
    "quiet_from": "22:00",
    "quiet_to": "07:30",
}


@pytest.fixture
def url(workspace) -> str:
    return reverse("accounts:profile")


def test_quiet_hours_are_saved(alice, alice_client, url):
    assert "Profile saved" in alice_client.post(url, PROFILE, follow=True).content.decode()
    alice.refresh_from_db()
    assert (alice.mail_alerts, alice.quiet_from, alice.quiet_to) == (True, time(22), time(7, 30))
    assert alice.time_zone == "Asia/Shanghai"


def test_mail_is_switched_off_and_quiet_hours_taken_away(alice, alice_client, url):
    alice_client.post(url, PROFILE)
    alice_client.post(url, {"name": "Alice"})
    alice.refresh_from_db()
    assert (alice.mail_alerts, alice.quiet_from, alice.quiet_to) == (False, None, None)


def test_page_shows_what_is_saved(alice_client, url):
    alice_client.post(url, PROFILE)
    html = alice_client.get(url).content.decode()
    assert 'value="22:00"' in html
    assert 'value="07:30"' in html
    assert 'type="time"' in html


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("22:00", "", "quiet_to"),
        ("", "07:00", "quiet_from"),
        ("07:00", "07:00", "quiet_to"),
        ("25:00", "7:00", "quiet_from"),
    ],
)
def test_half_or_empty_quiet_hours_are_refused_beside_the_field(alice, url, start, end, field):
    form = ProfileForm(PROFILE | {"quiet_from": start, "quiet_to": end}, instance=alice)
    assert list(form.errors) == [field]


def test_refused_quiet_hours_change_nothing(alice, alice_client, url):
    response = alice_client.post(url, PROFILE | {"quiet_to": "", "name": "Mallory"})
    assert response.status_code == 422
    assert "Give both times" in response.content.decode()
    alice.refresh_from_db()
    assert (alice.name, alice.quiet_from) == ("Alice", None)
