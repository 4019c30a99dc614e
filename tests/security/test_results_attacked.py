"""Strangers at the doors of results: links, pixel, conversions, shared pages, reports."""

import json
from io import BytesIO
from uuid import uuid4

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.scope import workspace_scope
from analytics.charts import Table
from analytics.exports import as_csv, as_xlsx
from analytics.models import Conversion, Event, Report
from analytics.queries.live import kpi_events
from analytics.queries.period import last_days
from analytics.queries.segments import FIELDS, segment_size
from analytics.reporting.mailing import mail_reports
from analytics.reporting.pdf import as_pdf
from analytics.reporting.services import create_schedule
from analytics.shares import share_page
from analytics.tracking.ingest import EventRow, add_event
from analytics.tracking.links import create_link
from analytics.tracking.tracking import change_tracking
from analytics.views.live import MOST_OPEN, take_place
from campaigns.models import Delivery
from compliance.contacts import create_contact
from experiments.services import ArmDraft, add_arm, choose_winner, pause_experiment, start_experiment
from lib.clock import now
from tests.campaigns.cast import add_connection
from tests.experiments.cast import create, draft_split, make_link, run_split

pytestmark = pytest.mark.django_db
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0", "accept-language": "de"}
HOSTILE = [
    "a\r\nSet-Cookie: stolen=1",
    "\x00",
    "=1+1",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "\u202egpj.exe",
    "9" * 3000,
    "NaN",
    "-Infinity",
    "1e999999999",
    "-0",
    "💥" * 500,
]


@pytest.fixture
def pixel(alice_actor, workspace) -> str:
    with workspace_scope(workspace.pk):
        return f"/t/{change_tracking(by=alice_actor, currency='EUR').pixel_key}.gif"


@pytest.fixture
def link(bob_actor, workspace):
    with workspace_scope(workspace.pk):
        return create_link("https://acme.example/shop", by=bob_actor, utm=False)


def test_the_pixel_stays_a_picture_whatever_is_written_into_it(pixel: str, workspace) -> None:
    client = Client(headers=PERSON)
    for text in HOSTILE:
        for said in ({"key": text, "goal": text[:50]}, {"key": "k", "value": text, "rcid": text}):
            answer = client.get(pixel, said)
            assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif"), said
            assert "stolen" not in answer.cookies


def test_a_key_with_line_breaks_that_is_used_twice_breaks_no_header(pixel: str) -> None:
    client = Client(headers=PERSON)
    for value in ("1", "2"):
        answer = client.get(pixel, {"key": "a\r\nSet-Cookie: stolen=1", "value": value})
        assert answer.status_code == 200
    assert "used for another" in answer["X-Outcome"]


@pytest.mark.parametrize(
    "referrer", ["http://[", "http://[::1", "https://a\x00b/", "//" + "x" * 5000, "http://a:99999999/"]
)
def test_a_broken_referrer_breaks_neither_pixel_nor_link(pixel: str, link, referrer: str) -> None:
    client = Client(headers={**PERSON, "referer": referrer})
    assert client.get(pixel, {"key": "k"}).status_code == 200
    assert client.get(f"/l/{link.code}").status_code == 302


def test_headers_of_a_visitor_cannot_break_the_redirect(link) -> None:
    for text in HOSTILE:
        said = text.encode("utf-8", "ignore").decode("latin-1").replace("\r\n", " ")
        headers = {
            "user-agent": said,
            "accept-language": said,
            "referer": said,
            "purpose": said,
            "x-forwarded-for": said,
        }
        answer = Client(headers={**headers, "cookie": f"rostrum_visitor={said}"}).get(f"/l/{link.code}")
        assert answer.status_code == 302, text
        assert answer["Location"].startswith("https://acme.example/shop"), text


@pytest.mark.parametrize(
    "body", ["5", "null", '"text"', "[]", "[[]]", "{}", '{"conversions": 5}', '{"conversions": [null]}']
)
def test_a_body_that_is_no_object_is_a_400(api, bob, body: str) -> None:
    answer = api(bob).post("/api/conversions", body, content_type="application/json")
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize(
    "row",
    [
        {"value": "NaN"},
        {"value": "Infinity"},
        {"value": "99999999999"},
        {"value": "1e400"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"goal": "\x00"},
        {"data": {"a": "\x00"}},
        {"data": {"a": "x" * 5000}},
        {"visitor": "x"},
        {"key": ""},
    ],
)
def test_a_conversion_that_makes_no_sense_is_a_400(api, bob, workspace, row: dict) -> None:
    answer = api(bob).post("/api/conversions", {"key": "k", **row}, format="json")
    assert answer.status_code == 400, answer.content
    with workspace_scope(workspace.pk):
        assert not Conversion.objects.exists()


def test_a_body_of_ten_megabytes_is_refused(api, bob) -> None:
    body = json.dumps({"conversions": [{"key": "k", "data": {"a": "x" * 10_000_000}}]})
    assert api(bob).post("/api/conversions", body, content_type="application/json").status_code in {400, 413}


def test_a_click_of_another_workspace_is_nobodys(api, bob, link, charlie_actor, other_workspace, workspace) -> None:
    with workspace_scope(other_workspace.pk):
        change_tracking(by=charlie_actor)
        theirs = create_link("https://rival.example/", by=charlie_actor, utm=False)
    click = Client(headers=PERSON).get(f"/l/{theirs.code}")["Location"].split("rcid=")[1]
    with workspace_scope(other_workspace.pk):
        visitor = Event.objects.get(kind="click").visitor
    booked = api(bob).post("/api/conversions", {"key": "k", "click": click, "visitor": visitor}, format="json").json()
    assert booked["conversions"][0]["click"] is None


@pytest.mark.parametrize("name", ["campaign", "connection"])
def test_a_shared_page_never_shows_more_when_what_it_showed_is_gone(alice_actor, workspace, name: str) -> None:
    """A page that was narrowed to one campaign does not become the page of the whole workspace."""
    with workspace_scope(workspace.pk):
        _, token = share_page("dashboard", {name: str(uuid4())}, by=alice_actor)
    assert Client().get(f"/shared/{token}").status_code == 404


def test_a_filter_that_narrowed_nothing_is_not_shared(bob_client) -> None:
    """The address bar may say anything; what is shared is what the page showed."""
    said = bob_client.post("/results/shared/new?kind=dashboard&campaign=nonsense&connection=1", {"days": "3"})
    token = said.content.decode().split("/shared/")[1].split('"')[0].split("<")[0]
    assert Client().get(f"/shared/{token}").status_code == 200


# --- members of the workspace -----------------------------------------------------------------------------


def test_who_opens_page_after_page_holds_few_threads(bob_client, rita_client) -> None:
    """The oldest pages of a person end; another person's stay."""
    places = [take_place("bob") for _ in range(MOST_OPEN + 2)]
    other = take_place("rita")
    assert [is_ours() for is_ours in places] == [False] * 2 + [True] * MOST_OPEN
    assert other()


def test_a_page_whose_place_was_taken_ends(workspace) -> None:
    events = kpi_events(workspace, last_days(workspace), is_wanted=lambda: False, sleep=lambda _: None)
    assert [piece.split(b":")[0] for piece in events] == [b"event", b"retry"]


DEEP: dict = {"all": []}
for _ in range(1000):
    DEEP = {"any": [DEEP]}


@pytest.mark.parametrize(
    "rules",
    [
        DEEP,
        {"all": [{"field": [], "op": "is", "value": "x"}]},
        {"all": [{"field": {}, "op": [], "value": {}}]},
        {"all": [{"field": "email__password", "op": "is", "value": "x"}]},
        {"all": [{"field": "email", "op": "is__gt", "value": "x"}]},
        {"all": [{"field": "email", "op": "is", "value": "x", "all": []}], "any": []},
        {"all": {"field": "email"}},
        {"all": [None]},
        {"all": [{"field": "added", "op": "after", "value": "9999-99-99"}]},
        {"all": [{"field": "name", "op": "is", "value": "\x00"}]},
        {"all": [{"field": "name", "op": "is", "value": "a"}] * 41},
        [],
        None,
    ],
)
def test_rules_that_make_no_sense_are_refused(in_workspace, rules) -> None:
    for subject in ("contact", "visitor", "other"):
        with pytest.raises(ValidationError):
            segment_size(in_workspace, subject, rules)


@pytest.mark.parametrize("text", ["'; DROP TABLE analytics_event; --", "%", "_", "\\", "a' OR '1'='1", "💥"])
def test_the_values_of_rules_are_only_values(in_workspace, alice_actor, text: str) -> None:
    create_contact(by=alice_actor, name="Mei", email="mei@example.org", language="en")
    add_event(in_workspace.pk, EventRow("click", now(), visitor="0" * 32, referrer="acme.example", language="en"))
    for subject, field in (("contact", "name"), ("contact", "consent"), ("visitor", "referrer"), ("visitor", "link")):
        op = FIELDS[subject][field].ops[0]
        assert segment_size(in_workspace, subject, {"all": [{"field": field, "op": op, "value": text}]}) == 0


def report_saying(text: str) -> Report:
    post = {"text": text, "account": text, "day": "1 Mar", "figure": "1"}
    fact = {"id": "clicks", "label": "Clicks", "text": "1"}
    points = [{"day": "1 Mar", "value": 1}, {"day": "2 Mar", "value": 2}]
    period = {"label": "March", "zone": "UTC", "before_label": "February"}
    data = {"period": period, "facts": [fact], "series": {"clicks": points}, "series_labels": {"clicks": text}}
    data |= {"best": [post], "worst": [post], "notes": [text]}
    return Report(title=text[:160], data=data, insight=[{"text": text}], problem_text=text[:300])


def test_no_text_breaks_a_pdf_or_makes_it_fetch_something(in_workspace, monkeypatch) -> None:
    """Posts and names of accounts are written by strangers, and the PDF's paragraphs have a markup of their own."""
    monkeypatch.setattr("socket.create_connection", lambda *_args, **_more: pytest.fail("It asked for an address."))
    for text in (
        '<img src="http://127.0.0.1:9/a.png" width="1" height="1"/>',
        '<a href="file:///etc/passwd">x</a><para><b>',
        "&lt;img src='x'&gt; &#0; &bogus; <![CDATA[ ]]> <!-- <?xml",
        '</font></para><onDraw name="x" label="y"/>',
        "".join(chr(n) for n in range(0x20)) + "\x7f\x80\x9f\ufffe\uffff",
        "字" * 700,
        "W" * 900,
        "مرحبا שלום नमस्ते 👩‍👩‍👧 \u202e",
        "",
    ):
        assert as_pdf(report_saying(text)).startswith(b"%PDF"), text


def test_a_workbook_takes_any_name_and_any_text() -> None:
    import openpyxl

    for text in (*HOSTILE, "[]:*?/\\'", "''", "   ", "History", "=cmd|' /C calc'!A0", "\ufffe"):
        book = openpyxl.load_workbook(BytesIO(as_xlsx([Table(text, [text], [[text]])])))
        cells = [cell for row in book.active.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells), text
        first = as_csv([Table(text, [text], [[text]])]).splitlines()[-1]
        assert not first.startswith(("=", "+", "-", "@", '"=')), text


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01", "0001-02-01"),
        ("9999-12-01", "9999-12-31"),
        ("2026-01-02", "2026-01-01"),
        ("1900-01-01", "1900-01-02"),
    ],
)
def test_a_report_of_no_possible_days_is_refused(api, bob, start: str, end: str) -> None:
    assert api(bob).post("/api/reports", {"start": start, "end": end}, format="json").status_code == 400


def test_a_name_with_line_breaks_begins_no_header_of_a_mail(bob_actor, in_workspace) -> None:
    schedule = create_schedule(
        by=bob_actor,
        name="Weekly\r\nBcc: all@example.org",
        cron="0 9 * * 1",
        time_zone="UTC",
        period="week",
        recipients=[str(bob_actor.user.pk)],
    )
    report = report_saying("Weekly\r\nBcc: all@example.org")
    report.workspace, report.schedule, report.status, report.ready_at = in_workspace, schedule, "ready", now()
    report.starts_on = report.ends_on = now().date()
    report.save()
    assert mail_reports() == 1
    (sent,) = mail.outbox
    assert sent.to == [bob_actor.user.email]
    assert "\n" not in sent.subject
    assert sent.message()["Bcc"] is None


# --- experiments ------------------------------------------------------------------------------------------


def test_no_experiment_takes_a_link_or_an_account_of_another_workspace(
    bob_actor, in_workspace, charlie_actor, other_workspace
) -> None:
    with workspace_scope(other_workspace.pk):
        theirs = make_link(charlie_actor)
        account = add_connection(other_workspace, "rival")
    stolen = draft_split(bob_actor, theirs)
    paired = {"connection": str(account.pk), "slots": [{"weekday": 1, "time": "10:00"}]}
    arms = [ArmDraft(name, {"texts": [name]}) for name in ("Plain", "Loud")]
    posts = create(
        bob_actor, design="C", arms=arms, settings=paired, name="W", hypothesis="L.", metric="engagement_rate"
    )
    for experiment, field in ((stolen, "links"), (posts, "connection")):
        with pytest.raises(ValidationError) as refused:
            start_experiment(experiment, by=bob_actor)
        assert field in refused.value.message_dict
    with workspace_scope(other_workspace.pk):
        theirs.refresh_from_db()
        assert theirs.split == {}


def test_posts_of_an_experiment_wait_for_their_approval(bob_actor, in_workspace) -> None:
    """A planned time is no approval, and whoever started the test is their author: four eyes stay four."""
    where = {"connection": str(add_connection(in_workspace).pk), "slots": [{"weekday": 1, "time": "10:00"}]}
    arms = [ArmDraft(name, {"texts": [name]}) for name in ("Plain", "Loud")]
    words = {"name": "Wording", "hypothesis": "Loud works.", "metric": "engagement_rate"}
    experiment = create(bob_actor, design="C", arms=arms, settings=where | {"pairs": 6}, horizon_days=120, **words)
    start_experiment(experiment, by=bob_actor)
    made = [(row.state, row.post.created_by) for row in Delivery.objects.select_related("post")]
    assert made == [("draft", bob_actor.user)] * 12


def test_a_winner_leads_to_no_short_link_of_ours(bob_actor, in_workspace) -> None:
    """An address that leads to itself would be followed for ever."""
    link = make_link(bob_actor, "ring")
    experiment = run_split(bob_actor, link)
    pause_experiment(experiment, by=bob_actor)
    arm = add_arm(experiment, ArmDraft("Ring", {"url": f"{settings.BASE_URL}/l/ring"}), by=bob_actor)
    with pytest.raises(ValidationError, match="short link already"):
        choose_winner(experiment, arm.key, by=bob_actor)
    link.refresh_from_db()
    assert link.target == "https://acme.example/"
