"""Versions of a prompt: rows that never change, numbered without gaps at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import Assistant, PromptLabel, PromptVersion, Run
from agents.prompts.errors import PromptConflict
from agents.prompts.serving import LATEST, PRODUCTION, sha256_of
from agents.prompts.syntax import as_name
from agents.prompts.validation import validate_prompt
from lib.text import one_line, storable

MAX_MESSAGE = 200
MAX_VARIABLES = 100


@dataclass(frozen=True)
class PromptDraft:
    """What a version will say. `variables` are names and what they mean, `config` is the caller's own."""

    body: str
    config: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    def merge(self, change: Mapping[str, Any]) -> "PromptDraft":
        """With what is named put in; null takes a name out of config and variables."""
        maps = {
            name: {key: value for key, value in {**getattr(self, name), **change[name]}.items() if value is not None}
            for name in ("config", "variables")
            if name in change
        }
        plain: dict[str, Any] = {name: change[name] for name in ("body", "message") if name in change}
        return replace(self, **plain | maps)

    def says_other_than(self, version: PromptVersion) -> bool:
        mine = (storable(self.body), dict(self.config), dict(self.variables))
        return mine != (version.body, version.config, version.variables)


def draft_of(version: PromptVersion) -> PromptDraft:
    return PromptDraft(version.body, version.config, version.variables)


def newest(assistant: Assistant) -> PromptVersion:
    return PromptVersion.objects.filter(assistant=assistant).order_by("-number")[0]


def get_version(assistant: Assistant, number: int) -> PromptVersion:
    version = PromptVersion.objects.filter(assistant=assistant, number=number).first()
    if version is None:
        raise Http404("Not found.")
    return version


def served_version(assistant: Assistant, *, number: int | None = None, label: str = "") -> PromptVersion:
    """By number or label; without either what is in production, or the newest while nothing is."""
    if number is not None:
        return get_version(assistant, number)
    rows = PromptVersion.objects.filter(assistant=assistant)
    found = rows.filter(labels__label=label or PRODUCTION).first()
    if found is None and label:
        raise Http404("Not found.")
    return found or newest(assistant)


def add_version(assistant: Assistant, draft: PromptDraft, *, by: Actor, **origin: Any) -> PromptVersion:
    """The next number, inside the transaction that holds the assistant's row. Raises ValidationError.

    `origin` is cloned_from or rolled_back_from.
    """
    body = storable(draft.body)
    refuse_errors(assistant, body)
    last = PromptVersion.objects.filter(assistant=assistant).order_by("-number").first()
    version = PromptVersion.objects.create(
        workspace=assistant.workspace,
        assistant=assistant,
        number=last.number + 1 if last else 1,
        body=body,
        config=dict(draft.config),
        variables=clean_variables(draft.variables),
        sha256=sha256_of(body),
        message=one_line(storable(draft.message))[:MAX_MESSAGE],
        author=by.user,
        author_label=by.label[:120],
        **origin,
    )
    PromptLabel.objects.update_or_create(
        workspace=assistant.workspace,
        assistant=assistant,
        label=LATEST,
        defaults={"version": version, "updated_by": by.user, "updated_at": version.created_at},
    )
    return version


def refuse_errors(assistant: Assistant, body: str) -> None:
    report = validate_prompt(assistant.workspace, body, key=assistant.key)
    if not report.is_valid:
        raise ValidationError({"body": [finding.message for finding in report.errors]})


def clean_variables(given: Mapping[str, str]) -> dict[str, str]:
    names = {as_name(str(name)): one_line(storable(str(text)))[:MAX_MESSAGE] for name, text in given.items()}
    if "" in names or len(names) > MAX_VARIABLES:
        raise ValidationError({"variables": f"At most {MAX_VARIABLES} plain names, each with what it means."})
    return names


def delete_version(version: PromptVersion, *, by: Actor) -> None:
    """For what was never used. Call it inside `changing`; raises PromptConflict."""
    by.require(Perm.CONTENT_EDIT)
    labels = sorted(version.labels.values_list("label", flat=True))
    if labels:
        raise PromptConflict(f"Version {version.number} is {', '.join(labels)}. Move that first.")
    if Run.objects.filter(prompt_version=version).exists():
        raise PromptConflict(f"Runs were made with version {version.number}; it is kept as their proof.")
    audit.record("prompt.delete", version.assistant, by=by, version=version.number, sha256=version.sha256)
    version.delete()
