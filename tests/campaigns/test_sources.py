import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from campaigns.models import Campaign, Post, Source
from campaigns.sources import create_source, delete_source, scan_source, sources_root, update_source
from social.models import Connection
from tests.campaigns.cast import add_connection, folder_of
from tests.media_files import write_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(in_workspace) -> Campaign:
    return Campaign.objects.create(workspace=in_workspace, name="Spring")


@pytest.fixture
def roastery(in_workspace) -> Connection:
    return add_connection(in_workspace)


@pytest.fixture
def source(bob_actor, campaign, roastery) -> Source:
    return create_source(by=bob_actor, name="Spring", folder="spring", campaign=campaign, connections=[roastery.pk])


def targets(source: Source) -> list[str]:
    return list(source.targets.values_list("connection__handle", flat=True))


def actions() -> list[str]:
    return list(AuditEntry.objects.values_list("action", flat=True))


def test_source_remembers_folder_campaign_and_connections(source, campaign, bob_actor):
    stored = Source.objects.get(pk=source.pk)
    assert (stored.folder, stored.campaign, targets(stored)) == ("spring", campaign, ["roastery"])
    assert stored.created_by == bob_actor.user


def test_creating_a_source_is_in_the_audit_trail(source):
    assert actions()[-1] == "source.create"


def test_root_of_a_workspace_is_made_on_first_use(workspace, settings):
    assert sources_root(workspace).is_dir()
    assert sources_root(workspace).parent == settings.SOURCES_ROOT


@pytest.mark.parametrize("folder", ["../other", "/etc", "a/../../b", "a\\b", "C:/media", "a\x00b", "", "   ", "/"])
def test_folder_outside_the_root_is_refused(bob_actor, in_workspace, folder):
    with pytest.raises(ValidationError) as refusal:
        create_source(by=bob_actor, name="Out", folder=folder)
    assert list(refusal.value.message_dict) == ["folder"]
    assert not Source.objects.exists()


def test_link_out_of_the_root_is_refused(bob_actor, in_workspace, tmp_path):
    (sources_root(in_workspace) / "out").symlink_to(tmp_path)
    with pytest.raises(ValidationError, match="outside"):
        create_source(by=bob_actor, name="Out", folder="out")


@pytest.mark.parametrize(
    ("given", "kept"), [("spring/", "spring"), (" a//b ", "a/b"), ("./x", "x"), ("cafe\u0301", "caf\u00e9"), (".", ".")]
)
def test_folder_is_kept_in_one_spelling(bob_actor, in_workspace, given, kept):
    assert create_source(by=bob_actor, name="One", folder=given).folder == kept


@pytest.mark.parametrize("folder", ["spring", "spring/", "spring/may", "."])
def test_folder_that_another_source_reads_is_refused(source, bob_actor, folder):
    with pytest.raises(ValidationError, match="Spring"):
        create_source(by=bob_actor, name="Again", folder=folder)


def test_neighbouring_folder_is_free(source, bob_actor):
    assert create_source(by=bob_actor, name="Next", folder="spring-2").pk


def test_another_workspace_may_use_the_same_folder_name(source, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        assert create_source(by=charlie_actor, name="Mine", folder="spring").pk


def test_nameless_source_is_refused(bob_actor, in_workspace):
    with pytest.raises(ValidationError) as refusal:
        create_source(by=bob_actor, name="  ", folder="spring")
    assert list(refusal.value.message_dict) == ["name"]


def test_connection_of_another_workspace_is_refused(bob_actor, in_workspace, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        foreign = add_connection(charlie_actor.workspace, "bakery")
    with pytest.raises(ValidationError) as refusal:
        create_source(by=bob_actor, name="Spring", folder="spring", connections=[foreign.pk])
    assert list(refusal.value.message_dict) == ["connections"]


def test_viewer_cannot_create_a_source(vic_actor, in_workspace):
    with pytest.raises(PermissionDenied):
        create_source(by=vic_actor, name="Spring", folder="spring")


def test_update_changes_what_is_named(source, bob_actor, in_workspace):
    bakery = add_connection(in_workspace, "bakery")
    update_source(source, by=bob_actor, name="Summer", folder="summer", campaign=None, connections=[bakery.pk])
    stored = Source.objects.get(pk=source.pk)
    assert (stored.name, stored.folder, stored.campaign, targets(stored)) == ("Summer", "summer", None, ["bakery"])
    assert actions()[-1] == "source.update"


def test_update_leaves_the_rest(source, bob_actor, campaign):
    update_source(source, by=bob_actor, is_active=False)
    stored = Source.objects.get(pk=source.pk)
    assert (stored.name, stored.campaign, stored.is_active, targets(stored)) == (
        "Spring",
        campaign,
        False,
        ["roastery"],
    )


def test_update_keeps_its_own_folder_free(source, bob_actor):
    assert update_source(source, by=bob_actor, folder="spring/").folder == "spring"


def test_viewer_cannot_update_a_source(source, vic_actor):
    with pytest.raises(PermissionDenied):
        update_source(source, by=vic_actor, name="Mine")


def test_deleting_a_source_leaves_its_posts_and_files(source, bob_actor):
    picture = write_pair(folder_of(source) / "hero.jpg")
    scan_source(source, by=bob_actor)
    delete_source(source, by=bob_actor)
    assert (Source.objects.count(), Post.objects.count(), picture.exists()) == (0, 1, True)
    assert actions()[-1] == "source.delete"


def test_viewer_cannot_delete_a_source(source, vic_actor):
    with pytest.raises(PermissionDenied):
        delete_source(source, by=vic_actor)
    assert Source.objects.exists()


def name_folder(actor, start: threading.Barrier, answers: list[str]) -> None:
    from django.db import connection

    start.wait()
    try:
        with workspace_scope(actor.workspace.pk):
            create_source(by=actor, name="Race", folder="race")
        answers.append("made")
    except ValidationError:
        answers.append("refused")
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_people_naming_one_folder_at_once_get_one_source(bob_actor, workspace):
    start, answers = threading.Barrier(4), []
    threads = [threading.Thread(target=name_folder, args=(bob_actor, start, answers)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["made", "refused", "refused", "refused"]
