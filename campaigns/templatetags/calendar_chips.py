"""Posts in the calendar, by hand: a month shows a hundred, and as templates they took half of the page's time."""

from functools import cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.templatetags.icons import icon, status_icon
from campaigns.calendar_days import Chip

register = template.Library()

NOTHING = SafeString()
DRAGGED = SafeString(" data-drag")
PUBLISHED = SafeString(" data-publish")


@register.simple_tag(takes_context=True)
def calendar_chip(context: Any, chip: Chip, *, wide: bool = False) -> SafeString:
    """`wide`: there is room for its warnings."""
    state = chip.delivery.state
    return format_html(
        '<div class="cal-item status-{} {}"{}>{}{}{}</div>',
        state,
        "can-move" if chip.can_move else "is-locked",
        DRAGGED if chip.can_move else "",
        _link(chip, context["city"]),
        chip_warnings(chip) if wide else "",
        _tools(chip, context["move_path"]),
    )


def _link(chip: Chip, city: str) -> SafeString:
    state = chip.delivery.state
    own = f"{chip.own_time} for you" if chip.own_time else ""
    said = [f"{chip.state_label}: {chip.title}, {chip.clock} {city}{own and ', '}{own}"]
    return format_html(
        '<a class="cal-chip status-{}" href="{}" draggable="false" title="{}">{}<span class="cal-time">'
        '<time datetime="{}">{}</time> <span class="cal-zone">{}</span></span><span class="cal-marks">{}</span>{}'
        '<span class="sr-only">{}, {}:</span><span class="chip-text">{}<span>{}</span></span></a>',
        *(state, chip.delivery.post.get_absolute_url(), " ⚠ ".join([*said, *chip.warnings]), status_icon(state)),
        *(chip.moment, chip.clock, city, _marks(chip)),
        format_html('<span class="cal-own">{}</span>', own) if own else "",
        *(chip.account, chip.state_label, _picture(chip), chip.title),
    )


def _marks(chip: Chip) -> SafeString:
    alert = '<span class="cal-alert">{}<span class="sr-only">Look again: {}</span></span>'
    return format_html(
        "{}{}{}",
        format_html(alert, icon("alert", "icon-sm"), " ".join(chip.warnings)) if chip.warnings else "",
        _lock() if chip.is_locked else "",
        _network(chip.delivery.connection.network),
    )


@cache
def _lock() -> SafeString:
    mark = '<span class="cal-lock">{}<span class="sr-only">Cannot move.</span></span>'
    return format_html(mark, icon("lock", "icon-sm"))


@cache
def _network(network: str) -> SafeString:
    return render_to_string("_network.html", {"network": network, "small": True})


def _picture(chip: Chip) -> SafeString:
    if chip.picture is None:
        return NOTHING
    image = '<img class="cal-thumb" src="{}" alt="" loading="lazy" width="20" height="20" draggable="false">'
    return format_html(image, reverse("campaigns:media-thumb", args=[chip.picture]))


def _tools(chip: Chip, move_path: str) -> SafeString:
    if not chip.can_select:
        return NOTHING
    move = _move(chip, move_path, "cal-tool", icon("clock", "icon-sm"))
    return format_html('<span class="cal-tools">{}{}</span>', chip_select(chip), move)


@register.simple_tag
def chip_warnings(chip: Chip) -> SafeString:
    line = '<p class="cal-warning xs">{}<span>{}</span></p>'
    return format_html_join("", line, ((icon("alert", "icon-sm"), warning) for warning in chip.warnings))


@register.simple_tag
def chip_select(chip: Chip) -> SafeString:
    if not chip.can_select:
        return NOTHING
    return format_html(
        '<input type="checkbox" class="cal-select" name="delivery" value="{}" form="bulk"'
        ' aria-label="Select “{}” for {}">',
        *(chip.delivery.pk, chip.title, chip.account),
    )


@register.simple_tag(takes_context=True)
def chip_move(context: Any, chip: Chip) -> SafeString:
    """The button of a row."""
    return _move(chip, context["move_path"], "btn btn-sm", "Move…")


def _move(chip: Chip, path: str, classes: str, label: str) -> SafeString:
    """Leads to a form; a script opens the one of the page."""
    if not chip.can_move:
        return NOTHING
    pk = chip.delivery.pk
    return format_html(
        '<a class="{}" href="{}{}" data-move data-delivery="{}" data-seen="{}" data-title="{}" data-date="{}"'
        ' data-clock="{}"{} aria-label="Move “{}” on {}">{}</a>',
        *(classes, path, pk, pk, chip.moment, chip.title, chip.day, chip.clock),
        PUBLISHED if "publish" in chip.actions else "",
        *(chip.title, chip.account, label),
    )
