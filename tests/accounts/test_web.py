import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.forms import CharField, Form
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.access import Perm
from accounts.models import AuditDetail, Event, Notification, User, check_time_zone
from accounts.services import emit
from accounts.web import add_errors, member_view
from marketing.context import page_context

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(alice_actor, alice):
    def request(actor=alice_actor, user=alice, **headers):
        made = RequestFactory().get("/page?a=1", headers=headers)
        made.user, made.actor, made.workspace_slug = user, actor, ""
        return made

    return request


def count_events(request) -> HttpResponse:
    return HttpResponse(str(Event.objects.count()))


def test_view_of_a_member_is_inside_the_workspace(ask):
    def write(request) -> HttpResponse:
        emit(request.actor.workspace, "test.happened")
        return count_events(request)

    assert member_view()(write)(ask()).content == b"1"
    assert Event.objects.count() == 0


def test_view_that_opens_its_own_transactions_is_outside(ask):
    assert member_view(scope=False)(count_events)(ask()).content == b"0"


def test_failed_view_leaves_nothing_behind(ask, workspace):
    def fail(request) -> HttpResponse:
        emit(request.actor.workspace, "test.happened")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        member_view()(fail)(ask())
    assert member_view()(count_events)(ask()).content == b"0"


def test_view_asks_for_the_permission(ask, vic_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        member_view(Perm.SETTINGS)(count_events)(ask(vic_actor))


def test_view_sends_strangers_to_the_log_in(ask):
    response = member_view()(count_events)(ask(None, AnonymousUser()))
    assert response.url == "/accounts/login/?next=/page%3Fa%3D1"


def test_page_and_fragment_of_one_address_are_told_apart_by_caches(ask):
    assert "HX-Request" in member_view()(count_events)(ask())["Vary"]


def test_fragment_is_not_moved_to_the_address_of_the_workspace(ask):
    assert member_view()(count_events)(ask(**{"Sec-Fetch-Mode": "cors"})).status_code == 200


class SampleForm(Form):
    name = CharField()


@pytest.fixture
def form() -> SampleForm:
    made = SampleForm({"name": "x"})
    made.is_valid()
    return made


def test_refusal_of_a_field_stands_beside_it(form):
    add_errors(form, ValidationError({"name": "Too plain."}))
    assert form.errors == {"name": ["Too plain."]}


def test_refusal_of_an_unknown_field_stands_above_the_form(form):
    add_errors(form, ValidationError({"other": "Not today."}))
    assert form.non_field_errors() == ["Not today."]


def test_refusal_of_no_field_stands_above_the_form(form):
    add_errors(form, ValidationError("Not today."))
    assert form.non_field_errors() == ["Not today."]


def test_frame_of_a_stranger_knows_only_the_theme():
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = "dark"
    assert page_context(request)["theme"] == "dark"
    assert "workspace" not in page_context(request)


def test_frame_of_a_member_names_workspace_and_role(ask, workspace):
    context = page_context(ask())
    assert (context["workspace"], context["role"]) == (workspace, "Owner")


def test_address_of_a_person_is_kept_in_small_letters(db):
    assert User.objects.create_user("Nora@Example.ORG").email == "nora@example.org"


def test_person_is_found_whatever_the_capitals(alice):
    assert User.objects.get_by_natural_key("ALICE@example.org") == alice


def test_person_without_a_name_is_called_by_the_address(db):
    assert str(User(email="nora@example.org")) == "nora@example.org"


@pytest.mark.parametrize("value", ["", "Mars/Olympus", "../etc/passwd", "europe/berlin "])
def test_zone_that_is_none_is_refused(value):
    with pytest.raises(ValidationError, match="not a time zone"):
        check_time_zone(value)


@pytest.mark.parametrize(
    ("path", "href"), [("", ""), ("/posts/1", "/w/roastery/posts/1"), ("/w/roastery/posts/1", "/w/roastery/posts/1")]
)
def test_notification_leads_to_the_address_in_its_workspace(workspace, path, href):
    assert Notification(workspace=workspace, path=path).href == href


def test_details_are_written_out_for_people():
    detail = AuditDetail(data={"late_minutes": 5, "scopes": ["read", "write"], "changed": {"name": ["a", "b"]}})
    assert detail.facts == [("late minutes", "5"), ("scopes", "read, write"), ("changed", "name: a, b")]


def test_event_is_undone_with_its_transaction(in_workspace):
    with transaction.atomic():
        emit(in_workspace, "test.happened")
        transaction.set_rollback(True)
    assert not Event.objects.exists()
