"""Settings → Webhooks."""

import pytest

from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from lib.clock import now

pytestmark = pytest.mark.django_db
PAGE = "/settings/webhooks"
NEW = {"url": "https://hooks.invalid/x", "label": "Chat", "kinds": ["run.failed", "delivery.published"]}


@pytest.fixture
def page(endpoint):
    return f"{PAGE}/{endpoint.pk}"


def text_of(response, status=200):
    assert response.status_code == status, response.content
    return response.content.decode()


def test_without_any_the_page_says_what_they_are_for(alice_client):
    assert "No webhooks yet" in text_of(alice_client.get(PAGE))


def test_one_is_made_and_its_secret_shown_once(alice_client, in_workspace):
    made = text_of(alice_client.post(f"{PAGE}/new", NEW))
    row = WebhookEndpoint.objects.get()
    assert row.secret in made
    assert (row.label, row.kinds) == ("Chat", ["run.failed", "delivery.published"])
    listed = text_of(alice_client.get(PAGE))
    assert "Chat" in listed
    assert "Posts on their accounts: published; Assistants: failed" in listed
    assert row.secret not in listed + text_of(alice_client.get(f"{PAGE}/{row.pk}"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": ""}, "This field is required"),
        ({"url": "http://10.0.0.1/"}, "not on the public internet"),
        ({"kinds": []}, "Choose at least one event"),
        ({"kinds": ["moon.rose"]}, "not one of the available choices"),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_lost(alice_client, in_workspace, change, said):
    shown = text_of(alice_client.post(f"{PAGE}/new", NEW | change), 422)
    assert said in shown.replace("&#x27;", "'")
    assert "Chat" in shown
    assert not WebhookEndpoint.objects.exists()


def test_everything_is_one_choice(alice_client, in_workspace):
    alice_client.post(f"{PAGE}/new", NEW | {"is_all": "on"})
    assert WebhookEndpoint.objects.get().kinds == ["*"]


def test_it_is_changed(alice_client, endpoint, page, receiver):
    WebhookEndpoint.objects.update(kinds=["report."])
    assert '"report.ready" checked' in text_of(alice_client.get(f"{page}/edit"))
    assert alice_client.post(f"{page}/edit", NEW).url == page
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.label) == (NEW["url"], "Chat")


def test_a_test_shows_what_was_answered(alice_client, page, receiver):
    receiver.body = b"<script>hello</script>"
    shown = text_of(alice_client.post(f"{page}/test", follow=True))
    assert "HTTP 200" in shown
    assert "&lt;script&gt;hello" in shown
    assert "This is a test." in shown
    assert receiver.kinds == ["webhook.test"]


def test_pausing_resuming_and_deleting(alice_client, endpoint, page):
    shown = text_of(alice_client.post(f"{page}/pause", follow=True))
    assert "Paused by alice@example.org." in shown
    assert (
        "Paused" not in text_of(alice_client.post(f"{page}/resume", follow=True)).split("Manage")[0].split("</nav>")[1]
    )
    assert alice_client.post(f"{page}/wave").status_code == 404
    assert alice_client.post(f"{page}/delete").url == PAGE
    assert not WebhookEndpoint.objects.exists()


def test_a_new_secret_is_shown_once(alice_client, endpoint, page):
    shown = text_of(alice_client.post(f"{page}/rotate"))
    endpoint.refresh_from_db()
    assert endpoint.secret in shown
    assert "the old secret signs as well" in shown
    assert endpoint.old_secret not in shown


def test_the_log_shows_what_was_sent_and_narrows(alice_client, quiet, tell, page):
    first, second = tell(("run.failed", {"run": "1"}), ("report.ready", {"report": "1"}))
    WebhookDelivery.objects.filter(pk=first.pk).update(status="failed", tries=8)
    shown = text_of(alice_client.get(page))
    assert all(f"{PAGE}/sent/{row.pk}" in shown for row in (first, second))
    narrowed = text_of(alice_client.get(f"{page}?status=failed"))
    assert f"/sent/{first.pk}" in narrowed
    assert f"/sent/{second.pk}" not in narrowed
    assert "Nothing found" in text_of(alice_client.get(f"{page}?kind=post.created"))


def test_what_was_sent_is_shown_with_its_answers_and_can_be_sent_again(alice_client, quiet, tell, page, in_workspace):
    (row,) = tell(("run.failed", {"run": "1"}))
    WebhookDelivery.objects.update(status="failed", ended_at=now())
    WebhookTry.objects.create(workspace=in_workspace, delivery=row, status_code=502, problem_text="No.", answer="<b>")
    shown = text_of(alice_client.get(f"{PAGE}/sent/{row.pk}"))
    assert all(text in shown for text in ["HTTP 502", "&lt;b&gt;", "run.failed", str(row.event_id)])
    again = text_of(alice_client.post(f"{PAGE}/sent/{row.pk}/replay", follow=True))
    assert "the first time" in again
    assert "Not sent yet" in again
    assert WebhookDelivery.objects.count() == 2


def test_all_that_failed_is_sent_again(alice_client, quiet, tell, page):
    tell(("run.failed", {"run": "1"}), ("run.failed", {"run": "2"}))
    WebhookDelivery.objects.update(status="failed")
    assert "2 sent again." in text_of(alice_client.post(f"{page}/replay", {"days": 7}, follow=True))
    assert "Nothing failed" in text_of(alice_client.post(f"{page}/replay", {"days": 7}, follow=True))
    assert "Choose a time." in text_of(alice_client.post(f"{page}/replay", {"days": "all"}, follow=True))


def test_the_events_have_examples(alice_client, workspace):
    shown = text_of(alice_client.get(f"/w/{workspace.slug}{PAGE}/events"))
    assert f"w/{workspace.slug}/w/" not in shown
    assert "delivery.published" in shown
    assert "https://x.com/roastery/status/1" in shown


def test_others_have_no_way_in(bob_client, vic_client, gwen_client, charlie_client, page):
    for client in (bob_client, vic_client, gwen_client):
        assert {client.get(path).status_code for path in (PAGE, page, f"{PAGE}/new", f"{PAGE}/events")} == {403}
    assert charlie_client.get(page).status_code == 404


def test_the_list_asks_no_more_for_more(alice_client, endpoint, alice_actor, receiver, django_assert_max_num_queries):
    from integrations.webhooks.services import create_endpoint

    alice_client.get(PAGE)
    for _ in range(8):
        create_endpoint(receiver.url, ["*"], by=alice_actor)
    with django_assert_max_num_queries(32):
        alice_client.get(PAGE)
