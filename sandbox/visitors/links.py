"""Links that people see: those in live posts on X and in chats on Telegram."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.addresses import web_addresses
from sandbox.telegram import earnings as telegram_earnings
from sandbox.telegram import people
from sandbox.visitors.browser import OffLimits, where
from sandbox.visitors.manners import BadOrder
from sandbox.world import World
from sandbox.x import accounts
from sandbox.x import earnings as x_earnings


@dataclass(frozen=True)
class Source:
    """One post and the links in it that lead to this machine."""

    key: str
    network: str
    urls: list[str]
    row: sqlite3.Row
    chat: sqlite3.Row | None = None

    def clicks_at(self, world: World, now: float) -> int:
        if self.chat is not None:
            return telegram_earnings.counts_of(world, self.row, self.chat, now).link_clicks
        return x_earnings.counts_of(world, self.row, now).link_clicks


def live_sources(world: World, order: dict[str, Any], hosts: dict[str, str]) -> list[Source]:
    """Every post, or those that `account`, `post`, `chat` and `message_id` choose."""
    found = []
    if "chat" not in order:
        found += [_from_x(row, hosts) for row in _x_posts(world, order)]
    if "account" not in order and "post" not in order:
        found += [_from_telegram(world.store.db, row, hosts) for row in _messages(world, order)]
    return [source for source in found if source.urls]


def _x_posts(world: World, order: dict[str, Any]) -> list[sqlite3.Row]:
    db, account_id = world.store.db, None
    if "account" in order:
        account = accounts.find(db, str(order["account"]))
        if account is None:
            raise BadOrder(f"no account {order['account']}")
        account_id = account["id"]
    return db.execute(
        "SELECT * FROM x_posts WHERE deleted_at IS NULL AND replaced_by IS NULL AND visible_at <= ?1"
        " AND (?2 IS NULL OR account_id = ?2) AND (?3 IS NULL OR CAST(id AS TEXT) = ?3) ORDER BY id",
        (world.clock.now(), account_id, str(order["post"]) if "post" in order else None),
    ).fetchall()


def _messages(world: World, order: dict[str, Any]) -> list[sqlite3.Row]:
    db, chat_id = world.store.db, None
    if "chat" in order:
        chat = people.named_chat(db, order["chat"])
        if chat is None:
            raise BadOrder(f"no chat {order['chat']}")
        chat_id = chat["id"]
    return db.execute(
        "SELECT * FROM tg_messages WHERE owner = 0 AND deleted_at IS NULL AND service IS NULL"
        " AND (?1 IS NULL OR chat_id = ?1) AND (?2 IS NULL OR message_id = ?2) ORDER BY chat_id, message_id",
        (chat_id, order.get("message_id")),
    ).fetchall()


def _from_x(row: sqlite3.Row, hosts: dict[str, str]) -> Source:
    return Source(f"x:{row['id']}", "x", _reachable(web_addresses(row["text"]), hosts), row)


def _from_telegram(db: sqlite3.Connection, row: sqlite3.Row, hosts: dict[str, str]) -> Source:
    hidden = [entity["url"] for entity in json.loads(row["entities"]) if entity["type"] == "text_link"]
    keyboard = json.loads(row["keyboard"] or "{}").get("inline_keyboard", [])
    buttons = [button["url"] for line in keyboard for button in line if "url" in button]
    urls = _reachable([*web_addresses(row["text"]), *hidden, *buttons], hosts)
    key = f"telegram:{row['chat_id']}:{row['message_id']}"
    return Source(key, "telegram", urls, row, people.chat(db, row["chat_id"]))


def _reachable(urls: list[str], hosts: dict[str, str]) -> list[str]:
    kept = []
    for url in dict.fromkeys(urls):
        try:
            where(urlsplit(url), hosts)
        except (OffLimits, ValueError):
            continue
        kept.append(url)
    return kept
