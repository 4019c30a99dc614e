"""“You”: one's assistant, today's brief, what one watches, what comes next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from agents.periodic.services import visible_tasks
from agents.threads import visible_threads
from personal.access import visible_briefs
from personal.archive import data_of
from personal.briefs import is_waiting
from personal.preferences import get_preferences
from personal.views.watchlist import entries
from personal.wording import words

WATCHED, COMING, THREADS = 6, 4, 4


@require_GET
@member_view(Perm.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    brief = visible_briefs(request.actor).first()
    data = data_of(brief) if brief else {}
    language = get_preferences(request.actor).language
    tasks = visible_tasks(request.actor).filter(is_active=True)
    context = {
        "brief": brief,
        "has_task": brief is None and tasks.filter(kind="brief").exists(),
        "brief_data": data,
        "is_waiting": brief is not None and is_waiting(brief, data),
        "entries": entries(request.actor, language)[:WATCHED],
        "tasks": tasks.order_by("wanted_at")[:COMING],
        "threads": visible_threads(request.actor)[:THREADS],
        "say": words(language),
    }
    return render(request, "personal/home.html", context)
