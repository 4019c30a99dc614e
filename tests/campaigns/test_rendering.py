"""What will be sent, and a hash that moves with every bit of it."""

import re

import pytest

from campaigns.models import Delivery
from campaigns.queries import with_content
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart, check_delivery, render
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post
from lib.ids import uuid7
from lib.text import storable
from social.models import Connection

HEX = re.compile(r"[0-9a-f]{64}")


def media(sha256: str = "a" * 64, alt_text: str = "") -> RenderedMedia:
    return RenderedMedia(uuid7(), sha256, "image", alt_text)


def rendered(*parts: RenderedPart, **fields) -> Rendered:
    values = {"connection_id": "c", "network": "x", "remote_account": "1", "made_with_ai": False}
    return Rendered(parts=parts or (RenderedPart("Hello", ()),), **values | fields)


# --- the hash ----------------------------------------------------------------------------------------------


def test_the_same_content_has_the_same_hash():
    assert rendered().content_hash == rendered().content_hash
    assert HEX.fullmatch(rendered().content_hash)


@pytest.mark.parametrize(
    "other",
    [
        rendered(RenderedPart("Hello!", ())),
        rendered(RenderedPart("Hello", (media(),))),
        rendered(RenderedPart("Hello", ()), RenderedPart("", ())),
        rendered(connection_id="d"),
        rendered(network="telegram"),
        rendered(remote_account="2"),
        rendered(made_with_ai=True),
    ],
    ids=["text", "media", "a part more", "connection", "network", "account", "made with AI"],
)
def test_whatever_is_sent_is_in_the_hash(other):
    assert other.content_hash != rendered().content_hash


def test_pictures_descriptions_and_their_order_are_in_the_hash():
    first, second = media("a" * 64, "A cup"), media("b" * 64, "A bowl")
    variants = [
        RenderedPart("x", (first, second)),
        RenderedPart("x", (second, first)),
        RenderedPart("x", (first,)),
        RenderedPart("x", (media("a" * 64, "A mug"), second)),
    ]
    assert len({part.content_hash for part in variants}) == len(variants)


def test_text_cannot_move_between_parts_unnoticed():
    split = rendered(RenderedPart("ab", ()), RenderedPart("c", ()))
    other = rendered(RenderedPart("a", ()), RenderedPart("bc", ()))
    assert split.content_hash != other.content_hash


def test_the_order_of_the_parts_is_in_the_hash():
    one, two = RenderedPart("1", ()), RenderedPart("2", ())
    assert rendered(one, two).content_hash != rendered(two, one).content_hash


def test_the_same_file_under_another_id_is_the_same_content():
    assert RenderedPart("x", (media(),)).content_hash == RenderedPart("x", (media(),)).content_hash


@pytest.mark.parametrize("text", ["", "\ud800", "😀" * 1000, '{"a": 1}', "\u202e"])
def test_any_text_has_a_hash(text):
    assert HEX.fullmatch(RenderedPart(text, ()).content_hash)


# --- from the database -------------------------------------------------------------------------------------


@pytest.fixture
def written(roastery, cafe, bob_actor):
    def write(*parts: PartDraft, **fields) -> dict[str, Delivery]:
        post = create_post(PostDraft(parts, connections=(roastery.pk, cafe.pk), **fields), by=bob_actor)
        rows = with_content(Delivery.objects.filter(post=post))
        return {row.connection.handle: row for row in rows}

    return write


def test_line_ends_and_outer_space_are_as_they_will_be_sent(written):
    row = written(PartDraft("  One\r\nTwo\rThree \n"))["roastery"]
    assert render(row).parts[0].text == "One\nTwo\nThree"


def test_a_connection_has_its_own_text_where_one_was_written(written, cafe):
    rows = written(PartDraft("One"), PartDraft("Two"), overrides={cafe.pk: [None, "Zwei"]})
    assert [part.text for part in render(rows["roastery"]).parts] == ["One", "Two"]
    assert [part.text for part in render(rows["cafe"]).parts] == ["One", "Zwei"]


def test_texts_beyond_the_last_part_are_not_sent(written, cafe):
    rows = written(PartDraft("One"), overrides={cafe.pk: ["Eins", "Zwei", "Drei"]})
    assert [part.text for part in render(rows["cafe"]).parts] == ["Eins"]


def test_pictures_come_in_their_order_with_trimmed_descriptions(written, picture):
    row = written(PartDraft("Look", (MediaDraft(picture.pk, "  A cup "), MediaDraft(picture.pk))))["roastery"]
    assert [(use.sha256, use.alt_text) for use in render(row).parts[0].media] == [
        (picture.sha256, "A cup"),
        (picture.sha256, ""),
    ]


def test_the_account_is_the_one_on_the_network(written, roastery):
    assert render(written(PartDraft("x"))["roastery"]).remote_account == roastery.remote_id


def test_the_snapshot_is_what_the_hash_covers_as_plain_data(written, picture):
    row = written(PartDraft("Look", (MediaDraft(picture.pk, "A cup"),)), made_with_ai=True)["cafe"]
    snapshot = render(row).snapshot()
    assert snapshot["made_with_ai"] is True
    assert snapshot["connection_id"] == str(row.connection_id)
    assert snapshot["parts"][0]["media"][0] == {
        "asset_id": str(picture.pk),
        "sha256": picture.sha256,
        "kind": "image",
        "alt_text": "A cup",
    }


def test_rendering_many_takes_no_more_queries_than_one(written, django_assert_num_queries, picture):
    written(PartDraft("One", (MediaDraft(picture.pk),)), PartDraft("Two"))
    written(PartDraft("Three", (MediaDraft(picture.pk),)))
    with django_assert_num_queries(4):
        assert len([render(row).content_hash for row in with_content(Delivery.objects.all())]) == 4


# --- what a network would refuse -----------------------------------------------------------------------------


def test_a_good_post_has_no_problems(written):
    assert check_delivery(written(PartDraft("Fine"))["roastery"]) == []


def test_problems_name_the_part(written):
    assert check_delivery(written(PartDraft("Fine"), PartDraft(" "))["roastery"]) == [
        "Part 2: There is no text and no media yet."
    ]


def test_the_limit_is_that_of_the_account(written):
    rows = written(PartDraft("x" * 281))
    assert len(check_delivery(rows["roastery"])) == 1
    assert check_delivery(rows["cafe"]) == []


def test_the_own_text_of_a_connection_is_what_is_checked(written, roastery):
    rows = written(PartDraft("Fine"), overrides={roastery.pk: ["x" * 281]})
    assert len(check_delivery(rows["roastery"])) == 1


def test_a_post_without_parts_is_empty(written):
    row = written(PartDraft("x"))["roastery"]
    row.post.parts.all().delete()
    (reread,) = with_content(Delivery.objects.filter(pk=row.pk))
    assert check_delivery(reread) == ["The post is empty."]


def test_too_many_parts_are_counted(written, bob_actor):
    from campaigns.models import PostPart

    row = written(PartDraft("x"))["roastery"]
    for position in range(1, 26):
        PostPart.objects.create(workspace=row.workspace, post=row.post, position=position, text="y")
    (reread,) = with_content(Delivery.objects.filter(pk=row.pk))
    assert check_delivery(reread) == ["A thread has at most 25 parts; this one has 26."]


def test_an_endless_description_is_named(written, picture):
    row = written(PartDraft("Look", (MediaDraft(picture.pk, "x" * 1000),)))["roastery"]
    assert check_delivery(row) == []
    row.post.parts.all()[0].media.all()[0].alt_text = "x" * 1001
    assert check_delivery(row) == ["A description of an image is too long."]


# --- what the database takes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\x00b", "ab"), ("a\ud83db", "ab"), ("😀", "😀"), ("\u202eabc", "\u202eabc"), ("", "")],
    ids=["NUL", "half a pair", "a whole pair", "direction", "nothing"],
)
def test_only_what_postgres_refuses_is_left_out(text, kept):
    assert storable(text) == kept


def test_the_connection_of_a_rendered_post_exists(written):
    assert Connection.objects.filter(pk=render(written(PartDraft("x"))["cafe"]).connection_id).exists()
