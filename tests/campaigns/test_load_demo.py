import json
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.access import Actor, actor_for
from accounts.models import Membership, User, Workspace
from accounts.scope import workspace_scope
from agents.memory.blocks import BRAND_BLOCKS, block_texts
from agents.memory.claims import claims_in_force
from campaigns.demo_content import DRAFTS, FLAWED, FOLDER, FOLDER_FILES, INDUSTRY, JASMINE, MARKETS, PEOPLE, WORDS
from campaigns.demo_pictures import draw_picture
from campaigns.management.commands.load_demo import DEMO_EMAIL, DEMO_PASSWORD, is_sandbox
from campaigns.models import Campaign, Delivery, MediaAsset, Post, PostPart, Snippet, Source
from campaigns.sources import scan_source, sources_root
from compliance.consent import may_contact
from compliance.guard import Decision
from compliance.guard_check import Question, check_text
from compliance.models import Contact, GuardSettings, Notice, WorkspaceTerm
from social.networks.x.text import weighted_length

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_extras(monkeypatch) -> None:
    """What higher apps add is tested there."""
    monkeypatch.setattr("campaigns.demo.EXTRAS", [])


@pytest.fixture
def on_sandbox(settings) -> None:
    settings.X_API_BASE_URL = "http://127.0.0.1:8100/x"


@pytest.fixture
def demo(on_sandbox) -> Workspace:
    call_command("load_demo")
    return Workspace.objects.get(name="Demo Roastery")


def owner_of(workspace: Workspace) -> Actor:
    return actor_for(Membership.objects.select_related("user", "workspace").get(user__email=DEMO_EMAIL))


def scan_all(workspace: Workspace):
    with workspace_scope(workspace.pk):
        return scan_source(Source.objects.get(), by=owner_of(workspace))


def judged(workspace: Workspace) -> dict[str, Decision]:
    """By the titles of the posts, on X."""
    with workspace_scope(workspace.pk):
        by = owner_of(workspace)
        return {
            post.title: check_text(
                Question(
                    "\n\n".join(part.text for part in post.parts.all()),
                    platform="x",
                    relationship=post.relationship,
                    ai_generated=post.made_with_ai,
                ),
                by=by,
            )
            for post in Post.objects.prefetch_related("parts")
        }


def test_the_log_in_it_prints_works(demo: Workspace, client) -> None:
    assert client.login(email=DEMO_EMAIL, password=DEMO_PASSWORD)


def test_it_prints_the_log_in(on_sandbox, capsys) -> None:
    call_command("load_demo")
    assert f"{DEMO_EMAIL} / {DEMO_PASSWORD}" in capsys.readouterr().out


def test_the_demo_campaign_runs_and_its_posts_wait_as_drafts(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert Campaign.objects.get().status == Campaign.Status.RUNNING
        assert Post.objects.filter(campaign__name="Spring launch").count() == len(DRAFTS)


def test_nothing_is_connected_so_nothing_can_leave(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert not Delivery.objects.exists()


def test_the_composer_has_one_of_each_kind_to_insert(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert set(Snippet.objects.values_list("kind", flat=True)) == set(Snippet.Kind.values)


def test_every_demo_text_fits_on_x(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert max(weighted_length(part.text) for part in PostPart.objects.all()) <= 280


def test_pictures_of_posts_say_what_they_show(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert MediaAsset.objects.count() == 3
        assert all(use.alt_text for part in PostPart.objects.all() for use in part.media.all())


def test_it_is_checked_by_the_rules_of_its_markets(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        settings = GuardSettings.objects.get()
    assert (settings.markets, settings.industry) == (list(MARKETS), INDUSTRY)


def test_one_draft_shows_what_the_rules_object_to_and_the_others_pass(demo: Workspace) -> None:
    decisions = judged(demo)
    hits = {hit.rule: hit for hit in decisions.pop(FLAWED).hits}
    assert {hit.severity.value for hit in hits.values()} >= {"block", "review"}
    assert "AL9.3" in hits
    assert [hit.replacement for hit in hits.values() if hit.replacement] == ["fairly priced", "非常"]
    assert {title: decision.blocking for title, decision in decisions.items() if decision.blocking} == {}


def test_its_own_list_has_words_of_every_kind(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert set(WorkspaceTerm.objects.values_list("term", flat=True)) == {word.term for word in WORDS}
        assert set(WorkspaceTerm.objects.values_list("kind", flat=True)) == set(WorkspaceTerm.Kind.values)


def test_one_contact_agreed_and_one_withdrew(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        answers = {row.name: may_contact(row, "newsletter", "email").allowed for row in Contact.objects.all()}
    assert answers == {person.name: not person.has_withdrawn for person in PEOPLE}
    assert set(answers.values()) == {True, False}


def test_the_assistant_finds_every_text_of_the_brand_and_claims_with_sources(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        texts = block_texts(demo)
        claims = list(claims_in_force(demo).order_by("language"))
    assert {label for label, text in texts.items() if text} == {kind.label for kind in BRAND_BLOCKS}
    assert [claim.language for claim in claims] == ["en", "zh"]
    assert all("https://" in claim.source for claim in claims)


def test_everybody_was_told_in_their_language(demo: Workspace) -> None:
    with workspace_scope(demo.pk):
        assert set(Notice.objects.values_list("language", flat=True)) == {person.language for person in PEOPLE}


def test_loading_it_again_changes_nothing(demo: Workspace) -> None:
    call_command("load_demo")
    assert User.objects.count() == 3
    with workspace_scope(demo.pk):
        assert Post.objects.count() == len(DRAFTS)


def test_a_scan_of_the_demo_folder_makes_a_post_of_every_pair(demo: Workspace) -> None:
    report = scan_all(demo)
    assert report.created == len([file for file in FOLDER_FILES if file.meta])


def test_the_scan_names_the_picture_without_text(demo: Workspace) -> None:
    problems = scan_all(demo).problems
    assert [problem.path for problem in problems if problem.code == "no_metadata"] == ["05-teaser.jpg"]


def test_a_planned_file_says_its_zone(demo: Workspace) -> None:
    meta = json.loads((sources_root(demo) / FOLDER / "01-first-bags.json").read_text())
    assert meta["timezone"] == "Europe/Berlin"
    assert meta["scheduled_at"].endswith("T09:00:00")


def test_the_reviewer_may_review_and_no_more(demo: Workspace) -> None:
    assert Membership.objects.get(user__email="reviewer@example.com").role == "reviewer"


def test_staff_exist_on_the_sandbox(demo: Workspace) -> None:
    assert User.objects.get(email="staff@example.com").is_superuser


def test_no_known_password_has_power_against_the_real_x(settings) -> None:
    settings.X_API_BASE_URL = "https://api.x.com"
    call_command("load_demo")
    assert list(User.objects.values_list("email", flat=True)) == [DEMO_EMAIL]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8100/x", True),
        ("http://localhost:8100/x", True),
        ("http://[::1]:8100/x", True),
        ("https://api.x.com", False),
        ("https://127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_a_sandbox_is_a_server_on_this_machine(url: str, expected: bool) -> None:
    assert is_sandbox(url) is expected


def test_the_same_picture_is_drawn_byte_for_byte(tmp_path: Path) -> None:
    assert draw_picture(JASMINE) == draw_picture(JASMINE)
