"""What of a live part may be changed, and to what."""

from datetime import timedelta

from django.core.exceptions import ValidationError

from campaigns.models import LiveChange, LivePart
from campaigns.rendering import RenderedPart
from lib.clock import now
from social.models import Network
from social.networks.rules import RULES, check_part

X_EDIT_WINDOW = timedelta(hours=1)
INSTEAD = "Take it down and publish a corrected copy."
State, Action = LiveChange.State, LiveChange.Action


def why_not_editable(part: LivePart, content: RenderedPart) -> str:
    """A sentence, or nothing where the network takes an edit."""
    if part.connection.network != Network.X:
        return ""
    if not part.connection.is_premium:
        return f"X lets only Premium accounts edit a post. {INSTEAD}"
    if part.published_at < now() - X_EDIT_WINDOW:
        return f"X lets a post be edited within an hour only. {INSTEAD}"
    if content.media or content.poll:
        return f"An edit on X would lose the {'poll' if content.poll else 'media'} of this post. {INSTEAD}"
    if part.position == 0 and part.delivery.post.reply_to:
        return f"X does not let an answer to somebody else be edited. {INSTEAD}"
    return ""


def text_now(part: LivePart, content: RenderedPart) -> str:
    """What is live: the text that was approved, or that of the last edit."""
    edits = [change for change in part.changes.all() if (change.action, change.state) == (Action.EDIT, State.DONE)]
    # Newest first.
    return edits[0].text if edits else content.text


def check_text(part: LivePart, new: RenderedPart) -> None:
    rules = RULES[part.connection.network]
    limit = rules.limit(part.connection, bool(new.media))
    over = rules.length(new.text) - limit
    if not new.text:
        raise ValidationError({"text": "Write the new text."})
    if new.content_hash == part.content_hash:
        raise ValidationError({"text": "This is what is live already."})
    if over > 0:
        raise ValidationError({"text": f"The text is {over} over the limit of {limit} characters."})
    if problems := check_part(part.connection, new.text, ()):
        raise ValidationError({"text": problems})
