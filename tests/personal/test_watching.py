from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404

from accounts.access import Actor, actor_for
from accounts.models import AuditEntry, Membership
from accounts.plans import PlanLimit
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.clock import shifted
from personal import watching
from personal.access import get_watch, visible_watches
from personal.models import Observation, Watch, WatchValue
from personal.watching import (
    UNWATCHED_KEPT,
    add_watch,
    change_watch,
    drop_strangers,
    drop_unwatched,
    mark_seen,
    recount_watchers,
    remove_watch,
)
from tests.personal.conftest import make_due, read_all


def watchers() -> dict[str, int]:
    return dict(WatchValue.objects.values_list("value", "watchers"))


@pytest.mark.django_db
def test_the_same_thing_is_one_value(watch, alice_actor, bob_actor) -> None:
    first = watch("#Coffee")
    assert watch("ｃｏｆｆｅｅ").pk == first.pk
    watch("coffee", by=bob_actor)
    assert watchers() == {"coffee": 2}
    assert AuditEntry.objects.filter(action="watch.add").count() == 2


@pytest.mark.django_db
def test_removing_leaves_the_others(watch, alice_actor, bob_actor) -> None:
    mine, theirs = watch("$ACME"), watch("$ACME", by=bob_actor)
    assert remove_watch(mine, by=alice_actor)
    assert not remove_watch(mine, by=alice_actor)
    assert watchers() == {"acme": 1}
    assert not remove_watch(theirs, by=alice_actor)
    assert watchers() == {"acme": 1}


@pytest.mark.django_db
def test_nobody_sees_anothers_watchlist(watch, bob_actor, charlie_actor, gwen_actor) -> None:
    row = watch("$ACME")
    for stranger in (bob_actor, charlie_actor):
        with workspace_scope(stranger.workspace.pk), pytest.raises(Http404):
            get_watch(stranger, row.pk)
        with workspace_scope(stranger.workspace.pk), pytest.raises(Http404):
            change_watch(row, by=stranger, label="mine")
    with pytest.raises(PermissionDenied):
        visible_watches(gwen_actor)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "fields", "field"),
    [
        ("$ACME", {"alert_percent": 0.0}, "alert_percent"),
        ("$ACME", {"alert_percent": float("nan")}, "alert_percent"),
        ("$ACME", {"alert_percent": 1001.0}, "alert_percent"),
        ("coffee", {"alert_percent": 5.0}, "alert_percent"),
        ("!!", {}, "value"),
    ],
)
def test_refusals_name_their_field(watch, typed: str, fields: dict, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        watch(typed, **fields)
    assert list(refused.value.error_dict) == [field]
    assert watchers() == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("setting", "typed"), [("DATA_API_BASE_URL", "$ACME"), ("X_BEARER_TOKEN", "@mara")])
def test_what_has_no_provider_is_not_available_here(watch, settings, setting: str, typed: str) -> None:
    setattr(settings, setting, "")
    with pytest.raises(ValidationError, match="not available here"):
        watch(typed)


@pytest.mark.django_db
def test_the_plan_has_room_for_so_many(watch, in_workspace, alice_actor, bob_actor) -> None:
    in_workspace.plan = "free"
    for number in range(10):
        watch(f"word{number}")
    with pytest.raises(PlanLimit):
        watch("one more")
    # What is there already takes no room, and each person has their own.
    watch("word3")
    watch("one more", by=bob_actor)
    remove_watch(visible_watches(alice_actor)[0], by=alice_actor)
    watch("one more")


@pytest.mark.django_db
def test_news_is_what_came_after_one_began_and_looked(watch, providers, alice_actor, bob_actor) -> None:
    early = watch("$ACME")
    read_all()
    late = watch("$ACME", by=bob_actor)
    assert (early.seen_seq, late.seen_seq) == (0, 1)
    providers.post("/data/prices", symbol="ACME", price_cents=7)
    make_due()
    read_all()
    mark_seen(visible_watches(alice_actor))
    seen = {row.user.name: row.seen_seq for row in Watch.objects.select_related("user")}
    assert seen == {"Alice": 2, "Bob": 1}


@pytest.mark.django_db
def test_label_and_alert_change(watch, alice_actor) -> None:
    row = change_watch(watch("$ACME"), by=alice_actor, label=" Our \n supplier ", alert_percent=2.5)
    assert (row.label, row.alert_percent) == ("Our supplier", 2.5)
    assert change_watch(row, by=alice_actor, alert_percent=None).label == "Our supplier"
    with pytest.raises(TypeError):
        change_watch(row, by=alice_actor, value="$OTHER")


@pytest.mark.django_db
def test_who_leaves_the_workspace_watches_no_more(watch, bob, bob_actor) -> None:
    watch("$ACME")
    watch("$ACME", by=bob_actor)
    Membership.objects.filter(user=bob).delete()
    assert drop_strangers() == 1
    assert watchers() == {"acme": 1}


@pytest.mark.django_db
def test_counts_mend_after_a_deletion_from_elsewhere(watch, alice_actor, bob) -> None:
    watch("$ACME")
    watch("$OTHER")
    Watch.objects.filter(value__value="acme").delete()
    WatchValue.objects.filter(value="other").update(watchers=5)
    assert recount_watchers() == 2
    assert watchers() == {"acme": 0, "other": 1}
    assert recount_watchers() == 0


@pytest.mark.django_db
def test_what_nobody_watches_goes_after_a_while_with_what_was_read_of_it(watch, alice_actor, bob_actor) -> None:
    watch("$ACME", by=bob_actor)
    gone = watch("$OTHER")
    read_all()
    assert remove_watch(gone, by=alice_actor)
    assert drop_unwatched() == 0
    with shifted(UNWATCHED_KEPT + timedelta(hours=1)):
        assert (drop_unwatched(), drop_unwatched()) == (1, 0)
    assert watchers() == {"acme": 1}
    assert [row.value.value for row in Observation.objects.select_related("value")] == ["acme"]
    assert watch("$OTHER").seen_seq == 0


@pytest.mark.django_db(transaction=True)
def test_counts_stay_exact_while_many_add_and_remove(
    providers, workspace, alice_actor, bob_actor, vic_actor, monkeypatch
) -> None:
    """And while what nobody watches is swept away under them."""
    monkeypatch.setattr(watching, "UNWATCHED_KEPT", timedelta())

    def churn(by: Actor) -> int:
        try:
            for _ in range(6):
                with workspace_scope(by.workspace.pk):
                    row, is_new = add_watch("$ACME", by=by)
                    assert is_new
                with workspace_scope(by.workspace.pk):
                    assert remove_watch(row, by=by)
            with workspace_scope(by.workspace.pk):
                return int(add_watch("$ACME", by=by)[1])
        finally:
            connection.close()

    def sweep() -> int:
        try:
            return sum(drop_unwatched() for _ in range(60))
        finally:
            connection.close()

    # Each person from two places at once would race for their one row, so each has one place here.
    with ThreadPoolExecutor(4) as pool:
        sweeping = pool.submit(sweep)
        assert sum(pool.map(churn, [alice_actor, bob_actor, vic_actor])) == 3
    assert sweeping.result() >= 0
    assert watchers() == {"acme": 3}


@pytest.mark.django_db(transaction=True)
def test_the_same_person_from_many_places_watches_once(providers, workspace, alice) -> None:
    member = Membership.objects.select_related("user", "workspace").get(user=alice)

    def add(_number: int) -> bool:
        try:
            with workspace_scope(workspace.pk):
                return add_watch("@mara", by=actor_for(member))[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add, range(8))) == 1
    with all_workspaces_scope("test"):
        assert (Watch.objects.count(), watchers()) == (1, {"mara": 1})
