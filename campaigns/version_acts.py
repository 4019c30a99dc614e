from accounts import audit
from accounts.access import Actor
from campaigns.models import Post, PostVersion
from campaigns.services import update_post
from campaigns.versions import draft_of


def bring_back_version(post: Post, version: PostVersion, *, by: Actor, revision: int | None = None) -> Post:
    """A new save with the old content: nothing of the history goes, and approvals end as with any edit."""
    post = update_post(post, draft_of(version), by=by, revision=revision)
    audit.record("post.bring_back", post, by=by, revision=post.revision, version=version.revision)
    return post
