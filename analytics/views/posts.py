"""The numbers of one post, by age."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from accounts.web import MemberRequest, member_view
from analytics.collection.numbers import get_measured, measured_of, numbers_of
from campaigns.access import get_delivery


@member_view()
def delivery_numbers(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    """Of all parts of a thread."""
    delivery = get_delivery(request.actor, delivery_id)
    context = {"delivery": delivery, "connection": delivery.connection, "numbers": numbers_of(measured_of(delivery))}
    return render(request, "analytics/posts_numbers.html", context)


@member_view()
def measured_numbers(request: MemberRequest, measured_id: UUID) -> HttpResponse:
    """Of a post that may have been made elsewhere."""
    post = get_measured(request.actor, measured_id)
    context = {"connection": post.connection, "numbers": numbers_of([post])}
    return render(request, "analytics/posts_numbers.html", context)
