"""The budget of a campaign binds what its assistants may cost, beside what its posts do."""

import pytest

from accounts.models import UsageTotal
from agents.models import ModelCall
from agents.runs.services import start_run
from agents.runs.worker import advance
from campaigns.models import Campaign

pytestmark = pytest.mark.django_db


def ask(workspace, by, cap_micro: int | None):
    campaign = Campaign.objects.create(workspace=workspace, name="Autumn", cap_micro=cap_micro)
    run = start_run("chat", {"message": "An idea for autumn?"}, by=by, campaign_id=campaign.pk)
    advance(run.pk)
    run.refresh_from_db()
    return campaign, run


def test_run_within_the_budget_counts_in_it(in_workspace, bob_actor, sandbox):
    campaign, run = ask(in_workspace, bob_actor, 10_000_000)
    assert run.status == "succeeded", run.error
    total = UsageTotal.objects.get(scope=f"campaign:{campaign.pk}")
    assert total.spent_micro == sum(ModelCall.objects.values_list("cost_micro", flat=True))
    assert total.reserved_micro == 0


def test_run_that_could_pass_the_budget_is_stopped_before_it_costs(in_workspace, bob_actor, sandbox):
    campaign, run = ask(in_workspace, bob_actor, 1)
    assert run.status == "over_budget"
    assert not UsageTotal.objects.filter(scope=f"campaign:{campaign.pk}", spent_micro__gt=0).exists()
