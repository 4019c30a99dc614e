"""Who joined a chat by which link counts for the post that the link stands in."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from analytics.models import Link, MeasuredPost
from social.models import InviteLink


def has_invite(post: MeasuredPost) -> bool:
    """Whether an invite link of the workspace stands in the text, as it is or behind a short link of ours."""
    invites = InviteLink.objects.filter(workspace_id=post.workspace_id).values_list("url", flat=True)
    return any(url in post.text or _behind(url, post.text) for url in invites)


def _behind(url: str, text: str) -> bool:
    return any(f"/{code}" in text for code in _short(url).values_list("code", flat=True))


def _short(url: str) -> QuerySet[Link]:
    return Link.objects.filter(target__startswith=url)


def post_with(invite: InviteLink) -> MeasuredPost | None:
    """The newest post that carries it. Inside the workspace's scope."""
    holds = Q(text__contains=invite.url)
    for code in _codes(invite.url):
        holds |= Q(text__contains=f"/{code}")
    return MeasuredPost.objects.filter(holds, workspace_id=invite.workspace_id).order_by("-published_at").first()


def _codes(url: str) -> Iterable[str]:
    return _short(url).values_list("code", flat=True)
