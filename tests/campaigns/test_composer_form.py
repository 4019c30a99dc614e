from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from campaigns.forms_post import (
    MAX_FIELDS,
    MediaField,
    PartField,
    PostForm,
    apply_action,
    form_of,
    read_form,
    to_draft,
)
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post
from campaigns.wall_clock import parse_local
from social.networks.rules import MAX_PARTS


def query(**fields: object) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name.replace("_0_", "-0-").replace("_1_", "-1-"), value if isinstance(value, list) else [value])
    return data


def thread(*texts: str) -> PostForm:
    return PostForm(parts=[PartField(text) for text in texts])


def texts(form: PostForm) -> list[str]:
    return [part.text for part in form.parts]


def test_an_empty_form_has_one_empty_part() -> None:
    assert read_form(QueryDict()) == PostForm(parts=[PartField()])


def test_parts_are_read_in_their_order() -> None:
    assert texts(read_form(query(part_0_text="first", part_1_text="second"))) == ["first", "second"]


def test_files_keep_their_order_and_their_alt_text() -> None:
    one, two = uuid4(), uuid4()
    data = query(part_0_text="", part_0_media=[str(two), str(one)])
    data[f"part-0-alt-{one}"] = "A cup"
    assert read_form(data).parts[0].media == [MediaField(two), MediaField(one, "A cup")]


def test_the_same_file_twice_counts_once() -> None:
    one = str(uuid4())
    assert len(read_form(query(part_0_text="", part_0_media=[one, one])).parts[0].media) == 1


def test_ids_that_are_none_are_dropped() -> None:
    form = read_form(query(connections=["nonsense"], campaign="nonsense", part_0_text="", part_0_media="nonsense"))
    assert (form.connection_ids, form.campaign_id, form.parts[0].media) == ([], None, [])


def test_texts_of_its_own_are_read_by_connection() -> None:
    one = uuid4()
    data = query(connections=str(one), part_0_text="shared")
    data[f"part-0-override-{one}"] = "own"
    assert read_form(data).parts[0].overrides == {one: "own"}


def test_a_blank_text_of_its_own_means_the_shared_one() -> None:
    one = uuid4()
    data = query(part_0_text="shared")
    data[f"part-0-override-{one}"] = "  "
    assert read_form(data).parts[0].text_for(one) == "shared"


def test_a_tab_of_an_account_that_is_not_chosen_closes() -> None:
    assert read_form(query(tab=str(uuid4()))).tab is None


def test_somebody_who_sends_a_thousand_parts_is_cut_short() -> None:
    data = QueryDict(mutable=True)
    for number in range(1000):
        data[f"part-{number}-text"] = "x"
    assert len(read_form(data).parts) == MAX_FIELDS


@pytest.mark.parametrize(("sent", "read"), [("3", 3), ("", None), ("x", None), ("-1", None)])
def test_a_revision_is_a_number_or_none(sent: str, read: int | None) -> None:
    assert read_form(query(revision=sent)).revision == read


def test_an_unknown_choice_of_time_means_later() -> None:
    assert read_form(query(when="yesterday")).when == "later"


# --- buttons ----------------------------------------------------------------------------------------------


def test_a_part_is_added_at_the_end() -> None:
    form = thread("one")
    apply_action(form, "part-add")
    assert texts(form) == ["one", ""]


def test_no_part_is_added_beyond_the_longest_thread() -> None:
    form = thread(*["x"] * MAX_PARTS)
    apply_action(form, "part-add")
    assert len(form.parts) == MAX_PARTS


def test_a_part_is_removed() -> None:
    form = thread("one", "two", "three")
    apply_action(form, "part-remove:1")
    assert texts(form) == ["one", "three"]


def test_removing_the_only_part_leaves_an_empty_one() -> None:
    form = thread("one")
    apply_action(form, "part-remove:0")
    assert texts(form) == [""]


def test_a_part_moves_with_its_files_and_own_texts() -> None:
    own, file = {uuid4(): "own"}, MediaField(uuid4())
    form = thread("one", "two")
    form.parts[1].overrides, form.parts[1].media = own, [file]
    apply_action(form, "part-move:1:-1")
    assert texts(form) == ["two", "one"]
    assert (form.parts[0].overrides, form.parts[0].media) == (own, [file])


@pytest.mark.parametrize("action", ["part-move:0:-1", "part-move:1:1", "part-move:9:1", "part-remove:-1"])
def test_a_move_past_the_ends_changes_nothing(action: str) -> None:
    form = thread("one", "two")
    apply_action(form, action)
    assert texts(form) == ["one", "two"]


@pytest.mark.parametrize("action", ["", "fly", "part-remove", "part-remove:x", "media-add:0:x", "part-add:1:2"])
def test_an_action_that_makes_no_sense_changes_nothing(action: str) -> None:
    form = thread("one")
    apply_action(form, action)
    assert form == thread("one")


def test_a_file_from_the_library_is_added_once() -> None:
    form, asset_id = thread("one"), uuid4()
    apply_action(form, f"media-add:0:{asset_id}")
    apply_action(form, f"media-add:0:{asset_id}")
    assert form.parts[0].media == [MediaField(asset_id)]


def test_files_are_moved_and_removed() -> None:
    one, two, three = (MediaField(uuid4()) for _ in range(3))
    form = PostForm(parts=[PartField(media=[one, two, three])])
    apply_action(form, "media-move:0:2:-1")
    apply_action(form, "media-remove:0:0")
    assert form.parts[0].media == [three, two]


def test_starting_from_the_shared_text_copies_every_part() -> None:
    form, one = thread("one", "two"), uuid4()
    form.tab = one
    apply_action(form, "text-copy")
    assert [part.overrides for part in form.parts] == [{one: "one"}, {one: "two"}]


def test_going_back_to_the_shared_text_drops_only_the_open_account() -> None:
    form, one, two = thread("one"), uuid4(), uuid4()
    form.parts[0].overrides, form.tab = {one: "a", two: "b"}, one
    apply_action(form, "text-drop")
    assert form.parts[0].overrides == {two: "b"}


def test_a_tab_opens_and_closes() -> None:
    form, one = thread("one"), uuid4()
    apply_action(form, f"tab:{one}")
    assert form.tab == one
    apply_action(form, "tab:")
    assert form.tab is None


def test_the_library_opens_for_a_part_and_closes() -> None:
    form = thread("one", "two")
    apply_action(form, "library:1")
    assert form.library == 1
    apply_action(form, "library")
    assert form.library is None


# --- time -------------------------------------------------------------------------------------------------


def test_a_time_is_read_in_the_zone_of_the_workspace() -> None:
    assert parse_local("2026-07-01T09:00", "Europe/Berlin") == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_a_time_that_the_clock_change_skips_moves_forward() -> None:
    assert parse_local("2027-03-28T02:30", "Europe/Berlin") == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "tomorrow", "2026-13-01T09:00"])
def test_what_is_no_time_is_refused_beside_its_field(value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_local(value, "UTC")
    assert refusal.value.message_dict == {"at": ["Give a date and a time."]}


# --- posts ------------------------------------------------------------------------------------------------


def test_a_post_survives_the_way_through_the_form(bob_actor, roastery, cafe, picture, campaign) -> None:
    draft = PostDraft(
        parts=(PartDraft("one", (MediaDraft(picture.pk, "A cup"),)), PartDraft("two")),
        title="Named",
        campaign=campaign,
        made_with_ai=True,
        connections=(cafe.pk, roastery.pk),
        overrides={cafe.pk: [None, "zwei"], roastery.pk: [None, None]},
    )
    again = to_draft(form_of(create_post(draft, by=bob_actor)), campaign)
    assert set(again.connections) == set(draft.connections)
    assert again.overrides == draft.overrides
    assert (again.parts, again.title, again.made_with_ai) == (draft.parts, "Named", True)


def test_a_name_taken_from_the_text_is_not_typed_into_the_form(bob_actor, in_workspace) -> None:
    post = create_post(PostDraft(parts=(PartDraft("A long sentence " * 10),)), by=bob_actor)
    assert post.title.endswith("…")
    assert form_of(post).title == ""
