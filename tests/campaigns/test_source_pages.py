import json
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from campaigns.models import Campaign, Delivery, Post, Source, SourceItem
from campaigns.source_queries import free_folders
from campaigns.source_scan import sources_root
from campaigns.sources import create_source, scan_source
from social.models import Connection
from tests.campaigns.cast import folder_of, mark_published, post_of
from tests.campaigns.conftest import png

LIST = "/sources"
NEW = "/sources/new"
FORM = {"name": "Spring", "folder": "spring", "campaign": "", "connections": [], "is_active": "on"}


@pytest.fixture
def source(bob_actor: Actor, roastery: Connection) -> Source:
    return create_source(by=bob_actor, name="Spring", folder="spring", connections=[roastery.pk])


@pytest.fixture
def address(source: Source) -> str:
    return f"/sources/{source.pk}"


@pytest.fixture
def folder(source: Source):
    return folder_of(source)


def put(folder, stem: str, colour: str = "brown", **meta: object) -> None:
    (folder / f"{stem}.png").write_bytes(png(colour=colour).read())
    (folder / f"{stem}.json").write_text(json.dumps({"title": f"Title of {stem}"} | meta))


# --- list -------------------------------------------------------------------------------------------------


def test_an_editor_is_told_where_the_files_go(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(LIST).content.decode()
    assert "No sources yet" in html
    assert str(settings.SOURCES_ROOT / str(in_workspace.pk)) in html


def test_a_viewer_is_not_told_a_path_of_the_server(vic_client: Client, source: Source, address: str) -> None:
    for page in (LIST, address):
        assert str(settings.SOURCES_ROOT) not in vic_client.get(page).content.decode()


def test_folders_that_are_there_are_offered(bob_client: Client, in_workspace) -> None:
    (sources_root(in_workspace) / "春季 launch").mkdir(parents=True)
    html = bob_client.get(LIST).content.decode()
    assert "/sources/new?folder=%E6%98%A5%E5%AD%A3%20launch" in html


def test_the_list_counts_what_the_last_scan_saw(bob_client: Client, bob_actor, source: Source, folder) -> None:
    put(folder, "one")
    (folder / "alone.png").write_bytes(png(colour="red").read())
    scan_source(source, by=bob_actor)
    (row,) = bob_client.get(LIST).context["sources"]
    assert (row.used_files, row.problem_files, row.vanished_files) == (1, 1, 0)


def test_more_sources_cost_no_more_queries(bob_client: Client, bob_actor, in_workspace) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_client.get(LIST).status_code == 200
        return len(queries)

    create_source(by=bob_actor, name="first", folder="first")
    with_one = count()
    for n in range(5):
        create_source(by=bob_actor, name=f"more {n}", folder=f"more-{n}")
    assert count() == with_one


# --- folders ----------------------------------------------------------------------------------------------


def test_folders_are_offered_the_nearest_first_and_only_the_free_ones(in_workspace, source: Source) -> None:
    root = sources_root(in_workspace)
    for name in ("spring", "autumn/week-1", "b", ".hidden"):
        (root / name).mkdir(parents=True)
    assert free_folders(in_workspace) == ["autumn", "b", "autumn/week-1"]


def test_a_link_to_elsewhere_is_not_offered(in_workspace, tmp_path) -> None:
    (tmp_path / "secret").mkdir()
    (sources_root(in_workspace) / "link").symlink_to(tmp_path / "secret")
    assert free_folders(in_workspace) == []


# --- new --------------------------------------------------------------------------------------------------


def test_an_editor_adds_a_source(bob_client: Client, campaign: Campaign, roastery: Connection) -> None:
    form = FORM | {"campaign": campaign.pk, "connections": [roastery.pk]}
    response = bob_client.post(NEW, form)
    source = Source.objects.get()
    assert response.headers["Location"] == f"/sources/{source.pk}"
    assert (source.folder, source.campaign, source.is_active) == ("spring", campaign, True)
    assert source.targets.get().connection == roastery


def test_its_folder_is_made_so_that_files_can_be_copied_there(bob_client: Client, in_workspace) -> None:
    bob_client.post(NEW, FORM | {"folder": "a/b"})
    assert (sources_root(in_workspace) / "a" / "b").is_dir()


def test_a_source_can_wait_for_scans_by_hand(bob_client: Client, in_workspace) -> None:
    bob_client.post(NEW, {name: value for name, value in FORM.items() if name != "is_active"})
    assert Source.objects.get().is_active is False


def test_the_only_account_is_chosen_already(bob_client: Client, roastery: Connection) -> None:
    assert bob_client.get(NEW).content.decode().count("checked") == 2


def test_of_several_accounts_none_is_chosen(bob_client: Client, roastery, cafe) -> None:
    assert bob_client.get(NEW).content.decode().count("checked") == 1


def test_an_offered_folder_fills_the_form(bob_client: Client, in_workspace) -> None:
    html = bob_client.get(NEW, {"folder": "spring-launch", "name": "Spring"}).content.decode()
    assert 'value="spring-launch"' in html


def test_without_an_account_the_form_says_what_follows(bob_client: Client, in_workspace) -> None:
    assert "No account is connected" in bob_client.get(NEW).content.decode()


@pytest.mark.parametrize("folder", ["../other", "/etc", "a/../../b", "C:\\temp", ""])
def test_a_folder_elsewhere_is_refused_beside_the_field(bob_client: Client, in_workspace, folder: str) -> None:
    response = bob_client.post(NEW, FORM | {"folder": folder})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["folder"]
    assert not Source.objects.exists()


def test_what_was_typed_is_kept(bob_client: Client, in_workspace) -> None:
    html = bob_client.post(NEW, FORM | {"folder": "../up", "name": "My pictures"}).content.decode()
    assert 'value="../up"' in html
    assert 'value="My pictures"' in html


def test_one_folder_has_one_source(bob_client: Client, source: Source) -> None:
    assert "reads this folder" in bob_client.post(NEW, FORM | {"folder": "spring/inner"}).content.decode()


def test_a_strangers_account_or_campaign_cannot_be_chosen(bob_client: Client, in_workspace) -> None:
    response = bob_client.post(NEW, FORM | {"connections": [uuid4()], "campaign": uuid4()})
    assert set(response.context["form"].errors) == {"connections", "campaign"}


# --- edit and delete --------------------------------------------------------------------------------------


def test_an_editor_changes_a_source(bob_client: Client, address: str, source: Source, cafe: Connection) -> None:
    form = FORM | {"name": "Summer", "folder": "summer", "connections": [cafe.pk], "is_active": ""}
    assert bob_client.post(f"{address}/edit", form).headers["Location"] == address
    source.refresh_from_db()
    assert (source.name, source.folder, source.is_active) == ("Summer", "summer", False)
    assert source.targets.get().connection == cafe


def test_the_form_shows_what_is_set(bob_client: Client, address: str, roastery: Connection) -> None:
    initial = bob_client.get(f"{address}/edit").context["form"].initial
    assert (initial["folder"], initial["connections"]) == ("spring", [roastery.pk])


def test_a_refused_change_does_not_show_in_the_heading(bob_client: Client, address: str) -> None:
    response = bob_client.post(f"{address}/edit", FORM | {"name": "Other", "folder": "../up"})
    assert response.status_code == 422
    assert response.context["source"].name == "Spring"


def test_removing_a_source_keeps_its_posts(bob_client: Client, bob_actor, address: str, source, folder) -> None:
    put(folder, "one")
    scan_source(source, by=bob_actor)
    assert bob_client.post(f"{address}/delete").headers["Location"] == LIST
    assert not Source.objects.exists()
    assert Post.objects.count() == 1


# --- scan -------------------------------------------------------------------------------------------------


def scan(client: Client, address: str) -> str:
    return client.post(f"{address}/scan", follow=True).content.decode()


def test_a_scan_shows_used_files_with_their_posts(bob_client: Client, address: str, source: Source, folder) -> None:
    put(folder, "one")
    html = scan(bob_client, address)
    assert "Scanned: 1 new." in html
    assert "one.png" in html
    assert post_of(source, "one.png").get_absolute_url() in html


def test_a_second_scan_makes_nothing_twice(bob_client: Client, address: str, folder) -> None:
    put(folder, "one")
    scan(bob_client, address)
    assert "Scanned: 1 unchanged." in scan(bob_client, address)
    assert Post.objects.count() == 1


def test_a_file_nobody_can_use_is_named_with_the_reason(bob_client: Client, address: str, folder) -> None:
    (folder / "alone.png").write_bytes(png().read())
    html = scan(bob_client, address)
    assert "Scanned: nothing to use. 1 thing to look at." in html
    assert "<code>alone.png</code>" in html
    assert "Put alone.json beside it" in html


def test_a_file_name_cannot_break_out_of_the_page(bob_client: Client, address: str, folder) -> None:
    (folder / "<img src=x onerror=alert(1)>.png").write_bytes(png().read())
    assert "<img src=x" not in scan(bob_client, address)


def test_a_vanished_file_is_listed_with_its_post(bob_client: Client, address: str, source: Source, folder) -> None:
    put(folder, "one")
    scan(bob_client, address)
    post = post_of(source, "one.png")
    for name in ("one.png", "one.json"):
        (folder / name).unlink()
    html = scan(bob_client, address)
    assert "Vanished" in html
    assert "1 vanished" in html
    assert post.get_absolute_url() in html


def test_a_file_that_changed_after_its_post_was_sent_is_told(bob_client, address: str, source: Source, folder) -> None:
    put(folder, "one")
    scan(bob_client, address)
    mark_published(post_of(source, "one.png"))
    put(folder, "one", description="Another text")
    html = scan(bob_client, address)
    assert SourceItem.objects.get(path="one.png").has_newer_file
    assert "The file changed after its post was sent" in html


def test_a_folder_that_is_not_there_is_explained(bob_client: Client, address: str) -> None:
    html = scan(bob_client, address)
    assert "Nothing could be scanned." in html
    assert "The last scan could not run." in html


def test_a_running_scan_answers_409(bob_client: Client, bob_actor, source: Source, address: str, folder) -> None:
    from psycopg import connect

    put(folder, "one")
    parameters = database.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    with connect(**{key: parameters[key] for key in keys if parameters.get(key)}) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"source {source.pk}"])
        response = bob_client.post(f"{address}/scan")
    assert response.status_code == 409
    assert "A scan of this folder is running." in response.content.decode()
    assert not Post.objects.exists()


def test_a_scan_with_a_progress_bar_ends_on_a_fresh_page(bob_client: Client, address: str, folder) -> None:
    put(folder, "one")
    response = bob_client.post(f"{address}/scan", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == address
    assert "Scanned: 1 new." in bob_client.get(address).content.decode()


def test_posts_go_to_the_accounts_of_the_source(bob_client: Client, address: str, folder, roastery) -> None:
    put(folder, "one")
    scan(bob_client, address)
    assert Delivery.objects.get().connection == roastery


def test_a_source_without_accounts_warns_before_the_scan(bob_client: Client, bob_actor, in_workspace) -> None:
    source = create_source(by=bob_actor, name="Loose", folder="loose")
    assert "go nowhere yet" in bob_client.get(f"/sources/{source.pk}").content.decode()


def test_more_files_cost_no_more_queries(bob_client: Client, bob_actor, source: Source, address: str, folder) -> None:
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            assert bob_client.get(address).status_code == 200
        return len(queries)

    put(folder, "one")
    scan_source(source, by=bob_actor)
    with_one = count()
    for number in range(4):
        put(folder, f"more-{number}", colour=f"#0{number}0")
    scan_source(source, by=bob_actor)
    assert count() == with_one


def test_a_deleted_post_leaves_its_file_listed(bob_client: Client, bob_actor, source, address: str, folder) -> None:
    put(folder, "one")
    scan_source(source, by=bob_actor)
    with transaction.atomic():
        Post.objects.get().delete()
    assert "Its post was deleted" in bob_client.get(address).content.decode()


# --- who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["vic_client", "rita_client"])
def test_others_look_and_change_nothing(request: pytest.FixtureRequest, address: str, who: str) -> None:
    client = request.getfixturevalue(who)
    html = client.get(address).content.decode()
    assert "Scan now</button>" not in html
    for act in ("/edit", "/scan", "/delete"):
        assert client.post(address + act, FORM).status_code == 403
    assert client.post(NEW, FORM | {"folder": "other"}).status_code == 403
    assert Source.objects.get().name == "Spring"


@pytest.mark.parametrize("path", ["", "/edit"])
def test_a_strangers_source_is_a_missing_page(charlie_client: Client, address: str, path: str) -> None:
    assert charlie_client.get(address + path).status_code == 404


@pytest.mark.parametrize("act", ["/scan", "/delete"])
def test_a_stranger_scans_and_removes_nothing(charlie_client: Client, address: str, act: str) -> None:
    assert charlie_client.post(address + act).status_code == 404
    assert Source.objects.exists()


def test_guests_have_no_sources(gwen_client: Client, address: str) -> None:
    assert gwen_client.get(LIST).status_code == 403
    assert gwen_client.get(address).status_code == 403


def test_a_scan_is_never_a_get(bob_client: Client, address: str) -> None:
    assert bob_client.get(f"{address}/scan").status_code == 405
