"""Alerts by mail: who gets one and when, how many go together, and that none is lost or sent twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection

from accounts import notifications
from accounts.access import Perm
from accounts.models import Membership, Notification, Role, User
from accounts.notifications import MAILER_LOCK, PAUSE, is_between, is_quiet, mail_alerts
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import mark_read, notify
from accounts.tasks import mail_alerts as task
from lib.clock import shifted
from tests.campaigns.cast import database_address
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db
NOBODY_LISTENS = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def tell(workspace):
    def run(text: str = "It failed.", *, alert: bool = True, **fields) -> None:
        with workspace_scope(workspace.pk):
            notify(workspace, "delivery.failed", text, alert=alert, **fields)

    return run


def waiting() -> int:
    with all_workspaces_scope("test"):
        return Notification.objects.filter(is_alert=True, mailed_at=None).count()


def set_user(user: User, **fields) -> None:
    User.objects.filter(pk=user.pk).update(**fields)


# --- who ----------------------------------------------------------------------------------------------------------


def test_alert_is_mailed_to_those_who_may_act(tell, bob, rita, vic, mailoutbox):
    tell()
    assert mail_alerts() == 2
    assert sorted(mail.to[0] for mail in mailoutbox) == ["alice@example.org", "bob@example.org"]


def test_alert_for_another_permission_reaches_others(tell, rita, mailoutbox):
    tell(perm=Perm.REVIEW)
    mail_alerts()
    assert sorted(mail.to[0] for mail in mailoutbox) == ["alice@example.org", "rita@example.org"]


def test_other_news_are_not_mailed(tell, mailoutbox):
    tell(alert=False)
    assert (mail_alerts(), mailoutbox) == (0, [])


def test_who_wants_no_mail_gets_none(tell, alice, bob, mailoutbox):
    set_user(alice, mail_alerts=False)
    tell()
    mail_alerts()
    assert [mail.to for mail in mailoutbox] == [["bob@example.org"]]


def test_who_switches_mail_on_is_not_flooded_with_what_was(tell, alice, mailoutbox):
    set_user(alice, mail_alerts=False)
    tell()
    mail_alerts()
    set_user(alice, mail_alerts=True)
    assert (mail_alerts(), mailoutbox) == (0, [])


def test_who_left_gets_no_mail(tell, bob, alice, mailoutbox):
    tell()
    Membership.objects.filter(user=bob).delete()
    set_user(alice, is_active=False)
    assert (mail_alerts(), mailoutbox, waiting()) == (0, [], 0)


def test_what_was_read_on_the_page_is_not_mailed(tell, alice_actor, workspace, mailoutbox):
    tell()
    with workspace_scope(workspace.pk):
        mark_read(by=alice_actor)
    assert (mail_alerts(), mailoutbox) == (0, [])


# --- what ---------------------------------------------------------------------------------------------------------


def test_mail_says_what_happened_and_leads_there(tell, mailoutbox, settings):
    settings.BASE_URL = "https://rostrum.example"
    tell("Not published on @roastery: <too long>.", path="/deliveries/7")
    mail_alerts()
    (mail,) = mailoutbox
    ((html, kind),) = mail.alternatives
    assert mail.subject == "Roastery: Not published on @roastery: <too long>."
    assert "Not published on @roastery: <too long>." in mail.body
    assert "https://rostrum.example/w/roastery/deliveries/7" in mail.body
    assert ("&lt;too long&gt;" in html, 'href="https://rostrum.example/w/roastery/deliveries/7"' in html) == (
        True,
        True,
    )
    assert kind == "text/html"


def test_mail_says_how_to_get_no_more(tell, mailoutbox, settings):
    settings.BASE_URL = "https://rostrum.example"
    tell()
    mail_alerts()
    (mail,) = mailoutbox
    assert "https://rostrum.example/w/roastery/profile" in mail.body
    assert mail.extra_headers["List-Unsubscribe"] == "<https://rostrum.example/w/roastery/profile>"


def test_name_with_a_line_break_adds_no_header(tell, workspace, mailoutbox):
    workspace.name = "Roastery\nBcc: everybody@example.org"
    workspace.save()
    tell("One\r\ntwo")
    mail_alerts()
    assert mailoutbox[0].subject == "Roastery Bcc: everybody@example.org: One two"
    assert mailoutbox[0].recipients() == ["alice@example.org"]


def test_many_alerts_are_one_mail(tell, mailoutbox):
    for number in range(3):
        tell(f"Post {number} failed.")
    assert mail_alerts() == 1
    assert mailoutbox[0].subject == "Roastery: 3 alerts"
    assert all(f"Post {number} failed." in mailoutbox[0].body for number in range(3))


def test_one_cause_is_one_line(tell, mailoutbox):
    for _ in range(50):
        tell("@roastery has to be connected again.")
    mail_alerts()
    assert mailoutbox[0].body.count("has to be connected") == 1
    assert "(50 times)" in mailoutbox[0].body
    assert "/w/roastery/notifications" in mailoutbox[0].body


def test_long_list_is_cut_and_leads_to_the_rest(tell, mailoutbox):
    for number in range(25):
        tell(f"Post {number} failed.")
    mail_alerts()
    assert mailoutbox[0].body.count("failed.") == 20
    assert "And 5 more" in mailoutbox[0].body
    assert waiting() == 0


def test_every_workspace_has_its_own_mail(tell, alice, other_workspace, mailoutbox):
    Membership.objects.create(user=alice, workspace=other_workspace, role=Role.EDITOR)
    tell()
    with workspace_scope(other_workspace.pk):
        notify(other_workspace, "delivery.failed", "No bread.", alert=True)
    mail_alerts()
    subjects = sorted(mail.subject for mail in mailoutbox if mail.to == ["alice@example.org"])
    assert subjects == ["Bakery: No bread.", "Roastery: It failed."]


# --- when ---------------------------------------------------------------------------------------------------------


def test_alert_is_mailed_once(tell, mailoutbox):
    tell()
    assert [mail_alerts(), mail_alerts(), len(mailoutbox)] == [1, 0, 1]


def test_mailed_alert_stays_unread_on_the_page(tell, workspace):
    tell()
    mail_alerts()
    with workspace_scope(workspace.pk):
        assert Notification.objects.get().read_at is None


def test_what_follows_soon_waits_and_goes_together(tell, mailoutbox):
    tell("First.")
    mail_alerts()
    tell("Second.")
    tell("Third.")
    assert mail_alerts() == 0
    with shifted(PAUSE):
        assert mail_alerts() == 1
    assert mailoutbox[-1].subject == "Roastery: 2 alerts"


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("21:59", False),
        ("22:00", True),
        ("23:59", True),
        ("00:00", True),
        ("06:59", True),
        ("07:00", False),
        ("12:00", False),
    ],
)
def test_quiet_hours_go_over_midnight(moment, quiet):
    assert is_between(time.fromisoformat(moment), time(22), time(7)) is quiet


@pytest.mark.parametrize(("moment", "quiet"), [("11:59", False), ("12:00", True), ("12:59", True), ("13:00", False)])
def test_quiet_hours_within_a_day(moment, quiet):
    assert is_between(time.fromisoformat(moment), time(12), time(13)) is quiet


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        # Berlin goes from +1 to +2 in the night to the 29th of March 2026, and back on the 25th of October.
        ("2026-03-28T05:30", True),
        ("2026-03-28T06:30", False),
        ("2026-03-29T04:30", True),
        ("2026-03-29T05:30", False),
        ("2026-10-25T04:30", True),
        ("2026-10-25T05:59", True),
        ("2026-10-25T06:00", False),
    ],
)
def test_quiet_hours_follow_the_wall_when_the_clocks_change(alice, workspace, at, quiet):
    alice.quiet_from, alice.quiet_to, alice.time_zone = time(22), time(7), "Europe/Berlin"
    assert is_quiet(alice, workspace, datetime.fromisoformat(at).replace(tzinfo=UTC)) is quiet


@pytest.mark.parametrize("at", ["2026-10-25T00:30", "2026-10-25T01:30"])
def test_hour_that_comes_twice_is_quiet_twice(alice, workspace, at):
    alice.quiet_from, alice.quiet_to, alice.time_zone = time(2), time(3), "Europe/Berlin"
    assert is_quiet(alice, workspace, datetime.fromisoformat(at).replace(tzinfo=UTC))


def test_without_a_zone_of_ones_own_it_is_the_workspaces(alice, workspace):
    alice.quiet_from, alice.quiet_to = time(8), time(9)
    # Half past eight in Berlin.
    at = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
    assert is_quiet(alice, workspace, at)
    alice.time_zone = "Asia/Shanghai"
    assert not is_quiet(alice, workspace, at)


def test_alert_waits_for_the_end_of_the_quiet_hours(tell, alice, mailoutbox):
    hour = timedelta(hours=1)
    local = datetime.now(UTC)
    start, end = (local - hour).time(), (local + hour).time()
    set_user(alice, quiet_from=start, quiet_to=end, time_zone="UTC")
    tell()
    assert (mail_alerts(), waiting()) == (0, 1)
    with shifted(2 * hour):
        assert mail_alerts() == 1


# --- nothing is lost ----------------------------------------------------------------------------------------------


@pytest.fixture
def broken_mail(settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = NOBODY_LISTENS, "127.0.0.1", 9


def test_alert_waits_while_mail_is_broken(tell, broken_mail, settings, mailoutbox):
    tell()
    assert (mail_alerts(), waiting()) == (0, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cache.clear()
    assert (mail_alerts(), len(mailoutbox), waiting()) == (1, 1, 0)


def test_who_could_not_be_mailed_waits_a_while(tell, broken_mail, settings, mailoutbox):
    tell()
    mail_alerts()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert (mail_alerts(), waiting()) == (0, 1)


def test_one_address_that_fails_does_not_hold_up_the_others(tell, alice, bob, mailoutbox):
    # A header that cannot be written fails for this person only.
    set_user(alice, email="alice@example.org\nBcc: x@example.org")
    tell()
    assert mail_alerts() == 1
    assert [mail.to for mail in mailoutbox] == [["bob@example.org"]]
    assert waiting() == 1


def test_broken_server_is_not_asked_for_everybody(tell, join, broken_mail):
    for number in range(5):
        join(f"Editor{number}", Role.EDITOR)
    tell()
    mail_alerts()
    assert waiting() == 6
    with all_workspaces_scope("test"):
        users = list(Notification.objects.values_list("user_id", flat=True))
    assert sum(bool(cache.get(f"alert-mail-wait:{pk}")) for pk in users) == 3


def test_mail_that_never_gets_through_is_given_up_and_stays_on_the_page(tell, broken_mail, workspace):
    tell()
    with shifted(timedelta(days=4)):
        mail_alerts()
    assert waiting() == 0
    with workspace_scope(workspace.pk):
        assert Notification.objects.get().read_at is None


@contextmanager
def another_session() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**database_address()) as other:
        pid = other.info.backend_pid
        yield other
    # The server notices a moment later that it has gone.
    with connection.cursor() as cursor:
        wait_for(lambda: cursor.execute("SELECT 1 FROM pg_locks WHERE pid = %s", [pid]).fetchone() is None)


def test_two_mailers_do_not_send_the_same(tell, mailoutbox):
    tell()
    with another_session() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [MAILER_LOCK])
        assert (mail_alerts(), mailoutbox) == (0, [])


def test_mailer_that_died_leaves_the_way_free(tell, mailoutbox):
    tell()
    with another_session() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [MAILER_LOCK])
    assert [mail_alerts(), len(mailoutbox)] == [1, 1]


def test_lock_is_given_back(tell):
    mail_alerts()
    with another_session() as other:
        assert other.execute("SELECT pg_try_advisory_xact_lock(%s)", [MAILER_LOCK]).fetchone() == (True,)


def test_same_alerts_sent_again_carry_the_same_id(tell, workspace, mailoutbox):
    tell()
    mail_alerts()
    with workspace_scope(workspace.pk):
        # As after a crash between sending and remembering it.
        Notification.objects.update(mailed_at=None)
    mail_alerts()
    first, second = (mail.extra_headers["Message-ID"] for mail in mailoutbox)
    assert first == second


def test_task_runs_it(tell, mailoutbox):
    tell()
    task()
    assert len(mailoutbox) == 1


def test_number_of_queries_does_not_grow_with_the_alerts(tell, django_assert_max_num_queries):
    for number in range(30):
        tell(f"Post {number}.")
    with django_assert_max_num_queries(30):
        notifications.mail_alerts()
