"""The pages under “You”."""

import html
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from accounts.models import Notification, Workspace
from accounts.scope import workspace_scope
from agents.models import PeriodicTask
from agents.periodic.services import create_task
from lib.clock import now, shifted
from lib.ids import uuid7
from personal.booking import book
from personal.forms import REPEATS, TIMING
from personal.models import Brief, Watch, WatchValue
from personal.preferences import change_preferences, get_preferences
from personal.schedule_words import schedule_words
from tests.personal.rows import add_watched, fill_corner

pytestmark = pytest.mark.django_db
PAGES = ("/you", "/you/briefs", "/you/watchlist", "/you/tasks", "/you/preferences", "/you/tasks/new/brief")


@pytest.fixture
def corner(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        return fill_corner(alice_actor)


@pytest.fixture
def march():
    """Sunday 1 March 2026, 18:00 in Berlin."""
    with shifted(datetime(2026, 3, 1, 17, tzinfo=UTC) - now()):
        yield


def page(client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return html.unescape(answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_corner_says_what_to_do(alice_client, path: str) -> None:
    assert "<h1>" in page(alice_client, path)


@pytest.mark.parametrize("path", PAGES)
def test_a_corner_is_not_for_guests_or_strangers(workspace, gwen_client, client, path: str) -> None:
    assert gwen_client.get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_the_overview_has_everything(alice_client, corner) -> None:
    text = page(alice_client, "/you")
    assert "Brief of 10 March 2026" in text
    assert "/w/roastery/attention/" in text
    assert "The neighbours" in text
    assert "Morning brief" in text
    assert "112.50 USD (+12.5 % since you were last told)" in text


def test_a_brief_that_is_set_up_is_not_offered_again(alice_client, workspace, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        task = create_task(kind="brief", name="Early", mode="cron", spec="0 6 * * *", by=alice_actor)
    text = page(alice_client, "/you")
    assert "Your brief is set up" in text
    assert "Set up a brief" not in text
    alice_client.post(f"/you/tasks/{task.pk}/pause")
    assert "Set up a brief" in page(alice_client, "/you")


def test_nobody_sees_anothers_corner(bob_client, corner) -> None:
    brief, task = corner
    for path in ("/you", "/you/briefs", "/you/watchlist", "/you/tasks"):
        text = page(bob_client, path)
        assert "Brief of 10 March" not in text
        assert "The neighbours" not in text
        assert str(task.pk) not in text
    page(bob_client, f"/you/briefs/{brief.pk}", 404)
    page(bob_client, f"/you/tasks/{task.pk}", 404)
    assert bob_client.post(f"/you/tasks/{task.pk}/pause").status_code == 404


# --- watchlist ----------------------------------------------------------------------------------------------


def test_who_looks_at_the_list_has_been_told(alice_client, workspace, corner) -> None:
    assert "since you were last told" in page(alice_client, "/you/watchlist")
    assert "since you were last told" not in page(alice_client, "/you/watchlist")
    with workspace_scope(workspace.pk):
        assert {row.seen_seq for row in Watch.objects.filter(value__kind="symbol")} == {2}


def test_the_list_says_what_is_wrong_and_what_is_not_there(alice_client, corner, settings) -> None:
    settings.DATA_API_BASE_URL, settings.X_BEARER_TOKEN = "", "set"
    text = page(alice_client, "/you/watchlist")
    assert "X could not be read." in text
    assert "Symbols are not available here" in text
    assert "Accounts and keywords are not available" not in text


def test_the_list_asks_the_same_number_of_questions_however_long(
    alice_client, workspace, alice_actor, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    def add(start: int, end: int) -> None:
        with workspace_scope(workspace.pk):
            for number in range(start, end):
                add_watched(alice_actor, "keyword", f"word{number}", {"id": "1", "text": "New", "url": "https://x"})

    add(0, 2)
    page(alice_client, "/you/watchlist")
    with django_assert_max_num_queries(40) as asked:
        page(alice_client, "/you/watchlist")
        number = len(asked)
    add(2, 12)
    page(alice_client, "/you/watchlist")
    with django_assert_num_queries(number):
        page(alice_client, "/you/watchlist")


def test_adding_changing_and_stopping(alice_client, workspace, providers) -> None:
    assert alice_client.post("/you/watchlist", {"value": "＄acme"}).status_code == 302
    with workspace_scope(workspace.pk):
        row = Watch.objects.select_related("value").get()
    assert row.value.value == "acme"
    alice_client.post(f"/you/watchlist/{row.pk}", {"label": "Supplier", "alert_percent": "2.5"})
    text = page(alice_client, "/you/watchlist")
    assert "Supplier" in text
    assert "2.50 %" in text
    refused = alice_client.post(f"/you/watchlist/{row.pk}", {"alert_percent": "-1"})
    assert refused.status_code == 422
    alice_client.post(f"/you/watchlist/{row.pk}/remove")
    assert WatchValue.objects.get().watchers == 0
    assert "You watch nothing yet" in page(alice_client, "/you/watchlist")


def test_what_watching_takes_stands_beside_the_list(alice_client, workspace, alice_actor, bob_actor) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(plan="free")
    assert "720 and 2,880 readings a month" in page(alice_client, "/you/watchlist")
    with workspace_scope(workspace.pk):
        acme = add_watched(alice_actor, "symbol", "acme", {}).value
        Watch.objects.create(workspace=workspace, user=bob_actor.user, value=acme)
        for symbol in ("duck", "rope"):
            add_watched(bob_actor, "symbol", symbol, {})
        WatchValue.objects.update(every_s=900)
        book({acme.pk: 1_500})
    text = page(alice_client, "/you/watchlist")
    assert "1 of 10,000 used, $0.0015" in text
    assert "takes about" not in text
    with workspace_scope(workspace.pk):
        add_watched(alice_actor, "symbol", "fire", {})
        WatchValue.objects.update(every_s=900)
    assert "takes about 11,520 readings a month, and the plan has 10,000" in page(alice_client, "/you/watchlist")


@pytest.mark.parametrize(("typed", "said"), [("@", "Type an account"), ("@too_long_for_a_handle", "up to 15 letters")])
def test_a_refusal_stands_beside_what_was_typed(alice_client, providers, typed: str, said: str) -> None:
    answer = alice_client.post("/you/watchlist", {"value": typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{typed}"' in answer.text


def test_interests_become_ideas(alice_client, workspace, alice_actor, providers) -> None:
    with workspace_scope(workspace.pk):
        change_preferences(by=alice_actor, interests=["Coffee", "咖啡"])
        add_watched(alice_actor, "keyword", "coffee", {})
    text = page(alice_client, "/you/watchlist")
    assert "?add=%E5%92%96%E5%95%A1" in text
    assert "?add=Coffee" not in text


# --- briefs ---------------------------------------------------------------------------------------------------


def test_briefs_are_listed_found_by_day_and_read(alice_client, workspace, alice_actor, corner) -> None:
    brief, _task = corner
    own = {"workspace": workspace, "user": alice_actor.user, "data": {"sections": []}}
    with workspace_scope(workspace.pk):
        Brief.objects.create(wanted_at=datetime(2026, 1, 5, 8, tzinfo=UTC), title="An old one", **own)
    text = page(alice_client, "/you/briefs")
    assert text.index("Brief of 10 March") < text.index("An old one")
    found = page(alice_client, "/you/briefs?on=2026-01-05")
    assert "An old one" in found
    assert "Brief of 10 March" not in found
    assert "Nothing on that day" in page(alice_client, "/you/briefs?on=2026-01-06")
    for nonsense in ("2026-02-31", "soon", "%00"):
        assert "An old one" in page(alice_client, f"/you/briefs?on={nonsense}")
    assert "1 to review" in page(alice_client, f"/you/briefs/{brief.pk}")
    with workspace_scope(workspace.pk):
        assert Brief.objects.get(pk=brief.pk).read_at is not None


def test_an_answer_that_is_on_its_way_is_waited_for(alice_client, workspace, alice_actor) -> None:
    own = {"workspace": workspace, "user": alice_actor.user, "run_id": uuid7(), "wanted_at": now()}
    with workspace_scope(workspace.pk):
        brief = Brief.objects.create(title="Ideas", data={"sections": []}, **own)
    for path in ("/you", f"/you/briefs/{brief.pk}"):
        assert "still at work on this" in page(alice_client, path)
    assert 'hx-select="#brief"' in page(alice_client, f"/you/briefs/{brief.pk}")
    lines = [{"text": "Post the autumn roast.", "path": ""}]
    with workspace_scope(workspace.pk):
        Brief.objects.update(data={"sections": [{"key": "answer", "title": "Answer", "lines": lines}]})
    for path in ("/you", f"/you/briefs/{brief.pk}"):
        text = page(alice_client, path)
        assert "Post the autumn roast." in text
        assert "still at work" not in text
    assert 'id="brief"' in text
    assert 'hx-select="#brief"' not in text


# --- tasks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "mode", "spec", "words"),
    [
        ("brief", {"repeat": "weekdays", "at": "08:30"}, "cron", "30 8 * * 1-5", "Every weekday at 08:30"),
        ("brief", {"repeat": "daily", "at": "07:00"}, "cron", "0 7 * * *", "Every day at 07:00"),
        ("report", {"repeat": "weekly", "at": "09:00", "day": "1"}, "cron", "0 9 * * 1", "Every Monday at 09:00"),
        ("report", {"repeat": "monthly", "at": "09:00"}, "cron", "0 9 1 * *", "On the first of every month at 09:00"),
        ("brief", {"repeat": "hours", "hours": "6"}, "every", "21600", "Every 6 hours"),
        # What stands in fields of other ways, which nobody sees, is not read.
        ("brief", {"repeat": "daily", "at": "07:00", "hours": "0"}, "cron", "0 7 * * *", "Every day at 07:00"),
        ("brief", {"repeat": "hours", "hours": "1", "at": "25:00", "on": "soon"}, "every", "3600", "Every hour"),
        ("prompt", {"repeat": "cron", "cron": "5 4 1,15 * *"}, "cron", "5 4 1,15 * *", "By cron: 5 4 1,15 * *"),
    ],
)
def test_a_task_is_made_in_choices(alice_client, workspace, kind, fields, mode, spec, words) -> None:
    own = {"report": {"period": "week"}, "prompt": {"instruction": "Anything new?"}}.get(kind, {})
    answer = alice_client.post(f"/you/tasks/new/{kind}", {"name": "Mine", **fields, **own})
    assert answer.status_code == 302, answer.text
    with workspace_scope(workspace.pk):
        task = PeriodicTask.objects.get()
    assert (task.mode, task.spec, task.time_zone) == (mode, spec, "Europe/Berlin")
    text = page(alice_client, f"/you/tasks/{task.pk}")
    assert words in text
    assert "Europe/Berlin" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"repeat": "once", "at": "09:00"}, "This is needed."),
        ({"repeat": "once", "at": "09:00", "on": "2020-01-01"}, "This moment has passed."),
        ({"repeat": "cron", "cron": "every day"}, "no cron expression"),
        ({"repeat": "hours"}, "This is needed."),
        ({"repeat": "hours", "hours": "0"}, "greater than or equal to 1"),
        ({"repeat": "weekly", "at": "09:00"}, "This is needed."),
        ({"repeat": "sometimes"}, "Select a valid choice."),
        ({"repeat": "daily"}, "Give a time."),
        ({"repeat": "cron", "cron": "* * * * *"}, "every hour at most"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_lost(alice_client, workspace, fields, said: str) -> None:
    answer = alice_client.post("/you/tasks/new/brief", {"name": "Mein Morgen", **fields})
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert "Mein Morgen" in answer.text


def test_each_way_of_repeating_hides_what_it_does_not_need(alice_client) -> None:
    text, css = page(alice_client, "/you/tasks/new/brief"), (settings.BASE_DIR / "static/css/personal.css").read_text()
    assert TIMING.keys() == REPEATS.keys()
    for name in set.union(*TIMING.values()):
        assert f'class="timing-{name}"' in text
        assert f".timing-{name}" in css


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, ["Mon 2 Mar 2026, 09:00", "Tue 3 Mar 2026, 09:00", "Wed 4 Mar 2026, 09:00"]),
        ({"repeat": "weekly", "day": "0"}, ["Sun 8 Mar", "Sun 15 Mar", "Sun 22 Mar 2026, 09:00"]),
        ({"repeat": "cron", "cron": "30 2 29 3 *"}, ["Sun 29 Mar 2026, 03:00", "Mon 29 Mar 2027, 02:30"]),
        (
            {"repeat": "once", "on": "2026-03-01", "at": "23:30"},
            ["First times on the clock of Europe/Berlin: ", "Sun 1 Mar 2026, 23:30"],
        ),
        ({"repeat": "once", "on": "2026-02-01"}, ["This moment has passed."]),
        ({"repeat": "cron", "cron": "0 0 30 2 *"}, ["This is no cron expression"]),
        ({"repeat": "hours", "hours": "7"}, ["Mon 2 Mar 2026, 01:00", "Mon 2 Mar 2026, 08:00"]),
    ],
)
def test_whoever_chooses_a_time_sees_what_it_means(alice_client, workspace, march, query, said) -> None:
    answer = alice_client.get("/you/tasks/new/brief", query)
    for words in said:
        assert words in answer.text


@pytest.mark.parametrize("query", [{"repeat": "cron"}, {"repeat": "weekly", "day": "9"}, {"repeat": "x"}])
def test_a_time_that_is_none_has_no_first_times(alice_client, workspace, query) -> None:
    answer = alice_client.get("/you/tasks/new/brief", query)
    assert answer.status_code == 200
    assert "First times" not in answer.text
    assert "On the clock of Europe/Berlin." in answer.text


def test_a_task_is_changed_and_keeps_its_time_unless_another_is_chosen(alice_client, workspace, corner) -> None:
    _brief, task = corner
    path = f"/you/tasks/{task.pk}/edit"
    assert "As now: Every weekday at 09:00" in page(alice_client, path)
    assert alice_client.post(path, {"name": "Early", "repeat": "keep"}).status_code == 302
    with workspace_scope(workspace.pk):
        kept = PeriodicTask.objects.get()
    assert (kept.name, kept.spec, kept.args, kept.wanted_at) == (
        "Early",
        task.spec,
        {"with_words": False},
        task.wanted_at,
    )
    refused = alice_client.post(path, {"name": "Later", "repeat": "cron", "cron": "* * * * *"})
    assert refused.status_code == 422
    assert "every hour at most" in refused.text
    assert alice_client.post(path, {"name": "Later", "repeat": "daily", "at": "17:15"}).status_code == 302
    assert "Every day at 17:15" in page(alice_client, f"/you/tasks/{task.pk}")


def test_a_new_time_is_on_the_clock_of_today(alice_client, alice, workspace, corner) -> None:
    _brief, task = corner
    type(alice).objects.filter(pk=alice.pk).update(time_zone="Asia/Shanghai")
    path = f"/you/tasks/{task.pk}/edit"
    assert "on the clock of Europe/Berlin" in page(alice_client, path)
    assert "on the clock of Asia/Shanghai" in page(alice_client, f"{path}?repeat=daily")
    alice_client.post(path, {"name": "Later", "repeat": "daily", "at": "17:15"})
    with workspace_scope(workspace.pk):
        assert PeriodicTask.objects.get().time_zone == "Asia/Shanghai"


def test_nobody_changes_anothers_task(bob_client, corner) -> None:
    _brief, task = corner
    page(bob_client, f"/you/tasks/{task.pk}/edit", 404)
    assert bob_client.post(f"/you/tasks/{task.pk}/edit", {"name": "Mine", "repeat": "keep"}).status_code == 404


def test_a_task_says_its_next_times(alice_client, workspace, march, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        _brief, task = fill_corner(alice_actor)
    text = page(alice_client, f"/you/tasks/{task.pk}")
    for words in ("Mon 2 Mar, 09:00", "Tue 3 Mar, 09:00", "Wed 4 Mar, 09:00"):
        assert words in text
    alice_client.post(f"/you/tasks/{task.pk}/pause")
    assert "Tue 3 Mar, 09:00" not in page(alice_client, f"/you/tasks/{task.pk}")


def test_a_full_plan_leads_to_the_plans(alice_client, workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(plan="free")
    fields = {"name": "Mine", "repeat": "daily", "at": "07:00"}
    answers = [alice_client.post("/you/tasks/new/brief", fields) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 422]
    assert '/settings/plan">Compare plans</a>' in answers[-1].text.partition("no more room")[2][:200]


def test_a_task_is_paused_resumed_run_and_deleted(alice_client, workspace, corner) -> None:
    _brief, task = corner

    def now() -> PeriodicTask | None:
        with workspace_scope(workspace.pk):
            return PeriodicTask.objects.filter(pk=task.pk).first()

    for act, is_active in (("pause", False), ("resume", True), ("run", True)):
        assert alice_client.post(f"/you/tasks/{task.pk}/{act}").status_code == 302
        found = now()
        assert found is not None
        assert found.is_active is is_active
    assert alice_client.post(f"/you/tasks/{task.pk}/explode").status_code == 404
    assert alice_client.post(f"/you/tasks/{task.pk}/delete").status_code == 302
    assert now() is None


def test_a_viewer_is_offered_briefs_only(workspace, vic_client) -> None:
    text = page(vic_client, "/you/tasks")
    assert "/you/tasks/new/brief" in text
    assert "/you/tasks/new/prompt" not in text
    page(vic_client, "/you/tasks/new/prompt", 403)
    page(vic_client, "/you/tasks/new/nothing", 404)


@pytest.mark.parametrize(
    ("mode", "spec", "words"),
    [
        ("at", "2026-03-29T00:30:00+00:00", "Once, on 29 March 2026 at 01:30"),
        ("at", "2026-03-29T01:30:00+00:00", "Once, on 29 March 2026 at 03:30"),
        ("every", "86400", "Every day"),
        ("every", "5400", "Every 90 minutes"),
        ("cron", "0 9 * * 0", "Every Sunday at 09:00"),
        ("cron", "0 9 * * 7", "Every Sunday at 09:00"),
        ("cron", "0 9 1 * 1", "By cron: 0 9 1 * 1"),
        ("cron", "*/5 9 * * *", "By cron: */5 9 * * *"),
    ],
)
def test_times_in_words(mode: str, spec: str, words: str) -> None:
    assert schedule_words(mode, spec, ZoneInfo("Europe/Berlin")) == words


# --- preferences ------------------------------------------------------------------------------------------------


def chosen(workspace, actor):
    with workspace_scope(workspace.pk):
        return get_preferences(actor)


def test_preferences_are_saved(alice_client, workspace, alice_actor) -> None:
    fields = {"language": "zh", "channels": ["in_app", "mail"], "personality": "Dry.", "interests": "coffee，咖啡;tea"}
    assert alice_client.post("/you/preferences", {**fields, "version": "0-0-0-0"}).status_code == 302
    found = chosen(workspace, alice_actor)
    assert (found.language, found.personality, found.interests) == ("zh", "Dry.", ("coffee", "咖啡", "tea"))
    assert "coffee, 咖啡, tea" in page(alice_client, "/you/preferences")


def test_an_old_page_changes_nothing_and_loses_nothing(alice_client, workspace, alice_actor) -> None:
    seen = chosen(workspace, alice_actor).version
    with workspace_scope(workspace.pk):
        change_preferences(by=alice_actor, personality="Warm.")
    answer = alice_client.post("/you/preferences", {"personality": "Dry.", "version": seen})
    assert answer.status_code == 409
    assert "Dry." in answer.text
    assert chosen(workspace, alice_actor).personality == "Warm."


def test_telegram_without_a_link_is_refused_beside_its_field(alice_client, workspace) -> None:
    answer = alice_client.post("/you/preferences", {"channels": ["telegram"]})
    assert answer.status_code == 422
    assert "Link your Telegram account" in answer.text
    assert not Notification.objects.exists()


def test_a_plan_that_is_full_is_told(alice_client, workspace, alice_actor, providers) -> None:
    workspace.plan = "free"
    workspace.save()
    with workspace_scope(workspace.pk):
        for number in range(10):
            add_watched(alice_actor, "keyword", f"word{number}", {})
    answer = alice_client.post("/you/watchlist", {"value": "one more"})
    assert answer.status_code == 422
    assert "Free plan" in answer.text
