from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.forms import InviteForm, roles_for
from accounts.models import Invitation, Membership, Role
from accounts.services import change_role, invite_member, remove_member, revoke_invitation
from accounts.web import MemberRequest, add_errors, member_view


@member_view(Perm.VIEW)
def member_list(request: MemberRequest) -> HttpResponse:
    return _page(request, InviteForm(actor=request.actor))


@require_POST
@member_view(Perm.MEMBERS)
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST, actor=request.actor)
    if form.is_valid():
        try:
            invitation = invite_member(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"Invitation sent to {invitation.email}.")
            return redirect("accounts:members")
    return _page(request, form, status=422)


@require_POST
@member_view(Perm.MEMBERS)
def withdraw_invitation(request: MemberRequest, invitation_id: int) -> HttpResponse:
    revoke_invitation(invitation_id, by=request.actor)
    messages.success(request, "Invitation withdrawn. Its link no longer works.")
    return redirect("accounts:members")


@require_POST
@member_view(Perm.MEMBERS)
def set_role(request: MemberRequest, member_id: int) -> HttpResponse:
    try:
        member = change_role(member_id, request.POST.get("role", ""), by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{member.user} is now {member.get_role_display().lower()}.")
    return redirect("accounts:members")


@require_POST
@member_view()
def remove(request: MemberRequest, member_id: int) -> HttpResponse:
    """Admins remove others; everybody may leave."""
    is_self = Membership.objects.filter(pk=member_id, user=request.actor.user).exists()
    try:
        remove_member(member_id, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("accounts:members")
    name = request.actor.workspace.name
    messages.success(request, f"You left {name}." if is_self else "Removed. They can no longer see this workspace.")
    # The address of a workspace one has left is a missing page.
    return redirect("/") if is_self else redirect("accounts:members")


def _page(request: MemberRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    actor = request.actor
    may_manage = actor.can(Perm.MEMBERS)
    invitations = Invitation.objects.filter(workspace=actor.workspace, accepted_at=None).select_related("invited_by")
    context = {
        "form": form,
        "members": Membership.objects.filter(workspace=actor.workspace).select_related("user"),
        "invitations": invitations if may_manage else [],
        "may_manage": may_manage,
        "roles": [(role, Role(role).label) for role, _hint in roles_for(actor)],
    }
    return render(request, "accounts/members.html", context, status=status)
