"""Where a post may go: each market and platform with its verdict."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import get_post
from campaigns.forms_post import read_form
from campaigns.guard_matrix import matrix_of_post
from campaigns.views.composer_page import matrix_of_form


@require_GET
@member_view(Perm.VIEW)
def post_matrix(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    return render(request, "campaigns/guard_matrix_page.html", {"post": post, "matrix": matrix_of_post(post)})


@require_POST
@member_view(Perm.CONTENT_EDIT)
def composer_matrix(request: MemberRequest) -> HttpResponse:
    """Of what stands in the form; nothing is written."""
    matrix = matrix_of_form(request.actor, read_form(request.POST))
    return render(request, "campaigns/_guard_matrix.html", {"matrix": matrix})
