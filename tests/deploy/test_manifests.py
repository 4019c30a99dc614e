"""The tools of `make lint` see a mistake in what describes the installation, and find none in ours."""

import shutil
from pathlib import Path

import pytest
import yaml

from deploy import manifests

ROOT = Path(__file__).parents[2]
# The tool that must see it, the file, what stands there, and what somebody typed instead.
MISTAKES = [
    ("hadolint", "Dockerfile", "FROM python:3.11.14-slim-bookworm AS runtime", "FROM python:latest AS runtime"),
    ("hadolint", "Dockerfile", "USER 10001:10001\nVOLUME", "USER root\nVOLUME"),
    ("check-jsonschema", "compose.production.yaml", "cap_drop: [ALL]", "cap_drop: ALL"),
    ("check-jsonschema", ".github/workflows/check.yaml", "runs-on: ubuntu", "run-on: ubuntu"),
    ("zizmor", ".github/workflows/check.yaml", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 #", "@main #"),
    ("zizmor", ".github/workflows/check.yaml", "contents: read", "contents: write\n  packages: write"),
    ("zizmor", ".github/workflows/check.yaml", "run: make lint", "run: echo ${{ github.head_ref }}"),
    ("yamllint", "compose.yaml", "name: rostrum", "name: rostrum\nname: twice"),
    ("kubernetes-validate", "deploy/kubernetes/base/web.yaml", "readOnlyRootFilesystem", "readonlyRootFilesystem"),
    ("kubernetes-validate", "deploy/kubernetes/base/beat.yaml", "replicas: 1", 'replicas: "one"'),
    ("sh", "deploy/entrypoint", "esac", "end"),
]
UNMET = [
    ("base/kustomization.yaml", "  - web.yaml", "  - webb.yaml", "webb.yaml does not exist"),
    ("base/kustomization.yaml", "  - beat.yaml\n", "", "beat.yaml is not taken in"),
    ("overlays/production/kustomization.yaml", "kind: Ingress", "kind: Gateway", "Gateway/rostrum is patched"),
    ("overlays/production/addresses.yaml", "name: rostrum", "name: rostum", "ConfigMap/rostum is patched"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Dockerfile", ".yamllint", *manifests.COMPOSE):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("deploy", ".github"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def change(file: Path, said: str, instead: str) -> None:
    text = file.read_text()
    assert said in text
    file.write_text(text.replace(said, instead, 1))


def complaint(root: Path, tool: str, name: str) -> str:
    """Of the tool about one file: the others cost a second."""
    for words in manifests.commands(root):
        if words[0] == tool and (name in words or not any(word.endswith(".yaml") for word in words)):
            return manifests.complaint([word for word in words if word == name or not word.endswith(".yaml")], root)
    raise AssertionError(f"{tool} does not look at {name}")


@pytest.mark.parametrize(("tool", "name", "said", "instead"), MISTAKES)
def test_a_mistake_is_seen(checkout: Path, tool: str, name: str, said: str, instead: str) -> None:
    change(checkout / name, said, instead)
    assert complaint(checkout, tool, name)


@pytest.mark.parametrize(("name", "said", "instead", "expected"), UNMET)
def test_a_kustomization_that_names_what_is_not_there_is_seen(
    checkout: Path, name: str, said: str, instead: str, expected: str
) -> None:
    change(checkout / "deploy/kubernetes" / name, said, instead)
    found = [text for file in manifests.kustomizations(checkout) for text in manifests.unmet(file)]
    assert any(expected in text for text in found), found


def test_our_kustomizations_name_only_what_is_there() -> None:
    files = manifests.kustomizations(ROOT)
    assert len(files) == 2
    assert [text for file in files for text in manifests.unmet(file)] == []


def test_every_tool_is_looked_at_and_comes_with_the_development_packages() -> None:
    pinned = (ROOT / "requirements-dev.txt").read_text()
    used = {command[0] for command in manifests.commands(ROOT)} - {"sh"}
    assert {mistake[0] for mistake in MISTAKES} - {"sh"} == used
    assert all(tool in pinned for tool in used)


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yaml")), ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_every_job_ends(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert all(len(one.partition("@")[2]) == 40 for one in used), used
