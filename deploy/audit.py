"""Known holes in the packages of the product, the ones they bring along included: `make audit`.

Ends with 0 when every package was asked about and none has a known hole, with 1 when one has, and with 2 when the
database could not be asked about each of them: then nothing is proven.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
CLEAN, HOLES, UNKNOWN = 0, 1, 2
WITHOUT_PIP = ["--disable-pip", "--no-deps"]  # every version is known already
SERVICES = ("pypi", "osv")


def main(requirements: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "all.txt"
        run("uv", "pip", "compile", "--quiet", "--no-header", "--output-file", str(pins), str(requirements), check=True)
        for service in SERVICES:
            done = run(
                "pip-audit", "--vulnerability-service", service, "--format", "json", "-r", str(pins), *WITHOUT_PIP
            )
            code, text = verdict(done.stdout, done.stderr)
            print(f"{service}: {text}", file=sys.stdout if code == CLEAN else sys.stderr)
            if code != UNKNOWN:
                return code
    return UNKNOWN


def run(tool: str, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / tool), *words], capture_output=True, text=True, check=check)  # noqa: S603


def verdict(output: str, errors: str) -> tuple[int, str]:
    """From pip-audit's JSON; a package that was left out is not a package without holes."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        reason = (errors.strip().splitlines() or ["no answer"])[-1]
        return UNKNOWN, f"the database could not be asked, so nothing was audited ({reason[:200]})"
    holes = [f"{one['name']} {one['version']}: {hole['id']}" for one in packages for hole in one.get("vulns", [])]
    if holes:
        return HOLES, "\n  ".join([f"{len(holes)} known holes", *holes])
    left_out = [one["name"] for one in packages if "skip_reason" in one]
    if left_out or not packages:
        return UNKNOWN, f"{len(left_out)} of {len(packages)} packages could not be looked up, so this proves nothing"
    return CLEAN, f"{len(packages)} packages, no known holes"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "requirements.txt")))
