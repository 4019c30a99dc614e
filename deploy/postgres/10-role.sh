#!/bin/sh
# At the first start: a role that row-level security binds, and its database. CREATEDB is for the restore drill.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat "$APP_PASSWORD_FILE")" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE app LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE marketing OWNER app;
REVOKE CONNECT ON DATABASE marketing FROM PUBLIC;
SQL
