from datetime import date

from django.http.response import HttpResponseBase

from accounts.web import MemberRequest, member_view
from campaigns.export_answers import export_answer, read_filter, wanted_posts
from campaigns.exports import FORMATS
from campaigns.models import Delivery


# The decorator takes any response; its type names the common one.
@member_view()  # type: ignore[arg-type]
def export_plan(request: MemberRequest) -> HttpResponseBase:
    """The posts of the list or the calendar with the same filters; for guests only what is shared with them."""
    given = request.GET
    form = given.get("as", "csv")
    state = given.get("state", "")
    posts = wanted_posts(
        request.actor,
        read_filter(given.dict()),
        state=state if state in Delivery.State.values else "",
        days=(_day(given.get("from", "")), _day(given.get("to", ""))),
    )
    return export_answer(posts, form if form in FORMATS else "csv", by=request.actor)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # The first and the last day of the calendar do not exist in every zone.
    return day if 2000 <= day.year <= 2100 else None
