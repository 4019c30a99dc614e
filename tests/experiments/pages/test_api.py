"""The API of experiments: the same acts as on the pages, with problems in JSON."""

import json

import pytest
from django.urls import reverse

from experiments import services
from experiments.models import Experiment
from tests.experiments.cast import Crowd, draft_split, run_split

pytestmark = pytest.mark.django_db


class Caller:
    def __init__(self, client, workspace) -> None:
        self.client, self.slug = client, workspace.slug

    def __call__(self, method: str, name: str, *args, body=None, **headers):
        address = reverse(f"experiments-api:{name}", args=args)
        text = json.dumps(body if body is not None else {})
        more = {"content_type": "application/json", "headers": {"X-Workspace": self.slug, **headers}}
        return self.client.generic(method, address, text, **more)


@pytest.fixture
def call(bob_client, workspace) -> Caller:
    return Caller(bob_client, workspace)


def body_of(link, **more) -> dict:
    return {
        "name": "Landing page",
        "hypothesis": "Shorter is better.",
        "design": "A",
        "metric": "conversions",
        "settings": {"links": [str(link.pk)], "mde": 0.3},
        "arms": [{"name": "Old", "content": {"url": "https://a.example"}}, {"content": {"url": "https://b.example"}}],
        "guardrails": [{"metric": "refund", "margin": 0.2}],
    } | more


def test_the_whole_way(call, link):
    made = call("POST", "experiments", body=body_of(link))
    assert made.status_code == 201, made.content
    row = made.json()
    assert [arm["name"] for arm in row["arms"]] == ["Old", "Variant B"]
    pk = row["id"]
    changed = call("PATCH", "experiment", pk, body={"name": "Other"}, **{"If-Match": made["ETag"]})
    assert changed.json()["name"] == "Other"
    assert changed.json()["arms"] == row["arms"]
    started = call("POST", "experiment-start", pk).json()
    assert started["status"] == "running"
    assert len(started["registered_hash"]) == 64
    experiment = Experiment.objects.get()
    Crowd(experiment, link, {"a": 0.05, "b": 0.1}).visit(300)
    look = call("POST", "experiment-looks", pk)
    assert look.status_code == 201
    assert look.json()["number"] == 1
    assert call("GET", "experiment-looks", pk).json()["results"][0]["data_hash"] == look.json()["data_hash"]
    assert call("POST", "experiment-pause", pk, body={"reason": "Sale"}).json()["status_text"] == "Sale"
    assert call("POST", "experiment-resume", pk).json()["status"] == "running"
    assert call("POST", "experiment-stop", pk).json()["status"] == "stopped"
    assert call("POST", "experiment-winner", pk, body={"arm": "b"}).json()["winner"] == "b"
    assert call("POST", "experiment-archive", pk).json()["status"] == "archived"
    document = call("GET", "experiment-export", pk).json()
    assert document["looks"][0]["data_hash"] == look.json()["data_hash"]
    assert call("GET", "experiments").json()["results"][0]["id"] == pk


def test_an_older_version_is_not_overwritten(call, link, bob_actor):
    row = draft_split(bob_actor, link)
    first = call("GET", "experiment", row.pk)["ETag"]
    assert call("PATCH", "experiment", row.pk, body={"name": "A"}, **{"If-Match": first}).status_code == 200
    assert call("PATCH", "experiment", row.pk, body={"name": "B"}, **{"If-Match": first}).status_code == 409


def test_a_change_after_the_start_is_a_new_version(call, link, bob_actor):
    row = run_split(bob_actor, link)
    answer = call("PATCH", "experiment", row.pk, body={"hypothesis": "Longer is better."}).json()
    assert (answer["version"], answer["status"]) == (2, "running")
    assert answer["id"] != str(row.pk)
    row.refresh_from_db()
    assert row.status == "stopped"


def test_only_drafts_are_deleted(call, link, bob_actor):
    running = run_split(bob_actor, link)
    assert call("DELETE", "experiment", running.pk).status_code == 409
    draft = services.new_version(running, by=bob_actor)
    assert call("DELETE", "experiment", draft.pk).status_code == 204


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"design": "Z"}, "design"),
        ({"metric": "luck"}, "metric"),
        ({"arms": []}, "arms"),
        ({"arms": [{"content": {"url": "ftp://x"}}, {"content": {"url": "https://b.example"}}]}, "arms"),
        ({"settings": {"speed": 1}}, "settings"),
        ({"settings": {"mde": float("nan")}}, None),
        ({"settings": {"mde": "much"}}, "settings"),
        ({"guardrails": [{"metric": "refund", "margin": -1}]}, "guardrails"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"campaign": "01a20019-0d3c-73b6-abf0-639ce6becdee"}, "campaign"),
        ({"hypothesis": ""}, "hypothesis"),
    ],
)
def test_what_is_wrong_is_named(call, link, wrong, field):
    answer = call("POST", "experiments", body=body_of(link, **wrong))
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    if field:
        assert field in answer.json()["errors"]
    assert not Experiment.objects.exists()


@pytest.mark.parametrize("name", ["pause", "resume", "stop", "archive", "winner", "looks"])
def test_what_is_not_allowed_now_is_a_conflict(call, link, bob_actor, name):
    row = run_split(bob_actor, link) if name in ("resume", "archive") else draft_split(bob_actor, link)
    if name == "archive":
        answer = call("POST", "experiment-archive", row.pk)
    else:
        answer = call("POST", f"experiment-{name}", row.pk, body={"arm": "a"})
    assert answer.status_code == 409, answer.content


def test_viewers_read_only(vic_client, workspace, link, bob_actor):
    row = run_split(bob_actor, link)
    call = Caller(vic_client, workspace)
    assert call("GET", "experiment", row.pk).status_code == 200
    for name in ("pause", "stop", "looks"):
        assert call("POST", f"experiment-{name}", row.pk).status_code == 403
    assert call("POST", "experiments", body=body_of(link)).status_code == 403


def test_a_strangers_experiment_is_not_there(charlie_client, other_workspace, link, bob_actor):
    row = run_split(bob_actor, link)
    call = Caller(charlie_client, other_workspace)
    assert call("GET", "experiment", row.pk).status_code == 404
    assert call("POST", "experiment-stop", row.pk).status_code == 404


UNSPEAKABLE = [
    ('"design": "\\ud800"', "design"),
    ('"allocation": "\\ud800"', "allocation"),
    ('"settings": {"\\ud800": 1}', "settings"),
    ('"settings": {"goal": "\\u0000"}', "settings"),
    ('"settings": {"mde": 1e999}', "settings"),
    ('"settings": {"mde": 1' + "0" * 400 + "}", "settings"),
    ('"horizon_days": 1' + "0" * 400, "horizon_days"),
    ('"guardrails": [{"metric": "refund", "margin": 1' + "0" * 400 + "}]", "guardrails"),
    ('"arms": [{"content": {"url": "https://a.example/\\ud800"}}]', "arms"),
    ('"settings": {"mde": NaN}', "detail"),
    ('"settings": ' + "[" * 100_000, "detail"),
]


def test_what_no_answer_could_repeat_is_refused(bob_client, link):
    # As the last of two with one name it is the one that counts.
    start, address = json.dumps(body_of(link))[:-1], reverse("experiments-api:experiments")
    for wrong, field in UNSPEAKABLE:
        answer = bob_client.post(address, f"{start}, {wrong}}}", content_type="application/json")
        assert answer.status_code == 400, wrong[:60]
        assert answer["Content-Type"] == "application/problem+json"
        assert field in (answer.json().get("errors") or answer.json()), wrong[:60]
    assert not Experiment.objects.exists()


def test_arms_of_a_change_may_leave_out_what_has_a_default(call, link, bob_actor):
    row = draft_split(bob_actor, link)
    arms = [{"content": {"url": "https://a.example"}}, {"content": {"url": "https://b.example"}, "is_control": True}]
    changed = call("PATCH", "experiment", row.pk, body={"arms": arms, "guardrails": [{"metric": "refund"}]})
    assert [(arm["name"], arm["is_control"]) for arm in changed.json()["arms"]] == [
        ("Variant A", False),
        ("Variant B", True),
    ]
    assert changed.json()["guardrails"] == [{"metric": "refund", "margin": 0.1}]
    assert call("PATCH", "experiment", row.pk, body={"arms": [{}, {}]}).status_code == 400
