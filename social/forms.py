from django import forms

from social.models import UnknownPolicy


def secret(label: str, *, required: bool = True) -> forms.CharField:
    """Never shown again, not even after a mistake elsewhere in the form."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=500, required=required, widget=widget)


class OwnAppForm(forms.Form):
    """The keys of an X app of one's own, for OAuth 2.0."""

    name = forms.CharField(max_length=80, label="Name", help_text="For you. The same name replaces the keys.")
    client_id = forms.CharField(
        max_length=200, label="Client ID", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    client_secret = secret("Client secret", required=False)


class UserKeysForm(forms.Form):
    """The four keys of OAuth 1.0a."""

    consumer_key = forms.CharField(max_length=200, label="API key")
    consumer_secret = secret("API key secret")
    access_token = secret("Access token")
    token_secret = secret("Access token secret")


class BotForm(forms.Form):
    """A bot of one's own."""

    token = secret("Bot token")


class ChatForm(forms.Form):
    """A chat that is not on the list."""

    chat = forms.CharField(
        max_length=200,
        label="Channel or group",
        help_text="@name, t.me/name or the chat's number.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )


class TopicForm(forms.Form):
    """A topic of a forum: a known one, the link to one, or the name of a new one."""

    topic = forms.CharField(max_length=200, required=False, label="Topic")
    link = forms.CharField(
        max_length=200, required=False, label="Link to a topic", help_text="In the topic's menu: “Copy link”."
    )
    name = forms.CharField(max_length=128, required=False, label="New topic")


class InviteLinkForm(forms.Form):
    name = forms.CharField(max_length=32, label="Name", help_text="Only admins of the chat see it.")
    member_limit = forms.IntegerField(
        min_value=1, max_value=99_999, required=False, label="At most", help_text="Members who can join by it."
    )
    expires_at = forms.DateTimeField(
        required=False,
        label="Ends",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    needs_approval = forms.BooleanField(required=False, label="An admin lets each person in")
    # A campaign's page that leads here names itself.
    campaign_id = forms.UUIDField(required=False, widget=forms.HiddenInput)


class NewTopicForm(forms.Form):
    name = forms.CharField(max_length=128, label="Name of the topic")


class UnknownPolicyForm(forms.Form):
    unknown_policy = forms.ChoiceField(
        choices=UnknownPolicy.choices, label="When nobody can tell whether a post is live", widget=forms.RadioSelect
    )
