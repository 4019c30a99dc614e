"""Sources whose texts the agents improve: drafts with their origin, and nothing that a person changed is touched."""

import pytest

from agents.models import Run
from campaigns.models import Delivery, Origin, Post, Source, SourceConnection
from campaigns.services import PartDraft, PostDraft, update_post
from campaigns.source_scan import scan_source
from tests.campaigns.agents.test_campaign_workflow import written
from tests.campaigns.cast import folder_of
from tests.media_files import write_pair


@pytest.fixture
def source(sandbox, brand, roastery, bob) -> Source:
    source = Source.objects.create(
        workspace=brand, name="Folder", folder="spring", config={"enhance": True, "language": "en"}, created_by=bob
    )
    SourceConnection.objects.create(workspace=brand, source=source, connection=roastery)
    write_pair(
        folder_of(source) / "cup.png", title="Cup", description="Cheap cups until Friday https://roastery.example/cup"
    )
    return source


@pytest.fixture
def scanned(source, run_to_end) -> Post:
    scan_source(source)
    post = Post.objects.get()
    run_to_end(Run.objects.get(workflow="enhance").pk)
    post.refresh_from_db()
    return post


def test_imported_text_goes_through_the_writer_and_stays_a_draft(scanned):
    text = scanned.parts.get().text
    assert text
    assert "cheap" not in text.lower()
    assert "https://roastery.example/cup" in text
    assert scanned.deliveries.get().state == Delivery.State.DRAFT
    assert (scanned.has_agent_text, scanned.made_with_ai) == (True, True)


def test_its_origin_is_kept_and_its_picture_too(scanned):
    origin = Origin.objects.get(post=scanned)
    assert (origin.model, origin.assistant, origin.is_sandbox) == ("sandbox-writer", "writer", True)
    assert all(one["is_accepted"] for one in origin.sentences)
    assert scanned.parts.get().media.count() == 1


def test_source_that_submits_does_so_with_the_better_text(source, run_to_end):
    source.config = source.config | {"submit": True}
    source.save()
    scan_source(source)
    assert Delivery.objects.get().state == Delivery.State.DRAFT
    run_to_end(Run.objects.get().pk)
    assert Delivery.objects.get().state == Delivery.State.IN_REVIEW


def test_what_a_person_changed_meanwhile_stays(source, run_to_end, bob_actor):
    scan_source(source)
    post = Post.objects.get()
    update_post(post, PostDraft(parts=(PartDraft("Mine."),)), by=bob_actor)
    run = run_to_end(Run.objects.get().pk)
    assert post.parts.get().text == "Mine."
    assert run.status == "succeeded"
    assert not Origin.objects.exists()


def test_switched_off_nothing_is_asked(source):
    source.config = {"enhance": False}
    source.save()
    scan_source(source)
    assert Post.objects.count() == 1
    assert not Run.objects.exists()


def test_without_a_person_behind_it_the_text_stays_and_the_reason_is_told(source):
    Source.objects.filter(pk=source.pk).update(created_by=None)
    source.refresh_from_db()
    report = scan_source(source)
    assert [problem.code for problem in report.problems] == ["not_enhanced"]
    assert "agents act for a person" in report.problems[0].message
    assert Post.objects.get().parts.get().text.startswith("Cup")


def test_unchanged_file_is_not_paid_twice(scanned, source):
    scan_source(source)
    assert Run.objects.count() == 1


def test_changed_file_is_improved_again(scanned, source, run_to_end):
    write_pair(folder_of(source) / "cup.png", title="Cup", description="Cups until Sunday")
    scan_source(source)
    assert Run.objects.count() == 2
    run_to_end(Run.objects.order_by("-created_at").first().pk)
    assert Origin.objects.count() == 2


def test_text_of_a_stranger_gets_no_link_or_account_past_the_writer(source, run_to_end, script):
    script(written("Visit https://evil.example now, @stranger!"), written("Cups until Friday."))
    scan_source(source)
    run_to_end(Run.objects.get().pk)
    text = Post.objects.get().parts.get().text
    assert "evil.example" not in text
    assert "@stranger" not in text
