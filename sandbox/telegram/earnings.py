"""What the members of a chat do with its messages: they look, react, pass on, and bring others."""

import json
import math
import random
import sqlite3

from sandbox import addresses, audience, tastes
from sandbox.audience import Counts, Facts
from sandbox.telegram import acts, invites, people
from sandbox.world import World

# Telegram gathers reactions and tells bots about them in batches, minutes late.
BATCH_SECONDS = 300
# Later ones are too few to look for.
LAST_REACTION_SECONDS = 14 * 86400
EMOJI = ("👍", "❤", "🔥", "🎉")
SHARES = (0.55, 0.25, 0.14, 0.06)


def facts_of(message: sqlite3.Row, chat: sqlite3.Row) -> Facts:
    """By the words as they were sent, so that an edit takes nothing away."""
    history = json.loads(message["history"])
    first = history[0] if history else {**message, "entities": json.loads(message["entities"])}
    text, is_reply = addresses.without_addresses(first["text"]), message["reply_to"] is not None
    has_link = (
        text != first["text"]
        or _has_url_button(message)
        or any(entity["type"] in ("url", "text_link") for entity in first["entities"])
    )
    key = f"{message['chat_id']}:{message['message_id']}"
    has_media = message["media_kind"] is not None
    return Facts(key, text, message["sent_at"], chat["audience"], has_link, has_media, is_reply, is_feed=False)


def _has_url_button(message: sqlite3.Row) -> bool:
    rows = json.loads(message["keyboard"] or "{}").get("inline_keyboard", [])
    return any("url" in button for row in rows for button in row)


def counts_of(world: World, message: sqlite3.Row, chat: sqlite3.Row, now: float) -> Counts:
    return audience.counts_at(facts_of(message, chat), now, world.seed, tastes.current(world.store.db))


def views_of(world: World, message: sqlite3.Row, chat: sqlite3.Row, now: float) -> int:
    """Whoever posted has seen it too."""
    return 1 + counts_of(world, message, chat, now).impressions


def member_count(world: World, chat: sqlite3.Row, now: float) -> int:
    """Named members, the audience, and who came since: never fewer unless somebody named leaves."""
    return people.member_count(world.store.db, chat) + newcomers(world, chat, now)


def newcomers(world: World, chat: sqlite3.Row, now: float) -> int:
    # A group that has moved grows where it is now.
    if not chat["audience"] or chat["created_at"] is None or chat["migrated_to"]:
        return 0
    taste = tastes.current(world.store.db)
    rows = world.store.db.execute(
        "SELECT * FROM tg_messages WHERE chat_id = ? AND owner = 0 AND service IS NULL", (chat["id"],)
    ).fetchall()
    earned = [
        audience.counts_at(facts_of(row, chat), min(now, row["deleted_at"] or now), world.seed, taste) for row in rows
    ]
    return audience.new_followers(chat["audience"], chat["created_at"], now, earned)


def reactions_at(world: World, message: sqlite3.Row, chat: sqlite3.Row, now: float) -> dict[str, int]:
    """Totals by emoji; what people set themselves is never taken away."""
    total = counts_of(world, message, chat, now).likes
    favourites = list(EMOJI)
    random.Random(f"{world.seed}:{message['chat_id']}:{message['message_id']}").shuffle(favourites)
    # Rounded one by one, so that none of them ever falls.
    simulated = {emoji: math.floor(total * share) for emoji, share in zip(favourites, SHARES, strict=True)}
    simulated[favourites[0]] = math.ceil(total * SHARES[0])
    shown = json.loads(message["reactions"])
    merged = {emoji: max(shown.get(emoji, 0), simulated.get(emoji, 0)) for emoji in [*shown, *simulated]}
    return {emoji: count for emoji, count in merged.items() if count}


def send_batch(world: World) -> None:
    """Once every five minutes of the sandbox's clock: the totals as they are, where they have grown."""
    db, batch = world.store.db, int(world.clock.now() // BATCH_SECONDS)
    last = tastes.read_setting(db, "reaction_batch")
    if last == batch:
        return
    tastes.save_setting(db, "reaction_batch", batch)
    moment = float(batch * BATCH_SECONDS)
    rows = db.execute(
        "SELECT m.* FROM tg_messages m JOIN tg_chats c ON c.id = m.chat_id WHERE c.audience > 0"
        " AND c.migrated_to IS NULL AND m.owner = 0 AND m.service IS NULL AND m.deleted_at IS NULL"
        " AND m.sent_at BETWEEN ? AND ?",
        (min(moment, (last or batch) * BATCH_SECONDS) - LAST_REACTION_SECONDS, moment),
    ).fetchall()
    for message in rows:
        chat = people.chat(db, message["chat_id"])
        assert chat is not None
        totals = reactions_at(world, message, chat, moment)
        if totals != json.loads(message["reactions"]):
            acts.react(world, acts.place_for(db, message["chat_id"]), message["message_id"], totals)


def join_people(world: World, invite: sqlite3.Row, count: int) -> int:
    """New people come in by an invite link, one after the other, until it is full; returns how many."""
    db = world.store.db
    for joined in range(count):
        found = invites.find(db, invite["link"])
        if found is None or not invites.is_open(found, world.clock.now()):
            return joined
        acts.join(world, people.create_user(db, "Guest"), invite["link"])
    return count
