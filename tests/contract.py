"""Holds a running instance, with the demo in it, against its own OpenAPI document: every operation, good and bad input.

python -m tests.contract --base http://127.0.0.1:8000 --minutes 10

An instance for this wants API_RATE=1000000/min: answers of 429 are documented and say nothing about the routes.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
import schemathesis

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
# A token lives 15 minutes, a run may be longer.
LOGIN_EVERY_S = 300
BASE = "CONTRACT_BASE"


@schemathesis.auth(refresh_interval=LOGIN_EVERY_S)
class Login:
    def get(self, case: Any, context: Any) -> str:
        login = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD}
        return str(requests.post(f"{os.environ[BASE]}/api/auth/login", json=login, timeout=30).json()["access"])

    def set(self, case: Any, token: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="coverage,fuzzing,stateful")
    asked = parser.parse_args()
    words = [f"{asked.base}/api/schema", "--workers", "2"]
    words += ["--checks", ",".join(CHECKS), "--exclude-path-regex", LEFT_OUT, "--continue-on-failure", "--no-shrink"]
    words += ["--phases", asked.phases, "--max-examples", "20", "--max-time", str(asked.minutes * 60)]
    words += ["--seed", str(asked.seed), "--max-response-time", str(SLOW_S), "--suppress-health-check", "all"]
    # It loads this file once more, for the log-in.
    environment = {**os.environ, BASE: asked.base, "SCHEMATHESIS_HOOKS": __spec__.name}
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", *words]
    return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
