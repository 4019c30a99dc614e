"""Templates, hashtags and signatures."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from campaigns.models import Snippet
from campaigns.snippets import create_snippet, delete_snippet, get_snippet, update_snippet, visible_snippets


class SnippetForm(forms.Form):
    kind = forms.ChoiceField(choices=Snippet.Kind.choices)
    name = forms.CharField(max_length=80, help_text="What you look for in the composer.")
    text = forms.CharField(max_length=5_000, strip=False, widget=forms.Textarea(attrs={"rows": 8}))


@member_view(Perm.VIEW)
def snippet_list(request: MemberRequest) -> HttpResponse:
    snippets = list(visible_snippets(request.actor))
    kinds = [(label, [row for row in snippets if row.kind == kind]) for kind, label in PLURALS.items()]
    return render(request, "campaigns/snippet_list.html", {"kinds": kinds, "has_snippets": bool(snippets)})


PLURALS = {
    Snippet.Kind.TEMPLATE: "Templates",
    Snippet.Kind.HASHTAGS: "Hashtags",
    Snippet.Kind.SIGNATURE: "Signatures",
    Snippet.Kind.REPLY: "Saved replies, for the inbox",
}


@member_view(Perm.CONTENT_EDIT)
def snippet_new(request: MemberRequest) -> HttpResponse:
    form = SnippetForm(request.POST or None, initial={"kind": request.GET.get("kind", Snippet.Kind.TEMPLATE)})
    return _edit(request, form, None)


@member_view(Perm.CONTENT_EDIT)
def snippet_edit(request: MemberRequest, snippet_id: UUID) -> HttpResponse:
    snippet = get_snippet(request.actor, snippet_id)
    values = {"kind": snippet.kind, "name": snippet.name, "text": snippet.text}
    return _edit(request, SnippetForm(request.POST or None, initial=values), snippet)


def _edit(request: MemberRequest, form: SnippetForm, snippet: Snippet | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            if snippet:
                update_snippet(snippet, by=request.actor, **form.cleaned_data)
            else:
                create_snippet(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("campaigns:snippet-list")
    context = {"form": form, "snippet": snippet}
    return render(request, "campaigns/snippet_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def snippet_delete(request: MemberRequest, snippet_id: UUID) -> HttpResponse:
    delete_snippet(get_snippet(request.actor, snippet_id), by=request.actor)
    messages.success(request, "Deleted. Posts that it was put into keep their text.")
    return redirect("campaigns:snippet-list")
