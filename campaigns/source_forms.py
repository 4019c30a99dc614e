from typing import Any

from django import forms

from campaigns.models import Campaign, Source
from campaigns.source_config import MAX_LANGUAGE, MAX_NEWEST, MAX_TEMPLATE, PLACEHOLDERS, SourceConfig, read_config
from social.models import Connection

CONFIG_FIELDS = tuple(SourceConfig.__dataclass_fields__)
KNOWN = " ".join(f"<code>{{{name}}}</code>" for name in PLACEHOLDERS)


class SourceForm(forms.Form):
    """What folders and feeds have in common: where posts go and how they are written."""

    name = forms.CharField(label="Name", max_length=120)
    campaign = forms.ModelChoiceField(
        label="Campaign", queryset=Campaign.objects.none(), required=False, empty_label="No campaign"
    )
    connections = forms.ModelMultipleChoiceField(
        label="New posts go to",
        queryset=Connection.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    text_template = forms.CharField(
        label="Text of a post",
        max_length=MAX_TEMPLATE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Replaced by what it says: {KNOWN}. Empty for the usual text.",
    )
    tags = forms.CharField(
        label="Tags", max_length=1100, required=False, help_text="Separated by commas; every post gets them."
    )
    language = forms.CharField(
        label="Language", max_length=MAX_LANGUAGE, required=False, help_text="A code such as en, de or zh-CN."
    )
    enhance = forms.BooleanField(
        label="Let agents improve the texts",
        required=False,
        help_text="They write them anew as the brand speaks, as drafts that say where they come from.",
    )
    submit = forms.BooleanField(
        label="Send new posts to review",
        required=False,
        help_text="Otherwise they wait as drafts. Nothing goes out without an approval.",
    )
    is_active = forms.BooleanField(
        label="Look for new files by itself",
        required=False,
        initial=True,
        help_text="Every few minutes. Otherwise only when somebody presses Scan now.",
    )

    def __init__(self, *args: Any, campaigns: Any, connections: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]
        self.fields["connections"].queryset = connections  # type: ignore[attr-defined]

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in self.cleaned_data["tags"].replace("，", ",").split(",") if tag.strip()]

    def values(self) -> dict[str, Any]:
        """As the services take them."""
        values = dict(self.cleaned_data)
        config = {name: values.pop(name) for name in CONFIG_FIELDS if name in values}
        if config.get("newest_only", 0) is None:
            del config["newest_only"]
        return values | {"config": config, "connections": [connection.pk for connection in values["connections"]]}


class FolderForm(SourceForm):
    folder = forms.CharField(label="Folder", max_length=300)

    def __init__(self, *args: Any, folders: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["folder"].widget.attrs["list"] = "folders"
        self.folders = folders


class FeedForm(SourceForm):
    feed_url = forms.CharField(
        label="Address of the feed",
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "url", "placeholder": "https://"}),
        help_text="RSS or Atom, or a page that names its feed.",
    )
    newest_only = forms.IntegerField(
        label="Posts from what is there already",
        min_value=0,
        max_value=MAX_NEWEST,
        required=False,
        help_text="So many of the newest entries become drafts at once. Everything that comes later becomes one.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_active"].label = "Look for new entries by itself"
        self.fields["is_active"].help_text = "Every quarter of an hour. Otherwise only when somebody presses Scan now."


def initial_of(source: Source) -> dict[str, Any]:
    config = read_config(source.config)
    return {name: getattr(source, name) for name in ("name", "folder", "feed_url", "is_active")} | {
        **config.as_json(),
        "tags": ", ".join(config.tags),
        "campaign": source.campaign_id,
        "connections": list(source.targets.values_list("connection_id", flat=True)),
    }
