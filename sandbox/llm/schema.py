SCHEMA = """
CREATE TABLE IF NOT EXISTS llm_calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, provider TEXT NOT NULL, route TEXT NOT NULL, key TEXT,
    attempt INTEGER NOT NULL, idempotency_key TEXT, request TEXT NOT NULL, model TEXT, behaviour TEXT,
    is_stream INTEGER NOT NULL DEFAULT 0, prompt_sha TEXT, system_sha TEXT, tools TEXT NOT NULL DEFAULT '[]',
    fault TEXT, answer_id TEXT, answer TEXT, stop TEXT,
    input_tokens INTEGER, cached_tokens INTEGER, written_tokens INTEGER, output_tokens INTEGER
);
CREATE TABLE IF NOT EXISTS llm_script (
    id INTEGER PRIMARY KEY AUTOINCREMENT, step TEXT NOT NULL, left INTEGER, used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS llm_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS llm_cache (
    scope TEXT NOT NULL, prefix TEXT NOT NULL, ttl TEXT NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (scope, prefix)
) WITHOUT ROWID;
"""
