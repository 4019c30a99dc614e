from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import plans
from accounts.access import Actor, Perm
from accounts.web import MemberRequest, add_errors, member_view
from lib.money import dollars
from personal.access import get_watch, visible_watches
from personal.booking import MONTH_S, use_of
from personal.forms import WatchChangeForm, WatchForm
from personal.gathering import news_text, with_news
from personal.models import Watch, WatchKind
from personal.preferences import get_preferences
from personal.providers import why_not
from personal.values import plain, show_value
from personal.watching import EVERY_S, add_watch, change_watch, mark_seen, remove_watch


@dataclass(frozen=True)
class Entry:
    """One line of the list, as it was when the page was asked for."""

    watch: Watch
    shown: str
    news: str
    form: WatchChangeForm

    @property
    def has_news(self) -> bool:
        return bool(self.news)


def entries(actor: Actor, language: str, faulty: tuple[UUID, WatchChangeForm] | None = None) -> list[Entry]:
    """Newest first, in one query however many."""
    rows = list(with_news(visible_watches(actor)).order_by("-created_at", "-pk"))
    return [
        Entry(
            row,
            show_value(row.value.kind, row.value.value),
            news_text(row, language) if row.value.last_seq > row.seen_seq else "",
            faulty[1] if faulty and faulty[0] == row.pk else _form(row),
        )
        for row in rows
    ]


def _form(row: Watch) -> WatchChangeForm:
    form = WatchChangeForm(initial={"label": row.label, "alert_percent": row.alert_percent}, auto_id=f"id_{row.pk}_%s")
    if row.value.kind != WatchKind.SYMBOL:
        del form.fields["alert_percent"]
    return form


@member_view(Perm.VIEW)
def watchlist(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, WatchForm(initial={"value": request.GET.get("add", "")[:200]}), sees=True)
    form = WatchForm(request.POST)
    if form.is_valid():
        try:
            row, is_new = add_watch(form.cleaned_data["value"], by=request.actor)
        except ValidationError as error:
            add_errors(form, error)
        else:
            name = show_value(row.value.kind, row.value.value)
            text = (
                f"You watch {name} now. Its first reading comes within minutes."
                if is_new
                else f"You watch {name} already."
            )
            messages.success(request, text)
            return redirect("personal:watchlist")
    return _page(request, form, status=422)


@member_view(Perm.VIEW)
@require_POST
def watch_change(request: MemberRequest, watch_id: UUID) -> HttpResponse:
    row = get_watch(request.actor, watch_id)
    form = WatchChangeForm(request.POST, auto_id=f"id_{row.pk}_%s")
    if row.value.kind != WatchKind.SYMBOL:
        del form.fields["alert_percent"]
    if form.is_valid():
        try:
            change_watch(row, by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("personal:watchlist")
    return _page(request, WatchForm(), faulty=(row.pk, form), status=422)


@member_view(Perm.VIEW)
@require_POST
def watch_remove(request: MemberRequest, watch_id: UUID) -> HttpResponse:
    row = get_watch(request.actor, watch_id)
    remove_watch(row, by=request.actor)
    messages.success(request, f"You no longer watch {show_value(row.value.kind, row.value.value)}.")
    return redirect("personal:watchlist")


def _page(
    request: MemberRequest,
    form: WatchForm,
    *,
    faulty: tuple[UUID, WatchChangeForm] | None = None,
    sees: bool = False,
    status: int = 200,
) -> HttpResponse:
    liked = get_preferences(request.actor)
    found = entries(request.actor, liked.language, faulty)
    known = {entry.watch.value.value for entry in found}
    ideas = [] if why_not(WatchKind.KEYWORD) else liked.interests
    use = use_of(request.actor.workspace)
    context = {
        "form": form,
        "entries": found,
        "use": use,
        "spent": dollars(use.cost_micro),
        "takes": {kind.value: MONTH_S // every_s for kind, every_s in EVERY_S.items()},
        "limit": plans.limit_of(request.actor.workspace, "watches"),
        "missing": dict.fromkeys(reason for kind in WatchKind.values if (reason := why_not(kind))),
        "ideas": [topic for topic in ideas if plain(topic) not in known],
    }
    response = render(request, "personal/watchlist.html", context, status=status)
    if sees:
        # Whoever looks at the list is told by it.
        mark_seen(entry.watch for entry in found)
    return response
