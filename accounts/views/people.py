from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.forms import ProfileForm
from accounts.models import Membership, Notification, User
from accounts.services import mark_read
from accounts.web import MemberRequest, UserRequest, member_view

PAGE = 50


@login_required
def profile(request: UserRequest) -> HttpResponse:
    # A fresh copy: refused values must not show in the menu of the page that explains the refusal.
    form = ProfileForm(request.POST or None, instance=User.objects.get(id=request.user.id))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Profile saved.")
        return redirect("accounts:profile")
    actor = request.actor
    mine = Membership.objects.filter(user=request.user).select_related("workspace")
    context = {"form": form, "membership": mine.filter(workspace=actor.workspace).first() if actor else None}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


@member_view()
def notification_list(request: MemberRequest) -> HttpResponse:
    rows = Notification.objects.filter(workspace=request.actor.workspace, user=request.actor.user)
    rows = rows.select_related("workspace")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/notifications.html", {"page": page, "unread": rows.filter(read_at=None).count()})


@require_POST
@member_view()
def read_notifications(request: MemberRequest) -> HttpResponse:
    mark_read(by=request.actor)
    return redirect("accounts:notifications")
