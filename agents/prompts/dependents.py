"""Which prompts name another one: what they name must not go away under them."""

from collections.abc import Iterator

from agents.models import Assistant, PromptVersion
from agents.prompts.compose import Wanted, references
from agents.prompts.errors import PromptConflict
from agents.prompts.library import shipped_prompts


def refuse_while_named(assistant: Assistant, *, number: int | None = None, label: str = "") -> None:
    """The assistant whole, or one version or label of it. Raises PromptConflict."""
    for version, wanted in _naming(assistant):
        is_this = (
            (wanted.version == number) if number else (wanted.label == label) if label else not _is_shipped(wanted)
        )
        if is_this:
            who = f"“{version.assistant.name}”, version {version.number},"
            raise PromptConflict(f"{who} names it. Change that first.")


def _is_shipped(wanted: Wanted) -> bool:
    """Then the shipped one takes its place."""
    return wanted.version is None and wanted.key in shipped_prompts()


def _naming(assistant: Assistant) -> Iterator[tuple[PromptVersion, Wanted]]:
    """Versions in use that name it; a version without a label serves nobody."""
    rows = PromptVersion.objects.filter(
        workspace=assistant.workspace,
        assistant__archived_at=None,
        labels__isnull=False,
        body__contains="@@@prompt:",
    )
    for version in rows.exclude(assistant=assistant).select_related("assistant").distinct():
        for _match, wanted in references(version.body):
            if wanted and wanted.key == assistant.key:
                yield version, wanted
