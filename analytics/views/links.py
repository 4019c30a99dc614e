"""Short links and the domains they stand on."""

import io
from datetime import timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from analytics.models import Link, LinkDomain
from analytics.rollups import counts
from analytics.tracking import domains, links
from analytics.tracking.link_counts import DAYS, clicks_of
from campaigns.access import visible_campaigns
from lib.clock import now

PAGE_SIZE = 50


class LinkForm(forms.Form):
    target = forms.URLField(label="Where it leads", max_length=2000, assume_scheme="https")
    title = forms.CharField(max_length=200, required=False, help_text="Only you see it.")
    campaign: forms.ModelChoiceField = forms.ModelChoiceField(queryset=None, required=False, empty_label="None")
    domain: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="This site's own"
    )
    code = forms.CharField(
        label="Code of your own", max_length=24, required=False, help_text="Left empty, we make a short one."
    )
    utm = forms.BooleanField(
        label="Add UTM parameters", required=False, initial=True, help_text="Those the address has already stay."
    )

    def __init__(self, actor: Actor, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        rows = LinkDomain.objects.filter(workspace=actor.workspace).exclude(verified_at=None)
        self.fields["campaign"].queryset = visible_campaigns(actor)  # type: ignore[attr-defined]
        self.fields["domain"].queryset = rows  # type: ignore[attr-defined]
        if not rows:
            del self.fields["domain"]


class ChangeForm(forms.Form):
    title = forms.CharField(max_length=200, required=False, help_text="Only you see it.")
    target = forms.URLField(
        label="Where it leads",
        max_length=2000,
        assume_scheme="https",
        help_text="A new address holds from the next click on, also for what is published already.",
    )


class DomainForm(forms.Form):
    host = forms.CharField(label="Domain", max_length=253, help_text="Such as go.example.com.")


@member_view(Perm.VIEW)
def link_list(request: MemberRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    rows = links.visible_links(request.actor)
    if words:
        wanted = Q(title__icontains=words) | Q(target__icontains=words) | Q(code__icontains=words)
        rows = rows.filter(wanted | Q(campaign__name__icontains=words))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    clicks = clicks_of(request.actor.workspace, now() - timedelta(days=DAYS - 1), now())
    lines = [(link, links.address_of(link), clicks[link.pk]) for link in page]
    return render(request, "analytics/links_list.html", {"page": page, "lines": lines, "words": words, "days": DAYS})


@member_view(Perm.CONTENT_EDIT)
def link_new(request: MemberRequest) -> HttpResponse:
    form = LinkForm(request.actor, request.POST or None, initial={"campaign": request.GET.get("campaign")})
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            link = links.create_link(data.pop("target"), by=request.actor, **data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The link is ready.")
            return redirect("analytics:link", link.pk)
    return render(request, "analytics/links_form.html", {"form": form}, status=422 if form.errors else 200)


@member_view(Perm.VIEW)
def link_detail(request: MemberRequest, link_id: UUID) -> HttpResponse:
    link = links.get_link(request.actor, link_id)
    form = ChangeForm(request.POST or None, initial={"title": link.title, "target": link.target})
    if request.method == "POST" and form.is_valid():
        try:
            links.change_link(link, by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("analytics:link", link.pk)
    context = {"link": link, "address": links.address_of(link), "form": form, "days": DAYS, **_numbers(request, link)}
    return render(request, "analytics/links_detail.html", context, status=422 if form.errors else 200)


def _numbers(request: MemberRequest, link: Link) -> dict[str, object]:
    workspace, until = request.actor.workspace, now()
    since = until - timedelta(days=DAYS - 1)
    zone = workspace.time_zone
    by_day = counts(workspace.pk, since.date(), until.date() + timedelta(days=1), by=("day", "is_bot"), link_id=link.pk)
    clicks = clicks_of(workspace, since, until, link=link)[link.pk]
    arms = counts(
        workspace.pk, since.date(), until.date() + timedelta(days=1), by=("arm",), kinds=("click",), link_id=link.pk
    )
    days: dict[object, list[int]] = {}
    for row in by_day:
        days.setdefault(row["day"], [0, 0])[row["is_bot"]] += row["events"]
    return {
        "clicks": clicks,
        "by_day": [(day, *pair) for day, pair in sorted(days.items(), reverse=True)],
        "arms": [row for row in arms if row["arm"]],
        "zone": zone,
    }


@require_POST
@member_view(Perm.CONTENT_EDIT)
def link_switch(request: MemberRequest, link_id: UUID) -> HttpResponse:
    is_active = request.POST.get("active") == "1"
    link = links.change_link(links.get_link(request.actor, link_id), by=request.actor, is_active=is_active)
    messages.success(request, "The link works again." if is_active else "Switched off. Whoever follows it reads so.")
    return redirect("analytics:link", link.pk)


@member_view(Perm.VIEW)
def link_qr(request: MemberRequest, link_id: UUID) -> HttpResponse:
    import qrcode
    from qrcode.image.svg import SvgPathFillImage

    link = links.get_link(request.actor, link_id)
    picture = qrcode.make(links.address_of(link), image_factory=SvgPathFillImage, box_size=20, border=4)
    file = io.BytesIO()
    picture.save(file)
    headers = {"Content-Disposition": f'inline; filename="{link.code}.svg"'}
    return HttpResponse(file.getvalue(), content_type="image/svg+xml", headers=headers)


# --- domains ------------------------------------------------------------------------------------------------


@member_view(Perm.SETTINGS)
def link_domains(request: MemberRequest) -> HttpResponse:
    form = DomainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            domains.add_domain(form.cleaned_data["host"], by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Added. Point its DNS here, then check it.")
            return redirect("analytics:link-domains")
    rows = LinkDomain.objects.filter(workspace=request.actor.workspace)
    context = {"form": form, "domains": rows, "site": request.get_host()}
    return render(request, "analytics/links_domains.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.SETTINGS, scope=False)
def link_domain_check(request: MemberRequest, domain_id: UUID) -> HttpResponse:
    row = domains.verify_domain(domain_id, by=request.actor)
    if row.verified_at:
        messages.success(request, f"{row.host} leads here. New links can use it.")
    else:
        messages.error(request, row.problem_text)
    return redirect("analytics:link-domains")


@require_POST
@member_view(Perm.SETTINGS)
def link_domain_remove(request: MemberRequest, domain_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        domains.remove_domain(domains.get_domain(request.actor, domain_id), by=request.actor)
    messages.success(request, "Removed. Its links answer at this site's address only.")
    return redirect("analytics:link-domains")
