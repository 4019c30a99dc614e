"""From the draft to the archive, and what is written down at the start."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditEntry
from campaigns.errors import NotAllowedNow
from campaigns.services import create_campaign
from experiments import services
from experiments.access import get_experiment
from experiments.models import Arm, Experiment
from experiments.registration import edited_since
from lib.clock import now, shifted
from tests.experiments.cast import PAGES, Crowd, draft_split, make_link, run_split

pytestmark = pytest.mark.django_db
Status = Experiment.Status


def actions(experiment: Experiment) -> list[str]:
    rows = AuditEntry.objects.filter(object_id=str(experiment.pk)).order_by("number")
    return list(rows.values_list("action", flat=True))


def test_a_draft_gets_its_defaults_and_the_units_it_needs(link, bob_actor):
    draft = draft_split(bob_actor, link, settings={"base_rate": 0.2, "mde": 0.25})
    assert draft.status == Status.DRAFT
    assert draft.settings["alpha"] == 0.05
    # The pooled size for 20 % against 25 %.
    assert draft.planned_units == 1094
    assert [(arm.key, arm.is_control) for arm in draft.arms.all()] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metric": "engagement_rate"}, "metric"),
        ({"settings": {"alpha": 1}}, "settings"),
        ({"settings": {"mde": "much"}}, "settings"),
        ({"settings": {"mde": float("nan")}}, "settings"),
        ({"settings": {"pairs": 8}}, "settings"),
        ({"settings": {"analysis": "by eye"}}, "settings"),
        ({"settings": {"share": True}}, "settings"),
        ({"settings": {"links": ["nothing"]}}, "settings"),
        ({"settings": {"links": "x"}}, "settings"),
        ({"settings": {"links": [None]}}, "settings"),
        ({"settings": {"segments": [[]]}}, "settings"),
        ({"settings": {"goal": "x" * 300}}, "settings"),
        ({"settings": {"goal": "\x00"}}, "settings"),
        ({"settings": {"mde": 1e-300}}, "settings"),
        ({"settings": {"value_micro": 1e300}}, "settings"),
        ({"settings": {"burn_in_h": 1.5}}, "settings"),
        ({"planned_units": 0}, "planned_units"),
        ({"planned_units": 10**12}, "planned_units"),
        ({"planned_units": "many"}, "planned_units"),
        ({"horizon_days": "long"}, "horizon_days"),
        ({"guardrails": ["refund"]}, "guardrails"),
        ({"guardrails": [{"metric": "refund", "margin": float("nan")}]}, "guardrails"),
        ({"guardrails": [{"metric": "refund", "margin": True}]}, "guardrails"),
        ({"arms": (services.ArmDraft("x", {"url": "http://[bad"}), PAGES[0])}, "arms"),
        ({"arms": (services.ArmDraft("x", ["url"]), PAGES[0])}, "arms"),
        ({"arms": PAGES[:1]}, "arms"),
        ({"arms": PAGES * 6}, "arms"),
        ({"arms": (services.ArmDraft("x", {"url": "ftp://a.example"}), PAGES[0])}, "arms"),
        ({"arms": [services.ArmDraft(arm.name, arm.content, True) for arm in PAGES]}, "arms"),
        ({"guardrails": [{"metric": "refund", "margin": 0}]}, "guardrails"),
        ({"guardrails": [{"metric": "refund"}, {"metric": "refund"}]}, "guardrails"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"name": " "}, "name"),
        ({"hypothesis": ""}, "hypothesis"),
        ({"allocation": "greedy"}, "allocation"),
    ],
)
def test_nonsense_is_refused_beside_its_field(link, bob_actor, change, field):
    with pytest.raises(ValidationError) as caught:
        draft_split(bob_actor, link, **change)
    assert field in caught.value.message_dict


def test_shares_move_only_where_people_are_assigned(roastery, bob_actor):
    with pytest.raises(ValidationError, match="Shares can move only"):
        services.create_experiment(
            by=bob_actor,
            name="x",
            hypothesis="y",
            design="C",
            metric="engagement_rate",
            arms=[services.ArmDraft("a", {"text": "a"}), services.ArmDraft("b", {"text": "b"})],
            allocation="thompson",
        )


def test_the_start_writes_down_what_decides_and_splits_the_link(link, bob_actor):
    experiment = run_split(bob_actor, link)
    link.refresh_from_db()
    assert link.split["experiment"] == str(experiment.pk)
    assert [(arm["key"], arm["weight"]) for arm in link.split["arms"]] == [("a", 0.5), ("b", 0.5)]
    assert experiment.registered["metric"] == "conversions"
    assert len(experiment.registered_hash) == 64
    assert experiment.ends_at == experiment.started_at + timedelta(days=28)
    assert edited_since(experiment) == []
    assert actions(experiment) == ["experiment.create", "experiment.epoch", "experiment.start"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metric", "clicks"),
        ("horizon_days", 7),
        ("planned_units", 5),
        ("hypothesis", "Otherwise."),
        ("guardrails", [1]),
    ],
)
def test_an_edit_behind_the_back_is_found(link, bob_actor, field, value):
    experiment = run_split(bob_actor, link)
    setattr(experiment, field, value)
    assert edited_since(experiment) == [field]


def test_an_edited_registration_or_arm_is_found(link, bob_actor):
    experiment = run_split(bob_actor, link)
    Arm.objects.filter(experiment=experiment, key="b").update(content={"url": "https://acme.example/third"})
    assert edited_since(experiment) == ["arms"]
    experiment.registered["metric"] = "clicks"
    assert edited_since(experiment) == ["registered"]


def test_a_change_while_it_runs_ends_this_version_and_starts_the_next(link, bob_actor):
    first = run_split(bob_actor, link)
    second = services.change_experiment(first, by=bob_actor, horizon_days=14)
    first.refresh_from_db()
    link.refresh_from_db()
    assert (first.status, second.status) == (Status.STOPPED, Status.RUNNING)
    assert (second.version, second.parent_id) == (2, first.pk)
    assert first.horizon_days == 28
    assert link.split["experiment"] == str(second.pk)
    assert second.registered["horizon_days"] == 14


def test_a_new_audience_is_a_new_version(link, bob_actor):
    first = run_split(bob_actor, link)
    other = make_link(bob_actor)
    settings = first.settings | {"links": [str(other.pk)]}
    second = services.change_experiment(first, by=bob_actor, settings=settings)
    link.refresh_from_db()
    other.refresh_from_db()
    assert second.version == 2
    # Who has an arm of the old one keeps it; nobody new gets one.
    assert link.split["share"] == 0
    assert other.split["experiment"] == str(second.pk)


def test_a_refused_new_version_leaves_the_old_one_running(link, bob_actor):
    first = run_split(bob_actor, link)
    with pytest.raises(ValidationError):
        services.change_experiment(first, by=bob_actor, settings=first.settings | {"links": []})
    first.refresh_from_db()
    assert first.status == Status.RUNNING


def test_a_name_is_no_decision(link, bob_actor):
    experiment = run_split(bob_actor, link)
    same = services.change_experiment(experiment, by=bob_actor, name="Another name")
    assert (same.pk, same.version, same.name) == (experiment.pk, 1, "Another name")
    assert edited_since(same) == []


def test_a_draft_changes_in_place(link, bob_actor):
    draft = draft_split(bob_actor, link)
    arms = [*PAGES, services.ArmDraft("Third", {"url": "https://acme.example/3"})]
    same = services.change_experiment(draft, by=bob_actor, arms=arms, settings=draft.settings | {"mde": 0.5})
    assert same.pk == draft.pk
    assert same.arms.count() == 3
    assert same.planned_units < draft.planned_units


def test_a_link_is_split_by_one_experiment_at_a_time(link, bob_actor):
    run_split(bob_actor, link)
    second = draft_split(bob_actor, link)
    with pytest.raises(NotAllowedNow, match="splits the link"):
        services.start_experiment(second, by=bob_actor)


def test_a_start_needs_a_live_link(link, bob_actor):
    nothing = draft_split(bob_actor)
    with pytest.raises(ValidationError, match="short links"):
        services.start_experiment(nothing, by=bob_actor)
    draft = draft_split(bob_actor, link)
    link.is_active = False
    link.save()
    with pytest.raises(NotAllowedNow, match="Switch the link"):
        services.start_experiment(draft, by=bob_actor)


def test_a_link_of_another_workspace_is_none(link, bob_actor, other_workspace):
    draft = draft_split(bob_actor, link, settings={"links": ["01900000-0000-7000-8000-000000000000"]})
    with pytest.raises(ValidationError, match="short links"):
        services.start_experiment(draft, by=bob_actor)


def test_it_starts_once(link, bob_actor):
    experiment = run_split(bob_actor, link)
    with pytest.raises(NotAllowedNow, match="running already"):
        services.start_experiment(experiment, by=bob_actor)


def test_a_pause_assigns_nobody_and_going_on_does_again(link, bob_actor):
    experiment = run_split(bob_actor, link)
    crowd = Crowd(experiment, link, {"a": 0, "b": 0})
    crowd.visit(5)
    paused = services.pause_experiment(experiment, by=bob_actor, reason="A fault on the page.")
    assert (paused.status, paused.status_text, paused.due_at) == (Status.PAUSED, "A fault on the page.", None)
    crowd.visit(5)
    services.resume_experiment(paused, by=bob_actor)
    crowd.visit(5)
    look = services.stop_experiment(paused, by=bob_actor).looks.get()
    assert sum(cell[5] for cell in look.data["cells"]) == 10
    with pytest.raises(NotAllowedNow):
        services.resume_experiment(paused, by=bob_actor)


def test_a_stop_takes_the_last_look(link, bob_actor):
    experiment = services.stop_experiment(run_split(bob_actor, link), by=bob_actor)
    assert (experiment.status, experiment.looks.count()) == (Status.STOPPED, 1)
    assert experiment.stopped_at
    assert services.archive_experiment(experiment, by=bob_actor).status == Status.ARCHIVED


def test_a_running_experiment_is_neither_archived_nor_deleted(link, bob_actor):
    experiment = run_split(bob_actor, link)
    for act in (services.archive_experiment, services.delete_experiment):
        with pytest.raises(NotAllowedNow):
            act(experiment, by=bob_actor)


def test_a_draft_may_go(link, bob_actor):
    services.delete_experiment(draft_split(bob_actor, link), by=bob_actor)
    assert not Experiment.objects.exists()


def test_any_arm_can_win_and_the_link_follows(link, bob_actor, in_workspace):
    campaign = create_campaign(by=bob_actor, name="Spring")
    experiment = run_split(bob_actor, link, campaign=campaign)
    won = services.choose_winner(experiment, "a", by=bob_actor)
    link.refresh_from_db()
    campaign.refresh_from_db()
    assert (won.winner, won.status) == ("a", Status.STOPPED)
    assert (link.target, link.split) == ("https://acme.example/old", {})
    assert [row["arm"] for row in campaign.config["winners"]] == ["Old page"]
    assert actions(experiment)[-1] == "experiment.winner"
    # Another choice replaces it.
    services.choose_winner(won, "b", by=bob_actor)
    link.refresh_from_db()
    campaign.refresh_from_db()
    assert link.target == "https://acme.example/new"
    assert [row["arm"] for row in campaign.config["winners"]] == ["New page"]


def test_only_an_arm_can_win(link, bob_actor):
    with pytest.raises(ValidationError, match="one of the arms"):
        services.choose_winner(run_split(bob_actor, link), "z", by=bob_actor)
    with pytest.raises(NotAllowedNow, match="Start"):
        services.choose_winner(draft_split(bob_actor, make_link(bob_actor)), "a", by=bob_actor)


def test_a_new_version_is_a_draft_with_the_same_arms(link, bob_actor):
    experiment = services.stop_experiment(run_split(bob_actor, link), by=bob_actor)
    draft = services.new_version(experiment, by=bob_actor)
    assert (draft.status, draft.version, draft.seed) == (Status.DRAFT, 2, 0)
    assert [arm.content for arm in draft.arms.all()] == [arm.content for arm in experiment.arms.all()]


def test_an_arm_comes_late_and_another_closes(link, bob_actor):
    experiment = run_split(bob_actor, link)
    third = services.add_arm(experiment, services.ArmDraft("Third", {"url": "https://acme.example/3"}), by=bob_actor)
    link.refresh_from_db()
    assert [arm["weight"] for arm in link.split["arms"]] == pytest.approx([1 / 3] * 3)
    assert link.split["epoch"] == 2
    assert edited_since(experiment) == []
    services.close_arm(third, by=bob_actor)
    link.refresh_from_db()
    # It stays there for those who have it.
    assert [arm["weight"] for arm in link.split["arms"]] == [0.5, 0.5, 0]
    with pytest.raises(NotAllowedNow, match="control"):
        services.close_arm(experiment.arms.get(key="a"), by=bob_actor)
    with pytest.raises(NotAllowedNow, match="Two arms"):
        services.close_arm(experiment.arms.get(key="b"), by=bob_actor)


def test_who_may_not_edit_may_not_act(link, bob_actor, vic_actor, rita_actor):
    experiment = run_split(bob_actor, link)
    arm = experiment.arms.get(key="b")
    acts = [
        lambda by: draft_split(by, link),
        lambda by: services.start_experiment(experiment, by=by),
        lambda by: services.change_experiment(experiment, by=by, name="x"),
        lambda by: services.pause_experiment(experiment, by=by),
        lambda by: services.resume_experiment(experiment, by=by),
        lambda by: services.stop_experiment(experiment, by=by),
        lambda by: services.choose_winner(experiment, "a", by=by),
        lambda by: services.archive_experiment(experiment, by=by),
        lambda by: services.delete_experiment(experiment, by=by),
        lambda by: services.new_version(experiment, by=by),
        lambda by: services.add_arm(experiment, PAGES[0], by=by),
        lambda by: services.close_arm(arm, by=by),
    ]
    for by in (vic_actor, rita_actor):
        for act in acts:
            with pytest.raises(PermissionDenied):
                act(by)
    assert get_experiment(vic_actor, experiment.pk) == experiment


def test_guests_and_strangers_find_nothing(link, bob_actor, gwen_actor, other_workspace, charlie):
    from accounts.access import actor_for
    from accounts.models import Membership
    from accounts.scope import workspace_scope

    experiment = run_split(bob_actor, link)
    with pytest.raises(PermissionDenied):
        get_experiment(gwen_actor, experiment.pk)
    stranger = actor_for(Membership.objects.get(user=charlie, workspace=other_workspace))
    with workspace_scope(other_workspace.pk), pytest.raises(Http404):
        get_experiment(stranger, experiment.pk)


def test_times_follow_the_clock(link, bob_actor):
    with shifted(timedelta(days=3)):
        experiment = run_split(bob_actor, link)
        assert abs(experiment.started_at - now()) < timedelta(minutes=1)
        assert experiment.due_at - experiment.started_at == timedelta(hours=1)


def test_unfit_letters_are_taken_out(link, bob_actor):
    draft = draft_split(bob_actor, link, name="Land\x00ing", hypothesis="It \x00works.")
    assert "\x00" not in draft.name + draft.hypothesis
