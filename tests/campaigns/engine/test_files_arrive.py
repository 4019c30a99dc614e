"""What is live is the file that was uploaded: not a smaller copy of it, nor one compressed again."""

import hashlib

import requests

from campaigns.services import MediaDraft, PartDraft


def test_a_picture_arrives_on_x_byte_for_byte(due, picture, tick, sandbox):
    asset = picture()
    due(PartDraft("Sharp", (MediaDraft(asset.pk),)))
    tick()
    (media_id,) = sandbox.posts("roastery")[0]["media_ids"]
    arrived = requests.get(f"{sandbox.url}/x/i/media/3_{media_id}", timeout=10).content
    assert hashlib.sha256(arrived).hexdigest() == asset.sha256


def test_a_picture_arrives_in_the_chat_byte_for_byte(channel, due, picture, tick, sent):
    asset = picture()
    due(PartDraft("Sharp", (MediaDraft(asset.pk),)), to=channel)
    tick()
    assert sent()[0]["media"]["sha256"] == asset.sha256
