"""Look at everything that describes how the product is installed, with tools that need no network and no cluster.

python deploy/manifests.py [folder of a checkout]: prints what is wrong and ends with 1, or says what was looked at.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

KUBERNETES = "1.37"
TOOLS = Path(sys.executable).parent
COMPOSE = ["compose.yaml", "compose.production.yaml"]
SCRIPTS = ["deploy/entrypoint", "deploy/make-secrets", "deploy/try-image", "deploy/postgres/10-role.sh"]
Resource = tuple[str, str]  # kind and name


def main(root: Path) -> int:
    found = [text for command in commands(root) if (text := complaint(command, root))]
    found += [text for file in kustomizations(root) for text in unmet(file)]
    for text in found:
        print(text, file=sys.stderr)
    if not found:
        print(f"Image, workflow, {len(COMPOSE)} compose files, {len(kubernetes_files(root))} for Kubernetes: in order.")
    return int(bool(found))


def commands(root: Path) -> list[list[str]]:
    return [
        ["hadolint", "--failure-threshold", "info", "Dockerfile"],
        ["check-jsonschema", "-q", "--builtin-schema", "vendor.compose-spec", *COMPOSE],
        ["check-jsonschema", "-q", "--builtin-schema", "vendor.github-workflows", *workflows(root)],
        ["zizmor", "--offline", "--quiet", "--no-progress", ".github/workflows"],
        ["yamllint", "--strict", ".github", "deploy/kubernetes", *COMPOSE],
        ["kubernetes-validate", "--strict", "--quiet", "-k", KUBERNETES, *kubernetes_files(root)],
        *(["sh", "-n", script] for script in SCRIPTS),
    ]


def complaint(command: list[str], root: Path) -> str:
    tool = TOOLS / command[0]
    words = [str(tool) if tool.exists() else command[0], *command[1:]]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return ""
    return f"{command[0]} (exit code {done.returncode}):\n{done.stdout}{done.stderr}".rstrip()


def workflows(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in sorted(root.glob(".github/workflows/*.yaml"))]


def kustomizations(root: Path) -> list[Path]:
    return sorted(root.glob("deploy/kubernetes/**/kustomization.yaml"))


def kubernetes_files(root: Path) -> list[str]:
    folder = root / "deploy" / "kubernetes"
    found = sorted([*folder.glob("base/*.yaml"), *folder.glob("overlays/*/*.yaml")])
    return [str(path.relative_to(root)) for path in found if path.name != "kustomization.yaml"]


# --- what a kustomization says of its files ----------------------------------------------------------------


def unmet(file: Path) -> Iterator[str]:
    """Resources that are not there, files of the base that nobody takes in, patches of what does not exist."""
    wanted = yaml.safe_load(file.read_text())
    named = [file.parent / name for name in wanted["resources"]]
    missing = [path for path in named if not path.exists()]
    yield from (f"{file}: {path.name} does not exist" for path in missing)
    if not any(path.is_dir() for path in named):
        left = {path.name for path in file.parent.glob("*.yaml")} - {path.name for path in named} - {file.name}
        yield from (f"{file}: {name} is not taken in" for name in sorted(left))
    known = resources_of(file)
    yield from (f"{file}: {kind}/{name} is patched, but there is none" for kind, name in patched(file, wanted) - known)


def resources_of(kustomization: Path) -> set[Resource]:
    found: set[Resource] = set()
    named = (kustomization.parent / name for name in yaml.safe_load(kustomization.read_text())["resources"])
    for path in (path for path in named if path.exists()):
        found |= resources_of(path / "kustomization.yaml") if path.is_dir() else set(documents(path))
    return found


def documents(path: Path) -> Iterator[Resource]:
    for one in yaml.safe_load_all(path.read_text()):
        yield one["kind"], one["metadata"]["name"]


def patched(file: Path, wanted: dict[str, Any]) -> set[Resource]:
    found: set[Resource] = set()
    for patch in wanted.get("patches", []):
        if target := patch.get("target"):
            found.add((target["kind"], target["name"]))
        else:
            found |= set(documents(file.parent / patch["path"]))
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
