"""Posts by an account and posts with a keyword, read by X's search with the app's own token.

Never with an account that a workspace connected: what that one pays for would serve strangers.
"""

from datetime import timedelta

from django.conf import settings

from lib.clock import now
from personal.models import WatchKind
from personal.providers.port import Data, Pace, ProviderError, Reading, Trouble
from social.networks.links import x_post_url
from social.networks.port import Billed, Failure, NetworkError, SeenPost
from social.networks.x.client import XClient

# The first reading looks back so far.
FIRST = timedelta(days=1)
# A search finds nothing that is older, and refuses an id from before.
REACH = timedelta(days=6, hours=23)
LIMIT = 10
SHOWN = 280
TROUBLES = {
    Failure.RATE_LIMIT: Trouble.LIMITED,
    Failure.UNAUTHORIZED: Trouble.REFUSED,
    Failure.PAUSED: Trouble.REFUSED,
}


class XProvider:
    name = "x"

    def pace(self) -> Pace:
        # X allows an app 450 searches in 15 minutes.
        return Pace(400, timedelta(minutes=15), 40, 2)

    def why_not(self) -> str:
        if settings.X_BEARER_TOKEN:
            return ""
        return "Accounts and keywords are not available here: the operator has not set up reading from X."

    def read(self, kind: str, value: str, since: Data) -> Reading:
        bills: list[Billed] = []
        client = XClient(settings.X_BEARER_TOKEN, on_billed=bills.append)
        try:
            found = client.search(query_of(kind, value), since=now() - FIRST, limit=LIMIT, **_after(since))
        except NetworkError as error:
            raise _as_trouble(error) from error
        items = tuple(_item(post) for post in reversed(found))
        cost = sum(bill.amount_micro for bill in bills)
        return Reading(items[-1] if items else since, items, cost)


def query_of(kind: str, value: str) -> str:
    """A keyword is a phrase: what a person typed must not become operators."""
    if kind == WatchKind.ACCOUNT:
        return f"from:{value} -is:retweet"
    return '"{}" -is:retweet'.format(value.replace('"', " ").strip())


def _after(since: Data) -> dict[str, str]:
    is_recent = since.get("at", "") > (now() - REACH).isoformat()
    return {"since_id": since["id"]} if since.get("id") and is_recent else {}


def _item(post: SeenPost) -> Data:
    return {
        "id": post.remote_id,
        "text": post.text[:SHOWN],
        "at": post.created_at.isoformat(),
        "url": x_post_url(post.remote_id),
    }


def _as_trouble(error: NetworkError) -> ProviderError:
    trouble = TROUBLES.get(error.failure, Trouble.TEMPORARY)
    if error.failure is Failure.REJECTED and error.http_status in {401, 403}:
        trouble = Trouble.REFUSED
    words = {
        Trouble.LIMITED: "X's rate limit is reached; it is read again when the window opens.",
        Trouble.REFUSED: "X refuses: the operator's access to reading needs attention.",
        Trouble.TEMPORARY: "X could not be read.",
    }
    return ProviderError(trouble, words[trouble], retry_at=error.retry_at)
