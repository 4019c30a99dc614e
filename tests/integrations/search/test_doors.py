"""/search, its palette and /api/search."""

import pytest

from campaigns.services import create_campaign, share_campaign
from integrations.search.indexing import index_due
from integrations.search.pages import PAGES
from integrations.search.services import pages_named
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
TYPED = {"HX-Request": "true"}


@pytest.fixture
def post(in_workspace, alice_actor):
    made = add_post(alice_actor, text="Fresh <b>coffee</b> beans.", title="Opening")
    index_due()
    return made


def text_of(response):
    assert response.status_code == 200, response.content
    return response.content.decode()


def test_the_page_groups_what_it_found_and_marks_it(alice_client, post):
    shown = text_of(alice_client.get("/search?q=coffee"))
    assert "Fresh &lt;b&gt;<mark>coffee</mark>&lt;/b&gt; beans." in shown
    assert f'href="/posts/{post.pk}"' in shown
    assert "Audit trail" in text_of(alice_client.get("/search?q=opening"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "What are you looking for?"),
        ("?q=%20", "What are you looking for?"),
        ("?q=zebra", "Nothing found"),
        ("?q=zebra&kind=post", "Search everything"),
        ("?q=%00", "What are you looking for?"),
        ("?q=<script>", "&lt;script&gt;"),
    ],
)
def test_without_a_hit_the_page_says_what_to_do(alice_client, post, query, said):
    shown = text_of(alice_client.get(f"/search{query}"))
    assert said in shown
    assert "<script>" not in shown.split("<main")[1]


def test_one_kind_has_a_page_of_its_own(alice_client, post, in_workspace, alice_actor):
    for n in range(9):
        add_post(alice_actor, text=f"More coffee {n}")
    index_due()
    everything = text_of(alice_client.get("/search?q=coffee"))
    assert "8+" in everything
    assert "?q=coffee&amp;kind=post" in everything
    assert text_of(alice_client.get("/search?q=coffee&kind=post")).count("<mark>coffee</mark>") >= 10


def test_the_palette_is_a_list_of_options(alice_client, post):
    shown = text_of(alice_client.get("/search?q=open", headers=TYPED))
    assert "<html" not in shown
    assert 'role="option"' in shown
    assert "<mark>Opening</mark>" in shown
    assert "/search?q=open" in shown
    assert text_of(alice_client.get("/search?q=", headers=TYPED)).strip() == ""


def test_pages_are_found_by_name_as_far_as_one_may_open_them(alice_actor, bob_actor, gwen_actor, in_workspace):
    named = {who.label: {name for name, _ in pages_named("w", by=who)} for who in (alice_actor, bob_actor, gwen_actor)}
    assert "Webhooks" in named["alice@example.org"]
    assert "Webhooks" not in named["bob@example.org"]
    assert named["gwen@example.org"] == set()
    assert pages_named("cal", by=gwen_actor) == [("Calendar", "/calendar")]
    assert pages_named("", by=alice_actor) == []


def test_every_page_opens_for_those_who_are_led_there(alice_client, gwen_client, alice_actor, gwen_actor, in_workspace):
    for client, actor in ((alice_client, alice_actor), (gwen_client, gwen_actor)):
        for page in PAGES:
            for name, path in pages_named(page.label, by=actor):
                assert client.get(path).status_code in {200, 302}, (actor.label, name)


def test_guests_search_what_is_shared_with_them(gwen_client, gwen, post, in_workspace, alice_actor):
    mine = create_campaign(by=alice_actor, name="Coffee week")
    share_campaign(mine, gwen, by=alice_actor)
    index_due()
    shown = text_of(gwen_client.get("/search?q=coffee"))
    assert "<mark>Coffee</mark> week" in shown
    assert "beans" not in shown


def test_every_page_of_a_member_has_the_palette_and_others_do_not(alice_client, client, workspace):
    assert 'id="palette"' in text_of(alice_client.get("/profile"))
    assert b'id="palette"' not in client.get("/accounts/login/").content


def test_the_api_finds_the_same(api, api_key, alice, workspace, post, charlie, other_workspace):
    found = api(alice, workspace=workspace).get("/api/search?q=coffee").json()
    (group,) = found["groups"]
    assert (group["kind"], group["has_more"]) == ("post", False)
    assert group["hits"][0]["title"] == "Opening"
    assert group["hits"][0]["path"] == f"/posts/{post.pk}"
    assert api(api_key("read")).get("/api/search?q=coffee").json() == found
    assert api(charlie).get("/api/search?q=coffee").json() == {"groups": []}
    assert api().get("/api/search?q=coffee").status_code == 401


@pytest.mark.parametrize("query", ["", "?q=", "?q=a&limit=0", "?q=a&limit=x", "?q=a&kind=moon", f"?q={'a' * 201}"])
def test_the_api_refuses_what_it_cannot_read(api, alice, workspace, query):
    assert api(alice, workspace=workspace).get(f"/api/search{query}").status_code == 400


def test_the_api_looks_where_it_is_told(api, alice, bob, workspace, post):
    kinds = "&kind=audit&kind=post"
    found = api(alice, workspace=workspace).get(f"/api/search?q=opening{kinds}").json()
    assert [group["kind"] for group in found["groups"]] == ["post", "audit"]
    found = api(bob, workspace=workspace).get(f"/api/search?q=opening{kinds}").json()
    assert [group["kind"] for group in found["groups"]] == ["post"]
