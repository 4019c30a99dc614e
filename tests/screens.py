"""Pictures of every page in both themes and both widths, from a running instance with the demo in it.

python -m tests.screens --base http://127.0.0.1:8000 --only calendar
"""

import argparse
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from campaigns.demo_content import DEMO_EMAIL, DEMO_PASSWORD

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = {"wide": (1280, 900), "phone": (390, 844)}
THEMES = ["light", "dark"]
OPEN_PAGES = {"landing": "/", "login": "/accounts/login/", "signup": "/accounts/signup/", "privacy-public": "/privacy"}
PAGES = {
    "dashboard": "/",
    "calendar": "/calendar",
    "calendar-week": "/calendar?view=week",
    "calendar-day": "/calendar?view=day",
    "calendar-list": "/calendar?view=list",
    "recurrences": "/recurrences",
    "posts": "/posts",
    "post-new": "/posts/new",
    "snippets": "/snippets",
    "imports": "/imports",
    "media": "/media-library",
    "campaigns": "/campaigns",
    "plans": "/plans",
    "campaign-new": "/campaigns/new",
    "reviews": "/reviews",
    "attention": "/attention/",
    "preflight": "/preflight/",
    "outage": "/outage/",
    "inbox-done": "/inbox?show=done",
    "assistants": "/assistants",
    "assistants-archived": "/assistants?archived",
    "assistant-new": "/assistants/new?template=food-menu-en",
    "assistant-built-in": "/assistants/built-in/writer",
    "prompt-library": "/assistants/library",
    "prompt-template-new": "/assistants/library/new",
    "sources": "/sources",
    "source-new": "/sources/new",
    "feed-new": "/sources/new?kind=feed",
    "connections": "/connections",
    "telegram-new": "/connections/telegram/new",
    "settings": "/settings",
    "mcp-servers": "/settings/mcp",
    "mcp-new": "/settings/mcp/new",
    "outside": "/settings/outside",
    "outside-new": "/settings/outside/new",
    "webhooks": "/settings/webhooks",
    "webhook-events": "/settings/webhooks/events",
    "webhook-new": "/settings/webhooks/new",
    "search": "/search",
    "search-found": "/search?q=coffee",
    "members": "/settings/members",
    "guard": "/settings/guard",
    "guard-words": "/settings/guard/words",
    "guard-word-new": "/settings/guard/words/new",
    "guard-rules": "/settings/guard/rules",
    "guard-try": "/settings/guard/try",
    "inbox": "/inbox",
    "you": "/you",
    "you-briefs": "/you/briefs",
    "you-watchlist": "/you/watchlist",
    "you-tasks": "/you/tasks",
    "you-task-new": "/you/tasks/new/brief",
    "you-preferences": "/you/preferences",
    "chat": "/assistant",
    "runs": "/runs",
    "datasets": "/datasets",
    "budgets": "/settings/assistants",
    "memory": "/memory",
    "memory-new": "/memory/new",
    "memory-days": "/memory/days",
    "brand": "/brand",
    "claim-new": "/brand/claims/new",
    "knowledge": "/knowledge",
    "knowledge-new": "/knowledge/new",
    "links": "/links",
    "link-new": "/links/new",
    "link-domains": "/links/domains",
    "utm": "/links/utm",
    "conversion-import": "/conversions/import",
    "tracking": "/settings/tracking",
    "results": "/results",
    "results-week": "/results?days=7",
    "audience": "/results/audience",
    "cohorts": "/results/cohorts",
    "funnels": "/results/funnels",
    "funnel-new": "/results/funnels/new",
    "segments": "/results/segments",
    "segment-new": "/results/segments/new",
    "unusual-days": "/results/unusual",
    "shared-pages": "/results/shared",
    "share-new": "/results/shared/new?kind=dashboard&days=28",
    "reports": "/results/reports",
    "report-schedule-new": "/results/reports/schedules/new",
    "experiments": "/experiments",
    "experiment-new": "/experiments/new",
    "experiment-proposal": "/experiments/new?question=landing&visitors_per_day=500&base_rate=5&lift=30",
    "contacts": "/contacts",
    "contact-new": "/contacts/new",
    "contact-import": "/contacts/import",
    "notices": "/notices",
    "notice-new": "/notices/new",
    "privacy": "/settings/privacy",
    "privacy-data": "/settings/privacy/data",
    "privacy-rules": "/settings/privacy/rules",
    "own-privacy": "/account/privacy",
    "workspace-plan": "/settings/plan",
    "keys": "/settings/keys",
    "audit": "/settings/audit",
    "usage": "/usage/",
    "activity": "/activity/",
    "profile": "/profile",
    "telegram-link": "/profile/telegram",
    "notifications": "/notifications",
    "workspace-new": "/workspaces/new",
}
# A page of one object: the list that links to one, and what the address of one looks like.
UUID = r"[0-9a-f-]{36}"
DETAILS = {
    "campaign": ("/campaigns", rf"/campaigns/{UUID}$"),
    "plan": ("/plans", rf"/plans/{UUID}$"),
    "campaign-approval": ("campaign", rf"/campaigns/{UUID}/approval$"),
    "campaign-results": ("campaign", rf"/campaigns/{UUID}/results$"),
    "campaign-edit": ("campaign", rf"/campaigns/{UUID}/edit$"),
    "post": ("/posts", rf"/posts/{UUID}$"),
    "post-edit": ("post", rf"/posts/{UUID}/edit$"),
    "post-matrix": ("post", rf"/posts/{UUID}/matrix$"),
    "post-versions": ("post", rf"/posts/{UUID}/versions$"),
    "post-repeat": ("post", rf"/posts/{UUID}/repeat$"),
    "delivery": ("/posts", rf"/deliveries/{UUID}$"),
    "receipt": ("/posts?tab=published", rf"/deliveries/{UUID}$"),
    "review": ("/reviews", rf"/reviews/{UUID}$"),
    "post-links": ("review", rf"/posts/{UUID}/links$"),
    "assistant": ("/assistants", rf"/assistants/{UUID}$"),
    "run": ("/runs", rf"/runs/{UUID}$"),
    "conversation": ("/inbox", rf"/inbox/{UUID}$"),
    "assistant-edit": ("assistant", rf"/assistants/{UUID}/edit$"),
    "assistant-diff": ("assistant", rf"/assistants/{UUID}/diff$"),
    "assistant-try": ("assistant", rf"/assistants/{UUID}/versions/1/try$"),
    "you-brief": ("/you/briefs", rf"/you/briefs/{UUID}$"),
    "you-task": ("/you/tasks", rf"/you/tasks/{UUID}$"),
    "you-task-edit": ("you-task", rf"/you/tasks/{UUID}/edit$"),
    "chat-thread": ("/assistant", rf"/assistant/{UUID}$"),
    "dataset": ("/datasets", rf"/datasets/{UUID}$"),
    "prompt-template": ("/assistants/library", rf"/assistants/library/{UUID}$"),
    "source": ("/sources", rf"/sources/{UUID}$"),
    "source-edit": ("source", rf"/sources/{UUID}/edit$"),
    "slots": ("/connections", rf"/connections/{UUID}/slots$"),
    "queue": ("slots", rf"/queue/{UUID}$"),
    "import": ("/imports", rf"/imports/{UUID}$"),
    "delivery-numbers": ("receipt", rf"/deliveries/{UUID}/numbers$"),
    "report": ("/results/reports", rf"/results/reports/{UUID}$"),
    "link": ("/links", rf"/links/{UUID}$"),
    "experiment": ("/experiments", rf"/experiments/{UUID}$"),
    "experiment-edit": ("experiment", rf"/experiments/{UUID}/edit$"),
    "mcp-server": ("/settings/mcp", rf"/settings/mcp/{UUID}$"),
    "mcp-edit": ("mcp-server", rf"/settings/mcp/{UUID}/edit$"),
    "outside-server": ("/settings/outside", rf"/settings/outside/{UUID}$"),
    "contact": ("/contacts", rf"/contacts/{UUID}$"),
    "contact-edit": ("contact", rf"/contacts/{UUID}/edit$"),
    "notice": ("/notices", rf"/notices/{UUID}$"),
    "guard-word": ("/settings/guard/words", rf"/settings/guard/words/{UUID}$"),
    "privacy-request": ("/settings/privacy", rf"/settings/privacy/requests/{UUID}$"),
    "telegram-chat": ("/connections", rf"/connections/{UUID}/telegram$"),
}


# Pages whose picture stands in docs/guide.md.
GUIDE = [
    "dashboard",
    "calendar",
    "plan",
    "post-edit",
    "post-matrix",
    "review",
    "receipt",
    "results",
    "experiment",
    "inbox",
    "chat-thread",
    "you-brief",
    "you-watchlist",
    "mcp-server",
    "webhooks",
]
GUIDE_SIZE = {"width": 1120, "height": 720}


def find_browser() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def log_in(page: Page, base: str, email: str, password: str) -> str:
    """The address of the workspace the person lands in."""
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.click(".auth-card form button[type=submit], .auth-card form .btn-primary")
    page.wait_for_url(re.compile(r"/w/[a-z0-9-]+/"))
    return page.url.rstrip("/")


def find_pages(page: Page, home: str) -> dict[str, str]:
    found = dict(PAGES)
    for name, (start, pattern) in DETAILS.items():
        page.goto(home + found.get(start, start))
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
        matching = [link for link in links if re.search(pattern, link.split("?")[0])]
        if matching:
            found[name] = re.sub(r"^/w/[^/]+", "", matching[0])
    return found


def take(page: Page, url: str, target: Path) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    print(f"{target.name}{f'  {overflow} px too wide' if overflow > 0 else ''}", flush=True)


def looks(browser: Browser, base: str, out: Path, state: dict | None) -> Iterator[tuple[Page, Path]]:
    for width, (x, y) in WIDTHS.items():
        for theme in THEMES:
            size = {"width": x, "height": y}
            context = browser.new_context(viewport=size, color_scheme=theme, storage_state=state)
            context.add_cookies([{"name": "theme", "value": theme, "url": base}])
            folder = out / f"{theme}-{width}"
            folder.mkdir(parents=True, exist_ok=True)
            yield context.new_page(), folder
            context.close()


def take_all(base: str, out: Path, email: str, password: str, only: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGS)
        entrance = browser.new_context()
        page = entrance.new_page()
        home = log_in(page, base, email, password)
        inside = {name: home + path for name, path in find_pages(page, home).items()}
        state = entrance.storage_state()
        outside = {name: base + path for name, path in OPEN_PAGES.items()}
        for session, urls in ((None, outside), (state, inside)):
            for look, folder in looks(browser, base, out, session):
                for name, url in urls.items():
                    if only in name:
                        take(look, url, folder / f"{name}.png")
        browser.close()


def begin_work(page: Page, base: str, home: str, email: str, password: str) -> None:
    """What the demo leaves to its visitor: an account, a published post, one that waits, a test, things to watch."""
    page.goto(f"{home}/connections")
    page.get_by_role("button", name="Connect X").first.click()
    page.locator("#handle").fill("demo_roastery")
    page.locator("#authorize").click()
    page.wait_for_url("**/connections")
    tokens = requests.post(f"{base}/api/auth/login", json={"email": email, "password": password}, timeout=30).json()

    def call(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {tokens['access']}"}
        answer = requests.request(method, f"{base}/api{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    account = call("GET", "/connections")["results"][0]["id"]
    for text in ("Friday tasting at six. Come by.", "The decaf is back, in both shops from Monday."):
        post = call("POST", "/posts", {"parts": [{"text": text}], "connections": [account]})
        call("POST", f"/posts/{post['id']}/submit")
    waiting = call("GET", "/reviews")["results"]
    review = next(one for one in waiting if one["snapshot"]["parts"][0]["text"] == text)
    call("POST", f"/reviews/{review['id']}/approve", {"hash": review["hash"]})
    call("POST", "/tasks/publish", {"posts": [post["id"]]})
    call("POST", "/posts", {"parts": [{"text": "What shall we roast next? Tell us."}], "connections": [account]})
    call("POST", "/mcp/servers", {"name": "Laptop", "groups": ["read", "draft"]})
    kinds = ["delivery.published", "delivery.failed"]
    call("POST", "/webhooks", {"label": "Shop system", "url": "https://hooks.example.com/rostrum", "kinds": kinds})
    wish = "Our decaf is back, in both shops from Monday"
    call("POST", "/plans", {"brief": wish, "connections": [account], "languages": ["en", "zh"]})
    me = call("GET", "/auth/me")["id"]
    for value in ("$ACME", "@demo_rival", "#coldbrew"):
        call("POST", f"/users/{me}/watchlist", {"value": value})
    brief = {"kind": "brief", "name": "Morning brief", "mode": "cron", "spec": "0 8 * * 1-5"}
    task = call("POST", f"/users/{me}/tasks", brief)["id"]
    call("POST", f"/users/{me}/tasks/{task}/run")
    page.goto(f"{home}/memory/new")
    page.fill("[name=text]", "We roast on Mondays and Thursdays. Bags leave the shop the day after.")
    page.locator("main form .btn-primary").click()
    page.wait_for_timeout(5_000)  # it is read into search
    page.goto(f"{home}/assistant")
    page.fill("#message", "On which days do we roast?")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(UUID))
    plan = {"name": "Landing page", "hypothesis": "A shorter page sells more.", "design": "A", "metric": "conversions"}
    link = call("POST", "/links", {"target": "https://roastery.example/long"})["id"]
    arms = [{"name": name, "content": {"url": f"https://roastery.example/{name}"}} for name in ("long", "short")]
    call("POST", "/experiments", {**plan, "settings": {"links": [link], "mde": 0.2}, "arms": arms})
    page.wait_for_timeout(40_000)  # workers publish, propose and read the watchlist


def take_guide(base: str, out: Path, email: str, password: str) -> None:
    """The first screenful of each page of the guide, small enough for a repository."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGS)
        page = browser.new_page(viewport=GUIDE_SIZE)
        home = log_in(page, base, email, password)
        begin_work(page, base, home, email, password)
        pages = find_pages(page, home)
        out.mkdir(parents=True, exist_ok=True)
        for name in GUIDE:
            page.goto(home + pages[name])
            page.wait_for_load_state("networkidle")
            page.screenshot(path=f"{folder}/{name}.png")
            Image.open(f"{folder}/{name}.png").save(out / f"{name}.webp", quality=80, method=6)
            print(f"{name}.webp", flush=True)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--email", default=DEMO_EMAIL)
    parser.add_argument("--password", default=DEMO_PASSWORD)
    parser.add_argument("--only", default="", help="part of a page's name")
    parser.add_argument("--guide", action="store_true", help="the pictures of docs/guide.md instead")
    options = parser.parse_args()
    if options.guide:
        take_guide(options.base.rstrip("/"), Path("docs/pictures"), options.email, options.password)
    else:
        take_all(options.base.rstrip("/"), options.out, options.email, options.password, options.only)
