"""The pages of links, domains, tracking and conversions from a file."""

import pytest

from accounts.models import AuditEntry
from analytics.models import Conversion, Link, LinkDomain, Tracking
from analytics.tracking.links import address_of, set_split
from analytics.tracking.tracking import change_tracking
from lib.clock import now


@pytest.fixture(autouse=True)
def _inside(in_workspace) -> None:
    """The pages open the workspace themselves; the assertions need it, too."""


def test_the_list_is_empty_at_first(bob_client, vic_client) -> None:
    assert "Make the first" in bob_client.get("/links").content.decode()
    assert "Editors of this workspace make them" in vic_client.get("/links").content.decode()


def test_the_list_shows_people_and_bots(bob_client, person, link) -> None:
    person.get(f"/l/{link.code}")
    person.get(f"/l/{link.code}")
    person.get(f"/l/{link.code}", headers={"user-agent": "Twitterbot/1.0"})
    page = bob_client.get("/links").content.decode()
    assert address_of(link) in page
    for label, number in [("People", 1), ("Clicks", 2), ("Bots", 1)]:
        assert f'data-label="{label}">{number}</td>' in page


def test_links_are_found_by_their_words(bob_client, link) -> None:
    assert link.code in bob_client.get("/links?q=shop").content.decode()
    assert "No link found" in bob_client.get("/links?q=nothing").content.decode()


def test_a_link_is_made_renamed_led_elsewhere_and_switched_off(bob_client, workspace) -> None:
    made = bob_client.post("/links/new", {"target": "https://acme.example/a", "code": "Spring-26", "utm": ""})
    link = Link.objects.get()
    assert made.url == f"/links/{link.pk}"
    assert (link.code, link.target) == ("spring-26", "https://acme.example/a")
    bob_client.post(made.url, {"title": "Spring sale", "target": "https://acme.example/b"})
    bob_client.post(f"{made.url}/switch", {"active": "0"})
    link.refresh_from_db()
    assert (link.title, link.target, link.is_active) == ("Spring sale", "https://acme.example/b", False)
    assert "This link is off" in bob_client.get(made.url).content.decode()
    actions = list(AuditEntry.objects.filter(object_kind="link").order_by("number").values_list("action", flat=True))
    assert actions == ["link.create", "link.change", "link.change"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("code", "a b", "3 to 24 letters"),
        ("code", "admin", "kept for pages of this site"),
        ("target", "javascript:alert(1)", "valid URL"),
        ("target", "http://127.0.0.1:8000/l/abc", "a short link already"),
    ],
)
def test_what_makes_no_link_is_said_beside_the_field(bob_client, settings, field, value, said) -> None:
    settings.BASE_URL = "http://127.0.0.1:8000"
    answer = bob_client.post("/links/new", {"target": "https://acme.example", field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Link.objects.exists()


def test_a_code_is_taken_once(bob_client, link) -> None:
    answer = bob_client.post("/links/new", {"target": "https://acme.example", "code": link.code})
    assert "This code is taken" in answer.content.decode()


def test_viewers_read_and_change_nothing(vic_client, link) -> None:
    assert vic_client.get(f"/links/{link.pk}").status_code == 200
    assert vic_client.post(f"/links/{link.pk}/switch", {"active": "0"}).status_code == 403
    assert vic_client.get("/links/new").status_code == 403
    assert vic_client.post(f"/links/{link.pk}", {"title": "x", "target": "https://b.example"}).status_code == 403


def test_the_detail_shows_arms_and_days(bob_client, person, link) -> None:
    arms = [{"key": key, "url": f"https://acme.example/{key}", "weight": 1} for key in "ab"]
    set_split(link, {"experiment": str(link.pk), "salt": "s", "arms": arms})
    for number in range(8):
        person.get(f"/l/{link.code}", REMOTE_ADDR=f"10.0.{number}.1")
    page = bob_client.get(f"/links/{link.pk}").content.decode()
    assert "An experiment sends its visitors" in page
    assert "<td>a</td>" in page
    assert "<td>b</td>" in page


def test_the_qr_code_is_a_picture(vic_client, link) -> None:
    answer = vic_client.get(f"/links/{link.pk}/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.lstrip().startswith(b"<?xml")
    assert b"<path" in answer.content


def test_a_stranger_finds_nothing(charlie_client, link, other_workspace) -> None:
    for path in ("", "/qr.svg"):
        assert charlie_client.get(f"/links/{link.pk}{path}").status_code == 404


# --- domains ------------------------------------------------------------------------------------------------


def test_a_domain_is_added_and_removed(alice_client, workspace) -> None:
    alice_client.post("/links/domains", {"host": "https://Go.Acme.example/"})
    row = LinkDomain.objects.get()
    assert (row.host, row.verified_at) == ("go.acme.example", None)
    assert "not checked" in alice_client.get("/links/domains").content.decode()
    assert "on your list" in alice_client.post("/links/domains", {"host": "go.acme.example"}).content.decode()
    alice_client.post(f"/links/domains/{row.pk}/remove")
    assert not LinkDomain.objects.exists()


@pytest.mark.parametrize("host", ["localhost", "testserver", "acme", "go.acme.example/path", "1.2.3.4", "a b.de"])
def test_what_is_no_domain_of_theirs_is_refused(alice_client, host) -> None:
    assert alice_client.post("/links/domains", {"host": host}).status_code == 422
    assert not LinkDomain.objects.exists()


def test_only_admins_manage_domains_and_tracking(bob_client) -> None:
    for path in ("/links/domains", "/settings/tracking"):
        assert bob_client.get(path).status_code == 403


def test_a_verified_domain_is_offered(bob_client, workspace) -> None:
    assert 'name="domain"' not in bob_client.get("/links/new").content.decode()
    row = LinkDomain.objects.create(workspace=workspace, host="go.acme.example", token="t", verified_at=now())
    bob_client.post("/links/new", {"target": "https://acme.example", "domain": row.pk})
    assert address_of(Link.objects.get()).startswith("http://go.acme.example/")


# --- tracking -----------------------------------------------------------------------------------------------


def test_tracking_is_switched_on_and_shows_its_pixel(alice_client, person, workspace) -> None:
    assert "Switch tracking on" in alice_client.get("/settings/tracking").content.decode()
    assert not Tracking.objects.exists()
    values = {"currency": "eur", "dollars_per_unit": "1.1", "attribution_days": 14}
    assert alice_client.post("/settings/tracking", values).status_code == 302
    row = Tracking.objects.get()
    assert (row.currency, str(row.dollars_per_unit), row.attribution_days, row.uses_cookie) == (
        "EUR",
        "1.100000",
        14,
        False,
    )
    page = alice_client.get("/settings/tracking").content.decode()
    assert f"/t/{row.pixel_key}.js" in page
    assert "None in the last day" in page
    person.get(f"/t/{row.pixel_key}.gif?goal=signup&key=1", headers={"referer": "https://shop.example/thanks"})
    page = alice_client.get("/settings/tracking").content.decode()
    assert "shop.example" in page
    assert "no click of ours" in page


@pytest.mark.parametrize(
    "wrong", [{"currency": "euro"}, {"currency": "12"}, {"attribution_days": 0}, {"dollars_per_unit": -1}]
)
def test_settings_that_make_no_sense_are_refused(alice_client, wrong) -> None:
    values = {"currency": "EUR", "dollars_per_unit": "1", "attribution_days": 14} | wrong
    assert alice_client.post("/settings/tracking", values).status_code == 422
    assert not Tracking.objects.exists()


def test_a_file_is_previewed_and_booked(bob_client, alice_actor, workspace) -> None:
    change_tracking(by=alice_actor, currency="EUR")
    today = now().date()
    text = f"key;value;at\nA1;49.90;{today}\nA2;-10;{today}\nA3;many;{today}\n;1;{today}\nA4;1;tomorrow\nA1;50;{today}"
    page = bob_client.post("/conversions/import", {"text": text})
    shown = page.content.decode()
    assert "2 new" in shown
    assert "4 with errors" in shown
    assert "A number with a point" in shown
    assert "This key was used for another conversion" in shown
    assert not Conversion.objects.exists()
    assert bob_client.post("/conversions/import", {"text": text, "apply": "1"}).status_code == 302
    assert dict(Conversion.objects.values_list("key", "value_micro")) == {"A1": 49_900_000, "A2": -10_000_000}
    assert "2 counted already" in bob_client.post("/conversions/import", {"text": text}).content.decode()


@pytest.mark.parametrize("text", ["", "value\n1", 'key\n"open'])
def test_a_file_that_is_none_is_refused(bob_client, text) -> None:
    answer = bob_client.post("/conversions/import", {"text": text})
    assert answer.status_code in {200, 422}
    assert not Conversion.objects.exists()


def test_a_rate_is_shown_without_needless_zeros(alice_client, alice_actor) -> None:
    for rate, shown in (("1", "1"), ("1.08", "1.08"), ("100", "100")):
        change_tracking(by=alice_actor, dollars_per_unit=rate)
        assert f'value="{shown}"' in alice_client.get("/settings/tracking").content.decode()
