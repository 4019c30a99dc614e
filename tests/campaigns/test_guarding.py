"""What the guard is told: not the text alone, but every word and address that goes out with it."""

import pytest

from campaigns.deliveries import review, submit_post
from campaigns.guarding import judge_delivery
from campaigns.models import PartMedia, Post, PostPart
from campaigns.queries import with_content
from campaigns.rendering import render
from compliance.guard import Beside, Context, Draft, Verdict
from compliance.guard.pipeline import check
from compliance.guard.rules import shipped_rules
from compliance.models import WorkspaceTerm

pytestmark = pytest.mark.django_db


@pytest.fixture
def forbidden(in_workspace):
    """A word that this workspace never uses."""
    return WorkspaceTerm.objects.create(workspace=in_workspace, term="Bluebeard", kind="block", reason="Not him.")


def judged(delivery):
    row = with_content(type(delivery).objects.filter(pk=delivery.pk)).get()
    return judge_delivery(row, render(row)).decision


def in_poll(post, picture):
    PostPart.objects.filter(post=post).update(poll={"options": ["Yes", "Bluebeard"], "minutes": 60})


def in_description(post, picture):
    part = post.parts.get()
    PartMedia.objects.create(
        workspace=post.workspace, part=part, asset=picture, position=0, alt_text="A cup of Bluebeard's"
    )


def on_button(post, picture):
    Post.objects.filter(pk=post.pk).update(
        options={"x": {"buttons": [[{"text": "See Bluebeard", "url": "https://example.com"}]]}}
    )


@pytest.mark.parametrize(
    ("put", "place"),
    [
        (in_poll, "In the poll"),
        (in_description, "In the description of a picture"),
        (on_button, "On a button"),
    ],
)
def test_words_beside_the_text_obey_the_same_rules(put, place, forbidden, delivery, picture):
    assert judged(delivery).verdict == Verdict.ALLOW
    put(delivery.post, picture)
    (hit,) = judged(delivery).blocking
    assert hit.message == f"{place}: Not him."
    assert (hit.part, hit.start, hit.end, hit.replacement) == (0, 0, 0, None)


def test_shipped_rules_look_beside_the_text_as_well():
    context = Context(jurisdictions=("CN",), industry="cosmetics")
    plain = Draft(("新品上架",))
    assert check(plain, context, shipped_rules()).verdict == Verdict.ALLOW
    draft = Draft(("新品上架",), beside=(Beside(0, "On a button", "全网最好用的精华"),))
    assert "AL9.3" in check(draft, context, shipped_rules()).rules


def test_an_address_behind_words_is_looked_at(delivery, in_workspace):
    from compliance.models import GuardSettings

    GuardSettings.objects.create(workspace=in_workspace, facts={"blocked_domains": ["bad.example"]})
    on_button(delivery.post, None)
    assert judged(delivery).verdict == Verdict.ALLOW
    Post.objects.filter(pk=delivery.post_id).update(
        options={"x": {"buttons": [[{"text": "See more", "url": "https://bad.example/x"}]]}}
    )
    assert judged(delivery).verdict == Verdict.BLOCK


def test_what_is_submitted_is_rendered_and_judged_once(post, bob_actor, monkeypatch):
    calls = []
    for act in (render, judge_delivery):

        def counted(*given, act=act):
            calls.append(act.__name__)
            return act(*given)

        monkeypatch.setattr(review, act.__name__, counted)
    submit_post(post, by=bob_actor)
    assert sorted(calls) == ["judge_delivery", "render"]
