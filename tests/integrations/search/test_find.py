"""Who finds what, in Chinese and in English, while typing."""

import pytest

from accounts import audit
from campaigns.models import Conversation, InboxMessage
from campaigns.services import create_campaign, share_campaign
from compliance.contacts import create_contact
from integrations.search.services import find
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts(in_workspace, alice_actor):
    def add(*texts, **fields):
        return [add_post(alice_actor, text=text, **fields) for text in texts]

    return add


def plain(titles):
    return [title.replace("<mark>", "").replace("</mark>", "") for title in titles]


TEXTS = [
    "Launching our spring coffee",
    "The espresso machine is back",
    "新品咖啡发布会在上海举行",
    "春季拿铁上新，欢迎品尝",
    "Prices of decaf go up",
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("launch", [0]),
        ("launched", [0]),
        ("launchi", [0]),
        ("lau", [0]),
        ("l", [0]),
        ("coffee spring", [0]),
        ("Espress", [1]),
        ("machine back", [1]),
        ("espresso zebra", [1]),
        ("发布会", [2]),
        ("咖啡", [2]),
        ("咖啡发布", [2]),
        ("上新", [3]),
        ("拿铁", [3]),
        ("春季", [3]),
        ("铁", [3]),
        ("decaf price", [4]),
        ('"go up"', [4]),
        ('"up go"', []),
        ("“发布会在上海”", [2]),
        ("zebra", []),
        ("茶叶", []),
        ("", []),
        ("  ", []),
        ("!?", []),
        ("' | '", []),
        ("\\", []),
        ("a:*", []),
        ("\0coffee\0", [0]),
    ],
)
def test_what_is_found(posts, hits, alice_actor, text, found):
    posts(*TEXTS)
    assert plain(hits(text, alice_actor).get("post", [])) == [TEXTS[n] for n in found]


def test_what_says_it_more_often_and_in_its_title_comes_first(posts, hits, alice_actor):
    posts("Coffee, and a very long story about everything else that happened in town that day, in detail")
    posts("Coffee coffee and more coffee")
    posts("Nothing here", title="Coffee week")
    assert plain(hits("coffee", alice_actor)["post"])[-1].startswith("Coffee, and a very long")


def test_what_has_all_words_leaves_out_what_has_some(posts, hits, alice_actor):
    posts("Spring coffee", "Spring cleaning", "Coffee mill")
    assert plain(hits("spring coffee", alice_actor)["post"]) == ["Spring coffee"]


def test_campaigns_are_found_by_name_goal_and_brief(hits, alice_actor, in_workspace):
    create_campaign(by=alice_actor, name="Frühling", goal="More visitors", brief="Tell of the terrace.")
    for text in ("früh", "visitor", "terrace"):
        assert hits(text, alice_actor) == {"campaign": [hits(text, alice_actor)["campaign"][0]]}, text


def test_what_was_asked_for_is_marked_and_all_else_escaped(posts, alice_actor, hits):
    posts("<b>Coffee</b> & <script>alert(1)</script>", "我们的新品咖啡很好")
    assert hits("coffee", alice_actor)["post"] == [
        "&lt;b&gt;<mark>Coffee</mark>&lt;/b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
    ]
    assert hits("咖啡", alice_actor)["post"] == ["我们的新品<mark>咖啡</mark>很好"]


def test_a_long_text_shows_the_place_where_it_stands(posts, alice_actor, hits):
    posts("Morning. " + "Words and words. " * 60 + "The terrace opens on Sunday. " + "More of it. " * 60, title="Long")
    hits("terrace", alice_actor)
    (group,) = find("terrace", by=alice_actor)
    text = group.hits[0].text
    assert "<mark>terrace</mark>" in text
    assert text.startswith("… ")
    assert text.endswith(" …")
    assert len(text) < 260


def test_people_are_members_and_contacts(hits, alice_actor, bob, in_workspace):
    create_contact(by=alice_actor, name="Bobby Tables", email="tables@example.org")
    assert plain(hits("bob", alice_actor)["person"]) == ["Bob", "Bobby Tables"]
    assert plain(hits("tables@example", alice_actor)["person"]) == ["Bobby Tables"]


def test_the_trail_is_for_those_who_may_read_it(posts, hits, alice_actor, bob_actor):
    posts("Coffee", title="Opening")
    assert hits("opening", alice_actor, kinds=["audit"])["audit"]
    assert hits("opening", bob_actor, kinds=["audit"]) == {}


def test_a_hit_in_the_trail_says_by_whom_and_what_has_changed(alice_actor, workspace, in_workspace):
    audit.record("workspace.rename", workspace, by=alice_actor, before="Old <Mill>", after="New Mill")
    audit.record("post.note", workspace, by=alice_actor, tags=["mill", "shop"], is_shared=True)
    (group,) = find("mill", by=alice_actor, kinds=["audit"])
    assert [(hit.title, hit.text) for hit in group.hits] == [
        ("post.note", "alice@example.org; tags <mark>mill</mark>, shop; is shared yes"),
        ("workspace.rename", "alice@example.org; rename Old &lt;<mark>Mill</mark>&gt; → New <mark>Mill</mark>"),
    ]


def test_a_guest_finds_what_is_shared_with_them(hits, alice_actor, gwen, gwen_actor, in_workspace):
    mine, other = (create_campaign(by=alice_actor, name=f"{name} coffee") for name in ("Shared", "Secret"))
    share_campaign(mine, gwen, by=alice_actor)
    add_post(alice_actor, text="Shared coffee post", campaign=mine)
    add_post(alice_actor, text="Secret coffee post", campaign=other)
    add_post(alice_actor, text="Loose coffee post")
    create_contact(by=alice_actor, name="Coffee Mei")
    everything = ["post", "campaign", "person", "conversation", "audit"]
    found = {kind: plain(titles) for kind, titles in hits("coffee", gwen_actor, kinds=everything).items()}
    assert found == {"campaign": ["Shared coffee"], "post": ["Shared coffee post"]}


def test_strangers_find_nothing(posts, hits, alice_actor, charlie_actor):
    from accounts.scope import workspace_scope

    posts("Coffee")
    assert hits("coffee", alice_actor)
    with workspace_scope(charlie_actor.workspace.pk):
        assert find("coffee", by=charlie_actor) == []
    assert find("coffee", by=charlie_actor) == []


def test_there_is_more_than_is_shown(posts, hits, alice_actor, in_workspace):
    posts(*[f"Coffee {n}" for n in range(5)])
    hits("coffee", alice_actor)
    (group,) = find("coffee", by=alice_actor, limit=3)
    assert (len(group.hits), group.has_more) == (3, True)
    (group,) = find("coffee", by=alice_actor, limit=5)
    assert (len(group.hits), group.has_more) == (5, False)


@pytest.fixture
def talk(in_workspace):
    connection = add_connection(in_workspace)

    def add(name, text):
        conversation = Conversation.objects.create(
            workspace=in_workspace,
            connection=connection,
            kind="mention",
            remote_id=name,
            author_id=name,
            author_name=name,
            last_at=now(),
        )
        InboxMessage.objects.create(
            workspace=in_workspace,
            conversation=conversation,
            connection=connection,
            remote_id=name,
            text=text,
            sent_at=now(),
        )

    return add


def test_conversations_are_found_by_what_was_said(talk, alice_actor):
    talk("Ann", "Is the terrace open?")
    (group,) = find("terrace", by=alice_actor, kinds=["conversation"])
    assert (group.hits[0].title, group.hits[0].text) == ("Ann", "Is the <mark>terrace</mark> open?")


def test_more_conversations_take_no_more_queries(talk, alice_actor, django_assert_max_num_queries):
    talk("Ann", "Is the terrace open?")
    with django_assert_max_num_queries(20) as one:
        find("terrace", by=alice_actor, kinds=["conversation"])
    for name in ("Ben", "Cleo", "Dan"):
        talk(name, "The terrace, please")
    with django_assert_max_num_queries(len(one)):
        (group,) = find("terrace", by=alice_actor, kinds=["conversation"])
    assert len(group.hits) == 4
