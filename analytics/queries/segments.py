"""Who fits rules: contacts by what is known of them, visitors by what they did in the last days.

Rules are {"all": […]} or {"any": […]}, of {"field", "op", "value"} and of such groups. People whose data must not be
used (Art. 18) are in no segment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import Workspace
from analytics.models import Event, Link, Segment
from analytics.queries.patience import answer_soon
from analytics.queries.period import read_day
from campaigns.models import Campaign
from compliance.consent import ANY, METHODS
from compliance.models import Consent, Contact
from lib.clock import now
from lib.text import storable

Rule = dict[str, Any]
Subject = Segment.Subject
VISITOR_DAYS = 30
DEEPEST, MOST_RULES, LONGEST = 4, 40, 120
DEVICES = {"phone": "Phone", "tablet": "Tablet", "desktop": "Desktop"}
YES_NO = {"yes": "yes", "no": "no"}
OPS = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "starts": "begins with",
    "before": "before",
    "after": "on or after",
    "at_least": "at least",
    "given": "agreed to",
    "not_given": "did not agree to",
}


@dataclass(frozen=True)
class Field:
    """What a rule may ask. `choices` are the values it takes; any text without them."""

    label: str
    ops: tuple[str, ...]
    kind: str = "text"
    choices: dict[str, str] = field(default_factory=dict)
    hint: str = ""


TEXT_OPS = ("is", "is_not", "contains", "starts")
CONTACT_FIELDS = {
    "name": Field("Name", TEXT_OPS),
    "email": Field("E-mail", TEXT_OPS),
    "handle": Field("Handle", TEXT_OPS),
    "network": Field("Network", ("is", "is_not"), choices={"x": "X", "telegram": "Telegram", "": "none"}),
    "country": Field("Country", ("is", "is_not"), hint="DE"),
    "language": Field("Language", ("is", "is_not"), hint="en"),
    "consent": Field("Consent", ("given", "not_given"), hint="newsletter, or newsletter/email"),
    "source": Field("Agreed by", ("is", "is_not"), choices={method: method for method in METHODS}),
    "added": Field("Added", ("before", "after"), "date"),
    "gpc": Field("Asks not to be tracked", ("is",), choices=YES_NO),
}
VISITOR_FIELDS = {
    "link": Field("Clicked the link", ("is", "is_not"), hint="its code"),
    "campaign": Field("Clicked in the campaign", ("is", "is_not"), "campaign"),
    "device": Field("Device", ("is", "is_not"), choices=DEVICES),
    "language": Field("Language", ("is", "is_not"), hint="en"),
    "referrer": Field("Came from", TEXT_OPS, hint="example.org"),
    "converted": Field("Converted", ("is",), choices=YES_NO),
    "clicks": Field("Clicks", ("at_least",), "number", hint="2"),
}
FIELDS: dict[str, dict[str, Field]] = {Subject.CONTACT: CONTACT_FIELDS, Subject.VISITOR: VISITOR_FIELDS}


def segment_size(workspace: Workspace, subject: str, rules: Rule) -> int | None:
    """None where there are too many visits to count at once. Raises ValidationError for rules that make no sense."""
    check_rules(subject, rules)
    if subject == Subject.CONTACT:
        return contacts_in(workspace, rules).count()
    return answer_soon(lambda: visitors_in(workspace, rules).count())


def contacts_in(workspace: Workspace, rules: Rule) -> QuerySet[Contact]:
    rows = Contact.objects.filter(workspace=workspace, restricted_at=None)
    return rows.filter(_tree(rules, _contact_rule)).order_by("created_at", "pk")


def visitors_in(workspace: Workspace, rules: Rule) -> Any:
    """{"visitor"} of people who did something in the last VISITOR_DAYS days."""
    facts: dict[str, Any] = {}

    def ask(rule: Rule) -> Q:
        name = f"fact_{len(facts)}"
        facts[name], wanted = _visitor_rule(rule, workspace)
        return Q(**{f"{name}__gte" if rule["field"] == "clicks" else name: wanted})

    tree = _tree(rules, ask)
    since = now() - timedelta(days=VISITOR_DAYS)
    rows = Event.objects.filter(workspace_id=workspace.pk, at__gte=since, is_bot=False).exclude(visitor="")
    return rows.order_by().values("visitor").annotate(**facts).filter(tree).values("visitor").distinct()


def _tree(rules: Rule, leaf: Callable[[Rule], Q]) -> Q:
    """A group without rules asks nothing."""
    name = "all" if "all" in rules else "any"
    found = Q()
    for part in rules[name]:
        one = leaf(part) if "field" in part else _tree(part, leaf)
        found = found & one if name == "all" else found | one
    return found


# --- contacts ---------------------------------------------------------------------------------------------


def _contact_rule(rule: Rule) -> Q:
    name, op, value = rule["field"], rule["op"], rule["value"].strip()
    if name == "consent":
        return _consent(value) if op == "given" else ~_consent(value)
    if name == "source":
        asked = Q(Exists(Consent.objects.filter(contact=OuterRef("pk"), method=value)))
        return asked if op == "is" else ~asked
    if name == "added":
        day = read_day(value)
        return Q(created_at__date__lt=day) if op == "before" else Q(created_at__date__gte=day)
    if name == "gpc":
        return Q(has_gpc=value == "yes")
    return _text(name, op, value)


def _text(name: str, op: str, value: str) -> Q:
    if op == "contains":
        return Q(**{f"{name}__icontains": value})
    if op == "starts":
        return Q(**{f"{name}__istartswith": value})
    return Q(**{f"{name}__iexact": value}) if op == "is" else ~Q(**{f"{name}__iexact": value})


def _consent(value: str) -> Q:
    """The last word on a purpose, on a channel where one is named: `newsletter` or `newsletter/email`."""
    purpose, _, channel = value.partition("/")
    rows = Consent.objects.filter(contact=OuterRef("pk"), purpose__in=[purpose, ANY])
    if channel:
        rows = rows.filter(channel__in=[channel, ANY])
    newest = rows.order_by("-at", "-id").values("state")[:1]
    # Of nobody asked there is no state, and NOT of nothing is nothing.
    given = Contact.objects.filter(pk=OuterRef("pk")).annotate(state=Subquery(newest)).filter(state="given")
    return Q(Exists(given))


# --- visitors ---------------------------------------------------------------------------------------------


def _visitor_rule(rule: Rule, workspace: Workspace) -> tuple[Any, Any]:
    """What to find out about each visitor, and the answer that is wanted."""
    name, op, value = rule["field"], rule["op"], rule["value"].strip()
    if name == "clicks":
        return Count("pk", filter=Q(kind=Event.Kind.CLICK)), int(value)
    if name == "converted":
        return _ever(Q(kind=Event.Kind.CONVERSION)), value == "yes"
    if name in {"link", "campaign"}:
        return _ever(Q(kind=Event.Kind.CLICK) & _clicked(name, value, workspace)), op == "is"
    if name == "language":
        speaks = Q(language__iexact=value) | Q(language__istartswith=f"{value}-")
        return _ever(speaks), op == "is"
    if op == "is_not":
        return _ever(Q(**{f"{name}__iexact": value})), False
    return _ever(_text(name, op, value)), True


def _ever(what: Q) -> Any:
    """Of an event without a link, it is not known whether it was this one: that is a no."""
    return BoolOr(what, default=False)


def _clicked(name: str, value: str, workspace: Workspace) -> Q:
    if name == "campaign":
        return Q(campaign_id=value)
    link = Link.objects.filter(workspace=workspace, code=value).values_list("pk", flat=True).first()
    # Where there is no such link, nobody clicked it.
    return Q(link_id=link) if link else Q(pk=None)


# --- what rules may say -----------------------------------------------------------------------------------


def check_rules(subject: str, rules: Any) -> None:
    """Raises ValidationError with a text for people."""
    if subject not in FIELDS:
        raise ValidationError("Choose contacts or visitors.")
    if _count_rules(rules, subject, 1) > MOST_RULES:
        raise ValidationError(f"At most {MOST_RULES} rules.")


def _count_rules(group: Any, subject: str, depth: int) -> int:
    is_group = isinstance(group, dict) and len(group) == 1 and next(iter(group)) in {"all", "any"}
    parts = next(iter(group.values())) if is_group else None
    if not isinstance(parts, list) or depth > DEEPEST:
        raise ValidationError("Rules are groups of “all” or “any”, at most four deep.")
    number = 0
    for part in parts:
        if isinstance(part, dict) and "field" in part:
            _check_rule(part, FIELDS[subject])
            number += 1
        else:
            number += _count_rules(part, subject, depth + 1)
    return number


def _check_rule(rule: Rule, fields: dict[str, Field]) -> None:
    name = rule["field"]
    spec = fields.get(name) if isinstance(name, str) else None
    if spec is None or rule.get("op") not in spec.ops or not isinstance(rule.get("value"), str):
        raise ValidationError("A rule asks for something that is not known.")
    value = rule["value"].strip()
    if len(value) > LONGEST or value != storable(value):
        raise ValidationError(f"{spec.label}: at most {LONGEST} characters.")
    if spec.choices and value not in spec.choices:
        raise ValidationError(f"{spec.label}: choose one of the answers.")
    if not spec.choices and not value:
        raise ValidationError(f"{spec.label}: say what it is compared with.")
    if spec.kind == "date" and read_day(value) is None:
        raise ValidationError(f"{spec.label}: write a date such as 2026-11-21.")
    if spec.kind == "number" and not (value.isascii() and value.isdigit() and 1 <= int(value[:7]) <= 100_000):
        raise ValidationError(f"{spec.label}: write a number from 1 to 100,000.")
    if spec.kind == "campaign" and not _is_campaign(value):
        raise ValidationError(f"{spec.label}: choose a campaign.")


def _is_campaign(value: str) -> bool:
    try:
        return Campaign.objects.filter(pk=UUID(value)).exists()
    except ValueError:
        return False
