from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from personal.access import person_of
from personal.forms import PreferencesForm
from personal.preferences import StalePreferences, change_preferences, get_preferences, has_telegram

STALE = "You saved these elsewhere in the meantime. Copy what you typed, and load the page again."


@member_view(Perm.VIEW)
def preferences(request: MemberRequest) -> HttpResponse:
    found = get_preferences(request.actor)
    initial = {name: getattr(found, name) for name in PreferencesForm.base_fields}
    form = PreferencesForm(request.POST or None, initial=initial | {"interests": ", ".join(found.interests)})
    status = 200
    if request.method == "POST" and (status := _save(request, form)) == 200:
        messages.success(request, "Saved. Your next brief and your next chat know it.")
        return redirect("personal:preferences")
    context = {"form": form, "has_telegram": has_telegram(person_of(request.actor))}
    return render(request, "personal/preferences.html", context, status=status)


def _save(request: MemberRequest, form: PreferencesForm) -> int:
    if not form.is_valid():
        return 422
    fields = dict(form.cleaned_data)
    expected = fields.pop("version") or None
    fields["language"] = fields["language"] or "en"
    try:
        change_preferences(by=request.actor, expected=expected, **fields)
    except StalePreferences:
        form.add_error(None, STALE)
        return 409
    except ValidationError as error:
        add_errors(form, error)
        return 422
    return 200
