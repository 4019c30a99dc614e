from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, UsageEntry
from campaigns import replies
from campaigns.deliveries import submit_post
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, Post
from campaigns.services import PartDraft, PostDraft, update_post
from lib import clock
from social.models import Connection
from social.networks.port import NetworkError
from tests.sandbox.cast import Sandbox

State = Delivery.State
READ = "GET /2/tweets/{id}"


@pytest.fixture
def mention(sandbox: Sandbox):
    """Somebody's post; by default one that mentions us."""

    def write(text: str = "@roastery do you ship to Norway?", to: str = "roastery", **order) -> str:
        return sandbox.post("/mentions", **{"from": "dana", "to": to}, text=text, **order)["id"]

    return write


@pytest.fixture
def answer(draft, look):
    """A draft that answers the post, looked at by X."""

    def write(target: str, text: str = "Yes, we do!", **fields) -> Delivery:
        delivery = draft(text, reply_to=target, **fields)
        look(delivery)
        return delivery

    return write


@pytest.fixture
def look():
    def run(delivery: Delivery) -> bool:
        return replies.look_at_target(delivery.workspace_id, delivery.post_id)

    return run


@pytest.fixture
def send(approve, tick, alice_actor):
    from campaigns.deliveries import publish_now

    def run(delivery: Delivery) -> Delivery:
        publish_now(approve(delivery), by=alice_actor)
        tick()
        return Delivery.objects.get(pk=delivery.pk)

    return run


def problems(delivery: Delivery) -> list[str]:
    return replies.check_reply(Delivery.objects.select_related("post", "connection").get(pk=delivery.pk))


# --- may we answer? ---------------------------------------------------------------------------------------------


def test_a_post_that_answers_nobody_needs_no_leave(draft):
    assert problems(draft("Hello")) == []


def test_who_mentions_us_may_be_answered(answer, mention):
    assert problems(answer(mention())) == []


def test_who_quotes_us_may_be_answered(answer, mention, sandbox):
    ours = sandbox.sign_in("roastery").post_id("We roast")
    assert problems(answer(mention("So true", quote=ours))) == []


def test_our_own_post_may_be_answered(answer, sandbox):
    assert problems(answer(sandbox.sign_in("roastery").post_id("We roast"))) == []


def test_who_did_not_summon_us_is_refused_before_the_approval(answer, mention, alice_actor):
    delivery = answer(mention("Nothing about anybody", to="somebody"))
    with pytest.raises(ValidationError, match="@dana has not mentioned or quoted @roastery in that post"):
        submit_post(delivery.post, by=alice_actor)
    assert Delivery.objects.get(pk=delivery.pk).state == State.DRAFT


def test_a_post_that_is_gone_is_refused_before_the_approval(answer, mention, sandbox, alice_actor):
    target = mention()
    sandbox.sign_in("dana").call("DELETE", f"/2/tweets/{target}")
    with pytest.raises(ValidationError, match="It may have been deleted"):
        submit_post(answer(target).post, by=alice_actor)


def test_before_x_has_said_anything_nothing_is_submitted(draft, mention, alice_actor):
    with pytest.raises(ValidationError, match="still being looked at"):
        submit_post(draft("Yes!", reply_to=mention()).post, by=alice_actor)


def test_a_bad_moment_of_x_is_no_fact_about_the_post(draft, mention, sandbox, look):
    delivery = draft("Yes!", reply_to=mention())
    sandbox.fault("html_5xx", route=READ)
    assert look(delivery) is False
    assert Post.objects.get(pk=delivery.post_id).reply_facts == {}
    assert look(delivery) is True
    assert problems(delivery) == []


def test_what_x_said_of_another_post_counts_for_nothing(answer, mention, alice_actor, connection):
    delivery = answer(mention())
    other = PostDraft((PartDraft("Yes!"),), connections=(connection.pk,), reply_to=mention("@roastery and Sweden?"))
    update_post(delivery.post, other, by=alice_actor)
    assert problems(delivery) == [replies.UNCHECKED]


def test_what_x_said_of_another_account_counts_for_nothing(answer, mention, connected, alice_actor):
    delivery = answer(mention())
    bakery = connected("bakery")
    moved = PostDraft((PartDraft("Yes!"),), connections=(bakery.pk,), reply_to=delivery.post.reply_to)
    update_post(delivery.post, moved, by=alice_actor)
    assert problems(Delivery.objects.get(post=delivery.post)) == [replies.UNCHECKED]


def test_an_answer_goes_out_from_one_account(answer, mention, connected, connection, alice_actor):
    delivery = answer(mention())
    both = (connection.pk, connected("bakery").pk)
    update_post(
        delivery.post,
        PostDraft((PartDraft("Yes!"),), connections=both, reply_to=delivery.post.reply_to),
        by=alice_actor,
    )
    other = Delivery.objects.exclude(connection=connection).get(post=delivery.post)
    assert problems(other) == [replies.ONE_ACCOUNT]


def test_telegram_has_no_such_answers(draft, channel):
    assert "on X only" in problems(draft("Yes!", to=channel, reply_to="77"))[0]


def test_reading_the_post_is_paid_once_a_day(answer, mention):
    target = mention()
    answer(target)
    answer(target, "Of course we do")
    assert list(UsageEntry.objects.values_list("kind", "amount_micro")) == [("x.post_read", 5_000)]


# --- answering --------------------------------------------------------------------------------------------------


def test_an_answer_hangs_on_the_post_and_costs_what_an_answer_costs(answer, mention, send, sandbox):
    target = mention()
    assert send(answer(target)).state == State.PUBLISHED
    assert sandbox.posts("roastery")[0]["in_reply_to"] == target
    assert UsageEntry.objects.get(kind="x.post").amount_micro == 10_000


def test_the_parts_after_an_answer_cost_what_posts_cost(draft, look, mention, send, sandbox):
    delivery = draft("Yes, we do!", "And to Sweden.", reply_to=mention())
    look(delivery)
    send(delivery)
    assert sorted(UsageEntry.objects.filter(kind="x.post").values_list("amount_micro", flat=True)) == [10_000, 15_000]


def test_each_post_gets_one_answer(answer, mention, approve, alice_actor):
    target = mention()
    approve(answer(target))
    second = answer(target, "As I said, yes.")
    with pytest.raises(ValidationError, match="has an answer from this account already"):
        submit_post(second.post, by=alice_actor)


def test_a_canceled_answer_makes_room_for_another(answer, mention, approve, alice_actor):
    from campaigns.deliveries import cancel_delivery

    target = mention()
    cancel_delivery(approve(answer(target)), by=alice_actor)
    assert problems(answer(target, "As I said, yes.")) == []


def test_a_post_that_vanished_after_the_approval_makes_the_answer_fail(answer, mention, send, sandbox):
    target = mention()
    delivery = answer(target)
    sandbox.sign_in("dana").call("DELETE", f"/2/tweets/{target}")
    failed = send(delivery)
    assert (failed.state, failed.problem_code) == (State.FAILED, "target_gone")
    assert "was deleted" in failed.problem_text
    assert UsageEntry.objects.get(kind="x.post").amount_micro == 0


def test_the_engine_asks_again_whether_we_were_summoned(answer, mention, approve, alice_actor, tick, sandbox):
    from campaigns.deliveries import publish_now

    delivery = approve(answer(mention()))
    Post.objects.filter(pk=delivery.post_id).update(reply_facts={"is_summoned": False})
    publish_now(delivery, by=alice_actor)
    tick()
    # The rule of X is asked before the engine's own look.
    row = Delivery.objects.get(pk=delivery.pk)
    assert (row.state, row.problem_code) == (State.FAILED, "guard_blocked")
    assert sandbox.posts("roastery") == []


def test_the_same_thanks_may_be_said_to_many(answer, mention, approve):
    approve(answer(mention(), "Thank you, that is very kind of you indeed"))
    second = answer(mention("@roastery lovely beans"), "Thank you, that is very kind of you indeed")
    assert approve(second).state == State.APPROVED


# --- answers to ours --------------------------------------------------------------------------------------------


@pytest.fixture
def live_post(due, tick):
    def make(*texts: str):
        delivery = due(*(texts or ("We are open",)))
        tick()
        return delivery.live_parts.first()

    return make


def below(mention, part, text: str) -> str:
    return mention(text, in_reply_to=part.remote_id)


def test_answers_below_a_post_are_listed_newest_first(live_post, mention, vic_actor):
    part = live_post()
    for text in ("First!", "Second!"):
        below(mention, part, text)
    mention("@roastery something else")
    found = replies.list_replies(part, by=vic_actor)
    assert [(reply.author, reply.text) for reply in found] == [("dana", "Second!"), ("dana", "First!")]


def test_answers_below_a_later_part_belong_to_the_thread(live_post, mention, alice_actor):
    part = live_post("One", "Two")
    later = part.delivery.live_parts.get(position=1)
    below(mention, later, "To the second")
    for each in (part, later):
        assert [reply.text for reply in replies.list_replies(each, by=alice_actor)] == ["To the second"]


def test_answers_from_before_an_edit_are_still_found(premium, live_post, mention, alice_actor, approved, work):
    part = live_post()
    below(mention, part, "Before")
    approved(part)
    work()
    part.refresh_from_db()
    below(mention, part, "After")
    assert [reply.text for reply in replies.list_replies(part, by=alice_actor)] == ["After", "Before"]


def test_each_answer_that_is_read_is_paid_once(live_post, mention, alice_actor):
    part = live_post()
    below(mention, part, "First!")
    for _ in range(2):
        replies.list_replies(part, by=alice_actor)
    assert UsageEntry.objects.filter(kind="x.post_read").count() == 1


def test_only_the_last_week_is_read(live_post, mention, alice_actor, sandbox):
    part = live_post()
    below(mention, part, "Long ago")
    with clock.shifted(timedelta(days=8)):
        assert replies.list_replies(part, by=alice_actor) == []


def test_an_answer_is_hidden_and_shown_again(live_post, mention, bob_actor, sandbox):
    part = live_post()
    reply = below(mention, part, "Boo")
    replies.hide_reply(part, reply, hidden=True, by=bob_actor)
    assert sandbox.posts("dana")[0]["hidden"] is True
    replies.hide_reply(part, reply, hidden=False, by=bob_actor)
    assert sandbox.posts("dana")[0]["hidden"] is False
    acts = AuditEntry.objects.filter(action__startswith="reply.").order_by("number")
    assert list(acts.values_list("action", flat=True)) == ["reply.hide", "reply.show"]


def test_an_answer_in_a_thread_of_others_cannot_be_hidden(live_post, mention, bob_actor):
    part = live_post()
    with pytest.raises(NetworkError, match="does not allow"):
        replies.hide_reply(part, mention(), hidden=True, by=bob_actor)
    assert not AuditEntry.objects.filter(action="reply.hide").exists()


@pytest.mark.parametrize("reply", ["", "x", "../7", "9" * 20, "١٢"])
def test_what_is_no_id_is_refused(live_post, bob_actor, reply):
    with pytest.raises(ValidationError, match="not the id"):
        replies.hide_reply(live_post(), reply, hidden=True, by=bob_actor)


@pytest.mark.parametrize("actor", ["rita_actor", "vic_actor", "gwen_actor"])
def test_only_who_may_publish_hides(live_post, actor, request):
    with pytest.raises(PermissionDenied):
        replies.hide_reply(live_post(), "77", hidden=True, by=request.getfixturevalue(actor))


def test_a_guest_reads_no_answers(live_post, gwen_actor):
    with pytest.raises(PermissionDenied):
        replies.list_replies(live_post(), by=gwen_actor)


def test_on_telegram_there_is_nothing_to_read_or_hide(channel, due, tick, alice_actor):
    delivery = due("Hello", to=channel)
    tick()
    part = delivery.live_parts.get()
    with pytest.raises(NotAllowedNow, match="on X only"):
        replies.list_replies(part, by=alice_actor)
    with pytest.raises(NotAllowedNow, match="on X only"):
        replies.hide_reply(part, "77", hidden=True, by=alice_actor)


def test_a_disconnected_account_looks_at_nothing(draft, mention, look):
    delivery = draft("Yes!", reply_to=mention())
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    assert look(delivery) is True
    assert Post.objects.get(pk=delivery.post_id).reply_facts == {}
