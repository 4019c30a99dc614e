import pytest
from django.test import Client

from campaigns.models import Post
from campaigns.services import PartDraft, PostDraft, create_post, update_post
from tests.campaigns.cast import mark_published, texts_of


@pytest.fixture
def post(bob_actor, roastery) -> Post:
    post = create_post(PostDraft((PartDraft("Fresh beans today"),), connections=(roastery.pk,)), by=bob_actor)
    for text in ("Fresh beans tomorrow", "Old beans <b>tomorrow</b>"):
        post = update_post(post, PostDraft((PartDraft(text),), connections=(roastery.pk,)), by=bob_actor)
    return post


def url(post: Post) -> str:
    return f"/posts/{post.pk}/versions"


def test_the_page_begins_with_the_latest_change(bob_client: Client, post: Post) -> None:
    html = bob_client.get(url(post)).content.decode()
    assert "Version 2 to 3" in html
    assert "<del>Fresh</del><ins>Old</ins>" in html


def test_any_two_versions_can_be_compared(bob_client: Client, post: Post) -> None:
    html = bob_client.get(url(post), {"from": "1", "to": "2"}).content.decode()
    assert "Version 1 to 2" in html
    assert "<del>today</del><ins>tomorrow</ins>" in html


def test_the_first_version_is_shown_without_marks(bob_client: Client, post: Post) -> None:
    html = bob_client.get(url(post), {"to": "1"}).content.decode()
    assert "Fresh beans today" in html
    assert "<ins>" not in html


@pytest.mark.parametrize("query", [{"to": "99"}, {"from": "x", "to": "-1"}, {"to": "\x00"}])
def test_versions_that_are_none_show_the_latest(bob_client: Client, post: Post, query) -> None:
    assert "Version 2 to 3" in bob_client.get(url(post), query).content.decode()


def test_markup_in_a_version_is_only_text(bob_client: Client, post: Post) -> None:
    assert "<b>tomorrow" not in bob_client.get(url(post)).content.decode()


def test_a_version_comes_back_with_a_button(bob_client: Client, post: Post) -> None:
    answer = bob_client.post(f"{url(post)}/1/bring-back")
    assert answer.status_code == 302
    assert texts_of(post) == ["Fresh beans today"]


def test_the_latest_version_has_no_way_back_to_itself(bob_client: Client, post: Post) -> None:
    assert "bring-back" not in bob_client.get(url(post)).content.decode()
    assert "/2/bring-back" in bob_client.get(url(post), {"to": "2"}).content.decode()


def test_what_is_live_says_why_it_stays(bob_client: Client, post: Post) -> None:
    mark_published(post)
    answer = bob_client.post(f"{url(post)}/1/bring-back")
    assert answer.status_code == 409
    assert "cannot change any more" in answer.content.decode()


def test_a_version_that_never_was_is_missing(bob_client: Client, post: Post) -> None:
    assert bob_client.post(f"{url(post)}/99/bring-back").status_code == 404


def test_a_viewer_reads_but_brings_nothing_back(vic_client: Client, post: Post) -> None:
    assert "bring-back" not in vic_client.get(url(post), {"to": "1"}).content.decode()
    assert vic_client.post(f"{url(post)}/1/bring-back").status_code == 403
    assert texts_of(post) == ["Old beans <b>tomorrow</b>"]


def test_a_guest_sees_no_versions(gwen_client: Client, post: Post) -> None:
    assert gwen_client.get(url(post)).status_code in {403, 404}


def test_strangers_find_nothing(charlie_client: Client, post: Post) -> None:
    assert charlie_client.get(url(post)).status_code == 404
    assert charlie_client.post(f"{url(post)}/1/bring-back").status_code == 404


def test_the_post_leads_to_its_versions(bob_client: Client, post: Post) -> None:
    assert url(post) in bob_client.get(f"/posts/{post.pk}").content.decode()


# --- API ----------------------------------------------------------------------------------------------------


def test_the_api_lists_versions_newest_first(api, bob, post: Post) -> None:
    rows = api(bob).get(f"/api{url(post)}").json()["results"]
    assert [row["revision"] for row in rows] == [3, 2, 1]
    assert rows[-1]["content"]["parts"] == [{"text": "Fresh beans today"}]


def test_the_api_brings_a_version_back(api, bob, post: Post) -> None:
    answer = api(bob).post(f"/api{url(post)}/1/bring-back")
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"4"')
    assert answer.json()["parts"][0]["text"] == "Fresh beans today"


def test_the_api_lets_a_viewer_only_read(api, vic, post: Post) -> None:
    assert api(vic).get(f"/api{url(post)}").status_code == 200
    assert api(vic).post(f"/api{url(post)}/1/bring-back").status_code == 403
