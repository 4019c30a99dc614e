"""How a scope ends: whatever happens inside, the connection shows afterwards what it showed before."""

import threading
from contextlib import suppress
from multiprocessing.pool import ThreadPool

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.http import Http404

from accounts.models import ApiKey, Event
from accounts.scope import all_workspaces_scope, resolver_scope, workspace_scope
from accounts.services import create_api_key, emit, hash_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(workspace, other_workspace):
    """One event of Roastery, two of Bakery: the number tells what is seen."""
    for owner, count in ((workspace, 1), (other_workspace, 2)):
        with workspace_scope(owner.pk):
            for _ in range(count):
                emit(owner, "test.happened")


def seen() -> int:
    return Event.objects.count()


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [name])
        return cursor.fetchone()[0]


def test_every_level_is_restored_on_the_way_out(events, workspace, other_workspace):
    levels = [
        workspace_scope(workspace.pk),
        all_workspaces_scope("test"),
        workspace_scope(other_workspace.pk),
        resolver_scope("nothing"),
        all_workspaces_scope("test"),
    ]
    on_the_way_in = []
    for level in levels:
        on_the_way_in.append(seen())
        level.__enter__()
    on_the_way_out = []
    for level in reversed(levels):
        level.__exit__(None, None, None)
        on_the_way_out.append(seen())
    assert on_the_way_in == [0, 1, 3, 2, 2]
    assert on_the_way_out == on_the_way_in[::-1]


@pytest.mark.parametrize("error", [ValueError, Http404, IntegrityError, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("outer", ["workspace", "all"])
def test_error_inside_restores_what_was_around(events, workspace, other_workspace, outer, error):
    around = {"workspace": workspace_scope(workspace.pk), "all": all_workspaces_scope("test")}[outer]
    with around:
        before = seen()
        with pytest.raises(error), workspace_scope(other_workspace.pk):
            raise error
        assert seen() == before
    assert seen() == 0


def test_error_that_breaks_the_transaction_restores_what_was_around(events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        with pytest.raises(DatabaseError), workspace_scope(other_workspace.pk), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert seen() == 1


def test_savepoint_that_fails_inside_keeps_the_scope(events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        with suppress(ValueError), transaction.atomic():
            emit(workspace, "test.undone")
            raise ValueError
        assert seen() == 1


def test_scope_undone_on_purpose_inside_another_restores_it(events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        with workspace_scope(other_workspace.pk):
            emit(other_workspace, "test.undone")
            transaction.set_rollback(True)
        assert seen() == 1
    with workspace_scope(other_workspace.pk):
        assert seen() == 2


def test_scope_inside_a_savepoint_that_is_undone_leaves_nothing_set(events, workspace):
    with suppress(ValueError), transaction.atomic():
        with workspace_scope(workspace.pk):
            emit(workspace, "test.undone")
        raise ValueError
    assert (setting("app.workspace"), seen()) == ("", 0)


def test_the_same_scope_twice_stays_open_until_the_outer_end(events, workspace):
    with workspace_scope(workspace.pk):
        with workspace_scope(str(workspace.pk).upper()):
            assert seen() == 1
        assert seen() == 1
    assert seen() == 0


def test_scope_of_nothing_shows_nothing(events):
    with workspace_scope(""):
        assert seen() == 0


def test_scope_of_nothing_inside_all_workspaces_narrows_to_nothing(events):
    with all_workspaces_scope("test"), workspace_scope(""):
        assert seen() == 0


def test_rows_are_looked_up_where_the_query_runs_and_not_where_it_was_written(events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        query = Event.objects.all()
    assert list(query) == []
    with workspace_scope(other_workspace.pk):
        assert query.all().count() == 2


def test_rows_read_in_portions_are_those_of_the_scope(events, other_workspace):
    with workspace_scope(other_workspace.pk):
        assert {event.workspace_id for event in Event.objects.iterator(chunk_size=1)} == {other_workspace.pk}


def test_what_runs_on_commit_runs_outside_the_scope(events, workspace, django_capture_on_commit_callbacks):
    later = []
    with django_capture_on_commit_callbacks(execute=True), workspace_scope(workspace.pk):
        transaction.on_commit(lambda: later.append(seen()))
    assert later == [0]


@pytest.fixture
def foreign_key(other_workspace, charlie_actor) -> str:
    with workspace_scope(other_workspace.pk):
        return hash_key(create_api_key("Theirs", ["read"], by=charlie_actor)[1])


def test_resolver_shows_the_one_row_beside_those_of_the_workspace(foreign_key, api_key, workspace):
    api_key()
    with workspace_scope(workspace.pk):
        with resolver_scope(foreign_key):
            assert set(ApiKey.objects.values_list("name", flat=True)) == {"Test key", "Theirs"}
        assert ApiKey.objects.get().name == "Test key"


@pytest.mark.parametrize("asked", ["", "0" * 64, "%", "' OR true --"])
def test_resolver_with_another_word_shows_nothing(foreign_key, asked):
    with resolver_scope(asked):
        assert not ApiKey.objects.exists()


def test_resolver_changes_and_deletes_nothing(foreign_key, other_workspace):
    with resolver_scope(foreign_key):
        assert ApiKey.objects.filter(key_hash=foreign_key).exists()
        assert ApiKey.objects.update(scopes=["read", "write", "publish"]) == 0
        assert ApiKey.objects.all()._raw_delete("default") == 0
    with workspace_scope(other_workspace.pk):
        assert ApiKey.objects.get().scopes == ["read"]


@pytest.mark.django_db(transaction=True)
def test_connection_that_is_used_again_remembers_no_scope_after_an_error(events, workspace):
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    with pytest.raises(ValueError, match="broken"), workspace_scope(workspace.pk):
        raise ValueError("broken")
    assert connection.connection.info.backend_pid == backend
    assert [setting(name) for name in ("app.workspace", "app.all_workspaces", "app.resolve")] == ["", "", ""]
    assert seen() == 0


@pytest.mark.django_db(transaction=True)
def test_threads_in_different_scopes_at_the_same_moment_see_their_own(events, workspace, other_workspace):
    together = threading.Barrier(4, timeout=60)

    def look(scope) -> int:
        try:
            with scope:
                together.wait()
                found = seen()
                together.wait()
                return found
        finally:
            connections.close_all()

    scopes = [
        workspace_scope(workspace.pk),
        workspace_scope(other_workspace.pk),
        all_workspaces_scope("test"),
        resolver_scope("nothing"),
    ]
    with ThreadPool(4) as pool:
        assert pool.map(look, scopes, chunksize=1) == [1, 2, 3, 0]
