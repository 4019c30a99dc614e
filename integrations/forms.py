from typing import Any, cast

from django import forms

from accounts.access import Actor
from integrations.mcp.registry import PROMPTS, RESOURCES, TOOLS
from integrations.models import McpServer, OutsideServer
from integrations.servers import MAX_CALLS_PER_MINUTE
from integrations.tool_groups import GROUPS, USUAL, by_group, prompts_for, resources_for, tools_in


def group_choices(actor: Actor) -> list[tuple[str, str]]:
    return [(group.name, f"{group.label}: {group.hint}") for group, _tools in by_group(actor.perms)]


class ServerForm(forms.Form):
    """A group gives all of its tools; single ones add to what the groups give."""

    name = forms.CharField(label="Name", max_length=80, help_text="What will use it: Claude on my laptop, for one.")
    groups = forms.MultipleChoiceField(label="What it may do", required=False, widget=forms.CheckboxSelectMultiple)
    tools = forms.MultipleChoiceField(
        label="Single tools",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For less than a whole group: leave the group off, and choose here.",
    )
    resources = forms.MultipleChoiceField(
        label="Material it may read", required=False, widget=forms.CheckboxSelectMultiple
    )
    prompts = forms.MultipleChoiceField(
        label="Prompts it may offer", required=False, widget=forms.CheckboxSelectMultiple
    )
    calls_per_minute = forms.IntegerField(
        label="Calls a minute, at most", min_value=1, max_value=MAX_CALLS_PER_MINUTE, initial=60
    )

    def __init__(self, *args: Any, actor: Actor, server: McpServer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.held = actor, list(server.tools) if server else []
        groups = by_group(actor.perms)
        self._choices("groups", group_choices(actor))
        self._choices("tools", [(tool.name, tool.title) for _group, tools in groups for tool in tools])
        self._choices("resources", [(name, RESOURCES[name].title) for name in resources_for(actor.perms)])
        self._choices("prompts", [(name, PROMPTS[name].title) for name in prompts_for(actor.perms)])
        self.initial.update(self._of(server) if server else self._usual())

    def _choices(self, field: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.MultipleChoiceField, self.fields[field]).choices = choices

    def _usual(self) -> dict[str, Any]:
        perms = self.actor.perms
        return {"groups": list(USUAL), "resources": resources_for(perms), "prompts": prompts_for(perms)}

    def _of(self, server: McpServer) -> dict[str, Any]:
        """Groups that it has as a whole, and single tools of the others."""
        held = set(server.tools)
        whole = [group.name for group, tools in by_group(self.actor.perms) if {tool.name for tool in tools} <= held]
        return {
            "name": server.name,
            "groups": whole,
            "tools": sorted(held - set(tools_in(whole, self.actor.perms))),
            "resources": server.resources,
            "prompts": server.prompts,
            "calls_per_minute": server.calls_per_minute,
        }

    def arguments(self) -> dict[str, Any]:
        """What the services take. What its person may not use just now stays as it was."""
        data = self.cleaned_data
        chosen = {*tools_in(data["groups"], self.actor.perms), *data["tools"]}
        out_of_reach = {name for name in self.held if name in TOOLS and not self.actor.can(TOOLS[name].perm)}
        return {
            "name": data["name"],
            "tools": sorted(chosen | out_of_reach),
            "resources": data["resources"],
            "prompts": data["prompts"],
            "calls_per_minute": data["calls_per_minute"],
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not (cleaned["groups"] or cleaned["tools"]):
            self.add_error("groups", "Choose at least one thing it may do.")
        return cleaned


class ConsentForm(forms.Form):
    """What somebody lets a program do that has sent them here."""

    workspace = forms.ChoiceField(label="Workspace")
    groups = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        choices=[(group.name, f"{group.label}: {group.hint}") for group in GROUPS.values()],
        error_messages={"required": "Choose at least one thing it may do, or refuse."},
    )

    def __init__(self, *args: Any, workspaces: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["workspace"]).choices = workspaces


class OutsideForm(forms.Form):
    name = forms.CharField(label="Name", max_length=40, help_text="What the assistant calls it: CRM, for one.")
    url = forms.CharField(label="Address", max_length=500, help_text="Of its MCP endpoint, on the public internet.")
    secret = forms.CharField(
        label="Authorization",
        required=False,
        max_length=2_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The whole header, such as “Bearer abc123”. Stored encrypted; nobody sees it again.",
    )
    keeps_secret = forms.BooleanField(label="Keep the secret it has", required=False, initial=True)

    def __init__(self, *args: Any, outside: OutsideServer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if outside is None or not outside.secret:
            del self.fields["keeps_secret"]
        if outside is not None:
            self.initial.update(name=outside.name, url=outside.url)

    def arguments(self) -> dict[str, Any]:
        """What the services take; None for a secret that stays."""
        data = self.cleaned_data
        stays = not data["secret"] and data.get("keeps_secret", False)
        return {"name": data["name"], "url": data["url"], "secret": None if stays else data["secret"]}
