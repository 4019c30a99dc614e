"""Staff look at experiments and pause one; everything else is their owners' to do."""

import pytest

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope, workspace_scope
from experiments.looks import look_at
from experiments.models import Experiment
from tests.experiments.cast import Crowd, draft_split, make_link, run_split

pytestmark = pytest.mark.django_db
LISTS = ("experiment", "look", "epoch")


@pytest.fixture
def experiment(workspace, bob_actor) -> Experiment:
    with workspace_scope(workspace.pk):
        link = make_link(bob_actor)
        experiment = run_split(bob_actor, link)
        Crowd(experiment, link, {"a": 0.5, "b": 0.5}).visit(10)
        look_at(experiment)
    return experiment


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_searched_and_rows_are_read_only(staff_client, experiment, name):
    html = staff_client.get(f"/admin/experiments/{name}/?q=Landing").content.decode()
    assert "Landing page" in html
    with all_workspaces_scope("test"):
        row = {"experiment": experiment, "look": experiment.looks.get(), "epoch": experiment.epochs.get()}[name]
    page = staff_client.get(f"/admin/experiments/{name}/{row.pk}/change/")
    assert page.status_code == 200
    assert 'type="text"' not in page.content.decode().partition("<main")[2].partition("search")[0]
    assert staff_client.get(f"/admin/experiments/{name}/add/").status_code == 403
    assert staff_client.post(f"/admin/experiments/{name}/{row.pk}/delete/").status_code == 403


def test_staff_pause_one_and_both_trails_say_so(staff_client, experiment, workspace, bob_actor):
    with workspace_scope(workspace.pk):
        draft = draft_split(bob_actor)
    rows = [str(experiment.pk), str(draft.pk)]
    answer = staff_client.post(
        "/admin/experiments/experiment/", {"action": "pause", "_selected_action": rows}, follow=True
    )
    html = answer.content.decode()
    assert "1 done." in html
    assert "Only a running experiment can be paused." in html
    with all_workspaces_scope("test"):
        experiment.refresh_from_db()
        entries = AuditEntry.objects.filter(action="experiment.pause", object_id=str(experiment.pk))
        assert {entry.workspace_id for entry in entries} == {workspace.pk, None}
    assert (experiment.status, experiment.status_text) == (Experiment.Status.PAUSED, "Paused by staff.")
