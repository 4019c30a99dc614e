import threading

import pytest
from django.db import Error, IntegrityError, connection, transaction

from accounts.models import Event
from accounts.scope import all_workspaces_scope, resolver_scope, workspace_scope
from accounts.services import emit

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_events(workspace, other_workspace):
    for owner in (workspace, other_workspace):
        with workspace_scope(owner.pk):
            emit(owner, "test.happened")


def kinds_seen() -> int:
    return Event.objects.count()


def test_without_a_scope_nothing_is_seen(two_events):
    assert kinds_seen() == 0


def test_without_a_scope_nothing_can_be_written(workspace):
    with pytest.raises(Error, match="row-level security"), transaction.atomic():
        emit(workspace, "test.happened")


def test_scope_shows_the_rows_of_its_workspace_only(two_events, workspace):
    with workspace_scope(workspace.pk):
        assert set(Event.objects.values_list("workspace", flat=True)) == {workspace.pk}


def test_scope_refuses_a_row_of_another_workspace(workspace, other_workspace):
    with pytest.raises(Error, match="row-level security"), workspace_scope(workspace.pk):
        emit(other_workspace, "test.happened")


def test_row_cannot_be_moved_into_another_workspace(two_events, workspace, other_workspace):
    with pytest.raises(Error, match="row-level security"), workspace_scope(workspace.pk):
        Event.objects.update(workspace=other_workspace)


def test_raw_sql_is_bound_too(two_events, workspace):
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_event")
        assert cursor.fetchone() == (1,)


def test_inner_scope_ends_with_the_outer_one_restored(two_events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        with workspace_scope(other_workspace.pk):
            assert Event.objects.get().workspace_id == other_workspace.pk
        assert Event.objects.get().workspace_id == workspace.pk


def test_failed_inner_scope_leaves_the_outer_one_restored(two_events, workspace, other_workspace):
    with workspace_scope(workspace.pk):
        with pytest.raises(IntegrityError), workspace_scope(other_workspace.pk):
            Event.objects.create(pk=Event.objects.get().pk, workspace=other_workspace, kind="twice")
        assert Event.objects.get().workspace_id == workspace.pk


def test_scope_that_is_rolled_back_on_purpose_ends_quietly(two_events, workspace):
    with workspace_scope(workspace.pk):
        emit(workspace, "test.undone")
        transaction.set_rollback(True)
    with workspace_scope(workspace.pk):
        assert kinds_seen() == 1


def test_nothing_is_seen_after_a_scope(two_events, workspace):
    with workspace_scope(workspace.pk):
        assert kinds_seen() == 1
    assert kinds_seen() == 0


def test_all_workspaces_scope_sees_everything(two_events):
    with all_workspaces_scope("test"):
        assert kinds_seen() == 2
    assert kinds_seen() == 0


def test_workspace_scope_inside_an_all_workspaces_scope_narrows_it(two_events, workspace):
    with all_workspaces_scope("test"):
        with workspace_scope(workspace.pk):
            assert kinds_seen() == 1
        assert kinds_seen() == 2


def test_resolver_scope_opens_no_tenant_table(two_events):
    with resolver_scope("anything"):
        assert kinds_seen() == 0


def test_malformed_scope_is_an_error_and_not_open(two_events):
    with pytest.raises(Error), workspace_scope("' OR true --"):
        kinds_seen()


@pytest.mark.django_db(transaction=True)
def test_scope_of_one_thread_is_not_the_scope_of_another(two_events, workspace):
    seen = []

    def look() -> None:
        seen.append(kinds_seen())
        connection.close()

    with workspace_scope(workspace.pk):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [0]


@pytest.mark.django_db(transaction=True)
def test_scope_does_not_outlive_its_transaction_on_the_connection(two_events, workspace):
    with workspace_scope(workspace.pk):
        backend = connection.connection.info.backend_pid
    assert connection.connection.info.backend_pid == backend
    assert kinds_seen() == 0
