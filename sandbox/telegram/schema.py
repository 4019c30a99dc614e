SCHEMA = """
CREATE TABLE IF NOT EXISTS tg_users (
    id INTEGER PRIMARY KEY, is_bot INTEGER NOT NULL, name TEXT NOT NULL, username TEXT UNIQUE COLLATE NOCASE
);
CREATE TABLE IF NOT EXISTS tg_bots (
    id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, allowed_updates TEXT NOT NULL DEFAULT '[]',
    next_update_id INTEGER NOT NULL, poller TEXT, webhook_url TEXT NOT NULL DEFAULT '',
    secret_token TEXT NOT NULL DEFAULT '', max_connections INTEGER NOT NULL DEFAULT 40, ip_address TEXT,
    failures INTEGER NOT NULL DEFAULT 0, next_try_at REAL NOT NULL DEFAULT 0, last_error_at REAL, last_error TEXT
);
CREATE TABLE IF NOT EXISTS tg_chats (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, title TEXT NOT NULL, username TEXT UNIQUE COLLATE NOCASE,
    is_forum INTEGER NOT NULL DEFAULT 0, audience INTEGER NOT NULL DEFAULT 0, migrated_to INTEGER,
    primary_link TEXT NOT NULL, pinned TEXT NOT NULL DEFAULT '[]', created_at REAL
);
CREATE TABLE IF NOT EXISTS tg_members (
    chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL, status TEXT NOT NULL, rights TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (chat_id, user_id)
);
CREATE TABLE IF NOT EXISTS tg_dialogs (
    bot_id INTEGER NOT NULL, user_id INTEGER NOT NULL, is_blocked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, user_id)
);
-- A private chat has one history per bot: `owner` is that bot, and 0 elsewhere.
CREATE TABLE IF NOT EXISTS tg_messages (
    chat_id INTEGER NOT NULL, owner INTEGER NOT NULL, message_id INTEGER NOT NULL, sender_id INTEGER,
    sent_at REAL NOT NULL, edited_at REAL, deleted_at REAL, text TEXT NOT NULL DEFAULT '',
    entities TEXT NOT NULL DEFAULT '[]', media_kind TEXT, media TEXT, album TEXT, thread_id INTEGER,
    reply_to INTEGER, keyboard TEXT, options TEXT NOT NULL DEFAULT '{}', history TEXT NOT NULL DEFAULT '[]',
    reactions TEXT NOT NULL DEFAULT '{}', service TEXT,
    is_silent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (chat_id, owner, message_id)
);
CREATE TABLE IF NOT EXISTS tg_topics (
    chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, name TEXT NOT NULL, icon_color INTEGER NOT NULL,
    icon_custom_emoji_id TEXT, is_closed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (chat_id, thread_id)
);
CREATE TABLE IF NOT EXISTS tg_invites (
    link TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, creator_id INTEGER NOT NULL, name TEXT, expire_date INTEGER,
    member_limit INTEGER, creates_join_request INTEGER NOT NULL DEFAULT 0, is_revoked INTEGER NOT NULL DEFAULT 0,
    joined INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tg_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id TEXT NOT NULL UNIQUE, unique_id TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, mime_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0, duration INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tg_updates (
    bot_id INTEGER NOT NULL, update_id INTEGER NOT NULL, body TEXT NOT NULL, is_done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, update_id)
);
CREATE TABLE IF NOT EXISTS tg_presses (
    id TEXT PRIMARY KEY, bot_id INTEGER NOT NULL, user_id INTEGER NOT NULL, chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL, data TEXT NOT NULL, pressed_at REAL NOT NULL, answered_at REAL,
    answer TEXT, is_alert INTEGER NOT NULL DEFAULT 0, url TEXT
);
CREATE TABLE IF NOT EXISTS tg_buckets (name TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tg_late (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, bot_id INTEGER NOT NULL, drafts TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL
);
"""
