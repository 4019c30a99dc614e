"""What keeps a delivery back although it is due, from the whole installation down to its account."""

from django.db.models import Exists, F, OuterRef

from accounts.models import Switch
from campaigns.account_health import on_hold
from campaigns.models import Campaign, Delivery
from social.models import Connection


def find_hold(delivery: Delivery, *, is_begun: bool) -> bool:
    """One query, inside the workspace's scope. A campaign's pause lets a thread finish that is partly live."""
    stopped = Switch.objects.filter(name=Switch.PUBLISHING, is_on=True)
    campaign = Campaign.objects.filter(pk=OuterRef("post__campaign")).exclude(status=Campaign.Status.RUNNING)
    row = (
        Delivery.objects.filter(pk=delivery.pk)
        .annotate(
            is_off=Exists(stopped),
            is_waiting=Exists(campaign),
            account=F("connection__status"),
            suspended=F("workspace__is_suspended"),
            stopped=F("workspace__is_stopped"),
            unhealthy=on_hold("connection_id"),
        )
        .values_list("is_off", "is_waiting", "account", "suspended", "stopped", "unhealthy")
        .get()
    )
    is_off, is_waiting, account, is_suspended, is_stopped, is_unhealthy = row
    is_away = is_unhealthy or account != Connection.Status.ACTIVE
    return is_off or is_suspended or is_stopped or is_away or (is_waiting and not is_begun)
