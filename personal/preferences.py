"""How a person wants their assistant, their briefs and their news.

What the assistant reads (personality, profile, manner) is kept as the person's memory blocks, where every prompt finds
it; the rest in `Preference`. `version` covers both, whichever page changed them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor
from accounts.models import User
from agents.memory.blocks import OWN_BLOCK, PERSONALITY, PROFILE, get_block, write_block
from agents.models import MemoryBlock
from lib.clock import now
from lib.text import one_line, storable
from personal.access import person_of
from personal.models import Preference
from personal.wording import LANGUAGES
from social.models import TelegramLink

# Field to the block that holds it.
BLOCKS = {"personality": PERSONALITY, "profile": PROFILE, "manner": OWN_BLOCK}
CHANNELS = {"in_app": "Here", "mail": "Mail", "telegram": "Telegram"}
DEFAULTS: Mapping[str, Any] = {
    "language": "en",
    "interests": (),
    "channels": ("in_app",),
    "personality": "",
    "profile": "",
    "manner": "",
}
MAX_INTERESTS, MAX_INTEREST = 20, 60


class StalePreferences(Exception):
    """They were changed in the meantime. (API: 409)"""


@dataclass(frozen=True)
class Preferences:
    language: str
    interests: tuple[str, ...]
    channels: tuple[str, ...]
    personality: str
    profile: str
    manner: str
    # What If-Match is held against.
    version: str


def get_preferences(by: Actor) -> Preferences:
    person = person_of(by)
    row = Preference.objects.filter(workspace=by.workspace, user=person).first()
    return _whole(row or Preference(channels=list(DEFAULTS["channels"])), by)


def _whole(row: Preference, by: Actor) -> Preferences:
    labels = [kind.label for kind in BLOCKS.values()]
    mine = MemoryBlock.objects.filter(workspace=by.workspace, user=by.user, label__in=labels)
    blocks = {block.label: block for block in mine}
    texts = {name: blocks[kind.label].text if kind.label in blocks else "" for name, kind in BLOCKS.items()}
    versions = [blocks[label].version if label in blocks else 0 for label in labels]
    return Preferences(
        language=row.language,
        interests=tuple(row.interests),
        channels=tuple(row.channels),
        version="-".join(map(str, [row.revision, *versions])),
        **texts,
    )


def change_preferences(*, by: Actor, expected: str | None = None, **fields: Any) -> Preferences:
    """Any of DEFAULTS. `expected`: the version it was made from. Raises StalePreferences, ValidationError by field."""
    if unknown := fields.keys() - DEFAULTS.keys():
        raise TypeError(f"{', '.join(sorted(unknown))}: no preferences.")
    person = person_of(by)
    cleaned = {name: CLEAN[name](person, value) for name, value in fields.items() if name in CLEAN}
    with transaction.atomic():
        row = _locked(by, person)
        if expected is not None and expected != _whole(row, by).version:
            raise StalePreferences("They were changed in the meantime. Look at them again.")
        changed = {name for name, value in cleaned.items() if list_or_text(getattr(row, name)) != list_or_text(value)}
        for name in changed:
            setattr(row, name, cleaned[name])
        texts = {name for name in fields.keys() & BLOCKS.keys() if _write(name, fields[name], by)}
        if changed or texts:
            row.revision, row.updated_at = row.revision + 1, now()
            row.save()
            audit.record("preferences.change", row, by=by, fields=sorted(changed | texts))
        return _whole(row, by)


def replace_preferences(*, by: Actor, expected: str | None = None, **fields: Any) -> Preferences:
    """What is left out becomes as it was at first."""
    return change_preferences(by=by, expected=expected, **{**DEFAULTS, **fields})


def language_of(user: User, workspace_id: UUID) -> str:
    row = Preference.objects.filter(workspace=workspace_id, user=user).values_list("language", flat=True)
    return row.first() or str(DEFAULTS["language"])


def has_telegram(person: User) -> bool:
    return TelegramLink.objects.filter(user=person).exists()


def _locked(by: Actor, person: User) -> Preference:
    fresh = Preference(workspace=by.workspace, user=person, channels=list(DEFAULTS["channels"]))
    Preference.objects.bulk_create([fresh], ignore_conflicts=True)
    return Preference.objects.select_for_update(no_key=True).get(workspace=by.workspace, user=person)


def _write(name: str, text: str, by: Actor) -> bool:
    label = BLOCKS[name].label
    before = get_block(by, label).version
    try:
        return write_block(label, text, by=by).version != before
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error


# --- one field ----------------------------------------------------------------------------------------------


def list_or_text(value: Any) -> Any:
    return value if isinstance(value, str) else list(value)


def _language(_person: User, value: Any) -> str:
    if value not in LANGUAGES:
        raise ValidationError({"language": f"Choose one of {', '.join(LANGUAGES)}."})
    return str(value)


def _interests(_person: User, value: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(line for text in value if (line := one_line(storable(text)))))
    if len(found) > MAX_INTERESTS or any(len(line) > MAX_INTEREST for line in found):
        raise ValidationError({"interests": f"At most {MAX_INTERESTS} topics of {MAX_INTEREST} characters."})
    return found


def _channels(person: User, value: Iterable[str]) -> list[str]:
    wanted = set(value)
    if unknown := wanted - CHANNELS.keys():
        raise ValidationError({"channels": f"Choose from {', '.join(CHANNELS)}, not {one_line(min(unknown))[:40]}."})
    if "telegram" in wanted and not has_telegram(person):
        raise ValidationError({"channels": "Link your Telegram account on your profile first."})
    return [name for name in CHANNELS if name in wanted]


CLEAN = {"language": _language, "interests": _interests, "channels": _channels}
