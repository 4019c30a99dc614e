"""The pages that can be gone to by name."""

from dataclasses import dataclass

from accounts.access import Actor, Perm


@dataclass(frozen=True)
class Page:
    """`more` has other words for it."""

    label: str
    name: str
    perm: Perm | None = Perm.VIEW
    more: str = ""

    @property
    def words(self) -> list[str]:
        return f"{self.label} {self.more}".lower().split()

    def is_for(self, by: Actor) -> bool:
        return self.perm is None or by.can(self.perm)


PAGES = (
    Page("Dashboard", "campaigns:dashboard", None, "home start"),
    Page("New post", "campaigns:post-new", Perm.CONTENT_EDIT, "write compose"),
    Page("Calendar", "campaigns:calendar", None, "plan schedule"),
    Page("Posts", "campaigns:post-list", None),
    Page("Campaigns", "campaigns:campaign-list", None),
    Page("New campaign", "campaigns:campaign-new", Perm.CONTENT_EDIT),
    Page("Attention", "campaigns:attention", Perm.VIEW, "problems failed"),
    Page("Reviews", "campaigns:review-list", Perm.VIEW, "approve approvals"),
    Page("Assistant", "agents:chats", Perm.VIEW, "chat ai"),
    Page("Inbox", "campaigns:inbox", Perm.VIEW, "mentions messages replies"),
    Page("Brand", "agents:brand", Perm.VIEW, "voice memory claims"),
    Page("Memory", "agents:memory"),
    Page("Knowledge", "agents:knowledge", Perm.VIEW, "documents"),
    Page("Prompts and runs", "agents:assistants", Perm.VIEW, "assistants"),
    Page("Results", "analytics:results", Perm.VIEW, "analytics numbers"),
    Page("Reports", "analytics:reports"),
    Page("Links", "analytics:links", Perm.VIEW, "short utm"),
    Page("Experiments", "experiments:experiment-list", Perm.VIEW, "tests ab"),
    Page("Media", "campaigns:media-library", Perm.VIEW, "pictures videos library"),
    Page("Sources", "campaigns:source-list", Perm.VIEW, "feeds rss folders"),
    Page("Templates", "campaigns:snippet-list", Perm.VIEW, "snippets hashtags"),
    Page("Imports", "campaigns:import-list", Perm.VIEW, "csv"),
    Page("Contacts", "compliance:contacts", Perm.VIEW, "people consent"),
    Page("Activity", "campaigns:activity", Perm.VIEW, "log"),
    Page("Connections", "social:connection-list", Perm.VIEW, "accounts telegram x"),
    Page("Settings", "accounts:settings", Perm.VIEW, "workspace"),
    Page("Members", "accounts:members", Perm.VIEW, "team invite people roles"),
    Page("Usage", "campaigns:usage", Perm.VIEW, "costs budget"),
    Page("Rules", "compliance:guard-settings", Perm.VIEW, "guard words"),
    Page("MCP servers", "integrations:mcp-servers", Perm.VIEW, "claude"),
    Page("Webhooks", "integrations:webhooks", Perm.WEBHOOKS, "integrations"),
    Page("Tracking", "analytics:tracking", Perm.SETTINGS, "pixel"),
    Page("Privacy", "compliance:privacy", Perm.SETTINGS, "gdpr erasure"),
    Page("API keys", "accounts:keys", Perm.API_KEYS, "tokens"),
    Page("Audit trail", "accounts:audit", Perm.AUDIT, "history log"),
    Page("Notifications", "accounts:notifications", None, "news"),
    Page("Profile", "accounts:profile", None, "me password time zone language"),
)
