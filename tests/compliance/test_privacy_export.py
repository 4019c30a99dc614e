"""Copies: complete, provable, and nothing of anybody else."""

import hashlib
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from accounts import audit
from accounts.inventory import INVENTORY
from accounts.models import Membership, Role
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_api_key, notify
from campaigns.models import MediaAsset
from compliance.models import Consent, Contact, PrivacyRequest
from compliance.privacy import erase, export, files, ledger, requests, retention, run
from compliance.privacy.erase import erase_contact, erase_user
from compliance.privacy.traces import traces_of_contact, traces_of_user
from lib.clock import shifted
from social.models import Connection, Credential
from tests.campaigns.cast import add_connection, add_post
from tests.compliance.privacy_cast import add_contact, again, lines_of, unzip

pytestmark = pytest.mark.django_db
SECRET = "very-secret-token"


@pytest.fixture
def full_house(workspace, other_workspace, bob, actor_of, charlie_actor):
    """A little of everything in Roastery, and a stranger's things next door."""
    Membership.objects.filter(user=bob).update(role=Role.ADMIN)
    bob_actor = actor_of(bob)
    with workspace_scope(other_workspace.pk):
        add_post(charlie_actor, add_connection(other_workspace, "bakery"), text="Rye bread.")
        add_contact(other_workspace, "Zoe Other")
    with workspace_scope(workspace.pk):
        connection = add_connection(workspace)
        Credential.objects.create(workspace=workspace, connection=connection, access_token=SECRET)
        add_post(bob_actor, connection, text="Fresh beans, 新鲜咖啡豆.")
        create_api_key("Importer", ["read"], by=bob_actor)
        notify(workspace, "test", "News for everybody")
        default_storage.save("media-of-roastery.png", ContentFile(b"a picture"))
        MediaAsset.objects.create(
            workspace=workspace,
            name="bag.png",
            file="media-of-roastery.png",
            thumbnail="lost.jpg",
            kind="image",
            mime="image/png",
            sha256="0" * 64,
            width=1,
            height=1,
            size_bytes=9,
        )
    return workspace


def make(copy: export.Copy) -> tuple[dict, dict[str, bytes]]:
    beats = []
    manifest = export.write_copy(copy, "exports/test.zip", beat=lambda done, of: beats.append((done, of)))
    assert len(beats) >= len(copy.parts)
    found, files = unzip("exports/test.zip")
    assert found == manifest
    return found, files


def check_manifest(manifest: dict, files: dict[str, bytes]) -> None:
    """Each file is named, with its real digest, and each named file is there."""
    named = {entry["file"]: entry for entry in [*manifest["models"].values(), *manifest["media"]]}
    assert named.keys() == files.keys()
    for name, content in files.items():
        assert named[name]["sha256"] == hashlib.sha256(content).hexdigest()
    for label, entry in manifest["models"].items():
        assert len(files[entry["file"]].splitlines()) == entry["rows"] > 0
        assert lines_of(files, label)[0].keys() == entry["fields"].keys()


def test_a_workspace_takes_everything_but_secrets_along(full_house):
    manifest, files = make(export.copy_of_workspace(full_house))
    check_manifest(manifest, files)
    everything = b"".join(files.values())
    assert lines_of(files, "campaigns.PostPart")[0]["text"] == "Fresh beans, 新鲜咖啡豆."
    assert {row["user__email"] for row in lines_of(files, "accounts.Membership")} == {
        "alice@example.org",
        "bob@example.org",
    }
    assert files["media/media-of-roastery.png"] == b"a picture"
    assert manifest["subject"] == {"kind": "workspace", "id": str(full_house.pk)}
    for secret in (SECRET.encode(), b"Rye bread", b"Zoe Other", b"charlie@", b"News for everybody", b"key_hash"):
        assert secret not in everything, secret
    assert "social.Credential" not in manifest["models"]


def test_every_model_of_a_workspace_is_in_it_or_private(full_house):
    labels = {part.declaration.label for part in export.copy_of_workspace(full_house).parts}
    assert labels == {d.label for d in INVENTORY.values() if d.path and not d.is_private}


def test_a_person_gets_their_own_rows_and_no_words_of_others(full_house, bob, alice):
    manifest, files = make(export.copy_of_person(traces_of_user(bob)))
    check_manifest(manifest, files)
    everything = b"".join(files.values())
    profile = lines_of(files, "accounts.User")
    assert [row["email"] for row in profile] == ["bob@example.org"]
    assert "password" not in profile[0]
    assert [row["name"] for row in lines_of(files, "accounts.ApiKey")] == ["Importer"]
    assert [row["text"] for row in lines_of(files, "accounts.Notification")] == ["News for everybody"]
    # When they wrote it is theirs; what they wrote is the workspace's.
    assert set(lines_of(files, "campaigns.Post")[0]) == {"pk", "created_at", "updated_at", "created_by"}
    actions = {row["entry__action"] for row in lines_of(files, "accounts.AuditDetail")}
    assert {"post.create", "api_key.create"} <= actions
    assert "workspace.create" not in actions
    for foreign in (b"alice@", b"Fresh beans", b"Rye bread", SECRET.encode(), str(alice.pk).encode()):
        assert foreign not in everything, foreign


def test_a_contact_gets_their_file_and_their_ledger(full_house, alice_actor):
    with workspace_scope(full_house.pk):
        anna, ben = add_contact(full_house), add_contact(full_house, "Ben Other")
        for contact in (anna, ben):
            Consent.objects.create(
                workspace=full_house,
                contact=contact,
                purpose="newsletter",
                channel="email",
                state="given",
                method="form",
                evidence={"form": f"page of {contact.name}"},
            )
    manifest, files = make(export.copy_of_person(traces_of_contact(anna)))
    check_manifest(manifest, files)
    assert set(manifest["models"]) == {"compliance.Contact", "compliance.Consent"}
    assert [row["evidence"] for row in lines_of(files, "compliance.Consent")] == [{"form": "page of Anna Berg"}]
    assert b"Ben" not in b"".join(files.values())


def test_an_empty_account_still_has_a_manifest(charlie):
    manifest, files = make(export.copy_of_person(traces_of_user(charlie)))
    check_manifest(manifest, files)
    assert set(manifest["models"]) == {"accounts.User"}
    assert re.match(r"\d{4}-\d\d-\d\dT", manifest["generated_at"])


def test_making_it_again_replaces_it(charlie):
    copy = export.copy_of_person(traces_of_user(charlie))
    make(copy)
    make(copy)
    assert default_storage.listdir("exports") == ([], ["test.zip"])


# --- asking for one -------------------------------------------------------------------------------------------


@pytest.fixture
def own_copy(full_house, bob) -> PrivacyRequest:
    row = requests.open_own_request("export", user=bob)
    assert run.run(row.pk)
    return again(row)


def test_a_copy_can_be_fetched_for_a_week_by_its_person_only(own_copy, client_of, bob, alice):
    address = f"/account/privacy/{own_copy.pk}/file"
    assert files.has_file(own_copy)
    assert own_copy.manifest["models"]["accounts.User"]["rows"] == 1
    client = client_of(bob)
    # The password was not typed in this session.
    assert client.get(address).status_code == 302
    assert client_of(alice).get(address).status_code == 404
    response = files.download(own_copy)
    assert b"".join(response)[:2] == b"PK"
    assert "attachment" in response["Content-Disposition"]
    assert response["Cache-Control"] == "private, no-store"
    with shifted(erase.KEPT * 1.1):
        assert not files.has_file(own_copy)


def test_a_download_is_written_down(full_house, alice_actor, alice_client):
    with workspace_scope(full_house.pk):
        row = requests.open_workspace_export(by=alice_actor)
    run.run(row.pk)
    response = alice_client.get(f"/settings/privacy/requests/{row.pk}/file")
    assert response.status_code == 200
    assert b"".join(response)[:2] == b"PK"
    with workspace_scope(full_house.pk):
        entries = audit.AuditEntry.objects.filter(workspace=full_house, action="privacy.download")
        assert [entry.detail.actor for entry in entries] == ["alice@example.org"]


def test_progress_is_shown_and_the_lease_kept_alive(full_house, alice_actor):
    with workspace_scope(full_house.pk):
        row = requests.open_workspace_export(by=alice_actor)
    run._beat(row, 3, 40)
    assert again(row).manifest == {"progress": {"done": 3, "of": 40}}
    assert again(row).lease_until is not None


def test_the_copy_of_somebody_removed_has_nothing_of_the_workspace_now(full_house, bob):
    Membership.objects.filter(user=bob).exclude(role=Role.OWNER).delete()
    _manifest, files = make(export.copy_of_person(traces_of_user(bob)))
    assert lines_of(files, "accounts.Membership") == []
    with all_workspaces_scope("what they did stays told"):
        assert lines_of(files, "accounts.AuditDetail")
        assert Connection.objects.exists()


def opened_with_anna(by):
    with workspace_scope(by.workspace.pk):
        return add_contact(by.workspace), requests.open_workspace_export(by=by)


def is_named(row):
    return bool(row.file) and any(b"anna@example.net" in content for content in unzip(row.file)[1].values())


def test_a_copy_that_was_under_way_during_an_erasure_is_made_anew(alice_actor, monkeypatch):
    anna, row = opened_with_anna(alice_actor)
    write_rows = export._write_rows

    def erase_once_read(archive, part, *rest):
        written = write_rows(archive, part, *rest)
        if part.declaration.model is Contact and written["rows"]:
            erase_contact(anna)
        return written

    monkeypatch.setattr(export, "_write_rows", erase_once_read)
    run.run(row.pk)
    assert (again(row).status, again(row).file, default_storage.exists(f"exports/{row.pk}.zip")) == (
        "running",
        "",
        False,
    )
    with shifted(timedelta(minutes=1)):
        assert run.waiting() == [row.pk]
        run.run(row.pk)
    assert again(row).status == "done"
    assert again(row).file
    assert not is_named(again(row))


def test_a_copy_that_ends_in_the_midst_of_an_erasure_is_dropped(alice_actor, monkeypatch):
    anna, row = opened_with_anna(alice_actor)
    append, named = ledger.append, []

    def copy_first(*line):
        run.run(row.pk)
        named.append(is_named(again(row)))
        append(*line)

    monkeypatch.setattr(ledger, "append", copy_first)
    erase_contact(anna)
    assert named == [True]
    assert not default_storage.exists(f"exports/{row.pk}.zip")


def test_a_copy_made_by_the_command_goes_with_its_person_or_after_a_week(bob, charlie, workspace):
    for words in (["--email", bob.email], ["--email", charlie.email], ["--workspace", workspace.slug]):
        call_command("export_data", *words, stdout=StringIO())
    erase_user(bob)
    # A workspace's copy names its members.
    assert default_storage.listdir("exports")[1] == [f"{charlie.pk}.zip"]
    with shifted(timedelta(days=6)):
        assert retention.sweep().get("files", 0) == 0
    with shifted(timedelta(days=8)):
        assert retention.sweep()["files"] == 1
    assert default_storage.listdir("exports")[1] == []
