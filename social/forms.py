from django import forms


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
