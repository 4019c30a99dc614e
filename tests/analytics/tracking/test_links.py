"""Short links of posts, their UTM parameters, their API, and the domains they stand on."""

from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.scope import workspace_scope
from analytics.models import Link, LinkDomain, UtmTemplate
from analytics.tracking import domains
from analytics.tracking.codes import ALPHABET, RESERVED, clean_code, new_code
from analytics.tracking.links import address_of, change_link, create_link, set_split, shorten, target_behind
from analytics.tracking.utm import with_utm
from campaigns.link_checks import check_links
from campaigns.models import Campaign, LinkCheck, Post
from campaigns.services import PartDraft, PostDraft, create_campaign, create_post, update_post
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, texts_of

EXPERIMENT = "0190f6b6-6f6e-7c3a-8e2a-1d2f3a4b5c6d"


@pytest.fixture(autouse=True)
def _inside(in_workspace, settings) -> None:
    settings.BASE_URL = "https://rostrum.example"


def write(by, text: str, **more) -> Post:
    return create_post(PostDraft((PartDraft(text),), shortener="Short links", **more), by=by)


def targets() -> list[str]:
    return list(Link.objects.order_by("created_at").values_list("target", flat=True))


def on_telegram(workspace) -> Connection:
    fields = {"network": "telegram", "remote_id": "-1001", "handle": "news", "name": "News", "kind": "channel"}
    return Connection.objects.create(workspace=workspace, **fields)


# --- in posts -------------------------------------------------------------------------------------------------


def test_the_approved_text_has_the_short_link(bob_actor, workspace) -> None:
    campaign = create_campaign(by=bob_actor, name="Spring Sale 2026!")
    channel = on_telegram(workspace)
    post = write(bob_actor, "See acme.com/a", campaign=campaign, connections=(channel.pk,))
    link = Link.objects.get()
    assert texts_of(post) == [f"See https://rostrum.example/l/{link.code}"]
    assert (link.post, link.campaign, link.created_by) == (post, campaign, bob_actor.user)
    assert link.target == ("https://acme.com/a?utm_source=telegram&utm_medium=social&utm_campaign=spring-sale-2026")


def test_a_post_for_several_networks_has_one_source(bob_actor, workspace) -> None:
    channels = [add_connection(workspace), on_telegram(workspace)]
    write(bob_actor, "acme.com", connections=tuple(row.pk for row in channels))
    assert "utm_source=social&" in targets()[0]


def test_one_address_is_one_link_of_a_post(bob_actor) -> None:
    post = write(bob_actor, "acme.com/a acme.com/a acme.com/b")
    text = texts_of(post)[0].split()
    assert text[0] == text[1] != text[2]
    saved = update_post(post, PostDraft((PartDraft(f"{text[0]} acme.com/b"),), shortener="Short links"), by=bob_actor)
    assert texts_of(saved) == [f"{text[0]} {text[2]}"]
    assert len(targets()) == 2
    write(bob_actor, "acme.com/a")
    assert len(targets()) == 3


def test_a_link_that_was_switched_off_is_not_used_again(bob_actor) -> None:
    post = write(bob_actor, "acme.com/a")
    change_link(Link.objects.get(), by=bob_actor, is_active=False)
    assert shorten("acme.com/a", post) not in texts_of(post)


def test_a_domain_of_their_own_is_used_once_it_is_verified(bob_actor, workspace) -> None:
    row = LinkDomain.objects.create(workspace=workspace, host="go.acme.example", token="t")
    assert "rostrum.example/l/" in texts_of(write(bob_actor, "acme.com/a"))[0]
    LinkDomain.objects.filter(pk=row.pk).update(verified_at=now())
    post = write(bob_actor, "acme.com/b")
    assert texts_of(post)[0].startswith("http://go.acme.example/")
    assert shorten(texts_of(post)[0], post) == texts_of(post)[0]


# --- UTM --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://a.example", "https://a.example?utm_source=x&utm_medium=social"),
        ("https://a.example/?q=1#top", "https://a.example/?q=1&utm_source=x&utm_medium=social#top"),
        ("https://a.example/?utm_source=mail", "https://a.example/?utm_source=mail&utm_medium=social"),
        ("https://a.example/?utm_medium=", "https://a.example/?utm_medium=&utm_source=x"),
        ("https://a.example/ü?x=%20", "https://a.example/ü?x=%20&utm_source=x&utm_medium=social"),
    ],
)
def test_parameters_that_are_there_win(url, made) -> None:
    assert with_utm(url, UtmTemplate(name="", content=""), {"network": "x"}) == made


def test_the_campaign_s_template_comes_before_the_workspace_s(bob_actor, workspace) -> None:
    campaign = create_campaign(by=bob_actor, name="Spring")
    UtmTemplate.objects.create(workspace=workspace, source="all", name="", content="")
    write(bob_actor, "acme.com/a", campaign=campaign)
    UtmTemplate.objects.create(
        workspace=workspace, campaign=campaign, source="ours", term="{post} {unknown}", content=""
    )
    write(bob_actor, "acme.com/b", campaign=campaign, title="First Post")
    write(bob_actor, "acme.com/c")
    assert [target.split("utm_source=")[1].split("&")[0] for target in targets()] == ["all", "ours", "all"]


def test_arms_carry_their_name(bob_actor) -> None:
    link = create_link("https://a.example", by=bob_actor)
    arms = [{"key": key, "url": "https://a.example/p", "weight": 1} for key in ("a", "b")]
    set_split(link, {"experiment": str(link.pk), "salt": "s", "arms": arms})
    assert [arm["url"].split("utm_content=")[1] for arm in link.split["arms"]] == ["a", "b"]


@pytest.mark.parametrize(
    "split",
    [
        {"salt": "s", "arms": []},
        {"experiment": "no id", "salt": "s", "arms": []},
        {
            "experiment": EXPERIMENT,
            "arms": [{"key": "a", "url": "https://a.b", "weight": 1}],
        },
        {
            "experiment": EXPERIMENT,
            "salt": "s",
            "arms": [{"key": "a", "url": "https://a.b", "weight": -1}],
        },
        {
            "experiment": EXPERIMENT,
            "salt": "s",
            "arms": [{"key": "a", "url": "javascript:x", "weight": 1}],
        },
    ],
)
def test_what_is_no_split_is_refused(bob_actor, split) -> None:
    link = create_link("https://a.example", by=bob_actor)
    with pytest.raises(ValidationError):
        set_split(link, split)
    link.refresh_from_db()
    assert link.split == {}


# --- codes --------------------------------------------------------------------------------------------------


def test_codes_have_no_letters_that_look_alike() -> None:
    codes = {new_code() for _ in range(300)}
    assert len(codes) == 300
    assert not set("".join(codes)) & set("01ilo")
    assert set("".join(codes)) <= set(ALPHABET)


@pytest.mark.parametrize("text", ["ab", "-ab", "a b", "ü12", "a" * 25, "a/b", *sorted(RESERVED)[:5]])
def test_codes_that_are_none(text) -> None:
    with pytest.raises(ValidationError):
        clean_code(text)


# --- the API ------------------------------------------------------------------------------------------------


def test_the_api_makes_lists_and_changes_links(api, bob, vic, bob_actor) -> None:
    campaign = create_campaign(by=bob_actor, name="Spring")
    client = api(bob)
    body = {
        "target": "https://acme.example/a",
        "title": "A",
        "code": "spring",
        "campaign": str(campaign.pk),
        "utm": False,
    }
    made = client.post("/api/links", body, format="json")
    assert (made.status_code, made.json()["url"]) == (201, "https://rostrum.example/l/spring")
    assert client.post("/api/links", body, format="json").json()["errors"] == {
        "code": ["This code is taken. Choose another."]
    }
    pk = made.json()["id"]
    changed = client.patch(f"/api/links/{pk}", {"is_active": False, "title": "B"}, format="json").json()
    assert (changed["is_active"], changed["title"], changed["target"]) == (False, "B", "https://acme.example/a")
    assert [row["id"] for row in client.get("/api/links").json()["results"]] == [pk]
    seen = api(vic).get(f"/api/links/{pk}").json()
    assert (seen["clicks"], seen["bot_clicks"], seen["visitors"]) == (0, 0, 0)
    assert api(vic).patch(f"/api/links/{pk}", {"title": "C"}, format="json").status_code == 403


def test_a_viewer_makes_no_link(vic_actor) -> None:
    with pytest.raises(PermissionDenied):
        create_link("https://acme.example", by=vic_actor)


# --- our own checks -------------------------------------------------------------------------------------------


def test_our_checker_looks_behind_the_short_link(bob_actor, workspace, settings) -> None:
    link = create_link("https://nowhere.invalid/a", by=bob_actor, utm=False)
    assert target_behind(address_of(link)) == "https://nowhere.invalid/a"
    assert target_behind("https://acme.example/l/abc") == ""
    check_links(workspace, [address_of(link)])
    row = LinkCheck.objects.get()
    assert (row.url, row.is_ok) == (address_of(link), False)
    assert "no such web server" in row.problem


# --- domains ------------------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def elsewhere():
    """Another server, which has its own idea of a proof. Gives what it answers with."""
    said = {"body": b"hello"}

    def answer(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        body = said["body"]
        return [body(environ["PATH_INFO"]) if callable(body) else body]

    server = make_server("127.0.0.1", 0, answer, handler_class=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    said["port"] = server.server_address[1]
    yield said
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db(transaction=True)
def test_a_domain_counts_once_it_gives_our_proof(alice_actor, client, workspace, elsewhere, settings) -> None:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    with workspace_scope(workspace.pk):
        row = LinkDomain.objects.create(workspace=workspace, host=f"127.0.0.1:{elsewhere['port']}", token="t" * 20)
    seen = domains.verify_domain(row.pk, by=alice_actor)
    assert seen.verified_at is None
    assert "Another server answers" in seen.problem_text
    elsewhere["body"] = lambda path: client.get(path).content
    assert domains.verify_domain(row.pk, by=alice_actor).verified_at
    elsewhere["body"] = b"gone"
    assert domains.verify_domain(row.pk, by=alice_actor).verified_at is None


@pytest.mark.django_db(transaction=True)
def test_a_domain_belongs_to_one_workspace(
    alice_actor, charlie, other_workspace, workspace, elsewhere, settings
) -> None:
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    host = f"127.0.0.1:{elsewhere['port']}"
    with workspace_scope(other_workspace.pk):
        LinkDomain.objects.create(workspace=other_workspace, host=host, token="u" * 20, verified_at=now())
    with workspace_scope(workspace.pk):
        row = LinkDomain.objects.create(workspace=workspace, host=host, token="t" * 20)
    elsewhere["body"] = domains.answer_to(row.token).encode()
    assert domains.verify_domain(row.pk, by=alice_actor).problem_text == domains.TAKEN


def test_a_campaign_that_goes_leaves_its_links(bob_actor) -> None:
    campaign = create_campaign(by=bob_actor, name="Spring")
    link = create_link("https://acme.example", by=bob_actor, campaign=campaign)
    Campaign.objects.filter(pk=campaign.pk).delete()
    link.refresh_from_db()
    assert link.campaign is None
