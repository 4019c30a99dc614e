"""The product's tools, each a thin door to the services that pages and API call."""

from integrations.mcp.registry import REGISTRY
from integrations.mcp.tools import (
    calendar,
    campaigns,
    connections,
    drafts,
    experiments,
    inbox,
    memory,
    plans,
    posts,
    previews,
    publishing,
    results,
    search,
)

# In the order in which one works with them.
MODULES = (
    *(campaigns, plans, drafts, previews, publishing, posts, connections, calendar, results, experiments),
    *(memory, search, inbox),
)

for module in MODULES:
    REGISTRY.add(*module.TOOLS)
