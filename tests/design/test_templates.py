import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from accounts.templatetags.icons import status_icon

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "static"
SPRITE = set(re.findall(r'symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
EVERY_TEMPLATE = sorted(TEMPLATES.rglob("*.html"))
STATES = [
    "draft", "in_review", "approved", "scheduled", "publishing", "published",
    "failed", "retry_wait", "unconfirmed", "missed", "paused", "canceled",
]  # fmt: skip


def named(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


@pytest.fixture
def request_at_posts(rf: RequestFactory) -> HttpRequest:
    return rf.get("/posts/", {"status": "failed", "page": "2"})


class BudgetForm(forms.Form):
    budget = forms.IntegerField(min_value=0, help_text="In dollars.")
    four_eyes = forms.BooleanField(required=False)
    late = forms.ChoiceField(choices=[("ask", "Ask"), ("send", "Send")], widget=forms.RadioSelect)
    token = forms.CharField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, object]:
        raise forms.ValidationError("The campaign has ended.")


@pytest.fixture
def rejected_form() -> str:
    form = BudgetForm({"budget": "-5", "late": "ask", "token": "t"})
    assert not form.is_valid()
    return render_to_string("_form_fields.html", {"form": form})


@pytest.mark.parametrize("template", EVERY_TEMPLATE, ids=named)
def test_a_template_obeys_the_strict_content_policy(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"<style\b|\sstyle=", source)
    assert not re.search(r"\son[a-z]+=", source)
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert "hx-on" not in source


@pytest.mark.parametrize("template", EVERY_TEMPLATE, ids=named)
def test_a_template_names_only_icons_that_are_drawn(template: Path) -> None:
    source = template.read_text()
    icons = set(re.findall(r'\{% icon "([^"]+)"', source))
    icons |= set(re.findall(r'"_(?:empty|nav_link).html" with icon="([^"]+)"', source))
    assert icons <= SPRITE


@pytest.mark.parametrize("state", STATES)
def test_a_delivery_state_is_told_by_icon_and_words(state: str) -> None:
    chip = render_to_string("_status.html", {"status": state})
    icon = re.search(r"icons\.svg#([\w-]+)\"", chip)
    assert icon is not None
    assert icon[1] in SPRITE
    assert re.search(r"<span>[A-Z][a-z ]+</span>", chip)


def test_no_two_delivery_states_share_an_icon() -> None:
    chips = [status_icon(state) for state in STATES]
    assert len(set(chips)) == len(STATES)


def test_a_chip_takes_the_label_it_is_given() -> None:
    assert "<span>3 of 7 live</span>" in render_to_string(
        "_status.html", {"status": "published", "label": "3 of 7 live"}
    )


def test_an_error_stands_beside_its_field_and_is_announced_with_it(rejected_form: str) -> None:
    assert 'id="id_budget_error"' in rejected_form
    assert re.search(r'<input[^>]*name="budget"[^>]*aria-invalid="true"', rejected_form)
    assert re.search(r'aria-describedby="[^"]*id_budget_helptext', rejected_form)
    after_the_input = rejected_form.split('name="budget"')[1].split("<label", maxsplit=1)[0]
    assert "greater than or equal to 0" in after_the_input


def test_an_error_of_the_whole_form_is_an_alert_above_the_fields(rejected_form: str) -> None:
    alert, fields = rejected_form.split('name="budget"')
    assert 'role="alert"' in alert
    assert "The campaign has ended." in alert
    assert "The campaign has ended." not in fields


def test_what_the_user_typed_is_kept_with_the_error(rejected_form: str) -> None:
    assert 'value="-5"' in rejected_form


def test_a_checkbox_is_labelled_by_the_words_that_follow_it(rejected_form: str) -> None:
    assert re.search(
        r'<label class="check"><input type="checkbox" name="four_eyes"[^>]*><span>Four eyes', rejected_form
    )


def test_radio_buttons_are_grouped_under_a_legend(rejected_form: str) -> None:
    assert re.search(r"<fieldset[^>]*>\s*<legend>Late", rejected_form)


def test_a_hidden_field_has_no_label(rejected_form: str) -> None:
    assert 'name="token"' in rejected_form
    assert ">Token" not in rejected_form


def test_an_optional_field_says_so_and_a_required_one_does_not() -> None:
    class Names(forms.Form):
        first = forms.CharField()
        nickname = forms.CharField(required=False)

    html = render_to_string("_form_fields.html", {"form": Names()})
    assert html.count("(optional)") == 1
    assert "(optional)" in html.split('for="id_nickname"')[1]


def test_pagination_keeps_the_other_filters(request_at_posts: HttpRequest) -> None:
    page = Paginator(range(50), 20).page(2)
    html = render_to_string("_pagination.html", {"page": page}, request=request_at_posts)
    assert "status=failed&amp;page=1" in html
    assert "status=failed&amp;page=3" in html
    assert "21–40 of 50" in html


def test_pagination_is_absent_when_all_fits(request_at_posts: HttpRequest) -> None:
    page = Paginator(range(3), 20).page(1)
    assert not render_to_string("_pagination.html", {"page": page}, request=request_at_posts).strip()


@pytest.mark.parametrize(("path", "current"), [("/posts/", "page"), ("/posts/12/", "true"), ("/campaigns/", None)])
def test_navigation_marks_where_the_reader_is(rf: RequestFactory, path: str, current: str | None) -> None:
    html = render_to_string(
        "_nav_link.html", {"href": "/posts/", "icon": "posts", "label": "Posts", "request": rf.get(path)}
    )
    assert re.findall(r'aria-current="(\w+)"', html) == ([current] if current else [])


def test_text_of_a_message_is_escaped_in_its_toast() -> None:
    html = render_to_string("_messages.html", {"messages": ["<b>x</b>"]})
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_stored_theme_is_in_the_first_byte_of_html_so_nothing_flashes(rf: RequestFactory, theme: str) -> None:
    html = render_to_string("base.html", {"theme": theme, "request": rf.get("/")})
    assert f'data-theme="{theme}"' in html.split("<head>")[0]


def test_without_a_stored_theme_the_system_decides(rf: RequestFactory) -> None:
    assert 'data-theme="auto"' in render_to_string("base.html", {"request": rf.get("/")})


def test_htmx_may_not_evaluate_code_or_write_styles(rf: RequestFactory) -> None:
    html = render_to_string("base.html", {"request": rf.get("/")})
    assert '"allowEval": false' in html
    assert '"includeIndicatorStyles": false' in html


def test_the_page_of_a_crash_needs_no_context() -> None:
    source = (TEMPLATES / "500.html").read_text()
    assert "{%" not in source
    assert "{{" not in source
    assert all((STATIC / name).exists() for name in re.findall(r'href="/static/([^"]+)"', source))


def test_the_gallery_shows_every_state(rf: RequestFactory) -> None:
    html = render_to_string("styleguide.html", {"request": rf.get("/styleguide/")})
    assert all(f"status-{state}" in html for state in STATES)


def test_a_preview_shows_markup_only_where_it_was_made_safe() -> None:
    parts = [{"html": "<script>alert(1)</script>", "media": []}]
    html = render_to_string("_post_preview.html", {"network": "x", "author": {"name": "Acme"}, "parts": parts})
    assert "<script>" not in html


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_media_grid_describes_each_picture(count: int) -> None:
    media = [{"url": f"/m/{n}.jpg", "alt": f"Cup {n}"} for n in range(count)]
    html = render_to_string("_media_grid.html", {"media": media})
    assert f'data-count="{count}"' in html
    assert html.count('alt="Cup') == count
