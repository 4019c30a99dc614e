SCHEMA = """
CREATE TABLE IF NOT EXISTS x_apps (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, name TEXT NOT NULL, is_public INTEGER NOT NULL,
    redirect_uris TEXT NOT NULL DEFAULT '[]', bearer_token TEXT NOT NULL UNIQUE,
    consumer_key TEXT NOT NULL UNIQUE, consumer_secret TEXT NOT NULL,
    owner_id INTEGER, credit_micro INTEGER, spent_micro INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS x_accounts (
    id INTEGER PRIMARY KEY, handle TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL,
    is_premium INTEGER NOT NULL, followers INTEGER NOT NULL, created_at REAL NOT NULL,
    access_token TEXT NOT NULL UNIQUE, access_secret TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS x_codes (
    code TEXT PRIMARY KEY, client_id TEXT NOT NULL, account_id INTEGER NOT NULL, redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL, challenge TEXT NOT NULL, method TEXT NOT NULL, expires_at REAL NOT NULL,
    is_used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS x_tokens (
    access_token TEXT PRIMARY KEY, refresh_token TEXT UNIQUE, family TEXT NOT NULL, client_id TEXT NOT NULL,
    account_id INTEGER NOT NULL, scope TEXT NOT NULL, expires_at REAL NOT NULL,
    refresh_expires_at REAL NOT NULL, is_refreshed INTEGER NOT NULL DEFAULT 0,
    is_revoked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS x_tokens_family ON x_tokens (family);
CREATE TABLE IF NOT EXISTS x_nonces (nonce TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS x_windows (
    name TEXT PRIMARY KEY, used INTEGER NOT NULL, resets_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS x_posts (
    id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, client_id TEXT, ordinal INTEGER NOT NULL,
    text TEXT NOT NULL, fingerprint TEXT NOT NULL, created_at REAL NOT NULL, visible_at REAL NOT NULL,
    conversation_id INTEGER NOT NULL, replied_to INTEGER, replied_to_account INTEGER, quoted INTEGER,
    media TEXT NOT NULL DEFAULT '[]', poll TEXT, options TEXT NOT NULL DEFAULT '{}',
    history TEXT NOT NULL DEFAULT '[]', replaced_by INTEGER, is_hidden INTEGER NOT NULL DEFAULT 0,
    deleted_at REAL
);
CREATE INDEX IF NOT EXISTS x_posts_account ON x_posts (account_id, id);
CREATE INDEX IF NOT EXISTS x_posts_fingerprint ON x_posts (account_id, fingerprint);
CREATE INDEX IF NOT EXISTS x_posts_replied_to ON x_posts (replied_to);
CREATE TABLE IF NOT EXISTS x_mentions (
    account_id INTEGER NOT NULL, post_id INTEGER NOT NULL, PRIMARY KEY (account_id, post_id)
);
CREATE TABLE IF NOT EXISTS x_late (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, client_id TEXT NOT NULL,
    account_id INTEGER NOT NULL, body TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS x_media (
    id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, category TEXT NOT NULL, media_type TEXT NOT NULL,
    total_bytes INTEGER NOT NULL, size INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
    started_at REAL NOT NULL DEFAULT 0, ready_at REAL NOT NULL DEFAULT 0, polls_left INTEGER NOT NULL DEFAULT 0,
    expires_at REAL NOT NULL, sha256 TEXT, width INTEGER, height INTEGER, duration_ms INTEGER,
    error TEXT, alt_text TEXT, subtitles TEXT
);
CREATE TABLE IF NOT EXISTS x_reads (
    client_id TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, resource_id INTEGER NOT NULL,
    PRIMARY KEY (client_id, day, kind, resource_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS x_late_due ON x_late (due_at);
"""
