"""What a plan allows: limits, meters that are exact in a crowd, and what happens to what is over."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts import plans
from accounts.models import Meter, Role
from accounts.plans import LIMITS, PLANS, PlanLimit, count, counted, limit_of, plan_of, require_pace, require_room
from accounts.problems import problem_handler
from accounts.scope import workspace_scope
from accounts.services import change_role, create_workspace, invite_member, revoke_invitation
from lib import clock
from lib.clock import now
from tests.campaigns.engine.workers import answers_of

pytestmark = pytest.mark.django_db


def put_on(workspace, plan, until=None):
    workspace.plan, workspace.plan_until = plan, until
    workspace.save(update_fields=["plan", "plan_until"])
    return workspace


# --- the table ------------------------------------------------------------------------------------------------


def test_every_limit_of_a_plan_is_known_and_none_is_higher_in_a_lower_plan():
    for plan in PLANS.values():
        assert plan.limits.keys() <= LIMITS.keys()
    low, middle, high = (PLANS[name] for name in ("free", "pro", "business"))
    endless = 10**18
    for name in LIMITS:
        numbers = [plan.limits.get(name, endless) for plan in (low, middle, high)]
        assert numbers == sorted(numbers)
        assert numbers[0] < numbers[1]
    assert low.min_every_s > middle.min_every_s > high.min_every_s


def test_an_installation_of_ones_own_limits_nothing_but_what_one_person_could_flood():
    assert PLANS["business"].limits.keys() == {"watches", "tasks"}
    assert PLANS["business"].ai_micro is None


@pytest.mark.parametrize(
    ("own", "until", "default", "expected"),
    [
        ("", None, "business", "business"),
        ("", None, "free", "free"),
        ("pro", None, "free", "pro"),
        ("pro", timedelta(days=1), "free", "pro"),
        ("pro", timedelta(days=-1), "free", "free"),
        ("gold", None, "free", "free"),
    ],
)
def test_a_workspace_has_its_own_plan_until_it_ends(own, until, default, expected, workspace, settings):
    settings.DEFAULT_PLAN = default
    put_on(workspace, own, now() + until if until else None)
    assert plan_of(workspace).name == expected


# --- room -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "wanted", "fits"), [(0, 1, True), (2, 1, True), (3, 1, False), (1, 2, True), (2, 2, False), (9, 1, False)]
)
def test_there_is_room_up_to_the_limit(used, wanted, fits, in_workspace):
    put_on(in_workspace, "free")
    with nullcontext() if fits else pytest.raises(PlanLimit) as refusal:
        require_room(in_workspace, "members", used, wanted)
    assert fits or (refusal.value.what, refusal.value.limit) == ("members", 3)


@pytest.mark.parametrize(
    ("plan", "what", "text"),
    [
        ("free", "members", "The Free plan has 3 members, and no more room. Pro has 10 members."),
        (
            "free",
            "webhooks",
            "The Free plan has 1 webhook endpoint, and no more room. Pro has 10 webhook endpoints.",
        ),
        ("pro", "members", "The Pro plan has 10 members, and no more room. Business has no such limit."),
        ("business", "tasks", "The Business plan has 200 periodic tasks per person, and no more room."),
    ],
)
def test_a_refusal_says_what_the_next_plan_gives(plan, what, text, in_workspace):
    put_on(in_workspace, plan)
    with pytest.raises(PlanLimit) as refusal:
        require_room(in_workspace, what, 10_000)
    assert refusal.value.messages == [text]
    # Pages show it like any refusal, programs tell it by its code.
    assert isinstance(refusal.value, ValidationError)
    answer = problem_handler(refusal.value, {})
    assert (answer.status_code, answer.data["code"], answer.data["detail"]) == (403, "plan_limit", text)
    # The handler means to undo the request.
    transaction.set_rollback(False)


def test_without_a_limit_nobody_counts(in_workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        require_room(in_workspace, "members", lambda: pytest.fail("counted"))


def test_an_unknown_limit_is_a_mistake_of_ours(workspace):
    with pytest.raises(KeyError):
        limit_of(workspace, "unicorns")
    with pytest.raises(ValueError, match="by the month"):
        count(workspace, "members")


@pytest.mark.parametrize(("plan", "every_s", "fits"), [("free", 3600, True), ("free", 3599, False), ("pro", 900, True)])
def test_the_plan_says_how_often_a_task_may_come(plan, every_s, fits, workspace):
    put_on(workspace, plan)
    if fits:
        require_pace(workspace, every_s)
    else:
        with pytest.raises(PlanLimit, match=r"every hour at most\. Pro: every 15 minutes"):
            require_pace(workspace, every_s)


# --- members ----------------------------------------------------------------------------------------------------


def test_who_is_invited_takes_a_place_and_gives_it_back(in_workspace, alice_actor, bob):
    put_on(in_workspace, "free")
    invitation = invite_member("ada@example.org", Role.EDITOR, by=alice_actor)
    with pytest.raises(PlanLimit):
        invite_member("eve@example.org", Role.EDITOR, by=alice_actor)
    # Once more to the same address takes no second place.
    invitation = invite_member("ada@example.org", Role.VIEWER, by=alice_actor)
    revoke_invitation(invitation.pk, by=alice_actor)
    assert invite_member("eve@example.org", Role.EDITOR, by=alice_actor).email == "eve@example.org"


def test_guests_take_no_place(in_workspace, alice_actor, bob, rita, gwen):
    put_on(in_workspace, "free")
    assert invite_member("client@example.org", Role.GUEST, by=alice_actor).role == Role.GUEST
    assert plans.used_of(in_workspace, "members") == 3


def test_a_guest_who_becomes_a_member_needs_a_place(in_workspace, alice_actor, bob, rita, gwen):
    put_on(in_workspace, "free")
    guest = in_workspace.memberships.get(user=gwen)
    with pytest.raises(PlanLimit):
        change_role(guest.pk, Role.VIEWER, by=alice_actor)
    member = in_workspace.memberships.get(user=bob)
    assert change_role(member.pk, Role.VIEWER, by=alice_actor).role == Role.VIEWER
    change_role(member.pk, Role.GUEST, by=alice_actor)
    assert change_role(guest.pk, Role.EDITOR, by=alice_actor).role == Role.EDITOR


def test_a_smaller_plan_takes_nobody_away(in_workspace, alice_actor, bob, rita, vic):
    put_on(in_workspace, "free")
    assert in_workspace.memberships.count() == 4
    with pytest.raises(PlanLimit):
        invite_member("ada@example.org", Role.EDITOR, by=alice_actor)


def test_nobody_owns_the_default_plan_any_number_of_times(alice, workspace, settings):
    for number in range(3):
        create_workspace(f"Without limits {number}", owner=alice)
    settings.DEFAULT_PLAN = "free"
    with pytest.raises(PlanLimit, match="You own 3 workspaces on the Free plan"):
        create_workspace("One too many", owner=alice)
    # What is paid for takes no place, nor does what somebody else owns, nor an integrator's customer.
    alice.memberships.filter(workspace__name__startswith="Without").exclude(workspace__name__endswith="0").delete()
    put_on(workspace, "pro")
    for number in range(2):
        create_workspace(f"Free {number}", owner=alice)
    create_workspace("A customer", owner=alice, is_tenant=True)
    with pytest.raises(PlanLimit):
        create_workspace("One too many", owner=alice)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_none_gets_a_workspace_too_many(alice, workspace, settings):
    settings.DEFAULT_PLAN = "free"
    create_workspace("Second", owner=alice)
    answers = answers_of(lambda number: create_workspace(f"Third {number}", owner=alice).plan, 4)
    assert sorted(answers) == ["", "PlanLimit", "PlanLimit", "PlanLimit"]


# --- meters -----------------------------------------------------------------------------------------------------


def test_a_meter_counts_up_to_its_limit_and_not_past_it(in_workspace):
    put_on(in_workspace, "free")
    assert count(in_workspace, "posts", 48) == 48
    with pytest.raises(PlanLimit):
        count(in_workspace, "posts", 3)
    assert count(in_workspace, "posts", 2) == 50
    with pytest.raises(PlanLimit):
        count(in_workspace, "posts")
    assert counted(in_workspace, "posts") == 50


def test_more_at_once_than_a_plan_has_counts_nothing(in_workspace):
    put_on(in_workspace, "free")
    with pytest.raises(PlanLimit):
        count(in_workspace, "posts", 51)
    assert not Meter.objects.exists()


def test_a_month_begins_anew(in_workspace):
    put_on(in_workspace, "free")
    count(in_workspace, "posts", 50)
    with clock.shifted(timedelta(days=32)):
        assert count(in_workspace, "posts") == 1
    assert counted(in_workspace, "posts") == 50


def test_without_a_limit_it_is_counted_all_the_same(in_workspace):
    assert count(in_workspace, "mcp_calls", 10**9) == 10**9


def test_a_meter_belongs_to_one_workspace(workspace, other_workspace):
    for each, number in ((workspace, 3), (other_workspace, 5)):
        with workspace_scope(each.pk):
            count(each, "posts", number)
    with workspace_scope(workspace.pk):
        assert counted(workspace, "posts") == 3
        assert list(Meter.objects.values_list("count", flat=True)) == [3]


@pytest.mark.django_db(transaction=True)
def test_a_crowd_counts_exactly_and_takes_the_last_places_once(workspace):
    put_on(workspace, "free")

    def work(_number: int) -> int:
        taken = 0
        for _ in range(15):
            try:
                with workspace_scope(workspace.pk):
                    count(workspace, "posts")
                taken += 1
            except PlanLimit:
                pass
        return taken

    assert sum(answers_of(work, 4)) == 50
    with workspace_scope(workspace.pk):
        assert counted(workspace, "posts") == 50


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_the_last_place_one_gets_it(workspace):
    put_on(workspace, "free")

    def work(number: int) -> bool:
        with workspace_scope(workspace.pk), connection.cursor() as cursor:
            try:
                require_room(workspace, "webhooks", Meter.objects.count)
            except PlanLimit:
                return False
            cursor.execute("SELECT pg_sleep(0.05)")
            Meter.objects.create(workspace=workspace, name=f"place {number}", month=now().date())
            return True

    assert sorted(answers_of(work, 3)) == [False, False, True]
