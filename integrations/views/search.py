"""One search: a page, and the palette that asks it with every letter."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.web import MemberRequest, member_view
from integrations.search.queries import MAX_TEXT
from integrations.search.services import KINDS, find, pages_named

IN_PALETTE, ON_PAGE, OF_ONE_KIND = 5, 8, 50


@require_GET
@member_view()
def search(request: MemberRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "").strip()[:MAX_TEXT]
    context: dict[str, Any] = {"q": text, "pages": pages_named(text, by=request.actor)}
    if request.htmx:
        context["groups"] = find(text, by=request.actor, limit=IN_PALETTE)
        return render(request, "integrations/search_palette.html", context)
    kind = request.GET.get("kind", "")
    if kind in KINDS:
        context |= {"kind": kind, "groups": find(text, by=request.actor, kinds=[kind], limit=OF_ONE_KIND)}
    else:
        context["groups"] = find(text, by=request.actor, kinds=KINDS, limit=ON_PAGE)
    return render(request, "integrations/search.html", context)
