"""Experiments: the list, the guided form, one with its results, and what can be done with it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.models import Tracking
from campaigns.errors import NotAllowedNow
from experiments import forms, services
from experiments.access import get_experiment, visible_experiments
from experiments.badges import BADGES, badge_of
from experiments.designs import programme
from experiments.exports import as_document
from experiments.models import Experiment, Look
from experiments.options import POST_DESIGNS, VISITOR_DESIGNS
from experiments.pictures import bar_of, charts_of, scale_of
from experiments.segments import DIMENSIONS, Segments, read_segments
from experiments.words import settings_in_words
from lib.clock import now

Context = dict[str, Any]
Status = Experiment.Status
PAGE_SIZE = 20
LOOKS_SHOWN = 30
CANDIDATES_SHOWN = 20
ACTIVE = (Status.DRAFT, Status.RUNNING, Status.PAUSED, Status.STOPPED)


# --- list ---------------------------------------------------------------------------------------------------


@member_view(Perm.VIEW)
@require_GET
def experiment_list(request: MemberRequest) -> HttpResponse:
    rows = visible_experiments(request.actor)
    is_archive = "archived" in request.GET
    shown = with_last_look(rows.filter(status=Status.ARCHIVED) if is_archive else rows.filter(status__in=ACTIVE))
    page = Paginator(shown.select_related("campaign"), PAGE_SIZE).get_page(request.GET.get("page"))
    for row in page:
        row.badge, row.days_left = badge_of(row), days_left(row)
        row.verdict_label = dict(Look.Verdict.choices).get(row.verdict, "")
    context = {"page": page, "is_archive": is_archive, "has_any": rows.exists(), "badges": BADGES.values()}
    return render(request, "experiments/list.html", context)


def with_last_look(rows: QuerySet[Experiment]) -> Any:
    last = Look.objects.filter(experiment=OuterRef("pk")).order_by("-number")
    return rows.annotate(verdict=Subquery(last.values("verdict")[:1]), sentence=Subquery(last.values("sentence")[:1]))


def days_left(experiment: Experiment) -> int | None:
    if experiment.status != Status.RUNNING or experiment.ends_at is None:
        return None
    return max((experiment.ends_at - now()).days + 1, 0)


# --- draft --------------------------------------------------------------------------------------------------


@member_view(Perm.CONTENT_EDIT)
def experiment_new(request: MemberRequest) -> HttpResponse:
    """The question is asked by GET, so that the proposal has an address; the draft is sent by POST to the same one."""
    is_asked = "question" in request.GET
    # The draft below it has fields of the same names.
    asked = forms.GoalForm(request.GET if is_asked else None, auto_id="asked_%s")
    if not is_asked or not asked.is_valid():
        return render(request, "experiments/new.html", {"asked": asked}, status=400 if is_asked else 200)
    proposal = services.propose_design(asked.goal())
    initial = forms.initial_of(proposal.design, proposal.settings, proposal.days)
    form = forms.DraftForm(request.POST or None, actor=request.actor, design=proposal.design, initial=initial)
    context = {"asked": asked, "proposal": proposal, "goal": asked.goal()}
    if request.method == "POST":
        saved = _save(request, form, None)
        if saved:
            return redirect("experiments:experiment-detail", saved.pk)
    status = 400 if request.method == "POST" else 200
    return render(request, "experiments/new.html", context | _form_context(request, form), status=status)


@member_view(Perm.CONTENT_EDIT)
def experiment_edit(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    experiment = get_experiment(request.actor, experiment_id)
    if experiment.status != Status.DRAFT:
        messages.info(request, "It was started, so what decides stays as it is. Make a new version to change it.")
        return redirect("experiments:experiment-detail", experiment.pk)
    form = forms.DraftForm(
        request.POST or None, actor=request.actor, design=experiment.design, initial=initial_from(experiment)
    )
    if request.method == "POST":
        saved = _save(request, form, experiment)
        if saved:
            return redirect("experiments:experiment-detail", saved.pk)
    context = {"experiment": experiment, "badge": badge_of(experiment)} | _form_context(request, form, experiment)
    return render(request, "experiments/edit.html", context, status=400 if request.method == "POST" else 200)


def _save(request: MemberRequest, form: forms.DraftForm, experiment: Experiment | None) -> Experiment | None:
    if not form.is_valid():
        return None
    try:
        arms = forms.read_arms(form.design, request.POST.getlist("arm_name"), request.POST.getlist("arm_content"))
        if experiment:
            return services.change_experiment(experiment, by=request.actor, arms=arms, **form.facts())
        return services.create_experiment(by=request.actor, design=form.design, arms=arms, **form.facts())
    except ValidationError as error:
        add_errors(form, error)
    except NotAllowedNow as error:
        form.add_error(None, str(error))
    return None


def _form_context(
    request: MemberRequest, form: forms.DraftForm, experiment: Experiment | None = None
) -> dict[str, Any]:
    names, contents = request.POST.getlist("arm_name"), request.POST.getlist("arm_content")
    if experiment and request.method != "POST":
        names = [arm.name for arm in experiment.arms.all()]
        contents = [content_text(arm.content) for arm in experiment.arms.all()]
    has_arms = form.design in forms.ARM_WORDS
    return {
        "form": form,
        "arm_rows": forms.arm_rows(form.design, names, contents) if has_arms else [],
        "arm_words": forms.ARM_WORDS.get(form.design),
        "is_long": form.design in POST_DESIGNS,
    }


def content_text(content: dict[str, Any]) -> str:
    if "texts" in content:
        return "\n\n".join(content["texts"])
    return str(next(iter(content.values()), ""))


def initial_from(experiment: Experiment) -> dict[str, Any]:
    settings = experiment.settings
    rail = experiment.guardrails[0] if experiment.guardrails else {}
    slots = settings.get("slots") or []
    return {
        **{name: getattr(experiment, name) for name in ("name", "hypothesis", "campaign", "metric", "horizon_days")},
        **{name: value for name, value in settings.items() if name in forms.fields_of(experiment.design)},
        "lower_is_better": experiment.lower_is_better,
        "allocation": experiment.allocation,
        "mde": round(settings["mde"] * 100, 2),
        "base_rate": round(settings.get("base_rate", 0.05) * 100, 2),
        "value": (settings["value_micro"] or 0) / forms.MICRO or None,
        "guarded": rail.get("metric", ""),
        "margin": round(rail.get("margin", 0.1) * 100, 1),
        "weekdays": [str(slot["weekday"]) for slot in slots],
        "at": slots[0]["time"] if slots else None,
    }


# --- one of them --------------------------------------------------------------------------------------------


@member_view(Perm.VIEW)
@require_GET
def experiment_detail(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    experiment = get_experiment(request.actor, experiment_id)
    looks = list(experiment.looks.order_by("-number")[:LOOKS_SHOWN])
    # What the shares were computed from is for the export alone.
    epochs = list(experiment.epochs.defer("data"))
    look = looks[0] if looks else None
    context = {
        "experiment": experiment,
        "badge": badge_of(experiment),
        "look": look,
        "looks": looks,
        "epochs": epochs,
        "arms": _arm_table(experiment, look),
        "charts": charts_of(experiment, looks[::-1], epochs) if looks else [],
        "days_left": days_left(experiment),
        "metric": forms.METRIC_NAMES.get(experiment.metric, experiment.metric),
        "units": experiment.units.select_related("arm", "delivery", "delivery__connection")[:200],
        "settings": settings_in_words(experiment),
        "can_win": experiment.status != Status.DRAFT and experiment.design != Experiment.Design.OBSERVATION,
        "is_split": experiment.design in VISITOR_DESIGNS,
        "parts": _health_parts(look),
        "segments": _segments(look),
        "currency": _currency(experiment),
        "candidates": _candidates(experiment),
    }
    return render(request, "experiments/detail.html", context)


def _candidates(experiment: Experiment) -> list[Any]:
    is_open = experiment.design == Experiment.Design.PROGRAMME and experiment.status == Status.RUNNING
    return list(programme.candidates(experiment)[:CANDIDATES_SHOWN]) if is_open else []


def _segments(look: Look | None) -> list[Segments]:
    """The visitors by device, link and day; nothing where nothing may be concluded at all."""
    if look is None or look.refusals or "cells" not in look.data:
        return []
    return [found for dimension in DIMENSIONS if (found := read_segments(look, dimension)).rows]


def _currency(experiment: Experiment) -> str:
    found = Tracking.objects.filter(workspace=experiment.workspace_id).values_list("currency", flat=True).first()
    return found or Tracking().currency


def _arm_table(experiment: Experiment, look: Look | None) -> list[dict[str, Any]]:
    """Each arm with what the look says of it. Where nothing may be concluded, without lifts and chances."""
    found = {arm["key"]: arm for arm in look.result.get("arms", [])} if look else {}
    scale = scale_of(look.result) if look else 1.0
    # Of nobody nothing can be said, whatever the prior thinks.
    is_seen = all(one.get("units") for one in found.values())
    may_tell = look is not None and not look.refusals and is_seen
    rows = []
    for arm in experiment.arms.all():
        one = found.get(arm.key, {})
        lift = one.get("lift") if may_tell else None
        chance = {} if is_seen else {"p_best": None}
        rows.append({"arm": arm, "content": content_text(arm.content), **one, **chance, "lift": lift})
        rows[-1]["bar"] = bar_of(lift, scale) if lift else None
    return rows


def _health_parts(look: Look | None) -> list[dict[str, Any]]:
    """The checks of the split as rows: {"name", "counts", "p", "is_alarm"}."""
    health = look.result.get("health") if look else None
    if not health:
        return []
    rows = [{"name": name, **health[key]} for key, name in (("filtered", "People"), ("unfiltered", "With bots"))]
    for dimension, parts in health["parts"].items():
        rows += [{"name": f"{dimension.capitalize()} {name}", **one} for name, one in parts.items()]
    return rows


@member_view(Perm.VIEW)
@require_GET
def experiment_export(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """Everything that the numbers come from, so that anybody can compute them again."""
    experiment = get_experiment(request.actor, experiment_id)
    response = JsonResponse(as_document(experiment), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="experiment-{experiment.pk}.json"'
    return response


# --- acts ---------------------------------------------------------------------------------------------------


@member_view(Perm.CONTENT_EDIT)
@require_POST
def experiment_act(request: MemberRequest, experiment_id: UUID, act: str) -> HttpResponse:
    experiment = get_experiment(request.actor, experiment_id)
    if act not in ACTS:
        raise Http404
    try:
        target = ACTS[act](request, experiment)
    except NotAllowedNow as error:
        messages.error(request, str(error))
        target = experiment
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        target = experiment
    if target is None:
        return redirect("experiments:experiment-list")
    return redirect("experiments:experiment-detail", target.pk)


def _start(request: MemberRequest, experiment: Experiment) -> Experiment:
    row = services.start_experiment(experiment, by=request.actor)
    messages.success(request, "Started. What decides is written down and cannot be changed any more.")
    return row


def _look(request: MemberRequest, experiment: Experiment) -> Experiment:
    services.look_now(experiment, by=request.actor)
    return experiment


def _winner(request: MemberRequest, experiment: Experiment) -> Experiment:
    row = services.choose_winner(experiment, request.POST.get("arm", ""), by=request.actor)
    messages.success(request, "The winner is set.")
    return row


def _delete(request: MemberRequest, experiment: Experiment) -> None:
    services.delete_experiment(experiment, by=request.actor)
    messages.success(request, f"“{experiment}” is deleted.")


def _enter(request: MemberRequest, experiment: Experiment) -> Experiment:
    delivery = programme.candidates(experiment).filter(pk=_uuid(request.POST.get("delivery"))).first()
    if delivery is None:
        raise NotAllowedNow("This post cannot enter: it has to be a planned draft of the experiment’s account.")
    unit = programme.enter(experiment, delivery, by=request.actor)
    messages.success(request, f"Write it in this style: {content_text(unit.arm.content)}.")
    return experiment


def _exclude(request: MemberRequest, experiment: Experiment) -> Experiment:
    unit = experiment.units.filter(pk=_uuid(request.POST.get("unit"))).first()
    if unit is None:
        raise NotAllowedNow("This post is not in the experiment.")
    services.exclude_unit(unit, by=request.actor, reason=request.POST.get("reason", ""))
    return experiment


def _uuid(text: str | None) -> UUID:
    """What is no id is that of nothing."""
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)


ACTS: dict[str, Any] = {
    "enter": _enter,
    "exclude": _exclude,
    "start": _start,
    "look": _look,
    "pause": lambda request, row: services.pause_experiment(row, by=request.actor),
    "resume": lambda request, row: services.resume_experiment(row, by=request.actor),
    "stop": lambda request, row: services.stop_experiment(row, by=request.actor),
    "winner": _winner,
    "archive": lambda request, row: services.archive_experiment(row, by=request.actor),
    "version": lambda request, row: services.new_version(row, by=request.actor),
    "delete": _delete,
}
