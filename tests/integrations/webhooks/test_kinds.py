"""The catalogue has every kind that the code emits, and an example of each that is like the real thing."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from agents.models import Run
from campaigns.deliveries import add_to_next_slot  # noqa: F401  (its package has what emits)
from campaigns.live_changes import EVENTS
from campaigns.models import Campaign
from compliance.models import Consent
from compliance.services import TOLD
from integrations.webhooks.kinds import AREAS, KINDS, is_known, is_wanted, kinds_by_area, ordering_key, told_of
from integrations.webhooks.payloads import example_of, payloads_of
from tests.campaigns.cast import add_connection, add_post

APPS = [
    "accounts",
    "agents",
    "analytics",
    "campaigns",
    "compliance",
    "experiments",
    "integrations",
    "personal",
    "social",
]
# What stands behind a name that is put together, by how the source says it.
PUT_TOGETHER = {
    'f"run.{status}"': {f"run.{status}" for status in Run.ENDED},
    'f"contact.{act}ed"': {"contact.restricted", "contact.unrestricted"},
    'f"consent.{state}"': {f"consent.{state}" for state in Consent.State.values},
    'f"{action}ed"': {"workspace.suspended", "workspace.unsuspended"},
    'f"delivery.{status}"': {f"delivery.{status}" for status in TOLD},
    'f"campaign.{status}"': {f"campaign.{status}" for status in Campaign.Status.values},
    "EVENTS[Action(change.action)]": set(EVENTS.values()),
}
# `tell` and `_tell_each` put "delivery." before their second argument.
TOLD_BY = {"tell": "delivery.", "_tell_each": "delivery."}


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                    yield path, node, name


def emitted() -> set[str]:
    found: set[str] = set()
    for path, call, name in calls():
        if name == "emit" and len(call.args) >= 2:
            found |= names_of(path, call.args[1])
        elif name in TOLD_BY and path.parts[-2] == "engine" and isinstance(call.args[1], ast.Constant):
            found.add(TOLD_BY[name] + call.args[1].value)
    return found


def names_of(path: Path, node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {node.value}
    source = ast.unparse(node).replace("'", '"')
    # Its kinds are found where `tell` is called.
    if source == 'f"delivery.{kind}"':
        return set()
    assert source in PUT_TOGETHER, f"{path}: say what {source} can be, and add the kinds to kinds.py"
    return PUT_TOGETHER[source]


def test_every_kind_that_is_emitted_is_in_the_catalogue():
    found = emitted()
    assert len(found) > 30
    assert found - KINDS.keys() == set()


def test_the_catalogue_has_nothing_that_is_never_emitted():
    assert KINDS.keys() - emitted() == set()


def test_every_kind_has_a_line_and_a_place_in_the_form():
    assert all(kind.text.endswith(".") and len(kind.text) < 80 for kind in KINDS.values())
    assert {kind.area for kind in KINDS.values()} == AREAS.keys()
    assert [kind for kinds in kinds_by_area().values() for kind in kinds] == list(KINDS.values())


@pytest.mark.parametrize(
    ("kind", "wanted", "is_told"),
    [
        ("run.failed", ["*"], True),
        ("run.failed", ["run."], True),
        ("run.failed", ["run.failed"], True),
        ("run.failed", ["run.fail"], False),
        ("run.failed", ["report.ready", "delivery."], False),
        ("contacts.imported", ["contact."], False),
        ("run.failed", [], False),
    ],
)
def test_who_is_told(kind, wanted, is_told):
    assert is_wanted(kind, wanted) is is_told


def test_what_can_be_asked_for():
    assert all(is_known(word) for word in ["*", "run.", "run.failed", "contacts."])
    assert not any(is_known(word) for word in ["", "run", ".", "r.", "moon.", "**", "run.failed."])


@pytest.mark.parametrize(
    ("kind", "payload", "key"),
    [
        ("delivery.published", {"delivery": "1", "post": "2"}, "delivery:1"),
        ("consent.given", {"contact": "3", "purpose": "newsletter"}, "contact:3"),
        ("contacts.imported", {"create": 3}, "workspace"),
        ("workspace.stopped", {"reason": "x"}, "workspace"),
        ("import.applied", {"import": "4"}, "import:4"),
    ],
)
def test_what_goes_out_in_order(kind, payload, key):
    assert ordering_key(kind, payload) == key


@pytest.mark.django_db
def test_examples_say_what_the_real_thing_says(in_workspace, alice_actor, endpoint):
    from accounts.services import emit

    connection = add_connection(in_workspace)
    post = add_post(alice_actor, connection)
    ids = {"delivery": post.deliveries.get().pk, "post": post.pk, "connection": connection.pk}
    for subject, name in [
        ("delivery", "delivery.failed"),
        ("post", "post.created"),
        ("connection", "connection.connected"),
    ]:
        event = emit(in_workspace, name, **{subject: str(ids[subject])})
        real, example = payloads_of(in_workspace, [event])[event.pk], example_of(in_workspace, name)
        assert shape(real) == shape(example)
        assert real["data"].keys() == example["data"].keys()
        assert real["data"][subject].keys() == example["data"][subject].keys()
        assert real["data"][subject]["id"] == str(ids[subject])


def shape(payload):
    return {name: type(value) for name, value in payload.items()}


@pytest.mark.django_db
def test_every_kind_has_an_example_that_can_be_sent(in_workspace):
    for name, kind in KINDS.items():
        example = example_of(in_workspace, name)
        assert example["type"] == name
        assert (kind.subject in example["data"]) is (kind.subject != "workspace")
        json.dumps(example)


@pytest.mark.django_db
def test_a_published_post_says_where_it_is(in_workspace, alice_actor):
    from accounts.services import emit
    from campaigns.models import LivePart
    from tests.campaigns.cast import mark_published

    connection = add_connection(in_workspace)
    post = add_post(alice_actor, connection, text="Fresh beans.")
    mark_published(post)
    delivery = post.deliveries.get()
    for n, gone in enumerate([None, "2026-01-01T00:00:00Z"]):
        LivePart.objects.create(
            workspace=in_workspace,
            delivery=delivery,
            connection=connection,
            position=n,
            content_hash="0",
            remote_id=str(n),
            url=f"https://x.com/roastery/status/{n}",
            deleted_at=gone,
        )
    event = emit(in_workspace, "delivery.published", delivery=str(delivery.pk), post=str(post.pk))
    told = payloads_of(in_workspace, [event])[event.pk]["data"]
    assert told.keys() == {"delivery"}
    facts = told["delivery"]
    assert (facts["state"], facts["text"]) == ("published", "Fresh beans.")
    assert (facts["url"], facts["urls"]) == ("https://x.com/roastery/status/0", ["https://x.com/roastery/status/0"])
    assert facts["link"] == f"{settings.BASE_URL}/w/{in_workspace.slug}/deliveries/{delivery.pk}"
    assert facts["account"]["handle"] == "roastery"
    assert facts["published_at"]


@pytest.mark.django_db
def test_contacts_are_named_by_their_id_only(in_workspace, alice_actor):
    from accounts.models import Event
    from compliance.contacts import create_contact

    create_contact(by=alice_actor, name="Mei", email="mei@example.org")
    event = Event.objects.get(kind="contact.created")
    assert "mei" not in json.dumps(payloads_of(in_workspace, [event])[event.pk]).lower()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["*"], "everything"),
        (["report.", "*"], "everything"),
        (["report."], "Reports"),
        (["report.ready"], "Reports"),
        (["run.failed", "run.over_budget", "post."], "Posts; Assistants: failed, over budget"),
        (["contact.", "contacts."], "Contacts"),
        (["contacts."], "Contacts: imported"),
        ([], ""),
    ],
)
def test_what_is_wanted_is_said_in_words(wanted, said):
    assert told_of(wanted) == said
