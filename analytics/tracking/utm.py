"""The utm_* parameters of short links."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote_plus, urlsplit, urlunsplit

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from analytics.models import UtmTemplate
from campaigns.models import Campaign

# A parameter to the column of its template.
PARAMETERS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
MAX_TEXT = 120
PLACEHOLDERS = ("campaign", "post", "network", "variant", "date")


def template_for(campaign: Campaign | None) -> UtmTemplate:
    """The campaign's, else the workspace's, else the default (inside the workspace's scope)."""
    found = {row.campaign_id: row for row in UtmTemplate.objects.filter(campaign=campaign)} if campaign else {}
    row = found.get(campaign.pk) if campaign else None
    return row or UtmTemplate.objects.filter(campaign=None).first() or UtmTemplate()


def change_utm(campaign: Campaign | None, *, by: Actor, **texts: str) -> UtmTemplate:
    """Of one campaign, or of the whole workspace. Links that exist keep what they have."""
    by.require(Perm.CONTENT_EDIT)
    _check(texts)
    with transaction.atomic():
        rows = UtmTemplate.objects.select_for_update(no_key=True).filter(workspace=by.workspace, campaign=campaign)
        row = rows.first() or UtmTemplate(workspace=by.workspace, campaign=campaign)
        for column, text in texts.items():
            setattr(row, column, text.strip())
        row.save()
        audit.record("utm.change", row, by=by, campaign=str(campaign.pk) if campaign else "", **texts)
    return row


def reset_utm(campaign: Campaign | None, *, by: Actor) -> bool:
    """Back to the workspace's, or to the default. True where there was one of its own."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        row = (
            UtmTemplate.objects.select_for_update(no_key=True).filter(workspace=by.workspace, campaign=campaign).first()
        )
        if row is None:
            return False
        audit.record("utm.reset", row, by=by, campaign=str(campaign.pk) if campaign else "")
        row.delete()
    return True


def _check(texts: Mapping[str, str]) -> None:
    wrong = {}
    for column, text in texts.items():
        unknown = sorted(set(re.findall(r"\{(\w*)\}", text)) - set(PLACEHOLDERS))
        if unknown:
            wrong[column] = f"There is no {{{unknown[0]}}}. Use {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}."
        elif len(text) > MAX_TEXT:
            wrong[column] = f"{MAX_TEXT} characters at most."
    if wrong:
        raise ValidationError(wrong)


def with_utm(url: str, template: UtmTemplate, values: Mapping[str, str]) -> str:
    """The address with the template's parameters; those it has already win, and empty ones are left out."""
    parts = urlsplit(url)
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    filled = {name: fill(getattr(template, column), values) for name, column in PARAMETERS.items()}
    added = [f"{name}={quote_plus(text)}" for name, text in filled.items() if text and name not in known]
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, *added]))))


def fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: slug(values.get(match[1], "")), text).strip()


def slug(text: str) -> str:
    """As it stands in reports: small letters, one dash for everything between words."""
    return re.sub(r"[^\w.]+", "-", text.lower()).strip("-")[:80]
