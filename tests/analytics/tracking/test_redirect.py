"""GET /l/<code>: what happened is in the database before the visitor is sent on."""

from collections import Counter
from datetime import timedelta
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from accounts.scope import workspace_scope
from analytics.models import Event, Exposure, Link, LinkDomain, Tracking
from analytics.tracking.links import change_link, create_link, set_split
from analytics.tracking.visitors import COOKIE, address_prefix, visitor_in
from campaigns.models import LivePart
from lib.clock import now, shifted
from tests.analytics.tracking.conftest import PERSON, raw
from tests.campaigns.cast import add_connection, add_post

EXPERIMENT = uuid4()


def one_event(workspace) -> Event:
    with workspace_scope(workspace.pk):
        return Event.objects.get()


def exposures(workspace) -> list[Exposure]:
    with workspace_scope(workspace.pk):
        return list(Exposure.objects.all())


def track(workspace, **values) -> None:
    with workspace_scope(workspace.pk):
        Tracking.objects.create(workspace=workspace, pixel_key="k" * 20, **values)


@pytest.fixture
def split(link: Link) -> dict:
    arms = [{"key": key, "url": f"https://acme.example/{key}", "weight": 0.5} for key in "ab"]
    data = {"experiment": str(EXPERIMENT), "salt": "pepper", "epoch": 3, "share": 1, "arms": arms}
    with workspace_scope(link.workspace_id):
        set_split(link, data, variants=False)
    return data


def reweigh(link: Link, split: dict, *weights: float) -> None:
    arms = [{**arm, "weight": weight} for arm, weight in zip(split["arms"], weights, strict=True)]
    with workspace_scope(link.workspace_id):
        set_split(link, {**split, "epoch": 4, "arms": arms}, variants=False)


def test_a_person_is_counted_and_sent_on(person, link, workspace) -> None:
    answer = person.get(f"/l/{link.code}", headers={"referer": "https://www.t.co/xyz?secret=1"})
    assert (answer.status_code, answer["Location"]) == (302, "https://acme.example/shop?size=2")
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    event = one_event(workspace)
    assert (event.kind, event.link_id, event.is_bot, event.bot_reason) == ("click", link.pk, False, "")
    assert (event.referrer, event.device, event.language) == ("t.co", "desktop", "de-DE")
    assert len(event.visitor) == 32


def test_letters_may_be_typed_large(person, link) -> None:
    assert person.get(f"/l/{link.code.upper()}/").status_code == 302


def test_the_redirect_asks_the_database_little(person, link, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(5):
        person.get(f"/l/{link.code}")


def test_a_link_that_nobody_knows_says_so(person, workspace) -> None:
    answer = person.get("/l/nowhere")
    assert answer.status_code == 404
    assert "There is no such link" in answer.content.decode()
    assert raw("SELECT count(*) FROM analytics_event") == 0


def test_a_link_that_is_off_says_so_and_counts_nobody(person, link, bob_actor, workspace) -> None:
    with workspace_scope(workspace.pk):
        change_link(link, by=bob_actor, is_active=False)
    answer = person.get(f"/l/{link.code}")
    assert (answer.status_code, "switched off" in answer.content.decode()) == (410, True)
    assert raw("SELECT count(*) FROM analytics_event") == 0


@pytest.mark.parametrize("shut", [{"is_suspended": True}, {"deletes_at": now()}])
def test_links_of_a_shut_workspace_lead_nowhere(person, link, workspace, shut) -> None:
    for name, value in shut.items():
        setattr(workspace, name, value)
    workspace.save()
    assert person.get(f"/l/{link.code}").status_code == 410


def test_links_of_a_deleted_workspace_are_unknown(person, link) -> None:
    code = link.code
    with workspace_scope(link.workspace_id):
        link.delete()
    assert person.get(f"/l/{code}").status_code == 404


def test_only_reading_follows_a_link(person, link) -> None:
    answer = person.post(f"/l/{link.code}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_a_new_target_holds_at_once(person, link, bob_actor, workspace) -> None:
    with workspace_scope(workspace.pk):
        change_link(link, by=bob_actor, target="https://acme.example/sale")
    assert person.get(f"/l/{link.code}")["Location"] == "https://acme.example/sale"


# --- bots -------------------------------------------------------------------------------------------------

BOTS = [
    ({"user-agent": "Twitterbot/1.0"}, "agent"),
    ({"user-agent": "TelegramBot (like TwitterBot)"}, "agent"),
    ({"user-agent": "facebookexternalhit/1.1"}, "agent"),
    ({"user-agent": "curl/8.5.0"}, "agent"),
    ({"user-agent": "Rostrum"}, "agent"),
    ({"user-agent": ""}, "agent"),
    ({"sec-purpose": "prefetch;prerender"}, "prefetch"),
    ({"purpose": "preview"}, "prefetch"),
    ({"x-moz": "prefetch"}, "prefetch"),
]
PEOPLE = [
    "Mozilla/5.0 (Linux; Android 14; Cubot X70) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 Telegram-Android/11.3",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Twitter for iPhone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 [Pinterest/iOS]",
]


@pytest.mark.parametrize(("headers", "reason"), BOTS)
def test_bots_are_sent_on_and_marked(person, link, workspace, headers, reason) -> None:
    assert person.get(f"/l/{link.code}", headers=headers).status_code == 302
    event = one_event(workspace)
    assert (event.is_bot, event.bot_reason, event.device) == (True, reason, "bot")


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_with_odd_browsers_are_people(person, link, workspace, agent) -> None:
    person.get(f"/l/{link.code}", headers={"user-agent": agent})
    assert (one_event(workspace).bot_reason, one_event(workspace).device) == ("", "phone")


def test_a_browser_without_a_language_is_a_program(link, workspace) -> None:
    Client(headers={"user-agent": PERSON["user-agent"]}).get(f"/l/{link.code}")
    assert one_event(workspace).bot_reason == "agent"


def test_a_look_at_the_head_is_a_bot_without_a_body(person, link, workspace) -> None:
    answer = person.head(f"/l/{link.code}")
    assert (answer.status_code, answer.content) == (302, b"")
    assert one_event(workspace).bot_reason == "head"


def test_networks_of_programs_are_a_setting(person, link, workspace, settings) -> None:
    settings.BOT_CIDRS = ["192.0.2.0/24"]
    person.get(f"/l/{link.code}", REMOTE_ADDR="192.0.2.77")
    assert one_event(workspace).bot_reason == "range"


@pytest.mark.parametrize(("after_s", "reason"), [(-60, ""), (1, "early"), (4, "")])
def test_whoever_comes_with_the_post_is_a_reader_of_previews(
    person, link, workspace, bob_actor, after_s, reason
) -> None:
    with workspace_scope(workspace.pk):
        roastery = add_connection(workspace)
        delivery = add_post(bob_actor, roastery).deliveries.get()
        part = LivePart.objects.create(
            workspace=workspace, delivery=delivery, connection=roastery, position=0, content_hash="0", remote_id="1"
        )
        Link.objects.update(post=delivery.post)
    with shifted(part.published_at - now() + timedelta(seconds=after_s)):
        person.get(f"/l/{link.code}")
    assert one_event(workspace).bot_reason == reason


# --- who ----------------------------------------------------------------------------------------------------


def visitors_of(workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(Event.objects.order_by("number").values_list("visitor", flat=True))


def test_without_a_cookie_a_visitor_is_the_same_for_a_day(person, link, workspace) -> None:
    for address in ("198.51.100.7", "198.51.100.200", "198.51.101.7"):
        person.get(f"/l/{link.code}", REMOTE_ADDR=address)
    with shifted(timedelta(days=1)):
        person.get(f"/l/{link.code}", REMOTE_ADDR="198.51.100.7")
    one, neighbour, other, tomorrow = visitors_of(workspace)
    assert one == neighbour
    assert len({one, other, tomorrow}) == 3


@pytest.mark.parametrize("uses_cookie", [False, True])
def test_another_workspace_sees_another_visitor(person, link, workspace, other_workspace, charlie, uses_cookie) -> None:
    """Also where both use the cookie, which is one for the whole site."""
    track(workspace, uses_cookie=uses_cookie)
    with workspace_scope(other_workspace.pk):
        Tracking.objects.create(workspace=other_workspace, pixel_key="other", uses_cookie=uses_cookie)
        theirs = Link.objects.create(workspace=other_workspace, code="bakery", target="https://b.example")
    person.get(f"/l/{link.code}")
    person.get(f"/l/{theirs.code}")
    assert visitors_of(workspace) != visitors_of(other_workspace)


def test_a_cookie_only_where_the_workspace_wants_one(person, link, workspace) -> None:
    track(workspace, uses_cookie=True)
    answer = person.get(f"/l/{link.code}")
    morsel = answer.cookies[COOKIE]
    assert (morsel["httponly"], morsel["samesite"]) == (True, "Lax")
    assert COOKIE not in person.get(f"/l/{link.code}", REMOTE_ADDR="203.0.113.9").cookies
    assert visitors_of(workspace) == [visitor_in(morsel.value, workspace.pk)] * 2
    assert morsel.value not in visitors_of(workspace)


@pytest.mark.parametrize("header", ["sec-gpc", "dnt"])
def test_no_cookie_for_whoever_objects(person, link, workspace, header) -> None:
    track(workspace, uses_cookie=True)
    person.cookies[COOKIE] = "a" * 32
    assert not person.get(f"/l/{link.code}", headers={header: "1"}).cookies
    assert visitors_of(workspace) != [visitor_in("a" * 32, workspace.pk)]


def test_a_bot_gets_no_cookie(link, workspace) -> None:
    track(workspace, uses_cookie=True)
    assert not Client(headers={"user-agent": "Twitterbot/1.0"}).get(f"/l/{link.code}").cookies


def test_a_made_up_cookie_is_nobody(person, link, workspace) -> None:
    track(workspace, uses_cookie=True)
    person.cookies[COOKIE] = "'; DROP TABLE"
    assert COOKIE in person.get(f"/l/{link.code}").cookies


def test_only_our_own_proxies_are_believed(person, link, workspace, settings) -> None:
    for trusted in (0, 1):
        settings.TRUSTED_PROXIES = trusted
        for client in ("198.51.100.1", "203.0.113.1"):
            person.get(f"/l/{link.code}", headers={"x-forwarded-for": f"9.9.9.9, {client}"})
    plain, plainly, first, second = visitors_of(workspace)
    assert plain == plainly
    assert len({plain, first, second}) == 3


@pytest.mark.parametrize(
    ("address", "prefix"),
    [("198.51.100.7", "198.51.100.0/24"), ("2a00:1450:4001:82b::200e", "2a00:1450:4001:800::/56"), ("", "")],
)
def test_addresses_are_cut(address, prefix) -> None:
    assert address_prefix(address) == prefix


def test_the_click_goes_along_where_conversions_are_counted(person, link, workspace) -> None:
    track(workspace)
    query = parse_qs(urlsplit(person.get(f"/l/{link.code}")["Location"]).query)
    event = one_event(workspace)
    assert query == {"size": ["2"], "rcid": [str(event.pk)]}
    assert UUID(query["rcid"][0]).version == 7


# --- splits -----------------------------------------------------------------------------------------------


def visit(client: Client, link: Link, number: int, **headers) -> str:
    return client.get(f"/l/{link.code}", REMOTE_ADDR=f"10.{number // 256}.{number % 256}.1", headers=headers)[
        "Location"
    ]


def test_an_arm_is_drawn_logged_and_kept(person, link, workspace, split) -> None:
    first = [visit(person, link, number) for number in range(60)]
    counts = Counter(first)
    assert set(counts) == {"https://acme.example/a", "https://acme.example/b"}
    assert min(counts.values()) > 15
    reweigh(link, split, 0, 1)
    assert [visit(person, link, number) for number in range(60)] == first
    assert {visit(person, link, number) for number in range(60, 80)} == {"https://acme.example/b"}
    rows = exposures(workspace)
    assert len(rows) == 80
    assert Counter((row.epoch, row.propensity) for row in rows) == {(3, 0.5): 60, (4, 1.0): 20}
    assert {(row.salt, row.link_id, row.is_bot, row.converted_at) for row in rows} == {("pepper", link.pk, False, None)}


def test_the_click_names_its_arm_and_experiment(person, link, workspace, split) -> None:
    arm = visit(person, link, 1)[-1]
    event = one_event(workspace)
    assert (event.arm, event.name) == (arm, EXPERIMENT.hex)
    assert [(row.unit, row.arm) for row in exposures(workspace)] == [(event.visitor, arm)]


def test_bots_are_drawn_and_kept_apart(person, link, workspace, split) -> None:
    visit(person, link, 1, **{"user-agent": "Slackbot 1.0"})
    assert [row.is_bot for row in exposures(workspace)] == [True]


def test_whoever_takes_no_part_goes_to_the_plain_target(person, link, workspace, split) -> None:
    reweigh(link, {**split, "share": 0}, 1, 1)
    assert visit(person, link, 1) == "https://acme.example/shop?size=2"
    assert exposures(workspace) == []
    assert one_event(workspace).arm == ""


def test_a_split_that_ended_draws_nobody(person, link, workspace, split) -> None:
    with workspace_scope(workspace.pk):
        set_split(link, {})
    assert visit(person, link, 1) == "https://acme.example/shop?size=2"
    assert exposures(workspace) == []


def test_an_arm_that_is_gone_leads_to_the_plain_target(person, link, workspace, split) -> None:
    arm = visit(person, link, 1)[-1]
    other = [{**row, "key": "c"} if row["key"] == arm else row for row in split["arms"]]
    with workspace_scope(workspace.pk):
        set_split(link, {**split, "arms": other}, variants=False)
    assert visit(person, link, 1) == "https://acme.example/shop?size=2"


@pytest.mark.django_db(transaction=True)
def test_one_visitor_at_the_same_moment_is_one_exposure(link, workspace, split) -> None:
    places = []

    def come() -> None:
        try:
            places.append(visit(Client(headers=PERSON), link, 5))
        finally:
            connection.close()

    threads = [Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == 4
    assert len(set(places)) == 1
    assert len(exposures(workspace)) == 1
    assert raw("SELECT count(*) FROM analytics_event") == 4


# --- domains of their own -----------------------------------------------------------------------------------


@pytest.fixture
def domain(workspace) -> LinkDomain:
    with workspace_scope(workspace.pk):
        return LinkDomain.objects.create(workspace=workspace, host="go.acme.example", token="t" * 20, verified_at=now())


@pytest.fixture
def branded(domain, bob_actor) -> Link:
    with workspace_scope(domain.workspace_id):
        return create_link("https://acme.example", by=bob_actor, domain=domain, code="spring", utm=False)


def test_a_domain_of_the_workspace_needs_no_prefix(person, branded) -> None:
    assert person.get("/spring", headers={"host": "go.acme.example"})["Location"] == "https://acme.example"
    assert person.get("/spring", headers={"host": "GO.acme.example:443"}).status_code == 302
    assert person.get("/l/spring").status_code == 302


def test_a_domain_shows_only_its_own_links(person, link, branded) -> None:
    for path, host in [
        (f"/{link.code}", "go.acme.example"),
        ("/spring", "evil.example"),
        ("/spring", "acme.example"),
    ]:
        assert person.get(path, headers={"host": host}).status_code == 404


def test_a_domain_that_lost_its_proof_leads_nowhere(person, branded, domain) -> None:
    with workspace_scope(domain.workspace_id):
        LinkDomain.objects.update(verified_at=None)
    assert person.get("/spring", headers={"host": "go.acme.example"}).status_code == 404


def test_our_own_pages_do_not_become_links(person, branded) -> None:
    assert person.get("/spring").status_code == 404
    assert "short" not in person.get("/healthz").content.decode()


def test_where_every_name_is_ours_pages_and_links_are_both_found(person, branded, settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert person.get("/spring", headers={"host": "go.acme.example"}).status_code == 302
    assert person.get("/privacy", headers={"host": "192.0.2.7:8000"}).status_code == 200
    assert person.get("/spring", headers={"host": "192.0.2.7:8000"}).status_code == 404


@pytest.mark.parametrize("host", ["[", "a b", "evil.example:x", "x" * 500, "go.acme.example:1:2", "..", "-"])
def test_a_made_up_host_finds_nothing(person, branded, host) -> None:
    assert person.get("/spring", headers={"host": host}).status_code in {400, 404}
