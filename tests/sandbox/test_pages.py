import requests

from tests.sandbox.cast import Client, Sandbox, movie, photo, upload


def page(sandbox: Sandbox, path: str) -> requests.Response:
    return requests.get(sandbox.url + path, timeout=30)


def test_the_front_page_shows_accounts_posts_and_the_ledger(sandbox: Sandbox, alice: Client) -> None:
    empty = page(sandbox, "/")
    assert "None yet." in empty.text
    post_id = alice.post_id("Hello <b>world</b>")
    answer = page(sandbox, "/")
    assert answer.status_code == 200
    assert 'href="/x/alice"' in answer.text
    assert f'href="/x/alice/status/{post_id}"' in answer.text
    assert "Hello &lt;b&gt;world&lt;/b&gt;" in answer.text
    assert "Sandbox: nothing here is real" in answer.text


def test_a_profile_lists_its_posts_newest_first(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("The older one")
    alice.post_id("The newer one")
    text = page(sandbox, "/x/ALICE").text
    assert text.index("The newer one") < text.index("The older one")


def test_a_profile_without_posts_says_so(sandbox: Sandbox) -> None:
    assert "No posts yet." in page(sandbox, "/x/sandbox_demo").text


def test_a_post_page_shows_text_links_pictures_and_flags(sandbox: Sandbox, alice: Client) -> None:
    media_id = photo(alice)
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": 'A "cup"'}}}
    alice.call("POST", "/2/media/metadata", json=metadata)
    post_id = alice.post_id("See example.com <i>", media={"media_ids": [media_id]}, made_with_ai=True)
    text = page(sandbox, f"/x/alice/status/{post_id}").text
    assert 'href="http://example.com">example.com</a> &lt;i&gt;' in text
    assert f'<img src="/x/i/media/3_{media_id}" alt="A &quot;cup&quot;">' in text
    assert "Made with AI" in text


def test_a_post_page_shows_a_poll_and_a_video(sandbox: Sandbox, alice: Client) -> None:
    poll = alice.post_id("Which?", poll={"options": ["Tea", "Coffee"], "duration_minutes": 60})
    assert "<li>Coffee</li>" in page(sandbox, f"/x/alice/status/{poll}").text
    video = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    sandbox.advance(4)
    film = alice.post_id("Watch", media={"media_ids": [video]})
    assert f'href="/x/i/media/7_{video}"' in page(sandbox, f"/x/alice/status/{film}/video/1").text


def test_a_post_page_shows_replies_that_are_not_hidden(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("We are open")
    good = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "in_reply_to": first, "text": "Lovely"})
    bad = sandbox.post("/mentions", **{"from": "troll", "to": "alice", "in_reply_to": first, "text": "Awful"})
    alice.call("PUT", f"/2/tweets/{bad['id']}/hidden", json={"hidden": True})
    text = page(sandbox, f"/x/alice/status/{first}").text
    assert good["text"] in text
    assert "Awful" not in text


def test_what_is_not_there_has_a_page_that_says_so(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Hello")
    alice.call("DELETE", f"/2/tweets/{post_id}")
    for path in ("/x/nobody", f"/x/alice/status/{post_id}", "/x/alice/status/abc", "/x/i/media/3_1", "/x/i/media/x"):
        assert page(sandbox, path).status_code == 404


def test_a_post_is_only_found_under_its_author(sandbox: Sandbox, alice: Client) -> None:
    assert page(sandbox, f"/x/sandbox_demo/status/{alice.post_id('Hello')}").status_code == 404


def test_an_avatar_is_a_picture_with_the_first_letter(sandbox: Sandbox) -> None:
    answer = page(sandbox, "/x/i/avatar/alice.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert ">A</text>" in answer.text


def test_pages_forbid_scripts(sandbox: Sandbox) -> None:
    assert page(sandbox, "/").headers["content-security-policy"].startswith("default-src 'none'")


def test_a_post_has_an_address_without_a_handle(alice, sandbox):
    post_id = alice.post_id("Found by its number")
    assert "Found by its number" in page(sandbox, f"/x/i/status/{post_id}").text


def test_an_address_without_a_handle_needs_a_post(sandbox):
    assert requests.get(f"{sandbox.url}/x/i/status/77", timeout=10).status_code == 404
