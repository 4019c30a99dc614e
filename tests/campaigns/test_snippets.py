import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from campaigns.models import Snippet
from campaigns.snippets import create_snippet, delete_snippet, update_snippet

URL = "/snippets"
MISSING = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def thanks(bob_actor, in_workspace) -> Snippet:
    return create_snippet(by=bob_actor, kind="signature", name="Thanks", text="— the <roastery>")


def fields(**more: str) -> dict[str, str]:
    return {"kind": "hashtags", "name": "Spring", "text": "#spring #beans"} | more


def test_a_snippet_is_saved_with_its_spaces_and_lines(bob_actor, in_workspace) -> None:
    snippet = create_snippet(by=bob_actor, kind="template", name="  Weekly \n offer ", text="\nHello\n ")
    assert (snippet.name, snippet.text) == ("Weekly offer", "\nHello\n ")


def test_a_name_is_used_once_in_its_kind(thanks: Snippet, bob_actor) -> None:
    with pytest.raises(ValidationError):
        create_snippet(by=bob_actor, kind="signature", name="Thanks", text="x")
    assert create_snippet(by=bob_actor, kind="template", name="Thanks", text="x")


@pytest.mark.parametrize(
    "wrong", [{"kind": "poem"}, {"name": ""}, {"name": "x" * 81}, {"text": ""}, {"text": "x" * 5001}]
)
def test_what_makes_no_snippet_is_refused(bob_actor, in_workspace, wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        create_snippet(by=bob_actor, **fields(**wrong))
    assert not Snippet.objects.exists()


def test_a_snippet_is_changed(thanks: Snippet, bob_actor) -> None:
    update_snippet(thanks, by=bob_actor, **fields())
    thanks.refresh_from_db()
    assert (thanks.kind, thanks.name, thanks.text) == ("hashtags", "Spring", "#spring #beans")


def test_only_editors_write_snippets(thanks: Snippet, vic_actor) -> None:
    for act in (
        lambda: create_snippet(by=vic_actor, **fields()),
        lambda: update_snippet(thanks, by=vic_actor, **fields()),
        lambda: delete_snippet(thanks, by=vic_actor),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert Snippet.objects.get().name == "Thanks"


# --- pages --------------------------------------------------------------------------------------------------


def test_an_empty_list_leads_to_the_first_one(bob_client: Client, in_workspace) -> None:
    assert "/snippets/new" in bob_client.get(URL).content.decode()


def test_snippets_are_listed_by_kind(bob_client: Client, thanks: Snippet) -> None:
    html = bob_client.get(URL).content.decode()
    assert "Signatures" in html
    assert "Hashtags</h2>" not in html
    assert "— the &lt;roastery&gt;" in html


def test_a_snippet_is_added_on_its_page(bob_client: Client, in_workspace) -> None:
    assert bob_client.post(f"{URL}/new", fields()).status_code == 302
    assert Snippet.objects.get().text == "#spring #beans"


def test_a_snippet_is_edited_on_its_page(bob_client: Client, thanks: Snippet) -> None:
    assert 'value="Thanks"' in bob_client.get(f"{URL}/{thanks.pk}").content.decode()
    bob_client.post(f"{URL}/{thanks.pk}", fields())
    assert Snippet.objects.get().name == "Spring"


def test_a_refused_form_keeps_what_was_typed(bob_client: Client, thanks: Snippet) -> None:
    page = bob_client.post(f"{URL}/new", fields(kind="signature", name="Thanks", text="precious"))
    assert page.status_code == 422
    assert "precious" in page.content.decode()


def test_a_snippet_is_deleted(bob_client: Client, thanks: Snippet) -> None:
    assert bob_client.post(f"{URL}/{thanks.pk}/delete").status_code == 302
    assert not Snippet.objects.exists()


def test_a_viewer_reads_the_list_only(vic_client: Client, thanks: Snippet) -> None:
    html = vic_client.get(URL).content.decode()
    assert "Thanks" in html
    assert "/delete" not in html
    assert vic_client.get(f"{URL}/{thanks.pk}").status_code == 403


def test_strangers_find_nothing(charlie_client: Client, thanks: Snippet) -> None:
    assert "Thanks" not in charlie_client.get(URL).content.decode()
    assert charlie_client.get(f"{URL}/{thanks.pk}").status_code == 404


def test_the_composer_offers_snippets_as_text(bob_client: Client, thanks: Snippet) -> None:
    html = bob_client.get("/posts/new").content.decode()
    assert 'data-insert="— the &lt;roastery&gt;"' in html


def test_the_composer_offers_emoji_with_names(bob_client: Client, in_workspace) -> None:
    html = bob_client.get("/posts/new").content.decode()
    assert 'data-insert="🚀" aria-label="rocket"' in " ".join(html.split())
    assert html.count("data-insert=") >= 150


# --- API ----------------------------------------------------------------------------------------------------


def test_the_api_makes_reads_changes_and_deletes(api, bob, in_workspace) -> None:
    client = api(bob)
    made = client.post("/api/snippets", fields(), format="json")
    assert made.status_code == 201
    at = f"/api/snippets/{made.json()['id']}"
    assert client.get(at).json() == made.json()
    assert client.put(at, fields(name="Summer"), format="json").json()["name"] == "Summer"
    assert [row["name"] for row in client.get("/api/snippets").json()["results"]] == ["Summer"]
    assert client.delete(at).status_code == 204
    assert client.get(at).status_code == 404


@pytest.mark.parametrize("wrong", [{"kind": "poem"}, {"name": ""}, {"text": ""}, {"text": "x" * 5001}])
def test_the_api_names_what_is_wrong(api, bob, in_workspace, wrong: dict[str, str]) -> None:
    answer = api(bob).post("/api/snippets", fields(**wrong), format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(wrong))


def test_the_api_refuses_the_same_name_twice(api, bob, thanks: Snippet) -> None:
    again = fields(kind="signature", name="Thanks")
    assert api(bob).post("/api/snippets", again, format="json").status_code == 400


def test_the_api_lets_viewers_only_read(api, vic, thanks: Snippet) -> None:
    assert api(vic).get("/api/snippets").status_code == 200
    assert api(vic).post("/api/snippets", fields(), format="json").status_code == 403
    assert api(vic).delete(f"/api/snippets/{thanks.pk}").status_code == 403


def test_the_api_knows_no_foreign_snippet(api, charlie, other_workspace, thanks: Snippet) -> None:
    assert api(charlie).get(f"/api/snippets/{thanks.pk}").status_code == 404
    assert api(charlie).get(f"/api/snippets/{MISSING}").status_code == 404
