import threading
from datetime import UTC, datetime

import pytest
from django.db import connection as database

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from campaigns.imports import applying
from campaigns.imports.applying import apply_import, imports_to_resume
from campaigns.imports.services import check_import, create_import, start_import
from campaigns.models import Campaign, Delivery, Import, Post
from tests.campaigns.cast import add_asset, add_connection, add_post, mark_published, texts_of

pytestmark = pytest.mark.django_db
HEADER = "id,channel,text,time,timezone"
ROW = "1,@demo_roastery,Hello,2027-01-05 09:00,Europe/Berlin"


@pytest.fixture
def roast(in_workspace):
    return add_connection(in_workspace, "demo_roastery")


@pytest.fixture
def begin(roast, bob_actor):
    def run(*lines: str, mapping: dict | None = None) -> Import:
        imported = create_import("plan.csv", "\n".join(lines).encode(), by=bob_actor)
        check_import(imported, by=bob_actor, mapping=mapping)
        return start_import(imported, by=bob_actor)

    return run


@pytest.fixture
def apply(begin):
    """Upload, check, start and finish; the import afterwards."""

    def run(*lines: str, mapping: dict | None = None) -> Import:
        imported = begin(*lines, mapping=mapping)
        assert apply_import(imported.workspace_id, imported.pk)
        return Import.objects.get(pk=imported.pk)

    return run


def actions(imported: Import) -> list[str]:
    return [fate["action"] for fate in imported.fates]


# --- rows become posts ------------------------------------------------------------------------------------


def test_a_row_becomes_a_planned_draft(apply, roast, bob):
    imported = apply(HEADER, ROW)
    post = Post.objects.get()
    row = post.deliveries.get()
    assert (texts_of(post), post.external_id, post.created_by) == (["Hello"], "1", bob)
    assert (row.connection, row.state) == (roast, "draft")
    assert row.scheduled_at == datetime(2027, 1, 5, 8, tzinfo=UTC)
    assert (imported.status, imported.done_rows, imported.fates[0]["post"]) == ("applied", 1, str(post.pk))


def test_nothing_of_a_file_is_approved(apply):
    apply(HEADER, ROW)
    assert Delivery.objects.get().approved_hash == ""


def test_everything_a_row_can_say_is_kept(apply, in_workspace):
    first, second = add_asset(in_workspace, "a.png"), add_asset(in_workspace, "b.png")
    header = "id,text,title,campaign,media,alt text,tags,language,ai"
    apply(header, '1,Hi,Name,Spring,a.png;b.png,One|Two,"x, y",de,yes')
    post = Post.objects.get()
    assert (post.title, post.campaign.name, post.tags) == ("Name", "Spring", ["x", "y"])
    assert (post.language, post.made_with_ai) == ("de", True)
    uses = [(use.asset, use.alt_text) for use in post.parts.get().media.all()]
    assert uses == [(first, "One"), (second, "Two")]


def test_lines_of_dashes_make_a_thread(apply, in_workspace):
    asset = add_asset(in_workspace, "b.png")
    apply("id,text,media", '1,"One\n---\nTwo\n\\---\nstill two\n---\nThree"," --- b.png"')
    post = Post.objects.get()
    assert texts_of(post) == ["One", "Two\n---\nstill two", "Three"]
    assert [part.media.count() for part in post.parts.all()] == [0, 1, 0]
    assert post.parts.get(position=1).media.get().asset == asset


def test_text_that_looks_like_a_formula_or_a_tag_is_only_text(apply):
    apply("id,text", '1,"=HYPERLINK(""https://evil.example"",""click"")"', '2,"<b>New</b> 5 < 6 & so"')
    assert [texts_of(post)[0] for post in Post.objects.order_by("external_id")] == [
        '=HYPERLINK("https://evil.example","click")',
        "<b>New</b> 5 < 6 & so",
    ]


def test_accounts_of_one_post_have_their_own_texts_and_times(apply, roast, in_workspace):
    second = add_connection(in_workspace, "second")
    apply(HEADER, ROW, "1,@second,Hello there,2027-01-06 09:00,UTC")
    post = Post.objects.get()
    assert texts_of(post) == ["Hello"]
    assert post.deliveries.get(connection=second).override_texts == ["Hello there"]
    assert post.deliveries.get(connection=second).scheduled_at.day == 6
    assert post.deliveries.get(connection=roast).override_texts == []


def test_several_accounts_in_one_cell_share_text_and_time(apply, in_workspace):
    add_connection(in_workspace, "second")
    apply(HEADER, '1,"@demo_roastery, @second",Hello,2027-01-05 09:00,UTC')
    assert Delivery.objects.filter(scheduled_at__isnull=False).count() == 2


def test_a_new_campaign_is_made_once(apply):
    apply("id,text,campaign", "1,One,Spring launch", "2,Two,spring Launch")
    assert Campaign.objects.get().posts.count() == 2


def test_bad_rows_do_not_stop_good_ones(apply):
    imported = apply(HEADER, "2,@nobody,Hi,,", ROW, "3,@demo_roastery,,,")
    assert actions(imported) == ["error", "create", "error"]
    assert Post.objects.count() == 1


def test_a_row_that_the_services_refuse_is_an_error_and_leaves_nothing(apply, roast, monkeypatch):
    monkeypatch.setattr("campaigns.deliveries.timing.LAST_MOMENT", datetime(2026, 12, 1, tzinfo=UTC))
    imported = apply(HEADER, ROW)
    assert actions(imported) == ["error"]
    assert not Post.objects.exists()


# --- the same file again ----------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(apply):
    apply(HEADER, ROW)
    assert actions(apply(HEADER, ROW)) == ["same"]
    assert (Post.objects.count(), Post.objects.get().revision) == (1, 1)


def test_a_file_without_ids_makes_nothing_twice(apply):
    lines = ("channel,text", "@demo_roastery,Hello", "@demo_roastery,World")
    apply(*lines)
    assert actions(apply(*lines)) == ["same", "same"]
    assert Post.objects.count() == 2


def test_a_changed_row_changes_its_post(apply):
    apply(HEADER, ROW)
    assert actions(apply(HEADER, "1,@demo_roastery,Goodbye,2027-01-06 09:00,UTC")) == ["update"]
    post = Post.objects.get()
    assert texts_of(post) == ["Goodbye"]
    assert post.deliveries.get().scheduled_at == datetime(2027, 1, 6, 9, tzinfo=UTC)


def test_what_the_file_does_not_speak_of_stays(apply, roast, in_workspace, bob_actor):
    asset = add_asset(in_workspace, "a.png")
    apply("id,channel,text,title,media,tags", "1,@demo_roastery,Hello,Name,a.png,x")
    apply("id,text", "1,Goodbye")
    post = Post.objects.get()
    assert (texts_of(post), post.title, post.tags) == (["Goodbye"], "Name", ["x"])
    assert (post.parts.get().media.get().asset, post.deliveries.get().connection) == (asset, roast)


def test_an_account_that_the_file_no_longer_names_is_taken_off(apply, in_workspace):
    second = add_connection(in_workspace, "second")
    apply(HEADER, ROW)
    apply(HEADER, "1,@second,Hello,2027-01-05 09:00,Europe/Berlin")
    assert Delivery.objects.get().connection == second


def test_an_approved_post_that_changes_goes_to_review_again(apply, approved):
    apply(HEADER, ROW)
    approved(Post.objects.get())
    apply(HEADER, "1,@demo_roastery,Goodbye,2027-01-05 09:00,Europe/Berlin")
    assert Delivery.objects.get().state == "in_review"


def test_a_published_post_stays_as_it_is(apply, roast, bob_actor):
    post = add_post(bob_actor, roast, text="Live", external_id="1")
    mark_published(post)
    assert actions(apply(HEADER, ROW)) == ["skip"]
    assert texts_of(post) == ["Live"]


def test_a_canceled_delivery_stays_canceled(apply):
    apply(HEADER, ROW)
    Delivery.objects.update(state="canceled")
    apply(HEADER, "1,@demo_roastery,Hello,2027-01-06 09:00,UTC")
    assert Delivery.objects.get().state == "canceled"


# --- in the background ------------------------------------------------------------------------------------


def test_a_post_published_after_the_check_is_left_alone(begin, roast, bob_actor):
    post = add_post(bob_actor, roast, text="Before", external_id="1")
    imported = begin(HEADER, ROW)
    mark_published(post)
    apply_import(imported.workspace_id, imported.pk)
    assert actions(Import.objects.get()) == ["skip"]
    assert texts_of(post) == ["Before"]


def test_an_import_goes_on_where_it_stopped(begin, monkeypatch):
    monkeypatch.setattr(applying, "BATCH", 2)
    imported = begin("id,text", *[f"{number},Text {number}" for number in range(5)])
    real, calls = applying._apply_batch, []

    def die_at_the_second(*args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(applying, "_apply_batch", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        apply_import(imported.workspace_id, imported.pk)
    assert (Post.objects.count(), Import.objects.get().done_rows) == (2, 2)
    monkeypatch.setattr(applying, "_apply_batch", real)
    assert apply_import(imported.workspace_id, imported.pk)
    assert (Post.objects.count(), Import.objects.get().status) == (5, "applied")


def test_a_run_that_takes_too_long_says_that_there_is_more(begin, monkeypatch):
    monkeypatch.setattr(applying, "MAX_RUN_S", -1)
    imported = begin(HEADER, ROW)
    assert apply_import(imported.workspace_id, imported.pk) is False
    assert Import.objects.get().status == "applying"


def test_applying_again_does_nothing(apply):
    imported = apply(HEADER, ROW)
    assert apply_import(imported.workspace_id, imported.pk)
    assert Post.objects.count() == 1


def test_an_import_that_was_not_started_is_not_applied(roast, bob_actor):
    imported = check_import(create_import("plan.csv", b"text\nhi\n", by=bob_actor), by=bob_actor)
    apply_import(imported.workspace_id, imported.pk)
    assert not Post.objects.exists()


def test_an_import_of_another_workspace_is_not_found(begin, charlie_actor):
    imported = begin(HEADER, ROW)
    assert apply_import(charlie_actor.workspace.pk, imported.pk)
    assert not Post.objects.exists()


def test_what_is_under_way_is_found_again(begin):
    imported = begin(HEADER, ROW)
    assert imports_to_resume() == [(imported.workspace_id, imported.pk)]
    apply_import(imported.workspace_id, imported.pk)
    assert imports_to_resume() == []


def test_starting_twice_is_one_start(begin, bob_actor):
    imported = begin(HEADER, ROW)
    start_import(imported, by=bob_actor)
    assert AuditEntry.objects.filter(action="import.apply").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_post_once(workspace, bob_actor):
    with workspace_scope(workspace.pk):
        lines = "\n".join(["id,text", *[f"{number},Text {number}" for number in range(30)]])
        imported = create_import("plan.csv", lines.encode(), by=bob_actor)
        start_import(check_import(imported, by=bob_actor), by=bob_actor)

    def work():
        apply_import(workspace.pk, imported.pk)
        database.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with workspace_scope(workspace.pk):
        assert (Post.objects.count(), Import.objects.get().done_rows) == (30, 30)
