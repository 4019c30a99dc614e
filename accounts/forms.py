from django import forms


class SignupForm(forms.Form):
    """What allauth adds to its own sign-up form."""

    name = forms.CharField(label="Your name", max_length=120, required=False)
    workspace = forms.CharField(
        label="Workspace",
        max_length=80,
        required=False,
        help_text="Your brand or team. You can change it later.",
    )
    time_zone = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def signup(self, request: object, user: "object") -> None:
        """allauth asks for this hook; the adapter does the work."""
