"""Moving posts in the calendar by mouse, by finger and by keyboard, in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from campaigns.calendar_span import read_span
from campaigns.deliveries import schedule_delivery
from campaigns.models import Delivery
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post, mark_published
from tests.screens import find_browser

BERLIN = ZoneInfo("Europe/Berlin")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def monday() -> datetime:
    """Monday of the week after next, midnight in Berlin: nothing of that week is past."""
    today = now().astimezone(BERLIN).date()
    first = today - timedelta(days=today.weekday()) + timedelta(days=14)
    return datetime.combine(first, time(), BERLIN)


@pytest.fixture
def delivery(workspace: Workspace, bob_actor: Actor, monday: datetime) -> Delivery:
    """Planned for that Tuesday at 09:30."""
    with workspace_scope(workspace.pk):
        row = Delivery.objects.get(post=add_post(bob_actor, add_connection(workspace), text="Fresh beans"))
        return schedule_delivery(row, monday + timedelta(days=1, hours=9, minutes=30), by=bob_actor)


@pytest.fixture
def open_at(browser: Browser, live_server, workspace: Workspace, bob: User, bob_client: Client) -> Iterator:
    session = bob_client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts = []

    def go(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 1000}, **options)
        context.set_default_timeout(30_000)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
        page.goto(f"/w/{workspace.slug}{path}")
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture
def week(open_at, delivery: Delivery, monday: datetime) -> Page:
    return open_at(f"/calendar?view=week&day={monday:%Y-%m-%d}")


def cell(page: Page, day: datetime, hour: str = "") -> Locator:
    clock = f"[data-time='{hour}']" if hour else ":not([data-time])"
    return page.locator(f"[data-drop][data-day='{day:%Y-%m-%d}']{clock}").first


def drag(page: Page, source: Locator, target: Locator) -> None:
    start, end = source.bounding_box(), target.bounding_box()
    page.mouse.move(start["x"] + 20, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 20, steps=3)
    page.mouse.move(end["x"] + 15, end["y"] + 12, steps=4)
    page.mouse.up()


def clock_of(delivery: Delivery) -> str:
    with workspace_scope(delivery.workspace_id):
        at = Delivery.objects.get(pk=delivery.pk).scheduled_at
    return f"{at.astimezone(BERLIN):%a %H:%M}"


def test_a_post_dropped_on_an_hour_takes_it(week: Page, delivery: Delivery, monday: datetime) -> None:
    drag(week, week.locator(".cal-item"), cell(week, monday + timedelta(days=3), "14:00"))
    expect(week.locator("#calendar-notice")).to_contain_text("14:00 Berlin")
    assert clock_of(delivery) == "Thu 14:00"
    assert week.faults == []


def test_a_drop_can_be_undone(week: Page, delivery: Delivery, monday: datetime) -> None:
    drag(week, week.locator(".cal-item"), cell(week, monday + timedelta(days=3), "14:00"))
    week.get_by_role("button", name="Undo").click()
    expect(week.locator("#calendar-notice")).to_contain_text("Moved back")
    assert clock_of(delivery) == "Tue 09:30"


def test_a_drop_on_a_day_keeps_the_time(open_at, delivery: Delivery, monday: datetime) -> None:
    page = open_at(f"/calendar?month={monday:%Y-%m}")
    drag(page, page.locator(".cal-item"), cell(page, monday + timedelta(days=2)))
    expect(page.locator("#calendar-notice")).to_contain_text("09:30 Berlin")
    assert clock_of(delivery) == "Wed 09:30"


def test_after_a_drop_the_link_was_not_followed_and_the_view_is_the_same(week: Page, monday: datetime) -> None:
    address = week.url
    drag(week, week.locator(".cal-item"), cell(week, monday, "10:00"))
    week.locator("#calendar-notice").wait_for()
    assert week.url == address


def test_escape_puts_it_down_where_it_was(week: Page, delivery: Delivery, monday: datetime) -> None:
    box = week.locator(".cal-item").bounding_box()
    week.mouse.move(box["x"] + 20, box["y"] + 8)
    week.mouse.down()
    week.mouse.move(box["x"] + 200, box["y"] + 60, steps=3)
    expect(week.locator(".cal-ghost")).to_be_visible()
    week.keyboard.press("Escape")
    expect(week.locator(".cal-ghost")).to_have_count(0)
    week.mouse.up()
    assert clock_of(delivery) == "Tue 09:30"


def test_a_click_still_opens_the_post(week: Page, delivery: Delivery) -> None:
    week.locator(".cal-chip").click(position={"x": 20, "y": 8})
    week.wait_for_url(f"**{delivery.post.get_absolute_url()}")


def test_what_is_published_cannot_be_taken_up(open_at, workspace: Workspace, delivery: Delivery) -> None:
    with workspace_scope(workspace.pk):
        mark_published(delivery.post)
    page = open_at(f"/calendar?view=week&day={now():%Y-%m-%d}")
    box = page.locator(".cal-item").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 90, steps=3)
    expect(page.locator(".cal-ghost")).to_have_count(0)
    page.mouse.up()


def test_a_drop_in_the_past_asks_and_changes_nothing_by_itself(open_at, delivery: Delivery) -> None:
    span = read_span({"view": "day"}, "Europe/Berlin", now())
    with workspace_scope(delivery.workspace_id):
        tonight = datetime.combine(span.first, time(23, 59), BERLIN).astimezone(UTC)
        Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=tonight)
    page = open_at(f"/calendar?month={span.first:%Y-%m}")
    drag(page, page.locator(".cal-item"), page.locator(".cal-day.is-past, .cal-day").first)
    dialog = page.get_by_role("dialog", name="That moment has passed")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Leave it").click()
    assert clock_of(delivery).endswith("23:59")


def test_the_keyboard_moves_a_post_through_its_button(week: Page, delivery: Delivery, monday: datetime) -> None:
    week.get_by_role("link", name="Move “Fresh beans” on @roastery").focus()
    week.keyboard.press("Enter")
    dialog = week.get_by_role("dialog", name="Move post")
    expect(dialog.get_by_label("Day")).to_be_focused()
    dialog.get_by_label("Day").fill(f"{monday + timedelta(days=4):%Y-%m-%d}")
    dialog.get_by_label("Time in Berlin").fill("16:45")
    week.keyboard.press("Enter")
    expect(week.locator("#calendar-notice")).to_be_focused()
    assert clock_of(delivery) == "Fri 16:45"


def test_a_finger_that_rests_takes_a_post_up(open_at, delivery: Delivery, monday: datetime) -> None:
    page = open_at(f"/calendar?view=week&day={monday:%Y-%m-%d}", has_touch=True)
    start = page.locator(".cal-item").bounding_box()
    end = cell(page, monday + timedelta(days=3), "14:00").bounding_box()
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    finger("touchStart", (start["x"] + 20, start["y"] + 8))
    page.locator(".cal-ghost").wait_for()
    finger("touchMove", (end["x"] + 15, end["y"] + 12))
    finger("touchEnd")
    expect(page.locator("#calendar-notice")).to_contain_text("14:00 Berlin")
    assert clock_of(delivery) == "Thu 14:00"


def test_somebody_elses_move_is_told_and_the_calendar_shows_it(week: Page, delivery, bob_actor, monday) -> None:
    with workspace_scope(delivery.workspace_id):
        schedule_delivery(delivery, monday + timedelta(days=5, hours=11), by=bob_actor)
    drag(week, week.locator(".cal-item"), cell(week, monday, "10:00"))
    expect(week.locator("#calendar-notice")).to_contain_text("Somebody moved it meanwhile")
    expect(cell(week, monday + timedelta(days=5), "11:00")).to_contain_text("Fresh beans")


def test_selected_posts_move_together(week: Page, delivery: Delivery) -> None:
    expect(week.locator("#bulk")).to_be_hidden()
    week.locator(".cal-select").focus()
    week.keyboard.press("Space")
    expect(week.locator("#bulk-count")).to_have_text("1 post selected")
    week.get_by_label("Move by").fill("2")
    week.locator("#bulk").get_by_role("button", name="Move", exact=True).click()
    expect(week.locator("#calendar-notice")).to_contain_text("Moved: 1 post.")
    assert clock_of(delivery) == "Thu 09:30"


def test_the_rest_of_a_full_day_folds_out_and_moves_like_the_others(
    open_at, workspace: Workspace, bob_actor: Actor, monday: datetime
) -> None:
    with workspace_scope(workspace.pk):
        connection = add_connection(workspace)
        for hour in range(8, 14):
            row = Delivery.objects.get(post=add_post(bob_actor, connection, text=f"Post at {hour}"))
            schedule_delivery(row, monday + timedelta(hours=hour), by=bob_actor)
    page = open_at(f"/calendar?month={monday:%Y-%m}")
    day = cell(page, monday)
    expect(day.locator(".cal-chip")).to_have_count(3)
    day.get_by_text("+3 more").click()
    expect(day.locator(".cal-chip")).to_have_count(6)
    assert "rest=" not in page.url
    day.locator(".cal-item", has_text="Post at 12").hover()
    day.get_by_label("Move “Post at 12”").click()
    expect(page.locator("#move-what")).to_contain_text("Post at 12")
    assert page.faults == []
