"""The page of choices: no log-in, no cookies, no JavaScript. The signed link is the key; CSRF would need a cookie."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.middleware import root_addresses
from accounts.web import has_gpc
from compliance.consent import ANY, give_consent, ledger_of, newest, object_to, record_gpc, standing, withdraw_consent
from compliance.consent_links import Person, person_of
from compliance.consent_texts import channel_name, purpose_name, texts_for
from compliance.models import Consent
from compliance.notices import latest_notice, primary

TAGS = {"en": "en", "zh": "zh-hans"}
# The address is a key: nobody keeps it, passes it on or finds it.
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_choices(request: HttpRequest, token: str) -> HttpResponse:
    with person_of(token) as person:
        _heed_gpc(request, person)
        language = _language(request, person)
        if request.method == "POST":
            return _decide(request, person, token, language)
        return _page(request, person, language)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click in a mail program posts here (RFC 8058). A person who opens it sees the page and decides there."""
    with person_of(token) as person:
        if request.method != "POST":
            return _back(token)
        purpose, channel = (request.GET.get(name) or ANY for name in ("purpose", "channel"))
        try:
            object_to(person.contact, purpose, channel, by=person.actor, method="link", evidence=_evidence(request))
        except ValidationError as error:
            return HttpResponse(" ".join(error.messages), status=422, content_type="text/plain", headers=HEADERS)
    return HttpResponse("Done.", content_type="text/plain", headers=HEADERS)


def _back(token: str, query: str = "") -> HttpResponse:
    with root_addresses():
        return redirect(reverse("public:choices", args=[token]) + query)


def _heed_gpc(request: HttpRequest, person: Person) -> None:
    if has_gpc(request) and not person.contact.has_gpc:
        record_gpc(person.contact, by=person.actor, evidence={"header": "Sec-GPC: 1"})


def _language(request: HttpRequest, person: Person) -> str:
    asked = request.GET.get("lang", "")
    spoken = [asked, person.contact.language, *request.headers.get("Accept-Language", "").split(",")]
    return next((primary(tag.strip()) for tag in spoken if primary(tag.strip()) in TAGS), "en")


def _decide(request: HttpRequest, person: Person, token: str, language: str) -> HttpResponse:
    act, purpose, channel = (request.POST.get(name, "") for name in ("act", "purpose", "channel"))
    rows = {(row.purpose, row.channel) for row in standing(ledger_of(person.contact))}
    evidence = _evidence(request) | {"language": language}
    how: dict[str, Any] = {"by": person.actor, "method": "link", "evidence": evidence}
    if act == "stop":
        object_to(person.contact, ANY, ANY, **how)
    elif act == "withdraw" and (purpose, channel) in rows:
        withdraw_consent(person.contact, purpose, channel, **how)
    elif act == "give" and (purpose, channel) in rows:
        notice = latest_notice(person.contact, purpose, language)
        give_consent(person.contact, purpose, channel, notice=notice, **how)
    else:
        return _page(request, person, language, problem="wrong")
    return _back(token, f"?lang={language}&saved=1")


def _evidence(request: HttpRequest) -> dict[str, Any]:
    # No address and no browser: the signed link says who it was.
    return {"page": request.resolver_match.url_name if request.resolver_match else ""}


def _page(request: HttpRequest, person: Person, language: str, problem: str = "") -> HttpResponse:
    contact, rows = person.contact, list(ledger_of(person.contact))
    last = newest(rows, ANY, ANY)
    lines = [_line(row, contact, language) for row in standing(rows)]
    context = {
        "t": texts_for(language, person.workspace.name),
        "language": language,
        "contact": contact,
        "lines": lines,
        "is_stopped": bool(last and last.state != Consent.State.GIVEN) and not any(line["is_given"] for line in lines),
        "saved": "saved" in request.GET,
        "problem": problem,
    }
    with translation.override(TAGS[language]):
        page = render(request, "compliance/consent_choices.html", context, status=422 if problem else 200)
    for name, value in HEADERS.items():
        page.headers[name] = value
    return page


def _line(row: Consent, contact: Any, language: str) -> dict[str, Any]:
    is_given = row.state == Consent.State.GIVEN
    notice = row.notice or latest_notice(contact, row.purpose, language)
    return {
        "purpose": row.purpose,
        "channel": row.channel,
        "title": purpose_name(row.purpose, language),
        "by": channel_name(row.channel, language),
        "state": "agreed" if is_given else row.state,
        "is_given": is_given,
        "at": row.at,
        "notice": notice.text if notice else "",
    }
