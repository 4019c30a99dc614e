"""A marketer looks at results, takes the report along, plans an experiment by the guided form and reads its verdict."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from analytics.reporting.making import finish_report, make_report
from analytics.reporting.services import request_report
from analytics.rollups import roll_up
from campaigns.services import create_campaign
from experiments import services
from experiments.models import Experiment
from lib.clock import now
from tests.analytics.results_cast import add_clicks, add_conversion, add_link, add_measured
from tests.campaigns.cast import add_connection
from tests.experiments.cast import Crowd, make_link, run_split

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def marketer(browser: Browser, live_server, alice: User, client: Client) -> Iterator[Page]:
    client.force_login(alice)
    page = browser.new_page(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    assert page.faults == []
    page.close()


@pytest.fixture
def w(workspace: Workspace) -> str:
    return f"/w/{workspace.slug}"


def is_drawn(page: Page, canvas: str) -> bool:
    """Whether any pixel of it has a colour."""
    look = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value)"
    return page.locator(canvas).first.evaluate(look)


def test_the_dashboard_draws_what_its_tables_say(marketer: Page, w: str, workspace: Workspace, alice_actor: Actor):
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Spring")
        account = add_connection(workspace, "roastery")
        link = add_link(workspace, campaign, created_at=now() - timedelta(days=9), code="spring")
        for day in range(1, 8):
            at = now() - timedelta(days=day)
            add_measured(account, at, campaign=campaign, impressions=1000 + day, likes=20)
            add_clicks(workspace, at, 5, link_id=link.pk, campaign_id=campaign.pk)
            add_conversion(workspace, at, 20_000_000, campaign)
    roll_up()
    marketer.goto(f"{w}/results")
    expect(marketer.locator('[data-kpi="clicks"]')).to_have_text("35")
    expect(marketer.locator("canvas[data-chart]").first).to_be_visible()
    marketer.wait_for_function("() => window.Chart && Object.keys(window.Chart.instances).length > 0")
    assert is_drawn(marketer, "canvas[data-chart]")
    marketer.locator("summary", has_text="As a table").first.click()
    expect(marketer.locator("details[open] table").first).to_be_visible()
    # What comes in while the page is open shows on its cards.
    with workspace_scope(workspace.pk):
        add_clicks(workspace, now(), 2, link_id=link.pk, campaign_id=campaign.pk)
    expect(marketer.locator('[data-kpi="clicks"]')).to_have_text("37")


def test_a_report_is_read_and_taken_along(marketer: Page, w: str, workspace: Workspace, alice_actor: Actor):
    with workspace_scope(workspace.pk):
        account = add_connection(workspace, "roastery")
        for day in range(1, 6):
            add_measured(account, now() - timedelta(days=day), impressions=1000, likes=10)
        today = now().date()
        report = request_report(today - timedelta(days=7), today - timedelta(days=1), by=alice_actor)
    make_report(workspace.pk, report.pk)
    with workspace_scope(workspace.pk):
        report.refresh_from_db()
    posts = next(row for row in report.data["facts"] if row["id"] == "posts")
    marketer.goto(f"{w}/results/reports/{report.pk}")
    expect(marketer.get_by_text("The numbers are there; the text is being written.")).to_be_visible()
    finish_report(report, [{"text": f"Posts published: {posts['text']}.", "cites": ["posts"]}])
    # The page fetches the finished report by itself.
    expect(marketer.get_by_role("heading", name="What it says")).to_be_visible()
    source = marketer.get_by_role("link", name=f"{posts['label']}: {posts['text']}")
    source.click()
    assert marketer.url.endswith("#fact-posts")
    pdf = marketer.request.get(f"{w}/results/reports/{report.pk}/pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body()[:5] == b"%PDF-"


def test_the_guided_form_leads_to_a_running_test(marketer: Page, w: str, workspace: Workspace, alice_actor: Actor):
    with workspace_scope(workspace.pk):
        make_link(alice_actor, "spring")
    marketer.goto(f"{w}/experiments/new")
    marketer.get_by_label("Which page or offer converts better?").check()
    # What the question does not need is not asked.
    expect(marketer.get_by_label("Posts a week")).to_be_hidden()
    marketer.get_by_label("Visitors of the link a day").fill("20")
    marketer.get_by_label("Smallest difference worth finding (%)").fill("5")
    marketer.get_by_role("button", name="Propose a test").click()
    expect(marketer.get_by_text("Not feasible in 90 days")).to_be_visible()
    marketer.get_by_label("Visitors of the link a day").fill("2000")
    marketer.get_by_label("Smallest difference worth finding (%)").first.fill("30")
    marketer.get_by_role("button", name="Propose a test").click()
    expect(marketer.get_by_text("visitors for each variant")).to_be_visible()
    marketer.get_by_label("Name", exact=True).fill("Short landing page")
    marketer.get_by_label("Hypothesis").fill("A short page converts better.")
    marketer.get_by_label("spring").check()
    marketer.get_by_label("Address of variant 1").fill("https://acme.example/long")
    marketer.get_by_label("Name of variant 2").fill("Short")
    marketer.get_by_role("button", name="Save the draft").click()
    expect(marketer.get_by_text("“Short” is empty.")).to_be_visible()
    assert marketer.get_by_label("Hypothesis").input_value() == "A short page converts better."
    marketer.get_by_label("Address of variant 2").fill("https://acme.example/short")
    marketer.get_by_role("button", name="Save the draft").click()
    expect(marketer.get_by_role("heading", name="What will be written down at the start")).to_be_visible()
    marketer.get_by_role("button", name="Start").click()
    marketer.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(marketer.get_by_text("It has begun.")).to_be_visible()
    with workspace_scope(workspace.pk):
        assert Experiment.objects.get().status == Experiment.Status.RUNNING


def test_a_verdict_is_told_and_a_broken_split_refused(marketer: Page, w: str, workspace: Workspace, alice_actor: Actor):
    with workspace_scope(workspace.pk):
        links = [make_link(alice_actor, code) for code in ("good", "broken")]
        good, broken = (run_split(alice_actor, link) for link in links)
        Crowd(good, links[0], {"a": 0.05, "b": 0.12}).visit(2000)
        Crowd(broken, links[1], {"a": 0.05, "b": 0.12}).visit(1500, lost={"b": 0.5})
        look = services.look_now(good, by=alice_actor)
        refused = services.look_now(broken, by=alice_actor)
    marketer.goto(f"{w}/experiments/{good.pk}")
    expect(marketer.get_by_text(look.sentence).first).to_be_visible()
    marketer.get_by_text("Method, seed and data").click()
    expect(marketer.get_by_text(look.data_hash)).to_be_visible()
    marketer.goto(f"{w}/experiments/{broken.pk}")
    expect(marketer.get_by_text("Nothing is concluded")).to_be_visible()
    expect(marketer.get_by_text(refused.refusals[0]["reason"]).first).to_be_visible()
    expect(marketer.get_by_text("Chance to be best")).to_have_count(0)
    # A person may still decide: the record keeps what was known.
    marketer.get_by_text("More", exact=True).click()
    marketer.get_by_role("button", name="Make “New page” the winner").click()
    marketer.get_by_role("dialog").get_by_role("button", name="Make it the winner").click()
    expect(marketer.get_by_text("The winner is set.")).to_be_visible()
