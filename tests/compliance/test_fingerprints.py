from datetime import timedelta
from uuid import uuid4

import pytest

from compliance import fingerprints
from compliance.models import Fingerprint
from lib.clock import now

pytestmark = pytest.mark.django_db
TEXT = "Our summer roast is back: notes of cherry and cocoa, in bags of 250 g, from Friday in every shop."
MINE, THEIRS = uuid4(), uuid4()


def remember(text, *, workspace=THEIRS, is_published=True, network="x"):
    delivery = uuid4()
    fingerprints.remember(
        network, text, workspace_id=workspace, connection_id=uuid4(), delivery_id=delivery, is_published=is_published
    )
    return delivery


def alike(text, *, workspace=MINE, network="x", delivery=None, days=30):
    return fingerprints.find_alike(
        network, text, workspace_id=workspace, delivery_id=delivery or uuid4(), since=now() - timedelta(days=days)
    )


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        f"  {TEXT}\n\n",
        TEXT.replace(": ", " — ").replace(",", ""),
        TEXT + " https://example.com/a?utm_source=x",
        TEXT.replace("Friday", "Monday"),
        TEXT.replace("cherry", "ch\u200berry"),
        "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalpha() else letter for letter in TEXT),
    ],
)
def test_the_same_text_in_other_clothes_is_found(text):
    remember(TEXT)
    assert alike(text)


@pytest.mark.parametrize(
    "text",
    [
        "Our summer roast is back. Come and taste it on the market square, Saturday from nine, with Marta.",
        "We are hiring: a barista for mornings, and somebody who likes ledgers for two days a week. Write to us!",
        "",
        "🎉🎉🎉",
    ],
)
def test_another_text_is_not(text):
    remember(TEXT)
    assert not alike(text)


def test_chinese_text_is_compared_too():
    remember("夏季烘焙回归：樱桃与可可的香气，250克装，周五起所有门店有售，欢迎前来品尝。")
    assert alike("夏季烘焙回归：樱桃与可可的香气，250克装，周六起所有门店有售，欢迎前来品尝！")


def test_short_texts_are_alike_only_when_they_are_the_same():
    remember("Good morning!")
    assert alike("good morning")
    assert not alike("Good evening!")


def test_what_others_have_not_published_is_nobodys_business():
    remember(TEXT, is_published=False)
    assert not alike(TEXT)


def test_what_the_own_workspace_plans_counts():
    remember(TEXT, workspace=MINE, is_published=False)
    assert alike(TEXT)


def test_a_delivery_is_not_held_against_itself():
    delivery = remember(TEXT, workspace=MINE)
    assert not alike(TEXT, delivery=delivery)


def test_networks_are_kept_apart():
    remember(TEXT, network="telegram")
    assert not alike(TEXT)


def test_what_is_old_does_not_count():
    delivery = remember(TEXT)
    Fingerprint.objects.filter(delivery_id=delivery).update(seen_at=now() - timedelta(days=31))
    assert not alike(TEXT)


def test_a_changed_text_replaces_what_was_remembered():
    delivery = uuid4()
    for text in (TEXT, "Something else entirely, about the new opening hours in winter and the closed Monday."):
        fingerprints.remember("x", text, workspace_id=MINE, connection_id=uuid4(), delivery_id=delivery)
    assert not alike(TEXT)
    assert Fingerprint.objects.count() == 1


def test_a_text_without_words_is_forgotten():
    delivery = remember(TEXT)
    fingerprints.remember("x", "…", workspace_id=THEIRS, connection_id=uuid4(), delivery_id=delivery)
    assert not Fingerprint.objects.exists()


def test_forgetting_takes_it_out():
    fingerprints.forget(remember(TEXT))
    assert not alike(TEXT)


def test_being_published_makes_it_count_for_others():
    delivery = remember(TEXT, is_published=False)
    fingerprints.mark_published(delivery)
    assert alike(TEXT)


def test_no_word_of_the_text_is_kept():
    remember(TEXT)
    row = Fingerprint.objects.values().get()
    assert not any("cherry" in str(value) for value in row.values())


def test_the_digests_depend_on_the_instances_key(settings):
    before = fingerprints.print_of(TEXT)
    settings.SECRET_KEY = "another"
    assert fingerprints.print_of(TEXT).exact != before.exact
