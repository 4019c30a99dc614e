"""Every page, as a screen reader and a keyboard meet it. `audit.js` says what it looks for."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from analytics.models import MeasuredPost, Report, Snapshot
from analytics.reporting.making import finish_report, make_report
from analytics.reporting.services import request_report
from analytics.tracking.links import create_link as create_short_link
from campaigns.deliveries import submit_post
from campaigns.imports.services import check_import, create_import
from campaigns.models import Delivery, Import, Post
from campaigns.services import create_campaign
from campaigns.snippets import create_snippet
from campaigns.sources import create_source
from compliance.consent import give_consent
from compliance.consent_links import choices_token
from compliance.contacts import create_contact
from compliance.models import Contact, Notice, PrivacyRequest, Review
from compliance.notices import publish_notice
from compliance.privacy import mails
from compliance.privacy.holds import set_hold
from compliance.privacy.requests import open_contact_request
from compliance.reviews.links import create_link
from compliance.services import hold_review
from compliance.terms import TermDraft, add_term
from integrations.models import McpUsage, OutsideServer, WebhookDelivery, WebhookTry
from integrations.outside.services import attach_server
from integrations.servers import create_server
from integrations.tool_groups import tools_in
from integrations.webhooks.services import create_endpoint
from lib.clock import now
from social.models import Connection
from tests.browser.agent_rows import agent_pages
from tests.campaigns.cast import add_connection, add_post, mark_published
from tests.experiments.cast import draft_split, run_split
from tests.personal.rows import corner_pages
from tests.screens import OPEN_PAGES, PAGES, find_browser

# What the content policy keeps from running, as the browser tells it.
NOTE_REFUSED = """window.refused = [];
document.addEventListener("securitypolicyviolation", told => window.refused.push(
    `${told.effectiveDirective} refuses ${told.blockedURI} ${told.sample}`));"""
AUDIT = (Path(__file__).parent / "audit.js").read_text()
ACCOUNT_PAGES = ["/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/3rdparty/"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def visitor(browser: Browser, live_server) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 720})
    context.add_init_script(NOTE_REFUSED)
    yield context.new_page()
    context.close()


@pytest.fixture
def owner(visitor: Page, live_server, alice: User, client: Client) -> Page:
    client.force_login(alice)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
    visitor.context.add_cookies([cookie])
    return visitor


def add_measured(connection: Connection) -> MeasuredPost:
    """A post made elsewhere, with numbers of one age."""
    fields = {"workspace": connection.workspace, "published_at": now() - timedelta(hours=2)}
    post = MeasuredPost.objects.create(connection=connection, remote_id="7", text="By hand", impressions=5, **fields)
    Snapshot.objects.create(
        workspace=connection.workspace, post=post, age_s=3600, source="x.lookup", metrics={"impressions": 5}
    )
    return post


@pytest.fixture
def details(workspace: Workspace, alice_actor: Actor) -> list[str]:
    """Addresses of one object of each kind, and of a post in each stage of its life."""
    with workspace_scope(workspace.pk):
        connection = add_connection(workspace)
        campaign = create_campaign(by=alice_actor, name="Spring")
        source = create_source(by=alice_actor, name="Pictures", folder="spring", campaign=campaign)
        draft, waiting, live = (add_post(alice_actor, connection, campaign=campaign) for _ in range(3))
        submit_post(waiting, by=alice_actor)
        mark_published(live)
        short_link = create_short_link("https://acme.example", by=alice_actor, campaign=campaign)
        draft_test, running_test = draft_split(alice_actor, short_link), run_split(alice_actor, short_link)
        return [
            f"/links/{short_link.pk}",
            f"/experiments/{draft_test.pk}",
            f"/experiments/{draft_test.pk}/edit",
            f"/experiments/{running_test.pk}",
            f"/results/reports/{add_report(alice_actor).pk}",
            *corner_pages(alice_actor),
            *webhook_pages(alice_actor),
            *mcp_pages(alice_actor),
            "/search?q=spring",
            *(f"/posts/{post.pk}" for post in (draft, waiting, live)),
            *(f"/deliveries/{Delivery.objects.get(post=post).pk}" for post in (draft, live)),
            f"/deliveries/{Delivery.objects.get(post=live).pk}/numbers",
            f"/results/posts/{add_measured(connection).pk}",
            f"/posts/{draft.pk}/edit",
            f"/posts/{draft.pk}/matrix",
            f"/campaigns/{campaign.pk}",
            f"/campaigns/{campaign.pk}/edit",
            f"/campaigns/{campaign.pk}/approval",
            f"/posts/{waiting.pk}/links",
            f"/review/{create_link(by=alice_actor, name='Client', scope_id=campaign.pk, scope_label='Spring')[1]}",
            f"/reviews/{Review.objects.get().pk}",
            f"/sources/{source.pk}",
            f"/sources/{source.pk}/edit",
            f"/connections/{connection.pk}/slots",
            f"/queue/{connection.pk}",
            f"/posts/{draft.pk}/repeat",
            f"/calendar/move?delivery={Delivery.objects.get(post=draft).pk}",
            f"/posts/{draft.pk}/versions",
            f"/connections/{add_chat(workspace).pk}/telegram",
            *(f"/imports/{imported.pk}" for imported in add_imports(alice_actor)),
            f"/snippets/{create_snippet(by=alice_actor, kind='signature', name='Bye', text='See you.').pk}",
            *(f"/attention/?tab={tab}" for tab in ("unconfirmed", "missed", "risk", "review", "connections")),
        ]


@pytest.fixture
def request_of_anna(workspace: Workspace, alice_actor: Actor) -> PrivacyRequest:
    """She agreed to something, and wants to be forgotten; a hold stands against it."""
    with workspace_scope(workspace.pk):
        anna = create_contact(by=alice_actor, name="Anna Berg", email="anna@example.net")
        notice = publish_notice(by=alice_actor, purpose="newsletter", language="en", text="Once a month.")
        give_consent(anna, "newsletter", "email", by=alice_actor, method="form", notice=notice)
        set_hold("contact", anna.pk, "A dispute about an invoice.", by=alice_actor)
        return open_contact_request("erase", anna, by=alice_actor)


@pytest.fixture
def people_details(workspace: Workspace, alice_actor: Actor, request_of_anna: PrivacyRequest) -> list[str]:
    contact = f"/contacts/{request_of_anna.subject_id}"
    with workspace_scope(workspace.pk):
        word = add_term(TermDraft("cheap", replacement="fair", reason="We are not cheap."), by=alice_actor)
        notice = Notice.objects.get()
    return [
        contact,
        f"{contact}/edit",
        f"/notices/{notice.pk}",
        f"/settings/privacy/requests/{request_of_anna.pk}",
        f"/settings/guard/words/{word.pk}",
        "/settings/guard/rules?market=CN&severity=block",
        "/settings/audit?q=consent",
    ]


def mcp_pages(by: Actor) -> list[str]:
    server, _secret = create_server("Laptop", tools_in(["read", "draft"], by.perms), by=by)
    McpUsage.objects.create(workspace=by.workspace, server=server, day=now().date(), tool="metrics", calls=3)
    outside = attach_server("CRM", "https://crm.invalid/mcp", by=by)
    tool = {"name": "find", "description": "Finds customers.", "schema": {"type": "object"}, "sha256": "0"}
    OutsideServer.objects.filter(pk=outside.pk).update(tools=[tool])
    pages = [f"/settings/mcp/{server.pk}", f"/settings/mcp/{server.pk}/edit"]
    return [*pages, f"/settings/outside/{outside.pk}", f"/settings/outside/{outside.pk}/edit"]


def webhook_pages(by: Actor) -> list[str]:
    endpoint, _secret = create_endpoint("https://hooks.invalid/", ["*"], by=by, label="Chat")
    sent = WebhookDelivery(workspace=by.workspace, endpoint=endpoint, kind="run.failed", payload={"id": "1"})
    sent.save()
    WebhookTry.objects.create(workspace=by.workspace, delivery=sent, status_code=500, problem_text="No.", answer="Oh")
    return [f"/settings/webhooks/{endpoint.pk}", f"/settings/webhooks/sent/{sent.pk}"]


def add_report(by: Actor) -> Report:
    yesterday = now().date() - timedelta(days=1)
    report = request_report(yesterday, yesterday, by=by)
    make_report(by.workspace.pk, report.pk)
    finish_report(report, [])
    return report


def add_chat(workspace: Workspace) -> Connection:
    return Connection.objects.create(
        workspace=workspace, network="telegram", remote_id="-1001", kind="channel", name="Beans", app_key="bot:100000"
    )


def add_imports(by: Actor) -> list[Import]:
    """One whose columns are asked for, and one whose rows are shown."""
    asked, shown = (create_import("plan.csv", b"account,text\n@roastery,Hello\n@nobody,Hi\n", by=by) for _ in range(2))
    return [asked, check_import(shown, by=by)]


def audit(page: Page, addresses: list[str]) -> dict[str, list[str]]:
    found = {}
    for address in addresses:
        answer = page.goto(address, wait_until="domcontentloaded")
        refused = page.evaluate("window.refused")
        found[address] = page.evaluate(AUDIT) + refused + ([] if answer.ok else [f"answers {answer.status}"])
    return {address: faults for address, faults in found.items() if faults}


BROKEN = {
    "no name": "<input name=q>",
    "no name: <button": "<button><svg></svg></button>",
    "dialog without a name": "<dialog></dialog>",
    "picture without alt": "<img src=x>",
    "positive tabindex": "<p tabindex=2>Later</p>",
    "control inside a control": "<a href=/><button>Both</button></a>",
    "table without column headings": "<table><tr><td>1</table>",
    "heading without words": "<h2></h2>",
    "error that no field names": "<input aria-label=Day aria-invalid=true>",
    "aria-labelledby leads nowhere": "<section aria-labelledby=lost></section>",
    "id twice": "<p id=one></p><p id=one></p>",
    "headings do not begin with the one h1": "<h1>Two</h1>",
    "headings skip a level": "<h3>Deep</h3>",
    "2 main landmarks": "<main></main>",
    "one of several navs without a name": "<nav>A</nav><nav>B</nav>",
    "toasts are not spoken": "<div id=toasts></div>",
}


@pytest.fixture
def bare(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def test_the_audit_sees_what_is_wrong(bare: Page) -> None:
    missed = []
    for fault, html in BROKEN.items():
        bare.set_content(f"<html lang=en><title>Page</title><main><h1>Page</h1></main>{html}")
        if not any(found.startswith(fault) for found in bare.evaluate(AUDIT)):
            missed.append(fault)
    assert missed == []


def test_the_audit_finds_nothing_on_a_sound_page(bare: Page) -> None:
    bare.set_content("<html lang=en><title>Page</title><main><h1>Page</h1><button>Go</button></main>")
    assert bare.evaluate(AUDIT) == []


def test_the_audit_sees_what_the_content_policy_refuses(visitor: Page) -> None:
    visitor.goto("/accounts/login/")
    visitor.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>Red</p>')")
    visitor.wait_for_function("window.refused.length > 0")
    assert "style-src-attr refuses inline" in visitor.evaluate("window.refused")[0]


def test_the_pages_before_the_log_in_are_sound(visitor: Page) -> None:
    assert audit(visitor, [*OPEN_PAGES.values(), "/accounts/password/reset/"]) == {}


def test_the_pages_of_an_empty_workspace_are_sound(owner: Page, workspace: Workspace) -> None:
    inside = [f"/w/{workspace.slug}{path}" for path in PAGES.values()]
    assert audit(owner, inside + ACCOUNT_PAGES) == {}


def test_the_pages_of_a_full_workspace_are_sound(owner: Page, workspace: Workspace, details: list[str]) -> None:
    lists = [path for name, path in PAGES.items() if not name.endswith("-new")]
    assert audit(owner, [f"/w/{workspace.slug}{path}" for path in lists + details]) == {}


def test_the_pages_of_assistants_and_the_inbox_are_sound(owner: Page, workspace: Workspace, alice_actor: Actor) -> None:
    with workspace_scope(workspace.pk):
        pages = agent_pages(add_connection(workspace), alice_actor)
    names = ("inbox", "chat", "runs", "datasets", "budgets", "memory", "knowledge", "brand", "assistants")
    assert audit(owner, [f"/w/{workspace.slug}{path}" for path in [PAGES[name] for name in names] + pages]) == {}


def test_the_pages_about_people_are_sound(owner: Page, workspace: Workspace, people_details: list[str]) -> None:
    lists = [PAGES[name] for name in ("contacts", "notices", "privacy", "privacy-rules", "guard-words")]
    assert audit(owner, [f"/w/{workspace.slug}{path}" for path in lists + people_details]) == {}


def test_the_pages_of_people_without_an_account_are_sound(
    visitor: Page, workspace: Workspace, request_of_anna: PrivacyRequest
) -> None:
    with workspace_scope(workspace.pk):
        choices = f"/privacy-choices/{choices_token(Contact.objects.get())}"
    asked = f"/privacy/requests/{mails.token_of(request_of_anna)}"
    assert audit(visitor, [choices, f"{choices}?lang=zh", asked, "/privacy?lang=zh"]) == {}


def test_a_review_on_hold_and_a_text_that_is_objected_to_are_sound(
    owner: Page, workspace: Workspace, alice_actor: Actor, details: list[str]
) -> None:
    with workspace_scope(workspace.pk):
        review = Review.objects.get()
        hold_review(review, by=alice_actor, reason="Ask legal first.")
    assert audit(owner, [f"/w/{workspace.slug}/reviews/{review.pk}", f"/w/{workspace.slug}/reviews?tab=held"]) == {}
    owner.goto(f"/w/{workspace.slug}{PAGES['guard-try']}")
    owner.get_by_label("Text").fill("全网最好用的精华")
    owner.get_by_label("China").check()
    owner.get_by_role("button", name="Check").click()
    owner.locator(".guard-tried mark").first.wait_for()
    assert owner.evaluate(AUDIT) == []


@pytest.fixture
def composer(owner: Page, workspace: Workspace, details: list[str]) -> Page:
    owner.goto(f"/w/{workspace.slug}/posts/new")
    return owner


def test_the_composer_is_sound_with_everything_open(composer: Page) -> None:
    composer.locator("label.channel").first.click()
    composer.locator("#counters-0 > *").first.wait_for()
    composer.locator("#part-add").click()
    composer.locator("#library-1").click()
    composer.locator("#library").wait_for()
    assert composer.evaluate(AUDIT) == []


def test_accounts_chosen_in_a_hurry_are_all_chosen(composer: Page) -> None:
    for account in composer.locator("label.channel").all():
        account.click()
    composer.locator("#counters-0 > *").nth(1).wait_for()
    assert composer.locator("label.channel :checked").count() == 2


def test_the_composer_is_sound_with_errors_on_it(composer: Page) -> None:
    composer.get_by_role("button", name="Submit for review").click()
    composer.get_by_role("alert").first.wait_for()
    assert composer.evaluate(AUDIT) == []


def test_what_the_keyboard_reaches_is_not_behind_the_bar_of_the_composer(composer: Page) -> None:
    bar = composer.locator(".composer-bar").bounding_box()
    composer.locator("[name=campaign]").focus()
    for name in ("title", "tags", "language", "relationship", "shortener", "when"):
        field = composer.locator(f"[name={name}]").first
        # On the screen, and yet behind the bar: the browser alone would leave it there.
        field.evaluate("field => scrollBy(0, field.getBoundingClientRect().bottom - innerHeight + 4)")
        composer.keyboard.press("Tab")
        assert composer.evaluate("document.activeElement.name") == name
        reached = composer.locator("label", has=composer.locator("[name=when]")).first if name == "when" else field
        box = reached.bounding_box()
        assert box["y"] + box["height"] <= bar["y"], name


@pytest.fixture
def question(owner: Page, workspace: Workspace, details: list[str]) -> Page:
    """A page that asks before it deletes a post."""
    with workspace_scope(workspace.pk):
        post = Post.objects.filter(deliveries__state="draft").get()
    owner.goto(f"/w/{workspace.slug}/posts/{post.pk}")
    owner.locator("[data-confirm]", has_text="Cancel").first.focus()
    owner.keyboard.press("Enter")
    owner.locator("#confirm[open]").wait_for()
    return owner


def test_a_question_keeps_the_focus_until_it_is_answered(question: Page) -> None:
    inside = []
    for _ in range(4):
        question.keyboard.press("Tab")
        inside.append(question.evaluate("document.activeElement.closest('#confirm, body').id || 'the browser'"))
    assert set(inside) <= {"confirm", "the browser"}
    assert "confirm" in inside


def test_escape_answers_no_and_gives_the_focus_back(question: Page) -> None:
    question.keyboard.press("Escape")
    assert question.locator("dialog[open]").count() == 0
    assert "data-confirm" in question.evaluate("document.activeElement.outerHTML")
