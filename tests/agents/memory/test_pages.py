"""The pages as people use them: what they show, what they refuse, and to whom."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.access import Actor
from accounts.models import Workspace
from agents.memory import remember
from agents.memory.blocks import write_block
from agents.memory.claims import ClaimDraft, save_claim
from agents.memory.documents import add_text, read_document
from agents.models import BrandClaim, Consolidation, Document, MemoryBlock, MemoryItem

pytestmark = pytest.mark.django_db
Status = MemoryItem.Status
PAGES = ["/memory", "/memory/new", "/brand", "/brand/claims/new", "/knowledge", "/knowledge/new", "/memory/days"]


@pytest.mark.parametrize("path", PAGES)
def test_empty_pages_teach(bob_client, path: str) -> None:
    page = bob_client.get(path)
    assert page.status_code == 200
    assert "Memory" in page.text or "Brand" in page.text or "Knowledge" in page.text


def test_viewers_look_and_do_not_write(vic_client, bob_actor, in_workspace: Workspace) -> None:
    item = remember("We never post on Sundays.", by=bob_actor)
    claim = save_claim(ClaimDraft("Roasted in Berlin.", "The register"), by=bob_actor)
    document = add_text("Prices", "A bag costs 9 €.", by=bob_actor)
    day = Consolidation.objects.create(workspace=in_workspace, day="2026-11-20")
    for path in ["/memory", f"/memory/items/{item.pk}", "/brand", "/brand/texts/voice", f"/knowledge/{document.pk}"]:
        assert vic_client.get(path).status_code == 200, path
    refused = [
        ("/memory/new", {"text": "x"}),
        *((f"/memory/items/{item.pk}/{act}", {}) for act in ("undo", "expire", "forget", "promote")),
        ("/brand/texts/voice/save", {"text": "x"}),
        ("/brand/texts/voice/lock", {"locked": "0"}),
        ("/brand/claims/new", {"text": "x", "source": "y"}),
        (f"/brand/claims/{claim.pk}/delete", {}),
        ("/knowledge/new", {"way": "note", "title": "x", "text": "y"}),
        (f"/knowledge/{document.pk}/read", {}),
        (f"/knowledge/{document.pk}/delete", {}),
        ("/memory/days/start", {}),
        ("/memory/days/hour", {"hour": "3"}),
        (f"/memory/days/{day.pk}/undo", {}),
    ]
    assert {path: vic_client.post(path, data).status_code for path, data in refused} == {
        path: 403 for path, _ in refused
    }
    assert (MemoryItem.objects.count(), BrandClaim.objects.count(), Document.objects.count()) == (1, 1, 1)


def test_an_item_is_added_searched_undone_and_forgotten(bob_client, in_workspace: Workspace) -> None:
    data = {"text": "光子嫩肤新客价 399 元", "kind": "fact", "tier": "durable", "subject": "Price"}
    made = bob_client.post("/memory/new", data)
    item = MemoryItem.objects.get()
    assert made.headers["Location"].endswith(f"/memory/items/{item.pk}")
    assert "光子嫩肤新客价" in bob_client.get("/memory", {"q": "光子嫩肤多少钱"}).text
    assert "Nothing answers this" in bob_client.get("/memory", {"q": "quarterly tax"}).text
    bob_client.post(f"/memory/items/{item.pk}/undo")
    assert MemoryItem.objects.get().status == Status.UNDONE
    assert "Nothing answers this" in bob_client.get("/memory", {"q": "光子嫩肤多少钱"}).text
    assert item.text in bob_client.get("/memory", {"status": "undone"}).text
    bob_client.post(f"/memory/items/{item.pk}/forget")
    assert not MemoryItem.objects.exists()


def test_what_was_forgotten_is_offered_again_to_a_person_who_insists(bob_client, learn, in_workspace) -> None:
    bob_client.post(f"/memory/items/{learn('We never post on Sundays.').pk}/forget")
    data = {"text": "we never post on sundays", "kind": "rule", "tier": "durable"}
    refused = bob_client.post("/memory/new", data)
    assert refused.status_code == 422
    assert "forgotten on purpose" in refused.text
    assert 'type="checkbox" name="is_again"' in refused.text
    assert bob_client.post("/memory/new", data | {"is_again": "on"}).status_code == 302
    assert MemoryItem.objects.count() == 1


def test_only_reviewers_vouch_for_words_from_outside(bob_client, rita_client, learn) -> None:
    item = learn("They sell the best beans in town.", provenance="untrusted")
    assert "does not use it" in bob_client.get(f"/memory/items/{item.pk}").text
    assert "1 line from other people" in bob_client.get("/memory").text
    assert bob_client.post(f"/memory/items/{item.pk}/promote").status_code == 403
    assert rita_client.post(f"/memory/items/{item.pk}/promote").status_code == 302
    item.refresh_from_db()
    assert (item.status, item.provenance) == (Status.ACTIVE, "member")


def test_unknown_acts_and_texts_are_not_found(bob_client, learn) -> None:
    item = learn("We never post on Sundays.")
    for path in [f"/memory/items/{item.pk}/burn", "/brand/texts/nothing/save", "/brand/texts/voice/restore/9"]:
        assert bob_client.post(path, {"text": ""}).status_code == 404, path
    assert bob_client.get("/brand/texts/nothing").status_code == 404


def test_a_block_is_saved_counted_and_restored(bob_client, in_workspace: Workspace) -> None:
    bob_client.post("/brand/texts/voice/save", {"text": "Warm.", "version": "0"})
    bob_client.post("/brand/texts/voice/save", {"text": "Cold.", "version": "1"})
    stale = bob_client.post("/brand/texts/voice/save", {"text": "Lukewarm.", "version": "1"})
    assert stale.status_code == 422
    assert "Somebody saved this" in stale.text
    assert "Lukewarm." in stale.text
    assert "5 / 2000" in bob_client.get("/brand").text
    bob_client.post("/brand/texts/voice/restore/1")
    block = MemoryBlock.objects.get()
    assert (block.text, block.version) == ("Warm.", 3)
    assert "Version 3" in bob_client.get("/brand/texts/voice").text


def test_too_long_a_block_keeps_what_was_written(bob_client) -> None:
    answer = bob_client.post("/brand/texts/languages/save", {"text": "x" * 501, "version": "0"})
    assert answer.status_code == 422
    assert "1 characters too long" in answer.text
    assert "x" * 501 in answer.text


def test_own_preferences_are_nobody_elses(bob_client, vic_client, in_workspace: Workspace) -> None:
    assert (
        vic_client.post("/brand/texts/preferences/save", {"text": "Answer in rhymes.", "version": "0"}).status_code
        == 302
    )
    assert "Answer in rhymes." in vic_client.get("/brand").text
    assert "Answer in rhymes." not in bob_client.get("/brand").text
    assert "Answer in rhymes." not in bob_client.get("/brand/texts/preferences").text


def test_claims_are_kept_with_their_source(bob_client, in_workspace: Workspace) -> None:
    missing = bob_client.post("/brand/claims/new", {"text": "Roasted in Berlin.", "source": ""})
    assert missing.status_code == 422
    data = {"text": "Roasted in Berlin.", "source": "The register", "language": "en", "valid_until": "2020-01-01"}
    assert bob_client.post("/brand/claims/new", data).status_code == 302
    assert "over" in bob_client.get("/brand").text
    claim = BrandClaim.objects.get()
    assert "The register" in bob_client.get(f"/brand/claims/{claim.pk}").text
    bob_client.post(f"/brand/claims/{claim.pk}", data | {"text": "Roasted in Berlin since 2009."})
    assert BrandClaim.objects.get().text.endswith("2009.")
    bob_client.post(f"/brand/claims/{claim.pk}/delete")
    assert not BrandClaim.objects.exists()


def test_a_file_a_note_and_a_page_are_added(bob_client, in_workspace: Workspace) -> None:
    upload = SimpleUploadedFile("prices.csv", "Bag;Price\nHausmischung;9 €\n".encode("cp1252"))
    assert bob_client.post("/knowledge/new", {"way": "file", "file": upload}).status_code == 302
    assert (
        bob_client.post("/knowledge/new", {"way": "note", "title": "Style", "text": "# Emoji\nNone."}).status_code
        == 302
    )
    assert bob_client.post("/knowledge/new", {"way": "page", "url": "https://example.org/a"}).status_code == 302
    for document in Document.objects.exclude(url__contains="example"):
        read_document(in_workspace.pk, document.pk)
    listed = bob_client.get("/knowledge").text
    assert all(title in listed for title in ("prices.csv", "Style", "https://example.org/a"))
    assert "Being read" in listed
    style = Document.objects.get(title="Style")
    assert "Emoji" in bob_client.get(f"/knowledge/{style.pk}").text
    bob_client.post(f"/knowledge/{style.pk}/delete")
    assert not Document.objects.filter(title="Style").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"way": "page", "url": "ftp://example.org"}, "This is not a web address"),
        ({"way": "page", "url": "http://user:pw@example.org"}, "Leave the name and the password out"),
        ({"way": "file"}, "This field is required"),
        ({"way": "note", "title": "x", "text": "   "}, "empty"),
        ({"way": "nothing"}, "This field is required"),
    ],
)
def test_what_cannot_be_added_is_said_beside_the_field(bob_client, data: dict[str, str], said: str) -> None:
    answer = bob_client.post("/knowledge/new", data)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_day_shows_its_changes_and_is_undone(bob_client, learn, in_workspace: Workspace) -> None:
    old = learn("We open at nine.", subject="hours")
    new = learn("We open at ten.", subject="hours", source_kind="consolidation")
    line = {"act": "supersede", "id": str(new.pk), "why": "Said today."}
    line |= {"before": {"items": [{"text": old.text}]}, "after": {"text": new.text}}
    day = Consolidation.objects.create(workspace=in_workspace, day="2026-11-20", diff=[line])
    page = bob_client.get(f"/memory/days/{day.pk}").text
    assert all(text in page for text in ("We open at nine.", "We open at ten.", "Said today.", "Replaced"))
    assert "1 change" in bob_client.get("/memory/days").text
    bob_client.post(f"/memory/days/{day.pk}/undo")
    old.refresh_from_db()
    assert old.status == Status.ACTIVE
    assert "Undone" in bob_client.get(f"/memory/days/{day.pk}").text


def test_admins_choose_the_hour(alice_client, in_workspace: Workspace) -> None:
    alice_client.post("/memory/days/hour", {"hour": "4"})
    assert '<option value="4" selected>' in alice_client.get("/memory/days").text
    alice_client.post("/memory/days/hour", {"hour": ""})
    assert '<option value="4" selected>' not in alice_client.get("/memory/days").text


def test_the_lock_of_a_block_is_the_admins(alice_client, alice_actor: Actor, in_workspace: Workspace) -> None:
    write_block("voice", "Warm.", by=alice_actor)
    alice_client.post("/brand/texts/voice/lock", {"locked": "0"})
    assert not MemoryBlock.objects.get().is_read_only
    assert "Only people change it" in alice_client.get("/brand/texts/voice").text


def test_strangers_find_none_of_it(charlie_client, learn, bob_actor: Actor, in_workspace: Workspace) -> None:
    item, document = learn("We never post on Sundays."), add_text("Prices", "A bag costs 9 €.", by=bob_actor)
    day = Consolidation.objects.create(workspace=in_workspace, day="2026-11-20")
    for path in [f"/memory/items/{item.pk}", f"/knowledge/{document.pk}", f"/memory/days/{day.pk}"]:
        assert charlie_client.get(path).status_code == 404
    assert "Sundays" not in charlie_client.get("/memory", {"q": "Sundays"}).text


def test_document_is_renamed_on_its_page_and_keeps_its_name_without_one(bob_client, bob_actor, in_workspace):
    document = add_text("Prices", "A bag costs 9 €.", by=bob_actor)
    path = reverse("agents:knowledge-rename", args=[document.pk])
    assert "Blends" in bob_client.post(path, {"title": "Blends"}, follow=True).content.decode()
    assert "Write a title." in bob_client.post(path, {"title": " "}, follow=True).content.decode()
    document.refresh_from_db()
    assert document.title == "Blends"
