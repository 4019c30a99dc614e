"""Holds a running instance, with the demo in it, against its own OpenAPI document: every operation, good and bad input.

python -m tests.contract --base http://127.0.0.1:8000 --minutes 10

It connects accounts of the sandbox and fills the workspace, so take an instance that may be thrown away. One for this
wants API_RATE=1000000/min: answers of 429 are documented and say nothing about the routes.
"""

import argparse
import atexit
import os
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import requests
import schemathesis
import yaml
from schemathesis.generation import GenerationMode

from tests.contract_world import BODIES, World, furnish

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
# These take away what the others need: few of them get a real id.
ENDS = re.compile("/(disconnect|archive|revoke|end|cancel)$")
SELDOM = 8
SERVICE = ("/v1/tenants", "/v1/auth/test")
SLOW_S = 10
# A token lives 15 minutes, a run may be longer.
LOGIN_EVERY_S = 300
BASE, APP_KEY = "CONTRACT_BASE", "CONTRACT_APP_KEY"
answered: dict[str, set[int]] = defaultdict(set)
tried: dict[str, int] = defaultdict(int)


@cache
def world() -> World:
    base = os.environ[BASE]
    return World(base, yaml.safe_load(requests.get(f"{base}/api/schema", timeout=60).text)["paths"])


def is_service(case: Any, context: Any = None) -> bool:
    return case.operation.path.startswith(SERVICE)


@schemathesis.auth(refresh_interval=LOGIN_EVERY_S, cache_by_key=is_service)
class Login:
    """The demo's owner, or the integrator where only one is heard."""

    def get(self, case: Any, context: Any) -> str:
        if not is_service(case):
            return world().bearer()
        key = {"X-App-Key": os.environ[APP_KEY]}
        return str(requests.post(f"{os.environ[BASE]}/v1/auth/token", headers=key, timeout=30).json()["access_token"])

    def set(self, case: Any, token: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """What is well formed is about things that are there."""
    path = case.operation.path
    # The first calls of all only try what the server can do.
    if case.meta is None or case.meta.generation.mode is GenerationMode.NEGATIVE:
        return
    tried[case.operation.label] += 1
    if (case.method == "DELETE" or ENDS.search(path)) and tried[case.operation.label] % SELDOM != SELDOM // 2:
        return
    # New workspaces become the one used last.
    case.headers["X-Workspace"] = world().slug
    world().fill_path(path, case.path_parameters)
    if isinstance(case.body, dict):
        case.body = world().fill_body(case.body) | BODIES.get(path, {})
        if "hash" in case.body and "review_id" in case.path_parameters:
            review = world().call("GET", f"/api/reviews/{case.path_parameters['review_id']}")
            case.body["hash"] = review.get("hash", "")
    if path == "/v1/auth/token":
        case.headers["X-App-Key"] = os.environ[APP_KEY]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    # Other methods are tried as well.
    if case.method.upper() == case.operation.method.upper():
        answered[case.operation.label].add(response.status_code)


@atexit.register
def report() -> None:
    never = sorted(label for label, found in answered.items() if not any(200 <= status < 300 for status in found))
    if answered:
        print(f"\n{len(answered) - len(never)} of {len(answered)} operations answered 2xx. Not:", *never, sep="\n  ")


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
    os.environ[BASE] = asked.base
    # It loads this file once more, for the log-in and the ids.
    os.environ |= {APP_KEY: furnish(world()), "SCHEMATHESIS_HOOKS": __spec__.name}
    return subprocess.run([str(Path(sys.executable).parent / "schemathesis"), "run", *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
