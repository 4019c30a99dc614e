"""Links of posts on X, as people copy them."""

import re

from django.core.exceptions import ValidationError

POST_PAGE = re.compile(r"^https?://[^/\s]+/(?:[^/\s]+/)+status(?:es)?/(\d{1,20})(?:[/?#]\S*)?$", re.IGNORECASE)
POST_ID = re.compile(r"\d{1,20}$", re.ASCII)


def post_id_in(link: str) -> str:
    """The id in a link such as https://x.com/acme/status/123, or the id alone; empty for nothing."""
    link = link.strip()
    if not link or POST_ID.match(link):
        return link
    page = POST_PAGE.match(link if "://" in link else f"https://{link}")
    if page is None:
        raise ValidationError({"reply_to": "Copy the link of the post from X: it ends in /status/ and a number."})
    return page[1]
