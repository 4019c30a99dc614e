"""What image, compose and Kubernetes say about the same product agrees, and is as closed as it can be."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import FileSystemStorage
from django.urls import resolve

from marketing import queues
from marketing.monitoring.metrics import SampleCollector
from tests.marketing.test_settings_doc import documented

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy/kubernetes/base"
PRODUCTION = yaml.safe_load((ROOT / "compose.production.yaml").read_text())
DEVELOPMENT = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENTRYPOINT = (ROOT / "deploy/entrypoint").read_text()
WORDS = set(re.findall(r"^(\w+)\)$", ENTRYPOINT, re.MULTILINE))
# Of the containers themselves, not of the product; docs/operations.md tells of them.
OF_CONTAINERS = {"WEB_THREADS", "WORKER_CONCURRENCY", "SITE_ADDRESS", "ACME_EMAIL", "IMAGE"}
OF_STORES = {"APP_PASSWORD_FILE", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD"}
SECRETS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "METRICS_TOKEN"}


FILES = [path for path in sorted(BASE.glob("*.yaml")) if path.name != "kustomization.yaml"]
OBJECTS = [one for path in FILES for one in yaml.safe_load_all(path.read_text())]


def in_base(*kinds: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["kind"] in kinds]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in in_base("Deployment", "Job"):
        yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers() -> list[Any]:
    return [
        pytest.param(one, id=f"{name}-{one['name']}")
        for name, pod in pods()
        for one in [*pod.get("initContainers", []), *pod["containers"]]
    ]


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if name not in {"proxy", "postgres", "redis"}}


# --- settings and words -----------------------------------------------------------------------------------------


def given() -> set[str]:
    names = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy/production.env.example").read_text(), re.MULTILINE))
    for compose in (DEVELOPMENT, PRODUCTION):
        names |= {name for one in compose["services"].values() for name in one.get("environment", {})}
    files = [BASE / "config.yaml", *(ROOT / "deploy/kubernetes/overlays/production").glob("[as]*.yaml")]
    for one in (one for path in files for one in yaml.safe_load_all(path.read_text())):
        names |= (one.get("data") or one.get("stringData") or {}).keys()
    return names | set(re.findall(r"\$\{([A-Z_]+):-", ENTRYPOINT))


def test_every_variable_that_is_given_is_a_setting() -> None:
    found = given() - OF_CONTAINERS - OF_STORES
    assert len(found) > 25
    assert {name.removesuffix("_FILE") for name in found} <= documented().keys()


def test_the_operators_page_tells_of_those_that_are_not() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert [name for name in sorted(OF_CONTAINERS) if f"`{name}`" not in page] == []


def test_every_container_says_a_word_that_the_image_knows() -> None:
    said = [one.values[0]["args"][0] for one in containers()]
    said += [one["command"][0] for compose in (DEVELOPMENT, PRODUCTION) for one in ours(compose).values()]
    assert set(said) <= WORDS
    assert {"web", "asgi", "worker", "beat", "migrate", "wait"} <= set(said)


# --- queues -----------------------------------------------------------------------------------------------------


def test_each_queue_has_workers_in_kubernetes() -> None:
    taken = [one.values[0]["args"][1] for one in containers() if one.values[0]["args"][0] == "worker"]
    assert sorted(taken) == sorted(queues.NAMES)


def test_each_queue_has_workers_in_compose() -> None:
    taken = [one["command"][1] for one in ours(PRODUCTION).values() if one["command"][0] == "worker"]
    assert sorted(taken) == sorted(queues.NAMES)


def test_a_worker_that_is_told_nothing_takes_all_queues() -> None:
    assert f"queues=${{1:-{','.join(queues.NAMES)}}}" in ENTRYPOINT


def test_workers_grow_with_a_figure_that_we_report() -> None:
    sample = type("Sample", (), {"data": {"queue": {"depth": 3, "by_name": {"slow": 3}}, "memory": {"by_process": {}}}})
    sample.at = type("At", (), {"timestamp": staticmethod(lambda: 1.0)})
    reported = {metric.name: metric for metric in SampleCollector(sample).collect()}
    grown = {}
    for one in in_base("HorizontalPodAutoscaler"):
        for metric in (metric["external"]["metric"] for metric in one["spec"]["metrics"] if "external" in metric):
            assert metric["name"] == "rostrum_queue_waiting"
            grown[metric["selector"]["matchLabels"]["queue"]] = one["spec"]["scaleTargetRef"]["name"]
    said = {name: pod["containers"][0]["args"] for name, pod in pods()}
    assert grown == {args[1]: name for name, args in said.items() if args[0] == "worker"}
    assert set(grown) == set(queues.NAMES)
    assert reported["rostrum_queue_waiting"].samples[0].labels == {"queue": "slow"}
    assert "rostrum_queue_waiting" in (ROOT / "deploy/kubernetes/prometheus-adapter.yaml").read_text()


def test_there_is_one_scheduler_and_never_two() -> None:
    (beat,) = (one for one in in_base("Deployment") if one["metadata"]["name"] == "beat")
    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}
    assert "beat" not in {one["spec"]["scaleTargetRef"]["name"] for one in in_base("HorizontalPodAutoscaler")}
    assert PRODUCTION["services"]["beat"]["deploy"]["replicas"] == 1


def test_what_grows_by_itself_does_not_say_how_many_it_is() -> None:
    grown = {one["spec"]["scaleTargetRef"]["name"] for one in in_base("HorizontalPodAutoscaler")}
    assert [one["metadata"]["name"] for one in in_base("Deployment") if "replicas" in one["spec"]] == ["beat"]
    assert grown == {one["metadata"]["name"] for one in in_base("Deployment")} - {"beat"}


# --- closed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", containers())
def test_a_container_may_do_little(one: dict[str, Any]) -> None:
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["resources"]["limits"]["memory"]
    assert {"cpu", "memory"} <= one["resources"]["requests"].keys()
    assert {mount["mountPath"] for mount in one["volumeMounts"]} == {"/data", "/tmp"}


@pytest.mark.parametrize(("name", "pod"), list(pods()))
def test_a_pod_is_nobody_and_knows_no_cluster(name: str, pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in DOCKERFILE
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", sorted(ours(PRODUCTION) | {"proxy": {}, "redis": {}}))
def test_a_service_in_production_may_do_little(name: str) -> None:
    one = PRODUCTION["services"][name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert one["deploy"]["resources"]["limits"]["memory"]


def test_only_the_proxy_is_reached_from_outside_and_stores_reach_nobody() -> None:
    services = PRODUCTION["services"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["stores"]
    assert PRODUCTION["networks"]["stores"] == {"internal": True}


@pytest.mark.parametrize("name", sorted(ours(PRODUCTION)))
def test_secrets_are_files(name: str) -> None:
    environment = PRODUCTION["services"][name]["environment"]
    assert {f"{secret}_FILE" for secret in SECRETS} <= environment.keys()
    assert not SECRETS & environment.keys()


def test_nothing_has_a_password_by_default() -> None:
    text = (ROOT / "compose.production.yaml").read_text() + (ROOT / "deploy/production.env.example").read_text()
    assert not re.search(r"(?i)(password|secret|token|key)\w*\s*[:=]\s*['\"]?[a-z0-9]{4,}['\"]?$", text, re.MULTILINE)
    template = yaml.safe_load((ROOT / "deploy/kubernetes/overlays/production/secret.template.yaml").read_text())
    assert set(template["stringData"].values()) == {""}
    assert template["stringData"].keys() >= SECRETS


def test_every_secret_that_is_mounted_is_made() -> None:
    made = set(re.findall(r"^keep (\w+)", (ROOT / "deploy/make-secrets").read_text(), re.MULTILINE))
    assert made == set(PRODUCTION["secrets"])
    assert {secret for one in PRODUCTION["services"].values() for secret in one.get("secrets", [])} == made


def test_no_image_floats() -> None:
    images = re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)
    images += [one["image"] for name, one in PRODUCTION["services"].items() if name in {"proxy", "postgres", "redis"}]
    assert len(images) == 5
    assert all(re.search(r":\d+(\.\d+)+(-\w+)*$", image) for image in images), images
    assert {DEVELOPMENT["services"][name]["image"] for name in ("postgres", "redis")} <= set(images)


def test_denied_is_what_is_not_named() -> None:
    (everything,) = (one for one in in_base("NetworkPolicy") if one["metadata"]["name"] == "deny-all")
    assert everything["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_way_outside_leads_to_nothing_private() -> None:
    (outside,) = (one for one in in_base("NetworkPolicy") if one["metadata"]["name"] == "outside")
    blocked = [network for to in outside["spec"]["egress"][0]["to"] for network in to["ipBlock"]["except"]]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7"} <= set(blocked)


# --- probes and ways ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", in_base("Deployment"), ids=lambda one: one["metadata"]["name"])
def test_no_restart_because_a_store_is_away(one: dict[str, Any]) -> None:
    (container,) = one["spec"]["template"]["spec"]["containers"]
    for probe in (container["startupProbe"], container["livenessProbe"]):
        assert probe.get("httpGet", {}).get("path", "/livez") == "/livez"
        assert probe.get("exec", {}).get("command", ["/app/deploy/probe"]) == ["/app/deploy/probe"]
    if "ports" in container:
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_each_way_in_leads_to_a_server_that_listens_there() -> None:
    listens = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in in_base("Service")}
    (ingress,) = in_base("Ingress")
    ways = {path["path"]: path["backend"]["service"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert {way: (one["name"], one["port"]["number"]) for way, one in ways.items()} == {
        "/mcp": ("asgi", listens["asgi"]),
        "/.well-known/oauth-protected-resource": ("asgi", listens["asgi"]),
        "/v1": ("asgi", listens["asgi"]),
        "/": ("web", listens["web"]),
    }
    assert listens == {"web": 8000, "asgi": 8001}


def test_the_proxy_sends_streams_to_asgi_and_figures_nowhere() -> None:
    text = (ROOT / "deploy/caddy/Caddyfile").read_text()
    pattern = re.search(r"@chat path_regexp (\S+)", text)
    stream = (
        "/w/roastery/assistant/0190a0e2-0000-7000-8000-000000000000/runs/0190a0e2-0000-7000-8000-000000000001/stream"
    )
    assert pattern is not None
    assert re.search(pattern[1], stream)
    assert resolve(stream.removeprefix("/w/roastery")).view_name == "agents:chat-stream"
    assert "@inside path /metrics /livez /readyz" in text


# --- the image ------------------------------------------------------------------------------------------------------


def test_the_image_holds_every_app_and_no_tests() -> None:
    kept = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    apps = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {app.split(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.split(".")[0]).is_dir()} <= apps
    assert apps | {"templates", "static", "manage.py", "requirements.txt"} <= kept
    assert not kept & {"tests", "var", ".git", "secrets", "production.env"}
    compiled = DOCKERFILE.split("compileall")[1].split("&&")[0]
    assert apps <= set(compiled.split())


def test_our_static_files_can_be_collected(tmp_path: Path) -> None:
    source, target = FileSystemStorage(ROOT / "static"), ManifestStaticFilesStorage(location=tmp_path)
    names = [str(path.relative_to(ROOT / "static")) for path in (ROOT / "static").rglob("*") if path.is_file()]
    for name in names:
        target.save(name, source.open(name))
    done = list(target.post_process({name: (source, name) for name in names}))
    assert len(done) >= len(names)
    assert [(name, error) for name, _hashed, error in done if isinstance(error, Exception)] == []
