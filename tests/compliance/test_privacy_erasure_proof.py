"""After an erasure nothing of the person is left, anywhere; and nothing of anybody else is missing."""

from dataclasses import replace

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.audit import verify_chain
from accounts.inventory import INVENTORY, Rule
from accounts.models import User
from accounts.scope import all_workspaces_scope
from compliance.models import Contact, Erasure, PrivacyRequest
from compliance.privacy import ledger
from compliance.privacy.erase import erase_contact, erase_user
from lib.clock import now
from tests.compliance.privacy_markers import (
    mark_contact,
    mark_user,
    residue_in_cache,
    residue_in_database,
    residue_in_files,
    rows_of,
    seed,
)

pytestmark = pytest.mark.django_db
# A rule of each kind. Without it, its table must still hold the person.
MUTATIONS = [
    ("campaigns.PostPart", "text"),
    ("campaigns.PostVersion", "author"),
    ("campaigns.Post", "authors"),
    ("campaigns.Import", "rows"),
    ("compliance.Review", "snapshot"),
    ("compliance.ReviewEvent", "label"),
    ("compliance.Consent", "recorded_by"),
    ("accounts.AuditDetail", "data"),
    ("accounts.Event", "payload"),
    ("social.BotChat", "chat_id"),
]


@pytest.fixture
def erin(workspace):
    with all_workspaces_scope("seeding"):
        marked = mark_user("qzxerin1", workspace, 77_012_345_678)
        seed(marked, workspace)
    return marked


def seed_outside_the_database(marked, client_of) -> None:
    client_of(marked.user).get("/healthz")
    client_of(User.objects.exclude(pk=marked.user.pk).first()).get("/healthz")
    cache.set(f"alert-mail-wait:{marked.id}", True)
    cache.set("somebody-s-list", {"invited": [marked.email]})
    cache.set("another-list", ["nobody@example.org"])
    name = default_storage.save(f"exports/{marked.token}.zip", ContentFile(marked.email.encode()))
    with all_workspaces_scope("an export made before"):
        PrivacyRequest.objects.create(
            kind="export",
            subject_kind="user",
            subject_id=marked.user.pk,
            subject_label=marked.email,
            status="done",
            due_at=now(),
            done_at=now(),
            file=name,
        )


def test_nothing_of_an_erased_user_is_left_anywhere(erin, workspace, other_workspace, client_of):
    with all_workspaces_scope("seeding"):
        fred = mark_user("qzxfred2", workspace, 77_099_999_999)
        kept = seed(fred, workspace)
    seed_outside_the_database(erin, client_of)
    before = rows_of(kept)
    assert len(residue_in_database(erin)) >= 50
    assert len(before) >= 50
    assert residue_in_files(erin)
    assert len(residue_in_cache(erin)) >= 3

    counts = erase_user(erin.user)

    assert residue_in_database(erin) == {}
    assert residue_in_files(erin) == []
    assert residue_in_cache(erin) == []
    assert rows_of(kept) == before
    assert cache.get("another-list") == ["nobody@example.org"]
    with all_workspaces_scope("verification"):
        assert [fault for chain in (None, workspace, other_workspace) for fault in verify_chain(chain)] == []
        proof = Erasure.objects.get()
    assert (proof.subject_kind, proof.subject_id) == ("user", erin.user.pk or proof.subject_id)
    assert proof.counts == counts
    assert len(counts) >= 45
    assert [(line.kind, str(line.id)) for line in ledger.lines()] == [("user", str(proof.subject_id))]


@pytest.fixture
def without_rules():
    """The inventory, forgetful in one field of each of these tables."""
    before = dict(INVENTORY)
    labels = {declaration.label: declaration for declaration in before.values()}
    for label, field in MUTATIONS:
        personal = labels[label].personal
        kept = {name: rule for name, rule in personal.items() if name != field and rule != Rule.WHOLE}
        INVENTORY[labels[label].model] = replace(labels[label], personal=kept)
    yield {labels[label].model._meta.db_table for label, _field in MUTATIONS}
    INVENTORY.update(before)


def test_the_proof_finds_every_rule_that_is_missing(erin, without_rules):
    erase_user(erin.user)
    assert set(residue_in_database(erin)) == without_rules


def test_nothing_of_an_erased_contact_is_left_in_its_workspace(workspace, other_workspace):
    with all_workspaces_scope("seeding"):
        gina = mark_contact("qzxgina3", workspace)
        seed(gina, workspace)
        hans = mark_contact("qzxhans4", workspace)
        kept = seed(hans, workspace)
        # The same person is a contact of somebody else, who answers for their own data.
        elsewhere = Contact.objects.create(workspace=other_workspace, name=gina.name, email=gina.email)
        before = rows_of(kept)
        assert len(residue_in_database(gina)) > 30

        erase_contact(gina.contact)

        left = residue_in_database(gina)
        assert Contact.objects.get(pk=elsewhere.pk).email == gina.email
        elsewhere.delete()
        assert {table: n for table, n in left.items() if table != "compliance_contact"} == left_global(left)
        assert rows_of(kept) == before
        assert [fault for chain in (None, workspace) for fault in verify_chain(chain)] == []


def left_global(left: dict[str, int]) -> dict[str, int]:
    """Tables of the installation: a workspace reaches no row of them. What bots heard is gone after thirty days."""
    tables = {d.model._meta.db_table for d in INVENTORY.values() if not d.path}
    return {table: n for table, n in left.items() if table in tables}
