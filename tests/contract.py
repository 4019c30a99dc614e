"""Holds a running instance, with the demo in it, against its own OpenAPI document: every operation, good and bad input.

python -m tests.contract --base http://127.0.0.1:8000 --minutes 10

An instance for this wants API_RATE=1000000/min: answers of 429 are documented and say nothing about the routes.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import requests

from campaigns.demo_content import DEMO_EMAIL, DEMO_PASSWORD

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "missing_required_header",
]
# Whoever tries these ends the workspace, the log-in, or the wait of everybody else.
LEFT_OUT = "^/api/workspace/deletion|^/api/auth/me|^/api/account/privacy$"
SLOW_S = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="coverage,fuzzing,stateful")
    asked = parser.parse_args()
    login = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD}
    token = requests.post(f"{asked.base}/api/auth/login", json=login, timeout=30).json()["access"]
    words = [f"{asked.base}/api/schema", "--header", f"Authorization: Bearer {token}", "--workers", "2"]
    words += ["--checks", ",".join(CHECKS), "--exclude-path-regex", LEFT_OUT, "--continue-on-failure", "--no-shrink"]
    words += ["--phases", asked.phases, "--max-examples", "20", "--max-time", str(asked.minutes * 60)]
    words += ["--seed", str(asked.seed), "--max-response-time", str(SLOW_S), "--suppress-health-check", "all"]
    return subprocess.run([Path(sys.executable).parent / "schemathesis", "run", *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
