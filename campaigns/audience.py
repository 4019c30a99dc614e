"""What a workspace's own rows say of its audience: numbers, and how far they carry."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, Q

from accounts.models import Workspace
from campaigns.models import Campaign, Conversation, Delivery
from compliance.models import Contact
from lib.clock import now
from social.models import Connection

Data = dict[str, Any]
LOOKED_BACK = timedelta(days=365)
# Below these a sentence about the audience is a guess.
NEEDED = {"published": 20, "conversations": 30, "contacts": 50}
TOP = 8
# By name, filled by the app that measures: counts and, under "lines", the same in sentences. Inside the scope.
FACTS: dict[str, Callable[[Workspace, Campaign | None], Data]] = {}


def audience_facts(workspace: Workspace, campaign: Campaign | None = None) -> Data:
    """Counts only: nobody's name or words. Inside the workspace's scope."""
    live = Delivery.objects.filter(workspace=workspace, state=Delivery.State.PUBLISHED)
    live = live.filter(published_at__gt=now() - LOOKED_BACK)
    if campaign:
        live = live.filter(post__campaign=campaign)
    counts = {
        "published": live.count(),
        "conversations": Conversation.objects.filter(workspace=workspace).count(),
        "contacts": Contact.objects.filter(workspace=workspace).count(),
    }
    return {
        "counts": counts,
        "missing": {name: needed - counts[name] for name, needed in NEEDED.items() if counts[name] < needed},
        "accounts": _accounts(workspace),
        "posts": _posts(live),
        "inbox": _inbox(workspace),
        "contacts": _contacts(workspace),
    } | {name: facts_of(workspace, campaign) for name, facts_of in FACTS.items()}


def is_enough(facts: Data) -> bool:
    """One kind of evidence is enough to say something about that kind."""
    return len(facts["missing"]) < len(NEEDED)


def _accounts(workspace: Workspace) -> list[Data]:
    rows = Connection.objects.shown().filter(workspace=workspace)
    return [{"account": str(row), "network": row.network, "followers": row.followers} for row in rows]


def _posts(live: Any) -> Data:
    rows = live.values_list("connection__network", "post__language", "post__tags")
    networks, languages, tags = Counter[str](), Counter[str](), Counter[str]()
    for network, language, of_post in rows.iterator():
        networks[network] += 1
        languages[language or "unknown"] += 1
        tags.update(str(tag).casefold() for tag in of_post)
    return {
        name: dict(counted.most_common(TOP))
        for name, counted in (("networks", networks), ("languages", languages), ("tags", tags))
    }


def _inbox(workspace: Workspace) -> Data:
    rows = Conversation.objects.filter(workspace=workspace)
    counted = rows.aggregate(
        opted_out=Count("pk", filter=Q(has_opted_out=True)),
        positive=Count("pk", filter=Q(sentiment__gt=0.2)),
        negative=Count("pk", filter=Q(sentiment__lt=-0.2)),
        read=Count("pk", filter=~Q(sentiment=None)),
        mean=Avg("sentiment"),
    )
    intents = rows.exclude(intent="").values_list("intent").annotate(number=Count("pk")).order_by("-number", "intent")
    return counted | {"intents": dict(intents[:TOP])}


def _contacts(workspace: Workspace) -> Data:
    rows = Contact.objects.filter(workspace=workspace).exclude(language="")
    languages = rows.values_list("language").annotate(number=Count("pk")).order_by("-number", "language")
    return {"languages": dict(languages[:TOP])}


def told(facts: Data) -> list[str]:
    """The same in sentences, for people and for the agent that describes it."""
    counts, posts, inbox = facts["counts"], facts["posts"], facts["inbox"]
    lines = [f"{counts['published']} posts were published in the last year."]
    lines += [f"{row['account']} has {row['followers']:,} followers." for row in facts["accounts"] if row["followers"]]
    lines += [f"Posts by {name}: {_listed(rows)}." for name, rows in posts.items() if rows]
    lines.append(f"{counts['conversations']} conversations: {inbox['positive']} friendly, {inbox['negative']} not.")
    if inbox["intents"]:
        lines.append(f"People wanted: {_listed(inbox['intents'])}.")
    lines.append(f"{counts['contacts']} contacts.")
    if facts["contacts"]["languages"]:
        lines.append(f"Contacts by language: {_listed(facts['contacts']['languages'])}.")
    for name in FACTS:
        lines += facts.get(name, {}).get("lines", [])
    return lines


def missing_words(facts: Data) -> list[str]:
    names = {"published": "published posts", "conversations": "conversations", "contacts": "contacts"}
    return [
        f"{facts['counts'][name]} of the {NEEDED[name]} {names[name]} that a statement would need."
        for name in facts["missing"]
    ]


def _listed(rows: Data) -> str:
    return ", ".join(f"{name} {number}" for name, number in rows.items())
