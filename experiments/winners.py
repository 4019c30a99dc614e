"""Making an arm the winner: the link leads there for everybody, and what is written from now on takes its style."""

from accounts import audit
from accounts.access import Actor
from analytics.tracking.links import clean_target
from campaigns.models import Campaign
from experiments import splits
from experiments.models import Arm, Experiment

Design = Experiment.Design


def apply_winner(experiment: Experiment, arm: Arm, *, by: Actor) -> None:
    if experiment.design == Design.LINK_SPLIT:
        _lead_links(experiment, arm, by)
    if experiment.campaign:
        _note_on_campaign(experiment.campaign, experiment, arm)


def _lead_links(experiment: Experiment, arm: Arm, by: Actor) -> None:
    """Those who were shown another arm change over, too: the test is over."""
    # An arm that came in during a pause was on no link yet.
    target = clean_target(arm.content["url"])
    for link in splits.links_of(experiment):
        before, link.target, link.split = link.target, target, {}
        link.save(update_fields=["target", "split"])
        audit.record("link.retarget", link, by=by, before=before, after=link.target, experiment=str(experiment.pk))


def _note_on_campaign(campaign: Campaign, experiment: Experiment, arm: Arm) -> None:
    """Drafting reads the campaign's config: what won is there for its coming posts."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    winners = [won for won in campaign.config.get("winners", []) if won.get("experiment") != str(experiment.pk)]
    won = {"experiment": str(experiment.pk), "name": experiment.name, "arm": arm.name, "content": arm.content}
    campaign.config = campaign.config | {"winners": [*winners, won]}
    campaign.save(update_fields=["config"])
