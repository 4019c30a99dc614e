"""Forms of the pages about assistants and templates."""

from collections.abc import Mapping
from typing import Any

from django import forms

from agents.models import Assistant
from agents.prompts.assistants import workflow_choices
from agents.prompts.library import Template
from agents.prompts.versions import PromptDraft, newest

INDUSTRIES = {
    "beauty": "Beauty",
    "education": "Education",
    "food": "Food and drink",
    "retail": "Shops",
    "saas": "Software",
}
LANGUAGES = {"en": "English", "zh": "中文"}
CODE = {"rows": 16, "spellcheck": "false", "class": "mono"}


class LinesField(forms.CharField):
    """Names and meanings, one of them a line: {"brand": "What it is like"}."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        lines = [line for line in (super().to_python(value) or "").splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        return {name.strip().strip("{}").strip(): text.strip() for name, _colon, text in pairs}


class BodyField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        """Browsers send the line ends of Windows."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class AssistantForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What your team calls it.")
    description = forms.CharField(max_length=1_000, required=False)
    workflow = forms.ChoiceField(help_text="What it works in.")
    body = BodyField(
        label="Prompt",
        strip=False,
        widget=forms.Textarea(attrs=CODE),
        help_text="{{name}} is filled in for every run. @@@prompt:name=ground_rules@@@ puts another prompt in.",
    )
    variables = LinesField(required=False, help_text="One a line: <code>brand: what it is like</code>")
    message = forms.CharField(
        label="What changed", max_length=200, required=False, help_text="For those who read the versions."
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["workflow"]
        field.choices = [(name, name.replace("_", " ").capitalize()) for name in workflow_choices()]  # type: ignore[attr-defined]

    def draft(self) -> PromptDraft:
        data = self.cleaned_data
        return PromptDraft(data["body"], variables=data["variables"], message=data["message"])

    def fields_of(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "description", "workflow")}

    def prompt_after(self, before: Mapping[str, str]) -> dict[str, Any]:
        """What changes; a variable that is no longer listed is taken out."""
        data = self.cleaned_data
        return {
            "body": data["body"],
            "variables": dict.fromkeys(before) | data["variables"],
            "message": data["message"],
        }


def values_of(assistant: Assistant) -> dict[str, Any]:
    version = newest(assistant)
    same = {name: getattr(assistant, name) for name in ("name", "description", "workflow", "revision")}
    return {**same, "body": version.body, "variables": version.variables}


def values_from(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "description": template.description,
        "workflow": "campaign",
        "body": template.body,
        "variables": template.variables,
    }


class CloneForm(forms.Form):
    name = forms.CharField(max_length=80)
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class LabelForm(forms.Form):
    label = forms.CharField(max_length=40)
    version = forms.IntegerField(min_value=1)


class TemplateForm(forms.Form):
    name = forms.CharField(max_length=80)
    language = forms.CharField(max_length=12, help_text="Such as en or zh.")
    industry = forms.CharField(max_length=40, required=False, help_text=f"Such as {', '.join(INDUSTRIES)}.")
    body = BodyField(label="Prompt", strip=False, widget=forms.Textarea(attrs=CODE))


class LibraryFilter(forms.Form):
    q = forms.CharField(max_length=120, required=False)
    industry = forms.ChoiceField(choices=[("", "Every industry"), *INDUSTRIES.items()], required=False)
    language = forms.ChoiceField(choices=[("", "Every language"), *LANGUAGES.items()], required=False)

    def wanted(self) -> dict[str, str]:
        """What makes no sense is left out."""
        data = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        return {
            "words": data.get("q", ""),
            "industry": data.get("industry", ""),
            "language": data.get("language", ""),
        }
