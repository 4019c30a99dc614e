"""Settings → Plan, and the hook of whoever sells plans."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts import billing
from accounts.access import Perm
from accounts.billing_services import apply_change, checkout_url, portal_url
from accounts.models import Workspace
from accounts.plan_queries import comparison, meters_of
from accounts.plans import PLANS, plan_of
from accounts.web import MemberRequest, member_view

MAX_BYTES = 64 * 1024


@require_GET
@member_view(Perm.VIEW)
def plan(request: MemberRequest) -> HttpResponse:
    actor, shop = request.actor, billing.provider()
    may_change = actor.can(Perm.SETTINGS) and shop is not None
    context = {
        "plan": plan_of(actor.workspace),
        "plans": list(PLANS.values()),
        "meters": [meter for meter in meters_of(actor) if meter.used is not None or meter.limit is not None],
        "comparison": comparison(),
        "may_change": may_change,
        "portal": portal_url(by=actor) if may_change else "",
    }
    response = render(request, "accounts/plan.html", context)
    if shop and may_change:
        # What follows the buttons is a redirect to the shop.
        pages = [urlsplit(shop.checkout_url(actor.workspace, name)) for name in PLANS]
        response.form_targets = sorted({f"{page.scheme}://{page.netloc}" for page in pages if page.netloc})  # type: ignore[attr-defined]
    return response


@require_POST
@member_view(Perm.SETTINGS)
def choose_plan(request: MemberRequest) -> HttpResponse:
    """On to the page where it is bought; the plan changes once the provider says that it is paid."""
    try:
        return redirect(checkout_url(request.POST.get("plan", ""), by=request.actor))
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("accounts:plan")


@csrf_exempt
@require_POST
def billing_hook(request: HttpRequest) -> HttpResponse:
    """Whoever cannot sign learns nothing. A message that comes twice, or too late, is answered like the first."""
    shop = billing.provider()
    if shop is None or int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise Http404("No such page.")
    try:
        return JsonResponse({"applied": apply_change(shop.parse_webhook(request.headers, request.body))})
    except billing.BadHook as error:
        return JsonResponse({"error": str(error)}, status=400)
    except Workspace.DoesNotExist:
        return JsonResponse({"error": "There is no such workspace."}, status=404)
