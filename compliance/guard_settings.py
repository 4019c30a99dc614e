"""What the guard must know about a workspace, as its admins set it."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from compliance.decisions import guard_settings
from compliance.models import GuardSettings
from compliance.places import clean_industry, clean_markets
from compliance.reviews.requests import SLA_MINUTES
from lib.clock import now
from lib.text import storable

# What the model keeps as facts, by the names the engines know.
CERTIFICATE, HAS_CERTIFICATE = "review_cert_number", "has_review_cert"
FACT_LISTS = ("allowed_contacts", "allowed_domains", "blocked_domains")
MAX_ENTRIES = 200
MAX_CERTIFICATE = 80
DOMAIN = re.compile(r"(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})+")
PHONE = re.compile(r"\+?[\d\s()./-]{5,30}")
LONGEST_SLA_MINUTES = 60 * 24 * 30
LONGEST_EXPIRY_HOURS = 24 * 365


def settings_data(settings: GuardSettings) -> dict[str, Any]:
    """Flat, as pages and the API show it."""
    facts = settings.facts
    return {
        "markets": list(settings.markets),
        "industry": settings.industry,
        "pii_mode": settings.pii_mode,
        CERTIFICATE: facts.get(CERTIFICATE, ""),
        **{name: list(facts.get(name, ())) for name in FACT_LISTS},
        "sla_minutes": {str(risk): settings.sla_minutes.get(risk, usual) for risk, usual in SLA_MINUTES.items()},
        "expires_after_hours": settings.expires_after_hours,
    }


def update_guard_settings(*, by: Actor, **fields: Any) -> GuardSettings:
    """Any of the names in `settings_data`; what is left out stays."""
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        GuardSettings.objects.bulk_create([GuardSettings(workspace=by.workspace)], ignore_conflicts=True)
        settings = GuardSettings.objects.select_for_update(no_key=True).get(workspace=by.workspace)
        before = settings_data(settings)
        _fill(settings, fields)
        settings.full_clean(exclude=["workspace"])
        after = settings_data(settings)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            settings.updated_at = now()
            settings.save()
            audit.record(
                "guard.settings",
                settings,
                by=by,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    return settings


def _fill(settings: GuardSettings, fields: Mapping[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    for name, value in fields.items():
        try:
            SETTERS[name](settings, value)
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)


def _set_markets(settings: GuardSettings, value: Iterable[str]) -> None:
    settings.markets = clean_markets(value)


def _set_industry(settings: GuardSettings, value: str) -> None:
    settings.industry = clean_industry(value)


def _set_pii_mode(settings: GuardSettings, value: str) -> None:
    if value not in GuardSettings.PiiMode.values:
        raise ValidationError("Choose one of the ways.")
    settings.pii_mode = value


def _set_certificate(settings: GuardSettings, value: str) -> None:
    number = " ".join(storable(value).split())
    if len(number) > MAX_CERTIFICATE:
        raise ValidationError(f"At most {MAX_CERTIFICATE} characters.")
    rest = {name: fact for name, fact in settings.facts.items() if name not in {CERTIFICATE, HAS_CERTIFICATE}}
    settings.facts = rest | ({CERTIFICATE: number, HAS_CERTIFICATE: True} if number else {})


def _set_contacts(settings: GuardSettings, value: Iterable[str]) -> None:
    _set_list(settings, "allowed_contacts", [_contact(entry) for entry in _entries(value)])


def _set_allowed(settings: GuardSettings, value: Iterable[str]) -> None:
    _set_list(settings, "allowed_domains", [_domain(entry) for entry in _entries(value)])


def _set_blocked(settings: GuardSettings, value: Iterable[str]) -> None:
    _set_list(settings, "blocked_domains", [_domain(entry) for entry in _entries(value)])


def _set_list(settings: GuardSettings, name: str, entries: list[str]) -> None:
    rest = {key: fact for key, fact in settings.facts.items() if key != name}
    settings.facts = rest | ({name: list(dict.fromkeys(entries))} if entries else {})


def _entries(value: Iterable[str]) -> list[str]:
    found = [entry for line in value if (entry := " ".join(storable(str(line)).split()))]
    if len(found) > MAX_ENTRIES:
        raise ValidationError(f"At most {MAX_ENTRIES} entries.")
    return found


def _contact(entry: str) -> str:
    if PHONE.fullmatch(entry):
        return entry
    try:
        validate_email(entry)
    except ValidationError:
        raise ValidationError(f"“{entry[:60]}” is no e-mail address and no telephone number.") from None
    return entry


def _domain(entry: str) -> str:
    host = re.sub(r"^[a-z]+://", "", entry.lower()).partition("/")[0].removeprefix("www.").removeprefix("*.")
    if not DOMAIN.fullmatch(host):
        raise ValidationError(f"“{entry[:60]}” is no domain such as example.com.")
    return host


def _set_sla(settings: GuardSettings, value: Mapping[str, Any]) -> None:
    if unknown := value.keys() - set(SLA_MINUTES):
        raise ValidationError(f"There is no risk {', '.join(sorted(unknown))}.")
    given = {risk: minutes for risk, minutes in value.items() if minutes is not None}
    if any(not isinstance(m, int) or not 1 <= m <= LONGEST_SLA_MINUTES for m in given.values()):
        raise ValidationError(f"Between 1 and {LONGEST_SLA_MINUTES:,} minutes.")
    whole = SLA_MINUTES | settings.sla_minutes | given
    settings.sla_minutes = {str(risk): minutes for risk, minutes in whole.items()}


def _set_expiry(settings: GuardSettings, value: int) -> None:
    if not 1 <= value <= LONGEST_EXPIRY_HOURS:
        raise ValidationError(f"Between 1 and {LONGEST_EXPIRY_HOURS:,} hours.")
    settings.expires_after_hours = value


SETTERS: dict[str, Callable[[GuardSettings, Any], None]] = {
    "markets": _set_markets,
    "industry": _set_industry,
    "pii_mode": _set_pii_mode,
    CERTIFICATE: _set_certificate,
    "allowed_contacts": _set_contacts,
    "allowed_domains": _set_allowed,
    "blocked_domains": _set_blocked,
    "sla_minutes": _set_sla,
    "expires_after_hours": _set_expiry,
}


def settings_of(actor: Actor) -> GuardSettings:
    actor.require(Perm.VIEW)
    return guard_settings(actor.workspace)
