"""From a wish or a schedule to a document: once, with the right numbers, and no figure that is not in them."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.access import Actor
from accounts.models import AuditEntry, Event, Membership, Notification
from accounts.scope import workspace_scope
from analytics.models import MeasuredPost, Report, ReportSchedule
from analytics.reporting import mailing, making, services
from analytics.reporting.pdf import as_pdf
from lib import clock
from tests.analytics.reporting.conftest import LAST_WEEK

pytestmark = pytest.mark.django_db(transaction=True)
Status = Report.Status


def facts(report: Report) -> dict[str, str]:
    return {row["id"]: row["text"] for row in report.data["facts"]}


def test_the_numbers_are_those_of_the_days(measured, make, sandbox):
    report = make()
    assert facts(report)["posts"] == "8"
    assert facts(report)["impressions"] == "8,028"
    change = {row["id"]: row["change_text"] for row in report.data["facts"]}
    assert change["impressions"] == "+83.9 %"
    assert "clicks" not in change
    assert any(note.startswith("Clicks: ") for note in report.data["notes"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_names_only_what_is_in_them(measured, make, sandbox, language):
    report = make(language=language)
    assert report.status == Status.READY
    assert len(report.insight) >= 3
    known = {row["id"] for row in report.data["facts"]}
    assert all(name.split(".")[0] in known for point in report.insight for name in point["cites"])
    assert report.data_hash
    assert report.ready_at


def test_posts_that_had_longer_to_gather_make_no_fall(measured, make):
    MeasuredPost.objects.filter(remote_id__in=["1090", "1091", "1092", "1093"]).update(impressions=50_000)
    row = next(row for row in make(text=False).data["facts"] if row["id"] == "impressions")
    assert (row["text"], row["before_text"], row["change_text"]) == ("8,028", "", "+83.9 %")


def test_a_text_with_a_strange_figure_is_asked_for_again_and_then_left_out(measured, make, script, sandbox):
    wrong = {"points": [{"text": "Impressions were 9,999."}]}
    script(wrong, wrong)
    report = make()
    assert report.status == Status.WITHOUT_TEXT
    assert report.insight == []
    assert "9,999" in report.problem_text
    assert facts(report)["posts"] == "8"
    assert sandbox.get("/llm/script")["remaining"] == []


def test_the_second_try_may_be_right(measured, make, script):
    script({"points": [{"text": "It doubled."}]}, {"points": [{"text": "Impressions: 8,028."}]})
    report = make()
    assert report.status == Status.READY
    assert report.insight == [{"text": "Impressions: 8,028.", "cites": ["impressions"]}]


def test_a_model_that_declines_leaves_the_numbers(measured, make, script):
    script({"refusal": True})
    report = make()
    assert (report.status, report.insight) == (Status.WITHOUT_TEXT, [])
    assert report.problem_text


def test_an_empty_workspace_gets_a_report_that_says_so(make, sandbox, roastery):
    report = make()
    assert report.status in {Status.READY, Status.WITHOUT_TEXT}
    assert facts(report)["posts"] == "0"


def test_people_are_told_once(measured, make, sandbox, in_workspace):
    report = make()
    assert Event.objects.filter(kind="report.ready").count() == 1
    assert Notification.objects.filter(kind="report.ready").exists()
    assert not making.finish_report(report, [], "again")
    assert Event.objects.filter(kind="report.ready").count() == 1


def test_a_run_that_ended_badly_does_not_hold_the_report_up(measured, make, sandbox):
    report = make(text=False)
    from agents.models import Run

    Run.objects.filter(pk=report.run_id).update(status=Run.Status.FAILED)
    Report.objects.filter(pk=report.pk).update(lease_until=None)
    assert make(report).status == Status.WITHOUT_TEXT


def test_what_cannot_be_made_is_given_up_after_an_hour(bob_actor: Actor, in_workspace):
    report = services.request_report(*LAST_WEEK, by=bob_actor)
    Report.objects.filter(pk=report.pk).update(time_zone="Nowhere/Land")
    for minutes, status in [(0, Status.MAKING), (30, Status.MAKING), (61, Status.FAILED)]:
        with clock.shifted(timedelta(minutes=minutes)):
            assert making.make_reports() == 1
        report.refresh_from_db()
        assert report.status == status
    assert "could not be made" in report.problem_text
    with clock.shifted(timedelta(hours=3)):
        assert making.make_reports() == 0


def test_whoever_left_pays_for_no_text(measured, make, sandbox, bob, bob_actor: Actor):
    report = services.request_report(*LAST_WEEK, by=bob_actor)
    Membership.objects.filter(user=bob).delete()
    assert "no longer a member" in make(report).problem_text


@pytest.mark.parametrize(
    ("days", "field"),
    [((LAST_WEEK[1], LAST_WEEK[0]), "end"), ((LAST_WEEK[0], LAST_WEEK[0] + timedelta(days=400)), "end")],
)
def test_impossible_days_are_refused(bob_actor: Actor, in_workspace, days, field):
    with pytest.raises(ValidationError) as refused:
        services.request_report(*days, by=bob_actor)
    assert field in refused.value.message_dict


def test_viewers_read_but_do_not_ask(vic_actor: Actor, in_workspace):
    with pytest.raises(PermissionDenied):
        services.request_report(*LAST_WEEK, by=vic_actor)


# --- schedules ------------------------------------------------------------------------------------------


@pytest.fixture
def schedule(bob_actor: Actor, in_workspace, bob) -> ReportSchedule:
    return services.create_schedule(
        by=bob_actor,
        name="Weekly",
        cron="0 9 * * 1",
        time_zone="Europe/Berlin",
        period="week",
        recipients=[str(bob.pk)],
    )


def taken(schedule: ReportSchedule, days: float) -> list[Report]:
    with clock.shifted(timedelta(days=days)):
        making.take_turns()
        return list(Report.objects.filter(schedule=schedule).order_by("due_at"))


def test_a_turn_makes_one_report_however_often_it_is_looked_for(schedule):
    assert taken(schedule, 0) == []
    assert len(taken(schedule, 7.1)) == 1
    assert len(taken(schedule, 7.1)) == 1
    reports = taken(schedule, 14.2)
    assert len(reports) == 2
    assert all(later.starts_on - one.starts_on == timedelta(days=7) for one, later in pairwise(reports))


def test_what_was_missed_becomes_one_report(schedule):
    assert len(taken(schedule, 60)) == 1


def test_a_paused_schedule_makes_none_and_catches_nothing_up(schedule, bob_actor):
    assert services.switch_schedule(schedule, False, by=bob_actor)
    assert not services.switch_schedule(schedule, False, by=bob_actor)
    assert taken(schedule, 30) == []
    with clock.shifted(timedelta(days=30)):
        assert services.switch_schedule(schedule, True, by=bob_actor)
        assert making.take_turns() == 0


def test_a_suspended_workspace_gets_none(schedule, in_workspace):
    in_workspace.is_suspended = True
    in_workspace.save()
    assert taken(schedule, 30) == []


def test_the_mail_goes_once_with_the_document_to_members_only(schedule, make, measured, sandbox, bob, mailoutbox):
    with clock.shifted(timedelta(days=7.1)):
        making.take_turns()
        report = make(Report.objects.get(schedule=schedule))
        assert mailing.mail_reports() == 1
        assert mailing.mail_reports() == 0
    (mail,) = mailoutbox
    assert mail.to == [bob.email]
    assert report.title in mail.subject
    name, body, kind = mail.attachments[0]
    assert (kind, body[:5]) == ("application/pdf", b"%PDF-")
    assert name.endswith(".pdf")


def test_who_left_gets_no_mail(schedule, make, measured, sandbox, bob, mailoutbox):
    with clock.shifted(timedelta(days=7.1)):
        making.take_turns()
        make(Report.objects.get(schedule=schedule))
        Membership.objects.filter(user=bob).delete()
        mailing.mail_reports()
    assert mailoutbox == []


def test_strangers_cannot_be_recipients(schedule, bob_actor, charlie):
    with pytest.raises(ValidationError) as refused:
        services.change_schedule(schedule, by=bob_actor, recipients=[str(charlie.pk)])
    assert "recipients" in refused.value.message_dict


def test_acts_on_schedules_are_audited(schedule, bob_actor):
    services.change_schedule(schedule, by=bob_actor, name="Every week")
    services.delete_schedule(schedule, by=bob_actor)
    found = AuditEntry.objects.filter(action__startswith="report_schedule.").values_list("action", flat=True)
    assert list(found) == ["report_schedule.create", "report_schedule.change", "report_schedule.delete"]


# --- the document ---------------------------------------------------------------------------------------


def test_the_same_report_is_the_same_document(measured, make, sandbox):
    report = make()
    assert as_pdf(report) == as_pdf(report)


def test_the_document_holds_the_text_and_the_numbers(measured, make, sandbox, in_workspace):
    from io import BytesIO

    from pypdf import PdfReader

    report = make()
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(as_pdf(report))).pages)
    assert "8,028" in text
    assert "+83.9 %" in text
    assert report.data_hash[:16] in text


@pytest.mark.parametrize("name", ["<b>Sale</b> & more", "春季活动 🎉 Привет", "x" * 160, "\u202eevil\x0b"])
def test_any_words_fit_into_the_document(measured, make, sandbox, name):
    report = make()
    report.title = name
    report.data["notes"] = [name] * 3
    assert as_pdf(report)[:5] == b"%PDF-"


def test_a_stranger_sees_none(measured, make, sandbox, other_workspace):
    report = make()
    with workspace_scope(other_workspace.pk):
        assert not Report.objects.filter(pk=report.pk).exists()
