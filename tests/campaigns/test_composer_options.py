"""What only one network knows, in the composer: read, changed by buttons, saved, shown again."""

import re

import pytest
from django.http import QueryDict
from django.test import Client

from campaigns.forms_post import PartField, PostForm, apply_action, form_of, read_form, read_tags, to_draft
from campaigns.forms_post_options import ButtonField, OptionFields, PollField
from campaigns.models import Post
from campaigns.services import PartDraft, PostDraft, create_post
from social.models import Connection

NEW, PREVIEW = "/posts/new", "/posts/preview"
SHOP = {"text": "Shop", "url": "https://acme.com"}
POLL = {"options": ["Light", "Dark"], "minutes": 60}


def query(fields: dict[str, object]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def fields(**more: object) -> dict[str, object]:
    return {"part-0-text": "Hello", "action": "save"} | {name.replace("__", "-"): value for name, value in more.items()}


def typed(client: Client, **more: object) -> str:
    data = {name: value for name, value in fields(**more).items() if name != "action" or "action" in more}
    return client.post(PREVIEW, data, headers={"HX-Request": "true"}).content.decode()


# --- reading ------------------------------------------------------------------------------------------------


def test_switches_and_choices_are_read_by_network() -> None:
    form = read_form(query({"x-paid_partnership": "on", "x-reply_settings": "verified", "telegram-silent": "on"}))
    assert form.options.values == {
        "x": {"paid_partnership": True, "reply_settings": "verified"},
        "telegram": {"silent": True},
    }


def test_an_empty_form_has_no_options() -> None:
    assert read_form(QueryDict()).options == OptionFields()


def test_buttons_are_read_in_their_rows() -> None:
    form = read_form(
        query(
            {
                "button-0-text": ["a", "b"],
                "button-0-url": ["https://a.co", "https://b.co"],
                "button-1-text": ["c"],
                "button-1-url": [""],
            }
        )
    )
    assert form.options.rows == [
        [ButtonField("a", "https://a.co"), ButtonField("b", "https://b.co")],
        [ButtonField("c", "")],
    ]


def test_an_untouched_button_is_none() -> None:
    options = OptionFields(rows=[[ButtonField()], [ButtonField("a", "https://a.co"), ButtonField()]])
    assert options.value["telegram"]["buttons"] == [[{"text": "a", "url": "https://a.co"}]]


def test_a_poll_is_read_with_its_part() -> None:
    data = {"part-0-text": "?", "part-0-poll-minutes": "60", "part-0-poll-choice": ["Light", "Dark"]}
    assert read_form(query(data)).parts[0].poll == PollField(["Light", "Dark"], 60)


@pytest.mark.parametrize("minutes", ["", "soon", "-5", "9" * 40])
def test_a_duration_that_is_none_becomes_a_day(minutes: str) -> None:
    data = {"part-0-text": "?", "part-0-poll-minutes": minutes, "part-0-poll-choice": ["a", "b"]}
    assert read_form(query(data)).parts[0].poll == PollField(["a", "b"], 1440)


def test_a_duration_that_nobody_offers_is_offered_beside_the_usual_ones() -> None:
    assert (45, "45 minutes") in PollField(minutes=45).durations
    assert PollField(minutes=1440).durations.count((1440, "1 day")) == 1


@pytest.mark.parametrize(
    ("typed_tags", "tags"),
    [
        ("spring, beans", ("spring", "beans")),
        ("#a,#a, ,b", ("a", "b")),
        ("春季，新品、#豆", ("春季", "新品", "豆")),
        ("", ()),
    ],
)
def test_tags_are_words_between_commas(typed_tags: str, tags: tuple[str, ...]) -> None:
    assert read_tags(typed_tags) == tags


# --- buttons of the form ------------------------------------------------------------------------------------


def form_with(**more: object) -> PostForm:
    return PostForm(parts=[PartField("?")], **more)


def test_a_poll_begins_with_two_choices_and_grows_to_four() -> None:
    form = form_with()
    for action in ["poll-add:0", "choice-add:0", "choice-add:0", "choice-add:0"]:
        apply_action(form, action)
    assert form.parts[0].poll == PollField(["", "", "", ""])


def test_a_poll_keeps_at_least_two_choices() -> None:
    form = form_with()
    form.parts[0].poll = PollField(["a", "b", "c"])
    apply_action(form, "choice-remove:0:1")
    apply_action(form, "choice-remove:0:1")
    assert form.parts[0].poll == PollField(["a", "c"])


def test_a_poll_is_taken_off() -> None:
    form = form_with()
    form.parts[0].poll = PollField()
    apply_action(form, "poll-remove:0")
    assert form.parts[0].poll is None


def test_buttons_are_added_beside_and_below() -> None:
    form = form_with()
    for action in ["button-add", "button-add:0", "button-add"]:
        apply_action(form, action)
    assert [len(row) for row in form.options.rows] == [2, 1]


def test_the_last_button_of_a_row_takes_the_row_along() -> None:
    form = form_with(options=OptionFields(rows=[[ButtonField("a")], [ButtonField("b")]]))
    apply_action(form, "button-remove:0:0")
    assert form.options.rows == [[ButtonField("b")]]


def test_all_buttons_go_at_once() -> None:
    form = form_with(options=OptionFields(rows=[[ButtonField("a")], [ButtonField("b")]]))
    apply_action(form, "buttons-drop")
    assert form.options.rows == []


@pytest.mark.parametrize(
    "action", ["poll-add:9", "choice-add:0", "choice-remove:0:0", "button-remove:0:0", "button-add:x"]
)
def test_an_action_without_its_object_changes_nothing(action: str) -> None:
    form = form_with()
    apply_action(form, action)
    assert form == form_with()


# --- saving -------------------------------------------------------------------------------------------------


def test_everything_is_saved_and_shown_again(bob_client: Client, roastery: Connection) -> None:
    bob_client.post(
        NEW,
        fields(
            connections=str(roastery.pk),
            is_marked="on",
            x__reply_settings="following",
            telegram__silent="on",
            button__0__text="Shop",
            button__0__url="https://acme.com",
            part__0__poll__minutes="60",
            part__0__poll__choice=["Light", "Dark"],
            reply_to="https://x.com/acme/status/123",
            tags="spring, beans",
            language="en",
        ),
    )
    post = Post.objects.get()
    assert post.options == {
        "x": {"reply_settings": "following"},
        "telegram": {"silent": True, "buttons": [[SHOP]]},
    }
    assert (post.is_marked, post.reply_to, post.tags, post.language) == (True, "123", ["spring", "beans"], "en")
    assert post.parts.get().poll == POLL
    page = bob_client.get(f"/posts/{post.pk}/edit").content.decode()
    assert 'value="following" selected' in page
    assert 'value="https://acme.com"' in page
    assert 'value="Dark"' in page
    assert 'value="spring, beans"' in page


def test_a_post_with_options_survives_the_way_through_the_form(bob_actor, roastery) -> None:
    draft = PostDraft(
        parts=(PartDraft("?", poll=POLL),),
        title="Named",
        connections=(roastery.pk,),
        overrides={roastery.pk: [None]},
        is_marked=True,
        options={"x": {"paid_partnership": True}, "telegram": {"pin": True, "buttons": [[SHOP]]}},
        reply_to="123",
        tags=("spring",),
        language="de",
    )
    assert to_draft(form_of(create_post(draft, by=bob_actor)), None) == draft


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"part__0__poll__minutes": "60", "part__0__poll__choice": ["one", ""]}, "A poll has 2 to 4 choices."),
        ({"button__0__text": "Shop", "button__0__url": "acme"}, "needs an address"),
        ({"reply_to": "the one from yesterday"}, "ends in /status/"),
        ({"tags": ",".join(map(str, range(31)))}, "At most 30 tags."),
        ({"x__reply_settings": "enemies"}, "Choose one of"),
    ],
)
def test_what_is_unfinished_comes_back_with_everything_typed(bob_client: Client, in_workspace, more, words) -> None:
    page = bob_client.post(NEW, fields(part__0__text="precious", **more))
    assert page.status_code == 422
    assert words in page.content.decode()
    assert "precious" in page.content.decode()
    assert not Post.objects.exists()


def test_the_label_of_an_assistants_text_cannot_be_taken_off(bob_client: Client, bob_actor, roastery) -> None:
    draft = PostDraft(parts=(PartDraft("Hi"),), connections=(roastery.pk,))
    post = create_post(draft, by=bob_actor, has_agent_text=True)
    page = bob_client.get(f"/posts/{post.pk}/edit").content.decode()
    assert re.search(r'name="made_with_ai"\s+checked\s+disabled', page)
    assert "An assistant wrote some of this text" in page
    bob_client.post(f"/posts/{post.pk}/edit", fields(connections=str(roastery.pk), revision="1"))
    post.refresh_from_db()
    assert post.made_with_ai


# --- what the page shows ------------------------------------------------------------------------------------


def panel(html: str, name: str) -> str:
    found = re.search(rf'<fieldset class="group" id="options-{name}"([^>]*)>', html)
    assert found
    return found[1]


def test_somebody_with_one_network_sees_only_its_options(bob_client: Client, roastery: Connection) -> None:
    html = typed(bob_client, connections=str(roastery.pk), action="targets")
    assert "hidden" not in panel(html, "x")
    assert "hidden" in panel(html, "telegram")
    assert "data-mark" not in html


def test_options_of_an_account_that_is_unchosen_stay_in_the_form(bob_client: Client, in_workspace) -> None:
    html = typed(bob_client, telegram__silent="on", action="targets")
    assert re.search(r'name="telegram-silent"\s+checked', html)


def test_the_poll_button_shows_where_polls_can_be_sent(bob_client: Client, roastery: Connection) -> None:
    assert 'value="poll-add:0"' in typed(bob_client, connections=str(roastery.pk), action="targets")
    assert 'value="poll-add:0"' not in typed(bob_client, action="targets")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "will be checked"),
        ({"is_summoned": True, "author": "acme"}, "X allows the answer to @acme"),
        ({"is_summoned": False}, "X will refuse this answer"),
    ],
)
def test_an_answer_says_what_x_said_about_it(bob_client: Client, bob_actor, roastery, facts, words: str) -> None:
    draft = PostDraft(parts=(PartDraft("Hi"),), connections=(roastery.pk,), reply_to="123")
    post = create_post(draft, by=bob_actor)
    Post.objects.filter(pk=post.pk).update(reply_facts=facts)
    html = " ".join(bob_client.get(f"/posts/{post.pk}/edit").content.decode().split())
    assert words in re.sub(r"</?b[^>]*>", "", html)


def test_the_preview_shows_poll_labels_and_the_answered_post(bob_client: Client, roastery: Connection) -> None:
    html = typed(
        bob_client,
        connections=str(roastery.pk),
        part__0__poll__minutes="1440",
        part__0__poll__choice=["Light", "Dark"],
        x__paid_partnership="on",
        x__reply_settings="verified",
        reply_to="123",
    )
    assert "<li>Light</li>" in html
    assert "1 day left" in html
    assert "Paid partnership" in html
    assert "Replies: verified accounts" in html
    assert "Replying to" in html


def test_an_unfinished_poll_is_told_while_typing(bob_client: Client, roastery: Connection) -> None:
    poll = {"part__0__poll__minutes": "60", "part__0__poll__choice": ["", ""]}
    assert "A poll has 2 to 4 choices." in typed(bob_client, connections=str(roastery.pk), **poll)


def test_choices_of_a_poll_are_only_text(bob_client: Client, roastery: Connection) -> None:
    poll = {"part__0__poll__minutes": "60", "part__0__poll__choice": ["<script>", "b"]}
    assert "<script>" not in typed(bob_client, connections=str(roastery.pk), **poll)
