"""What posts and accounts have earned by a moment."""

import json
import sqlite3

from sandbox import addresses, audience, tastes
from sandbox.audience import Counts, Facts
from sandbox.world import World
from sandbox.x import accounts, links


def facts_of(post: sqlite3.Row, account: sqlite3.Row) -> Facts:
    found = links.find_links(post["text"])
    words = post["text"]
    for link in reversed(found):
        words = words[: link.start] + words[link.end :]
    # X itself links no bare IP address; the sandbox's people do follow those of this machine.
    has_local_link = any(addresses.is_here(url) for url in addresses.web_addresses(words))
    if has_local_link:
        words = addresses.without_addresses(words)
    return Facts(
        f"{account['handle']}:{post['ordinal']}",
        words,
        post["created_at"],
        account["followers"],
        bool(found) or has_local_link,
        bool(json.loads(post["media"])),
        post["replied_to"] is not None,
    )


def counts_of(world: World, post: sqlite3.Row, now: float) -> Counts:
    db = world.store.db
    account = accounts.by_id(db, post["account_id"])
    assert account is not None
    return audience.counts_at(facts_of(post, account), now, world.seed, tastes.current(db))


def followers_of(world: World, account: sqlite3.Row, now: float) -> int:
    """Never fewer than before: a post that is gone keeps whom it brought."""
    taste = tastes.current(world.store.db)
    rows = world.store.db.execute(
        "SELECT p.*, coalesce(p.deleted_at, r.created_at) AS ended_at FROM x_posts p"
        " LEFT JOIN x_posts r ON r.id = p.replaced_by WHERE p.account_id = ?",
        (account["id"],),
    ).fetchall()
    earned = [
        audience.counts_at(facts_of(row, account), min(now, row["ended_at"] or now), world.seed, taste) for row in rows
    ]
    return int(account["followers"]) + audience.new_followers(account["followers"], account["created_at"], now, earned)
