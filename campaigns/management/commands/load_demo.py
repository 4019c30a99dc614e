from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import Workspace
from campaigns.demo import add_reviewer, add_staff, load_demo
from campaigns.demo_content import DEMO_EMAIL, DEMO_PASSWORD

REVIEWER_EMAIL = "reviewer@example.com"
STAFF_EMAIL = "staff@example.com"


class Command(BaseCommand):
    help = "Load the demo workspace: a running campaign with drafts, sample media, and people to log in as."

    def handle(self, *args: Any, **options: Any) -> None:
        is_new = load_demo(DEMO_EMAIL, DEMO_PASSWORD)
        # A known password with power over others stays on a machine that plays with the sandbox.
        if is_sandbox(settings.X_API_BASE_URL):
            owned = Workspace.objects.filter(memberships__user__email=DEMO_EMAIL, memberships__role="owner")
            add_reviewer(REVIEWER_EMAIL, DEMO_PASSWORD, owned.order_by("created_at")[0])
            add_staff(STAFF_EMAIL, DEMO_PASSWORD)
        self.stdout.write("The demo is loaded." if is_new else "The demo was here already.")
        self.stdout.write(f"Log in with {DEMO_EMAIL} / {DEMO_PASSWORD}")


def is_sandbox(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
