"""The pages and the API of reports."""

import pytest
from django.urls import reverse

from analytics.models import Report, ReportSchedule
from analytics.reporting import services
from lib.clock import now
from tests.analytics.reporting.conftest import LAST_WEEK

pytestmark = pytest.mark.django_db
WEEK = {"start": "2026-03-02", "end": "2026-03-08"}


@pytest.fixture
def done(in_workspace, bob_actor) -> Report:
    report = services.request_report(*LAST_WEEK, by=bob_actor)
    fact = {"id": "clicks", "label": "Clicks", "text": "1,234", "before_text": "", "change_text": "", "change": None}
    period = {"label": "2 – 8 Mar", "before_label": "the week before", "zone": "UTC"}
    report.data = {
        "facts": [fact],
        "period": period,
        "best": [],
        "worst": [],
        "notes": ["<b>late</b>"],
        "series": {},
        "series_labels": {},
    }
    report.insight = [{"text": "Clicks: 1,234 & <i>more</i>", "cites": ["clicks", "gone"]}]
    report.status, report.ready_at = Report.Status.READY, now()
    report.save()
    return report


@pytest.fixture
def w(workspace):
    return f"/w/{workspace.slug}"


def test_asking_leads_to_the_report_that_fills_itself(bob_client, w, workspace):
    answer = bob_client.post(f"{w}/results/reports", WEEK | {"language": "en", "campaign": ""}, follow=True)
    page = answer.content.decode()
    assert "The numbers are being gathered." in page
    assert 'hx-trigger="every 2s"' in page


def test_a_page_of_results_asks_for_its_days(bob_client, w, measured):
    page = bob_client.get(f"{w}/results/reports?start=2026-02-01&end=2026-02-14&campaign=nonsense").content.decode()
    assert 'value="2026-02-01"' in page
    assert 'value="2026-02-14"' in page
    assert "/results/reports?start=" in bob_client.get(f"{w}/results").content.decode()


def test_a_finished_report_shows_its_sources_and_asks_no_more(bob_client, w, done):
    page = bob_client.get(f"{w}/results/reports/{done.pk}").content.decode()
    assert "Clicks: 1,234 &amp; &lt;i&gt;more&lt;/i&gt;" in page
    assert 'href="#fact-clicks"' in page
    assert 'id="fact-clicks"' in page
    assert "&lt;b&gt;late&lt;/b&gt;" in page
    assert "every 2s" not in page


def test_the_fragment_is_no_page(bob_client, w, done):
    answer = bob_client.get(f"{w}/results/reports/{done.pk}", headers={"HX-Request": "true"})
    page = answer.content.decode()
    # The button of the PDF stands outside of what is asked for again.
    assert answer["HX-Refresh"] == "true"
    assert page.lstrip().startswith('<div id="report"')


def test_wrong_days_stand_beside_the_field(bob_client, w):
    answer = bob_client.post(f"{w}/results/reports", {"start": "2026-03-08", "end": "2026-03-02", "language": "en"})
    assert answer.status_code == 400
    assert "The last day is before the first." in answer.content.decode()


def test_the_pdf_opens_in_the_browser(bob_client, w, done):
    answer = bob_client.get(f"{w}/results/reports/{done.pk}/pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content[:5] == b"%PDF-"


def test_an_unfinished_one_has_no_pdf_yet(bob_client, w, done):
    Report.objects.filter(pk=done.pk).update(status=Report.Status.MAKING)
    answer = bob_client.get(f"{w}/results/reports/{done.pk}/pdf", follow=True)
    assert "still being made" in answer.content.decode()


def test_an_empty_list_says_how_to_begin(bob_client, w):
    assert "No report yet" in bob_client.get(f"{w}/results/reports").content.decode()


def test_viewers_see_no_buttons_and_cannot_press_them(vic_client, w, done):
    page = vic_client.get(f"{w}/results/reports").content.decode()
    assert "New report" not in page
    assert vic_client.post(f"{w}/results/reports", WEEK | {"language": "en"}).status_code == 403
    assert vic_client.post(f"{w}/results/reports/{done.pk}/delete").status_code == 403


def test_guests_see_none(gwen_client, w, done):
    assert gwen_client.get(f"{w}/results/reports").status_code in {403, 404}


def test_a_schedule_is_made_changed_paused_and_deleted(bob_client, w, bob, in_workspace):
    asked = {
        "name": "Weekly",
        "cron": "0 9 * * 1",
        "time_zone": "Europe/Berlin",
        "period": "week",
        "language": "en",
        "recipients": [str(bob.pk)],
    }
    assert bob_client.post(f"{w}/results/reports/schedules/new", asked).status_code == 302
    schedule = ReportSchedule.objects.get()
    assert "Weekly" in bob_client.get(f"{w}/results/reports").content.decode()
    assert bob_client.get(f"{w}/results/reports/schedules/{schedule.pk}").status_code == 200
    refusals = {"cron": ("often", "no cron"), "time_zone": ("Mars/Base", "not a time zone"), "name": (" ", "required")}
    for field, (value, why) in refusals.items():
        answer = bob_client.post(f"{w}/results/reports/schedules/{schedule.pk}", asked | {field: value})
        assert answer.status_code == 400
        assert why in answer.content.decode()
    bob_client.post(f"{w}/results/reports/schedules/{schedule.pk}", asked | {"name": "Mondays"})
    bob_client.post(f"{w}/results/reports/schedules/{schedule.pk}/pause")
    schedule.refresh_from_db()
    assert (schedule.name, schedule.is_active) == ("Mondays", False)
    assert bob_client.post(f"{w}/results/reports/schedules/{schedule.pk}/explode").status_code == 404
    bob_client.post(f"{w}/results/reports/schedules/{schedule.pk}/delete")
    assert not ReportSchedule.objects.exists()


# --- API ------------------------------------------------------------------------------------------------


def test_the_api_asks_reads_and_deletes(bob_client, workspace, done):
    head = {"headers": {"X-Workspace": workspace.slug}, "content_type": "application/json"}
    made = bob_client.post(reverse("analytics-api:reports"), WEEK, **head)
    assert made.status_code == 201, made.content
    assert made.json()["status"] == "making"
    shown = bob_client.get(reverse("analytics-api:report", args=[done.pk]), **head).json()
    assert shown["insight"] == done.insight
    assert shown["data"]["facts"][0]["text"] == "1,234"
    listed = bob_client.get(reverse("analytics-api:reports"), **head).json()
    assert {row["id"] for row in listed["results"]} == {str(done.pk), made.json()["id"]}
    assert bob_client.get(reverse("analytics-api:report-pdf", args=[made.json()["id"]]), **head).status_code == 404
    assert bob_client.get(reverse("analytics-api:report-pdf", args=[done.pk]), **head).content[:5] == b"%PDF-"
    assert bob_client.delete(reverse("analytics-api:report", args=[done.pk]), **head).status_code == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "soon"},
        {"end": "2026-01-01"},
        {"start": "2000-01-01"},
        {"language": "tlh"},
        {"campaign": "01a20019-0d3c-73b6-abf0-639ce6becdee"},
    ],
)
def test_the_api_says_what_is_wrong(bob_client, workspace, wrong):
    head = {"headers": {"X-Workspace": workspace.slug}, "content_type": "application/json"}
    answer = bob_client.post(reverse("analytics-api:reports"), WEEK | wrong, **head)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
