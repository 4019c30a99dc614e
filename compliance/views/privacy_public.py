"""Pages for people without an account: what is kept of whom, and the links of our mails. No log-in, no cookies."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.inventory import Declaration, categories
from compliance.models import PrivacyRequest
from compliance.privacy import files, mails, people, requests
from compliance.privacy.page_words import WORDS

LANGUAGES = tuple(WORDS)


@require_safe
def privacy_page(request: HttpRequest) -> HttpResponse:
    """Made from the inventory, so that it cannot say less than what is kept."""
    language = request.GET.get("lang", "") or get_language_from_request(request)[:2]
    language = language if language in LANGUAGES else "en"
    rows = [
        {
            "what": category.what[language],
            "why": category.why[language],
            "basis": category.basis[language],
            "who": category.recipients[language],
            "keep": _times(declarations, language),
        }
        for category, declarations in categories()
    ]
    context = {"rows": rows, "words": WORDS[language], "language": language, "languages": LANGUAGES}
    response = render(request, "compliance/privacy_public.html", context)
    response["Content-Language"] = language
    return response


def _times(declarations: list[Declaration], language: str) -> list[str]:
    """Shortest first."""
    by_length = sorted(declarations, key=lambda d: (d.keep.days is None, d.keep.days or 0))
    return list(dict.fromkeys(declaration.keep.text[language] for declaration in by_length))


def _row(token: str, salt: str = mails.SALT) -> PrivacyRequest:
    row = mails.request_of(token, salt)
    if row is None:
        raise Http404("This link is wrong or was used up.")
    return row


@require_safe
def privacy_request(request: HttpRequest, token: str) -> HttpResponse:
    row = _row(token)
    return _page(request, row=row, token=token, has_file=files.has_file(row))


# The token is the proof; a cookie against forged posts is not needed, and none is set.
@csrf_exempt
@require_POST
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    row = _row(token)
    if row.status == requests.Status.VERIFYING:
        requests.verify(row, requests.MAIL_LINK)
    return redirect("public:privacy-request", token)


@require_safe
def own_copy(request: HttpRequest, token: str) -> HttpResponseBase:
    return files.download(_row(token))


@require_safe
def lift(request: HttpRequest, token: str) -> HttpResponse:
    """A page with a button: programs that open the links of a mail must not lift anything."""
    return _page(request, lift=_row(token, mails.LIFT_SALT), token=token)


@csrf_exempt
@require_POST
def lift_now(request: HttpRequest, token: str) -> HttpResponse:
    row = _row(token, mails.LIFT_SALT)
    return _page(request, lifted=people.lift_restriction(row.pk), is_answer=True)


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    return render(request, "compliance/privacy_link.html", context)
