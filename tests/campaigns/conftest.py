from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.access import Actor
from accounts.models import Workspace
from campaigns.deliveries import submit_post
from campaigns.library import add_upload
from campaigns.models import Delivery, MediaAsset, Post
from campaigns.services import create_campaign
from compliance.models import Review
from compliance.services import approve_review
from social.models import Connection
from tests.browser.conftest import browser  # noqa: F401 fixture
from tests.campaigns.cast import add_connection, add_post
from tests.campaigns.composer_window import composer  # noqa: F401 fixture


def png(name: str = "cup.png", colour: str = "brown") -> SimpleUploadedFile:
    buffer = BytesIO()
    Image.new("RGB", (120, 80), colour).save(buffer, "PNG")
    return SimpleUploadedFile(name, buffer.getvalue(), "image/png")


@pytest.fixture
def roastery(in_workspace: Workspace) -> Connection:
    return add_connection(in_workspace, "roastery")


@pytest.fixture
def cafe(in_workspace: Workspace) -> Connection:
    return add_connection(in_workspace, "cafe", is_premium=True)


@pytest.fixture
def picture(in_workspace: Workspace, bob_actor: Actor) -> MediaAsset:
    return add_upload(png(), by=bob_actor)


@pytest.fixture
def campaign(in_workspace: Workspace, alice_actor: Actor):
    return create_campaign(by=alice_actor, name="Spring")


@pytest.fixture
def post(roastery: Connection, bob_actor: Actor) -> Post:
    return add_post(bob_actor, roastery)


@pytest.fixture
def delivery(post: Post) -> Delivery:
    return Delivery.objects.get(post=post)


@pytest.fixture
def submitted(bob_actor: Actor) -> Callable[[Post], list[Review]]:
    def submit(post: Post) -> list[Review]:
        rows = submit_post(post, by=bob_actor)
        return [Review.objects.get(object_id=row.pk, status="waiting") for row in rows]

    return submit


@pytest.fixture
def approved(submitted, rita_actor: Actor) -> Callable[[Post], Delivery]:
    def approve(post: Post) -> Delivery:
        for review in submitted(post):
            approve_review(review, by=rita_actor, seen_hash=review.action_hash)
        return Delivery.objects.filter(post=post).first()

    return approve
