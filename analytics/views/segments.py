from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.access import get_segment, visible_segments
from analytics.charts import Table
from analytics.definitions import delete_segment, export_contacts, save_segment
from analytics.exports import tables_answer
from analytics.forms import SegmentForm
from analytics.models import Segment
from analytics.queries.segments import VISITOR_DAYS, segment_size
from analytics.segment_builder import Group, as_rules, change, read_groups, read_rules, shown_groups, start

SHOWN = 50
COLUMNS = ["name", "email", "network", "handle", "id", "country", "language"]


@member_view(Perm.VIEW)
def segment_list(request: MemberRequest) -> HttpResponse:
    workspace = request.actor.workspace
    rows = list(visible_segments(request.actor)[:SHOWN])
    found = [(row, segment_size(workspace, row.subject, row.rules)) for row in rows]
    return render(request, "analytics/segments.html", {"found": found, "days": VISITOR_DAYS})


@member_view(Perm.CONTENT_EDIT)
def segment_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, None)


@member_view(Perm.CONTENT_EDIT)
def segment_edit(request: MemberRequest, segment_id: UUID) -> HttpResponse:
    return _edit(request, get_segment(request.actor, segment_id))


def _edit(request: MemberRequest, segment: Segment | None) -> HttpResponse:
    """Everything but Save shows the form again, with what was typed."""
    initial = {"name": segment.name, "subject": segment.subject} if segment else {"subject": "contact"}
    act = request.POST.get("act", "save") if request.method == "POST" else ""
    form = SegmentForm(request.POST if act == "save" else None, initial=initial | _typed(request))
    subject = _subject(request, segment)
    match, groups = read_groups(segment.rules) if segment else start(subject)
    problem = ""
    if act:
        match, groups = change(subject, *read_rules(subject, request.POST), act)
    if act == "save" and form.is_valid():
        try:
            rules = as_rules(match, groups)
            save_segment(form.cleaned_data["name"], subject, rules, by=request.actor, segment=segment)
        except ValidationError as error:
            problem = " ".join(error.message_dict.get("rules", []))
            rest = {name: texts for name, texts in error.message_dict.items() if name != "rules"}
            add_errors(form, ValidationError(rest))
        else:
            messages.success(request, "Saved.")
            return redirect("analytics:segments")
    context = _builder(request, subject, match, groups) | {"form": form, "segment": segment, "problem": problem}
    template = "analytics/segment_builder.html" if request.headers.get("HX-Request") else "analytics/segment_form.html"
    return render(request, template, context, status=422 if act == "save" else 200)


def _typed(request: MemberRequest) -> dict[str, str]:
    return {name: request.POST[name] for name in ("name", "subject") if name in request.POST}


def _subject(request: MemberRequest, segment: Segment | None) -> str:
    wanted = request.POST.get("subject") or request.GET.get("subject") or (segment.subject if segment else "")
    return wanted if wanted in Segment.Subject.values else Segment.Subject.CONTACT


def _builder(request: MemberRequest, subject: str, match: str, groups: list[Group]) -> dict[str, Any]:
    return {
        "subject": subject,
        "match": match,
        "groups": shown_groups(request.actor, subject, groups),
        "size": _size(request, subject, match, groups),
        "days": VISITOR_DAYS,
    }


def _size(request: MemberRequest, subject: str, match: str, groups: list[Group]) -> dict[str, Any]:
    try:
        number = segment_size(request.actor.workspace, subject, as_rules(match, groups))
    except ValidationError as error:
        return {"text": " ".join(error.messages), "is_wrong": True}
    if number is None:
        return {"text": "There are too many visits to count at once. It can be saved all the same."}
    noun = "contact" if subject == Segment.Subject.CONTACT else "visitor"
    return {"number": number, "noun": noun}


@require_POST
@member_view(Perm.VIEW)
def segment_size_now(request: MemberRequest) -> HttpResponse:
    """How many fit what is typed just now."""
    subject = _subject(request, None)
    match, groups = read_rules(subject, request.POST)
    context = {"size": _size(request, subject, match, groups), "days": VISITOR_DAYS, "subject": subject}
    return render(request, "analytics/segment_size.html", context)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def segment_export(request: MemberRequest, segment_id: UUID) -> HttpResponse:
    segment = get_segment(request.actor, segment_id)
    try:
        contacts = export_contacts(segment, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("analytics:segments")
    rows = [[c.name, c.email, c.network, c.handle, c.remote_id, c.country, c.language] for c in contacts]
    return tables_answer([Table(segment.name, COLUMNS, rows)], request.POST.get("as", "csv"), "segment")


@require_POST
@member_view(Perm.CONTENT_EDIT)
def segment_delete(request: MemberRequest, segment_id: UUID) -> HttpResponse:
    delete_segment(get_segment(request.actor, segment_id), by=request.actor)
    messages.success(request, "The segment is deleted.")
    return redirect("analytics:segments")
