"""What X charges, in micro-dollars (docs.x.com, pay per use, April 2026). Refused calls cost nothing."""

from social.networks.x.text import contains_url

POST = 15_000
POST_WITH_URL = 200_000
# An answer to somebody else's post that asked for one.
SUMMONED_REPLY = 10_000
DELETE = 10_000
# The description of one picture.
MEDIA_METADATA = 5_000
POST_READ = 5_000
USER_READ = 10_000
OWNED_READ = 1_000


def part_cost(text: str, *, is_reply: bool = False) -> int:
    """A link decides first, whatever else the post is. Answers within one's own thread are ordinary posts."""
    if contains_url(text):
        return POST_WITH_URL
    return SUMMONED_REPLY if is_reply else POST
