"""What measured posts tell the rest of the product."""

from statistics import median

from analytics.ages import DAY
from analytics.models import Snapshot
from campaigns.account_health import note_reach
from social.models import Connection

# The last posts, held against those before them.
RECENT, USUAL, LEAST_USUAL = 5, 20, 10


def tell_reach(connection: Connection) -> bool:
    """Whether reach fell so far that the account's health hears of it. Inside the workspace's scope."""
    rows = Snapshot.objects.filter(post__connection=connection, age_s=DAY, metrics__impressions__isnull=False)
    counts = list(rows.order_by("-post__published_at").values_list("metrics__impressions", flat=True)[: RECENT + USUAL])
    recent, usual = counts[:RECENT], counts[RECENT:]
    if len(usual) < LEAST_USUAL:
        return False
    return note_reach(connection, usual=median(usual), recent=median(recent))
